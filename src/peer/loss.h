/**
 * How much a line loses, before anything is repaired: a share that follows the last seconds.
 *
 * A sender's error protection (the in-band FEC of Opus, RFC 6716 §2.1.7) must suit the whole way of
 * its packets, and the only thing that tells it is "fraction lost" of our report. What NACK brought
 * back is not lost there any more, and what the listener's line loses never was. So each leg
 * measures both its directions, and a sender is told both lines of its way, joined.
 */
#ifndef PEER_LOSS_H
#define PEER_LOSS_H

#include <stdbool.h>
#include <stdint.h>

/** The share is brought up to date after so many packets: a second of 20 ms frames. */
#define PEER_LOSS_WINDOW 50

/** New windows count for a quarter: about seven of them are remembered. */
#define PEER_LOSS_WEIGHT 4

/** Embedded in its owner, zeroed to begin with; nothing to release. Fields are private. */
struct peer_loss {
    uint32_t packets; /**< at the end of the last window */
    uint32_t lost;    /**< likewise */
    int32_t share;    /**< 1/65536 */
    bool has_share;
};

/**
 * Look at the counters again.
 *
 * @param packets  that should have come, since the beginning; wraps at 2^32
 * @param lost     of those, did not come at once; likewise
 *
 * @return share of loss [1/256, at most 255]; 0 before the first window is over
 */
uint8_t peer_loss_share(struct peer_loss *l, uint32_t packets, uint32_t lost);

/** Two lines one behind the other. [1/256] */
static inline uint8_t peer_loss_join(uint8_t a, uint8_t b)
{
    return (uint8_t)(a + b - (a * b + UINT8_MAX) / 256);
}

#endif
