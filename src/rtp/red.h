/**
 * Redundant audio data (RFC 2198), and what it is for: giving back lost packets without asking.
 *
 *    payload   |1| PT  | timestamp offset | length |   a redundant block, 4 bytes each
 *              |0| PT  |                               the primary, 1 byte
 *              | redundant data … | primary data   |   in the order of the headers
 *
 * A relay reads it when one leg sends RED and the other did not negotiate it: the primary goes on
 * as a plain packet, and blocks whose packets never came go out before it under their own numbers.
 * RFC 2198 tells a block's timestamp but not its sequence number; struct rtp_red_recovery
 * works the number out, or says nothing where it cannot be sure.
 */
#ifndef RTP_RED_H
#define RTP_RED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "rtp/packet.h"

/** Blocks of a packet with the primary. Browsers send 2 or 3. */
#define RTP_RED_MAX_BLOCKS 12

/** RFC 2198 §3: "timestamp offset: 14 bits", "block length: 10 bits". */
#define RTP_RED_MAX_OFFSET 0x3fff
#define RTP_RED_MAX_LEN    0x3ff

/** One block. */
struct rtp_red_block {
    uint8_t pt;          /**< 0-127; from outside: check it against what fmtp named */
    uint16_t offset;     /**< before the packet's timestamp [ticks]; 0 in the primary */
    const uint8_t *data; /**< borrowed from the packet */
    size_t len;          /**< bytes, may be 0 */
};

/** A parsed payload: redundant blocks in the order of the packet, the primary last. */
struct rtp_red {
    unsigned n_blocks; /**< 1 … RTP_RED_MAX_BLOCKS */
    struct rtp_red_block blocks[RTP_RED_MAX_BLOCKS];
};

/** The primary block. */
static inline const struct rtp_red_block *rtp_red_primary(const struct rtp_red *red)
{
    return &red->blocks[red->n_blocks - 1];
}

/**
 * Find the blocks of a RED payload; nothing is copied.
 *
 * @param payload, len  without padding
 * @param ret           filled on success only
 *
 * @return 0
 *         RTP_E_TRUNCATED  headers or blocks go past the end
 *         RTP_E_MALFORMED  more than RTP_RED_MAX_BLOCKS
 *         each: drop and count
 */
MUST_CHECK int rtp_red_parse(const uint8_t *payload, size_t len, struct rtp_red *ret);

/** Numbers back that are remembered. A block reaches back 16383 ticks: 17 frames of 20 ms Opus. */
#define RTP_RED_WINDOW 64

/** A step between consecutive packets that is longer is a silence, not a frame: RFC 6716 §2.1.4,
 *  120 ms at most [ticks of 48 kHz]. */
#define RTP_RED_MAX_FRAME 5760

/** A packet that was missing. */
struct rtp_red_packet {
    uint16_t seq;        /**< of the source */
    uint32_t timestamp;  /**< of the source */
    const uint8_t *data; /**< payload, borrowed from the packet that brought it */
    size_t len;          /**< bytes, > 0 */
};

/** What one packet gave back, oldest first. */
struct rtp_red_recovered {
    unsigned n;
    struct rtp_red_packet packets[RTP_RED_MAX_BLOCKS - 1];
};

/**
 * Which numbers of one source came, and how numbers and timestamps hang together. Embedded in its
 * owner, one a source; nothing to release. Fields are private.
 */
struct rtp_red_recovery {
    uint64_t seen;      /**< bit n: number newest - n came or was given back */
    uint32_t newest_ts; /**< timestamp of the newest number */
    uint32_t frame;     /**< ticks from one number to the next; 0 = not known */
    uint32_t step;      /**< the last one that was measured, [ticks] */
    uint16_t newest;    /**< highest number */
    uint16_t line;      /**< numbers back to which timestamps are `frame` apart, saturated */
    uint16_t jump_seq;  /**< number that would confirm a restart further back */
    uint8_t pt;         /**< payload type of blocks that may be given back */
    bool started;       /**< a packet came */
    bool has_jump;      /**< jump_seq is valid */
};

/**
 * @param pt  of the encoding that the RED of this leg carries ("a=fmtp:63 111/111": 111); blocks of
 *            any other type are never given back
 */
void rtp_red_recovery_init(struct rtp_red_recovery *r, uint8_t pt);

/** How far back rtp_red_may_recover looks: further than any block of 10 ms frames that browsers
 *  send [numbers]. */
#define RTP_RED_REACH 16

/**
 * Packet path: may the redundancy of packet `seq` give something back? When nothing near it is
 * missing its blocks need not be parsed.
 */
static inline bool rtp_red_may_recover(const struct rtp_red_recovery *r, uint16_t seq)
{
    const uint64_t near = (UINT64_C(1) << RTP_RED_REACH) - 1;
    return (uint16_t)(seq - r->newest) != 1 || (~r->seen & near) != 0;
}

/**
 * One packet of the source came; call it for every packet of the SSRC, RED or not, in the order of
 * arrival, after the SRTP check.
 *
 * @param seq, timestamp  of its header
 * @param red             its blocks; NULL = not a RED packet
 * @param ret             always set: what was missing and can be given back, before this packet
 *
 * @return 0
 *         RTP_E_OLD  its number came before or was given back from redundancy: do not send it on.
 *                    Its redundancy may still give something back
 *
 * A block is given back when its number is certain: timestamps run evenly from there to this
 * packet, or blocks follow one another without a hole up to this packet, or only one number is
 * missing and the timestamp lies in the gap. A number is given back once. A jump ahead further
 * than RTP_RED_WINDOW starts anew; so do two numbers in sequence that far back.
 */
MUST_CHECK int rtp_red_recover(struct rtp_red_recovery *r, uint16_t seq, uint32_t timestamp,
                               const struct rtp_red *red, struct rtp_red_recovered *ret);

#endif
