/**
 * A call on one server: a MediaPipeline with two WebRtcEndpoints, each connected to the other. The
 * steps are those of the one2one tutorial:
 *
 *     create MediaPipeline ─► create both endpoints ─► subscribe, connect, processOffer, of both
 *                             ─► ANSWERED ─► gatherCandidates, and the candidates that waited
 *
 * What belongs to one arrow is sent together; the server answers in order. A bridge that its call
 * has left (abandoned) lives until it knows which pipeline to release.
 */
#ifndef KMS_BRIDGE_H
#define KMS_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "kms/candidate.h"
#include "kms/private.h"
#include "kms/rpc.h"
#include "kms/server.h"
#include "kms/stats.h"

/** Something on the server that tells events. In server->objects while it has an id. */
struct kms_object {
    char *id; /**< owned; NULL = not made yet */
    struct kms_bridge *bridge;
};

struct kms_bridge_leg {
    struct kms_object endpoint;
    char *answer; /**< owned; until it is told */
    bool is_connected;
    bool is_offering;   /**< a later offer is under way */
    mono_us trouble_at; /**< ICE is without a path since then; MONO_NEVER = it has one */
    struct kms_candidates local;
    struct kms_stats stats; /**< the last ones */
    struct kms_stats_memory memory;
};

struct kms_bridge {
    uint64_t number; /**< RO; key in kms.bridges */
    struct kms_server *server;
    struct kms_call *call; /**< NULL = abandoned */
    struct list siblings;  /**< in server->bridges */
    mono_us first_by;      /**< the pipeline must be there by then; MONO_NEVER = it is */
    unsigned n_needed;     /**< requests that must succeed before the answers are told */
    bool is_answered;
    unsigned stats_came[MEDIA_LEGS]; /**< by who asked: of which legs, by bit */
    struct kms_object pipeline;
    struct kms_bridge_leg legs[MEDIA_LEGS];
};

/** What an endpoint is asked to tell. Without those that are needed there is no call. */
struct kms_subscription {
    const char *name;
    const char *old_name; /**< in version 6; NULL = the same */
    bool is_needed;
    void (*handler)(struct kms_bridge *b, mono_us now, unsigned leg, const json_t *data);
};

#define KMS_N_SUBSCRIPTIONS 6

extern const struct kms_subscription kms_subscriptions[KMS_N_SUBSCRIPTIONS];

/**
 * Begin on a server that is UP. The call has its bridge before anything can go wrong.
 *
 * @return 0, or -ENOMEM: nothing was made
 */
MUST_CHECK int kms_bridge_begin(struct kms_call *c, mono_us now, struct kms_server *s);

/** The answer to a request of a bridge; numbers of bridges that are gone are ignored. */
void kms_bridge_answer(struct kms_server *s, mono_us now, struct kms_tag tag,
                       const struct kms_answer *answer);

/** An event of this server's objects; unknown ones are ignored. */
void kms_bridge_event(struct kms_server *s, mono_us now, const struct kms_heard *heard);

/** The leg is connected: told once. May end the call (no memory). */
void kms_bridge_went_on(struct kms_bridge *b, mono_us now, unsigned leg);

/** The leg is without a path, for a moment perhaps: see KMS_ICE_GRACE. */
void kms_bridge_has_no_path(struct kms_bridge *b, mono_us now, unsigned leg);

/** NULL = gone */
struct kms_bridge *kms_bridge_find(const struct kms *k, uint64_t number);

/** A candidate of the browser; the answers are out. @param candidate taken; NULL = no memory */
void kms_bridge_add_candidate(struct kms_bridge *b, mono_us now, enum media_leg leg,
                              json_t *candidate);

/** @return 0, or a negative errno: no event will come */
MUST_CHECK int kms_bridge_offer_again(struct kms_bridge *b, mono_us now, enum media_leg leg,
                                      struct str offer);

/** How do both lines do? Comes as MEDIA_EVENT_QUALITY, or not at all. bridge_quality.c */
void kms_bridge_ask_quality(struct kms_bridge *b, mono_us now, enum media_leg asker,
                            const struct media_hearing *hearing);

/** Have figures of a leg fetched. @return 0 (they come to kms_bridge_stats) or -ENOMEM */
MUST_CHECK int kms_bridge_ask_stats(struct kms_bridge *b, mono_us now, unsigned leg,
                                    unsigned asker);

/** Have what was made released. @return 0, or -ENOMEM */
MUST_CHECK int kms_bridge_ask_release(struct kms_bridge *b, mono_us now);

/** They came; may end the call (no memory). */
void kms_bridge_stats(struct kms_bridge *b, mono_us now, unsigned leg, unsigned asker,
                      const json_t *value);

/** The connection is back: what was missed meanwhile is asked for. */
void kms_bridge_resumed(struct kms_bridge *b, mono_us now);

/** The server is lost. The bridge is gone afterwards. */
void kms_bridge_lost(struct kms_bridge *b, mono_us now);

/** When kms_bridge_timeout is due */
mono_us kms_bridge_deadline(const struct kms_bridge *b);
void kms_bridge_timeout(struct kms_bridge *b, mono_us now);

/** Its call lets go of it: what was made is released, now or as soon as it is known. */
void kms_bridge_abandon(struct kms_bridge *b, mono_us now);

/** Without a word to the server. */
void kms_bridge_free(struct kms_bridge *b);

#endif
