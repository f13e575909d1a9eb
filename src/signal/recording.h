/**
 * Recorded calls: what their files are called, and who may hear them.
 *
 * A name proves nothing here, anybody may register any free one. So what may be heard hangs on the
 * connection: each WebSocket may hear the calls that it took part in, and no others. When it closes
 * nobody can hear them any more by way of this protocol; the files stay.
 */
#ifndef SIGNAL_RECORDING_H
#define SIGNAL_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/str.h"
#include "call/call.h"

/** A connection may hear so many of its calls, the last ones. */
#define SIGNAL_RECORDINGS_MAX 16

/** What of a user's name goes into the name of a file [bytes]. */
#define SIGNAL_RECORDING_NAME_MAX 64

/** Room for the name of a file, the zero included: date, call id, leg, name and ending. */
#define SIGNAL_RECORDING_FILE_MAX (24 + 17 + 7 + SIGNAL_RECORDING_NAME_MAX + 6)

/** The two files of a call, in the folder of recordings. */
struct signal_recording_files {
    char of[CALL_LEGS][SIGNAL_RECORDING_FILE_MAX];
};

/**
 * What the files of a call are called:
 *
 *     2026-11-23_09-30-05-123-00c0ffee00c0ffee-caller-alice.webm
 *     2026-11-23_09-30-05-123-00c0ffee00c0ffee-callee-bob.webm
 *
 * Of a name only ASCII letters, digits, '-' and '_' are taken; each other character is one '_', so
 * that no name means anything to a file system, a shell or a terminal. What tells two calls apart
 * is the call id.
 *
 * @param wall  time of day [µs since 1970]; written as UTC, like the log's
 */
void signal_recording_name(int64_t wall, uint64_t call_id, const struct str names[CALL_LEGS],
                           struct signal_recording_files *ret);

/** What one connection may hear. Embedded in its owner. */
struct signal_recordings {
    struct list calls; /**< newest last; owned */
    size_t n;          /**< 0..SIGNAL_RECORDINGS_MAX */
};

void signal_recordings_init(struct signal_recordings *r);
void signal_recordings_clear(struct signal_recordings *r);

/**
 * It takes part in this call, in which the two have these names. The oldest one gives way.
 *
 * @param call_id  for signal_recordings_forget
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int signal_recordings_add(struct signal_recordings *r, uint64_t call_id,
                                     const struct str names[CALL_LEGS],
                                     const struct signal_recording_files *files);

/** Nothing was recorded of this call. Unknown ones are ignored. */
void signal_recordings_forget(struct signal_recordings *r, uint64_t call_id);

/** The file with what `user` said in the newest call of the two; empty = none. */
struct str signal_recordings_find(const struct signal_recordings *r, struct str user);

#endif
