/**
 * One STUN request, until it is answered or given up (RFC 8489 §6.2).
 *
 * Holds the identifier and the retransmission clock, not the bytes: whoever sends builds the same
 * request again. Over UDP sends are at 0, RTO, 3 RTO, 7 RTO, …, Rc in all; after the last one Rm
 * times RTO pass before the transaction fails: with 500 ms that is 39.5 s after the first.
 */
#ifndef STUN_TRANSACTION_H
#define STUN_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/time.h"
#include "stun/message.h"

/** RFC 8489 §6.2.1: "SHOULD be greater than or equal to 500 ms"; so does RFC 8445 §14.3. */
#define STUN_RTO_MIN (500 * US_PER_MS)

/** RFC 8489 §6.2.1: "Rc SHOULD be configurable and SHOULD have a default of 7". */
#define STUN_RC 7

/** RFC 8489 §6.2.1: "Rm SHOULD be configurable and SHOULD have a default of 16". */
#define STUN_RM 16

/** RFC 8489 §6.2.2: "This value (Ti) SHOULD be configurable and SHOULD have a default of 39.5s". */
#define STUN_TI (39500 * US_PER_MS)

struct stun_transaction {
    uint8_t id[STUN_ID_LEN]; /**< random */
    uint8_t n_sent;          /**< sends so far; 0 = idle */
    mono_us rto;             /**< the first interval */
    mono_us at;              /**< when the next send or the failure is due; MONO_NEVER = idle */
};

enum stun_transaction_step {
    STUN_TRANSACTION_WAIT,   /**< nothing is due */
    STUN_TRANSACTION_SEND,   /**< send the request again, now */
    STUN_TRANSACTION_FAILED, /**< no answer came in time; the transaction is idle */
};

/** Make it idle; it matches no answer then. */
void stun_transaction_stop(struct stun_transaction *t);

/**
 * Begin: a new random identifier. The caller sends the request at once.
 *
 * @param rto first interval [µs]; raised to STUN_RTO_MIN when below
 */
void stun_transaction_start(struct stun_transaction *t, mono_us now, mono_us rto, struct rng *rng);

/**
 * Begin over a connection, which loses nothing: sent once, and given up after Ti = 39.5 s
 * (RFC 8489 §6.2.2).
 */
void stun_transaction_start_reliable(struct stun_transaction *t, mono_us now, struct rng *rng);

/** What is due at `now`. After SEND the clock is set for the next step. */
enum stun_transaction_step stun_transaction_timeout(struct stun_transaction *t, mono_us now);

/** Running, and this is its identifier? */
bool stun_transaction_matches(const struct stun_transaction *t, const uint8_t *id);

#endif
