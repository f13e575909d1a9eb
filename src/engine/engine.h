/**
 * The media engine: the only door to media.
 *
 * Worker threads, each with one UDP port; a call lives whole on one worker, so that no packet
 * crosses a thread and media takes no lock. Everything below is called on one control thread and
 * never waits for a worker: what an answer needs (credentials, SSRC, fingerprint, port) is made
 * here, the rest goes to the worker by mailbox. What happens there comes back as events.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"

/** Upper bounds of configuration and of what one call may hold. */
#define ENGINE_MAX_WORKERS   64
#define ENGINE_MAX_ADDRESSES 16

/** Room for the text of an error, the zero included. */
#define ENGINE_ERROR_MAX 160

struct engine_config {
    struct addr listen; /**< worker i binds port + i; port 0 = the system chooses each */
    unsigned workers;   /**< 1..ENGINE_MAX_WORKERS; 0 = one a core */
    bool ice_lite;      /**< answer checks only, never send any (RFC 8445 §2.5) */
    mono_us tick;       /**< sleep of a busy worker between two turns; 0 = wake per packet */
    unsigned dscp;      /**< mark of what is sent, 0..63 (RFC 2474); 0 = none */
    const struct addr *external_ips; /**< offered in place of the interfaces' own; borrowed */
    size_t n_external_ips;           /**< 0 = offer the interfaces' addresses */
    void (*wake)(void *user);        /**< events wait; called from worker threads */
    void *wake_user;
};

enum engine_event_type {
    ENGINE_EVENT_CONNECTED, /**< a leg: ICE and DTLS are through */
    ENGINE_EVENT_ENDED,     /**< a leg's media is over; the call is still the caller's to release */
    ENGINE_EVENT_GONE,      /**< a released call has left its worker; the last event of a call */
};

enum engine_end {
    ENGINE_END_ICE_FAILED,    /**< no candidate pair worked */
    ENGINE_END_DTLS_FAILED,   /**< handshake failed, or the fingerprint is not that of the SDP */
    ENGINE_END_CONSENT_LOST,  /**< nothing was heard from the other side (RFC 7675) */
    ENGINE_END_REMOTE_CLOSED, /**< authenticated DTLS close_notify */
    ENGINE_END_BROKEN,        /**< out of memory or the like, on this side */
};

/** What one leg's media came to. */
struct engine_leg_stats {
    uint64_t packets_received; /**< from this leg, forwarded */
    uint64_t packets_sent;     /**< to this leg */
    uint64_t packets_dropped;  /**< from this leg, not forwarded, for whatever reason */
    int32_t uplink_lost;       /**< RFC 3550 A.3, of the last source; without what was repaired */
    uint32_t uplink_repaired;  /**< came after all, when they were asked for */
    int32_t downlink_lost;     /**< as the client last reported it */
    uint32_t downlink_resent;  /**< because the client asked for them */
    uint32_t uplink_jitter_us;
    uint32_t downlink_jitter_us; /**< as the client last reported it */
    uint32_t rtt_us;             /**< between server and client; 0 = never known */
};

struct engine_event {
    enum engine_event_type type;
    uint64_t call_id;
    unsigned leg;                    /**< CONNECTED, ENDED: 0 or 1 */
    enum engine_end end;             /**< ENDED */
    struct engine_leg_stats legs[2]; /**< GONE */
};

struct engine;

/**
 * Open the ports and start the workers.
 *
 * @param error what went wrong, for the operator; ENGINE_ERROR_MAX bytes
 * @return NULL on failure
 */
struct engine *engine_new(const struct engine_config *config, struct rng *rng, char *error);

/** Ends all calls (BYE and close_notify are sent), joins the threads. NULL is legal. */
void engine_free(struct engine *engine);

/** Address and port of worker i < engine_n_workers. */
struct addr engine_listen_addr(const struct engine *engine, unsigned worker);
unsigned engine_n_workers(const struct engine *engine);

/**
 * Can this offer be answered at all?
 *
 * @param error what is wrong, ENGINE_ERROR_MAX bytes
 */
bool engine_check_offer(struct engine *engine, struct str offer, char *error);

enum {
    ENGINE_E_OFFER = 1, /**< an offer cannot be answered: tell its owner */
    ENGINE_E_NO_CODEC,  /**< the two have no audio codec in common: tell both */
};

/** Room for one answer, for one candidate line, and for a mid; the zero included. */
#define ENGINE_ANSWER_MAX         16384
#define ENGINE_CANDIDATE_TEXT_MAX 256
#define ENGINE_MID_MAX            65

/** About 40 KB: on the heap. */
struct engine_answers {
    char sdp[2][ENGINE_ANSWER_MAX];
    char candidates[ENGINE_MAX_ADDRESSES][ENGINE_CANDIDATE_TEXT_MAX]; /**< of both legs */
    size_t n_candidates;
    char mid[2][ENGINE_MID_MAX]; /**< of the audio line; empty = it has none */
    int mline_index[2];          /**< of the audio line */
    unsigned bad_leg;            /**< ENGINE_E_OFFER: whose offer it is */
    char error[ENGINE_ERROR_MAX];
};

/**
 * Make a call: negotiate both offers, hand it to a worker.
 *
 * @param call_id chosen by the caller, not in use
 * @param ret     filled with the answers on 0, with `error` on ENGINE_E_*
 *
 * @return 0, ENGINE_E_*, or a negative errno: nothing was made
 */
MUST_CHECK int engine_call_start(struct engine *engine, mono_us now, uint64_t call_id,
                                 const struct str offers[2], struct engine_answers *ret);

/**
 * A remote candidate. What cannot be used (a name, another generation, one too many) is counted
 * and ignored: ICE lives without it.
 *
 * @param candidate "candidate:…"; empty = no more will come
 * @param ufrag     empty = of the current generation
 */
void engine_call_add_candidate(struct engine *engine, uint64_t call_id, unsigned leg,
                               struct str candidate, struct str ufrag);

/** End a call. Of its events only ENGINE_EVENT_GONE comes out of engine_poll_event from now on. */
void engine_call_release(struct engine *engine, uint64_t call_id);

bool engine_poll_event(struct engine *engine, struct engine_event *ret);

/** Calls that live on the workers now, released ones included until they are gone. */
size_t engine_n_calls(const struct engine *engine);

#endif
