/* Two loss models one behind the other: see the header. */
#include "impair/loss.h"

bool impair_chance(struct rng *rng, int64_t share)
{
    return share > 0 && rng_below(rng, IMPAIR_SHARE_ONE) < share;
}

enum impair_loss_kind impair_loss_next(struct impair_loss *loss, const struct impair_conditions *c,
                                       struct rng *rng)
{
    if (c->values[IMPAIR_BURST_P] == 0)
        loss->is_bad = false; /* switched off in the middle of a burst */
    else if (impair_chance(rng, c->values[loss->is_bad ? IMPAIR_BURST_R : IMPAIR_BURST_P]))
        loss->is_bad = !loss->is_bad;
    if (loss->is_bad)
        return IMPAIR_LOSS_BURST;
    return impair_chance(rng, c->values[IMPAIR_LOSS]) ? IMPAIR_LOSS_SINGLE : IMPAIR_LOSS_NONE;
}
