/* 20 ms of each leg, interleaved, through libopus into the recorder's own Ogg writer. */
#include "mix/mix.h"

#include <assert.h>
#include <errno.h>
#include <opus/opus.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "file/ogg_opus.h"
#include "file/opus.h"

#define FRAME      960
#define PACKET_MAX 4000

/* RFC 7587 §3.1.1: 64-128 kbit/s for stereo music; two voices that seldom talk at once need less.
 */
#define BITRATE 64000

/* Of ten. An hour of two voices takes 21 s of a core, 14 of them to encode; with ten these are 19,
 * and nothing is better to hear. */
#define COMPLEXITY 5

struct mix {
    struct mix_leg *const *legs; /* borrowed */
    uint64_t early[2];           /* silence before each [samples] */
    bool is_over[2];
    uint64_t position; /* of the next frame */
    uint64_t total;    /* end of the last sample of any leg */
    OpusEncoder *encoder;
    struct file_ogg_opus ogg;
    float frame[2 * FRAME];
};

bool mix_is_aligned(struct mix_leg *const legs[2])
{
    return mix_leg_began(legs[0]) > 0 && mix_leg_began(legs[1]) > 0;
}

/* @return 0 or MIX_E_APART */
static int align(struct mix *m)
{
    if (!mix_is_aligned(m->legs))
        return 0;
    int64_t left = mix_leg_began(m->legs[0]), right = mix_leg_began(m->legs[1]);
    uint64_t apart_us = (uint64_t)(left < right ? right - left : left - right);
    if (apart_us > MIX_LENGTH_MAX / PLAY_RATE * US_PER_S)
        return MIX_E_APART;
    m->early[left < right] = apart_us * (PLAY_RATE / 1000) / US_PER_MS;
    return 0;
}

static int64_t began(const struct mix *m)
{
    int64_t left = mix_leg_began(m->legs[0]), right = mix_leg_began(m->legs[1]);
    if (!mix_is_aligned(m->legs))
        return left > 0 ? left : right > 0 ? right : 0;
    return left < right ? left : right;
}

static int begin(struct mix *m, int fd, uint32_t serial)
{
    opus_int32 look_ahead = 0;
    m->encoder = mem_alloc((size_t)opus_encoder_get_size(2));
    if (!m->encoder)
        return -ENOMEM;
    int err = opus_encoder_init(m->encoder, PLAY_RATE, 2, OPUS_APPLICATION_AUDIO);
    assert(!err);
    (void)opus_encoder_ctl(m->encoder, OPUS_SET_BITRATE(BITRATE));
    (void)opus_encoder_ctl(m->encoder, OPUS_SET_COMPLEXITY(COMPLEXITY));
    (void)opus_encoder_ctl(m->encoder, OPUS_GET_LOOKAHEAD(&look_ahead));
    assert(look_ahead == FILE_OPUS_PRE_SKIP); /* what the file's head says */
    return file_ogg_opus_begin(&m->ogg, fd, serial, began(m));
}

static void interleave(struct mix *m, unsigned side, size_t at, const float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        m->frame[2 * (at + i) + side] = pcm[i];
}

/* One leg into the frame. */
static int take_leg(struct mix *m, unsigned side)
{
    float pcm[FRAME];
    size_t hushed = m->early[side] < FRAME ? (size_t)m->early[side] : FRAME, n;
    m->early[side] -= hushed;
    if (m->is_over[side] || hushed == FRAME)
        return 0;
    int err = mix_leg_read(m->legs[side], pcm, FRAME - hushed, &n);
    if (err)
        return err;
    interleave(m, side, hushed, pcm, n);
    m->is_over[side] = n < FRAME - hushed;
    if (n && m->position + hushed + n > m->total)
        m->total = m->position + hushed + n;
    return 0;
}

static int take_legs(struct mix *m, unsigned *ret_broken)
{
    memset(m->frame, 0, sizeof(m->frame));
    for (unsigned side = 0; side < 2; side++) {
        int err = take_leg(m, side);
        if (err) {
            *ret_broken = side;
            return err;
        }
    }
    return 0;
}

static int put_frame(struct mix *m)
{
    uint8_t packet[PACKET_MAX];
    opus_int32 len = opus_encode_float(m->encoder, m->frame, FRAME, packet, sizeof(packet));
    assert(len > 0);
    m->position += FRAME;
    return file_ogg_opus_put(&m->ogg, packet, (size_t)len, FRAME);
}

/* The last sample comes out of a decoder as late as the first one. */
static bool is_whole(const struct mix *m)
{
    return m->is_over[0] && m->is_over[1] && m->position >= m->total + FILE_OPUS_PRE_SKIP;
}

static int mix_all(struct mix *m, const volatile sig_atomic_t *is_stopping, unsigned *ret_broken)
{
    while (!is_whole(m)) {
        if (*is_stopping)
            return MIX_E_STOPPED;
        if (m->position > MIX_LENGTH_MAX)
            return MIX_E_LONG;
        int err = take_legs(m, ret_broken);
        if (!err)
            err = put_frame(m);
        if (err)
            return err;
    }
    return file_ogg_opus_end(&m->ogg, m->total + FILE_OPUS_PRE_SKIP);
}

int mix_run(struct mix_leg *const legs[2], int fd, uint32_t serial,
            const volatile sig_atomic_t *is_stopping, unsigned *ret_broken)
{
    struct mix m = {.legs = legs};
    *ret_broken = 2;
    int err = align(&m);
    if (!err)
        err = begin(&m, fd, serial);
    if (!err)
        err = mix_all(&m, is_stopping, ret_broken);
    file_ogg_opus_deinit(&m.ogg);
    mem_free(m.encoder);
    return err;
}
