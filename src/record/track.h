/**
 * One recording's way into its file: RTP packets in, in whatever order they come, and time.
 *
 *     packets ─▶ timeline ─▶ container ─▶ file
 *
 * Each function gives 0, -ENOMEM, or the negative errno of writing; then there is only close, and
 * the file stays as far as it came.
 */
#ifndef RECORD_TRACK_H
#define RECORD_TRACK_H

#include "record/container.h"

/** What is in memory goes to the file when nothing came for so long. */
#define RECORD_FLUSH_AFTER US_PER_S

/** Embedded in its owner. Fields are private. */
struct record_track {
    int fd; /**< owned */
    struct record_timeline timeline;
    struct record_container container;
    mono_us put_at; /**< when something was put last; MONO_NEVER = all of it was flushed */
};

/**
 * Begin the file; it runs from `now` on.
 *
 * @param fd        empty, open for writing; owned from here on, also on failure
 * @param serial    another one for each file
 * @param began_us  `now` as UTC [µs since 1970]
 */
MUST_CHECK int record_track_open(struct record_track *t, mono_us now, int fd,
                                 enum record_format format, uint32_t serial, int64_t began_us);

/** Once, after open. */
void record_track_close(struct record_track *t);

/** A packet of plain RTP. @param at  its arrival */
MUST_CHECK int record_track_take(struct record_track *t, mono_us at, const uint8_t *data,
                                 size_t len);

/** Every now and then: what was waited for long enough goes on its way. */
MUST_CHECK int record_track_work(struct record_track *t, mono_us now);

/** What arrives later takes no time; all before is in the file. Again is legal. */
MUST_CHECK int record_track_pause(struct record_track *t, mono_us now);

/** Go on. Legal while it runs. */
void record_track_resume(struct record_track *t, mono_us now);

/** Make the file whole; nothing but close after it. */
MUST_CHECK int record_track_end(struct record_track *t, mono_us now);

#endif
