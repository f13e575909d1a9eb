/* Feedback both ways: see the header. What RTCP packets are good for is said here in one place: a
 * packet without a use is not an error, but it is counted. */
#include "peer/feedback.h"

#include <string.h>

void peer_feedback_init(struct peer_feedback *f, const struct peer_params *params, mono_us now)
{
    memset(f, 0, sizeof(*f));
    rtp_transport_cc_init(&f->transport);
    rtp_remb_init(&f->remb, now);
    peer_feedback_set(f, params);
}

void peer_feedback_set(struct peer_feedback *f, const struct peer_params *params)
{
    f->transport_id = params->ext_recv[PEER_EXT_TRANSPORT_CC];
    f->is_repaired = params->nack;
    f->is_remb = params->remb;
    f->is_reduced = params->reduced_size_rtcp;
}

/* --- received --- */

static bool take_xr_block(struct peer_feedback *f, mono_us now, uint32_t sender,
                          const struct rtcp_xr_block *b)
{
    uint64_t ntp;
    if (!rtcp_xr_read_rrt(b, &ntp)) {
        f->has_reference = true;
        f->reference_ssrc = sender;
        f->reference = rtp_ntp_middle(ntp);
        f->reference_at = now;
        return true;
    }
    if (!rtcp_xr_read_summary(b, &f->view.summary))
        return f->view.has_summary = true;
    if (!rtcp_xr_read_voip(b, &f->view.voip))
        return f->view.has_voip = true;
    return false;
}

static bool take_xr(struct peer_feedback *f, mono_us now, const struct rtcp_packet *p)
{
    struct rtcp_xr_iter it;
    uint32_t sender;
    bool is_used = true;
    if (rtcp_read_xr(p, &sender, &it))
        return false;
    for (struct rtcp_xr_block b; rtcp_xr_next(&it, &b);)
        is_used &= take_xr_block(f, now, sender, &b);
    return is_used;
}

static bool take(struct peer_feedback *f, mono_us now, const struct rtcp_packet *p)
{
    switch (p->type) {
    case RTCP_SR:
    case RTCP_RR:
    case RTCP_SDES:
    case RTCP_BYE:
        return true; /* rtp/report.h */
    case RTCP_RTPFB:
        return p->count == RTCP_RTPFB_NACK; /* peer/repair.h */
    case RTCP_PSFB:
        if (rtcp_read_remb(p, &f->view.remb_bps))
            return false;
        return f->view.has_remb = true;
    case RTCP_XR:
        return take_xr(f, now, p);
    default:
        return false;
    }
}

bool peer_feedback_receive(struct peer_feedback *f, mono_us now, const uint8_t *data, size_t len)
{
    bool is_used = true;
    struct rtcp_iter it = rtcp_packets(data, len);
    for (struct rtcp_packet p; rtcp_next(&it, &p);)
        is_used &= take(f, now, &p);
    return is_used;
}

/* --- sent --- */

bool peer_feedback_write(struct peer_feedback *f, mono_us now, const struct rtp_report *report,
                         const struct rtp_recv_stats *source, const struct rtp_nack *losses,
                         struct bytes_writer *w)
{
    if (now < peer_feedback_deadline(f))
        return false;
    if (!f->is_reduced)
        rtp_report_write_head(report, w);
    /* Where a queue stands loss is what it seems to be, and without it the sender takes what it
     * sends for what comes through. */
    rtp_transport_cc_forgive(&f->transport, f->is_repaired && !losses->is_full);
    if (!f->is_remb)
        return rtp_transport_cc_write(&f->transport, now, report->ssrc, source->ssrc, w);
    const struct rtp_remb_counts counts = {losses->expected, losses->lost};
    return rtp_remb_write(&f->remb, now, counts, report->ssrc, source->ssrc, w);
}

void peer_feedback_write_dlrr(struct peer_feedback *f, mono_us now, uint32_t ssrc,
                              struct bytes_writer *w)
{
    if (!f->has_reference)
        return;
    f->has_reference = false;
    const struct rtcp_xr_dlrr dlrr = {
        .ssrc = f->reference_ssrc,
        .last_rr = f->reference,
        .delay = rtp_ntp_middle(rtp_ntp(now - f->reference_at, 0)),
    };
    rtcp_write_dlrr(w, ssrc, &dlrr);
}
