/**
 * RED (RFC 2198) between a source that sends it and its sinks.
 *
 *     source    RED 63 { 111, 111 }
 *     sink      RED 113 { 109, 109 }   has RED too: payload types of the blocks translated in place
 *               109, 109               has not: what is missing is given back under its own number,
 *                                      then the newest block goes on as a plain packet
 *
 * A packet is taken apart only where a sink needs that, or when something is missing that it may
 * bring: then the source is not asked for it again.
 */
#ifndef RELAY_RED_H
#define RELAY_RED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "rtp/packet.h"
#include "rtp/red.h"

/** What a source's RED looks like, and what came of it. Embedded in its endpoint. */
struct relay_red_source {
    uint8_t pt;         /**< payload type of RED; 0 = this source sends none */
    uint8_t carried_pt; /**< of the blocks in it */
    bool has_ssrc;
    uint32_t ssrc;      /**< whose numbers `recovery` knows */
    unsigned n_openers; /**< sinks that have no RED */
    struct rtp_red_recovery recovery;
};

/** One packet of such a source. */
struct relay_red_packet {
    bool is_red;      /**< `blocks` is valid */
    bool is_repeat;   /**< its own content went out before, from redundancy */
    size_t newest_at; /**< offset of the newest block in the packet; valid when is_red */
    struct rtp_red blocks;
    struct rtp_red_recovered recovered; /**< always valid: n = 0 where there is nothing */
};

void relay_red_source_init(struct relay_red_source *s, uint8_t pt, uint8_t carried_pt);

/**
 * Packet path: a packet of a source that has RED.
 *
 * @param data, packet  plain
 * @param ret           borrows from data
 *
 * @return 0, or PEER_E_MALFORMED: drop and count
 */
MUST_CHECK int relay_red_receive(struct relay_red_source *s, const uint8_t *data,
                                 const struct rtp_packet *packet, struct relay_red_packet *ret);

/**
 * The payload types of the blocks of a RED payload.
 *
 * @return false = not all of them are `pt`, or the headers go past the end
 */
bool relay_red_carries(const uint8_t *payload, size_t len, uint8_t pt);

/** Change them all to `pt`. Of a payload that relay_red_carries approved. */
void relay_red_set_pts(uint8_t *payload, uint8_t pt);

/**
 * Leave nothing but one block of a RED packet, by moving the header towards it.
 *
 * @param d            data, len and cap change
 * @param packet       of it; becomes that of the plain packet but for the payload type
 * @param offset, len  of the block, from the first byte of the packet
 */
void relay_red_open(struct dgram *d, struct rtp_packet *packet, size_t offset, size_t len);

/** Make a plain packet of a block: fixed header and payload. @param d with room for it */
void relay_red_build(struct dgram *d, const struct rtp_red_packet *recovered,
                     struct rtp_packet *ret);

#endif
