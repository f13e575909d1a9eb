/* Rounds of: wait, descriptors, timers. */
#include "load/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/** Events taken at once, and how often that is repeated before the timers have their turn. */
#define MAX_EVENTS 512
#define MAX_TAKES  16

/** Nobody waits longer than this, so that a caller's `until` may be "never". */
#define MAX_WAIT US_PER_S

mono_us loop_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (mono_us)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

int loop_init(struct loop *loop)
{
    *loop = (struct loop){.fd = epoll_create1(EPOLL_CLOEXEC)};
    timer_heap_init(&loop->timers);
    return loop->fd < 0 ? -errno : 0;
}

void loop_deinit(struct loop *loop)
{
    if (loop->fd >= 0)
        (void)close(loop->fd);
    timer_heap_deinit(&loop->timers);
}

int loop_watch(struct loop *loop, struct watch *w, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = w};
    return epoll_ctl(loop->fd, EPOLL_CTL_ADD, w->fd, &event) ? -errno : 0;
}

void loop_rewatch(struct loop *loop, struct watch *w, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = w};
    (void)epoll_ctl(loop->fd, EPOLL_CTL_MOD, w->fd, &event);
}

int loop_unwatch(struct loop *loop, struct watch *w)
{
    int fd = w->fd;
    if (fd >= 0)
        (void)epoll_ctl(loop->fd, EPOLL_CTL_DEL, fd, NULL);
    w->fd = -1;
    return fd;
}

int loop_timer_init(struct loop *loop, struct loop_timer *t,
                    void (*on_due)(struct loop_timer *t, mono_us now))
{
    *t = (struct loop_timer){.on_due = on_due};
    return timer_heap_reserve(&loop->timers, ++loop->n_timers);
}

void loop_timer_set(struct loop *loop, struct loop_timer *t, mono_us at)
{
    timer_heap_set(&loop->timers, &t->timer, at);
}

static int wait(struct loop *loop, struct epoll_event *events, mono_us wait_us)
{
    if (!loop->is_coarse) {
        struct timespec t = {.tv_sec = wait_us / US_PER_S, .tv_nsec = wait_us % US_PER_S * 1000};
        int n = epoll_pwait2(loop->fd, events, MAX_EVENTS, &t, NULL);
        if (n >= 0 || errno != ENOSYS)
            return n;
        loop->is_coarse = true;
    }
    return epoll_wait(loop->fd, events, MAX_EVENTS, (int)((wait_us + 999) / 1000));
}

void loop_step(struct loop *loop, mono_us until)
{
    struct epoll_event events[MAX_EVENTS];
    mono_us wait_us = mono_min(until, timer_heap_next(&loop->timers)) - loop_now();
    wait_us = mono_min(wait_us < 0 ? 0 : wait_us, MAX_WAIT);
    mono_us now;
    int n = wait(loop, events, wait_us);
    for (int take = 1;; take++) {
        now = loop_now();
        for (int i = 0; i < n; i++) {
            struct watch *w = events[i].data.ptr;
            if (w->fd >= 0)
                w->on_ready(w, events[i].events, now);
        }
        if (n < MAX_EVENTS || take == MAX_TAKES)
            break;
        n = wait(loop, events, 0);
    }
    now = loop_now();
    for (struct timer *due; (due = timer_heap_pop(&loop->timers, now));) {
        struct loop_timer *t = CONTAINER_OF(due, struct loop_timer, timer);
        t->on_due(t, now);
    }
}
