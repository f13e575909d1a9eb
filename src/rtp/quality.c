/* The E-model, reduced to what a relay can measure; see the header for the formulas.
 *
 * The terms of G.107 that describe telephones, rooms and lines (Ro, Is, sidetone, echo) keep their
 * default values, which together are the 93.2. A (advantage factor) is 0: nobody forgives a
 * browser anything. The delay term is the piecewise linear fit of Cole and Rosenbluth ("Voice
 * over IP Performance Monitoring", ACM CCR 31(2), 2001), within a point of Idd up to 400 ms. */
#include "rtp/quality.h"

#include <assert.h>

#define R_DEFAULT 93.2 /* G.107 §7.7: R with all parameters at their default */
#define IE_SCALE  95.0 /* G.107 (7-29) */

#define DEFAULT_FRAME (20 * US_PER_MS)

static const struct {
    double ie;          /* equipment impairment without loss */
    double bpl;         /* packet-loss robustness */
    mono_us look_ahead; /* of the encoder */
} codecs[RTP_QUALITY_N_CODECS] = {
    /* G.113 has no values for Opus on this scale. Ie 0: at the bit rates of browsers it is not
     * worse than G.711. Bpl 19: G.113 table I.4 gives that to G.729A, like Opus a predictive coder
     * with concealment in packets of 20 ms. 6.5 ms: RFC 6716 §2, "look-ahead". */
    [RTP_QUALITY_OPUS] = {0, 19, 6500},
    /* FEC gives single losses back at lower quality; our estimate, the value of the best
     * concealment in the table. */
    [RTP_QUALITY_OPUS_FEC] = {0, 25.1, 6500},
    /* G.113 table I.4: G.711 with Appendix I concealment. */
    [RTP_QUALITY_G711] = {0, 25.1, 0},
    /* Not in the narrow-band table; concealed as G.711 is. 22 samples of the QMF at 16 kHz. */
    [RTP_QUALITY_G722] = {0, 25.1, 1375},
};

static double delay_impairment(mono_us delay)
{
    double ms = (double)delay / (double)US_PER_MS;
    return 0.024 * ms + (ms > 177.3 ? 0.11 * (ms - 177.3) : 0);
}

static double effective_equipment_impairment(const struct rtp_quality_line *line)
{
    double ie = codecs[line->codec].ie;
    double percent = line->loss * 100;
    return ie + (IE_SCALE - ie) * percent / (percent / line->burst + codecs[line->codec].bpl);
}

double rtp_quality_r(const struct rtp_quality_line *line)
{
    assert(line->codec < RTP_QUALITY_N_CODECS && line->burst >= 1);
    double r = R_DEFAULT - delay_impairment(line->delay) - effective_equipment_impairment(line);
    return r < 0 ? 0 : r;
}

double rtp_quality_mos(double r)
{
    if (r <= 0)
        return 1;
    if (r >= 100)
        return 4.5;
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
    return mos < 1 ? 1 : mos; /* the polynomial dips below 1 for R < 6.5 */
}

double rtp_quality_burst(uint32_t lost, uint32_t runs, uint32_t expected)
{
    if (runs == 0 || lost >= expected)
        return 1;
    double mean = (double)lost / runs;
    double burst = mean * (1 - (double)lost / expected);
    return burst < 1 ? 1 : burst;
}

mono_us rtp_quality_delay(enum rtp_quality_codec codec, mono_us rtt_near, mono_us rtt_far,
                          mono_us jitter, mono_us frame)
{
    assert(codec < RTP_QUALITY_N_CODECS);
    return (rtt_near + rtt_far) / 2 + 2 * jitter + (frame ? frame : DEFAULT_FRAME) +
           codecs[codec].look_ahead;
}

void rtp_quality_init(struct rtp_quality *q, mono_us now)
{
    *q = (struct rtp_quality){.since = now};
}

static void measure_loss(const struct rtp_quality *q, const struct rtp_quality_counts *counts,
                         struct rtp_quality_snapshot *s)
{
    s->expected = counts->expected - q->before.expected;
    s->lost = counts->lost - q->before.lost;
    s->repaired = counts->repaired - q->before.repaired;
    /* A number can be lost in one interval and repaired in the next, or declared lost after the
     * interval that expected it. */
    if (s->lost > s->expected)
        s->lost = s->expected;
    if (s->repaired > s->lost)
        s->repaired = s->lost;
    s->has_loss = s->expected >= RTP_QUALITY_MIN_PACKETS;
    if (!s->has_loss)
        return;
    s->loss_before = (double)s->lost / s->expected;
    s->loss_after = (double)(s->lost - s->repaired) / s->expected;
    s->burst = rtp_quality_burst(s->lost, counts->runs - q->before.runs, s->expected);
}

static void measure_level(const struct rtp_level_counts *before, const struct rtp_level_counts *now,
                          struct rtp_quality_snapshot *s)
{
    uint32_t n = now->n - before->n, n_talk = now->n_talk - before->n_talk;
    uint32_t talk_ms = now->talk_ms - before->talk_ms;
    uint32_t listened_ms = talk_ms + (now->silent_ms - before->silent_ms);
    s->has_level = n > 0 && listened_ms >= RTP_QUALITY_MIN_LISTENED_MS;
    if (!s->has_level)
        return;
    s->talk = (double)talk_ms / listened_ms;
    s->level_db = n_talk ? (double)(now->talk_sum_db - before->talk_sum_db) / n_talk
                         : (double)(now->sum_db - before->sum_db) / n;
}

void rtp_quality_snapshot(struct rtp_quality *q, mono_us now,
                          const struct rtp_quality_counts *counts,
                          const struct rtp_quality_state *state, struct rtp_quality_snapshot *ret)
{
    *ret = (struct rtp_quality_snapshot){
        .interval = now - q->since,
        .has_jitter = state->has_jitter,
        .jitter = state->has_jitter ? state->jitter : 0,
        .has_delay = state->has_jitter && state->has_rtt,
    };
    measure_loss(q, counts, ret);
    measure_level(&q->before.level, &counts->level, ret);
    if (ret->has_delay) {
        ret->rtt = state->rtt_near + state->rtt_far;
        ret->delay = rtp_quality_delay(state->codec, state->rtt_near, state->rtt_far, state->jitter,
                                       state->frame);
    }
    ret->has_mos = ret->has_loss && ret->has_delay;
    if (ret->has_mos) {
        const struct rtp_quality_line line = {
            .codec = state->codec,
            .loss = 1 - (1 - ret->loss_after) * (1 - state->far_loss),
            .burst = ret->burst,
            .delay = ret->delay,
        };
        ret->r = rtp_quality_r(&line);
        ret->mos = rtp_quality_mos(ret->r);
    }
    *q = (struct rtp_quality){.before = *counts, .since = now};
}
