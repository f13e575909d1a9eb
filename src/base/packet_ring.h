/**
 * Packets from one thread to another without a lock: one writes, one reads, neither waits.
 *
 *    bytes   ┌──────┬───────────┬──────┬──────┬ ─ ─ ─ ┐   each with its arrival and length in
 *            │ head │ packet    │ head │ pa…  │       │   front, whole, the next one behind it;
 *            └──────┴───────────┴──────┴──────┴ ─ ─ ─ ┘   what does not fit at the end stands
 *              ▲ reader                        ▲ writer   at the beginning
 *
 * Full = the packet is dropped and counted: whoever reads slowly loses, nobody is held up.
 */
#ifndef BASE_PACKET_RING_H
#define BASE_PACKET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"

/** Longest packet [bytes]. */
#define PACKET_RING_MAX_PACKET 1500

/** Bounds of the capacity [bytes]: a power of two. */
#define PACKET_RING_MIN 4096
#define PACKET_RING_MAX (1 << 24)

/** Counted by reference: the writer and the reader each hold one, and either may end first. */
struct packet_ring;

/** @param capacity  bytes, a power of two, PACKET_RING_MIN … PACKET_RING_MAX. NULL = no memory */
MUST_CHECK struct packet_ring *packet_ring_new(size_t capacity);

/** Any thread that holds one. @return ring */
struct packet_ring *packet_ring_ref(struct packet_ring *ring);

/** NULL is legal. */
void packet_ring_unref(struct packet_ring *ring);

/**
 * The writer. Allocates nothing, never waits.
 *
 * @return false: full, or longer than PACKET_RING_MAX_PACKET: dropped and counted
 */
bool packet_ring_push(struct packet_ring *ring, mono_us at, const uint8_t *data, size_t len);

/** The writer: would a packet of this length be taken now? @param len  PACKET_RING_MAX_PACKET at
 * most */
bool packet_ring_has_room(const struct packet_ring *ring, size_t len);

/** The reader: the oldest packet, borrowed until packet_ring_pop. NULL = none. */
const uint8_t *packet_ring_peek(struct packet_ring *ring, mono_us *ret_at, size_t *ret_len);

/** The reader: done with what the last peek gave. */
void packet_ring_pop(struct packet_ring *ring);

/** Any thread: packets dropped so far. */
uint64_t packet_ring_n_dropped(const struct packet_ring *ring);

#endif
