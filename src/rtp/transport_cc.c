/* Transport-wide feedback. Arrivals of the newest 64 numbers stay in a ring, also after they were
 * reported: when a packet comes late, the next feedback begins at its number again and repeats
 * what stands behind it (the draft allows that, and a repeated arrival must not turn into a loss).
 *
 * Times are kept in the units of the wire, 250 µs since the clock's zero, so that deltas are exact
 * differences and rounding never adds up. */
#include "rtp/transport_cc.h"

#include "rtp/extension.h"
#include "rtp/rtcp.h"
#include "rtp/sequence.h"

/* §3.1.5: deltas in multiples of 250 µs; §3.1: the reference time in multiples of 64 ms. */
#define TICK_US             250
#define TICKS_PER_REFERENCE 256

#define FCI_HEADER   8
#define DUE_WHEN     (RTP_TRANSPORT_CC_WINDOW * 3 / 4)
#define VECTOR_SHORT 14 /* symbols of one bit */
#define VECTOR_LONG  7  /* symbols of two bits */
#define MAX_CHUNKS   (RTP_TRANSPORT_CC_WINDOW / VECTOR_LONG + 1)

/* §3.1.1: packet status symbols. The value is also the length of the delta. */
enum symbol {
    NOT_RECEIVED = 0,
    SMALL_DELTA = 1,
    LARGE_DELTA = 2,
};

void rtp_transport_cc_init(struct rtp_transport_cc *t)
{
    *t = (struct rtp_transport_cc){.started = false};
}

bool rtp_transport_seq_read(const uint8_t *data, const struct rtp_packet *packet, uint8_t id,
                            uint16_t *ret)
{
    struct rtp_extension e;
    if (!rtp_extension_find(data, packet, id, &e) || e.len < 2)
        return false;
    *ret = get_be16(e.data);
    return true;
}

static uint64_t bit_of(uint16_t seq)
{
    return UINT64_C(1) << (seq % RTP_TRANSPORT_CC_WINDOW);
}

static bool has_come(const struct rtp_transport_cc *t, uint16_t seq)
{
    return t->came & bit_of(seq);
}

static uint64_t ticks_of(mono_us now)
{
    return (uint64_t)now / TICK_US;
}

static void start(struct rtp_transport_cc *t, uint16_t seq)
{
    t->came = 0;
    t->base = seq;
    t->newest = seq;
    t->span = 1;
    t->started = true;
    t->has_jump = false;
    t->is_pending = false;
}

static void advance(struct rtp_transport_cc *t, unsigned step)
{
    for (unsigned i = 1; i <= step; i++)
        t->came &= ~bit_of((uint16_t)(t->newest + i));
    t->newest = (uint16_t)(t->newest + step);
    t->span = (uint16_t)(t->span + step);
    if (t->span > RTP_TRANSPORT_CC_WINDOW)
        t->span = RTP_TRANSPORT_CC_WINDOW;
    if (rtp_seq_diff(t->newest, t->base) >= RTP_TRANSPORT_CC_WINDOW)
        t->base = (uint16_t)(t->newest - RTP_TRANSPORT_CC_WINDOW + 1);
}

/* Move the window to the number. @return false = nothing to be reported about it */
static bool place(struct rtp_transport_cc *t, uint16_t seq)
{
    int step = rtp_seq_diff(seq, t->newest);
    bool is_restart = t->has_jump && seq == t->jump_seq;
    if (!t->started || step >= RTP_TRANSPORT_CC_WINDOW || is_restart) {
        start(t, seq);
        return true;
    }
    if (step > 0) {
        t->has_jump = false;
        advance(t, (unsigned)step);
        return true;
    }
    if (-step >= t->span) {
        t->late++;
        t->has_jump = -step >= RTP_TRANSPORT_CC_WINDOW;
        t->jump_seq = (uint16_t)(seq + 1);
        return false;
    }
    if (has_come(t, seq))
        return false;
    if (rtp_seq_is_newer(t->base, seq))
        t->base = seq;
    return true;
}

void rtp_transport_cc_packet(struct rtp_transport_cc *t, uint16_t seq, mono_us now)
{
    if (!place(t, seq))
        return;
    t->came |= bit_of(seq);
    t->at[seq % RTP_TRANSPORT_CC_WINDOW] = (uint32_t)ticks_of(now);
    if (!t->is_pending)
        t->pending_at = now;
    t->is_pending = true;
    if (rtp_seq_diff(t->newest, t->base) >= DUE_WHEN &&
        t->pending_at > now - RTP_TRANSPORT_CC_INTERVAL)
        t->pending_at = now - RTP_TRANSPORT_CC_INTERVAL;
}

/* One feedback on its way to the wire. */
struct feedback {
    unsigned n; /* statuses */
    uint8_t symbols[RTP_TRANSPORT_CC_WINDOW];
    int16_t deltas[RTP_TRANSPORT_CC_WINDOW];
    uint32_t reference; /* 24 bits */
    unsigned n_chunks;
    uint16_t chunks[MAX_CHUNKS];
    size_t deltas_len; /* bytes */
};

/* Is what is missing among the next n numbers not to be told? */
static bool is_forgiven(const struct rtp_transport_cc *t, unsigned n)
{
    unsigned n_missing = 0;
    for (unsigned i = 0; i < n; i++)
        n_missing += !has_come(t, (uint16_t)(t->base + i));
    return t->is_forgiving && n_missing * 2 <= n;
}

static void put_status(struct feedback *f, int32_t delta)
{
    f->deltas[f->n] = (int16_t)delta;
    f->symbols[f->n] = delta >= 0 && delta <= UINT8_MAX ? SMALL_DELTA : LARGE_DELTA;
    f->deltas_len += f->symbols[f->n];
}

/* Statuses and deltas from t->base on, up to a delta that does not fit. */
static void collect(const struct rtp_transport_cc *t, mono_us now, struct feedback *f)
{
    unsigned n = (unsigned)(uint16_t)(t->newest - t->base) + 1;
    bool forgiven = is_forgiven(t, n);
    bool has_reference = false;
    uint32_t last = 0;

    *f = (struct feedback){.n = 0};
    for (; f->n < n; f->n++) {
        uint16_t seq = (uint16_t)(t->base + f->n);
        if (!has_come(t, seq)) {
            if (forgiven && has_reference)
                put_status(f, 0);
            continue;
        }
        uint32_t at = t->at[seq % RTP_TRANSPORT_CC_WINDOW];
        if (!has_reference) {
            uint64_t full = ticks_of(now) - ((uint32_t)ticks_of(now) - at);
            f->reference = (uint32_t)(full / TICKS_PER_REFERENCE) & 0xffffff;
            last = at - (uint32_t)(full % TICKS_PER_REFERENCE);
            has_reference = true;
        }
        int32_t delta = (int32_t)(at - last);
        if (delta < INT16_MIN || delta > INT16_MAX)
            return;
        last = at;
        put_status(f, delta);
    }
}

static unsigned run_length(const struct feedback *f, unsigned from)
{
    unsigned end = from + 1;
    while (end < f->n && f->symbols[end] == f->symbols[from])
        end++;
    return end - from;
}

static bool has_large(const struct feedback *f, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        if (f->symbols[i] == LARGE_DELTA)
            return true;
    }
    return false;
}

/* §3.1.4: 1, symbol size, symbols from the highest bit down; what is not used is 0. */
static uint16_t vector_chunk(const struct feedback *f, unsigned from, unsigned n, unsigned bits)
{
    unsigned chunk = bits == 1 ? 0x8000 : 0xc000;
    for (unsigned i = 0; i < n; i++)
        chunk |= (unsigned)f->symbols[from + i] << (VECTOR_SHORT - bits * (i + 1));
    return (uint16_t)chunk;
}

/* The chunk that takes in most symbols; never fewer than VECTOR_LONG while there are so many. */
static unsigned next_chunk(const struct feedback *f, unsigned from, uint16_t *ret)
{
    unsigned left = f->n - from;
    unsigned run = run_length(f, from);
    unsigned n = left < VECTOR_SHORT ? left : VECTOR_SHORT;
    bool is_short = !has_large(f, from, n);

    if (run >= VECTOR_SHORT || run == left || (run >= VECTOR_LONG && !is_short)) {
        /* §3.1.3: 0, symbol, thirteen bits of run length */
        *ret = (uint16_t)((unsigned)f->symbols[from] << 13 | run);
        return run;
    }
    if (!is_short && n > VECTOR_LONG)
        n = VECTOR_LONG;
    *ret = vector_chunk(f, from, n, is_short ? 1 : 2);
    return n;
}

static void put_deltas(struct bytes_writer *w, const struct feedback *f)
{
    for (unsigned i = 0; i < f->n; i++) {
        if (f->symbols[i] == SMALL_DELTA)
            bytes_put8(w, (uint8_t)f->deltas[i]);
        else if (f->symbols[i] == LARGE_DELTA)
            bytes_put16(w, (uint16_t)f->deltas[i]);
    }
}

bool rtp_transport_cc_write(struct rtp_transport_cc *t, mono_us now, uint32_t sender_ssrc,
                            uint32_t media_ssrc, struct bytes_writer *w)
{
    struct feedback f;
    if (now < rtp_transport_cc_deadline(t))
        return false;
    collect(t, now, &f);
    for (unsigned i = 0; i < f.n; f.n_chunks++)
        i += next_chunk(&f, i, &f.chunks[f.n_chunks]);
    size_t len = (FCI_HEADER + 2 * (size_t)f.n_chunks + f.deltas_len + 3) / 4 * 4;
    uint8_t *fci =
        rtcp_write_feedback(w, RTCP_RTPFB, RTCP_RTPFB_TRANSPORT_CC, sender_ssrc, media_ssrc, len);
    if (!fci)
        return false;
    struct bytes_writer out = bytes_writer(fci, len);
    bytes_put16(&out, t->base);
    bytes_put16(&out, (uint16_t)f.n);
    bytes_put32(&out, f.reference << 8 | t->count++);
    for (unsigned i = 0; i < f.n_chunks; i++)
        bytes_put16(&out, f.chunks[i]);
    put_deltas(&out, &f);
    while (out.len < len)
        bytes_put8(&out, 0);
    t->base = (uint16_t)(t->base + f.n);
    t->is_pending = t->base != (uint16_t)(t->newest + 1);
    return true;
}
