/**
 * The one time type of the tree. Cores never read a clock: time enters with their calls.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

/** Microseconds of the monotonic clock. */
typedef int64_t mono_us;

#define MONO_NEVER INT64_MAX

#define US_PER_MS ((mono_us)1000)
#define US_PER_S  ((mono_us)1000000)

static inline mono_us mono_min(mono_us a, mono_us b)
{
    return a < b ? a : b;
}

#endif
