/* What passes once there are keys: RTP in and out, which is the packet path, and the RTCP of both
 * directions. Numbers are kept by the structs of their own (repair, feedback, measure, report);
 * here is the order in which a packet meets them. */
#include "peer/peer_private.h"

/* --- RTCP --- */

/* When the cipher library itself fails, the leg is over; its owner hears of it at its next drain.
 */
static int srtp_error(struct peer *p, int err)
{
    if (err < 0)
        peer_break_down(p);
    if (err == RTPSEC_E_AUTH)
        return PEER_E_AUTH;
    return err == RTPSEC_E_REPLAY ? PEER_E_REPLAY : PEER_E_MALFORMED;
}

int peer_rtcp_input(struct peer *p, const struct dgram *d)
{
    struct rtp_report_events events;
    size_t len = d->len;

    if (p->state != PEER_CONNECTED)
        return PEER_E_NO_KEYS;
    int err = rtpsec_unprotect_rtcp(&p->rx, p->env->srtp, d->data, &len);
    if (err)
        return srtp_error(p, err);
    err = rtp_report_receive(&p->report, p->now, d->data, len, &p->source, p->has_source, &events);
    if (err)
        return PEER_E_MALFORMED;
    if (events.is_reported)
        peer_measure_reported(&p->measure, &p->report, events.is_rtt);
    if (events.is_rtt)
        peer_repair_round_trip(&p->repair, p->now, p->report.rtt,
                               p->has_source ? rtp_recv_stats_queue(&p->source, p->now) : 0);
    if (events.is_bye) {
        p->has_source = false; /* the source is over, not the call: another one may follow */
        peer_repair_restart(&p->repair);
    }
    peer_repair_feedback(&p->repair, d->data, len, p->local_ssrc);
    return peer_feedback_receive(&p->feedback, p->now, d->data, len) ? 0 : PEER_E_FEEDBACK;
}

static void sample_jitter(struct peer *p)
{
    if (p->has_source && p->source.clock_rate)
        rtp_mean_add(&p->measure.jitter_up, (mono_us)((uint64_t)rtp_recv_stats_jitter(&p->source) *
                                                      (uint64_t)US_PER_S / p->source.clock_rate));
}

static uint8_t loss_up(struct peer *p)
{
    return peer_loss_share(&p->loss_up, p->repair.nack.expected, p->repair.nack.lost);
}

uint8_t peer_loss_down(struct peer *p)
{
    return peer_loss_share(&p->loss_down, p->report.packets, p->repair.ring.missed);
}

/* The farewell, a report that is due, or a question for lost packets. @return false = nothing */
static bool write_plain_rtcp(struct peer *p, struct bytes_writer *w)
{
    if (p->has_bye) {
        rtp_report_write_bye(&p->report, p->now, w);
        p->has_bye = false;
        return true;
    }
    if (p->state != PEER_CONNECTED || !p->has_path)
        return false;
    rtp_report_set_least_loss(&p->report, peer_loss_join(loss_up(p), p->onward_loss));
    if (rtp_report_write(&p->report, p->now, &p->source, p->has_source, w)) {
        peer_feedback_write_dlrr(&p->feedback, p->now, p->local_ssrc, w);
        sample_jitter(p);
        return true;
    }
    if (!p->has_source)
        return false;
    peer_repair_queued(&p->repair, rtp_recv_stats_queue(&p->source, p->now));
    return peer_repair_write_nack(&p->repair, p->now, &p->report, &p->source, w) ||
           peer_feedback_write(&p->feedback, p->now, &p->report, &p->source, &p->repair.nack, w);
}

bool peer_rtcp_write(struct peer *p, struct dgram *ret)
{
    struct bytes_writer w = bytes_writer(ret->data, ret->cap);
    if (!write_plain_rtcp(p, &w))
        return false;
    ret->len = w.len;
    return !w.failed && !rtpsec_protect_rtcp(&p->tx, p->env->srtp, ret->data, &ret->len, ret->cap);
}

/* --- the packet path --- */

/* RFC 3550 §A.1's probation guards against strays; ours are authenticated. */
static void set_source(struct peer *p, const struct rtp_packet *packet)
{
    const struct peer_codec *codec = peer_codec_of(p, packet->pt);
    rtp_recv_stats_init(&p->source, packet->ssrc,
                        codec ? codec->clock_rate : p->codecs[0].clock_rate, 0);
    p->has_source = true;
    peer_repair_restart(&p->repair);
}

/* The browser sends from elsewhere than we send to: rare, and not on the packet path's budget. */
static void follow_media(struct peer *p, mono_us now, const struct dgram *d)
{
    p->now = now;
    if (ice_agent_heard_media(&p->ice, now, &d->local, &d->remote))
        peer_break_down(p);
    peer_drain_ice(p);
}

int peer_receive_rtp(struct peer *p, mono_us now, struct dgram *d, struct rtp_packet *ret)
{
    if (p->state != PEER_CONNECTED)
        return PEER_E_NO_KEYS;
    int err = rtpsec_unprotect_rtp(&p->rx, p->env->srtp, d->data, &d->len);
    if (err)
        return srtp_error(p, err);
    if (rtp_parse(d->data, d->len, ret))
        return PEER_E_MALFORMED;
    if (!p->may_receive)
        return PEER_E_DIRECTION;
    if (!p->has_source || p->source.ssrc != ret->ssrc)
        set_source(p, ret);
    if (!rtp_recv_stats_packet(&p->source, ret->seq, ret->timestamp, now))
        peer_repair_received(&p->repair, ret->seq, now);
    peer_measure_received(&p->measure, d->data, ret, p->ext_recv[PEER_EXT_AUDIO_LEVEL], now);
    peer_feedback_received(&p->feedback, d->data, d->len, ret, now);
    if (!addr_equal(&d->remote, &p->path_remote) && ret->seq == p->source.max_seq)
        follow_media(p, now, d);
    return 0;
}

int peer_send_rtp(struct peer *p, mono_us now, struct dgram *d, const struct rtp_packet *packet)
{
    if (!peer_may_send(p))
        return PEER_E_NO_PATH;
    int err = rtpsec_protect_rtp(&p->tx, p->env->srtp, d->data, &d->len, d->cap);
    if (err)
        return srtp_error(p, err);
    d->local = p->path_local;
    d->remote = p->path_remote;
    uint16_t seq = get_be16(d->data + 2);
    peer_measure_sent(&p->measure, &p->report, seq);
    rtp_report_sent(&p->report, packet->timestamp, packet->payload_len, now);
    peer_repair_sent(&p->repair, seq, d, now);
    return 0;
}
