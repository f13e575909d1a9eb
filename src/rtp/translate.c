/* Continuity of an outgoing stream. A source is joined to the stream by two offsets; a switch or
 * restart chooses new ones so that the next packet follows the newest one that went out, later by
 * the time that has passed. `span` remembers how far back the present offsets reach: behind that
 * stand numbers that another source has used. */
#include "rtp/translate.h"

#include "rtp/sequence.h"

void rtp_translator_init(struct rtp_translator *t, uint32_t ssrc, uint16_t first_seq,
                         uint32_t first_ts)
{
    *t = (struct rtp_translator){
        .ssrc = ssrc,
        /* one before the first: the first packet joins the stream like any other source */
        .last_seq = (uint16_t)(first_seq - 1),
        .last_ts = first_ts,
    };
}

void rtp_translator_expect_source(struct rtp_translator *t)
{
    t->is_joined = false;
}

static uint32_t elapsed_ticks(const struct rtp_translator *t, mono_us now, uint32_t clock_rate)
{
    uint64_t us = now > t->last_at ? (uint64_t)(now - t->last_at) : 0;
    uint64_t s = us / (uint64_t)US_PER_S;
    uint64_t rest = us % (uint64_t)US_PER_S;
    return (uint32_t)(s * clock_rate + rest * clock_rate / (uint64_t)US_PER_S);
}

/* The next number goes to this packet, and what was before it belongs to somebody else. */
static void join(struct rtp_translator *t, uint32_t ssrc, uint16_t seq, uint32_t ts, uint32_t ticks)
{
    t->source_ssrc = ssrc;
    t->seq_offset = (uint16_t)(t->last_seq + 1 - seq);
    t->ts_offset = t->last_ts + ticks - ts;
    t->span = 0;
    t->has_jump = false;
}

static void advance(struct rtp_translator *t, uint16_t seq, uint32_t ts, mono_us now)
{
    uint32_t span = t->span + (uint32_t)(uint16_t)(seq - t->last_seq);
    t->span = (uint16_t)(span < RTP_TRANSLATE_MAX_MISORDER ? span : RTP_TRANSLATE_MAX_MISORDER);
    t->last_seq = seq;
    t->last_ts = ts;
    t->last_at = now;
}

static bool is_straggler(const struct rtp_translator *t, uint32_t ssrc, mono_us now)
{
    return t->has_previous && ssrc == t->previous_ssrc &&
           now - t->switched_at < RTP_TRANSLATE_STRAGGLERS;
}

static void switch_source(struct rtp_translator *t, uint32_t ssrc, uint16_t seq, uint32_t ts,
                          mono_us now, uint32_t clock_rate)
{
    uint32_t ticks = 0;
    if (!t->started) {
        t->last_at = now;
    } else {
        ticks = elapsed_ticks(t, now, clock_rate);
        if (ticks == 0)
            ticks = 1; /* two frames never share a timestamp */
        t->previous_ssrc = t->source_ssrc;
        t->has_previous = t->is_joined;
    }
    t->started = true;
    t->is_joined = true;
    t->switched_at = now;
    join(t, ssrc, seq, ts, ticks);
}

/* RFC 3550 §A.1: two numbers in sequence after a jump are a restart, one alone is a stray. */
static bool is_restart(struct rtp_translator *t, uint16_t seq)
{
    if (t->has_jump && seq == t->jump_seq)
        return true;
    t->has_jump = true;
    t->jump_seq = (uint16_t)(seq + 1);
    return false;
}

/* The source's own clock may jump while its numbers go on. */
static void follow_clock(struct rtp_translator *t, uint32_t ts, mono_us now, uint32_t clock_rate)
{
    uint32_t ticks = elapsed_ticks(t, now, clock_rate);
    int64_t off = (int64_t)rtp_ts_diff(ts + t->ts_offset, t->last_ts) - (int32_t)ticks;
    int64_t limit = (int64_t)RTP_TRANSLATE_TS_JUMP_S * clock_rate;
    if (off > limit || off < -limit)
        t->ts_offset = t->last_ts + (ticks ? ticks : 1) - ts;
}

int rtp_translate(struct rtp_translator *t, uint32_t ssrc, uint16_t seq, uint32_t ts, mono_us now,
                  uint32_t clock_rate, uint16_t *ret_seq, uint32_t *ret_ts)
{
    if (!t->is_joined || ssrc != t->source_ssrc) {
        if (t->is_joined && is_straggler(t, ssrc, now))
            return RTP_E_OLD;
        switch_source(t, ssrc, seq, ts, now, clock_rate);
    }

    int step = rtp_seq_diff((uint16_t)(seq + t->seq_offset), t->last_seq);
    if (step > RTP_TRANSLATE_MAX_DROPOUT || step < -RTP_TRANSLATE_MAX_MISORDER) {
        if (!is_restart(t, seq))
            return RTP_E_JUMP;
        uint32_t ticks = elapsed_ticks(t, now, clock_rate);
        join(t, ssrc, seq, ts, ticks ? ticks : 1);
        step = 1;
    }
    if (step <= 0 && -step >= (int)t->span)
        return RTP_E_OLD;
    t->has_jump = false;
    if (step > 0)
        follow_clock(t, ts, now, clock_rate);

    *ret_seq = (uint16_t)(seq + t->seq_offset);
    *ret_ts = ts + t->ts_offset;
    if (step > 0)
        advance(t, *ret_seq, *ret_ts, now);
    return 0;
}
