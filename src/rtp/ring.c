/* Resend ring: a table of packets in the order of sending, and the bytes that they lie in. Both
 * are circular; the oldest entry is always the next in the way of the write position, so that
 * making room is taking entries off the front. */
#include "rtp/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* A packet that is kept. Milliseconds wrap after 49 days: more than an entry lives in a stream
 * that runs, and in one that stood still so long a wrong answer is a packet sent twice. */
struct entry {
    uint32_t put_ms;  /* first sent */
    uint32_t sent_ms; /* last sent */
    uint16_t seq;
    uint16_t offset; /* bytes */
    uint16_t len;    /* bytes */
    uint8_t n_resends;
    bool is_missed; /* somebody asked for it */
};

struct rtp_ring_block {
    uint8_t first;     /* oldest entry */
    uint8_t n_entries; /* in use */
    uint16_t write;    /* where the next packet goes, if it fits before the end */
    struct entry entries[RTP_RING_PACKETS];
    uint8_t bytes[RTP_RING_BYTES];
};

static uint32_t ms_of(mono_us t)
{
    return (uint32_t)(t / US_PER_MS);
}

int rtp_ring_init(struct rtp_ring *r)
{
    *r = (struct rtp_ring){.block = mem_alloc(sizeof(*r->block))};
    if (!r->block)
        return -ENOMEM;
    r->block->first = 0;
    r->block->n_entries = 0;
    r->block->write = 0;
    rtp_budget_fill(&r->budget, RTP_RING_BURST);
    return 0;
}

void rtp_ring_deinit(struct rtp_ring *r)
{
    mem_free(r->block);
    r->block = NULL;
}

/* The i-th entry, from the oldest. */
static struct entry *entry_at(struct rtp_ring_block *b, unsigned i)
{
    return &b->entries[(b->first + i) % RTP_RING_PACKETS];
}

static void drop_oldest(struct rtp_ring_block *b)
{
    b->first = (uint8_t)((b->first + 1) % RTP_RING_PACKETS);
    b->n_entries--;
}

/* From the newest: what is asked for was sent not long ago. */
static struct entry *find(struct rtp_ring_block *b, uint16_t seq)
{
    for (unsigned i = b->n_entries; i-- > 0;) {
        struct entry *e = entry_at(b, i);
        if (e->seq == seq)
            return e;
    }
    return NULL;
}

/* The oldest entry lies between begin and end. */
static bool is_oldest_within(struct rtp_ring_block *b, size_t begin, size_t end)
{
    const struct entry *e = entry_at(b, 0);
    return b->n_entries && e->offset < end && (size_t)e->offset + e->len > begin;
}

/* Room for len bytes in one piece, at b->write. */
static void make_room(struct rtp_ring_block *b, size_t len)
{
    if (b->write + len > RTP_RING_BYTES) {
        /* The tail stays unused this time round; what lies there is the oldest there is. */
        while (is_oldest_within(b, b->write, RTP_RING_BYTES))
            drop_oldest(b);
        b->write = 0;
    }
    while (is_oldest_within(b, b->write, b->write + len))
        drop_oldest(b);
    if (b->n_entries == RTP_RING_PACKETS)
        drop_oldest(b);
}

void rtp_ring_put(struct rtp_ring *r, uint16_t seq, const uint8_t *data, size_t len, mono_us now)
{
    struct rtp_ring_block *b = r->block;
    if (!b || len == 0 || len > RTP_RING_MAX_PACKET)
        return;
    make_room(b, len);
    rtp_budget_earn(&r->budget, (uint32_t)len, r->is_full ? RTP_RING_SHARE_FULL : RTP_RING_SHARE,
                    RTP_RING_BURST);
    struct entry *e = entry_at(b, b->n_entries++);
    *e = (struct entry){
        .put_ms = ms_of(now),
        .sent_ms = ms_of(now),
        .seq = seq,
        .offset = b->write,
        .len = (uint16_t)len,
    };
    memcpy(b->bytes + e->offset, data, len);
    b->write = (uint16_t)(b->write + len);
}

const uint8_t *rtp_ring_resend(struct rtp_ring *r, uint16_t seq, mono_us now, size_t *ret_len)
{
    struct entry *e = r->block ? find(r->block, seq) : NULL;

    if (!e || ms_of(now) - e->put_ms > ms_of(RTP_RING_MAX_AGE)) {
        r->gone++;
        return NULL;
    }
    if (e->n_resends >= RTP_RING_MAX_RESENDS ||
        ms_of(now) - e->sent_ms < ms_of(RTP_RING_INTERVAL)) {
        r->limited++;
        return NULL;
    }
    r->missed += !e->is_missed;
    e->is_missed = true;
    if (!rtp_budget_spend(&r->budget, e->len)) {
        r->limited++;
        return NULL;
    }
    e->n_resends++;
    e->sent_ms = ms_of(now);
    r->resent++;
    *ret_len = e->len;
    return r->block->bytes + e->offset;
}
