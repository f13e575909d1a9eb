/* REMB: see the header. Loss before repair: what NACK brought back had no room on the line either.
 */
#include "rtp/remb.h"

#include "rtp/rtcp.h"

/* draft-ietf-rmcat-gcc-02 §6, in percent. */
#define LOSS_TOO_MUCH   10
#define LOSS_NONE       2
#define GROWTH_PER_CENT 8

void rtp_remb_init(struct rtp_remb *r, mono_us now)
{
    *r = (struct rtp_remb){
        .deadline = now + RTP_REMB_INTERVAL, .since = now, .rate_bps = RTP_REMB_MAX_BPS};
}

static uint32_t bounded(uint64_t bps)
{
    return bps < RTP_REMB_MIN_BPS ? RTP_REMB_MIN_BPS
                                  : (uint32_t)(bps > RTP_REMB_MAX_BPS ? RTP_REMB_MAX_BPS : bps);
}

static uint32_t next_rate(const struct rtp_remb *r, mono_us now, uint32_t expected, uint32_t lost)
{
    if (expected < RTP_REMB_MIN_PACKETS)
        return r->rate_bps;
    if (lost > expected)
        lost = expected;
    if ((uint64_t)lost * 100 < (uint64_t)expected * LOSS_NONE)
        return bounded((uint64_t)r->rate_bps * (100 + GROWTH_PER_CENT) / 100);
    if ((uint64_t)lost * 100 <= (uint64_t)expected * LOSS_TOO_MUCH)
        return r->rate_bps;
    uint64_t received = (uint64_t)r->bytes * 8 * (uint64_t)US_PER_S / (uint64_t)(now - r->since);
    uint64_t less = received * (2 * (uint64_t)expected - lost) / (2 * (uint64_t)expected);
    return bounded(less < r->rate_bps ? less : r->rate_bps);
}

bool rtp_remb_write(struct rtp_remb *r, mono_us now, struct rtp_remb_counts counts,
                    uint32_t sender_ssrc, uint32_t media_ssrc, struct bytes_writer *w)
{
    if (now < r->deadline)
        return false;
    r->rate_bps = next_rate(r, now, counts.expected - r->expected, counts.lost - r->lost);
    r->since = now;
    r->deadline = now + RTP_REMB_INTERVAL;
    r->bytes = 0;
    r->expected = counts.expected;
    r->lost = counts.lost;
    rtcp_write_remb(w, sender_ssrc, r->rate_bps, &media_ssrc, 1);
    return !w->failed;
}
