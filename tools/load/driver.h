/**
 * How a server is talked to: the seam between users and a signaling protocol.
 *
 * A driver turns "call bob with this offer" into frames, and frames into events. It owns no timer
 * and knows no media. Each frame gives at most one event. Adding a server = one file with a
 * struct driver, and a row in driver.c.
 *
 * Where the server sends the callee an offer (Janus' VideoCall) INCOMING carries it as `text`; in
 * the one2one protocol both users offer, and `text` is empty.
 */
#ifndef LOAD_DRIVER_H
#define LOAD_DRIVER_H

#include <jansson.h>

#include "load/ws.h"

enum driver_event_type {
    DRIVER_NOTHING,    /**< of no interest */
    DRIVER_REGISTERED, /**< the user can be called */
    DRIVER_RINGING,    /**< caller: the callee was told */
    DRIVER_INCOMING,   /**< callee: `from` calls */
    DRIVER_ANSWER,     /**< `text` is the server's SDP */
    DRIVER_CANDIDATE,  /**< `text` is a candidate of the server; empty = no more */
    DRIVER_ENDED,      /**< the call is over; `text` says why */
    DRIVER_REFUSED,    /**< registration or call refused; `text` says why */
    DRIVER_ERROR,      /**< the server complains, or cannot be understood; `text` */
};

/** Strings are borrowed until the session's next receive. */
struct driver_event {
    enum driver_event_type type;
    struct str text;
    struct str from; /**< INCOMING */
};

#define DRIVER_NAME_MAX 65
#define DRIVER_TEXT_MAX 200

struct driver;

/** One user's end of the protocol. */
struct driver_session {
    const struct driver *driver;
    struct ws *ws;              /**< borrowed */
    char name[DRIVER_NAME_MAX]; /**< RO after init */
    char call_id[64];           /**< of the call that this user is in; empty = unknown */
    json_t *message;            /**< owned: what the strings of the last event are part of */
    char text[DRIVER_TEXT_MAX]; /**< or this is */
};

struct driver {
    const char *name;         /**< --driver */
    const char *default_path; /**< of the WebSocket when --url has none */
    const char *subprotocol;  /**< NULL = none */

    /** The WebSocket is open: register session->name. */
    void (*open)(struct driver_session *s);
    struct driver_event (*receive)(struct driver_session *s, struct str message);
    void (*call)(struct driver_session *s, const char *to, const char *offer);
    void (*accept)(struct driver_session *s, const char *from, const char *offer);
    /** @param candidate empty = no more */
    void (*candidate)(struct driver_session *s, const char *candidate, const char *ufrag);
    void (*hang_up)(struct driver_session *s);
};

extern const struct driver driver_one2one;

/** NULL = none */
const struct driver *driver_find(const char *name);

void driver_session_deinit(struct driver_session *s);

#endif
