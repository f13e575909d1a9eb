/**
 * The recordings of the engine's calls: one file a leg, with what that leg says. Both begin at the
 * same moment, when the second leg is connected: from then on the two can hear each other, and
 * the files lie side by side in time (`duet mix`).
 *
 * A recording is no condition of a call. One that cannot begin, or cannot go on, is told in the log
 * with the id of its call, which goes on; and what is recorded of a call, to its people. Control
 * thread.
 */
#ifndef MEDIA_RECORDING_H
#define MEDIA_RECORDING_H

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
#include "record/recorder.h"

/** Embedded in its owner. Fields are private. */
struct media_recordings {
    struct engine *engine;     /**< borrowed */
    struct recorder *recorder; /**< borrowed; NULL = there is none */
    struct map calls;          /**< of struct recorded_call, owned */
    struct list changed;       /**< those of them of which there is something to tell */
};

/**
 * @param recorder  NULL = nothing can be recorded
 * @param rng       borrowed: hash keys
 */
void media_recordings_init(struct media_recordings *r, struct engine *engine,
                           struct recorder *recorder, struct rng *rng);

/** Recordings that still run are the recorder's to end. */
void media_recordings_deinit(struct media_recordings *r);

/**
 * This call, which is being made, is to be recorded. There is a recorder.
 *
 * @param files  paths below the recorder's folder; copied
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int media_recordings_expect(struct media_recordings *r, uint64_t call_id,
                                       const struct str files[MEDIA_LEGS]);

/** A leg is connected; with the second one it begins. Calls that are not expected are ignored. */
void media_recordings_connected(struct media_recordings *r, mono_us now, uint64_t call_id,
                                enum media_leg leg);

/** The call is over. What is in memory goes to the files. Calls that are not known are ignored. */
void media_recordings_release(struct media_recordings *r, mono_us now, uint64_t call_id);

/** Somebody who speaks sends a packet in this time, and in a silence with DTX (400 ms), too. */
#define MEDIA_RECORDINGS_LOOK US_PER_S

/**
 * Does the disk keep up? While packets of a leg are dropped it is not recorded, and is again when
 * none are any more. For every now and then: what comes more often than MEDIA_RECORDINGS_LOOK is
 * ignored.
 *
 * @return there is a change to be polled
 */
bool media_recordings_look(struct media_recordings *r, mono_us now, uint64_t call_id);

/** Drain what the recorder has to say. */
void media_recordings_poll(struct media_recordings *r);

/**
 * A call of which more, or less, is recorded than was told; first when it is known of both legs
 * whether their files are open. Once for each change; none after its release.
 *
 * @param ret_is_recorded  what this leg says goes into a file
 * @return false = there is none
 */
bool media_recordings_poll_change(struct media_recordings *r, uint64_t *ret_call_id,
                                  bool ret_is_recorded[MEDIA_LEGS]);

/** Is this file still being written? */
bool media_recordings_is_open(const struct media_recordings *r, struct str file);

#endif
