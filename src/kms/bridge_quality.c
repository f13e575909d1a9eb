/*
 * How the lines of a call do, when a page asks: the figures of both endpoints are fetched, and
 * judged like those of our own engine (media/quality.h), with what the page says of its
 * ears.
 */
#include <errno.h>

#include "kms/bridge.h"
#include "log/log.h"

void kms_bridge_ask_quality(struct kms_bridge *b, mono_us now, enum media_leg asker,
                            const struct media_hearing *hearing)
{
    struct media_quality *q = &b->call->kms->quality;
    int err = b->is_answered ? media_quality_asked(q, now, b->call->id, asker, hearing) : -EAGAIN;
    b->stats_came[asker] = 0;
    for (unsigned leg = 0; !err && leg < MEDIA_LEGS; leg++)
        err = kms_bridge_ask_stats(b, now, leg, asker);
    if (err)
        log_debug(MEDIA, "a question for the quality of a call has no answer");
}

/* Of both: the page that asked is told. */
static void tell_quality(struct kms_bridge *b, mono_us now, unsigned asker)
{
    struct media_event event = {.type = MEDIA_EVENT_QUALITY, .leg = asker};
    struct relay_quality_report report;
    bool is_ready = false;
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        struct peer_figures figures;
        kms_stats_fill(&b->legs[leg].stats, &b->legs[1 - leg].stats, now, &b->legs[leg].memory,
                       &figures);
        is_ready = media_quality_figures(&b->call->kms->quality, now, b->call->id, asker, leg,
                                         &figures, &report);
    }
    for (unsigned leg = 0; is_ready && leg < MEDIA_LEGS; leg++) {
        struct rtp_line_grade line = report.ends[leg].steady;
        event.lines[leg].grade = rtp_grade_name(line.grade);
        if (line.trouble != RTP_TROUBLE_NONE)
            event.lines[leg].trouble = rtp_trouble_name(line.trouble);
    }
    if (is_ready)
        (void)kms_call_tell(b->call, now, &event, NULL); /* without memory the call has ended */
}

void kms_bridge_stats(struct kms_bridge *b, mono_us now, unsigned leg, unsigned asker,
                      const json_t *value)
{
    kms_stats_read(value, &b->legs[leg].stats);
    b->stats_came[asker] |= 1u << leg;
    if (b->stats_came[asker] == (1u << MEDIA_LEGS) - 1)
        tell_quality(b, now, asker);
}
