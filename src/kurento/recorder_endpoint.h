/** What a RecorderEndpoint hears goes into a file below recording.dir (record/recorder.h). */
#ifndef KURENTO_RECORDER_ENDPOINT_H
#define KURENTO_RECORDER_ENDPOINT_H

#include "kurento/uri_endpoint.h"
#include "record/recorder.h"

struct kurento_recorder_endpoint {
    struct kurento_uri_endpoint uri;
    enum record_format format;   /**< RO */
    bool stops_at_end;           /**< RO; stopOnEndOfStream */
    struct recording *recording; /**< NULL = none; also one that is being closed */
    bool is_open;                /**< its file was opened */
    bool is_closing;             /**< it was stopped: RECORDER_CLOSED comes */
    struct list waits;           /**< of stopAndWait, whose answer CLOSED is; owned */
};

/** Drain the recorder's events. */
void kurento_recorder_ready(struct kurento *k);

#endif
