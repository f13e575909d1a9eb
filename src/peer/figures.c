/* Collected from the parts of an end of RTP that count. */
#include "peer/figures.h"

#include "peer/peer.h"

static mono_us ticks_to_us(uint32_t ticks, uint32_t clock_rate)
{
    return clock_rate ? (mono_us)((uint64_t)ticks * (uint64_t)US_PER_S / clock_rate) : 0;
}

static void fill_up(const struct peer_parts *p, struct peer_figures_up *up)
{
    const struct rtp_nack *losses = p->losses;
    const struct peer_measure *m = p->measure;
    *up = (struct peer_figures_up){
        .is_wanted = p->may_receive,
        .has_source = p->has_source,
        .ssrc = p->source->ssrc,
        .octets = m->octets,
        .packets = m->packets,
        .heard_at = m->packets ? losses->last_at : m->connected_at,
        .counts = {losses->expected, losses->lost, losses->repaired, losses->runs, m->level.counts},
        .late = losses->late,
        .reordered = losses->reordered,
        .n_asked = losses->requests,
        .fraction = p->report->own_loss,
        .jitters = m->jitter_up,
        .level_db = m->level.now_db,
        .has_jitter = p->source->started, /* also after its BYE */
    };
    if (up->has_jitter)
        up->jitter = ticks_to_us(rtp_recv_stats_jitter(p->source), p->source->clock_rate);
}

static void fill_down(const struct peer_parts *p, struct peer_figures_down *down)
{
    const struct rtp_report *r = p->report;
    *down = (struct peer_figures_down){
        .is_wanted = p->may_send,
        .ssrc = r->ssrc,
        .packets = r->packets,
        .octets = r->octets,
        .resent = p->resent,
        .delivery = p->measure->delivery,
        .jitters = p->measure->jitter_down,
        .is_reported = r->has_remote,
        .has_discarded = p->feedback->view.has_voip,
        .discarded = p->feedback->view.voip.discard_rate,
    };
    if (!r->has_remote)
        return;
    down->fraction = r->remote.fraction_lost;
    down->reported_lost = r->remote.lost;
    down->jitter = ticks_to_us(r->remote.jitter, r->clock_rate);
}

void peer_figures_of(const struct peer_parts *p, mono_us now, struct peer_figures *ret)
{
    *ret = (struct peer_figures){
        .at = now,
        .codec = p->codec,
        .connected_at = p->measure->connected_at,
        .has_rtt = p->report->has_rtt,
        .rtt = p->report->has_rtt ? p->report->rtt : 0,
        .rtts = p->measure->rtt,
    };
    fill_up(p, &ret->up);
    fill_down(p, &ret->down);
}

void peer_figures(const struct peer *p, mono_us now, struct peer_figures *ret)
{
    const struct peer_parts parts = {
        .losses = &p->repair.nack,
        .measure = &p->measure,
        .source = &p->source,
        .report = &p->report,
        .feedback = &p->feedback,
        .codec = p->codecs[0].id,
        .may_send = p->may_send,
        .may_receive = p->may_receive,
        .has_source = p->has_source,
        .resent = p->repair.ring.resent,
    };
    peer_figures_of(&parts, now, ret);
}
