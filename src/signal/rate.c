/* The bucket counts in microseconds of filling time: no fractions, no drift. */
#include "signal/rate.h"

#include "signal/signal.h"

#define COST   (US_PER_S / SIGNAL_RATE_PER_S)
#define FULL   (SIGNAL_RATE_BURST * COST)
#define RESUME (SIGNAL_RATE_RESUME * COST)

void signal_rate_init(struct signal_rate *r, mono_us now)
{
    *r = (struct signal_rate){.filled_at = now, .credit = FULL};
}

enum signal_rate_verdict signal_rate_take(struct signal_rate *r, mono_us now)
{
    if (now - r->filled_at >= FULL - r->credit)
        r->credit = FULL;
    else
        r->credit += now - r->filled_at;
    r->filled_at = now;
    if (r->is_over && r->credit < RESUME)
        return SIGNAL_RATE_DROP;
    r->is_over = r->credit < COST;
    if (r->is_over)
        return SIGNAL_RATE_TELL;
    r->credit -= COST;
    return SIGNAL_RATE_PASS;
}
