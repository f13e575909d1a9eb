/**
 * Deadlines of many objects in one binary heap. The timer is embedded in its object; the heap
 * never calls anything back: the owner pops what is due.
 */
#ifndef BASE_TIMER_HEAP_H
#define BASE_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/time.h"

struct timer {
    mono_us at;   /**< due time */
    size_t index; /**< place in the heap + 1; 0 = not armed */
};

struct timer_heap {
    struct timer **timers; /**< owned array, borrowed timers */
    size_t n, cap;
};

void timer_heap_init(struct timer_heap *h);
void timer_heap_deinit(struct timer_heap *h);

/** Room for n timers in all, so that arming up to n of them cannot fail. @return 0 or -ENOMEM */
MUST_CHECK int timer_heap_reserve(struct timer_heap *h, size_t n);

/**
 * Arm or re-arm. MONO_NEVER disarms. The heap must have room (timer_heap_reserve): running out
 * of it is a bug.
 */
void timer_heap_set(struct timer_heap *h, struct timer *t, mono_us at);

/** When the next timer is due; MONO_NEVER = none. */
mono_us timer_heap_next(const struct timer_heap *h);

/** Take out a timer that is due at `now`; NULL = none. */
struct timer *timer_heap_pop(struct timer_heap *h, mono_us now);

#endif
