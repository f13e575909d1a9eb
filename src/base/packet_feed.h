/**
 * Media on its way from the thread that reads it to the worker that sends it when its time has
 * come: read ahead a little, so that neither ever waits for the other.
 *
 *     reading thread   has_room? ─ push, push, … end ──▶ feed ──▶ peek, pop   media worker
 *                                        any thread: how far it was played ◀──┘
 *
 * One feed is one reading: who plays from another place, or something else, takes a new one. Times
 * are ticks of the media's own clock, counted from its beginning.
 */
#ifndef BASE_PACKET_FEED_H
#define BASE_PACKET_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** The clock: that of Opus in RTP and in files (RFC 7587 §4.1) [Hz]. */
#define PACKET_FEED_RATE 48000

/**
 * So far is read ahead [ticks]: two seconds, in which a disk or a net may stand still. It is also
 * what is read in vain when nobody wants to hear the rest.
 */
#define PACKET_FEED_AHEAD (2 * PACKET_FEED_RATE)

/** Longest frame [bytes]: with RTP and SRTP around it still a datagram. */
#define PACKET_FEED_MAX_FRAME 1400

/** Positions are below it: six years. What claims to be later is nonsense. */
#define PACKET_FEED_MAX_POSITION ((int64_t)1 << 43)

struct packet_feed_frame {
    int64_t position;  /**< of its beginning [ticks] */
    uint32_t duration; /**< [ticks]; 0 = this is the end, there is no data */
    const uint8_t *data;
    size_t len;
};

/** Counted by reference: whoever knows it holds one, and may let go first. */
struct packet_feed;

/** @param position  where it will begin [ticks]. NULL = no memory */
MUST_CHECK struct packet_feed *packet_feed_new(int64_t position);

/** Any thread that holds one. @return feed */
struct packet_feed *packet_feed_ref(struct packet_feed *feed);

/** NULL is legal. */
void packet_feed_unref(struct packet_feed *feed);

/** The writer: may one more frame be pushed, or is enough read ahead? */
bool packet_feed_has_room(const struct packet_feed *feed);

/** The writer: the next frame, copied. Only when there is room. */
void packet_feed_push(struct packet_feed *feed, const struct packet_feed_frame *frame);

/** The writer: that was all, at this position. Only when there is room; nothing follows. */
void packet_feed_end(struct packet_feed *feed, int64_t position);

/** The reader: the oldest frame, borrowed until packet_feed_pop. @return false = none, yet */
bool packet_feed_peek(struct packet_feed *feed, struct packet_feed_frame *ret);

/** The reader: done with what the last peek gave, which counts as played. */
void packet_feed_pop(struct packet_feed *feed);

/** Any thread: up to where it was played [ticks]. */
int64_t packet_feed_position(const struct packet_feed *feed);

#endif
