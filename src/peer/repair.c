/* NACK both ways: see the header. Detector and ring are rtp's; here they meet RTCP. */
#include "peer/repair.h"

#include <string.h>

void peer_repair_init(struct peer_repair *r, bool is_on, bool is_reduced)
{
    memset(r, 0, sizeof(*r));
    r->is_on = is_on;
    r->is_reduced = is_reduced;
    rtp_nack_init(&r->nack);
}

void peer_repair_deinit(struct peer_repair *r)
{
    rtp_ring_deinit(&r->ring);
}

void peer_repair_restart(struct peer_repair *r)
{
    rtp_nack_restart(&r->nack);
}

void peer_repair_round_trip(struct peer_repair *r, mono_us now, mono_us rtt, mono_us queue_up)
{
    mono_us way = rtt > queue_up ? rtt - queue_up : 1;
    if (r->least_rtt == 0)
        r->least_rtt = way;
    else
        r->least_rtt += (now - r->least_at) * PEER_REPAIR_LEAST_RISES / 1000;
    r->least_at = now;
    r->least_rtt = mono_min(r->least_rtt, way);
    r->is_down_full = way - r->least_rtt > PEER_REPAIR_QUEUE;
}

void peer_repair_new_line(struct peer_repair *r)
{
    r->least_rtt = 0;
    r->is_down_full = false;
}

static void take_nack(struct peer_repair *r, const struct rtcp_packet *packet)
{
    struct rtcp_nack_iter it = rtcp_nacks(packet);
    for (uint16_t seq; rtcp_nack_next(&it, &seq);) {
        if (r->n_resends == PEER_MAX_RESENDS)
            return;
        r->resends[r->n_resends++] = seq;
    }
}

void peer_repair_feedback(struct peer_repair *r, const uint8_t *data, size_t len, uint32_t ssrc)
{
    if (!r->is_on)
        return;
    struct rtcp_iter it = rtcp_packets(data, len);
    for (struct rtcp_packet p; rtcp_next(&it, &p);) {
        struct rtcp_feedback feedback;
        if (p.type != RTCP_RTPFB || p.count != RTCP_RTPFB_NACK ||
            rtcp_read_feedback(&p, &feedback) || feedback.media_ssrc != ssrc)
            continue;
        take_nack(r, &p);
    }
    /* Without memory the leg lives on as it did: unrepaired. */
    if (r->n_resends && !r->ring.block && rtp_ring_init(&r->ring))
        r->n_resends = 0;
    r->ring.is_full = r->is_down_full;
}

bool peer_repair_poll_resend(struct peer_repair *r, mono_us now, struct dgram *d)
{
    for (uint8_t i = 0; i < r->n_resends; i++) {
        size_t len;
        const uint8_t *packet = rtp_ring_resend(&r->ring, r->resends[i], now, &len);
        if (!packet || len > d->cap)
            continue;
        memcpy(d->data, packet, len);
        d->len = len;
        r->n_resends = (uint8_t)(r->n_resends - i - 1);
        memmove(r->resends, r->resends + i + 1, r->n_resends * sizeof(r->resends[0]));
        return true;
    }
    r->n_resends = 0;
    return false;
}

bool peer_repair_write_nack(struct peer_repair *r, mono_us now, const struct rtp_report *report,
                            const struct rtp_recv_stats *source, struct bytes_writer *w)
{
    uint16_t seqs[RTP_NACK_WINDOW];
    if (now < peer_repair_deadline(r))
        return false;
    if (report->has_rtt)
        rtp_nack_set_rtt(&r->nack, report->rtt);
    unsigned n = rtp_nack_poll(&r->nack, now, seqs);
    if (n == 0)
        return false;
    if (!r->is_reduced)
        rtp_report_write_head(report, w);
    rtcp_write_nack(w, report->ssrc, source->ssrc, seqs, n);
    return true;
}
