/* A value v of b bits, b > 5, falls into the bucket of its top 6 bits: the first is always 1, the
 * other 5 number the 32 buckets of its doubling. */
#include "load/histogram.h"

#define SUB (1U << HISTOGRAM_SUB_BITS)

static unsigned bucket_of(uint64_t v)
{
    if (v < SUB)
        return (unsigned)v;
    unsigned bits = 64 - (unsigned)__builtin_clzll(v);
    if (bits > HISTOGRAM_MAX_BITS)
        return HISTOGRAM_BUCKETS - 1;
    unsigned shift = bits - 1 - HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HISTOGRAM_SUB_BITS) + (unsigned)(v >> shift) - SUB;
}

/* The largest value of a bucket. */
static mono_us top_of(unsigned bucket)
{
    if (bucket < SUB)
        return (mono_us)bucket;
    unsigned shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    uint64_t first = (uint64_t)(SUB + (bucket & (SUB - 1))) << shift;
    return (mono_us)(first + (UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *h, mono_us us)
{
    if (us < 0)
        us = 0;
    h->n++;
    h->sum_us += us;
    if (us > h->max_us)
        h->max_us = us;
    h->counts[bucket_of((uint64_t)us)]++;
}

mono_us histogram_percentile(const struct histogram *h, double percent)
{
    double wanted = (double)h->n * percent / 100;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->counts[i];
        if (h->counts[i] && (double)seen >= wanted)
            return i == HISTOGRAM_BUCKETS - 1 ? h->max_us : mono_min(top_of(i), h->max_us);
    }
    return h->max_us;
}

double histogram_mean(const struct histogram *h)
{
    return h->n ? (double)h->sum_us / (double)h->n : 0;
}
