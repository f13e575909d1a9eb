/**
 * The endpoint that is a WebRTC peer.
 */
#ifndef RELAY_WEBRTC_H
#define RELAY_WEBRTC_H

#include "peer/peer.h"
#include "relay/fan.h"

/** Aligned to a cache line. The peer's own verbs are for everything but RTP and time. */
struct relay_webrtc {
    struct relay_endpoint endpoint;
    struct peer peer;
};

/** @return as peer_init; on failure there is nothing to deinit */
MUST_CHECK int relay_webrtc_init(struct relay_webrtc *w, mono_us now,
                                 const struct peer_params *params, const struct peer_local *local,
                                 const struct peer_env *env);

/** A later offer of it: peer_renegotiate, and media is mapped accordingly. @return as that one */
MUST_CHECK int relay_webrtc_renegotiate(struct relay_webrtc *w, mono_us now,
                                        const struct peer_params *params, struct str ufrag,
                                        struct str pwd);

/** Disconnects it first. */
void relay_webrtc_deinit(struct relay_webrtc *w);

/** peer_timeout, told what the lines of those who hear the peer lose. */
void relay_webrtc_timeout(struct relay_webrtc *w, mono_us now);

/**
 * Packet path: one RTP datagram from the peer, to be sent on.
 *
 * @param d    as received; see relay_fan_start
 * @param ret  on 0: go on with relay_fan_next
 *
 * @return 0, or a PEER_E_ or RELAY_E_ code: drop and count. A packet that is dropped here has
 *         still been counted as received by the peer where it was authentic.
 */
MUST_CHECK int relay_webrtc_receive(struct relay_webrtc *w, mono_us now, struct dgram *d,
                                    struct relay_fan *ret);

/**
 * Packet path: what a packet from this peer will read, into the cache. The first sink is taken for
 * a peer; for another kind the prefetch is for nothing, which harms nobody.
 */
static inline void relay_webrtc_prefetch(const struct relay_webrtc *w)
{
    const struct list *first = w->endpoint.sinks.next;
    rtpsec_prefetch(&w->peer.rx.d);
    if (first == &w->endpoint.sinks)
        return;
    const struct relay_webrtc *sink =
        (const struct relay_webrtc *)(const void *)((const char *)first -
                                                    offsetof(struct relay_webrtc,
                                                             endpoint.siblings));
    __builtin_prefetch(&sink->endpoint.translator, 1);
    __builtin_prefetch(sink->endpoint.codecs);
    rtpsec_prefetch(&sink->peer.tx.d);
}

#endif
