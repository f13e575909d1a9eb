/**
 * The newest packets of one outgoing stream, to be sent again when the receiver says that it did
 * not get them: the sender's half of generic NACK (RFC 4585 §6.2.1).
 *
 * Kept are the PROTECTED bytes, as they went out. To protect a packet again under its number is
 * forbidden (rtpsec refuses: the key stream would be used twice); the same bytes once more are
 * harmless: who missed the packet has not seen its index, and for whom it was on its way it is a
 * replay like any other.
 *
 *    bytes    ┌───────────┬──────┬─────────┬──────┬ ─ ─ ─ ┐
 *    2560     │ seq 14    │ 15   │ 10      │ 11   │ 12 ∙∙ │   packets lie whole, one after the
 *             └───────────┴──────┴─────────┴──────┴ ─ ─ ─ ┘   other; a new one pushes out the
 *                                ▲ write                      oldest that are in its way
 *
 * 2560 bytes hold 22 packets of 32 kbit/s Opus (116 bytes each, protected): 440 ms, and 260 ms of
 * 64 kbit/s. RED of 32 kbit/s Opus is 201 bytes: 12 packets, 240 ms, enough for one question over a
 * round trip of 200 ms; and single losses are not asked for there. Fixed slots for the largest
 * packet would take twice the memory for less.
 */
#ifndef RTP_RING_H
#define RTP_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"
#include "rtp/budget.h"

/** Bytes for packets, and how many packets at most. */
#define RTP_RING_BYTES   2560
#define RTP_RING_PACKETS 32

/** A longer packet is not kept: it would push out nearly everything else. */
#define RTP_RING_MAX_PACKET (RTP_RING_BYTES / 4)

/** An older packet is not sent again: nobody has a use for it (see RTP_NACK_USEFUL). */
#define RTP_RING_MAX_AGE (500 * US_PER_MS)

/**
 * Between two transmissions of a packet at least this. Less than a round trip on purpose: browsers
 * ask again with every packet that comes, and what is sent for the second asking is there when the
 * first answer was lost too. To wait a round trip instead cost twice the concealment at 10 % loss
 * (docs/QUALITY.md); not to wait costs a packet or two more for each one lost.
 */
#define RTP_RING_INTERVAL (10 * US_PER_MS)

/**
 * Over all packets at most this share of the bytes that go out fresh [1/256]: half. 20 % of random
 * loss needs two fifths, the answers that are lost themselves and asked for again included. On a
 * line whose queue is full every packet sent again pushes out a fresh one: there a sixteenth.
 */
#define RTP_RING_SHARE      128
#define RTP_RING_SHARE_FULL 16

/** But so many bytes at once: losses come in bursts. */
#define RTP_RING_BURST 1280

/** And so often in all, after the first time: feedback cannot make us send without limit. */
#define RTP_RING_MAX_RESENDS 3

struct rtp_ring_block;

/** Embedded in its owner. Zeroed, it keeps nothing and every call is legal. */
struct rtp_ring {
    struct rtp_ring_block *block; /**< owned, 3 KB; NULL = keeps nothing */
    bool is_full;                 /**< public: the line has a queue that is full */
    struct rtp_budget budget;     /**< bytes that may be sent again */
    uint32_t resent;              /**< public: packets given out */
    uint32_t missed;              /**< public: packets that were here when first asked for */
    uint32_t gone;                /**< public: asked for, no longer or never here, or too old */
    uint32_t limited;             /**< public: asked for too often, too soon, or too much of it */
};

/**
 * Only for a leg that negotiated NACK; for others a zeroed struct will do.
 *
 * @return 0, or -ENOMEM: r is zeroed
 */
MUST_CHECK int rtp_ring_init(struct rtp_ring *r);

/** Legal on a zeroed struct, and twice. */
void rtp_ring_deinit(struct rtp_ring *r);

/**
 * Keep a copy of a packet that is being sent.
 *
 * @param seq   its number; goes out once, rtpsec sees to that
 * @param data  protected, len bytes; longer than RTP_RING_MAX_PACKET is not kept
 * @param now   [µs, monotonic]; must not go back
 */
void rtp_ring_put(struct rtp_ring *r, uint16_t seq, const uint8_t *data, size_t len, mono_us now);

/**
 * The bytes of a packet that is asked for, to be sent once more as they are, to where the stream
 * goes now. Counts as sent.
 *
 * @param ret_len  bytes; set when something is returned
 *
 * @return borrowed until the next put or deinit; NULL = send nothing (the counters say why)
 */
const uint8_t *rtp_ring_resend(struct rtp_ring *r, uint16_t seq, mono_us now, size_t *ret_len);

#endif
