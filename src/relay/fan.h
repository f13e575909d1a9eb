/**
 * The packet path: one received packet on its way to everyone who hears its source.
 *
 *     received in place ─ relay_fan_start ─▶ relay_fan_next ─▶ a datagram for the first sink
 *                                            relay_fan_next ─▶ … the second
 *                                            relay_fan_next ─▶ … the last, in place
 *
 * The owner provides room for one datagram at a time and sends, or flushes, between two steps: so a
 * thousand sinks need no memory of their own. For the last sink, usually the only one, the packet
 * is rewritten and protected where it was received. A sink that has no RED may take more than one
 * step: lost packets that redundancy brought go before the packet itself (relay/red.h).
 */
#ifndef RELAY_FAN_H
#define RELAY_FAN_H

#include "relay/endpoint.h"

/** A packet on its way; 700 bytes that need no initialising, kept for all packets of a worker.
 *  Fields are private but for `packet`. */
struct relay_fan {
    struct rtp_packet packet; /**< set by who received it, before relay_fan_start */
    struct dgram *d;          /**< as received, plain */
    mono_us now;
    struct list *next, *end; /**< the next sink; where there is none any more */
    unsigned n_given;        /**< recovered packets that the next sink has had */
    struct relay_red_packet red;
};

/** One step. */
struct relay_out {
    int error;       /**< a PEER_E_ or RELAY_E_ code: one sink did not get it. Drop and count */
    struct dgram *d; /**< send it; NULL = there is nothing to be sent */
};

/**
 * @param source  who sent the packet
 * @param d       plain RTP of fan->packet, borrowed until the last step, and changed by it
 *
 * @return 0, or RELAY_E_UNHEARD, RELAY_E_PADDING, PEER_E_MALFORMED: drop and count
 *
 * Numbers in fan->red.recovered are not missing any more, whatever comes of the packets: the owner
 * tells who would ask for them.
 */
MUST_CHECK int relay_fan_start(struct relay_fan *fan, struct relay_endpoint *source, mono_us now,
                               struct dgram *d);

/**
 * The packet for the next sink. No endpoint may be connected, disconnected or released between
 * the steps of a packet.
 *
 * @param spare  `data` with at least DGRAM_MAX + RTPSEC_RTP_OVERHEAD of `cap`
 * @param ret    what came of it; `ret->d` is `spare` or the received datagram
 *
 * @return false = that was all; *ret is untouched
 */
bool relay_fan_next(struct relay_fan *fan, struct dgram *spare, struct relay_out *ret);

#endif
