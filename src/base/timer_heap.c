/* Binary min-heap of embedded timers: see the header. */
#include "base/timer_heap.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"

void timer_heap_init(struct timer_heap *h)
{
    *h = (struct timer_heap){0};
}

void timer_heap_deinit(struct timer_heap *h)
{
    mem_free(h->timers);
    *h = (struct timer_heap){0};
}

int timer_heap_reserve(struct timer_heap *h, size_t n)
{
    if (n <= h->cap)
        return 0;
    size_t cap = h->cap ? h->cap : 64;
    while (cap < n)
        cap *= 2;
    struct timer **timers = mem_realloc(h->timers, cap * sizeof(struct timer *));
    if (!timers)
        return -ENOMEM;
    h->timers = timers;
    h->cap = cap;
    return 0;
}

static void place(struct timer_heap *h, struct timer *t, size_t i)
{
    h->timers[i] = t;
    t->index = i + 1;
}

static void sift_up(struct timer_heap *h, struct timer *t, size_t i)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (h->timers[parent]->at <= t->at)
            break;
        place(h, h->timers[parent], i);
        i = parent;
    }
    place(h, t, i);
}

static void sift_down(struct timer_heap *h, struct timer *t, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && h->timers[child + 1]->at < h->timers[child]->at)
            child++;
        if (h->timers[child]->at >= t->at)
            break;
        place(h, h->timers[child], i);
        i = child;
    }
    place(h, t, i);
}

static void disarm(struct timer_heap *h, struct timer *t)
{
    size_t i = t->index - 1;
    struct timer *last = h->timers[--h->n];
    t->index = 0;
    if (last == t)
        return;
    if (i > 0 && h->timers[(i - 1) / 2]->at > last->at)
        sift_up(h, last, i);
    else
        sift_down(h, last, i);
}

void timer_heap_set(struct timer_heap *h, struct timer *t, mono_us at)
{
    if (at == MONO_NEVER) {
        if (t->index)
            disarm(h, t);
        return;
    }
    if (!t->index) {
        assert(h->n < h->cap);
        t->at = at;
        sift_up(h, t, h->n++);
        return;
    }
    mono_us before = t->at;
    t->at = at;
    if (at < before)
        sift_up(h, t, t->index - 1);
    else
        sift_down(h, t, t->index - 1);
}

mono_us timer_heap_next(const struct timer_heap *h)
{
    return h->n ? h->timers[0]->at : MONO_NEVER;
}

struct timer *timer_heap_pop(struct timer_heap *h, mono_us now)
{
    if (h->n == 0 || h->timers[0]->at > now)
        return NULL;
    struct timer *t = h->timers[0];
    disarm(h, t);
    return t;
}
