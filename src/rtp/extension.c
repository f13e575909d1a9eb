/* Header extension elements. Reading and renumbering use one cursor, so that both agree on what
 * an element is and where a malformed block ends. */
#include "rtp/extension.h"

#include <string.h>

static bool is_two_byte(uint16_t profile)
{
    return (profile & RTP_EXTENSION_TWO_BYTE_MASK) == RTP_EXTENSION_TWO_BYTE;
}

static bool is_known(const struct rtp_packet *packet)
{
    return packet->has_extension && (packet->extension_profile == RTP_EXTENSION_ONE_BYTE ||
                                     is_two_byte(packet->extension_profile));
}

struct rtp_extension_iter rtp_extensions(const uint8_t *data, const struct rtp_packet *packet)
{
    const uint8_t *start = data + packet->extension_offset;
    return (struct rtp_extension_iter){
        .p = start,
        .end = is_known(packet) ? start + packet->extension_len : start,
        .two_byte = is_two_byte(packet->extension_profile),
    };
}

/* RFC 8285 §4.2: an ID of 0 with a length, and ID 15, end the processing of the block. */
static bool next_one_byte(struct rtp_extension_iter *it, struct rtp_extension *ret)
{
    uint8_t id = it->p[0] >> 4;
    uint8_t len = (uint8_t)((it->p[0] & 0x0f) + 1);
    if (id == 0 || id > RTP_EXTENSION_ONE_BYTE_MAX_ID || it->end - it->p < 1 + len)
        return false;
    *ret = (struct rtp_extension){.id = id, .len = len, .data = it->p + 1};
    return true;
}

static bool next_two_byte(struct rtp_extension_iter *it, struct rtp_extension *ret)
{
    if (it->end - it->p < 2 || it->end - it->p < 2 + it->p[1])
        return false;
    *ret = (struct rtp_extension){.id = it->p[0], .len = it->p[1], .data = it->p + 2};
    return true;
}

bool rtp_extension_next(struct rtp_extension_iter *it, struct rtp_extension *ret)
{
    while (it->p < it->end && it->p[0] == 0)
        it->p++;
    if (it->p == it->end)
        return false;
    if (!(it->two_byte ? next_two_byte(it, ret) : next_one_byte(it, ret))) {
        it->end = it->p;
        return false;
    }
    it->p = ret->data + ret->len;
    return true;
}

bool rtp_extension_find(const uint8_t *data, const struct rtp_packet *packet, uint8_t id,
                        struct rtp_extension *ret)
{
    struct rtp_extension_iter it = rtp_extensions(data, packet);
    for (struct rtp_extension e; rtp_extension_next(&it, &e);) {
        if (e.id == id) {
            *ret = e;
            return true;
        }
    }
    return false;
}

unsigned rtp_extensions_translate(uint8_t *data, struct rtp_packet *packet, const uint8_t map[256])
{
    if (!packet->has_extension)
        return 0;
    if (!is_known(packet)) {
        packet->extension_profile = RTP_EXTENSION_ONE_BYTE;
        put_be16(data + packet->extension_offset - 4, RTP_EXTENSION_ONE_BYTE);
        memset(data + packet->extension_offset, 0, packet->extension_len);
        return 0;
    }

    unsigned n = 0;
    struct rtp_extension_iter it = rtp_extensions(data, packet);
    for (struct rtp_extension e; rtp_extension_next(&it, &e);) {
        /* The iterator is for readers; the bytes are the caller's and may be written. */
        uint8_t *element = data + (e.data - data) - (it.two_byte ? 2 : 1);
        uint8_t id = map[e.id];
        if (id == 0 || (!it.two_byte && id > RTP_EXTENSION_ONE_BYTE_MAX_ID)) {
            memset(element, 0, (size_t)(e.data + e.len - element));
            continue;
        }
        element[0] = (uint8_t)(it.two_byte ? id : id << 4 | (element[0] & 0x0f));
        n++;
    }
    uint8_t *end = data + packet->extension_offset + packet->extension_len;
    uint8_t *rest = data + (it.p - data);
    memset(rest, 0, (size_t)(end - rest));
    return n;
}

bool rtp_audio_level_read(const uint8_t *data, const struct rtp_packet *packet, uint8_t id,
                          struct rtp_audio_level *ret)
{
    struct rtp_extension e;
    if (!rtp_extension_find(data, packet, id, &e) || e.len == 0)
        return false;
    ret->voice = e.data[0] >> 7;
    ret->level_db = e.data[0] & 0x7f;
    return true;
}
