/*
 * Two counters of bytes that only grow, one written by each side: their difference is what lies
 * between. Publishing is one store with release order; each side looks at the other's with acquire.
 */
#include "base/packet_ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

struct head {
    mono_us at;
    uint32_t len; /* SKIP = nothing follows up to the end of the bytes */
    uint32_t unused;
};

#define SKIP UINT32_MAX

/* Everything is a multiple of it, so that a head fits wherever one may begin. */
#define GRAIN sizeof(struct head)

struct packet_ring {
    uint32_t mask; /* RO */
    atomic_uint n_refs;
    _Alignas(CACHE_LINE) atomic_uint written; /* bytes; the writer's */
    _Atomic(uint64_t) n_dropped;              /* the writer's */
    _Alignas(CACHE_LINE) atomic_uint read;    /* bytes; the reader's */
    _Alignas(CACHE_LINE) uint8_t bytes[];
};

struct packet_ring *packet_ring_new(size_t capacity)
{
    assert(capacity >= PACKET_RING_MIN && capacity <= PACKET_RING_MAX);
    assert((capacity & (capacity - 1)) == 0);
    struct packet_ring *ring = mem_zalloc_aligned(sizeof(*ring) + capacity);
    if (!ring)
        return NULL;
    ring->mask = (uint32_t)capacity - 1;
    atomic_init(&ring->n_refs, 1);
    return ring;
}

struct packet_ring *packet_ring_ref(struct packet_ring *ring)
{
    atomic_fetch_add_explicit(&ring->n_refs, 1, memory_order_relaxed);
    return ring;
}

void packet_ring_unref(struct packet_ring *ring)
{
    if (ring && atomic_fetch_sub_explicit(&ring->n_refs, 1, memory_order_acq_rel) == 1)
        mem_free(ring);
}

static uint32_t size_of(size_t len)
{
    return (uint32_t)(GRAIN + (len + GRAIN - 1) / GRAIN * GRAIN);
}

static void put_head(struct packet_ring *ring, uint32_t at_byte, mono_us at, uint32_t len)
{
    const struct head head = {.at = at, .len = len};
    memcpy(ring->bytes + at_byte, &head, sizeof(head));
}

static bool drop(struct packet_ring *ring)
{
    atomic_fetch_add_explicit(&ring->n_dropped, 1, memory_order_relaxed);
    return false;
}

/* Where the next packet would stand. */
struct place {
    uint32_t written; /* before it */
    uint32_t skipped; /* bytes up to the end that stay empty */
    uint32_t size;    /* of it, with its head */
};

/* @return false: full */
static bool find_place(const struct packet_ring *ring, size_t len, struct place *ret)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    ret->written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    ret->size = size_of(len);
    uint32_t to_end = ring->mask + 1 - (ret->written & ring->mask);
    ret->skipped = ret->size > to_end ? to_end : 0;
    return ret->written - read + ret->skipped + ret->size <= ring->mask + 1;
}

bool packet_ring_has_room(const struct packet_ring *ring, size_t len)
{
    struct place place;
    return find_place(ring, len, &place);
}

bool packet_ring_push(struct packet_ring *ring, mono_us at, const uint8_t *data, size_t len)
{
    struct place place;
    if (len > PACKET_RING_MAX_PACKET || !find_place(ring, len, &place))
        return drop(ring);
    uint32_t at_byte = place.written & ring->mask;
    if (place.skipped) {
        put_head(ring, at_byte, 0, SKIP);
        at_byte = 0;
    }
    put_head(ring, at_byte, at, (uint32_t)len);
    if (len)
        memcpy(ring->bytes + at_byte + GRAIN, data, len);
    atomic_store_explicit(&ring->written, place.written + place.skipped + place.size,
                          memory_order_release);
    return true;
}

static struct head head_at(const struct packet_ring *ring, uint32_t place)
{
    struct head head;
    memcpy(&head, ring->bytes + place, sizeof(head));
    return head;
}

const uint8_t *packet_ring_peek(struct packet_ring *ring, mono_us *ret_at, size_t *ret_len)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (read == atomic_load_explicit(&ring->written, memory_order_acquire))
        return NULL;
    uint32_t place = read & ring->mask;
    struct head head = head_at(ring, place);
    if (head.len == SKIP) { /* a packet is behind it: they were published together */
        atomic_store_explicit(&ring->read, read + ring->mask + 1 - place, memory_order_release);
        place = 0;
        head = head_at(ring, 0);
    }
    *ret_at = head.at;
    *ret_len = head.len;
    return ring->bytes + place + GRAIN;
}

void packet_ring_pop(struct packet_ring *ring)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    struct head head = head_at(ring, read & ring->mask);
    atomic_store_explicit(&ring->read, read + size_of(head.len), memory_order_release);
}

uint64_t packet_ring_n_dropped(const struct packet_ring *ring)
{
    return atomic_load_explicit(&ring->n_dropped, memory_order_relaxed);
}
