/**
 * The media engine: the only door to media.
 *
 * Worker threads, each with one port, UDP and TCP. A pipeline is a set of endpoints that are
 * connected with one another, a call is a pipeline of two; it lives whole on one worker, so that no
 * packet crosses a thread and media takes no lock. Everything below is called on one control thread
 * and never waits for a worker: what an answer needs (credentials, SSRC, fingerprint, port) is made
 * here, the rest goes to the worker by mailbox. What happens there comes back as events.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/interface_rule.h"
#include "base/packet_feed.h"
#include "base/packet_ring.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "peer/figures.h"
#include "relay/quality.h"

/** Upper bounds of configuration and of what one call may hold. */
#define ENGINE_MAX_WORKERS    64
#define ENGINE_MAX_RULES      16
#define ENGINE_MAX_ADDRESSES  8
#define ENGINE_MAX_CANDIDATES 18 /**< UDP and TCP of each address, a reflexive one per family */

/** Room for the text of an error, the zero included. */
#define ENGINE_ERROR_MAX 160

struct engine_config {
    struct addr listen; /**< worker i binds port + i; port 0 = the system chooses each */
    unsigned workers;   /**< 1..ENGINE_MAX_WORKERS; 0 = one a core */
    bool red;           /**< answer RED (RFC 2198) where it is offered */
    bool ice_lite;      /**< answer checks only, never send any (RFC 8445 §2.5) */
    mono_us tick;       /**< sleep of a busy worker between two turns; 0 = wake per packet */
    bool tcp;           /**< listen on the same ports with TCP, too (RFC 6544) */
    unsigned dscp;      /**< mark of what is sent, 0..63 (RFC 2474); 0 = none */
    const struct addr *external_ips; /**< offered in place of the interfaces' own; borrowed */
    size_t n_external_ips;           /**< 0 = offer the interfaces' addresses */
    bool external_auto;              /**< take them from the STUN servers */
    const char *const *stun;         /**< "host:port", asked from each port; borrowed */
    size_t n_stun;                   /**< 0 = nobody is asked */
    const struct interface_rule *interfaces; /**< which addresses of a wildcard; borrowed */
    size_t n_interfaces;                     /**< 0 = all; at most ENGINE_MAX_RULES */
    uint16_t rtp_first, rtp_last;            /**< ports for plain RTP, inclusive; 0, 0 = none */
    void (*wake)(void *user);                /**< events wait; called from worker threads */
    void *wake_user;
};

enum engine_event_type {
    ENGINE_EVENT_PATH,          /**< an endpoint: its ICE uses another path, or has nominated it */
    ENGINE_EVENT_CONNECTED,     /**< an endpoint: ICE and DTLS are through */
    ENGINE_EVENT_SNAPSHOT,      /**< an endpoint: what engine_snapshot asked for */
    ENGINE_EVENT_PLAYED,        /**< an endpoint: what engine_play gave it was played to its end */
    ENGINE_EVENT_ENDED,         /**< an endpoint's media is over; releasing it is the caller's */
    ENGINE_EVENT_ENDPOINT_GONE, /**< it has left its worker; the last event of an endpoint */
    ENGINE_EVENT_GONE,          /**< a released pipeline has; its last event, behind all others */
};

enum engine_end {
    ENGINE_END_ICE_FAILED,    /**< no candidate pair worked */
    ENGINE_END_DTLS_FAILED,   /**< handshake failed, or the fingerprint is not that of the SDP */
    ENGINE_END_CONSENT_LOST,  /**< nothing was heard from the other side (RFC 7675) */
    ENGINE_END_REMOTE_CLOSED, /**< authenticated DTLS close_notify */
    ENGINE_END_BROKEN,        /**< out of memory or the like, on this side */
};

/**
 * What one endpoint's media came to, up to a moment: counters since its beginning. Of two of these
 * an asker makes its own interval; of those of a whole call, with relay/quality.h, how it sounds.
 */
struct engine_stats {
    uint64_t packets_received; /**< from it, forwarded to at least one sink */
    uint64_t packets_dropped;  /**< from it, not forwarded, for whatever reason; once for a sink */
    struct peer_figures media; /**< RTP and RTCP, both ways */
};

/** The pair of candidates that an endpoint uses; as text by engine_path_write. */
struct engine_path {
    struct addr local, remote; /**< as candidates name them */
    uint32_t local_priority, remote_priority;
    uint8_t remote_type; /**< enum ice_type */
    bool is_tcp;
    bool is_nominated; /**< ICE is through; until then a better path may take over at once */
};

struct engine_event {
    enum engine_event_type type;
    uint64_t pipeline;
    unsigned endpoint;                /**< all but GONE */
    struct engine_path path;          /**< PATH */
    unsigned tag;                     /**< SNAPSHOT, PLAYED: the asker's own */
    enum engine_end end;              /**< ENDED */
    const struct engine_stats *stats; /**< SNAPSHOT, ENDPOINT_GONE; until the next poll */
};

struct engine;

/**
 * Open the ports and start the workers.
 *
 * @param error what went wrong, for the operator; ENGINE_ERROR_MAX bytes
 * @return NULL on failure
 */
struct engine *engine_new(const struct engine_config *config, struct rng *rng, char *error);

/** Ends all pipelines (BYE and close_notify are sent), joins the threads. NULL is legal. */
void engine_free(struct engine *engine);

/** Address and port of worker i < engine_n_workers. */
struct addr engine_listen_addr(const struct engine *engine, unsigned worker);
unsigned engine_n_workers(const struct engine *engine);

/**
 * Do all ports know how they look from outside, or that nobody tells them? Without STUN servers
 * yes. Changes with events; calls that begin before offer the machine's own addresses.
 */
bool engine_knows_outside(const struct engine *engine);

/** Who drives the engine; each reads the events of what it made. */
enum engine_front {
    ENGINE_CALLS,     /**< signal: engine_call_start, and the recordings that it plays */
    ENGINE_PIPELINES, /**< kurento */
    ENGINE_N_FRONTS,
};

bool engine_poll_event(struct engine *engine, enum engine_front front, struct engine_event *ret);

/** Pipelines that live on the workers now, released ones included until they are gone. */
size_t engine_n_pipelines(const struct engine *engine);

/* --- pipelines and endpoints ---
 *
 * Names are the caller's choice: a pipeline has an id (64 random bits, where there is more than one
 * caller), an endpoint a number within its pipeline. A name is taken until the last event of what
 * it names was polled.
 */

/** Outcomes that the caller can do something about. */
enum {
    ENGINE_E_OFFER = 1, /**< an offer cannot be answered: tell its owner */
    ENGINE_E_NO_CODEC,  /**< the two have no audio codec in common: tell both */
    ENGINE_E_UNKNOWN,   /**< no such pipeline or endpoint, or it was released */
    ENGINE_E_PORTS,     /**< plain RTP: no free port is left in the range */
    ENGINE_E_CANDIDATE, /**< cannot be used: counted and ignored, ICE lives without it */
};

/** Room for one answer, for one candidate line, and for a mid; the zero included. */
#define ENGINE_ANSWER_MAX         16384
#define ENGINE_CANDIDATE_TEXT_MAX 256
#define ENGINE_MID_MAX            65

/** Which way an endpoint's media may go, seen from us. */
enum engine_direction {
    ENGINE_SENDRECV, /**< whatever the other side wants */
    ENGINE_SENDONLY,
    ENGINE_RECVONLY,
};

/**
 * Both candidates as "candidate:…" lines, with "1" for the foundation: agents keep none.
 *
 * @param local, remote  ENGINE_CANDIDATE_TEXT_MAX bytes each
 */
void engine_path_write(const struct engine_path *path, char *local, char *remote);

/** An answer of ours, or an offer. About 20 KB: on the heap. */
struct engine_answer {
    bool is_restart; /**< of ICE; only for a later offer */
    char sdp[ENGINE_ANSWER_MAX];
    char candidates[ENGINE_MAX_CANDIDATES][ENGINE_CANDIDATE_TEXT_MAX];
    size_t n_candidates;
    char mid[ENGINE_MID_MAX]; /**< of the audio line; empty = it has none */
    int mline_index;          /**< of the audio line */
};

/**
 * Can this offer be answered at all?
 *
 * @param error what is wrong, ENGINE_ERROR_MAX bytes
 */
bool engine_check_offer(struct str offer, char *error);

/**
 * An empty pipeline, on a worker of our choice.
 *
 * @param front  who reads its events
 * @return 0 or -ENOMEM
 */
MUST_CHECK int engine_pipeline_new(struct engine *engine, enum engine_front front,
                                   uint64_t pipeline);

/**
 * End a pipeline and all of its endpoints. From now on only their ENGINE_EVENT_ENDPOINT_GONE and
 * its ENGINE_EVENT_GONE come out of engine_poll_event. An unknown one is ignored.
 */
void engine_pipeline_release(struct engine *engine, uint64_t pipeline);

/**
 * A WebRTC endpoint, made by answering its offer with all that it has. Nobody hears it yet.
 *
 * @param error  on ENGINE_E_OFFER; ENGINE_ERROR_MAX bytes
 *
 * @return 0, ENGINE_E_OFFER, ENGINE_E_UNKNOWN (the pipeline), or -ENOMEM: nothing was made
 */
MUST_CHECK int engine_endpoint_answer(struct engine *engine, mono_us now, uint64_t pipeline,
                                      unsigned endpoint, struct str offer,
                                      enum engine_direction direction, struct engine_answer *ret,
                                      char *error);

/** An offer of ours that waits for its answer. */
struct engine_offered;

/**
 * Offer a WebRTC endpoint: one audio line with every codec that can be relayed, and all of our
 * candidates. It comes into being with the answer; an offer that gets none is just freed.
 *
 * @param ret_offered  the caller's
 * @return 0, ENGINE_E_UNKNOWN (the pipeline), or -ENOMEM
 */
MUST_CHECK int engine_offer(struct engine *engine, mono_us now, uint64_t pipeline,
                            enum engine_direction direction, struct engine_answer *ret,
                            struct engine_offered **ret_offered);

/**
 * Make the endpoint that was offered. What it offers later is answered like anybody's
 * (engine_endpoint_answer_again).
 *
 * @param offered  of this pipeline; free it after success, it makes one endpoint
 * @param error    on ENGINE_E_OFFER: what is wrong with the answer; ENGINE_ERROR_MAX bytes
 *
 * @return 0, ENGINE_E_OFFER (another answer may follow), ENGINE_E_UNKNOWN, or -ENOMEM: nothing was
 *         made
 */
MUST_CHECK int engine_endpoint_accept(struct engine *engine, mono_us now, uint64_t pipeline,
                                      unsigned endpoint, const struct engine_offered *offered,
                                      struct str answer, char *error);

/** NULL is legal. */
void engine_offered_free(struct engine_offered *offered);

/**
 * A later offer of a WebRTC endpoint: an ICE restart, hold, other payload types. Keys, SSRC and
 * numbering go on; whom it hears, and who hears it, do not notice. The answer has our candidates
 * in it.
 *
 * @param error  on ENGINE_E_OFFER; ENGINE_ERROR_MAX bytes
 *
 * @return 0, ENGINE_E_OFFER, ENGINE_E_UNKNOWN, or -ENOMEM: everything is as before
 */
MUST_CHECK int engine_endpoint_answer_again(struct engine *engine, mono_us now, uint64_t pipeline,
                                            unsigned endpoint, struct str offer,
                                            struct engine_answer *ret, char *error);

/* --- plain RTP: SIP gateways, ffmpeg, GStreamer and the like ---
 *
 * Without ICE and DTLS, on ports of its own out of rtp_first..rtp_last. Where the other
 * end is says its description; packets from elsewhere are followed by the rules of peer/latch.h.
 * ENGINE_EVENT_CONNECTED = its address is known. It never ends by itself.
 */

/** SRTP with keys in the descriptions (SDES) and nothing else: AES_CM_128_HMAC_SHA1_80. */
struct engine_sdes {
    bool has_key;    /**< false = a new one is made */
    uint8_t key[30]; /**< master key and salt of what we send; a secret */
};

/**
 * An endpoint that answers an offer of RTP/AVP or RTP/AVPF; or of RTP/SAVP or RTP/SAVPF with
 * a=crypto.
 *
 * @param sdes     it must be encrypted, with this key; NULL = as is offered, with a key of ours
 * @param ret_sdp  the answer, ENGINE_ANSWER_MAX bytes
 * @param error    on ENGINE_E_OFFER and ENGINE_E_PORTS; ENGINE_ERROR_MAX bytes
 *
 * @return 0, ENGINE_E_OFFER, ENGINE_E_PORTS, ENGINE_E_UNKNOWN (the pipeline), or a negative errno:
 *         nothing was made
 */
MUST_CHECK int engine_plain_answer(struct engine *engine, mono_us now, uint64_t pipeline,
                                   unsigned endpoint, struct str offer,
                                   const struct engine_sdes *sdes, char *ret_sdp, char *error);

/** A later offer of it: hold, another address, other codecs. Our ports, SSRC, key, numbers go on.
 *  @return as engine_plain_answer: on failure everything is as before */
MUST_CHECK int engine_plain_answer_again(struct engine *engine, uint64_t pipeline,
                                         unsigned endpoint, struct str offer, char *ret_sdp,
                                         char *error);

/** An offer of plain RTP, whose ports are open already. */
struct engine_plain_offered;

/** @param is_v6  with an IPv6 address @param sdes  NULL = plain @return as engine_plain_answer */
MUST_CHECK int engine_plain_offer(struct engine *engine, mono_us now, uint64_t pipeline, bool is_v6,
                                  enum engine_direction direction, const struct engine_sdes *sdes,
                                  char *error, struct engine_plain_offered **ret_offered);

const char *engine_plain_offered_sdp(const struct engine_plain_offered *offered);

/**
 * Make the endpoint that was offered.
 *
 * @param offered  free it after success, it makes one endpoint
 * @return as engine_plain_answer; on ENGINE_E_OFFER another answer may follow, a negative errno
 *         spends the offer
 */
MUST_CHECK int engine_plain_accept(struct engine *engine, mono_us now, uint64_t pipeline,
                                   unsigned endpoint, struct engine_plain_offered *offered,
                                   struct str answer, char *error);

/** Before the engine. NULL is legal. */
void engine_plain_offered_free(struct engine_plain_offered *offered);

/* --- ends that are not on the network --- */

/**
 * An endpoint that only listens: what it hears comes out of the ring as plain RTP of one stream,
 * numbered without a break whoever it hears. Opus alone: of a source without it nothing comes.
 *
 * @param ring  referenced until the endpoint is gone; who reads too slowly loses packets, which are
 *              in packets_dropped
 *
 * @return 0, ENGINE_E_UNKNOWN (the pipeline), or -ENOMEM: nothing was made
 */
MUST_CHECK int engine_endpoint_tap(struct engine *engine, uint64_t pipeline, unsigned endpoint,
                                   struct packet_ring *ring);

/**
 * An endpoint that plays what engine_play gives it, to all who hear it. It hears nobody. Opus
 * alone: a sink without it hears nothing.
 *
 * @return as engine_endpoint_tap
 */
MUST_CHECK int engine_endpoint_player(struct engine *engine, uint64_t pipeline, unsigned endpoint);

/**
 * Play this from now on, in place of what was played and not paused. The stream goes on without a
 * break in its numbers. When the end of the feed was played, ENGINE_EVENT_PLAYED comes; not for one
 * that was replaced.
 *
 * @param feed  referenced until its end, the next one or the endpoint's; NULL = nothing any more
 * @param tag   comes back with the event
 *
 * @return 0, ENGINE_E_UNKNOWN (no such player), or -ENOMEM: it plays on as before
 */
MUST_CHECK int engine_play(struct engine *engine, uint64_t pipeline, unsigned endpoint,
                           struct packet_feed *feed, unsigned tag);

/** Hold, or go on at the very packet where it was held. @return as engine_play */
MUST_CHECK int engine_play_pause(struct engine *engine, uint64_t pipeline, unsigned endpoint,
                                 bool is_paused);

/** End one endpoint; who heard it hears nobody. An unknown one is ignored. */
void engine_endpoint_release(struct engine *engine, uint64_t pipeline, unsigned endpoint);

/**
 * Let `sink` hear `source`, in place of whom it heard before and without a break in its stream.
 * Both are of one pipeline.
 *
 * @return 0, ENGINE_E_UNKNOWN, or -ENOMEM: everything is as before
 */
MUST_CHECK int engine_connect(struct engine *engine, uint64_t pipeline, unsigned source,
                              unsigned sink);

/** Let `sink` hear nobody, if it hears `source`. @return as engine_connect */
MUST_CHECK int engine_disconnect(struct engine *engine, uint64_t pipeline, unsigned source,
                                 unsigned sink);

/**
 * A remote candidate of a WebRTC endpoint.
 *
 * @param candidate "candidate:…"; empty = no more will come
 * @param ufrag     empty = of the current generation
 *
 * @return 0, ENGINE_E_UNKNOWN, ENGINE_E_CANDIDATE, or -ENOMEM; each may be ignored. What the worker
 *         cannot use (another generation, one too many) is only counted
 */
int engine_add_candidate(struct engine *engine, uint64_t pipeline, unsigned endpoint,
                         struct str candidate, struct str ufrag);

/**
 * Ask for an endpoint's figures. They come as ENGINE_EVENT_SNAPSHOT; while nobody asks they cost
 * nothing. Questions about endpoints of one pipeline, asked one after another, are answered about
 * the same moment, in their order.
 *
 * @param tag  comes back with the answer
 *
 * @return 0, ENGINE_E_UNKNOWN, or -ENOMEM: no answer will come. An endpoint that is released
 *         meanwhile does not answer either
 */
MUST_CHECK int engine_snapshot(struct engine *engine, uint64_t pipeline, unsigned endpoint,
                               unsigned tag);

/* --- calls --- */

/** About 40 KB: on the heap. */
struct engine_answers {
    struct engine_answer legs[2];
    unsigned bad_leg; /**< ENGINE_E_OFFER: whose offer it is */
    char error[ENGINE_ERROR_MAX];
};

/**
 * Make a call: a pipeline with two WebRTC endpoints, 0 and 1, connected both ways. Unlike two
 * endpoints that were made one by one they agree on the codecs that both have.
 *
 * @param pipeline not in use
 * @param ret      filled with the answers on 0, with `error` on ENGINE_E_*
 *
 * @return 0, ENGINE_E_OFFER, ENGINE_E_NO_CODEC, or a negative errno: nothing was made
 */
MUST_CHECK int engine_call_start(struct engine *engine, mono_us now, uint64_t pipeline,
                                 const struct str offers[2], struct engine_answers *ret);

#endif
