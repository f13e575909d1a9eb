/**
 * What the parts of a peer share: peer.c has its life, ICE and the verbs, handshake.c DTLS, media.c
 * RTP and RTCP.
 */
#ifndef PEER_PEER_PRIVATE_H
#define PEER_PEER_PRIVATE_H

#include "peer/peer.h"

/* --- peer.c --- */

/** Leaving ENDED, or going back, is a bug. */
void peer_set_state(struct peer *p, enum peer_state state);

/** There must be room: PEER_MAX_EVENTS, see peer_drain_ice. */
void peer_push_event(struct peer *p, const struct peer_event *event);

/** ENDED, and told; nothing when it was over. @param dtls  with PEER_END_DTLS_FAILED */
void peer_end(struct peer *p, enum peer_end why, enum dtls_failure dtls);

/** Something on our side broke (memory, the cipher library): this peer is over, nobody else. */
void peer_break_down(struct peer *p);

/** Take over what ICE found. After every call of the agent. */
void peer_drain_ice(struct peer *p);

/** Those of the offer: DTLS has its own copy, as long as it needs them. */
void peer_forget_fingerprints(struct peer *p);

/* --- handshake.c --- */

/** ICE has a valid pair. The first time there is somebody to shake hands with (RFC 8842 §6). */
void peer_handshake_begin(struct peer *p);

/** Take over what DTLS came to. After every call of it. */
void peer_handshake_drain(struct peer *p);

/** This pair is valid now: what came over it too early is fed, what came over another one dropped.
 */
void peer_handshake_release(struct peer *p, const struct addr *local, const struct addr *remote);

/** A datagram of DTLS. @return 0, PEER_E_NO_CONSENT or PEER_E_PROTOCOL: drop and count */
int peer_handshake_input(struct peer *p, const struct dgram *d);

/* --- media.c --- */

/** SRTCP, decrypted in place. @return 0, or a PEER_E_ code: drop and count */
int peer_rtcp_input(struct peer *p, const struct dgram *d);

/** RTCP that is due, protected; the address is the caller's. @return false = nothing is due */
bool peer_rtcp_write(struct peer *p, struct dgram *ret);

#endif
