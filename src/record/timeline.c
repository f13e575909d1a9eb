/*
 * A list of packets in the order of their numbers. The head goes out when its number is due, or
 * when those before it have been waited for long enough; where it stands in time is decided then,
 * from the frame before it and the clock.
 *
 * Numbers are extended to 64 bits. A restarted source continues in a round of its own behind the
 * newest, so that the list stays in order and its first packet finds a hole in front of it.
 */
#include "record/timeline.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "rtp/sequence.h"

#define TICKS_PER_MS (FILE_OPUS_RATE / 1000)

struct record_held {
    struct list held;
    uint64_t seq; /* extended */
    uint32_t timestamp;
    uint32_t duration;
    mono_us at;
    uint64_t start; /* once it is placed */
    bool is_placed;
    size_t len;
    uint8_t data[];
};

static struct record_held *of(struct list *node)
{
    return CONTAINER_OF(node, struct record_held, held);
}

static int64_t ticks(mono_us us)
{
    return us * TICKS_PER_MS / US_PER_MS;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* Position of a moment, of which nothing lies before the last start. */
static uint64_t by_clock(const struct record_timeline *t, mono_us at)
{
    return at <= t->base_at ? t->base : t->base + (uint64_t)ticks(at - t->base_at);
}

void record_timeline_init(struct record_timeline *t)
{
    *t = (struct record_timeline){.stop_at = 0};
    list_init(&t->held);
}

void record_timeline_deinit(struct record_timeline *t)
{
    for (struct list *node; (node = list_pop(&t->held));)
        mem_free(of(node));
    mem_free(t->current);
    t->current = NULL;
}

void record_timeline_start(struct record_timeline *t, mono_us now)
{
    assert(t->stop_at != MONO_NEVER && list_is_empty(&t->held));
    t->base = t->position;
    t->base_at = now;
    t->stop_at = MONO_NEVER;
    t->has_numbers = t->has_jump = t->is_placed = false;
}

void record_timeline_stop(struct record_timeline *t, mono_us now)
{
    if (t->stop_at == MONO_NEVER)
        t->stop_at = now;
}

/* --- in --- */

/* Number in 64 bits. @return false: far off, and nothing confirms it */
static bool extend(struct record_timeline *t, uint16_t seq, uint64_t *ret)
{
    int16_t ahead = rtp_seq_diff(seq, (uint16_t)t->newest);
    if (!t->has_numbers) {
        *ret = t->next = t->newest = 0x10000U + seq;
        t->has_numbers = true;
    } else if (ahead <= RECORD_MAX_DROPOUT && ahead >= -RECORD_MAX_MISORDER) {
        *ret = rtp_seq_extend(t->newest, seq);
    } else if (t->has_jump && seq == t->jump_seq) {
        *ret = ((t->newest >> 16) + 2) << 16 | seq;
    } else {
        t->jump_seq = (uint16_t)(seq + 1);
        t->has_jump = true;
        return false;
    }
    t->has_jump = false;
    t->newest = later(t->newest, *ret);
    return true;
}

/* The packet that it belongs behind. */
static struct list *place_for(struct record_timeline *t, uint64_t seq)
{
    struct list *node = t->held.prev;
    while (node != &t->held && of(node)->seq > seq)
        node = node->prev;
    return node;
}

static int hold(struct record_timeline *t, struct list *behind, const struct record_held *head,
                const uint8_t *payload)
{
    struct record_held *h = mem_alloc(sizeof(*h) + head->len);
    if (!h)
        return -ENOMEM;
    *h = *head;
    memcpy(h->data, payload, head->len);
    list_append(behind->next, &h->held); /* before the one that follows */
    t->n_held++;
    return 0;
}

int record_timeline_push(struct record_timeline *t, mono_us at, uint16_t seq, uint32_t timestamp,
                         const uint8_t *payload, size_t len)
{
    struct record_held head = {.timestamp = timestamp, .at = at, .len = len};
    if (t->stop_at <= at || at < t->base_at) {
        t->stats.strays++;
        return 0;
    }
    head.duration = file_opus_duration(payload, len);
    if (!head.duration) {
        t->stats.malformed++;
        return 0;
    }
    if (!extend(t, seq, &head.seq)) {
        t->stats.strays++;
        return 0;
    }
    if (head.seq < t->next) {
        t->stats.late++;
        return 0;
    }
    struct list *behind = place_for(t, head.seq);
    if (behind != &t->held && of(behind)->seq == head.seq) {
        t->stats.duplicates++;
        return 0;
    }
    return hold(t, behind, &head, payload);
}

/* --- out --- */

/* Position by the timestamp. @return false: it cannot be meant */
static bool by_timestamp(const struct record_timeline *t, const struct record_held *h,
                         uint64_t *ret)
{
    int32_t step = rtp_ts_diff(h->timestamp, t->last_ts);
    if (!t->is_placed || step < 0 || t->last_start + (uint64_t)step < t->position)
        return false;
    int64_t off = step - ticks(h->at - t->last_at);
    *ret = t->last_start + (uint64_t)step;
    return off <= ticks(RECORD_TS_JUMP) && off >= -ticks(RECORD_TS_JUMP);
}

/* How much less the timestamps went from a to b than the clock did [ticks]. */
static int64_t lag(uint32_t ts_a, mono_us at_a, const struct record_held *b)
{
    return ticks(b->at - at_a) - rtp_ts_diff(b->timestamp, ts_a);
}

static const struct record_held *newest_held(const struct record_timeline *t)
{
    return of(t->held.prev);
}

/* RECORD_RETURN: is there more than one reason why it is that late? Where those behind it came
 * before it, it is a straggler, and with RECORD_TS_JUMP it stands by the clock anyway. */
static bool is_in_doubt(const struct record_timeline *t, const struct record_held *h)
{
    int64_t off = t->is_placed ? lag(t->last_ts, t->last_at, h) : 0;
    return off > ticks(RECORD_RETURN) && off <= ticks(RECORD_TS_JUMP) &&
           newest_held(t)->at >= h->at;
}

static bool is_catching_up(const struct record_timeline *t, const struct record_held *h)
{
    return -lag(h->timestamp, h->at, newest_held(t)) > ticks(RECORD_RETURN_LOOK) / 2;
}

/* Where it stands by the clock. A line only ever makes late: of it and those behind it the quickest
 * says when it was sent. */
static uint64_t by_arrival(const struct record_timeline *t, const struct record_held *h)
{
    uint64_t ret = by_clock(t, h->at);
    LIST_FOREACH(node, &t->held) {
        int64_t gained = -lag(h->timestamp, h->at, of(node));
        if (gained > 0 && gained <= ticks(RECORD_RETURN))
            ret = earlier(ret, minus(by_clock(t, h->at), (uint64_t)gained));
    }
    return later(ret, t->position);
}

static void place(struct record_timeline *t, struct record_held *h)
{
    bool stood_still = is_in_doubt(t, h) && !is_catching_up(t, h);
    if (stood_still || !by_timestamp(t, h, &h->start)) {
        h->start = by_arrival(t, h);
        t->stats.restarts += t->is_placed;
    }
    h->is_placed = true;
    t->is_placed = true;
    t->last_start = h->start;
    t->last_ts = h->timestamp;
    t->last_at = h->at;
    t->next = h->seq + 1;
}

static bool is_due(const struct record_timeline *t, const struct record_held *h, mono_us now)
{
    if (h->is_placed || now - h->at >= RECORD_WAIT || t->n_held > RECORD_MAX_HELD ||
        t->stop_at != MONO_NEVER)
        return true;
    return h->seq == t->next && ((t->is_placed && !is_in_doubt(t, h)) ||
                                 newest_held(t)->at - h->at >= RECORD_RETURN_LOOK);
}

static void give_gap(struct record_timeline *t, uint64_t until, struct record_piece *ret)
{
    *ret = (struct record_piece){.start = t->position, .duration = until - t->position};
    t->position = until;
}

static void give(struct record_timeline *t, struct record_held *h, struct record_piece *ret)
{
    *ret = (struct record_piece){h->start, h->duration, h->data, h->len};
    t->position = h->start + h->duration;
    t->stats.frames++;
    t->n_held--;
    list_remove(&h->held);
    t->current = h;
}

static bool poll_held(struct record_timeline *t, mono_us now, struct record_piece *ret)
{
    if (list_is_empty(&t->held))
        return false;
    struct record_held *h = of(t->held.next);
    if (!is_due(t, h, now))
        return false;
    if (!h->is_placed)
        place(t, h);
    if (h->start > t->position)
        give_gap(t, h->start, ret);
    else
        give(t, h, ret);
    return true;
}

bool record_timeline_poll(struct record_timeline *t, mono_us now, struct record_piece *ret)
{
    mem_free(t->current);
    t->current = NULL;
    if (poll_held(t, now, ret))
        return true;
    if (t->stop_at == MONO_NEVER || by_clock(t, t->stop_at) <= t->position)
        return false;
    give_gap(t, by_clock(t, t->stop_at), ret);
    return true;
}
