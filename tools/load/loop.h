/**
 * The one thread: descriptors (epoll), deadlines, and the clock.
 *
 * `net`'s loop has timers of a millisecond; pacing and latency want better here, and nothing else
 * of libuv is needed.
 */
#ifndef LOAD_LOOP_H
#define LOAD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/timer_heap.h"

struct loop {
    int fd;                   /**< owned: epoll */
    struct timer_heap timers; /**< of loop_timer */
    size_t n_timers;          /**< places reserved */
    bool is_coarse;           /**< the kernel has no epoll_pwait2: waits are whole ms */
};

/** A descriptor that is watched. Its memory must outlive the loop's current round. */
struct watch {
    int fd; /**< -1 = none: events that were under way are ignored */
    void (*on_ready)(struct watch *w, uint32_t events, mono_us now);
};

struct loop_timer {
    struct timer timer;
    void (*on_due)(struct loop_timer *t, mono_us now);
};

/** CLOCK_MONOTONIC */
mono_us loop_now(void);

/** @return 0 or a negative errno */
MUST_CHECK int loop_init(struct loop *loop);
void loop_deinit(struct loop *loop);

/** @param events EPOLLIN, EPOLLOUT @return 0 or a negative errno */
MUST_CHECK int loop_watch(struct loop *loop, struct watch *w, uint32_t events);
/** Change what is waited for. */
void loop_rewatch(struct loop *loop, struct watch *w, uint32_t events);
/** Before the descriptor is closed; sets it to -1. @return the descriptor */
int loop_unwatch(struct loop *loop, struct watch *w);

/** Reserves a place; never given back. @return 0 or -ENOMEM */
MUST_CHECK int loop_timer_init(struct loop *loop, struct loop_timer *t,
                               void (*on_due)(struct loop_timer *t, mono_us now));
/** MONO_NEVER disarms. */
void loop_timer_set(struct loop *loop, struct loop_timer *t, mono_us at);

/** Wait for events until a timer or `until` is due, then run their handlers. */
void loop_step(struct loop *loop, mono_us until);

#endif
