/**
 * A running mean whose counters only grow: who wants the mean of an interval subtracts what the
 * counters were at its beginning.
 */
#ifndef RTP_MEAN_H
#define RTP_MEAN_H

#include <stdint.h>

#include "base/time.h"

/** Zeroed is ready. */
struct rtp_mean {
    uint64_t sum; /**< [µs] */
    uint32_t n;
};

static inline void rtp_mean_add(struct rtp_mean *m, mono_us value)
{
    m->sum += (uint64_t)value;
    m->n++;
}

/** Mean of what came since `before`. @param otherwise  when nothing came */
static inline mono_us rtp_mean_since(const struct rtp_mean *m, const struct rtp_mean *before,
                                     mono_us otherwise)
{
    uint32_t n = m->n - before->n;
    return n ? (mono_us)((m->sum - before->sum) / n) : otherwise;
}

#endif
