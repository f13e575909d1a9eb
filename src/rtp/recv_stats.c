/* Receive statistics of one source. The arithmetic is that of RFC 3550 appendix A; the state is
 * kept as there, so that the two can be read side by side. */
#include "rtp/recv_stats.h"

#include <string.h>

#include "rtp/report.h"

#define RTP_SEQ_MOD 0x10000u
#define NO_BAD_SEQ  (RTP_SEQ_MOD + 1)

/* RFC 3550 §6.4.1: "cumulative number of packets lost: 24 bits", signed. */
#define LOST_MAX 0x7fffff
#define LOST_MIN (-0x800000)

void rtp_recv_stats_init(struct rtp_recv_stats *s, uint32_t ssrc, uint32_t clock_rate,
                         unsigned probation)
{
    *s = (struct rtp_recv_stats){
        .ssrc = ssrc,
        .clock_rate = clock_rate,
        .probation = (uint8_t)probation,
        .bad_seq = NO_BAD_SEQ,
    };
}

static void restart(struct rtp_recv_stats *s, uint16_t seq)
{
    s->base_seq = seq;
    s->max_seq = seq;
    s->bad_seq = NO_BAD_SEQ;
    s->cycles = 0;
    s->received = 0;
    s->received_prior = 0;
    s->expected_prior = 0;
    s->has_transit = false;
    s->jitter_x16 = 0;
}

/* §A.1, first part: a source counts after `probation` packets in sequence. */
static int prove(struct rtp_recv_stats *s, uint16_t seq)
{
    bool in_sequence = s->started && seq == (uint16_t)(s->max_seq + 1);
    if (!s->started) {
        restart(s, seq);
        s->started = true;
        if (s->probation > 0)
            s->probation--;
    } else if (in_sequence) {
        s->probation--;
    } else {
        s->probation = RTP_RECV_MIN_SEQUENTIAL - 1;
    }
    s->max_seq = seq;
    if (s->probation > 0)
        return RTP_E_PROBATION;
    restart(s, seq);
    return 0;
}

/* §A.1, second part: dropouts, restarts, reordering. */
static int follow(struct rtp_recv_stats *s, uint16_t seq)
{
    uint16_t delta = (uint16_t)(seq - s->max_seq);
    if (delta < RTP_RECV_MAX_DROPOUT) {
        if (seq < s->max_seq)
            s->cycles += RTP_SEQ_MOD;
        s->max_seq = seq;
        s->bad_seq = NO_BAD_SEQ;
    } else if (delta <= RTP_SEQ_MOD - RTP_RECV_MAX_MISORDER) {
        if (seq != s->bad_seq) {
            s->bad_seq = (seq + 1u) & (RTP_SEQ_MOD - 1);
            return RTP_E_JUMP;
        }
        restart(s, seq);
    }
    /* else: duplicate or reordered, counted and nothing more */
    return 0;
}

static uint32_t ticks_of(mono_us now, uint32_t clock_rate)
{
    uint64_t s = (uint64_t)now / (uint64_t)US_PER_S;
    uint64_t us = (uint64_t)now % (uint64_t)US_PER_S;
    return (uint32_t)(s * clock_rate + us * clock_rate / (uint64_t)US_PER_S);
}

/* §A.8, with the jitter kept times 16 so that rounding does not eat it. Packets that share a
 * timestamp (a telephone-event, RFC 4733 §2.5.1.2) are sent at different times: only the first one
 * says something about the line (libwebrtc does the same). */
static void measure_jitter(struct rtp_recv_stats *s, uint32_t timestamp, mono_us now)
{
    if (s->has_transit && timestamp == s->last_timestamp)
        return;
    s->last_timestamp = timestamp;
    uint32_t transit = ticks_of(now, s->clock_rate) - timestamp;
    int32_t d = (int32_t)(transit - s->transit);
    s->transit = transit;
    if (!s->has_transit) {
        s->has_transit = true;
        s->least_transit = s->low_transit = transit;
        s->looked_at = now;
        s->queue = 0;
        return;
    }
    if ((int32_t)(transit - s->low_transit) < 0)
        s->low_transit = transit;
    uint32_t magnitude = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
    s->jitter_x16 += magnitude - ((s->jitter_x16 + 8) >> 4);
}

mono_us rtp_recv_stats_queue(struct rtp_recv_stats *s, mono_us now)
{
    mono_us passed = now - s->looked_at;
    if (!s->has_transit || s->clock_rate == 0)
        return 0;
    if (passed < RTP_RECV_QUEUE_INTERVAL)
        return s->queue;
    s->least_transit += ticks_of(passed * RTP_RECV_LEAST_RISES / 1000, s->clock_rate);
    int64_t ticks = (int32_t)(s->low_transit - s->least_transit);
    mono_us queue = ticks * US_PER_S / s->clock_rate;
    if (queue < 0 || queue > RTP_RECV_MAX_QUEUE) {
        s->least_transit = s->low_transit;
        queue = 0;
    }
    s->low_transit = s->transit;
    s->looked_at = now;
    return s->queue = queue;
}

int rtp_recv_stats_packet(struct rtp_recv_stats *s, uint16_t seq, uint32_t timestamp, mono_us now)
{
    int err = !s->started || s->probation > 0 ? prove(s, seq) : follow(s, seq);
    if (err)
        return err;
    s->received++;
    /* Of packets in order only: one that was asked for again is late by a round trip, which says
     * nothing of the line's jitter (observed in libwebrtc's receive statistics too). */
    if (seq == s->max_seq)
        measure_jitter(s, timestamp, now);
    return 0;
}

void rtp_recv_stats_sender_report(struct rtp_recv_stats *s, uint64_t ntp, mono_us now)
{
    s->last_sr = rtp_ntp_middle(ntp);
    s->last_sr_at = now;
    s->has_sr = true;
}

bool rtp_recv_stats_is_valid(const struct rtp_recv_stats *s)
{
    return s->started && s->probation == 0;
}

uint32_t rtp_recv_stats_extended_seq(const struct rtp_recv_stats *s)
{
    return s->cycles + s->max_seq;
}

static uint32_t expected(const struct rtp_recv_stats *s)
{
    return rtp_recv_stats_extended_seq(s) - s->base_seq + 1;
}

int32_t rtp_recv_stats_lost(const struct rtp_recv_stats *s)
{
    if (!rtp_recv_stats_is_valid(s))
        return 0;
    int32_t lost = (int32_t)(expected(s) - s->received);
    return lost > LOST_MAX ? LOST_MAX : lost < LOST_MIN ? LOST_MIN : lost;
}

/* §A.3. */
static uint8_t fraction_lost(struct rtp_recv_stats *s)
{
    uint32_t expected_interval = expected(s) - s->expected_prior;
    uint32_t received_interval = s->received - s->received_prior;
    s->expected_prior = expected(s);
    s->received_prior = s->received;
    int32_t lost = (int32_t)(expected_interval - received_interval);
    if (expected_interval == 0 || lost <= 0)
        return 0;
    uint64_t fraction = ((uint64_t)(uint32_t)lost << 8) / expected_interval;
    return (uint8_t)(fraction > 255 ? 255 : fraction); /* all lost is 256/256: does not fit */
}

void rtp_recv_stats_report(struct rtp_recv_stats *s, mono_us now, struct rtcp_report_block *ret)
{
    *ret = (struct rtcp_report_block){
        .ssrc = s->ssrc,
        .fraction_lost = fraction_lost(s),
        .lost = rtp_recv_stats_lost(s),
        .extended_seq = rtp_recv_stats_extended_seq(s),
        .jitter = rtp_recv_stats_jitter(s),
    };
    if (s->has_sr) {
        ret->last_sr = s->last_sr;
        ret->delay = rtp_ntp_middle(rtp_ntp(now - s->last_sr_at, 0));
    }
}
