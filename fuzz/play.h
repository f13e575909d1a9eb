/* What the three targets of media files share: whatever the bytes, however they are split, and
 * wherever one begins to listen, the packets keep the promises of play/reader.h, and both splits
 * give the same ones. */
#ifndef FUZZ_PLAY_H
#define FUZZ_PLAY_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "play/reader.h"

struct play_told {
    int result;
    unsigned n_packets;
    uint64_t from, end, sum, duration;
};

static inline void play_check(const struct play_packet *p, struct play_told *told)
{
    assert(p->data && p->len >= 1 && p->len <= PLAY_PACKET_MAX);
    assert(p->duration >= 120 && p->duration <= 5760 && p->duration % 120 == 0);
    assert(p->skip + p->trim <= p->duration);
    assert(p->channels == 1 || p->channels == 2);
    if (told->n_packets || !told->from)
        assert(p->position >= told->end && p->position - told->end <= PLAY_PAUSE_MAX);
    assert(told->n_packets || (p->is_first && (told->from || p->position == 0)));
    assert(p->position + p->duration > told->from);
    for (size_t i = 0; i < p->len; i++)
        told->sum = told->sum * 31 + p->data[i];
    told->sum += p->position + p->skip + p->trim;
    told->end = p->position + p->duration;
    told->n_packets++;
}

/* @param from  ticks, as in play_reader_new */
static inline struct play_told play_read(const uint8_t *data, size_t size, size_t piece,
                                         uint64_t from)
{
    struct play_told told = {.from = from};
    struct play_packet p;
    struct play_reader *r = play_reader_new(from);
    while (!(told.result = play_reader_poll(r, &p)) || told.result == PLAY_READER_HUNGRY) {
        size_t n = size < piece ? size : piece;
        if (!told.result)
            play_check(&p, &told);
        else if (n)
            assert(play_reader_push(r, data, n) == 0);
        else
            play_reader_end(r);
        if (told.result) {
            data += n;
            size -= n;
        }
    }
    assert(told.result > 0 && play_reader_poll(r, &p) == told.result);
    assert((told.result == PLAY_READER_OVER) == !*play_reader_error(r));
    assert(told.result != PLAY_READER_OVER || told.n_packets || from);
    assert(told.result != PLAY_READER_E_UNSUPPORTED || !told.n_packets);
    told.duration = told.result == PLAY_READER_OVER ? play_reader_info(r)->duration : 0;
    play_reader_free(r);
    return told;
}

static inline void play_read_twice(const uint8_t *data, size_t size)
{
    struct play_told a = play_read(data, size, PLAY_READER_PUSH_MAX, 0);
    struct play_told b = play_read(data, size, 13, 0);
    assert(memcmp(&a, &b, sizeof(a)) == 0);
    b = play_read(data, size, PLAY_READER_PUSH_MAX, a.end / 2);
    assert(a.result == b.result && a.duration == b.duration);
    b = play_read(data, size, PLAY_READER_PUSH_MAX, UINT64_MAX); /* to measure it */
    assert(!b.n_packets && a.duration == b.duration);
}

#endif
