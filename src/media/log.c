/* The line: see the header. */
#include "media/log.h"

#include <inttypes.h>

static double ms(mono_us us)
{
    return (double)us / (double)US_PER_MS;
}

static void write_verdict(struct text *t, const struct relay_quality_end *e)
{
    text_printf(t, "line %s", rtp_grade_name(e->found.grade));
    if (e->found.trouble != RTP_TROUBLE_NONE)
        text_printf(t, " (%s)", rtp_trouble_name(e->found.trouble));
    if (e->speech.has_mos)
        text_printf(t, ", heard with MOS %.1f", e->speech.mos);
}

static void write_loss(struct text *t, double before, double after)
{
    text_printf(t, ", lost %.1f %%", before * 100);
    if (before > after)
        text_printf(t, " (%.1f %% after repair)", after * 100);
}

static void write_up(struct text *t, const struct engine_stats *s,
                     const struct relay_quality_end *e)
{
    const struct rtp_quality_snapshot *speech = &e->speech;
    text_printf(t, "; up: %" PRIu32 " packets", s->media.up.packets);
    if (speech->has_loss)
        write_loss(t, speech->loss_before, speech->loss_after);
    if (s->media.up.has_jitter)
        text_printf(
            t, ", jitter %.1f ms",
            ms(rtp_mean_since(&s->media.up.jitters, &(struct rtp_mean){0}, s->media.up.jitter)));
    if (speech->has_level)
        text_printf(t, ", talked %.0f %% at %.0f dBov", speech->talk * 100, -speech->level_db);
    if (s->packets_dropped)
        text_printf(t, ", %" PRIu64 " dropped", s->packets_dropped);
}

static void write_down(struct text *t, const struct media_quality_end *end, enum media_leg leg)
{
    const struct peer_figures_down *down = &end->stats[leg].media.down;
    const struct relay_quality_end *e = &end->report.ends[leg];
    text_printf(t, "; down: %" PRIu32 " packets", down->packets);
    if (e->has_loss_down)
        write_loss(t, e->loss_down_before, e->loss_down_after);
    if (down->is_reported)
        text_printf(t, ", jitter %.1f ms",
                    ms(rtp_mean_since(&down->jitters, &(struct rtp_mean){0}, down->jitter)));
    if (end->has_concealed[leg])
        text_printf(t, ", concealed %.1f %%", end->concealed[leg] * 100);
}

void media_log_write(struct text *t, const struct media_quality_end *end, enum media_leg leg)
{
    const struct relay_quality_end *e = &end->report.ends[leg];
    write_verdict(t, e);
    write_up(t, &end->stats[leg], e);
    write_down(t, end, leg);
    if (e->has_rtt)
        text_printf(t, "; round trip %.1f ms", ms(e->rtt));
}
