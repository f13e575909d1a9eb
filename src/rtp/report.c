/* Sending and understanding reports. With two participants RFC 3550 §6.3 comes down to one timer:
 * the deterministic interval is the fixed minimum, and what is left of the algorithm is the
 * randomisation, the half interval at the start and the rule who counts as a sender. */
#include "rtp/report.h"

#include <assert.h>
#include <string.h>

/* RFC 3550 §6.3.8: "removed from the sender table" when nothing was sent since the report before
 * the last one. */
#define QUIET_REPORTS 2

static mono_us randomised(struct rtp_report *r, mono_us interval)
{
    uint32_t factor = RTP_REPORT_RANDOM_MIN + rng_below(r->rng, RTP_REPORT_RANDOM_SPAN + 1);
    return interval * factor / 1000;
}

void rtp_report_init(struct rtp_report *r, uint32_t ssrc, uint32_t clock_rate, struct str cname,
                     uint64_t ntp_offset, struct rng *rng, mono_us now)
{
    assert(cname.len > 0 && cname.len <= RTP_REPORT_MAX_CNAME);
    *r = (struct rtp_report){
        .ssrc = ssrc,
        .clock_rate = clock_rate,
        .ntp_offset = ntp_offset,
        .rng = rng,
        .cname_len = (uint8_t)cname.len,
    };
    memcpy(r->cname, cname.p, cname.len);
    r->deadline = now + randomised(r, RTP_REPORT_INITIAL_INTERVAL);
}

/* RFC 3550 §6.4.1: the RTP timestamp "corresponds to the same time as the NTP timestamp", not to
 * the last packet. */
static uint32_t rtp_ts_at(const struct rtp_report *r, mono_us now)
{
    uint64_t us = now > r->last_sent_at ? (uint64_t)(now - r->last_sent_at) : 0;
    return r->last_ts + (uint32_t)(us * r->clock_rate / (uint64_t)US_PER_S);
}

static void write_first(struct rtp_report *r, mono_us now, const struct rtcp_report_block *blocks,
                        unsigned n, struct bytes_writer *w)
{
    if (!r->has_sent || r->quiet >= QUIET_REPORTS) {
        rtcp_write_rr(w, r->ssrc, blocks, n);
        return;
    }
    const struct rtcp_sr sr = {
        .ssrc = r->ssrc,
        .ntp = rtp_ntp(now, r->ntp_offset),
        .rtp_ts = rtp_ts_at(r, now),
        .packets = r->packets,
        .octets = r->octets,
    };
    rtcp_write_sr(w, &sr, blocks, n);
}

static void write_cname(const struct rtp_report *r, struct bytes_writer *w)
{
    rtcp_write_sdes(w, r->ssrc, (struct str){r->cname, r->cname_len});
}

bool rtp_report_write(struct rtp_report *r, mono_us now, struct rtp_recv_stats *sources, unsigned n,
                      struct bytes_writer *w)
{
    assert(n <= RTCP_MAX_BLOCKS);
    if (now < r->deadline)
        return false;
    r->deadline = now + randomised(r, RTP_REPORT_INTERVAL);

    struct rtcp_report_block blocks[RTCP_MAX_BLOCKS];
    unsigned n_blocks = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!rtp_recv_stats_is_valid(&sources[i]))
            continue;
        struct rtcp_report_block *block = &blocks[n_blocks++];
        rtp_recv_stats_report(&sources[i], now, block);
        r->own_loss = block->fraction_lost;
        if (block->fraction_lost < r->least_loss)
            block->fraction_lost = r->least_loss;
    }
    r->least_loss = 0;
    write_first(r, now, blocks, n_blocks, w);
    write_cname(r, w);
    if (r->quiet < QUIET_REPORTS)
        r->quiet++;
    return !w->failed;
}

void rtp_report_write_head(const struct rtp_report *r, struct bytes_writer *w)
{
    rtcp_write_rr(w, r->ssrc, NULL, 0);
    write_cname(r, w);
}

void rtp_report_write_bye(struct rtp_report *r, mono_us now, struct bytes_writer *w)
{
    write_first(r, now, NULL, 0, w);
    write_cname(r, w);
    rtcp_write_bye(w, r->ssrc, (struct str){0});
}

static struct rtp_recv_stats *find_source(struct rtp_recv_stats *sources, unsigned n, uint32_t ssrc)
{
    for (unsigned i = 0; i < n; i++) {
        if (sources[i].ssrc == ssrc)
            return &sources[i];
    }
    return NULL;
}

/* RFC 3550 §6.4.1: round-trip time is A - LSR - DLSR. What comes out negative is a lie or a clock
 * that was set. */
static bool measure_rtt(struct rtp_report *r, mono_us now, const struct rtcp_report_block *b)
{
    if (b->last_sr == 0)
        return false;
    uint32_t arrival = rtp_ntp_middle(rtp_ntp(now, r->ntp_offset));
    int32_t rtt = (int32_t)(arrival - b->last_sr - b->delay);
    if (rtt < 0)
        return false;
    r->rtt = (mono_us)(((uint64_t)(uint32_t)rtt * (uint64_t)US_PER_S) >> 16);
    r->has_rtt = true;
    return true;
}

static void receive_blocks(struct rtp_report *r, mono_us now, const struct rtcp_packet *p,
                           struct rtp_report_events *events)
{
    unsigned n = rtcp_n_blocks(p);
    for (unsigned i = 0; i < n; i++) {
        struct rtcp_report_block b;
        rtcp_read_block(p, i, &b);
        if (b.ssrc != r->ssrc)
            continue;
        r->remote = b;
        r->has_remote = true;
        events->is_reported = true;
        events->is_rtt |= measure_rtt(r, now, &b);
    }
}

static bool is_bye_of(const struct rtcp_packet *p, struct rtp_recv_stats *sources, unsigned n)
{
    struct rtcp_bye bye;
    if (rtcp_read_bye(p, &bye))
        return false;
    for (unsigned i = 0; i < bye.n_ssrcs; i++) {
        if (find_source(sources, n, bye.ssrcs[i]))
            return true;
    }
    return bye.n_ssrcs == 0;
}

int rtp_report_receive(struct rtp_report *r, mono_us now, const uint8_t *data, size_t len,
                       struct rtp_recv_stats *sources, unsigned n, struct rtp_report_events *ret)
{
    int err = rtcp_check(data, len);
    if (err)
        return err;
    struct rtp_report_events events = {0};
    struct rtcp_iter it = rtcp_packets(data, len);
    for (struct rtcp_packet p; rtcp_next(&it, &p);) {
        struct rtcp_sr sr;
        if (rtcp_read_sr(&p, &sr) == 0) {
            struct rtp_recv_stats *source = find_source(sources, n, sr.ssrc);
            if (source)
                rtp_recv_stats_sender_report(source, sr.ntp, now);
        }
        receive_blocks(r, now, &p, &events);
        events.is_bye |= is_bye_of(&p, sources, n);
    }
    *ret = events;
    return 0;
}
