/* Loss detection. Numbers live in a ring of 32 slots by seq % 32; two bit masks say what is not
 * here and what was counted as lost, so that a source without loss costs a comparison a packet.
 *
 * Times in a slot are the low 32 bits of microseconds. They are compared only while the newest
 * packet is younger than RTP_NACK_USEFUL: everything missing is older than that packet, and when it
 * is too old they all are (is_over). */
#include "rtp/nack.h"

#include "rtp/recv_stats.h"
#include "rtp/sequence.h"

static uint32_t bit_of(uint16_t seq)
{
    return UINT32_C(1) << (seq % RTP_NACK_WINDOW);
}

static struct rtp_nack_slot *slot_of(struct rtp_nack *n, uint16_t seq)
{
    return &n->slots[seq % RTP_NACK_WINDOW];
}

/* Nothing that is missing can be of use any more. */
static bool is_over(const struct rtp_nack *n, mono_us now)
{
    return now - n->last_at > RTP_NACK_USEFUL;
}

static mono_us age_of(const struct rtp_nack *n, const struct rtp_nack_slot *slot, mono_us now)
{
    return is_over(n, now) ? MONO_NEVER : (mono_us)((uint32_t)now - slot->due);
}

void rtp_nack_init(struct rtp_nack *n)
{
    *n = (struct rtp_nack){
        .deadline = MONO_NEVER,
        .rtt = RTP_NACK_DEFAULT_RTT,
    };
    rtp_budget_fill(&n->budget, RTP_NACK_BURST);
}

void rtp_nack_set_rtt(struct rtp_nack *n, mono_us rtt)
{
    n->rtt = rtt;
}

/* A number is lost. It begins a series unless the one before it was lost too. */
static void declare(struct rtp_nack *n, uint16_t seq)
{
    uint16_t before = (uint16_t)(seq - 1);
    bool has_slot = (uint16_t)(n->newest - before) < RTP_NACK_WINDOW;
    bool continues = has_slot ? n->declared & bit_of(before) : slot_of(n, seq)->continues;
    if (!continues)
        n->runs++;
    n->declared |= bit_of(seq);
    n->lost++;
}

/* Everything that waits longer than the tolerance is lost; with `all`, everything that waits. */
static void settle(struct rtp_nack *n, mono_us now, bool all)
{
    if (!(n->missing & ~n->declared))
        return;
    all = all || is_over(n, now);
    for (unsigned back = RTP_NACK_WINDOW; back-- > 0;) {
        uint16_t seq = (uint16_t)(n->newest - back);
        if (!(n->missing & ~n->declared & bit_of(seq)))
            continue;
        if (all || (int32_t)((uint32_t)now - slot_of(n, seq)->retry) >= 0)
            declare(n, seq);
    }
}

/* Can an answer still come in time to a request that is made `age` after the number was due? */
static bool is_worth_asking(const struct rtp_nack *n, const struct rtp_nack_slot *slot, mono_us age)
{
    return slot->n_asked < RTP_NACK_MAX_REQUESTS && age <= RTP_NACK_USEFUL - n->rtt;
}

static void set_deadline(struct rtp_nack *n, mono_us now)
{
    n->deadline = MONO_NEVER;
    if (!n->missing || is_over(n, now))
        return;
    for (unsigned i = 0; i < RTP_NACK_WINDOW; i++) {
        const struct rtp_nack_slot *slot = &n->slots[i];
        uint32_t bit = UINT32_C(1) << i;
        if (!(n->missing & bit))
            continue;
        int32_t ahead = (int32_t)(slot->retry - (uint32_t)now);
        mono_us at = now + (ahead > 0 ? ahead : 0);
        if (n->declared & bit && !is_worth_asking(n, slot, (mono_us)((uint32_t)at - slot->due)))
            continue;
        n->deadline = mono_min(n->deadline, at);
    }
}

static void begin(struct rtp_nack *n, uint16_t seq, mono_us now)
{
    n->started = true;
    n->newest = seq;
    n->last_at = now;
    n->expected++;
}

void rtp_nack_restart(struct rtp_nack *n)
{
    settle(n, n->last_at, true);
    n->missing = 0;
    n->declared = 0;
    n->deadline = MONO_NEVER;
    n->started = false;
}

/* The number i steps behind the newest (of `step` in all) did not come. It should have come between
 * its neighbours, and cannot be older than that many of the longest frames. */
static void open_gap(struct rtp_nack *n, int i, int step, mono_us now)
{
    uint16_t seq = (uint16_t)(n->newest + i);
    mono_us due = n->last_at + (now - n->last_at) * i / step;
    mono_us oldest = now - (step - i) * RTP_NACK_MAX_FRAME;
    *slot_of(n, seq) = (struct rtp_nack_slot){
        .due = (uint32_t)(due > oldest ? due : oldest),
        .retry = (uint32_t)(now + RTP_NACK_REORDER),
    };
    n->missing |= bit_of(seq);
}

/* The slots of the next numbers are needed. Numbers of one gap are declared together, so that a
 * series is counted once: when one of them has to go before its time, nobody waits any longer. */
static void make_room(struct rtp_nack *n, int step)
{
    uint32_t going = 0;
    for (int i = 1; i <= step && i <= RTP_NACK_WINDOW; i++)
        going |= bit_of((uint16_t)(n->newest + i));
    if (n->missing & ~n->declared & going)
        settle(n, n->last_at, true);
    n->missing &= ~going;
    n->declared &= ~going;
}

static void advance(struct rtp_nack *n, int step, mono_us now)
{
    make_room(n, step);
    int skipped = step > RTP_NACK_WINDOW ? step - RTP_NACK_WINDOW : 0;
    for (int i = skipped + 1; i < step; i++)
        open_gap(n, i, step, now);
    if (skipped) {
        n->lost += (uint32_t)skipped;
        n->runs++;
        slot_of(n, (uint16_t)(n->newest + skipped + 1))->continues = true;
    }
    n->newest = (uint16_t)(n->newest + step);
    n->expected += (uint32_t)step;
    n->last_at = now;
}

/* A number that is not the newest. Outside the window, and where nothing is missing, it is a
 * duplicate, too late to matter, or from before the beginning. */
static void fill(struct rtp_nack *n, uint16_t seq, mono_us now)
{
    uint32_t bit = bit_of(seq);
    if ((uint16_t)(n->newest - seq) >= RTP_NACK_WINDOW || !(n->missing & bit))
        return;
    n->missing &= ~bit;
    if (!(n->declared & bit))
        n->reordered++;
    else if (age_of(n, slot_of(n, seq), now) <= RTP_NACK_USEFUL)
        n->repaired++;
    else
        n->late++;
}

void rtp_nack_packet(struct rtp_nack *n, uint16_t seq, mono_us now)
{
    int step = rtp_seq_diff(seq, n->newest);
    if (n->started && (step >= RTP_RECV_MAX_DROPOUT || step <= -RTP_RECV_MAX_MISORDER))
        rtp_nack_restart(n);
    if (!n->started) {
        begin(n, seq, now);
        return;
    }
    settle(n, now, false);
    if (step > 0)
        advance(n, step, now);
    else
        fill(n, seq, now);
    set_deadline(n, now);
}

void rtp_nack_repaired(struct rtp_nack *n, uint16_t seq, mono_us now)
{
    uint32_t bit = bit_of(seq);
    if (!n->started || (uint16_t)(n->newest - seq) >= RTP_NACK_WINDOW || !(n->missing & bit))
        return;
    if (!(n->declared & bit))
        declare(n, seq);
    fill(n, seq, now);
    set_deadline(n, now);
}

/* What came since the last time; more than a burst makes no difference. */
static void earn(struct rtp_nack *n)
{
    uint32_t fresh = n->expected - n->earned;
    n->earned = n->expected;
    rtp_budget_earn(&n->budget, fresh < UINT16_MAX ? fresh : UINT16_MAX,
                    n->is_full ? RTP_NACK_SHARE_FULL : RTP_NACK_SHARE, RTP_NACK_BURST);
}

unsigned rtp_nack_poll(struct rtp_nack *n, mono_us now, uint16_t ret_seqs[RTP_NACK_WINDOW])
{
    unsigned n_seqs = 0;
    mono_us wait = n->rtt / 2 > RTP_NACK_MIN_RETRY ? n->rtt / 2 : RTP_NACK_MIN_RETRY;

    if (!n->missing)
        return 0;
    settle(n, now, false);
    earn(n);
    for (unsigned back = RTP_NACK_WINDOW; back-- > 0 && !is_over(n, now);) {
        uint16_t seq = (uint16_t)(n->newest - back);
        struct rtp_nack_slot *slot = slot_of(n, seq);
        if (!(n->missing & n->declared & bit_of(seq)) ||
            (int32_t)((uint32_t)now - slot->retry) < 0 ||
            !is_worth_asking(n, slot, age_of(n, slot, now)))
            continue;
        slot->retry = (uint32_t)(now + wait);
        if (!rtp_budget_spend(&n->budget, 1)) {
            n->limited++;
            continue;
        }
        slot->n_asked++;
        ret_seqs[n_seqs++] = seq;
    }
    n->requests += n_seqs;
    set_deadline(n, now);
    return n_seqs;
}
