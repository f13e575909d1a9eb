/* libopus behind the resampler of Speex: see the header. */
#include "play/encoder.h"

#include <assert.h>
#include <math.h>
#include <opus/opus.h>
#include <speex/speex_resampler.h>
#include <string.h>

#include "base/mem.h"

/* 20 ms, in ticks and at most in samples. */
#define FRAME 960

/* RFC 7587 §3.1.1: 28-40 kbit/s for full-band speech, 48-64 for mono and 64-128 for stereo music.
 * An announcement may be either. */
#define BITRATE_MONO   48000
#define BITRATE_STEREO 96000

/* A packet at these rates stays well below it, and below an MTU. */
#define PACKET_MAX 1000

/* One of ten: half the time of the highest, which nobody hears in a telephone. */
#define COMPLEXITY 5

struct play_encoder {
    OpusEncoder *opus;             /* owned */
    SpeexResamplerState *resample; /* owned; NULL = not needed */
    uint32_t rate;                 /* of opus [Hz] */
    unsigned channels;
    unsigned frame_len; /* samples of a packet, at that rate */
    unsigned n;         /* of them, so far */
    uint16_t pre_skip;
    float frame[2 * FRAME];
    uint8_t packet[PACKET_MAX];
};

static uint32_t opus_rate(uint32_t rate)
{
    static const uint32_t rates[] = {8000, 12000, 16000, 24000};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++)
        if (rate <= rates[i])
            return rates[i];
    return PLAY_RATE;
}

static bool make_resampler(struct play_encoder *e, uint32_t rate)
{
    int err;
    if (rate == e->rate)
        return true;
    e->resample =
        speex_resampler_init(e->channels, rate, e->rate, SPEEX_RESAMPLER_QUALITY_DESKTOP, &err);
    return e->resample && !speex_resampler_skip_zeros(e->resample);
}

static bool make_encoder(struct play_encoder *e)
{
    opus_int32 look_ahead = 0;
    e->opus = mem_alloc((size_t)opus_encoder_get_size((int)e->channels));
    if (!e->opus)
        return false;
    int err =
        opus_encoder_init(e->opus, (opus_int32)e->rate, (int)e->channels, OPUS_APPLICATION_AUDIO);
    assert(!err);
    (void)opus_encoder_ctl(e->opus,
                           OPUS_SET_BITRATE(e->channels == 1 ? BITRATE_MONO : BITRATE_STEREO));
    (void)opus_encoder_ctl(e->opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
    (void)opus_encoder_ctl(e->opus, OPUS_GET_LOOKAHEAD(&look_ahead));
    e->pre_skip = (uint16_t)((uint32_t)look_ahead * (PLAY_RATE / e->rate));
    return true;
}

struct play_encoder *play_encoder_new(uint32_t rate, unsigned channels)
{
    struct play_encoder *e = mem_zalloc(sizeof(*e));
    if (!e)
        return NULL;
    e->rate = opus_rate(rate);
    e->channels = channels;
    e->frame_len = e->rate / (PLAY_RATE / FRAME);
    if (make_encoder(e) && make_resampler(e, rate))
        return e;
    play_encoder_free(e);
    return NULL;
}

void play_encoder_free(struct play_encoder *e)
{
    if (!e)
        return;
    if (e->resample)
        speex_resampler_destroy(e->resample);
    mem_free(e->opus);
    mem_free(e);
}

uint16_t play_encoder_pre_skip(const struct play_encoder *e)
{
    return e->pre_skip;
}

bool play_encoder_is_full(const struct play_encoder *e)
{
    return e->n == e->frame_len;
}

static float cut_off(float x)
{
    if (isnan(x))
        return 0;
    return x > 1 ? 1 : x < -1 ? -1 : x;
}

size_t play_encoder_put(struct play_encoder *e, const float *pcm, size_t n)
{
    static const float silence[2 * FRAME];
    float in[2 * FRAME];
    spx_uint32_t used = n < FRAME ? (spx_uint32_t)n : FRAME, made = e->frame_len - e->n;
    float *out = e->frame + e->n * e->channels;
    if (!e->resample)
        used = made = used < made ? used : made;
    for (size_t i = 0; pcm && i < used * e->channels; i++)
        in[i] = cut_off(pcm[i]);
    if (e->resample)
        (void)speex_resampler_process_interleaved_float(e->resample, pcm ? in : silence, &used, out,
                                                        &made);
    else
        memcpy(out, pcm ? in : silence, used * e->channels * sizeof(float));
    e->n += made;
    return used;
}

void play_encoder_take(struct play_encoder *e, struct play_packet *ret)
{
    assert(play_encoder_is_full(e));
    opus_int32 len = opus_encode_float(e->opus, e->frame, (int)e->n, e->packet, PACKET_MAX);
    assert(len > 0);
    e->n = 0;
    ret->data = e->packet;
    ret->len = (size_t)len;
    ret->duration = FRAME;
    ret->channels = (uint8_t)e->channels;
}

void play_encoder_drop(struct play_encoder *e)
{
    e->n = 0;
}
