/**
 * A media worker: one thread, one UDP port, the calls that live on it.
 *
 *     control thread ── inbox (commands) ──▶ worker ── on_report (events) ──▶ control thread
 *
 * Which leg a datagram belongs to is the business of engine/demux.h.
 */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/timer_heap.h"
#include "dtls/identity.h"
#include "engine/demux.h"
#include "engine/engine.h"
#include "engine/mailbox.h"
#include "engine/socket.h"
#include "relay/relay.h"

/** Local passwords are of our own making; RFC 8839 §5.4 asks for 22 at least. 144 random bits. */
#define WORKER_PWD_LEN 24

struct worker_leg {
    struct worker_call *call;    /**< RO */
    unsigned index;              /**< RO: 0 or 1 */
    struct worker_report *ended; /**< owned; NULL = it has been told that this leg ended */
    struct demux_leg demux;
    uint64_t n_received; /**< RTP that was forwarded */
    uint64_t n_dropped;
};

/**
 * A call. Made by the control thread, given away with WORKER_ADD, freed by the worker. The reports
 * of its end are made with it, so that nobody waits for a word that there was no memory for.
 */
struct worker_call {
    struct relay relay; /**< first: it is aligned to cache lines */
    uint64_t id;
    struct worker_leg legs[RELAY_LEGS];
    struct worker_report *gone; /**< owned */
    struct timer timer;
    struct list calls; /**< in worker.calls */
};

enum worker_command_type {
    WORKER_ADD,
    WORKER_CANDIDATE,
    WORKER_END_OF_CANDIDATES,
    WORKER_RELEASE, /**< the call is not to be named any more */
    WORKER_STOP,
};

struct worker_command {
    struct mail mail;
    enum worker_command_type type;
    struct worker_call *call; /**< all but STOP */
    unsigned leg;             /**< CANDIDATE, END_OF_CANDIDATES */
};

/** WORKER_CANDIDATE. */
struct worker_candidate {
    struct worker_command command; /**< first: freed as one */
    struct ice_candidate candidate;
    char ufrag[ICE_UFRAG_MAX + 1]; /**< empty = current */
};

/** What a worker tells; owned by the receiver (mem_free). */
struct worker_report {
    struct mail mail;
    struct engine_event event;
};

struct worker_config {
    struct addr listen;
    mono_us tick;
    unsigned dscp; /**< 0..SOCKET_MAX_DSCP */
    bool ice_lite;
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
    struct peer_env env;         /**< RO after open; shared with who makes calls for this worker */

    /* from here on: the worker's thread only */
    bool must_stop;
    struct demux demux;
    struct list calls;
    size_t n_calls;
    struct timer_heap timers;
    struct worker_io *io; /**< buffers of a turn */

    mono_us window_at; /**< load is counted since then */
    uint32_t window_packets;
    bool is_busy; /**< above WORKER_BUSY_PPS: sleep in ticks */
};

/** Open the port and make what the thread needs; the thread does not run yet. @return 0, -errno */
MUST_CHECK int worker_open(struct worker *w, const struct worker_config *config);

/** Start the thread. @return 0 or a negative errno */
MUST_CHECK int worker_start(struct worker *w);

/** Say goodbye to all calls, join the thread, free everything. Legal on a failed open. */
void worker_close(struct worker *w);

/** Put a command into the inbox; ownership moves. From one thread. */
void worker_send(struct worker *w, struct worker_command *command);

/** Memory for a call, with its reports; the relay is still zero. NULL = out of memory. */
MUST_CHECK struct worker_call *worker_call_new(uint64_t id);

/** Frees the call and its relay; before WORKER_ADD by who made it. NULL is legal. */
void worker_call_free(struct worker_call *call);

#endif
