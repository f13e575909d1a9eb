/**
 * What the parts of a worker share: worker.c is its thread, life.c what begins and ends there,
 * turn.c the datagrams. Everything on the worker's own thread.
 */
#ifndef ENGINE_WORKER_PRIVATE_H
#define ENGINE_WORKER_PRIVATE_H

#include "engine/pipeline.h"
#include "engine/worker.h"

/** Buffers of a turn. What is not forwarded in place waits in `made` until it is sent. */
struct worker_io {
    struct dgram in[SOCKET_BATCH];
    struct dgram out[SOCKET_BATCH];
    size_t n_out;
    uint64_t hashes[SOCKET_BATCH];
    struct pipeline_endpoint *endpoints[SOCKET_BATCH];
    struct relay_fan fan; /**< of the packet that is being forwarded */
    uint8_t made[SOCKET_BATCH][DGRAM_MAX + SOCKET_TAIL_ROOM];
};

mono_us worker_now(void);

/* --- sending (turn.c) --- */

/** Send what waits. */
void worker_flush(struct worker *w);

/** Room for one datagram, until the next worker_push. */
static inline struct dgram worker_spare(struct worker *w)
{
    struct worker_io *io = w->io;
    return (struct dgram){.data = io->made[io->n_out], .cap = sizeof(io->made[0])};
}

/** Packet path: to be sent with the batch, which goes when it is full. */
static inline void worker_push(struct worker *w, const struct dgram *d)
{
    if (d->remote.tcp) {
        tcp_send(&w->tcp, d);
        return;
    }
    w->io->out[w->io->n_out++] = *d;
    if (w->io->n_out == SOCKET_BATCH)
        worker_flush(w);
}

/** What it has of its own and is due now goes to all who hear it. */
void worker_emit(struct worker *w, struct pipeline_endpoint *e, mono_us now);

/** Take a batch of datagrams and work on it. @return how many */
size_t worker_turn(struct worker *w, mono_us now);

/** What there is to ask about our port from outside, and what came of it. */
void worker_run_outside(struct worker *w, mono_us now);

/** The same with the TCP connections, and what became of them. */
size_t worker_turn_tcp(struct worker *w, mono_us now);

/** The same with the ports of plain RTP. */
size_t worker_turn_plain(struct worker *w, mono_us now);

/**
 * Work on what new endpoints sent, in the time in which a busy worker would sleep. When something
 * waits, at least one step is made: a stream of media does not starve them either.
 *
 * @param until  no step begins later than this, but the first
 */
void worker_set_up(struct worker *w, mono_us until);

/* --- life.c --- */

void worker_add_pipeline(struct worker *w, struct pipeline *p);
void worker_add_endpoint(struct worker *w, struct pipeline_endpoint *e);
void worker_release_endpoint(struct worker *w, struct pipeline_endpoint *e, mono_us now);
void worker_release_pipeline(struct worker *w, struct pipeline *p, mono_us now);

/** Its report goes to who asked. */
void worker_answer_snapshot(struct worker *w, const struct worker_snapshot *snapshot, mono_us now);

/** One endpoint broke on our side: say so once, and let the control side release it. */
void worker_break(struct worker *w, struct pipeline_endpoint *e);

/** Set its timer anew. */
static inline void worker_arm(struct worker *w, struct pipeline_endpoint *e)
{
    timer_heap_set(&w->timers, &e->timer, e->ops->deadline(e));
}

/** After anything but plain RTP: events and datagrams out, timer. */
void worker_drain(struct worker *w, struct pipeline_endpoint *e);

/** Time-outs that are due. */
void worker_run_timers(struct worker *w, mono_us now);

#endif
