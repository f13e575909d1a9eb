/* Framing of RTP packets. Two readers: one that stops at the end of the header, which is all that
 * can be known while the packet is encrypted, and the full one, which knows the padding too. */
#include "rtp/packet.h"

#define EXTENSION_HEADER_LEN 4

int rtp_parse_header_len(const uint8_t *data, size_t len, size_t *ret)
{
    if (len < RTP_HEADER_LEN)
        return RTP_E_TRUNCATED;
    if (data[0] >> 6 != 2)
        return RTP_E_VERSION;
    size_t header_len = RTP_HEADER_LEN + 4 * (size_t)(data[0] & 0x0f);
    if (data[0] & 0x10) {
        if (len < header_len + EXTENSION_HEADER_LEN)
            return RTP_E_TRUNCATED;
        header_len += EXTENSION_HEADER_LEN + 4 * (size_t)get_be16(data + header_len + 2);
    }
    if (len < header_len)
        return RTP_E_TRUNCATED;
    *ret = header_len;
    return 0;
}

int rtp_parse(const uint8_t *data, size_t len, struct rtp_packet *ret)
{
    size_t header_len;
    int err = rtp_parse_header_len(data, len, &header_len);
    if (err)
        return err;

    uint8_t padding_len = 0;
    if (data[0] & 0x20) {
        padding_len = data[len - 1];
        if (padding_len == 0 || padding_len > len - header_len)
            return RTP_E_PADDING;
    }

    uint8_t n_csrc = data[0] & 0x0f;
    bool has_extension = data[0] & 0x10;
    size_t extension = RTP_HEADER_LEN + 4 * (size_t)n_csrc;
    *ret = (struct rtp_packet){
        .marker = data[1] >> 7,
        .pt = data[1] & 0x7f,
        .seq = get_be16(data + 2),
        .timestamp = get_be32(data + 4),
        .ssrc = get_be32(data + 8),
        .n_csrc = n_csrc,
        .padding_len = padding_len,
        .has_extension = has_extension,
        .extension_profile = has_extension ? get_be16(data + extension) : 0,
        .extension_offset = has_extension ? extension + EXTENSION_HEADER_LEN : header_len,
        .extension_len = has_extension ? header_len - extension - EXTENSION_HEADER_LEN : 0,
        .header_len = header_len,
        .payload_len = len - header_len - padding_len,
    };
    return 0;
}
