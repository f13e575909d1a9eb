/* RFC 2198. Reading and writing are a table of headers and the blocks behind it. Recovery is about
 * sequence numbers, which RED does not carry: the sender numbers its frames one by one, so a block
 * that lies k frames before the packet is k numbers before it, provided that nobody was silent in
 * between (DTX takes no numbers). Three ways to be sure of that:
 *
 *    line    numbers and timestamps ran evenly from there to here, gaps included
 *    chain   each block lies one frame before the one behind it, the last one frame before the
 * packet single  exactly one number is missing, and one block lies in the gap
 */
#include "rtp/red.h"

#include <assert.h>
#include <string.h>

#include "rtp/sequence.h"

#define HEADER_LEN 4 /* of a redundant block */
#define FOLLOWS    0x80

int rtp_red_parse(const uint8_t *payload, size_t len, struct rtp_red *ret)
{
    struct rtp_red red = {.n_blocks = 0};
    struct bytes_reader r = bytes_reader(payload, len);

    for (bool follows = true; follows;) {
        uint8_t first = bytes_get8(&r);
        follows = first & FOLLOWS;
        if (red.n_blocks == RTP_RED_MAX_BLOCKS)
            return RTP_E_MALFORMED;
        struct rtp_red_block *b = &red.blocks[red.n_blocks++];
        b->pt = first & 0x7f;
        if (!follows)
            break;
        uint32_t rest = (uint32_t)bytes_get16(&r) << 8;
        rest |= bytes_get8(&r);
        b->offset = (uint16_t)(rest >> 10);
        b->len = rest & RTP_RED_MAX_LEN;
    }
    for (unsigned i = 0; i + 1 < red.n_blocks; i++)
        red.blocks[i].data = bytes_skip(&r, red.blocks[i].len);
    red.blocks[red.n_blocks - 1].data = r.p;
    red.blocks[red.n_blocks - 1].len = r.left;
    if (r.failed)
        return RTP_E_TRUNCATED;
    *ret = red;
    return 0;
}

/* --- recovery --- */

void rtp_red_recovery_init(struct rtp_red_recovery *r, uint8_t pt)
{
    *r = (struct rtp_red_recovery){.pt = pt};
}

static void start(struct rtp_red_recovery *r, uint16_t seq, uint32_t timestamp)
{
    *r = (struct rtp_red_recovery){
        .seen = 1,
        .newest = seq,
        .newest_ts = timestamp,
        .pt = r->pt,
        .started = true,
    };
}

/* What the packet at hand says about the numbers before it. */
struct position {
    unsigned back;  /* behind the newest number; 0 = it is the newest */
    unsigned gap;   /* numbers from the newest before it to it; 0 = it is not the newest */
    uint32_t ticks; /* over that gap; 0 = not known */
    bool on_line;   /* its timestamp is where r->line has it */
};

/* The frame length shows in two equal steps between neighbours. */
static void learn_frame(struct rtp_red_recovery *r, uint32_t ticks)
{
    if (ticks > RTP_RED_MAX_FRAME)
        ticks = 0;
    if (ticks && ticks == r->step)
        r->frame = ticks;
    r->step = ticks;
}

static struct position advance(struct rtp_red_recovery *r, uint16_t seq, uint32_t timestamp,
                               unsigned gap)
{
    int32_t ticks = rtp_ts_diff(timestamp, r->newest_ts);
    if (ticks < 0)
        ticks = 0;
    if (gap == 1)
        learn_frame(r, (uint32_t)ticks);
    if (r->frame && (uint32_t)ticks == r->frame * gap) {
        unsigned line = r->line + gap;
        r->line = (uint16_t)(line < RTP_RED_WINDOW ? line : RTP_RED_WINDOW - 1);
    } else {
        r->line = 0;
    }
    r->seen = r->seen << gap | 1;
    r->newest = seq;
    r->newest_ts = timestamp;
    return (struct position){.gap = gap, .ticks = (uint32_t)ticks, .on_line = true};
}

static struct position late(const struct rtp_red_recovery *r, uint32_t timestamp, unsigned back)
{
    return (struct position){
        .back = back,
        .on_line = back <= r->line && r->newest_ts - timestamp == r->frame * back,
    };
}

static bool is_useful(const struct rtp_red_recovery *r, const struct rtp_red_block *b)
{
    return b->pt == r->pt && b->len > 0 && b->offset > 0;
}

/* Redundant blocks that lie in the gap before the packet. */
static unsigned count_in_gap(const struct rtp_red_recovery *r, const struct position *at,
                             const struct rtp_red *red)
{
    unsigned n = 0;
    for (unsigned i = 0; i + 1 < red->n_blocks; i++)
        n += is_useful(r, &red->blocks[i]) && red->blocks[i].offset < at->ticks;
    return n;
}

/* How many numbers before its packet a block is; 0 = cannot be told. */
static unsigned numbers_before(const struct rtp_red_recovery *r, const struct position *at,
                               const struct rtp_red_block *b, bool is_chain, bool is_single)
{
    bool in_gap = b->offset < at->ticks;
    unsigned k = r->frame && b->offset % r->frame == 0 ? b->offset / r->frame : 0;
    if (k && at->on_line && at->back + k <= r->line)
        return k;
    if (k && is_chain && in_gap && k < at->gap)
        return k;
    return in_gap && is_single ? 1 : 0;
}

static void give_back(struct rtp_red_recovery *r, const struct position *at, uint16_t seq,
                      uint32_t timestamp, const struct rtp_red *red, struct rtp_red_recovered *ret)
{
    bool is_chain = true;
    bool is_single = at->gap == 2 && count_in_gap(r, at, red) == 1;
    uint32_t expected = r->frame; /* offset of the next block, if the chain goes on */
    uint16_t last = 0;
    unsigned n = 0;

    /* From the packet backwards; blocks stand in order of time, others are not looked at. */
    for (unsigned i = red->n_blocks - 1; i-- > 0;) {
        const struct rtp_red_block *b = &red->blocks[i];
        if (!is_useful(r, b) || b->offset <= last)
            continue;
        last = b->offset;
        is_chain = is_chain && b->offset == expected;
        expected += r->frame;
        unsigned k = numbers_before(r, at, b, is_chain, is_single);
        if (k == 0 || at->back + k >= RTP_RED_WINDOW || r->seen >> (at->back + k) & 1)
            continue;
        r->seen |= UINT64_C(1) << (at->back + k);
        ret->packets[n++] = (struct rtp_red_packet){
            .seq = (uint16_t)(seq - k),
            .timestamp = timestamp - b->offset,
            .data = b->data,
            .len = b->len,
        };
    }
    /* oldest first */
    for (unsigned i = 0; i < n / 2; i++) {
        struct rtp_red_packet packet = ret->packets[i];
        ret->packets[i] = ret->packets[n - 1 - i];
        ret->packets[n - 1 - i] = packet;
    }
    ret->n = n;
}

/* Far from where the stream is. Ahead it is the stream that goes on there; back it may be a
 * straggler, and the next number tells. */
static void jump(struct rtp_red_recovery *r, uint16_t seq, uint32_t timestamp, int step)
{
    if (step > 0 || (r->has_jump && seq == r->jump_seq)) {
        start(r, seq, timestamp);
        return;
    }
    r->has_jump = true;
    r->jump_seq = (uint16_t)(seq + 1);
}

int rtp_red_recover(struct rtp_red_recovery *r, uint16_t seq, uint32_t timestamp,
                    const struct rtp_red *red, struct rtp_red_recovered *ret)
{
    struct position at;
    bool is_old = false;

    ret->n = 0;
    if (!r->started) {
        start(r, seq, timestamp);
        return 0;
    }
    int step = rtp_seq_diff(seq, r->newest);
    if (step >= RTP_RED_WINDOW || step <= -RTP_RED_WINDOW) {
        jump(r, seq, timestamp, step);
        return 0;
    }
    r->has_jump = false;
    if (step > 0) {
        at = advance(r, seq, timestamp, (unsigned)step);
    } else {
        uint64_t bit = UINT64_C(1) << -step;
        is_old = r->seen & bit;
        r->seen |= bit;
        at = late(r, timestamp, (unsigned)-step);
    }
    if (red)
        give_back(r, &at, seq, timestamp, red, ret);
    return is_old ? RTP_E_OLD : 0;
}
