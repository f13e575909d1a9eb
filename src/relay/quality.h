/**
 * How a call sounds, and whose line is the bad one: from the figures of both legs, and from what
 * the two pages tell of their own ears.
 *
 *     figures of both legs ─┐                     ┌─ how each one is heard: MOS, loss, talk
 *     at two moments        ├─ relay_quality_ask ─┼─ how each line is: good, fair, poor, and why
 *     what the pages tell  ─┘                     └─ which of the two is the bad one
 *
 * One struct relay_quality for each asker, who asks when it likes: the page every few seconds, the
 * log once at the end. Pure; the figures may come from another thread.
 */
#ifndef RELAY_QUALITY_H
#define RELAY_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"
#include "peer/figures.h"
#include "rtp/line.h"
#include "rtp/quality.h"

/** The two ends of a call. */
#define RELAY_QUALITY_ENDS 2

/**
 * What a page says of its own hearing; a client may lie, and then deceives itself and its partner.
 * Where no page tells, the client's extended reports (RFC 3611) stand in for it.
 */
struct relay_hearing {
    bool is_known;
    double concealed; /**< 0 … 1 of the samples of the last seconds, silence left out */
};

/** One end of the call over one interval. */
struct relay_quality_end {
    struct rtp_quality_snapshot speech; /**< what it says, as the other end hears it */
    bool has_loss_down;                 /**< the next two are known */
    double loss_down_before;            /**< 0 … 1: lost between us and it, without repair */
    double loss_down_after;             /**< 0 … 1: likewise, with repair */
    bool has_rtt;
    mono_us rtt;                  /**< between us and it */
    struct rtp_line line;         /**< what its line was judged by */
    struct rtp_line_grade found;  /**< of this interval */
    struct rtp_line_grade steady; /**< with hysteresis: to be shown */
};

struct relay_quality_report {
    struct relay_quality_end ends[RELAY_QUALITY_ENDS];
    enum rtp_blame blame; /**< by the steady grades */
};

/** Embedded in the asker; nothing to release. Fields are private. */
struct relay_quality {
    struct rtp_quality speech[RELAY_QUALITY_ENDS];
    struct peer_figures before[RELAY_QUALITY_ENDS];
    struct rtp_line_judge judges[RELAY_QUALITY_ENDS];
};

/** The first interval begins with the call: all counters were zero. */
void relay_quality_init(struct relay_quality *q);

/**
 * What it was like since the last time (since the beginning, the first time).
 *
 * @param figures  of both legs, copied at about the same moment
 * @param hearing  of both pages
 */
void relay_quality_ask(struct relay_quality *q,
                       const struct peer_figures figures[RELAY_QUALITY_ENDS],
                       const struct relay_hearing hearing[RELAY_QUALITY_ENDS],
                       struct relay_quality_report *ret);

#endif
