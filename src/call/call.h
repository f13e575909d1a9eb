/**
 * The call model: who is registered, who rings whom, who talks, and how each of these ends.
 *
 * Messages and time in, actions out; no JSON, no clock, no sockets. A socket is a number that its
 * owner chose. The owner (signal) checks the form of every message before it enters; the model
 * checks everything that depends on state. After every function below that takes `now`, drain
 * call_poll_action() and re-arm from call_deadline(). One thread at a time, nothing blocks.
 *
 * A call and its states (call/machine.c holds the table):
 *
 *     ringing ── accept, or the callee calls back ──► starting ── answers ──► answered ──► active
 *        │                                               │                       │           │
 *        └───────────────────────────────────────────────┴───────► ended ◄───────┴───────────┘
 *
 * A user without a call may hear a recording; meanwhile nobody can call this user (call/play.h).
 *
 * The rules in words, with the reason for each: docs/protocol.md.
 */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "call/reason.h"

/** Candidates that a call takes from one side; more are refused by name. Browsers send 2 to 30, and
 * an agent checks at most 100 pairs anyway (RFC 8445 §6.1.2.5). */
#define CALL_MAX_CANDIDATES 64

/** Room for the sentence that a media backend gives with a failure, the zero included. */
#define CALL_TEXT_MAX 160

/** Later offers that a call takes from one side: one each, so many at once. An offer is the only
 * message that costs more than its length, and a network that flaps makes one every few seconds. */
#define CALL_OFFER_INTERVAL (US_PER_S)
#define CALL_OFFER_BURST    10

#define CALL_DEFAULT_RING_TIMEOUT  (60 * US_PER_S)
#define CALL_DEFAULT_SETUP_TIMEOUT (30 * US_PER_S)

enum call_leg { CALL_CALLER = 0, CALL_CALLEE = 1 };

#define CALL_LEGS 2

/** RO after call_model_new. */
struct call_config {
    mono_us ring_timeout;  /**< unanswered calls end after this; 0 = default 60 s */
    mono_us setup_timeout; /**< accepted calls without media end after this; 0 = default 30 s */
    size_t max_users;      /**< registered names; 0 = no limit */
    size_t max_calls;      /**< ringing and running calls, and recordings played; 0 = no limit */
    bool record;           /**< calls are to be recorded, and both sides are told so */
};

struct call_candidate {
    struct str candidate; /**< "candidate:…"; empty = end of candidates */
    struct str mid;       /**< empty = not given */
    int mline_index;      /**< -1 = not given */
    struct str ufrag;     /**< empty = not given */
};

/* ---- in ---- */

enum call_msg_type {
    CALL_MSG_REGISTER,
    CALL_MSG_CALL,
    CALL_MSG_RESPONSE,
    CALL_MSG_CANDIDATE,
    CALL_MSG_REOFFER,
    CALL_MSG_STOP,
    CALL_MSG_QUALITY,
    CALL_MSG_PLAY,
    CALL_MSG_STOP_PLAY,
    CALL_MSG_SOCKET_CLOSED,
};

/** What a page says of its own ears (its getStats, over the last seconds). */
struct call_hearing {
    int concealed_permille; /**< samples that its decoder invented; -1 = not given */
    int jitter_buffer_ms;   /**< mean delay of what is heard; -1 = not given */
};

/** A page may ask for the quality of its call this often; what comes earlier is ignored. */
#define CALL_QUALITY_INTERVAL US_PER_S

/** One message of a socket. All views are borrowed for the call of call_input. */
struct call_msg {
    enum call_msg_type type;
    struct str name;         /**< REGISTER: empty, or valid by call_name_check. PLAY: whose */
    struct str from;         /**< CALL: empty = not given. RESPONSE: the caller */
    struct str to;           /**< CALL */
    struct str offer;        /**< CALL; RESPONSE that accepts; REOFFER; PLAY */
    const char *offer_error; /**< what is wrong with `offer`; NULL = it can be answered */
    bool accept;             /**< RESPONSE */
    bool busy;               /**< RESPONSE that rejects: the page is busy */
    uint64_t
        call_id; /**< RESPONSE, REOFFER, STOP, QUALITY: the call that is meant; 0 = not given */
    struct call_hearing hearing;     /**< QUALITY */
    struct call_candidate candidate; /**< CANDIDATE */
    struct str recording;            /**< PLAY: the file to play; empty = there is none for them */
};

enum call_media_type {
    CALL_MEDIA_ANSWERED,   /**< both answers are ready; of a recording, its listener's */
    CALL_MEDIA_CANDIDATE,  /**< a local candidate of one leg */
    CALL_MEDIA_CONNECTED,  /**< one leg is through */
    CALL_MEDIA_REANSWERED, /**< a later offer of one leg is answered */
    CALL_MEDIA_UNCHANGED,  /**< a later offer of one leg was refused: its media is as it was */
    CALL_MEDIA_ENDED,      /**< the media of the call is over */
    CALL_MEDIA_QUALITY,    /**< what a leg asked for with CALL_ACTION_MEDIA_QUALITY */
    CALL_MEDIA_RECORDING,  /**< what is recorded of a call that is to be: first, and changed */
};

/** How one side's line is, in words of docs/protocol.md; static text. */
struct call_line {
    const char *grade;   /**< "good"… */
    const char *trouble; /**< NULL = none */
};

enum call_media_end {
    CALL_MEDIA_END_FAILED,        /**< the leg never came up */
    CALL_MEDIA_END_LOST,          /**< the leg went silent: a peer that died without a word */
    CALL_MEDIA_END_REMOTE_CLOSED, /**< the leg closed its connection: the same as its `stop` */
    CALL_MEDIA_END_REFUSED,       /**< nothing in common */
    CALL_MEDIA_END_BROKEN,        /**< the backend failed */
    CALL_MEDIA_END_PLAYED,        /**< a recording: it was heard to its end */
    CALL_MEDIA_END_UNREADABLE,    /**< a recording: the file is gone, or none that can be played */
};

/**
 * One event of the media of a call, or of a recording that is played: that has one leg, the
 * caller's. All views are borrowed for the call of call_media_event.
 */
struct call_media {
    enum call_media_type type;
    uint64_t call_id;
    enum call_leg leg;                 /**< not for ANSWERED, RECORDING */
    struct str answer[CALL_LEGS];      /**< ANSWERED; REANSWERED: that of the leg */
    struct call_candidate candidate;   /**< CANDIDATE */
    enum call_media_end end;           /**< ENDED; UNCHANGED: REFUSED or BROKEN */
    struct call_line lines[CALL_LEGS]; /**< QUALITY; `leg` is who asked */
    bool is_recorded[CALL_LEGS];       /**< RECORDING: what this leg says goes into a file */
    struct str text; /**< ENDED, UNCHANGED: one sentence, shown for REFUSED and UNCHANGED; may be
                          empty */
};

/* ---- out ---- */

enum call_reply_type {
    CALL_REPLY_REGISTERED,
    CALL_REPLY_REGISTER_REJECTED, /**< reason, name */
    CALL_REPLY_CALL_ACCEPTED,     /**< call_id, sdp */
    CALL_REPLY_CALL_REJECTED,     /**< call_id (0 when it never rang), reason, name, text */
    CALL_REPLY_INCOMING,          /**< call_id, name = caller */
    CALL_REPLY_START,             /**< call_id, sdp */
    CALL_REPLY_STOP,              /**< call_id (0 when no call is meant), reason, name, text */
    CALL_REPLY_CANDIDATE,         /**< call_id, candidate */
    CALL_REPLY_RINGING,           /**< call_id; the callee has been told */
    CALL_REPLY_QUALITY,           /**< call_id, you, them */
    CALL_REPLY_RECORDING,         /**< call_id, records_you, records_them */
    CALL_REPLY_REOFFER_ACCEPTED,  /**< call_id, sdp */
    CALL_REPLY_REOFFER_REJECTED,  /**< call_id (0 when there is none), reason, name, text */
    CALL_REPLY_PLAY_ACCEPTED,     /**< sdp */
    CALL_REPLY_PLAY_REJECTED,     /**< reason, name, text */
    CALL_REPLY_PLAY_END,          /**< reason, name, text */
    CALL_REPLY_ERROR,             /**< reason, name, field */
};

struct call_reply {
    enum call_reply_type type;
    uint64_t call_id;
    enum call_reason reason;
    struct str name;                 /**< the user that the reason's sentence names; may be empty */
    struct str text;                 /**< says it in place of the reason's sentence; may be empty */
    struct str sdp;                  /**< the answer */
    struct call_candidate candidate; /**< local candidate */
    struct call_line you, them;      /**< QUALITY: the reader's line and the other side's */
    const char *field;               /**< ERROR: the field that is wrong, NULL = none */
    bool is_recorded;                /**< INCOMING, RINGING, CALL_ACCEPTED, START: it is to be */
    bool records_you, records_them;  /**< RECORDING: what is in fact recorded, for the reader */
};

/** What is known of a call that is over, for the log and for call records. */
struct call_record {
    uint64_t call_id;
    struct str caller, callee;   /**< names */
    uint64_t sockets[CALL_LEGS]; /**< may be closed by now */
    mono_us called_at;
    mono_us accepted_at; /**< MONO_NEVER = never */
    mono_us active_at;   /**< both legs connected; MONO_NEVER = never */
    mono_us ended_at;
    enum call_reason reason;
    int ended_by;    /**< enum call_leg of who ended it, -1 = the server or time */
    struct str text; /**< the backend's sentence; may be empty */
};

enum call_action_type {
    CALL_ACTION_SEND,            /**< socket, reply */
    CALL_ACTION_MEDIA_START,     /**< call_id, offer, sockets, names, is_recorded */
    CALL_ACTION_MEDIA_PLAY,      /**< call_id of its own, sockets[0], offer[0], recording, names of
                                      listener and who is heard */
    CALL_ACTION_MEDIA_CANDIDATE, /**< call_id, leg, candidate; always after its MEDIA_START */
    CALL_ACTION_MEDIA_QUALITY,   /**< call_id, leg, hearing; comes back as CALL_MEDIA_QUALITY */
    CALL_ACTION_MEDIA_REOFFER,   /**< call_id, leg, offer[leg]; answered by REANSWERED, UNCHANGED */
    CALL_ACTION_MEDIA_RELEASE,   /**< call_id; exactly once for every MEDIA_START, MEDIA_PLAY */
    CALL_ACTION_ENDED,           /**< record; the last action of its call */
};

/** Views live until the next call_poll_action or call_model_free. */
struct call_action {
    enum call_action_type type;
    uint64_t socket;
    struct call_reply reply;
    uint64_t call_id;
    enum call_leg leg;
    struct str offer[CALL_LEGS];
    uint64_t sockets[CALL_LEGS];
    struct str names[CALL_LEGS];
    bool is_recorded;
    struct str recording;
    struct call_candidate candidate;
    struct call_hearing hearing;
    struct call_record record;
};

struct call_model;

/**
 * @param config  copied
 * @param rng     borrowed for the life of the model: call ids, hash keys
 * @return the model, NULL when out of memory
 */
struct call_model *call_model_new(const struct call_config *config, struct rng *rng);

/** NULL is legal. Actions that were not polled are lost. */
void call_model_free(struct call_model *m);

/**
 * One message of one socket.
 *
 * @param socket  who sent it; a socket is known from its first accepted REGISTER to SOCKET_CLOSED
 * @param msg     well-formed: names are empty or valid by call_name_check, anything else is a bug
 *
 * @return 0        done; what was wrong with the message was answered by an action
 *         -ENOMEM  nothing changed: close the socket and feed CALL_MSG_SOCKET_CLOSED, which
 *                  cannot fail (nor can CALL_MSG_STOP)
 */
MUST_CHECK int call_input(struct call_model *m, mono_us now, uint64_t socket,
                          const struct call_msg *msg);

/**
 * One event of the media backend. Cannot fail: a call for which memory ran out is ended.
 * Events of calls that are over are ignored; candidates before the answers are held back.
 */
void call_media_event(struct call_model *m, mono_us now, const struct call_media *event);

/** Ends what is overdue: ringing without an answer, media that never came up. */
void call_timeout(struct call_model *m, mono_us now);

/** MONO_NEVER when nothing waits. */
mono_us call_deadline(const struct call_model *m);

/** End everything with SERVER_SHUTDOWN; registrations and calls are refused from now on. */
void call_shutdown(struct call_model *m, mono_us now);

/** Next action, in the order in which they must be carried out; false = none. */
bool call_poll_action(struct call_model *m, struct call_action *ret);

size_t call_n_users(const struct call_model *m);
size_t call_n_calls(const struct call_model *m);

/** Recordings that are played. */
size_t call_n_plays(const struct call_model *m);

#endif
