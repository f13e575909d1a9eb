/** What a RecorderEndpoint hears goes into a file below recording.dir (record/recorder.h). */
#ifndef KURENTO_RECORDER_ENDPOINT_H
#define KURENTO_RECORDER_ENDPOINT_H

#include "kurento/uri_endpoint.h"
#include "record/recorder.h"

/**
 * Who asked with stopAndWait or release is answered after so long at the latest, as by a real
 * server: a disk that stands still holds up nobody but its files, which become whole when it goes
 * on.
 */
#define KURENTO_RECORDER_PATIENCE (4 * US_PER_S)

struct kurento_recorder_endpoint {
    struct kurento_uri_endpoint uri;
    enum record_format format;   /**< RO */
    bool stops_at_end;           /**< RO; stopOnEndOfStream */
    struct recording *recording; /**< NULL = none; also one that is being closed */
    bool is_open;                /**< its file was opened */
    bool is_closing;             /**< it was stopped: RECORDER_CLOSED comes */
    bool is_late;                /**< and who waited for it was told that it does not come */
    struct list waits;           /**< of stopAndWait, whose answer CLOSED is; owned */
};

/** Drain the recorder's events. */
void kurento_recorder_ready(struct kurento *k);

/** Recorders that were released while they recorded, so far. */
uint64_t kurento_recorder_n_released(const struct kurento *k);

/**
 * `release` is answered when the files are whole that it ended, as a real server does.
 *
 * @param call    of the release, which is done
 * @param before  kurento_recorder_n_released before it
 * @return 0: answer now; KURENTO_PUT_OFF
 */
int kurento_recorder_wait(const struct kurento_call *call, uint64_t before);

/** Who waits longest is answered then; MONO_NEVER = nobody waits. */
mono_us kurento_recorder_deadline(const struct kurento *k);

/** Answer those who waited for KURENTO_RECORDER_PATIENCE. */
void kurento_recorder_timeout(struct kurento *k, mono_us now);

/** Nobody waits any more. */
void kurento_recorder_drop(struct kurento *k);

#endif
