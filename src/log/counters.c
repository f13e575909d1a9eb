/* Counters: see the header. */
#include "log/counters.h"

_Atomic(uint64_t) counter_values[COUNTER_N];

static const char *const names[] = {
#define COUNTER_NAME(symbol, name) [COUNTER_##symbol] = (name),
    COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

const char *counter_name(enum counter counter)
{
    return names[counter];
}

void counter_snapshot(uint64_t ret[COUNTER_N])
{
    for (unsigned i = 0; i < COUNTER_N; i++)
        ret[i] = atomic_load_explicit(&counter_values[i], memory_order_relaxed);
}
