/**
 * Token bucket of one socket. Once over the limit, everything is refused until the bucket has
 * filled to a mark: a flood then costs one answer a second, not one a message.
 */
#ifndef SIGNAL_RATE_H
#define SIGNAL_RATE_H

#include <stdbool.h>

#include "base/time.h"

struct signal_rate {
    mono_us filled_at; /**< when `credit` was last brought up to date */
    mono_us credit;    /**< what the bucket holds, as the time that it took to fill */
    bool is_over;      /**< refusing until the mark */
};

enum signal_rate_verdict {
    SIGNAL_RATE_PASS,
    SIGNAL_RATE_TELL, /**< the first one too many: say so */
    SIGNAL_RATE_DROP,
};

/** A full bucket. */
void signal_rate_init(struct signal_rate *r, mono_us now);

/** One message has come. */
enum signal_rate_verdict signal_rate_take(struct signal_rate *r, mono_us now);

#endif
