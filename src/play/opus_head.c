/* Nineteen bytes, and a table behind them where it is more than mono or stereo. */
#include "play/opus_head.h"

#include <string.h>

#define HEAD_LEN 19

/* RFC 7845 §5.1.1: family 1 has a table, in which one and two channels are one stream, too. */
#define FAMILY_RTP    0
#define FAMILY_VORBIS 1

static uint16_t get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

int play_opus_head_parse(struct play_file *file, const uint8_t *data, size_t len)
{
    struct play_info *info = &file->info;
    if (len < HEAD_LEN || memcmp(data, "OpusHead", 8) != 0)
        return play_fail(file, PLAY_READER_E_BROKEN, "its header of Opus is broken");
    /* "implementations SHOULD treat any stream with a version of 15 or less as compatible" */
    if (data[8] > 15)
        return play_fail(file, PLAY_READER_E_UNSUPPORTED, "Opus of a version that is not known: %u",
                         data[8]);
    unsigned channels = data[9], family = data[18];
    bool is_single = family == FAMILY_RTP || (family == FAMILY_VORBIS && len > 19 && data[19] == 1);
    if (channels < 1 || channels > 2 || !is_single)
        return play_fail(file, PLAY_READER_E_UNSUPPORTED,
                         "%u channels of family %u: only mono and stereo can be played", channels,
                         family);
    info->channels = (uint8_t)channels;
    info->pre_skip = get_le16(data + 10);
    info->gain_q8 = (int16_t)get_le16(data + 16);
    return 0;
}
