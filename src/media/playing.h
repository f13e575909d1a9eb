/**
 * Recordings that are played to their listeners: each is a pipeline of the engine in which a WebRTC
 * endpoint hears a player. The file is read at once, and heard from its beginning when the listener
 * is connected. Control thread.
 */
#ifndef MEDIA_PLAYING_H
#define MEDIA_PLAYING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "engine/engine.h"
#include "media/media.h"
#include "media/recording.h"
#include "play/player.h"

/** Embedded in its owner. Fields are private. */
struct media_playings {
    struct engine *engine;                     /**< borrowed */
    struct player *player;                     /**< borrowed; NULL = there is none */
    const struct media_recordings *recordings; /**< borrowed: what is still written */
    struct map by_id;                          /**< of struct played_file, owned */
    struct list waiting;                       /**< whose files are still written */
    struct list failed;                        /**< whose ends are to be polled */
};

/**
 * @param player  NULL = nothing can be played
 * @param rng     borrowed: hash keys
 */
void media_playings_init(struct media_playings *p, struct engine *engine, struct player *player,
                         const struct media_recordings *recordings, struct rng *rng);

void media_playings_deinit(struct media_playings *p);

/**
 * Make the listener's endpoint, number MEDIA_CALLER, and play to it. There is a player.
 *
 * @param id    names the pipeline
 * @param file  below the folder of recordings; one that is still written is awaited
 * @param ret   the answer
 * @param error on ENGINE_E_OFFER: what is wrong with the offer; ENGINE_ERROR_MAX bytes
 *
 * @return 0, ENGINE_E_OFFER, -EBUSY (too much is played), or -ENOMEM: nothing was made
 */
MUST_CHECK int media_playings_start(struct media_playings *p, mono_us now, uint64_t id,
                                    struct str file, struct str offer, struct engine_answer *ret,
                                    char *error);

/** The listener is connected: now it is heard. Unknown ids are ignored. */
void media_playings_connected(struct media_playings *p, uint64_t id);

/** It is over; its pipeline is released as well. Unknown ids are ignored. */
void media_playings_release(struct media_playings *p, uint64_t id);

/**
 * One that cannot be heard. Before: media_recordings_poll, for files that are whole now.
 *
 * @return false = none
 */
bool media_playings_poll(struct media_playings *p, uint64_t *ret_id, enum media_end *ret_end);

#endif
