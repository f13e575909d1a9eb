/**
 * A pipeline and its endpoints, as a worker holds them. A call is a pipeline of two.
 *
 * Both are made by the control thread, given away with a command, and freed by the worker; in
 * between the control thread keeps their addresses for commands and never looks inside.
 *
 * A kind of endpoint is a struct that begins with a struct pipeline_endpoint, and a table of what
 * it does (engine/webrtc.h is the example).
 */
#ifndef ENGINE_PIPELINE_H
#define ENGINE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/list.h"
#include "base/timer_heap.h"
#include "engine/demux.h"
#include "engine/engine.h"
#include "engine/messages.h"
#include "engine/plain_pair.h"
#include "engine/said.h"
#include "engine/setup_queue.h"
#include "peer/peer.h"
#include "relay/fan.h"

/** Of `emit`: nothing is due. */
#define PIPELINE_NOTHING 200

/** What a kind of endpoint does. Every member but `emit` is needed. On the worker's thread but for
 *  `free`. */
struct pipeline_ops {
    /** Packet path: one RTP datagram from it will be received soon. */
    void (*prefetch)(struct pipeline_endpoint *e);

    /**
     * Packet path: one RTP datagram from it.
     *
     * @param ret_due  when it wants its time-out because of this very packet; MONO_NEVER = not
     *                 earlier than before. Set also on failure
     * @return 0 = go on with relay_fan_next; or a PEER_E_ or RELAY_E_ code: drop and count
     */
    int (*receive)(struct pipeline_endpoint *e, mono_us now, struct dgram *d, struct relay_fan *ret,
                   mono_us *ret_due);

    /** Is it through its setup? Until then a datagram from it may cost as much as a handshake. */
    bool (*is_connected)(const struct pipeline_endpoint *e);

    /**
     * Does it wait for the STUN answer with this transaction id (12 bytes)? The tag that found it
     * is a small number that anybody can guess: what it does not wait for is nobody's.
     */
    bool (*awaits)(const struct pipeline_endpoint *e, const uint8_t *id);

    /** Any other datagram. @return 0, or a PEER_E_ code: drop and count */
    int (*input)(struct pipeline_endpoint *e, mono_us now, const struct dgram *d);

    void (*timeout)(struct pipeline_endpoint *e, mono_us now);

    /**
     * After `timeout`: a packet that came from no network is due. One at most, whose bytes stay
     * where they are until the next `timeout`. NULL = it has none ever.
     *
     * @return PIPELINE_NOTHING; or as `receive`
     */
    int (*emit)(struct pipeline_endpoint *e, mono_us now, struct relay_fan *ret);
    mono_us (*deadline)(const struct pipeline_endpoint *e);

    /** @param ret `data` with at least DGRAM_MAX of `cap` */
    bool (*poll_send)(struct pipeline_endpoint *e, struct dgram *ret);
    bool (*poll_event)(struct pipeline_endpoint *e, struct peer_event *ret);

    /** It is in the demultiplexer: demux.tag is valid. */
    void (*set_tag)(struct pipeline_endpoint *e);

    /** SSRC of what it sends now. @return false = nothing yet */
    bool (*get_source)(const struct pipeline_endpoint *e, uint32_t *ret);

    /** As peer_path. */
    bool (*get_path)(const struct pipeline_endpoint *e, struct peer_path *ret);

    /** As peer_add_candidate; c NULL = no more will come. */
    int (*add_candidate)(struct pipeline_endpoint *e, mono_us now, const struct ice_candidate *c,
                         struct str ufrag);

    /** As peer_disconnected. */
    void (*disconnected)(struct pipeline_endpoint *e, mono_us now, const struct addr *local,
                         const struct addr *remote);

    /** As peer_renegotiate. */
    int (*renegotiate)(struct pipeline_endpoint *e, mono_us now, const struct peer_params *params,
                       struct str ufrag, struct str pwd);

    /** Say goodbye: it waits to be polled, nothing else is sent or accepted any more. */
    void (*close)(struct pipeline_endpoint *e, mono_us now);

    /** All but the counters that the base keeps. */
    void (*figures)(const struct pipeline_endpoint *e, mono_us now, struct engine_stats *ret);

    /** Its memory, the base's included. */
    void (*free)(struct pipeline_endpoint *e);
};

/** Base of every kind. Hot members first. */
struct pipeline_endpoint {
    const struct pipeline_ops *ops; /**< RO */
    struct relay_endpoint *relay;   /**< RO: inside the kind's struct */
    struct pipeline *pipeline;      /**< RO */
    uint64_t n_received;            /**< RTP from it that somebody heard */
    uint64_t n_dropped;             /**< RTP from it that was not forwarded, once for each sink */
    struct timer timer;
    struct setup_leg setup;         /**< what it sent and was not worked on yet */
    struct demux_leg demux;         /**< its name is empty where nobody is found by ICE */
    const struct addr *path_remote; /**< RO, its value is the kind's: an address in use */
    struct plain_pair *pair;        /**< RO: its own ports, the kind's; NULL = it has none */
    unsigned number;                /**< RO: its name in the pipeline */
    struct said *said; /**< owned until the control side takes it, before the endpoint is given */
    struct worker_report *ended; /**< owned; NULL = it has been told that this one ended */
    struct worker_report *gone;  /**< owned */
    struct worker_report *tell;  /**< owned: the kind wants it to be sent now, filled; or NULL */
    struct list endpoints;       /**< in pipeline.endpoints; the control thread's until given */
    struct worker_command add, release; /**< the control thread's until they are sent */
};

struct pipeline {
    uint64_t id; /**< RO */
    struct list endpoints;
    struct list pipelines;              /**< in worker.pipelines */
    struct worker_report *gone;         /**< owned */
    struct worker_command add, release; /**< the control thread's until they are sent */
};

/** Without endpoints. NULL = out of memory. */
MUST_CHECK struct pipeline *pipeline_new(uint64_t id);

/** Frees its endpoints too. NULL is legal. */
void pipeline_free(struct pipeline *p);

/**
 * Fill the base of a new endpoint.
 *
 * @param e  zeroed; what the kind's own part needs is set by the kind
 *
 * @return 0 or -ENOMEM: free it with pipeline_endpoint_deinit and its memory
 */
MUST_CHECK int pipeline_endpoint_init(struct pipeline_endpoint *e, const struct pipeline_ops *ops,
                                      struct pipeline *p, unsigned number);

/** Legal on a zeroed or half-built base. */
void pipeline_endpoint_deinit(struct pipeline_endpoint *e);

/** Frees whatever kind. NULL is legal. Not while it is in a pipeline's list. */
void pipeline_endpoint_free(struct pipeline_endpoint *e);

#endif
