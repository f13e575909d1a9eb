/**
 * Sessions: what a client holds, across its connections.
 *
 *     connection (WebSocket) ── speaks for ──▶ session ── holds ──▶ objects
 *                                                 └── subscribed to ──▶ events of objects
 *
 * A session begins with the first request that needs one, or by being named: an id that the server
 * never heard of is taken over, because clients go on using theirs when the server was restarted.
 * It outlives its connection: the collector lets go of it when it passes for the second time
 * without finding one. What no session holds any more is released.
 *
 * Answers are remembered for a while: a client that repeats a request, not knowing whether it
 * came through, gets the answer of the first one and makes nothing twice.
 */
#ifndef KURENTO_SESSION_H
#define KURENTO_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "kurento/object.h"

/** Of a session id that a client chose: four times what ours have. */
#define KURENTO_SESSION_ID_MAX 144

/** Sessions alive at a time: naming one is enough to begin it. */
#define KURENTO_MAX_SESSIONS 10000

/** How long an answer is remembered, as in Kurento Media Server. */
#define KURENTO_ANSWER_KEPT (20 * US_PER_S)

/** And how many bytes of them a session keeps; the oldest go first. */
#define KURENTO_ANSWERS_MAX_BYTES (1 << 20)

struct kurento_conn;

struct kurento_session {
    char *id;                  /**< owned, RO */
    struct kurento_conn *conn; /**< where its events go; NULL = away */
    struct list of_all;        /**< in sessions->all */
    struct list refs;          /**< of struct kurento_ref.of_session */
    struct list subscriptions; /**< of struct kurento_subscription.of_session */
    struct map answers;        /**< of struct kurento_answer, by request id */
    struct list oldest;        /**< of the same, the oldest first */
    size_t answer_bytes;
    bool was_away; /**< the collector found it without connection once */
};

/** One client connection. */
struct kurento_conn {
    uint64_t socket;                    /**< RO; key */
    struct kurento_session *session;    /**< NULL = none yet */
    char offered[KURENTO_UUID_LEN + 1]; /**< by `connect`: becomes its session when it is used */
};

/** A session holds an object. Owned by both lists. */
struct kurento_ref {
    struct kurento_session *session;
    struct kurento_object *object;
    struct list of_session, of_object;
};

struct kurento_sessions {
    struct map by_id;
    struct list all; /**< of struct kurento_session.of_all */
    struct rng *rng; /**< borrowed */
};

void kurento_sessions_init(struct kurento_sessions *sessions, struct rng *rng);

/** All sessions must be gone. */
void kurento_sessions_deinit(struct kurento_sessions *sessions);

/** NULL = none. */
struct kurento_session *kurento_session_find(const struct kurento_sessions *sessions,
                                             struct str id);

/** @return NULL when out of memory */
MUST_CHECK struct kurento_session *kurento_session_new(struct kurento_sessions *sessions,
                                                       struct str id);

/** It holds nothing and is subscribed to nothing any more. */
void kurento_session_free(struct kurento_sessions *sessions, struct kurento_session *session);

/**
 * Hold an object and everything above it; what is held already stays so.
 *
 * @return 0 or -ENOMEM: some of them may be held
 */
MUST_CHECK int kurento_session_hold(struct kurento_session *session, struct kurento_object *object);

/** Let go of one object. @return true when nobody holds it now */
bool kurento_session_let_go(struct kurento_session *session, struct kurento_object *object);

/** Nobody holds it any more. */
void kurento_object_drop_refs(struct kurento_object *object);

/**
 * Remember an answer.
 *
 * @param id    text of the request's id
 * @param text  copied; not remembered when there is no memory for it
 */
void kurento_session_remember(struct kurento_session *session, mono_us now, struct str id,
                              struct str text);

/** The answer that was given to that id; empty = none that is remembered. Borrowed. */
struct str kurento_session_answer(struct kurento_session *session, mono_us now, struct str id);

#endif
