/**
 * What the parts of the control side share: engine.c is its beginning and end, answer.c makes an
 * endpoint from an offer, offer.c from the answer to one of ours, pipelines.c gives things to the
 * workers, call.c makes a whole call.
 */
#ifndef ENGINE_ENGINE_PRIVATE_H
#define ENGINE_ENGINE_PRIVATE_H

#include "base/map.h"
#include "engine/engine.h"
#include "engine/pipeline.h"
#include "engine/plain_ports.h"
#include "engine/said.h"
#include "engine/worker.h"
#include "peer/negotiate.h"
#include "sdp/sdp.h"

/** A pipeline as the control side knows it. */
struct engine_pipeline {
    uint64_t id;
    enum engine_front front;
    struct worker *worker;
    struct pipeline *pipeline; /**< owned by the worker: for commands only, never looked into */
    bool is_released;          /**< nothing but its last event, and its endpoints', comes */
};

/** Name of an endpoint; bytes of a key, so without padding. */
struct engine_name {
    uint64_t pipeline, endpoint;
};

/** An endpoint as the control side knows it. */
struct engine_endpoint {
    struct engine_name name;
    struct worker *worker;
    struct pipeline_endpoint *endpoint; /**< owned by the worker, as above */
    struct said *said;                  /**< for its later offers; owned */
    struct engine_plain *plain;         /**< what was said of plain RTP; owned; NULL = is none */
    bool is_player;                     /**< RO: of that kind, which alone can be told to play */
    bool is_released;                   /**< by itself; see the pipeline, too */
};

/** Reports for one front, taken from the mailbox, oldest first. */
struct engine_pending {
    struct mail *first, *last; /**< last is valid when first is */
};

struct engine {
    struct rng *rng;
    bool red, ice_lite;
    struct dtls_identity identity;
    struct mailbox reports;
    struct engine_pending pending[ENGINE_N_FRONTS];
    struct worker_report *polled; /**< owned: its event is with the caller until the next poll */
    struct map pipelines;         /**< struct engine_pipeline by id; owned */
    struct map endpoints;         /**< struct engine_endpoint by name; owned */
    unsigned next_worker;
    unsigned n_workers;
    struct worker *workers;                  /**< owned */
    struct addr addrs[ENGINE_MAX_ADDRESSES]; /**< of the host candidates; port 0 */
    size_t n_addrs;
    struct addr externals[ENGINE_MAX_ADDRESSES];
    size_t n_externals;
    bool is_wildcard; /**< the addresses are those of the interfaces, and may change */
    struct interface_rule rules[ENGINE_MAX_RULES];
    size_t n_rules;
    mono_us addrs_at; /**< when they were listed */
    bool external_auto, has_stun;
    struct plain_ports plain_ports;
    struct resolver *resolver;                 /**< owned */
    unsigned outside_told[ENGINE_MAX_WORKERS]; /**< generation that was logged */
};

/** Fill an error's text. @param error ENGINE_ERROR_MAX bytes */
PRINTF_LIKE(2, 3) void engine_say(char *error, const char *format, ...);

/* --- answer.c --- */

/** What the other side says: an offer, or the answer to ours. */
struct engine_offer {
    struct str text;                 /**< borrowed */
    struct sdp sdp;                  /**< of `text`; sdp_deinit */
    enum engine_direction direction; /**< what we want of it */
};

/** Its syntax only. @return 0, ENGINE_E_OFFER, -ENOMEM; `error` says it in both cases */
MUST_CHECK int engine_parse(struct str text, struct sdp *ret, char *error);

/** Can it be answered, too? @return as engine_parse */
MUST_CHECK int engine_parse_offer(struct str text, struct engine_offer *ret, char *error);

/** What one answer is made with, and what came of it. Too large for the stack. */
struct engine_side {
    struct ice_candidate candidates[ENGINE_MAX_CANDIDATES];
    size_t n_candidates;
    struct peer_params params;
};

/** Our candidates on a worker. @return mem_free it; NULL = out of memory */
MUST_CHECK struct engine_side *engine_side_new(struct engine *e, struct worker *w, mono_us now);

/**
 * What does not depend on the leg.
 *
 * @param answer      its candidates are ours
 * @param candidates  room for ENGINE_MAX_CANDIDATES: views of them, for `local`
 */
void engine_fill_local(const struct engine *e, struct negotiate_local *local,
                       const struct engine_answer *answer, struct str *candidates);

/** Two lite sides would wait for one another. @return 0, or ENGINE_E_OFFER with `error` */
MUST_CHECK int engine_check_lite(const struct engine *e, const struct engine_side *s, char *error);

/**
 * Write an answer, and our candidates (already in *ret) into it where they have to be there.
 *
 * @param local  of said_local; fingerprint, options and candidates are filled in here. With
 *               end_of_candidates they are in the answer in any case
 * @return 0, ENGINE_E_OFFER with `error`
 */
MUST_CHECK int engine_write_answer(const struct engine *e, struct engine_side *s,
                                   const struct sdp *offer, const struct codec_set *set,
                                   struct negotiate_local *local, struct engine_answer *ret,
                                   char *error);

/**
 * Make the endpoint of what both sides said, not yet in the pipeline's list.
 *
 * @param said   the endpoint's on success
 * @param error  on ENGINE_E_OFFER
 * @return 0, ENGINE_E_OFFER, -ENOMEM
 */
MUST_CHECK int engine_make(struct worker *w, mono_us now, struct pipeline *p, unsigned number,
                           const struct engine_side *s, const struct codec_set *set,
                           struct said *said, char *error, struct pipeline_endpoint **ret);

/**
 * Answer a parsed offer and make its endpoint, not yet in the pipeline's list.
 *
 * @param set    codecs, of negotiate_common or negotiate_own
 * @param error  on ENGINE_E_OFFER
 * @return 0, ENGINE_E_OFFER, -ENOMEM
 */
MUST_CHECK int engine_make_webrtc(struct engine *e, struct worker *w, mono_us now,
                                  struct pipeline *p, unsigned number,
                                  const struct engine_offer *offer, const struct codec_set *set,
                                  struct engine_answer *answer, char *error,
                                  struct pipeline_endpoint **ret);

/* --- addresses.c --- */

/** The addresses to offer; again after some seconds, because interfaces come and go. */
MUST_CHECK int engine_list_addresses(struct engine *e, mono_us now);

/** Resolve the STUN servers and let the workers ask them. @return 0 or a negative errno */
MUST_CHECK int engine_start_stun(struct engine *e, const struct engine_config *config);

/** Log what the workers have learnt since. */
void engine_tell_outside(struct engine *e);

/* --- candidates.c --- */

/**
 * What we offer to an endpoint of this worker.
 *
 * @param ret room for ENGINE_MAX_CANDIDATES
 * @return how many
 */
size_t engine_make_candidates(const struct engine *e, struct worker *w, struct ice_candidate *ret);

/** As text: to be trickled, and for who cannot trickle in the answer itself. */
void engine_write_candidates(const struct ice_candidate *candidates, size_t n,
                             struct engine_answer *ret);

/** What stands for this base outside. @return false: the base itself */
bool engine_find_external(const struct engine *e, struct worker *w, const struct addr *base,
                          struct addr *ret);

/* --- plain.c --- */

/** Its ports can be taken again. NULL is legal. */
void engine_plain_free(struct engine *e, struct engine_plain *said);

/* --- pipelines.c --- */

/** NULL = unknown, or released. */
struct engine_pipeline *engine_find_pipeline(const struct engine *e, uint64_t id);
struct engine_endpoint *engine_find_endpoint(const struct engine *e, uint64_t pipeline,
                                             unsigned endpoint);

/** The worker of the next pipeline. */
struct worker *engine_choose_worker(struct engine *e);

/**
 * Give a pipeline to its worker, with the endpoints that are in it.
 *
 * @return 0, or -ENOMEM: it is still the caller's
 */
MUST_CHECK int engine_hand_over(struct engine *e, struct worker *w, struct pipeline *p,
                                enum engine_front front);

/** Give an endpoint to its pipeline's worker. @return 0, or -ENOMEM: it is freed */
MUST_CHECK int engine_give_endpoint(struct engine *e, struct worker *w,
                                    struct pipeline_endpoint *endpoint);

/** The last event of a pipeline or an endpoint was read: its name is free. */
void engine_forget_pipeline(struct engine *e, uint64_t pipeline);
void engine_forget_endpoint(struct engine *e, uint64_t pipeline, unsigned endpoint);

/** NULL is legal. */
void engine_endpoint_free(struct engine *e, struct engine_endpoint *known);

/** Whose a pipeline is; ENGINE_CALLS when it is unknown. */
enum engine_front engine_front_of(const struct engine *e, uint64_t pipeline);

/** Does anybody still want to know? */
bool engine_is_wanted(const struct engine *e, const struct engine_event *event);

/** Keys of the maps. */
const void *engine_pipeline_key(const void *value, size_t *ret_len);
const void *engine_endpoint_key(const void *value, size_t *ret_len);

#endif
