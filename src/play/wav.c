/*
 * WAV: RIFF, a list of chunks, of which two matter.
 *
 *     RIFF … WAVE │ fmt : what the samples are │ LIST, fact, … gone over │ data: the samples │ …
 *
 * Who writes to a pipe knows no lengths and puts 0 or 0xffffffff: then the samples go on to the end
 * of the file. Files beyond 4 GB are called RF64 and have the length in a chunk of its own.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "play/encoder.h"
#include "play/format.h"

enum state { WAV_HEAD, WAV_CHUNKS, WAV_DATA, WAV_TAIL };

/* WAVEFORMATEX, and the codec of WAVEFORMATEXTENSIBLE behind it. */
#define FMT_LEN            16
#define FMT_EXTENSIBLE_LEN 40
#define FMT_MAX            1024
#define SUB_FORMAT_AT      24

enum codec {
    CODEC_PCM = 1,
    CODEC_FLOAT = 3,
    CODEC_ALAW = 6,
    CODEC_ULAW = 7,
    CODEC_EXTENSIBLE = 0xfffe,
};

#define LEN_UNKNOWN UINT64_MAX

/* Samples that are made floats at a time. */
#define BLOCK 512

typedef float (*sample_fn)(const uint8_t *p);

struct wav {
    enum state state;
    uint64_t ds64; /* length of the data as RF64 has it; 0 = not told */
    uint32_t rate; /* Hz */
    unsigned channels, sample_len;
    sample_fn sample;             /* NULL = no fmt yet */
    uint64_t left;                /* of the data [bytes]; LEN_UNKNOWN = to the end of the file */
    uint64_t n;                   /* samples of each channel so far */
    uint64_t total;               /* of them in ticks; valid in WAV_TAIL */
    uint64_t position;            /* of the next packet */
    struct play_encoder *encoder; /* owned; from the beginning of the data on */
};

static bool wav_is(const uint8_t *head)
{
    return (memcmp(head, "RIFF", 4) == 0 || memcmp(head, "RF64", 4) == 0) &&
           memcmp(head + 8, "WAVE", 4) == 0;
}

static void *wav_new(void)
{
    return mem_zalloc(sizeof(struct wav));
}

static void wav_free(void *format)
{
    struct wav *w = format;
    play_encoder_free(w->encoder);
    mem_free(w);
}

/* --- samples: little endian --- */

static uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static unsigned get_le16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static float from_u8(const uint8_t *p)
{
    return (float)(p[0] - 128) / 128;
}

static float from_s16(const uint8_t *p)
{
    return (float)(int16_t)get_le16(p) / 32768;
}

static float from_s24(const uint8_t *p)
{
    return (float)((int32_t)((uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 24)) /
           2147483648.0F;
}

static float from_s32(const uint8_t *p)
{
    return (float)(int32_t)get_le32(p) / 2147483648.0F;
}

static float from_float(const uint8_t *p)
{
    uint32_t bits = get_le32(p);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static float from_double(const uint8_t *p)
{
    uint64_t bits = (uint64_t)get_le32(p + 4) << 32 | get_le32(p);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return (float)(value > 1 ? 1 : value < -1 ? -1 : value);
}

/* ITU-T G.711: sign, three bits of exponent, four of mantissa. */
static float from_alaw(const uint8_t *p)
{
    unsigned v = p[0] ^ 0x55U, exponent = v >> 4 & 7;
    int size = (int)((v & 15) << 4) + 8;
    if (exponent)
        size = (size + 256) << (exponent - 1);
    return (float)(v & 0x80 ? size : -size) / 32768;
}

static float from_ulaw(const uint8_t *p)
{
    unsigned v = ~(unsigned)p[0] & 0xff;
    int size = (int)((((v & 15) << 3) + 132) << (v >> 4 & 7)) - 132;
    return (float)(v & 0x80 ? -size : size) / 32768;
}

static const struct {
    enum codec codec;
    unsigned bits;
    sample_fn sample;
} sample_formats[] = {
    {CODEC_PCM, 8, from_u8},    {CODEC_PCM, 16, from_s16},     {CODEC_PCM, 24, from_s24},
    {CODEC_PCM, 32, from_s32},  {CODEC_FLOAT, 32, from_float}, {CODEC_FLOAT, 64, from_double},
    {CODEC_ALAW, 8, from_alaw}, {CODEC_ULAW, 8, from_ulaw},
};

/* --- chunks --- */

static int read_fmt(struct wav *w, struct play_file *file, const uint8_t *p, size_t len)
{
    unsigned codec = get_le16(p), channels = get_le16(p + 2), align = get_le16(p + 12);
    unsigned bits = get_le16(p + 14);
    uint32_t rate = get_le32(p + 4);
    if (codec == CODEC_EXTENSIBLE && len >= FMT_EXTENSIBLE_LEN)
        codec = get_le16(p + SUB_FORMAT_AT);
    if (channels < 1 || channels > 2)
        return play_fail(file, PLAY_READER_E_UNSUPPORTED,
                         "%u channels: only mono and stereo can be played", channels);
    if (rate < PLAY_ENCODER_RATE_MIN || rate > PLAY_ENCODER_RATE_MAX)
        return play_fail(file, PLAY_READER_E_UNSUPPORTED,
                         "%u samples a second: only %u to %u can be played", rate,
                         PLAY_ENCODER_RATE_MIN, PLAY_ENCODER_RATE_MAX);
    w->sample = NULL;
    for (size_t i = 0; i < ARRAY_LEN(sample_formats); i++)
        if (sample_formats[i].codec == codec && sample_formats[i].bits == bits)
            w->sample = sample_formats[i].sample;
    if (!w->sample)
        return play_fail(file, PLAY_READER_E_UNSUPPORTED,
                         "WAV with samples of codec %u and %u bits: only PCM, float, A-law and "
                         "u-law can be played",
                         codec, bits);
    if (align != channels * bits / 8)
        return play_fail(file, PLAY_READER_E_BROKEN, "its format contradicts itself");
    w->channels = channels;
    w->rate = rate;
    w->sample_len = bits / 8;
    return 0;
}

/* [ticks] of samples. */
static uint64_t ticks(const struct wav *w, uint64_t n)
{
    return n / w->rate * PLAY_RATE + (n % w->rate * PLAY_RATE + w->rate / 2) / w->rate;
}

static int begin_data(struct wav *w, struct play_file *file, uint32_t len)
{
    if (!w->sample)
        return play_fail(file, PLAY_READER_E_BROKEN, "its samples come before their format");
    w->encoder = play_encoder_new(w->rate, w->channels);
    if (!w->encoder)
        return -ENOMEM;
    w->left = len == 0 || len == UINT32_MAX ? LEN_UNKNOWN : len;
    if (len == UINT32_MAX && w->ds64)
        w->left = w->ds64;
    if (w->left != LEN_UNKNOWN)
        file->info.duration = ticks(w, w->left / (w->sample_len * w->channels));
    file->info.format = PLAY_WAV;
    file->info.channels = (uint8_t)w->channels;
    file->info.pre_skip = play_encoder_pre_skip(w->encoder);
    w->state = WAV_DATA;
    return 0;
}

/* @return 0, HUNGRY, or what is wrong */
static int next_chunk(struct wav *w, struct play_file *file)
{
    const uint8_t *head = play_input_peek(&file->in, 8);
    if (!head)
        return PLAY_READER_HUNGRY;
    uint32_t len = get_le32(head + 4);
    bool is_fmt = memcmp(head, "fmt ", 4) == 0, is_ds64 = memcmp(head, "ds64", 4) == 0;
    if (memcmp(head, "data", 4) == 0) {
        play_input_skip(&file->in, 8);
        return begin_data(w, file, len);
    }
    if (is_fmt && (len < FMT_LEN || len > FMT_MAX))
        return play_fail(file, PLAY_READER_E_BROKEN, "its format is of %u bytes", len);
    if (is_fmt || (is_ds64 && len >= FMT_LEN)) {
        size_t need = 8 + (is_fmt ? (size_t)len : FMT_LEN);
        const uint8_t *p = play_input_peek(&file->in, need);
        if (!p)
            return PLAY_READER_HUNGRY;
        if (is_ds64) /* behind the length of the whole */
            w->ds64 = (uint64_t)get_le32(p + 20) << 32 | get_le32(p + 16);
        int err = is_fmt ? read_fmt(w, file, p + 8, len) : 0;
        if (err)
            return err;
    }
    play_input_skip(&file->in, 8 + (uint64_t)len + (len & 1)); /* chunks begin at even bytes */
    return 0;
}

/* --- data --- */

/* As many samples as there are, up to a full packet. @return 0, HUNGRY; WAV_TAIL was entered */
static int take_samples(struct wav *w, struct play_file *file)
{
    float pcm[2 * BLOCK];
    size_t step = w->sample_len * w->channels;
    while (!play_encoder_is_full(w->encoder)) {
        uint64_t there = file->in.len < w->left ? file->in.len : w->left;
        size_t n = there / step < BLOCK ? (size_t)there / step : BLOCK;
        if (n == 0 && w->left >= step && !file->in.is_end)
            return PLAY_READER_HUNGRY;
        if (n == 0) {
            w->state = WAV_TAIL;
            file->info.is_cut = w->left >= step && w->left != LEN_UNKNOWN;
            w->total = ticks(w, w->n);
            return 0;
        }
        const uint8_t *p = play_input_peek(&file->in, n * step);
        for (size_t i = 0; i < n * w->channels; i++)
            pcm[i] = w->sample(p + i * w->sample_len);
        n = play_encoder_put(w->encoder, pcm, n);
        play_input_skip(&file->in, n * step);
        w->left -= w->left == LEN_UNKNOWN ? 0 : n * step;
        w->n += n;
    }
    return 0;
}

/* Silence behind the last sample, until it is out of a decoder. @return 0, OVER */
static int take_tail(struct wav *w, const struct play_file *file)
{
    if (w->total == 0 || w->position >= w->total + file->info.pre_skip)
        return PLAY_READER_OVER;
    while (!play_encoder_is_full(w->encoder))
        (void)!play_encoder_put(w->encoder, NULL, BLOCK);
    return 0;
}

static void give(struct wav *w, const struct play_file *file, struct play_packet *ret)
{
    const uint64_t skip = file->info.pre_skip, end = w->total + skip;
    *ret = (struct play_packet){.position = w->position, .is_first = w->position == 0};
    if (w->position + PLAY_RATE / 50 <= file->from) {
        play_encoder_drop(w->encoder);
        ret->duration = PLAY_RATE / 50;
    } else {
        play_encoder_take(w->encoder, ret);
    }
    ret->skip = w->position ? 0 : (uint32_t)skip; /* less than a packet */
    w->position += ret->duration;
    if (w->state == WAV_TAIL && w->position > end)
        ret->trim = (uint32_t)(w->position - end);
}

static int wav_poll(void *format, struct play_file *file, struct play_packet *ret)
{
    struct wav *w = format;
    int err = 0;
    if (w->state == WAV_HEAD) {
        play_input_skip(&file->in, PLAY_MAGIC_LEN);
        w->state = WAV_CHUNKS;
    }
    while (w->state == WAV_CHUNKS && !err)
        err = next_chunk(w, file);
    if (!err && w->state == WAV_DATA)
        err = take_samples(w, file);
    if (!err && w->state == WAV_TAIL)
        err = take_tail(w, file);
    if (!err)
        give(w, file, ret);
    else if (err == PLAY_READER_HUNGRY && file->in.is_end)
        return PLAY_READER_OVER; /* within the chunks before the data */
    return err;
}

const struct play_format_ops play_wav = {wav_is, wav_new, wav_free, wav_poll};
