/**
 * Distribution of times: counts in buckets of 3 % width, so that a percentile of millions of
 * values costs 10 KB and no sorting.
 *
 *     0..31 µs      one bucket for each microsecond
 *     then          32 buckets for each doubling, up to 2^36 µs (19 hours)
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#include "base/time.h"

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_MAX_BITS 36
#define HISTOGRAM_BUCKETS  ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

/** A zeroed struct is empty. */
struct histogram {
    uint64_t n;     /**< values */
    int64_t sum_us; /**< of all of them */
    mono_us max_us; /**< exact */
    uint64_t counts[HISTOGRAM_BUCKETS];
};

/** @param us  negative counts as 0, too large as the largest */
void histogram_add(struct histogram *h, mono_us us);

/**
 * @param percent  0..100
 * @return a time that this part of the values does not exceed, at most 3 % too high and never above
 *         the maximum; 0 when there are no values
 */
mono_us histogram_percentile(const struct histogram *h, double percent);

/** 0 when there are no values. */
double histogram_mean(const struct histogram *h);

#endif
