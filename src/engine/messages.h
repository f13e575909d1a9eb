/**
 * What the control thread and the workers say to one another.
 *
 *     control thread ── struct worker_command ──▶ worker ── struct worker_report ──▶ control thread
 *
 * The beginning and the end of an object travel inside it, and the reports of its end are made with
 * it: nobody waits for a word that there was no memory for.
 */
#ifndef ENGINE_MESSAGES_H
#define ENGINE_MESSAGES_H

#include "base/mailbox.h"
#include "engine/demux.h"
#include "engine/engine.h"
#include "peer/peer.h"

/** Local passwords are of our own making; RFC 8839 §5.4 asks for 22 at least. 144 random bits. */
#define WORKER_PWD_LEN 24

struct pipeline;
struct pipeline_endpoint;

enum worker_command_type {
    WORKER_ADD_PIPELINE, /**< with the endpoints in it */
    WORKER_ADD_ENDPOINT,
    WORKER_CONNECT,
    WORKER_DISCONNECT,
    WORKER_CANDIDATE,
    WORKER_END_OF_CANDIDATES,
    WORKER_SNAPSHOT,
    WORKER_RENEGOTIATE,
    WORKER_PLAIN_RENEGOTIATE,
    WORKER_PLAY,
    WORKER_PAUSE,
    WORKER_RESUME,
    WORKER_RELEASE_ENDPOINT, /**< it is not to be named any more */
    WORKER_RELEASE_PIPELINE, /**< nor any of its endpoints */
    WORKER_STOP,
};

/** Freed by the worker, but for those that are part of what they name: ADD_ and RELEASE_. */
struct worker_command {
    struct mail mail;
    enum worker_command_type type;
    struct pipeline *pipeline; /**< ADD_PIPELINE, RELEASE_PIPELINE */
    struct pipeline_endpoint
        *endpoint;                    /**< of the others but STOP; CONNECT, DISCONNECT: the sink */
    struct pipeline_endpoint *source; /**< CONNECT, DISCONNECT */
};

/** WORKER_CANDIDATE. */
struct worker_candidate {
    struct worker_command command; /**< first: freed as one */
    struct ice_candidate candidate;
    char ufrag[ICE_UFRAG_MAX + 1]; /**< empty = current */
};

/** WORKER_RENEGOTIATE: a later offer of an endpoint was answered. */
struct worker_renegotiation {
    struct worker_command command; /**< first: freed as one */
    struct peer_params params;     /**< without candidates */
    char ufrag[DEMUX_UFRAG_LEN + 1];
    char pwd[WORKER_PWD_LEN + 1]; /**< ours from now on; both empty = no ICE restart */
    size_t n_candidates;
    struct ice_candidate candidates[]; /**< those of the offer, of its own generation */
};

/** WORKER_PLAY. */
struct worker_play {
    struct worker_command command; /**< first: freed as one */
    struct packet_feed *feed;      /**< a reference, the worker's now; NULL = nothing any more */
    struct worker_report *played;  /**< owned by the worker now: to be sent at its end; with feed */
};

/** What a worker tells; owned by the receiver (mem_free). */
struct worker_report {
    struct mail mail;
    struct engine_event event;
    struct engine_stats stats[]; /**< one, where the event has any */
};

/** WORKER_SNAPSHOT. The report is made by who asks, so that the worker needs no memory. */
struct worker_snapshot {
    struct worker_command command; /**< first: freed as one */
    struct worker_report *report;  /**< owned by the worker now */
    unsigned tag;
};

/** @param has_stats  with room for them. NULL = out of memory */
MUST_CHECK struct worker_report *worker_report_new(bool has_stats);

#endif
