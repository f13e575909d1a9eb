/**
 * A bound on repair: what is done once more is at most a share of what is done anyway, but for a
 * few in a row. A token bucket that is filled by traffic and not by time, so that it needs no clock
 * and stands still when the stream does.
 */
#ifndef RTP_BUDGET_H
#define RTP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/** Shares are in this many parts. */
#define RTP_BUDGET_ONE 256

/** Zeroed, it is empty. Amounts are in any one unit, bytes or packets. */
struct rtp_budget {
    uint32_t left; /**< [1/RTP_BUDGET_ONE] */
};

/** @param burst  what may be spent at once [units]; < 2^24 */
static inline void rtp_budget_fill(struct rtp_budget *b, uint32_t burst)
{
    b->left = burst * RTP_BUDGET_ONE;
}

/** @param amount  done anyway [units]; < 2^23  @param share  of it that may be spent, at most 256
 */
static inline void rtp_budget_earn(struct rtp_budget *b, uint32_t amount, uint32_t share,
                                   uint32_t burst)
{
    uint32_t left = b->left + amount * share;
    b->left = left < burst * RTP_BUDGET_ONE ? left : burst * RTP_BUDGET_ONE;
}

/** @return false = there is not enough left; nothing is spent */
static inline bool rtp_budget_spend(struct rtp_budget *b, uint32_t amount)
{
    if (b->left < amount * RTP_BUDGET_ONE)
        return false;
    b->left -= amount * RTP_BUDGET_ONE;
    return true;
}

#endif
