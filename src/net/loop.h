/**
 * The control event loop: deadlines, wake-ups from other threads, signals.
 *
 * One thread runs the loop, and everything declared here belongs to that thread, except
 * net_wake_send, which any thread may call. Handlers run on the loop's thread, one at a time, and
 * may make, set and free timers and wakes, their own included.
 *
 * Built on libuv, because the HTTP library is only fast on an epoll-backed loop; nothing above
 * `net` sees it.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/compiler.h"
#include "base/time.h"

struct net_loop;

/** @return 0, or -ENOMEM, -EMFILE, …: nothing was made */
MUST_CHECK int net_loop_new(struct net_loop **ret);

/**
 * Closes what was freed before and lets go of the loop. Everything made on it must have been freed:
 * what is left is a bug. NULL is legal.
 */
void net_loop_free(struct net_loop *loop);

DEFINE_CLEANUP(struct net_loop *, net_loop_free)

/** CLOCK_MONOTONIC, read anew with each call. Any thread. */
mono_us net_loop_now(void);

/** Run handlers until net_loop_stop. Returns at once when it was called before. */
void net_loop_run(struct net_loop *loop);

/**
 * Run what is due, waiting for the first event at most until `deadline` (a time in the past: do not
 * wait).
 */
void net_loop_step(struct net_loop *loop, mono_us deadline);

/** Makes net_loop_run return after the handlers that are due. Loop's thread only. */
void net_loop_stop(struct net_loop *loop);

/** A one-shot deadline. Resolution: 1 ms; never early. */
struct net_timer;

typedef void (*net_timer_fn)(void *user, mono_us now);

/** @return 0 (not armed yet), or -ENOMEM */
MUST_CHECK int net_timer_new(struct net_loop *loop, net_timer_fn handler, void *user,
                             struct net_timer **ret);

/**
 * Arm or re-arm for `at`; a time in the past is due in the next round; MONO_NEVER disarms. Cannot
 * fail.
 */
void net_timer_set(struct net_timer *timer, mono_us at);

/** The handler is not called again. NULL is legal. */
void net_timer_free(struct net_timer *timer);

/** A wake-up from another thread (or from this one, into the next round). */
struct net_wake;

typedef void (*net_wake_fn)(void *user);

/** @return 0, or -ENOMEM, -EMFILE */
MUST_CHECK int net_wake_new(struct net_loop *loop, net_wake_fn handler, void *user,
                            struct net_wake **ret);

/**
 * Have the handler called once, soon. Several calls before it runs are one. Any thread, also in a
 * signal handler; never blocks. The sender must have stopped before net_wake_free.
 */
void net_wake_send(struct net_wake *wake);

/** NULL is legal. */
void net_wake_free(struct net_wake *wake);

typedef void (*net_signal_fn)(void *user, int signo);

/**
 * Handle SIGTERM and SIGINT on the loop (and ignore SIGPIPE in the process, since a closed socket
 * is an ordinary error here). Once per loop.
 *
 * @return 0, or a negative errno: the signals keep their default action
 */
MUST_CHECK int net_loop_on_signals(struct net_loop *loop, net_signal_fn handler, void *user);

#endif
