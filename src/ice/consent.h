/**
 * Consent freshness of one path (RFC 7675 §5.1): when to ask, and when it has run out.
 *
 * A full agent asks every 4 to 6 s with a new transaction that is never retransmitted; an answer
 * to any of the last few counts. A lite agent asks nothing: the peer's authentic checks count as
 * consent. In both cases 30 s of silence end it.
 */
#ifndef ICE_CONSENT_H
#define ICE_CONSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/time.h"
#include "stun/message.h"

/** RFC 7675 §5.1: 5 s by default, each interval multiplied by a random value of 0.8 to 1.2. */
#define ICE_CONSENT_INTERVAL (5 * US_PER_S)

/** RFC 7675 §5.1: consent expires 30 s after the last valid response. */
#define ICE_CONSENT_EXPIRY (30 * US_PER_S)

/** Requests whose answers still count: a round trip of three intervals is beyond any call. */
#define ICE_CONSENT_OPEN 3

struct ice_consent {
    mono_us answered_at;                        /**< last proof of consent */
    mono_us next_at;                            /**< when to ask again; MONO_NEVER = never (lite) */
    uint8_t ids[ICE_CONSENT_OPEN][STUN_ID_LEN]; /**< open requests, newest first */
    uint8_t n;                                  /**< open requests */
};

enum ice_consent_step {
    ICE_CONSENT_WAIT,
    ICE_CONSENT_ASK,     /**< send a request with ids[0], now */
    ICE_CONSENT_EXPIRED, /**< stop sending on this path */
};

/**
 * Consent was given at answered_at (the check that made the pair valid).
 *
 * @param is_asking false on a lite agent
 */
void ice_consent_start(struct ice_consent *c, mono_us now, mono_us answered_at, bool is_asking,
                       struct rng *rng);

/** What is due at `now`. */
enum ice_consent_step ice_consent_timeout(struct ice_consent *c, mono_us now, struct rng *rng);

/** Is this the identifier of an open request? */
bool ice_consent_matches(const struct ice_consent *c, const uint8_t *id);

/** An authentic answer (full) or request (lite) came: 30 s more. */
void ice_consent_renew(struct ice_consent *c, mono_us now);

/** When ice_consent_timeout has something to do. */
mono_us ice_consent_deadline(const struct ice_consent *c);

#endif
