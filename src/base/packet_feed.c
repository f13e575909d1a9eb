/*
 * A ring for the frames, and one number beside it: the reader says how far it came, by which the
 * writer knows how far ahead it is. A frame's duration stands in front of it in the ring.
 */
#include "base/packet_feed.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/packet_ring.h"

/* Two seconds of 128 kbit/s; half of one at the 510 kbit/s that are Opus' most. A power of two. */
#define CAPACITY 32768

#define HEAD_LEN sizeof(uint32_t)

_Static_assert(PACKET_FEED_MAX_FRAME + HEAD_LEN <= PACKET_RING_MAX_PACKET, "fits");

struct packet_feed {
    struct packet_ring *ring; /* RO; owned */
    atomic_uint n_refs;
    int64_t written;         /* the writer's: end of what was pushed */
    _Atomic(int64_t) played; /* the reader's */
};

struct packet_feed *packet_feed_new(int64_t position)
{
    struct packet_feed *feed = mem_zalloc(sizeof(*feed));
    if (!feed)
        return NULL;
    feed->ring = packet_ring_new(CAPACITY);
    if (!feed->ring) {
        mem_free(feed);
        return NULL;
    }
    atomic_init(&feed->n_refs, 1);
    atomic_init(&feed->played, position);
    feed->written = position;
    return feed;
}

struct packet_feed *packet_feed_ref(struct packet_feed *feed)
{
    atomic_fetch_add_explicit(&feed->n_refs, 1, memory_order_relaxed);
    return feed;
}

void packet_feed_unref(struct packet_feed *feed)
{
    if (!feed || atomic_fetch_sub_explicit(&feed->n_refs, 1, memory_order_acq_rel) != 1)
        return;
    packet_ring_unref(feed->ring);
    mem_free(feed);
}

/* --- the writer --- */

bool packet_feed_has_room(const struct packet_feed *feed)
{
    return feed->written - packet_feed_position(feed) < PACKET_FEED_AHEAD &&
           packet_ring_has_room(feed->ring, HEAD_LEN + PACKET_FEED_MAX_FRAME);
}

static void push(struct packet_feed *feed, int64_t position, uint32_t duration, const uint8_t *data,
                 size_t len)
{
    uint8_t buf[PACKET_RING_MAX_PACKET];
    assert(position >= 0 && position < PACKET_FEED_MAX_POSITION && len <= PACKET_FEED_MAX_FRAME);
    memcpy(buf, &duration, HEAD_LEN);
    if (len)
        memcpy(buf + HEAD_LEN, data, len);
    bool has_room = packet_ring_push(feed->ring, position, buf, HEAD_LEN + len);
    assert(has_room);
    feed->written = position + duration;
}

void packet_feed_push(struct packet_feed *feed, const struct packet_feed_frame *frame)
{
    assert(frame->duration > 0);
    push(feed, frame->position, frame->duration, frame->data, frame->len);
}

void packet_feed_end(struct packet_feed *feed, int64_t position)
{
    push(feed, position, 0, NULL, 0);
}

/* --- the reader --- */

bool packet_feed_peek(struct packet_feed *feed, struct packet_feed_frame *ret)
{
    size_t len;
    const uint8_t *data = packet_ring_peek(feed->ring, &ret->position, &len);
    if (!data)
        return false;
    memcpy(&ret->duration, data, HEAD_LEN);
    ret->data = data + HEAD_LEN;
    ret->len = len - HEAD_LEN;
    return true;
}

void packet_feed_pop(struct packet_feed *feed)
{
    struct packet_feed_frame frame;
    if (!packet_feed_peek(feed, &frame))
        return;
    atomic_store_explicit(&feed->played, frame.position + frame.duration, memory_order_relaxed);
    packet_ring_pop(feed->ring);
}

int64_t packet_feed_position(const struct packet_feed *feed)
{
    return atomic_load_explicit(&feed->played, memory_order_relaxed);
}
