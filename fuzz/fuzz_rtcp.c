/* fuzz: duet_rtp duet_base */
/* Every RTCP reader over every packet, whether or not the framing check would have let it through;
 * and the report machine on top. */
#include <assert.h>

#include "rtp/report.h"
#include "rtp/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *begin, *end;

static void inside(const void *p, size_t len)
{
    const uint8_t *at = p;
    assert(len == 0 || (at >= begin && at + len <= end));
}

static void read_xr(const struct rtcp_packet *p)
{
    struct rtcp_xr_iter it;
    uint32_t ssrc;
    if (rtcp_read_xr(p, &ssrc, &it))
        return;
    for (struct rtcp_xr_block b; rtcp_xr_next(&it, &b);) {
        uint64_t ntp;
        struct rtcp_xr_dlrr dlrr;
        struct rtcp_xr_summary summary;
        struct rtcp_xr_voip voip;
        inside(b.body, b.body_len);
        int err = rtcp_xr_read_rrt(&b, &ntp);
        err |= rtcp_xr_read_summary(&b, &summary);
        err |= rtcp_xr_read_voip(&b, &voip);
        assert(err >= 0);
        for (unsigned i = 0; i < rtcp_xr_n_dlrr(&b); i++)
            rtcp_xr_read_dlrr(&b, i, &dlrr);
    }
}

static void read_all(const struct rtcp_packet *p)
{
    struct rtcp_sr sr;
    struct rtcp_bye bye;
    struct rtcp_feedback feedback;
    struct rtcp_report_block block;
    struct str cname;
    uint32_t ssrc;
    uint64_t bps;
    uint16_t seq;
    inside(p->body, p->body_len);
    int err = rtcp_read_sr(p, &sr);
    err |= rtcp_read_rr(p, &ssrc);
    err |= rtcp_read_remb(p, &bps);
    assert(err >= 0);
    for (unsigned i = 0; i < rtcp_n_blocks(p); i++)
        rtcp_read_block(p, i, &block);
    if (rtcp_read_cname(p, &ssrc, &cname) == 0)
        inside(cname.p, cname.len);
    if (rtcp_read_bye(p, &bye) == 0)
        inside(bye.reason.p, bye.reason.len);
    if (rtcp_read_feedback(p, &feedback) == 0)
        inside(feedback.fci, feedback.fci_len);
    struct rtcp_nack_iter nacks = rtcp_nacks(p);
    while (rtcp_nack_next(&nacks, &seq))
        ;
    read_xr(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin = data;
    end = data + size;
    size_t covered = 0;
    struct rtcp_iter it = rtcp_packets(data, size);
    for (struct rtcp_packet p; rtcp_next(&it, &p);) {
        read_all(&p);
        covered = (size_t)(it.r.p - data);
    }
    /* The check and the walk agree on what a whole packet is. */
    assert((rtcp_check(data, size) == 0) == (size > 0 && covered == size));

    struct rng rng;
    struct rtp_report r;
    struct rtp_recv_stats source;
    struct rtp_report_events events;
    rng_init_seeded(&rng, 1);
    rtp_report_init(&r, 0x11111111, 48000, STR("fuzz"), 0, &rng, 0);
    rtp_recv_stats_init(&source, 0x22222222, 48000, 0);
    (void)rtp_recv_stats_packet(&source, 1, 1, 1);
    int err = rtp_report_receive(&r, 3 * US_PER_S, data, size, &source, 1, &events);
    assert(err >= 0 && (!r.has_rtt || r.rtt >= 0));
    uint8_t buf[RTP_REPORT_MAX_LEN(1)];
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    assert(rtp_report_write(&r, 10 * US_PER_S, &source, 1, &w));
    assert(rtcp_check(buf, w.len) == 0);
    return 0;
}
