/**
 * Recordings: one thread that writes them all. Packets come to it by rings, commands by mailbox.
 *
 *     control thread   recorder_start ─▶ struct recording ─ pause, resume, stop ─┐  ▲ events
 *     media worker     packet_ring_push ──▶ ring ──┐                             ▼  │
 *     writer thread                                └▶ timeline ─▶ container ─▶ file
 *
 * Nobody waits for the disk but the writer. A recording that cannot go on says why, once; its file
 * stays, as far as it came. Calls and events are the control thread's; who records reads the events
 * of its own recordings, and of no other's.
 */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/packet_ring.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "record/container.h"

/** Room for the sentence of an error, the zero included. */
#define RECORDER_ERROR_MAX 256

/**
 * For the ring of a recording [bytes]: eleven seconds of 32 kbit/s Opus, one of the 510 kbit/s that
 * nobody sends: how long the disk may stand still.
 */
#define RECORDER_RING 65536

/** The writer looks into the rings so often. */
#define RECORDER_PERIOD (100 * US_PER_MS)

/** At the end the writer is waited for as long as it gets on, and so long when it does not. */
#define RECORDER_END_PATIENCE (10 * US_PER_S)

/** Who records; each reads the events of what it made. */
enum recorder_front {
    RECORDER_CALLS,     /**< signal */
    RECORDER_PIPELINES, /**< kurento */
    RECORDER_N_FRONTS,
};

enum recorder_event_type {
    RECORDER_STARTED, /**< the file is open */
    RECORDER_PAUSED,  /**< and all that came before is in the file */
    RECORDER_RESUMED,
    RECORDER_FAILED, /**< at most once: nothing is recorded from now on; stop it */
    RECORDER_CLOSED, /**< the last one, because of recording_stop: the file is whole */
};

struct recording;

struct recorder_event {
    enum recorder_event_type type;
    struct recording *recording; /**< after CLOSED it is gone with the next poll */
    void *user;
    int error;        /**< FAILED: negative errno; before STARTED, of opening the file */
    const char *text; /**< FAILED: a sentence, until the next poll */
};

struct recorder_config {
    const char *folder;       /**< absolute; all recordings go below. Borrowed for the call */
    unsigned max_recordings;  /**< alive at a time: a descriptor each */
    mono_us end_patience;     /**< 0 = RECORDER_END_PATIENCE */
    void (*wake)(void *user); /**< events wait; called from the writer */
    void *wake_user;
};

struct recorder;

/**
 * Start the writer.
 *
 * @param error  what went wrong, for the operator; RECORDER_ERROR_MAX bytes
 * @return NULL on failure
 */
struct recorder *recorder_new(const struct recorder_config *config, struct rng *rng, char *error);

/**
 * Ends all recordings properly, those that are being stopped included: all files are whole then.
 * Handles are gone, events that nobody polled too. NULL is legal.
 *
 * @return false  the disk does not answer, and the writer hangs in it: nothing was freed, and
 * `wake` may still be called. Files whose end is missing play up to their last second. End the
 * process, or try again; no other call is legal
 */
bool recorder_free(struct recorder *r);

/**
 * Can a recording go there, as far as the name says? (file/place.h)
 *
 * @param error  why not, RECORDER_ERROR_MAX bytes
 */
bool recorder_check(const struct recorder *r, struct str uri, char *error);

/** What to record. Borrowed for the call. */
struct recorder_order {
    enum recorder_front front;
    enum record_format format;
    struct str uri;           /**< passed recorder_check */
    struct packet_ring *ring; /**< of plain RTP of one stream, Opus only; referenced */
    void *user;               /**< comes back with the events */
};

/** Outcomes that the caller can do something about. */
enum {
    RECORDER_E_FULL = 1, /**< max_recordings are alive: tell who asked */
};

/**
 * Record from now on. STARTED or FAILED comes, more when the caller wants it.
 *
 * @param ret  on 0
 * @return 0, RECORDER_E_FULL, or -ENOMEM
 */
MUST_CHECK int recorder_start(struct recorder *r, mono_us now, const struct recorder_order *order,
                              struct recording **ret);

/** What comes from now on is not recorded, and takes no time in it. @return 0 or -ENOMEM */
MUST_CHECK int recording_pause(struct recording *recording, mono_us now);

/** Go on where it was paused. @return 0 or -ENOMEM */
MUST_CHECK int recording_resume(struct recording *recording, mono_us now);

/** End it, once; no other call but recording_forget after it. CLOSED comes, behind all other
 * events. */
void recording_stop(struct recording *recording, mono_us now);

/**
 * Nobody asks for it any more: it is stopped if it was not, and no event of it comes. The last call
 * for this recording.
 */
void recording_forget(struct recording *recording, mono_us now);

/** Packets that are missing so far, as the disk was too slow for them. Before its CLOSED is polled.
 */
uint64_t recording_n_dropped(const struct recording *recording);

/** Recordings that a front has forgotten so far. */
uint64_t recorder_n_forgotten(const struct recorder *r, enum recorder_front front);

/** Are the files of the first n of them whole? As far as their events were polled. */
bool recorder_are_whole(const struct recorder *r, enum recorder_front front, uint64_t n);

/** @return false = none of this front's waits */
bool recorder_poll_event(struct recorder *r, enum recorder_front front, struct recorder_event *ret);

#endif
