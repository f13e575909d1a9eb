/* Continuity of an outgoing stream. A source is joined to the stream by two offsets; a switch or
 * restart chooses new ones so that the next packet follows the newest one that went out, later by
 * the time that has passed. `span` remembers how far back the present offsets reach: behind that
 * stand numbers that another source has used.
 *
 * A skipped number takes one off the offset. So for a late packet the skipped numbers between it
 * and the newest one are added again; they are bits in `skipped`. It always holds that the newest
 * source number, skipped or not, plus the offset is last_seq. */
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
    t->skipped = 0;
    t->has_jump = false;
}

/* The stream is longer by n numbers, 0 to RTP_TRANSLATE_MAX_DROPOUT. */
static void extend(struct rtp_translator *t, unsigned n)
{
    unsigned span = t->span + n;
    t->span = (uint16_t)(span < RTP_TRANSLATE_MAX_MISORDER ? span : RTP_TRANSLATE_MAX_MISORDER);
    t->last_seq = (uint16_t)(t->last_seq + n);
}

/* The newest source number moves on to one that is skipped (1) or not (0). When a skipped one is
 * forgotten, nothing from before the window can be put in its place. */
static void shift_skipped(struct rtp_translator *t, unsigned step, uint64_t is_skipped)
{
    bool is_far = step >= RTP_TRANSLATE_SKIP_WINDOW;
    uint64_t forgotten = is_far ? t->skipped : t->skipped >> (RTP_TRANSLATE_SKIP_WINDOW - step);
    t->skipped = (is_far ? 0 : t->skipped << step) | is_skipped;
    unsigned reach = RTP_TRANSLATE_SKIP_WINDOW - (unsigned)__builtin_popcountll(t->skipped);
    if (forgotten && t->span > reach)
        t->span = (uint16_t)reach;
}

static void advance(struct rtp_translator *t, unsigned step, uint32_t ts, mono_us now)
{
    extend(t, step);
    if (t->skipped)
        shift_skipped(t, step, 0);
    t->kept = 0;
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

/* How many numbers that were skipped lie between the newest one and that `back` behind it. @return
 * false = it was skipped itself */
static bool count_skipped(const struct rtp_translator *t, unsigned back, unsigned *ret)
{
    if (back >= RTP_TRANSLATE_SKIP_WINDOW) {
        *ret = (unsigned)__builtin_popcountll(t->skipped);
        return true;
    }
    *ret = (unsigned)__builtin_popcountll(t->skipped & ((UINT64_C(1) << back) - 1));
    return !(t->skipped >> back & 1);
}

/* A packet that is not the newest. @param back  numbers of the source behind that */
static int place_late(const struct rtp_translator *t, uint32_t ts, unsigned back, uint16_t *ret_seq,
                      uint32_t *ret_ts)
{
    unsigned n_skipped = 0;
    if (t->skipped && !count_skipped(t, back, &n_skipped))
        return RTP_E_OLD;
    back -= n_skipped;
    if (back >= t->span)
        return RTP_E_OLD;
    *ret_seq = (uint16_t)(t->last_seq - back);
    *ret_ts = ts + t->ts_offset;
    return 0;
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
    if (step <= 0) {
        int err = place_late(t, ts, (unsigned)-step, ret_seq, ret_ts);
        t->has_jump = t->has_jump && err;
        return err;
    }
    t->has_jump = false;
    follow_clock(t, ts, now, clock_rate);
    *ret_seq = (uint16_t)(seq + t->seq_offset);
    *ret_ts = ts + t->ts_offset;
    advance(t, (unsigned)step, *ret_ts, now);
    return 0;
}

void rtp_translator_skip(struct rtp_translator *t, uint32_t ssrc, uint16_t seq)
{
    if (!t->is_joined || ssrc != t->source_ssrc)
        return;
    int step = rtp_seq_diff((uint16_t)(seq + t->seq_offset), t->last_seq);
    if (step <= 0 || t->kept + step > RTP_TRANSLATE_MAX_DROPOUT)
        return;
    t->kept = (uint16_t)(t->kept + step - 1);
    extend(t, (unsigned)step - 1);
    shift_skipped(t, (unsigned)step, 1);
    t->seq_offset--;
}
