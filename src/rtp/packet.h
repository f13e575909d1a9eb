/**
 * RTP packets (RFC 3550 §5.1): where the parts are, and changing fixed header fields in place.
 *
 *     0                   1                   2                   3
 *    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *    |                           timestamp                           |
 *    |                             SSRC                              |
 *    |                        CSRC, CC times                         |
 *    |        extension profile      |    extension length (words)   |  when X
 *    |                      extension content                        |
 *    |                            payload                            |
 *    |                                   padding     | padding length|  when P
 *
 * Nothing is copied: offsets count from the first byte of the packet. Parsing knows nothing of
 * payload types; that a type was negotiated is checked by who negotiated it.
 */
#ifndef RTP_PACKET_H
#define RTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"

/** What bad RTP and RTCP bytes are called. Reaction to each: drop and count. */
enum rtp_error {
    RTP_E_TRUNCATED = 1, /**< shorter than its own fields say */
    RTP_E_VERSION,       /**< not RTP version 2 */
    RTP_E_PADDING,       /**< padding of length 0, longer than the packet, or out of place */
    RTP_E_MALFORMED,     /**< fields contradict each other, or not the type that was asked for */
    RTP_E_OLD,           /**< rtp/translate.h: belongs before the current source's first packet */
    RTP_E_JUMP,          /**< rtp/translate.h, rtp/recv_stats.h: far off; maybe a restart */
    RTP_E_PROBATION,     /**< rtp/recv_stats.h: the source has yet to prove itself */
};

/** Fixed header without CSRCs [bytes]. */
#define RTP_HEADER_LEN 12

/** RFC 3550 §5.1: "The CC field contains the number of CSRC identifiers": four bits. */
#define RTP_MAX_CSRC 15

/**
 * RFC 5761 §4: "payload type values in the range 64-95 MUST NOT be used" for RTP, so that the
 * second byte tells RTCP packet types 192-223 from RTP with the marker bit set.
 */
#define RTCP_TYPE_FIRST 192
#define RTCP_TYPE_LAST  223

/** Where the parts of a packet are. All lengths in bytes. */
struct rtp_packet {
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t seq;
    uint8_t pt; /**< 0-127 */
    bool marker;
    uint8_t n_csrc;             /**< they stand at offset 12, four bytes each */
    uint8_t padding_len;        /**< 0 = none, otherwise includes the length byte */
    uint16_t extension_profile; /**< valid when has_extension; 0xBEDE, 0x100x, or private */
    bool has_extension;         /**< an extension header is there, perhaps with empty content */
    size_t extension_offset;    /**< of the content, after profile and length */
    size_t extension_len;       /**< of the content, a multiple of 4 */
    size_t header_len;          /**< with CSRCs and extension; the payload begins here */
    size_t payload_len;         /**< without padding; may be 0 */
};

/**
 * Could this datagram be RTP? (RFC 7983 §7: first byte 128-191; RFC 5761 §4: not RTCP.)
 * Applies to SRTP as well: the fields looked at are never encrypted.
 */
static inline bool rtp_is_rtp(const uint8_t *data, size_t len)
{
    return len >= RTP_HEADER_LEN && data[0] >> 6 == 2 &&
           (data[1] < RTCP_TYPE_FIRST || data[1] > RTCP_TYPE_LAST);
}

/** Could this datagram be RTCP or SRTCP? It is never both this and rtp_is_rtp. */
static inline bool rtp_is_rtcp(const uint8_t *data, size_t len)
{
    return len >= 8 && data[0] >> 6 == 2 && data[1] >= RTCP_TYPE_FIRST && data[1] <= RTCP_TYPE_LAST;
}

/**
 * Length of the header of an RTP or SRTP packet, with CSRCs and extension.
 *
 * Looks at nothing behind the header, so it is right for encrypted packets too.
 *
 * @param ret [bytes] at most len
 *
 * @return 0, RTP_E_TRUNCATED, RTP_E_VERSION
 */
MUST_CHECK int rtp_parse_header_len(const uint8_t *data, size_t len, size_t *ret);

/**
 * Find the parts of a plain RTP packet (RFC 3550 §5.1, with the checks of §A.1).
 *
 * @param data  borrowed for the call
 * @param len   the whole datagram [bytes]
 * @param ret   filled on success only
 *
 * @return 0
 *         RTP_E_TRUNCATED  header, CSRCs or extension go past the end
 *         RTP_E_VERSION    not version 2
 *         RTP_E_PADDING    padding length 0, or more than there is after the header
 *         each: drop and count
 */
MUST_CHECK int rtp_parse(const uint8_t *data, size_t len, struct rtp_packet *ret);

/* In-place changes of the fixed header; data holds at least RTP_HEADER_LEN bytes. */

/** Change the payload type (0-127), keep the marker. */
static inline void rtp_set_pt(uint8_t *data, uint8_t pt)
{
    data[1] = (uint8_t)((data[1] & 0x80) | (pt & 0x7f));
}

/** Change the marker, keep the payload type. */
static inline void rtp_set_marker(uint8_t *data, bool marker)
{
    data[1] = (uint8_t)((data[1] & 0x7f) | (marker ? 0x80 : 0));
}

static inline void rtp_set_seq(uint8_t *data, uint16_t seq)
{
    put_be16(data + 2, seq);
}

static inline void rtp_set_timestamp(uint8_t *data, uint32_t timestamp)
{
    put_be32(data + 4, timestamp);
}

static inline void rtp_set_ssrc(uint8_t *data, uint32_t ssrc)
{
    put_be32(data + 8, ssrc);
}

#endif
