/*
 * A thin layer over libuv: what the control thread needs of a loop, with our time type.
 *
 * libuv closes handles in two steps: uv_close now, the callback (which may free the memory) in the
 * loop. That is kept in here: x_free only asks, and net_loop_free runs the loop until all that was
 * asked for is done.
 *
 * libuv counts whole milliseconds of the monotonic clock. A deadline is rounded up to the next one
 * and compared with the same clock, so a timer is up to 1 ms late and never early.
 */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include <uv.h>

#include "base/mem.h"
#include "net/loop_uv.h"

/** SIGTERM and SIGINT */
#define N_SIGNALS 2

struct net_loop {
    uv_loop_t uv;
    bool stopping;         /**< net_loop_stop was called */
    uv_async_t keep;       /**< never sent: libuv does not wait when it has nothing to wait for */
    uv_timer_t step_limit; /**< ends the wait of net_loop_step */
    bool has_signals;      /**< the watchers below are in use */
    uv_signal_t signals[N_SIGNALS];
    net_signal_fn on_signal;
    void *on_signal_user;
};

struct net_timer {
    uv_timer_t uv;
    net_timer_fn handler;
    void *user;
};

struct net_wake {
    uv_async_t uv;
    net_wake_fn handler;
    void *user;
};

mono_us net_loop_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + (mono_us)ts.tv_nsec / 1000;
}

uv_loop_t *net_loop_uv(struct net_loop *loop)
{
    return &loop->uv;
}

int net_loop_new(struct net_loop **ret)
{
    struct net_loop *loop = mem_zalloc(sizeof(*loop));
    if (!loop)
        return -ENOMEM;
    int r = uv_loop_init(&loop->uv);
    if (r < 0) {
        mem_free(loop);
        return r; /* libuv's codes are negative errno values */
    }
    r = uv_async_init(&loop->uv, &loop->keep, NULL);
    if (r < 0) {
        (void)uv_loop_close(&loop->uv);
        mem_free(loop);
        return r;
    }
    (void)uv_timer_init(&loop->uv, &loop->step_limit);
    *ret = loop;
    return 0;
}

static void count_closing(uv_handle_t *handle, void *n)
{
    if (uv_is_closing(handle))
        ++*(unsigned *)n;
}

void net_loop_settle(struct net_loop *loop)
{
    unsigned n;
    do {
        (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
        n = 0;
        uv_walk(&loop->uv, count_closing, &n);
    } while (n > 0);
}

void net_loop_free(struct net_loop *loop)
{
    if (!loop)
        return;
    uv_close((uv_handle_t *)&loop->keep, NULL);
    uv_close((uv_handle_t *)&loop->step_limit, NULL);
    for (int i = 0; loop->has_signals && i < N_SIGNALS; i++)
        uv_close((uv_handle_t *)&loop->signals[i], NULL);
    net_loop_settle(loop);
    int r = uv_loop_close(&loop->uv);
    assert(r == 0 && "something on the loop was not freed");
    (void)r;
    mem_free(loop);
}

void net_loop_run(struct net_loop *loop)
{
    /* Not UV_RUN_DEFAULT: it would start even when net_loop_stop came first. */
    while (!loop->stopping)
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
    loop->stopping = false;
}

static void on_step_limit(uv_timer_t *timer)
{
    (void)timer; /* to have woken up is all it is for */
}

/** Start a libuv timer for a deadline of ours. */
static void start_timer(uv_timer_t *timer, uv_timer_cb handler, mono_us at)
{
    uv_update_time(timer->loop);
    mono_us now_ms = (mono_us)uv_now(timer->loop);
    mono_us at_ms = at / US_PER_MS + (at % US_PER_MS > 0);
    (void)uv_timer_start(timer, handler, at_ms > now_ms ? (uint64_t)(at_ms - now_ms) : 0, 0);
}

void net_loop_step(struct net_loop *loop, mono_us deadline)
{
    if (deadline <= net_loop_now()) {
        (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
        return;
    }
    if (deadline != MONO_NEVER)
        start_timer(&loop->step_limit, on_step_limit, deadline);
    (void)uv_run(&loop->uv, UV_RUN_ONCE);
    (void)uv_timer_stop(&loop->step_limit);
}

void net_loop_stop(struct net_loop *loop)
{
    loop->stopping = true;
    uv_stop(&loop->uv);
}

/* -- timers -- */

static void on_timer(uv_timer_t *handle)
{
    struct net_timer *timer = CONTAINER_OF(handle, struct net_timer, uv);
    timer->handler(timer->user, net_loop_now());
}

int net_timer_new(struct net_loop *loop, net_timer_fn handler, void *user, struct net_timer **ret)
{
    struct net_timer *timer = mem_zalloc(sizeof(*timer));
    if (!timer)
        return -ENOMEM;
    (void)uv_timer_init(&loop->uv, &timer->uv); /* cannot fail */
    timer->handler = handler;
    timer->user = user;
    *ret = timer;
    return 0;
}

void net_timer_set(struct net_timer *timer, mono_us at)
{
    if (at == MONO_NEVER)
        (void)uv_timer_stop(&timer->uv);
    else
        start_timer(&timer->uv, on_timer, at);
}

static void free_timer(uv_handle_t *handle)
{
    mem_free(CONTAINER_OF((uv_timer_t *)handle, struct net_timer, uv));
}

void net_timer_free(struct net_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, free_timer);
}

/* -- wake-ups -- */

static void on_wake(uv_async_t *handle)
{
    struct net_wake *wake = CONTAINER_OF(handle, struct net_wake, uv);
    wake->handler(wake->user);
}

int net_wake_new(struct net_loop *loop, net_wake_fn handler, void *user, struct net_wake **ret)
{
    struct net_wake *wake = mem_zalloc(sizeof(*wake));
    if (!wake)
        return -ENOMEM;
    wake->handler = handler;
    wake->user = user;
    int r = uv_async_init(&loop->uv, &wake->uv, on_wake);
    if (r < 0) {
        mem_free(wake);
        return r;
    }
    *ret = wake;
    return 0;
}

void net_wake_send(struct net_wake *wake)
{
    (void)uv_async_send(&wake->uv);
}

static void free_wake(uv_handle_t *handle)
{
    mem_free(CONTAINER_OF((uv_async_t *)handle, struct net_wake, uv));
}

void net_wake_free(struct net_wake *wake)
{
    if (wake)
        uv_close((uv_handle_t *)&wake->uv, free_wake);
}

/* -- signals -- */

static void on_signal(uv_signal_t *handle, int signo)
{
    struct net_loop *loop = CONTAINER_OF(handle->loop, struct net_loop, uv);
    loop->on_signal(loop->on_signal_user, signo);
}

int net_loop_on_signals(struct net_loop *loop, net_signal_fn handler, void *user)
{
    static const int numbers[N_SIGNALS] = {SIGTERM, SIGINT};
    assert(!loop->has_signals);

    loop->on_signal = handler;
    loop->on_signal_user = user;
    for (int i = 0; i < N_SIGNALS; i++) {
        int r = uv_signal_init(&loop->uv, &loop->signals[i]);
        if (r < 0) {
            while (i-- > 0)
                uv_close((uv_handle_t *)&loop->signals[i], NULL);
            return r;
        }
    }
    loop->has_signals = true; /* from here net_loop_free closes them */
    for (int i = 0; i < N_SIGNALS; i++) {
        int r = uv_signal_start(&loop->signals[i], on_signal, numbers[i]);
        if (r < 0)
            return r;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}
