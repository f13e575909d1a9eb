/**
 * Where the other end of plain RTP is: what its description names, or what is learnt when its
 * packets come from elsewhere (symmetric RTP, RFC 4961; NAT).
 *
 * Nothing authenticates plain RTP. If the address of the last packet always counted, whoever finds
 * the port could draw the media to himself ("RTP Bleed"). So an address is followed by these rules:
 *
 *     packets come from                     they are followed
 *     the address that is named             at once; after another one was heard: when proven
 *     the named or the learnt host,         when proven, as soon as the address in use is silent
 *       another port                          (a sender that was started again)
 *     another host, one was named           when proven, once, within LATCH_WINDOW of the
 *                                           description, if nobody was heard before (NAT)
 *     any host, none was named              when proven, once
 *
 * Proven is who sends LATCH_SEQUENTIAL packets of one SSRC in sequence; until then they are
 * dropped.
 */
#ifndef PEER_LATCH_H
#define PEER_LATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

/** One more than RFC 3550 §A.1 asks of a source: here the media goes where these came from. */
#define LATCH_SEQUENTIAL 3

/** Who is told an address speaks within seconds, or behind a NAT never from where he says. */
#define LATCH_WINDOW (10 * US_PER_S)

/** Longer than the pauses of DTX (400 ms with Opus), shorter than a restart by hand. */
#define LATCH_SILENCE (2 * US_PER_S)

/** RFC 863 discard: what descriptions say for "not known yet" (RFC 8840 §4.1.1). */
#define LATCH_UNKNOWN_PORT 9

/** Embedded in its owner; nothing to release. Fields are private. */
struct latch {
    struct addr named;   /**< of the description; port 0 = only the host; any address = nothing */
    struct addr learnt;  /**< port 0 = none */
    struct addr current; /**< port 0 = none yet */
    bool was_heard;      /**< something came from `current`, or from who was it before */
    mono_us named_at, heard_at;
    struct addr candidate; /**< who is about to prove himself */
    uint32_t ssrc;
    uint16_t next_seq;
    uint8_t n; /**< packets in sequence; 0 = nobody is */
};

/** @param named  LATCH_UNKNOWN_PORT = the host alone; 0.0.0.0 or :: = nothing */
void latch_init(struct latch *l, mono_us now, const struct addr *named);

/** Another description. The same address changes nothing; with another one all begins anew. */
void latch_name(struct latch *l, mono_us now, const struct addr *named);

/**
 * A packet with a valid header came.
 *
 * @return true = it is from the other end; false = drop it
 */
bool latch_take(struct latch *l, mono_us now, const struct addr *from, uint32_t ssrc, uint16_t seq);

/** It is from the other end for sure (SRTP), and its newest one: its address is followed at once.
 */
void latch_follow(struct latch *l, mono_us now, const struct addr *from);

/** Where to send to. @return NULL = not known yet */
static inline const struct addr *latch_remote(const struct latch *l)
{
    return l->current.port ? &l->current : NULL;
}

#endif
