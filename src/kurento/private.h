/** What the files of this folder share: the server's state, and how an answer goes out. */
#ifndef KURENTO_PRIVATE_H
#define KURENTO_PRIVATE_H

#include "base/map.h"
#include "engine/engine.h"
#include "kurento/event.h"
#include "kurento/kurento.h"
#include "kurento/object.h"
#include "kurento/rpc.h"
#include "kurento/session.h"

/**
 * Answers that come later, of all clients. Most of them come within milliseconds; of a disk that
 * stands still, after KURENTO_RECORDER_PATIENCE. With the ids that are kept for them these are some
 * 10 MB.
 */
#define KURENTO_MAX_WAITING    20000
#define KURENTO_WAITING_ID_MAX 256

struct kurento {
    struct kurento_config config;       /**< RO */
    struct kurento_transport transport; /**< RO */
    struct engine *engine;              /**< borrowed */
    struct recorder *recorder;          /**< borrowed; NULL = nothing can be recorded */
    struct player *player;              /**< borrowed; NULL = nothing can be played */
    struct rng *rng;                    /**< borrowed */
    struct map pipelines;               /**< of struct kurento_media_pipeline, by number */
    char server_id[KURENTO_UUID_LEN + 1];
    struct kurento_objects objects;
    struct kurento_sessions sessions;
    struct map conns;               /**< of struct kurento_conn, owned */
    struct kurento_object *manager; /**< ServerManager; owned by objects */
    struct list waiting;            /**< of struct kurento_later */
    size_t n_waiting;               /**< of them */
    struct list releases;           /**< of release, recorder_endpoint.c */
    struct list recorder_waits;     /**< these, and of stopAndWait; oldest first */
    struct list measurements;       /**< of getUsedCpu, server_manager.c */
    mono_us now;                    /**< of the last input or timeout */
    mono_us collect_at, watch_at;
    size_t n_flow_subscriptions; /**< without any, nothing is looked at regularly */
    unsigned last_tag;           /**< of questions to the engine */
    struct kurento_stats stats;
};

/** Answers that come later: who asked, and under which id. Owned by kurento.waiting. */
struct kurento_later {
    struct kurento *kurento;
    struct list waiting;
    uint64_t socket;
    json_t *id;        /**< owned; NULL = a notification */
    char *session_id;  /**< owned */
    bool has_no_value; /**< of release: the answer says only that it was done */
};

/**
 * Run one request.
 *
 * @param is_inside  it is an element of a transaction: nothing can be put off
 * @param ret        the answer, owned; set on 0
 * @return 0, KURENTO_PUT_OFF, -ENOMEM
 */
MUST_CHECK int kurento_method_run(struct kurento *k, struct kurento_conn *conn,
                                  const struct kurento_request *request, bool is_inside,
                                  json_t **ret);

/**
 * The answer of this operation comes later: the handler returns KURENTO_PUT_OFF then.
 *
 * @return to be given to kurento_answer_later once; NULL = cannot be put off, *err says why
 */
struct kurento_later *kurento_put_off(const struct kurento_call *call, int *err);

/**
 * @param later  freed
 * @param err    what a handler would have returned
 * @param value  taken
 */
void kurento_answer_later(struct kurento *k, struct kurento_later *later, int err, json_t *value,
                          const struct kurento_fault *fault);

/** No answer will come: the handler says so itself. */
void kurento_forget_later(struct kurento_later *later);

/** Send an answer, and remember it for its session. @param answer freed; NULL = out of memory */
void kurento_send_answer(struct kurento *k, uint64_t socket, struct kurento_session *session,
                         const json_t *id, json_t *answer);

/**
 * The answer to a request.
 *
 * @param id      NULL = a notification: it was carried out, and answered with an error that says so
 * @param err     0, KURENTO_E_… with fault, or a negative errno
 * @param result  taken; of 0 only
 * @return owned; NULL = out of memory
 */
json_t *kurento_answer(json_t *id, int err, json_t *result, const struct kurento_fault *fault);

/** The session that a request speaks for: named, or the connection's, or a new one. */
MUST_CHECK int kurento_session_of(struct kurento *k, struct kurento_conn *conn,
                                  const json_t *params, struct kurento_session **ret,
                                  struct kurento_fault *fault);

/** Connection and session belong together from now on. */
void kurento_bind(struct kurento_conn *conn, struct kurento_session *session);

/**
 * Make an object and let the session hold it.
 *
 * @param ret  on 0
 * @return 0, KURENTO_E_…, -ENOMEM
 */
MUST_CHECK int kurento_create(struct kurento *k, struct kurento_session *session,
                              const struct kurento_type *type, const json_t *params,
                              struct kurento_object **ret, struct kurento_fault *fault);

/** Release an object and everything below it, whoever holds it. */
void kurento_release(struct kurento *k, struct kurento_object *object);

/** The session is over: what only it held is released. */
void kurento_end_session(struct kurento *k, struct kurento_session *session);

/** getUsedCpu: its time-outs, and its end. */
mono_us kurento_measurements_deadline(const struct kurento *k);
void kurento_measurements_timeout(struct kurento *k, mono_us now);
void kurento_measurements_drop(struct kurento *k);

/** Unix time in seconds and milliseconds. */
int64_t kurento_wall_ms(const struct kurento *k);

#endif
