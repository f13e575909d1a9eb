/*
 * Deadlines, wake-ups, signals. Real time, because that is what the loop is about; the tests wait
 * for events and check that nothing comes too early.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/loop.h"

struct record {
    struct net_loop *loop;
    struct net_timer *timer;
    mono_us at, fired;
    unsigned n;
    struct record *next; /**< fires after this one */
    unsigned order;
    bool is_late; /**< its time had passed when it was set: then it fires in no order */
};

static unsigned fired_so_far;

static void on_timer(void *user, mono_us now)
{
    struct record *r = user;
    r->fired = now;
    r->order = ++fired_so_far;
    r->n++;
}

static void run_until(struct net_loop *loop, const unsigned *n, unsigned value)
{
    mono_us end = net_loop_now() + 120 * US_PER_S;
    while (*n < value) {
        assert_true(net_loop_now() < end);
        net_loop_step(loop, end);
    }
}

static void timers_fire_once_in_order_and_not_early(void **state)
{
    (void)state;
    enum { N = 20 };
    struct net_loop *loop;
    struct record r[N] = {0};
    assert_int_equal(net_loop_new(&loop), 0);
    fired_so_far = 0;
    mono_us start = net_loop_now();
    for (int i = 0; i < N; i++) {
        assert_int_equal(net_timer_new(loop, on_timer, &r[i], &r[i].timer), 0);
        r[i].at = start + (N - i) * 2300; /* not whole milliseconds */
        net_timer_set(r[i].timer, r[i].at);
        r[i].is_late = net_loop_now() >= r[i].at;
    }
    run_until(loop, &fired_so_far, N);
    unsigned before = N + 1;
    for (int i = 0; i < N; i++) {
        assert_int_equal(r[i].n, 1);
        if (!r[i].is_late) {
            assert_true(r[i].order < before);
            before = r[i].order;
        }
        assert_true(r[i].fired >= r[i].at);
        net_timer_free(r[i].timer);
    }
    net_loop_step(loop, 0);
    assert_int_equal(fired_so_far, N);
    net_loop_free(loop);
}

static void timer_can_be_moved_and_disarmed(void **state)
{
    (void)state;
    struct net_loop *loop;
    struct record moved = {0}, off = {0}, past = {0};
    assert_int_equal(net_loop_new(&loop), 0);
    assert_int_equal(net_timer_new(loop, on_timer, &moved, &moved.timer), 0);
    assert_int_equal(net_timer_new(loop, on_timer, &off, &off.timer), 0);
    assert_int_equal(net_timer_new(loop, on_timer, &past, &past.timer), 0);
    net_timer_set(moved.timer, net_loop_now() + 3600 * US_PER_S);
    net_timer_set(off.timer, net_loop_now());
    net_timer_set(off.timer, MONO_NEVER);
    net_timer_set(past.timer, 0);
    moved.at = net_loop_now() + 5 * US_PER_MS;
    net_timer_set(moved.timer, moved.at);
    run_until(loop, &moved.n, 1);
    assert_true(moved.fired >= moved.at);
    assert_int_equal(off.n, 0);
    assert_int_equal(past.n, 1);
    net_timer_free(moved.timer);
    net_timer_free(off.timer);
    net_timer_free(past.timer);
    net_timer_free(NULL);
    net_loop_free(loop);
}

static void free_oneself(void *user, mono_us now)
{
    struct record *r = user;
    (void)now;
    r->n++;
    net_timer_free(r->timer);
    net_loop_stop(r->loop);
}

static void timer_may_free_itself_and_stop_the_loop(void **state)
{
    (void)state;
    struct record r = {0};
    assert_int_equal(net_loop_new(&r.loop), 0);
    assert_int_equal(net_timer_new(r.loop, free_oneself, &r, &r.timer), 0);
    net_timer_set(r.timer, 0);
    net_loop_run(r.loop);
    assert_int_equal(r.n, 1);
    net_loop_free(r.loop);
}

static void stop_before_run_counts(void **state)
{
    (void)state;
    struct net_loop *loop;
    assert_int_equal(net_loop_new(&loop), 0);
    net_loop_stop(loop);
    net_loop_run(loop); /* returns */
    net_loop_free(loop);
}

static void step_ends_at_its_deadline(void **state)
{
    (void)state;
    struct net_loop *loop;
    assert_int_equal(net_loop_new(&loop), 0);
    mono_us end = net_loop_now() + 20 * US_PER_MS;
    net_loop_step(loop, end);
    assert_true(net_loop_now() >= end);
    net_loop_free(loop);
}

struct waker {
    struct net_loop *loop;
    struct net_wake *wake;
    unsigned n;
    pthread_t on;
};

static void on_wake(void *user)
{
    struct waker *w = user;
    w->n++;
    w->on = pthread_self();
}

static void *send_many(void *user)
{
    struct waker *w = user;
    for (int i = 0; i < 1000; i++)
        net_wake_send(w->wake);
    return NULL;
}

static void wake_from_another_thread_runs_here(void **state)
{
    (void)state;
    struct waker w = {0};
    pthread_t thread;
    assert_int_equal(net_loop_new(&w.loop), 0);
    assert_int_equal(net_wake_new(w.loop, on_wake, &w, &w.wake), 0);
    assert_int_equal(pthread_create(&thread, NULL, send_many, &w), 0);
    run_until(w.loop, &w.n, 1);
    assert_true(pthread_equal(w.on, pthread_self()));
    assert_int_equal(pthread_join(thread, NULL), 0);
    net_loop_step(w.loop, 0);
    assert_true(w.n <= 1000);

    unsigned before = w.n;
    net_wake_send(w.wake);
    net_wake_send(w.wake);
    net_loop_step(w.loop, 0);
    assert_int_equal(w.n, before + 1); /* two before it ran are one */
    net_wake_free(w.wake);
    net_wake_free(NULL);
    net_loop_free(w.loop);
}

static int caught;

static void on_signal(void *user, int signo)
{
    caught = signo;
    net_loop_stop(user);
}

static void signals_come_to_the_loop(void **state)
{
    (void)state;
    struct net_loop *loop;
    assert_int_equal(net_loop_new(&loop), 0);
    assert_int_equal(net_loop_on_signals(loop, on_signal, loop), 0);
    raise(SIGTERM);
    net_loop_run(loop);
    assert_int_equal(caught, SIGTERM);
    raise(SIGINT);
    net_loop_run(loop);
    assert_int_equal(caught, SIGINT);
    raise(SIGPIPE); /* ignored */
    net_loop_free(loop);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct net_loop *loop;
    struct net_timer *timer;
    struct net_wake *wake;
    mem_fail_at(1);
    assert_int_equal(net_loop_new(&loop), -12);
    assert_int_equal(net_loop_new(&loop), 0);
    mem_fail_at(1);
    assert_int_equal(net_timer_new(loop, on_timer, NULL, &timer), -12);
    mem_fail_at(1);
    assert_int_equal(net_wake_new(loop, on_wake, NULL, &wake), -12);
    mem_fail_at(0);
    net_loop_free(loop);
    net_loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_once_in_order_and_not_early),
        cmocka_unit_test(timer_can_be_moved_and_disarmed),
        cmocka_unit_test(timer_may_free_itself_and_stop_the_loop),
        cmocka_unit_test(stop_before_run_counts),
        cmocka_unit_test(step_ends_at_its_deadline),
        cmocka_unit_test(wake_from_another_thread_runs_here),
        cmocka_unit_test(signals_come_to_the_loop),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
