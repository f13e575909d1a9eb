/**
 * Which packets a line loses: some by themselves, some in bursts.
 *
 * Bursts are the Gilbert-Elliott model with two states: in the good one nothing more is lost than
 * by itself, in the bad one everything. Each packet steps the state first.
 *
 *               p
 *       good ───────► bad        share lost in bursts   p / (p + r)
 *         ◄───────────           mean length            1 / r   [packets]
 *               r
 */
#ifndef IMPAIR_LOSS_H
#define IMPAIR_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "impair/params.h"

enum impair_loss_kind {
    IMPAIR_LOSS_NONE,
    IMPAIR_LOSS_SINGLE, /**< by itself */
    IMPAIR_LOSS_BURST,  /**< in the bad state */
};

/** Embedded in its line. All zero = the good state. */
struct impair_loss {
    bool is_bad;
};

/** The next packet: is it lost? */
enum impair_loss_kind impair_loss_next(struct impair_loss *loss, const struct impair_conditions *c,
                                       struct rng *rng);

/** True with the given chance [millionths]; 0 draws nothing, so other draws stay the same. */
bool impair_chance(struct rng *rng, int64_t share);

#endif
