/**
 * The media backend that is our own engine, in this process.
 */
#ifndef MEDIA_ENGINE_H
#define MEDIA_ENGINE_H

#include "base/compiler.h"
#include "base/rng.h"
#include "engine/engine.h"
#include "media/media.h"
#include "play/player.h"
#include "record/recorder.h"

/**
 * Start an engine.
 *
 * @param config    its `wake` is called when events wait, from any thread
 * @param recorder  borrowed, to be freed after it; its `wake` leads to the same place. NULL = calls
 *                  cannot be recorded
 * @param player    likewise, for the recordings; there is one where there is a recorder
 * @param error     ENGINE_ERROR_MAX bytes: what went wrong, for the operator
 *
 * @return NULL on failure; free with ops->free, which ends the engine
 */
struct media *media_engine_new(const struct engine_config *config, struct recorder *recorder,
                               struct player *player, struct rng *rng, char *error);

/** The engine inside, for what only the server asks (ports). */
struct engine *media_engine_of(struct media *m);

#endif
