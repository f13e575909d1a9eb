/**
 * How the calls of the engine sound: for the pages that ask while they talk, and for the log when a
 * call is over. Figures come from the engine one endpoint at a time; here they become pairs, and
 * pairs become a report (relay/quality.h). Each page that asks has intervals of its own.
 *
 * A call has a record from its first question, or its first end, to its last end. Control thread.
 */
#ifndef MEDIA_QUALITY_H
#define MEDIA_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/time.h"
#include "engine/engine.h"
#include "media/media.h"

/** What a page said of its ears longer ago is not true any more. */
#define MEDIA_QUALITY_HEARING_AGE (15 * US_PER_S)

/** Embedded in its owner. Fields are private. */
struct media_quality {
    struct map calls; /**< of records, owned */
};

/** A whole call, looked back upon. */
struct media_quality_end {
    struct relay_quality_report report;
    struct engine_stats stats[MEDIA_LEGS];
    bool has_concealed[MEDIA_LEGS]; /**< this leg's page told us at least once */
    double concealed[MEDIA_LEGS];   /**< mean of what it told: 0 … 1 of what it played */
};

/** @param rng borrowed: hash keys */
void media_quality_init(struct media_quality *q, struct rng *rng);
void media_quality_deinit(struct media_quality *q);

/**
 * A page asks, and says what it hears. Then have both endpoints' figures fetched, 0 and 1.
 *
 * @return 0 or -ENOMEM: no answer this time
 */
MUST_CHECK int media_quality_asked(struct media_quality *q, mono_us now, uint64_t call_id,
                                   enum media_leg asker, const struct media_hearing *hearing);

/**
 * Figures of one endpoint that `asker` asked for.
 *
 * @param ret  filled when both are there: about the time since this asker's last answer
 * @return true = answer the page
 */
bool media_quality_figures(struct media_quality *q, mono_us now, uint64_t call_id,
                           enum media_leg asker, enum media_leg leg,
                           const struct peer_figures *figures, struct relay_quality_report *ret);

/**
 * A leg is gone, with its last figures.
 *
 * @param ret  filled when both are gone: about the whole call
 * @return 0, MEDIA_QUALITY_E_FIRST (the other one is still to go), -ENOMEM (it will not be known)
 */
enum { MEDIA_QUALITY_E_FIRST = 1 };
MUST_CHECK int media_quality_gone(struct media_quality *q, uint64_t call_id, enum media_leg leg,
                                  const struct engine_stats *stats, struct media_quality_end *ret);

/** The call is over. Unknown ones are ignored. */
void media_quality_forget(struct media_quality *q, uint64_t call_id);

#endif
