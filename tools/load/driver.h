/**
 * How a server is talked to: the seam between users and a signaling protocol.
 *
 * A driver turns "call bob with this offer" into frames, and frames into events. It owns no timer
 * and knows no media. Each frame gives at most one event. Adding a server = one file with a
 * struct driver, and a row in driver.c.
 *
 * Two shapes of a call. In the one2one protocol both users offer, and each gets an ANSWER. Where
 * the server offers to the callee (Janus, rtpengine), INCOMING carries that offer as `text`, what
 * the callee accepts with is its answer, and only the caller gets an ANSWER.
 */
#ifndef LOAD_DRIVER_H
#define LOAD_DRIVER_H

#include <jansson.h>

#include "load/ws.h"

enum driver_event_type {
    DRIVER_NOTHING,    /**< of no interest */
    DRIVER_REGISTERED, /**< the user can be called */
    DRIVER_RINGING,    /**< caller: the callee was told */
    DRIVER_INCOMING,   /**< callee: `from` calls; `text` is the server's offer, empty = none */
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
    struct str from;     /**< INCOMING */
    bool is_for_partner; /**< the other user of the pair is told: the server does not do it */
};

#define DRIVER_NAME_MAX 65
#define DRIVER_TEXT_MAX 200
#define DRIVER_CALL_MAX 80

struct driver;

/** One user's end of the protocol. */
struct driver_session {
    const struct driver *driver;
    struct ws *ws;                    /**< borrowed */
    struct driver_session *partner;   /**< borrowed: the other user of the pair */
    char name[DRIVER_NAME_MAX];       /**< RO after init */
    char call_id[DRIVER_CALL_MAX];    /**< of the call that this user is in; empty = unknown */
    json_int_t session_id, handle_id; /**< Janus: what its messages are addressed to */
    unsigned n_commands;              /**< rtpengine: sent so far */
    json_t *message;                  /**< owned: what the strings of the last event are part of */
    char text[DRIVER_TEXT_MAX];       /**< or this is */
};

struct driver {
    const char *name;         /**< --driver */
    const char *default_path; /**< of the WebSocket when --url has none */
    const char *subprotocol;  /**< NULL = none */

    /** The WebSocket is open: register session->name. */
    void (*open)(struct driver_session *s);
    struct driver_event (*receive)(struct driver_session *s, struct str message);
    void (*call)(struct driver_session *s, const char *to, const char *offer);
    /** @param sdp the answer when INCOMING had an offer, else an offer */
    void (*accept)(struct driver_session *s, const char *from, const char *sdp);
    /** NULL = no trickle: the candidate is in the SDP. @param candidate empty = no more */
    void (*candidate)(struct driver_session *s, const char *candidate, const char *ufrag);
    void (*hang_up)(struct driver_session *s);
    /** Every DRIVER_KEEP_ALIVE; NULL = not needed. */
    void (*keep_alive)(struct driver_session *s);
};

/** Janus forgets a session that was silent for 60 s. */
#define DRIVER_KEEP_ALIVE (20 * US_PER_S)

extern const struct driver driver_one2one, driver_janus, driver_rtpengine;

/** NULL = none */
const struct driver *driver_find(const char *name);

void driver_session_deinit(struct driver_session *s);

/* --- for drivers --- */

/** Send it as text, behind the prefix. @param message owned from now on; NULL (no memory) = nothing
 *  is sent, and the call runs into its limit */
void driver_send(struct driver_session *s, const char *prefix, json_t *message);

/** Take a JSON object as s->message; what cannot be read becomes NULL, in which nothing is found.
 */
void driver_load(struct driver_session *s, struct str text);

/** The string behind this name; "" when there is none. @param object NULL is legal */
const char *driver_string(const json_t *object, const char *name);

#endif
