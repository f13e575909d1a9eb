/**
 * A media worker: one thread, one port (UDP, and TCP beside it), the pipelines that live on it.
 *
 * What it is told and what it tells: engine/messages.h. Which endpoint a datagram belongs to is the
 * business of engine/demux.h.
 */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "base/rng.h"
#include "base/timer_heap.h"
#include "dtls/identity.h"
#include "engine/demux.h"
#include "engine/engine.h"
#include "engine/messages.h"
#include "engine/outside.h"
#include "engine/plain_pair.h"
#include "engine/setup_queue.h"
#include "engine/socket.h"
#include "engine/tcp.h"
#include "peer/peer.h"

struct worker_config {
    struct addr listen;
    mono_us tick;
    unsigned dscp; /**< 0..SOCKET_MAX_DSCP */
    bool ice_lite;
    bool tcp;                             /**< listen with TCP, too */
    struct rng *rng;                      /**< thread-safe; outlives the worker */
    const struct dtls_identity *identity; /**< outlives the worker */
    uint64_t ntp_offset;
    struct mailbox *reports;  /**< of struct worker_report */
    void (*wake)(void *user); /**< a report was put into an empty box */
    void *wake_user;
};

struct worker {
    struct worker_config config;
    pthread_t thread;
    bool is_running; /**< the thread was started */
    struct socket socket;
    int wake_fd; /**< eventfd; -1 = closed */
    struct mailbox inbox;
    struct worker_command *stop; /**< owned until it is sent: the end needs no memory */
    struct peer_env env;    /**< RO after open; shared with who makes endpoints for this worker */
    struct outside outside; /**< how the port looks from there */
    bool has_outside;       /**< it was initialised */

    /* from here on: the worker's thread only */
    bool must_stop;
    struct demux demux;
    struct tcp tcp;  /**< RO for others: is it open, where */
    bool tcp_is_due; /**< it has something to do, or may have */
    struct plain_set plain;
    bool plain_is_due; /**< likewise */
    struct list pipelines;
    size_t n_endpoints;
    struct timer_heap timers;
    struct worker_io *io; /**< buffers of a turn */
    struct setup_queue setup;

    mono_us window_at; /**< load is counted since then */
    uint32_t window_packets;
    bool is_busy; /**< above WORKER_BUSY_PPS: sleep in ticks */
};

/** Open the port and make what the thread needs; the thread does not run yet. @return 0, -errno */
MUST_CHECK int worker_open(struct worker *w, const struct worker_config *config);

/** Start the thread. @return 0 or a negative errno */
MUST_CHECK int worker_start(struct worker *w);

/** Say goodbye to all endpoints, join the thread, free everything. Legal on a failed open. */
void worker_close(struct worker *w);

/** Tell it whom to ask how its port looks from outside. From any thread. */
void worker_set_stun(struct worker *w, const struct resolver_result *servers);

/** Put a command into the inbox; ownership moves. From one thread. */
void worker_send(struct worker *w, struct worker_command *command);

#endif
