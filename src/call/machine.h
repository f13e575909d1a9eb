/**
 * The life of one call, from ringing to its end. Which message may do what is input.c's business;
 * here is what happens then, in what order both sides and the media hear of it.
 */
#ifndef CALL_MACHINE_H
#define CALL_MACHINE_H

#include "base/list.h"
#include "base/map.h"
#include "base/timer_heap.h"
#include "call/node.h"
#include "call/user.h"

enum call_state {
    CALL_STATE_NEW,      /**< nobody has been told */
    CALL_STATE_RINGING,  /**< the callee has been told */
    CALL_STATE_STARTING, /**< accepted; the media backend makes the answers */
    CALL_STATE_ANSWERED, /**< both have their answers and connect */
    CALL_STATE_ACTIVE,   /**< both are connected */
    CALL_STATE_ENDED,    /**< lives on only in the queue of actions */
};

/** One person's side of a call. */
struct call_side {
    struct call_user *user;    /**< borrowed; valid until ENDED */
    char name[CALL_NAME_SIZE]; /**< copy: the user may be gone when the record is read */
    size_t name_len;
    bool has_offer;       /**< this side's offer is known */
    bool awaits_response; /**< this page sent `call`: its answer and its refusal are callResponse */
    bool connected;       /**< media of this leg is through */
    mono_us asked_at;     /**< last question for the quality; 0 = never */
    bool awaits_reanswer; /**< a later offer of this side is with the media */
    mono_us offers_until; /**< its later offers are used up to this time (CALL_OFFER_INTERVAL) */
    struct call_kept held; /**< local candidates that came before the answers */
};

/** Owned by the model until ENDED, then by its last action. */
struct call {
    uint64_t id; /**< never 0 */
    enum call_state state;
    struct list link;   /**< in the model's list of calls */
    struct timer timer; /**< end of ringing, then of set-up */
    struct call_side side[CALL_LEGS];
    char *offer; /**< the caller's, owned; NULL once the media has it */
    size_t offer_len;
    mono_us called_at, accepted_at, active_at; /**< MONO_NEVER = not yet */
    char text[CALL_TEXT_MAX];                  /**< the media backend's last words */
    /* The end of a call must not need memory, so its actions are part of it. */
    struct call_node notice[CALL_LEGS], release, ended;
};

struct call_model {
    struct call_config config; /**< RO, defaults filled in */
    struct rng *rng;           /**< borrowed */
    struct call_users users;
    struct map by_id;  /**< of struct call, owned */
    struct list calls; /**< the same calls */
    struct map plays;  /**< of struct call_play, owned */
    struct timer_heap timers;
    struct call_queue queue;
    bool is_shut_down;
};

/** Why and by whom a call ends. */
struct call_ending {
    enum call_reason reason;
    enum call_leg subject; /**< whose name the reason's sentence holds */
    int by;                /**< leg of who ended it and is not told; -1 = both are told */
    struct str text;       /**< kept for the record; may be empty */
    bool show_text;        /**< tell both `text` in place of the reason's sentence */
};

/**
 * Ring: the callee gets INCOMING, the caller RINGING. A call that rings at the caller ends as busy.
 *
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int call_ring(struct call_model *m, mono_us now, struct call_user *caller,
                         struct call_user *callee, struct str offer);

/**
 * The callee of a ringing call gave its offer: the media starts, kept candidates follow.
 *
 * @param calls_back  by calling the caller: this page, too, waits for a callResponse
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int call_accept(struct call_model *m, mono_us now, struct call *c, struct str offer,
                           bool calls_back);

/** Both get their answers, the callee first as in the tutorial. Ends the call if memory is out. */
void call_answer(struct call_model *m, mono_us now, struct call *c,
                 const struct str answer[CALL_LEGS]);

/** One leg is connected. */
void call_connect(struct call_model *m, mono_us now, struct call *c, enum call_leg leg);

/** A local candidate for one side, never before its answer. Ends the call if memory is out. */
void call_local_candidate(struct call_model *m, mono_us now, struct call *c, enum call_leg leg,
                          const struct call_candidate *candidate);

/**
 * A later offer of one side, which has its first answer, goes to the media.
 *
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int call_reoffer(struct call_model *m, struct call *c, enum call_leg leg,
                            struct str offer);

/** The media has dealt with it. Ends the call if memory is out: the page must not wait for ever. */
void call_reanswer(struct call_model *m, mono_us now, struct call *c,
                   const struct call_media *event);

/** What is recorded of it: both sides are told. Ends the call if memory is out: nobody may believe
 * what is not so. Before the answers it is ignored: nothing can be recorded then. */
void call_recorded(struct call_model *m, mono_us now, struct call *c,
                   const bool is_recorded[CALL_LEGS]);

/** What the end of its media is called, in a call or of a recording. */
enum call_reason call_reason_of_media(enum call_media_end end);

/** Would one call or recording more be too many? */
bool call_is_full(const struct call_model *m);

/** End in any state. Cannot fail. The call must not be used afterwards. */
void call_end(struct call_model *m, mono_us now, struct call *c, const struct call_ending *how);

/** The state's timer has run out. */
void call_overdue(struct call_model *m, mono_us now, struct call *c);

/** Free a call that has not ended, without telling anybody. */
void call_discard(struct call_model *m, struct call *c);

struct call *call_find(const struct call_model *m, uint64_t id);

void call_by_id_init(struct map *by_id, struct rng *rng);

#endif
