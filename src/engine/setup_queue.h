/**
 * What legs that are being set up sent, waiting for a moment in which no media waits.
 *
 *     datagram ─┬ media, and STUN of a connected leg ──────────▶ at once
 *               └ DTLS, and STUN of a leg without keys ─▶ here ─▶ between two reads of the socket
 *
 * One step of a DTLS handshake takes 150-300 µs: as long as a hundred packets of running calls. A
 * worker that did all of them when they arrive would make everybody wait for a rush of new calls.
 * An ICE check may bring such a step with it, so checks of new legs wait in the same line, and so
 * does media that came behind a last flight that is still waiting: a leg keeps its order.
 *
 * Legs take turns. Memory is bounded twice. A leg with a full line is refused what it sends more:
 * the rest of a flight is of no use without its beginning, and what comes behind it is the same
 * flight again, or media that would push out the Finished it waits for. When there is no room at
 * all the oldest of the leg whose turn is next goes. What is dropped is counted (drop-setup-rush)
 * and comes again: STUN and DTLS both retransmit.
 */
#ifndef ENGINE_SETUP_QUEUE_H
#define ENGINE_SETUP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/list.h"
#include "engine/socket.h"

/**
 * Datagrams of one leg: a flight of a handshake is one to five of them, and one browser checks
 * from a few addresses at a time.
 */
#define SETUP_QUEUE_PER_LEG 8

/**
 * Datagrams of a worker. At 100 µs each, checks and handshakes mixed, they are 50 ms of work: what
 * is older than the first retransmission (DTLS: 50-100 ms) would be done twice.
 */
#define SETUP_QUEUE_MAX 512

/** A datagram with its own bytes. Private. */
struct setup_item {
    struct setup_item *next;
    struct dgram dgram;
    uint8_t bytes[DGRAM_MAX + SOCKET_TAIL_ROOM];
};

/** Embedded in a leg, which stays where it is while something of it waits. Private. */
struct setup_leg {
    struct list turns;               /**< in setup_queue.turns while it has items */
    struct setup_item *first, *last; /**< oldest, newest; NULL = none */
    unsigned n;
};

/** Owner: the worker. Fields are private. */
struct setup_queue {
    struct list turns;         /**< legs with items, next one first */
    struct setup_item *items;  /**< owned array; not touched before it is needed */
    struct setup_item *unused; /**< of the array, given back */
    struct setup_item *taken;  /**< what setup_queue_take gave out last */
    unsigned n_touched;        /**< of the array, ever used */
};

/** @return 0 or -ENOMEM: deinit is legal */
MUST_CHECK int setup_queue_init(struct setup_queue *q);

/** What still waits is forgotten. Legal on a zeroed struct. */
void setup_queue_deinit(struct setup_queue *q);

void setup_leg_init(struct setup_leg *leg);

/**
 * Copy a datagram of a leg to the end of the leg's line, or drop it when that is full.
 *
 * @param d  at most DGRAM_MAX bytes
 */
void setup_queue_put(struct setup_queue *q, struct setup_leg *leg, const struct dgram *d);

/**
 * The oldest datagram of the leg whose turn it is, which then goes to the end of the line.
 *
 * @param ret  its bytes may be changed and live until the next take
 * @return NULL = nothing waits
 */
struct setup_leg *setup_queue_take(struct setup_queue *q, struct dgram *ret);

/** The leg ends: nothing of it is taken any more. */
void setup_queue_forget(struct setup_queue *q, struct setup_leg *leg);

static inline bool setup_queue_is_empty(const struct setup_queue *q)
{
    return list_is_empty(&q->turns);
}

#endif
