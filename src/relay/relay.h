/**
 * Two peers joined: what one sends, the other gets, in its own numbers.
 *
 * The payload is never touched. Payload type, SSRC and header-extension ids become those that the
 * receiving leg negotiated, sequence numbers and timestamps continue whatever happens at the
 * source. RTCP ends and begins at each leg: nothing of it is forwarded.
 *
 * Signaling prepares a sink for each direction; a packet only reads what is prepared.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/time.h"
#include "peer/peer.h"
#include "rtp/translate.h"

#define RELAY_LEGS 2

/** Drop reasons besides enum peer_error; each: drop and count. */
enum relay_error {
    RELAY_E_CODEC = 100, /**< payload type that this leg did not negotiate */
    RELAY_E_OLD,         /**< from before the source changed, or a jump that may be a restart */
};

/** Payload type that is not translated. */
#define RELAY_NO_PT 0xff

/** One direction: what a leg sends, on its way to the other. Prepared by relay_init. */
struct relay_sink {
    struct rtp_translator translator;
    uint8_t pt_map[128];                   /**< by the source's payload type; RELAY_NO_PT = drop */
    uint32_t clock_rates[PEER_MAX_CODECS]; /**< by place of the codec */
    uint8_t codec_of[128];                 /**< place of the codec by the source's payload type */
    uint8_t ext_map[256];                  /**< by the source's extension id; 0 = blank it */
};

/** Owner: the worker, or whoever made it. Aligned to a cache line. */
struct relay {
    struct peer legs[RELAY_LEGS];
    struct relay_sink sinks[RELAY_LEGS]; /**< [i]: from leg i to the other */
};

/**
 * Join two peers.
 *
 * @param params  of both legs, with the same codecs at the same places (negotiate_common)
 *
 * @return as peer_init; on failure there is nothing to deinit
 */
MUST_CHECK int relay_init(struct relay *r, mono_us now,
                          const struct peer_params *const params[RELAY_LEGS],
                          const struct peer_local *const locals[RELAY_LEGS],
                          const struct peer_env *env);

void relay_deinit(struct relay *r);

/**
 * Packet path: one RTP datagram from leg `from`, to be sent on.
 *
 * @param d  in: as received. Out, on 0: protected for the other leg, addressed, ready to send
 *
 * @return 0, or a PEER_E_ or RELAY_E_ code: drop and count. A packet that is dropped here has
 *         still been counted as received by its leg where it was authentic.
 */
MUST_CHECK int relay_forward(struct relay *r, unsigned from, mono_us now, struct dgram *d);

/** When one of the peers' timeouts is due. */
static inline mono_us relay_deadline(const struct relay *r)
{
    return mono_min(peer_deadline(&r->legs[0]), peer_deadline(&r->legs[1]));
}

#endif
