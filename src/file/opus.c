/* Durations from the TOC byte, and packets that ask a decoder to conceal: see the header. */
#include "file/opus.h"

#include <stdbool.h>
#include <string.h>

/* Bit s of the TOC. */
#define TOC_STEREO 0x04

/* RFC 6716 §3.1, table 2: sixteen SILK and hybrid configurations, sixteen of CELT. */
static const uint16_t frame_ticks[32] = {
    480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 480, 960,
    120, 240, 480,  960,  120, 240, 480,  960,  120, 240, 480,  960,  120, 240, 480, 960,
};

/* First configuration of hybrid and of CELT; fullband CELT, 2.5 ms. */
#define CONFIG_HYBRID  12
#define CONFIG_CELT    16
#define CONFIG_CELT_FB 28

/* Code 3: the frame count byte, |v|p|     M     |. */
static unsigned n_frames(const uint8_t *data, size_t len)
{
    switch (data[0] & 3) {
    case 0:
        return 1;
    case 1:
    case 2:
        return 2;
    default:
        return len < 2 ? 0 : data[1] & 0x3f;
    }
}

uint32_t file_opus_duration(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    uint32_t ticks = frame_ticks[data[0] >> 3] * n_frames(data, len);
    return ticks <= FILE_OPUS_MAX_DURATION ? ticks : 0;
}

/* The configuration of the same mode and bandwidth whose frames last 10 or 20 ms. */
static unsigned same_mode(unsigned config, bool is_20_ms)
{
    if (config >= CONFIG_CELT)
        return (config & ~3U) + (is_20_ms ? 3 : 2);
    if (config >= CONFIG_HYBRID)
        return (config & ~1U) + (is_20_ms ? 1 : 0);
    return (config & ~3U) + (is_20_ms ? 1 : 0);
}

/* Below 10 ms there is only CELT (RFC 7845 §4.1 has the same remainder). */
static unsigned config_for(unsigned before, uint64_t gap)
{
    if (gap >= 480)
        return same_mode(before, gap >= 960);
    unsigned celt = before >= CONFIG_CELT ? before & ~3U : CONFIG_CELT_FB;
    return celt + (gap >= 240 ? 1 : 0);
}

uint32_t file_opus_conceal(uint8_t before, uint64_t gap, uint8_t *ret)
{
    if (gap < FILE_OPUS_GRAIN)
        return 0;
    unsigned config = config_for(before >> 3, gap);
    *ret = (uint8_t)(config << 3 | (before & TOC_STEREO));
    return frame_ticks[config];
}

void file_opus_silence(uint8_t before, uint8_t ret[FILE_OPUS_SILENCE_LEN])
{
    /* RFC 6716 §4.3: the first symbol of CELT is the silence flag; all ones set it. */
    ret[0] = (uint8_t)((CONFIG_CELT_FB + 3) << 3 | (before & TOC_STEREO));
    ret[1] = 0xff;
    ret[2] = 0xfe;
}

void file_opus_head(uint8_t ret[FILE_OPUS_HEAD_LEN])
{
    /* magic, version 1, 2 channels; little endian: pre-skip, input rate, gain 0; family 0 */
    static const uint8_t head[FILE_OPUS_HEAD_LEN] = {
        'O',
        'p',
        'u',
        's',
        'H',
        'e',
        'a',
        'd',
        1,
        2,
        FILE_OPUS_PRE_SKIP & 0xff,
        FILE_OPUS_PRE_SKIP >> 8,
        0x80,
        0xbb,
        0,
        0,
        0,
        0,
        0,
    };
    memcpy(ret, head, sizeof(head));
}
