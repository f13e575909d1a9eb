/**
 * What a server's getStats says of an endpoint, and what it comes to in the terms of our own
 * measurements, so that a line is judged the same way wherever its audio goes.
 */
#ifndef KMS_STATS_H
#define KMS_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/time.h"
#include "engine/engine.h"

/** Of one endpoint. Counters run since its beginning. Zeroed = nothing is known. */
struct kms_stats {
    bool has_up;       /**< from the browser: something came */
    uint32_t received; /**< packets */
    uint32_t lost_up;
    mono_us jitter_up;
    bool has_down;      /**< to the browser; what follows is as the browser reports it */
    uint32_t sent;      /**< packets */
    uint32_t lost_down; /**< what the other line lost is in it */
    mono_us jitter_down;
    mono_us rtt; /**< 0 = not measured */
};

/** What cannot be told from one answer alone. Zeroed, but for connected_at. */
struct kms_stats_memory {
    mono_us connected_at;                  /**< 0 = not yet */
    mono_us heard_at;                      /**< when packets came last */
    uint32_t received, lost_up, lost_down; /**< the most there was: servers' counts may go back */
};

/** @param value of the answer, whatever it is */
void kms_stats_read(const json_t *value, struct kms_stats *ret);

/**
 * @param own, other  of this leg and of the other one, asked for together
 * @param memory      of this leg
 */
void kms_stats_fill(const struct kms_stats *own, const struct kms_stats *other, mono_us now,
                    struct kms_stats_memory *memory, struct peer_figures *ret);

#endif
