/**
 * A user who hears a recording. Simpler than a call: there is one person, nothing rings, and no
 * time-out is needed, because the media says when a recording is over or its listener unreachable.
 *
 *     call_play_start ──► waiting for the answer ──► answered ──► end
 *
 * Its media has an id of the same kind as a call's, and one leg, the caller's.
 */
#ifndef CALL_PLAY_H
#define CALL_PLAY_H

#include "call/machine.h"

/** Owned by the model until its end, then by its last action. */
struct call_play {
    uint64_t id;                   /**< never 0, and no call's */
    struct call_user *user;        /**< borrowed; who listens */
    char listener[CALL_NAME_SIZE]; /**< copies: the end may be told when the user is gone */
    char heard[CALL_NAME_SIZE];    /**< whose recording was asked for */
    bool is_answered;
    struct call_kept held;    /**< local candidates that came before the answer */
    char text[CALL_TEXT_MAX]; /**< the media backend's last words */
    /* The end must not need memory. */
    struct call_node notice, release;
};

/**
 * A user without call and recording hears msg->recording. The candidates that were kept follow.
 *
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int call_play_start(struct call_model *m, struct call_user *u,
                               const struct call_msg *msg);

/** Its media has something to say; what only concerns calls is ignored. Ends it if memory is out.
 */
void call_play_event(struct call_model *m, struct call_play *p, const struct call_media *event);

/** The user wants no more of it, and is told nothing. The play must not be used afterwards. */
void call_play_stop(struct call_model *m, struct call_play *p);

/**
 * End it, and tell. Cannot fail. The play must not be used afterwards.
 *
 * @param text  in place of the reason's sentence; may be empty
 */
void call_play_end(struct call_model *m, struct call_play *p, enum call_reason reason,
                   struct str text);

/** NULL = none. */
struct call_play *call_play_find(const struct call_model *m, uint64_t id);

void call_plays_init(struct map *plays, struct rng *rng);

/** Frees the plays as well; nobody is told. */
void call_plays_deinit(struct map *plays);

#endif
