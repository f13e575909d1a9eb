/**
 * Packets on their way: each waits for its time, the next one due is known.
 */
#ifndef IMPAIR_WAITING_H
#define IMPAIR_WAITING_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/timer_heap.h"
#include "impair/stats.h"

/** Packets that wait at most: a second of 60 Mbit/s of audio, 10 MB. */
#define IMPAIR_MAX_WAITING 65536

struct impair_client;

struct impair_packet {
    struct timer due;
    struct impair_client *client; /**< borrowed; outlives its packets */
    enum impair_direction direction;
    size_t len;
    uint8_t data[];
};

struct impair_waiting {
    struct timer_heap heap;
};

void impair_waiting_init(struct impair_waiting *w);

/** Frees what still waits. */
void impair_waiting_deinit(struct impair_waiting *w);

/**
 * Keep a copy of a packet until `at`.
 *
 * @return 0, -ENOMEM, or -ENOBUFS: IMPAIR_MAX_WAITING wait already; nothing is kept then
 */
MUST_CHECK int impair_waiting_put(struct impair_waiting *w, mono_us at,
                                  struct impair_client *client, enum impair_direction direction,
                                  const void *data, size_t len);

/** When the next is due; MONO_NEVER = none waits. */
mono_us impair_waiting_next(const struct impair_waiting *w);

/** The next that is due at `now`, NULL = none. The caller frees it with mem_free. */
struct impair_packet *impair_waiting_take(struct impair_waiting *w, mono_us now);

#endif
