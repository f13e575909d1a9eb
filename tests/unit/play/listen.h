/* What comes out of a reader, and how it sounds: for the tests of the readers. */
#ifndef TESTS_UNIT_PLAY_LISTEN_H
#define TESTS_UNIT_PLAY_LISTEN_H

#include <math.h>
#include <opus/opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play/reader.h"

#define LISTEN_MAX (4 * PLAY_RATE)

struct listened {
    int result; /* the last one */
    char error[160];
    struct play_info info;
    unsigned n_packets, n_firsts;
    uint64_t first_at, end; /* positions of the first packet, and behind the last */
    uint64_t skip, trim, pauses;
    size_t n;                /* heard samples, pauses are zeros */
    int16_t pcm[LISTEN_MAX]; /* mono */
};

static inline void listen_hear(struct listened *l, const int16_t *pcm, uint64_t n)
{
    for (uint64_t i = 0; i < n && l->n < LISTEN_MAX; i++)
        l->pcm[l->n++] = pcm ? pcm[i] : 0;
}

static inline void listen_packet(struct listened *l, OpusDecoder *decoder,
                                 const struct play_packet *p)
{
    static int16_t pcm[5760];
    assert_true(p->len >= 1 && p->len <= PLAY_PACKET_MAX);
    assert_true(p->duration >= 120 && p->duration <= 5760);
    assert_true(p->skip + p->trim <= p->duration);
    assert_true(p->channels == 1 || p->channels == 2);
    assert_true(p->position >= l->end);
    assert_int_equal(p->is_first || l->n_packets > 0, 1);
    if (l->n_packets++ == 0)
        l->end = l->first_at = p->position;
    l->n_firsts += p->is_first;
    if (p->is_first)
        (void)opus_decoder_ctl(decoder, OPUS_RESET_STATE);
    listen_hear(l, NULL, p->position - l->end);
    l->pauses += p->position - l->end;
    int n = opus_decode(decoder, p->data, (opus_int32)p->len, pcm, 5760, 0);
    if (n > 0)
        assert_int_equal(n, p->duration);
    listen_hear(l, n > 0 ? pcm + p->skip : NULL, p->duration - p->skip - p->trim);
    l->end = p->position + p->duration;
    l->skip += p->skip;
    l->trim += p->trim;
}

/* The whole file in pieces of `piece` bytes. Freed by the caller. */
static inline struct listened *listen_from(const void *bytes, size_t len, size_t piece,
                                           uint64_t from)
{
    struct listened *l = calloc(1, sizeof(*l));
    struct play_reader *r = play_reader_new(from);
    OpusDecoder *decoder = opus_decoder_create(PLAY_RATE, 1, NULL);
    struct play_packet p;
    size_t at = 0;
    while (!(l->result = play_reader_poll(r, &p)) || l->result == PLAY_READER_HUNGRY) {
        if (!l->result) {
            listen_packet(l, decoder, &p);
            continue;
        }
        size_t n = len - at < piece ? len - at : piece;
        /* of its own, so that a byte too far is seen */
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, (const uint8_t *)bytes + at, n);
        if (n)
            assert_int_equal(play_reader_push(r, copy, n), 0);
        else
            play_reader_end(r);
        free(copy);
        at += n;
    }
    assert_int_equal(play_reader_poll(r, &p), l->result);
    l->info = *play_reader_info(r);
    (void)snprintf(l->error, sizeof(l->error), "%s", play_reader_error(r));
    opus_decoder_destroy(decoder);
    play_reader_free(r);
    return l;
}

static inline struct listened *listen_to(const void *bytes, size_t len)
{
    return listen_from(bytes, len, 4096, 0);
}

/* A file of tests/data/play. Freed by the caller. */
static inline uint8_t *listen_load(const char *name, size_t *ret_len)
{
    char path[512];
    uint8_t *bytes = malloc(1 << 20);
    (void)snprintf(path, sizeof(path), "%s/play/%s", DUET_TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *ret_len = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static inline struct listened *listen_to_file(const char *name)
{
    size_t len;
    uint8_t *bytes = listen_load(name, &len);
    struct listened *l = listen_to(bytes, len);
    free(bytes);
    return l;
}

/* The share of the power of the heard samples from..to that is a tone of that many Hz. */
static inline double listen_share(const struct listened *l, size_t from, size_t to, double hz)
{
    double re = 0, im = 0, all = 1;
    assert_true(to <= l->n && from < to);
    for (size_t i = from; i < to; i++) {
        double angle = 2 * M_PI * hz * (double)i / PLAY_RATE, x = l->pcm[i];
        re += x * cos(angle);
        im += x * sin(angle);
        all += x * x;
    }
    return 2 * (re * re + im * im) / ((double)(to - from) * all);
}

/* Two whole tellings of the same file are the same. */
static inline void assert_same(const struct listened *a, const struct listened *b)
{
    assert_int_equal(a->result, b->result);
    assert_string_equal(a->error, b->error);
    assert_int_equal(a->n_packets, b->n_packets);
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->pcm, b->pcm, a->n * sizeof(a->pcm[0]));
    assert_memory_equal(&a->info, &b->info, sizeof(a->info));
}

#endif
