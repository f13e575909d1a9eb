/**
 * Which packets of one received source are missing, and when to ask for them: the receiver's half
 * of generic NACK (RFC 4585 §6.2.1).
 *
 *    seq    97  98  99 100 101 102        a number is
 *           ok  ok  --  ok  --  ok          waiting  until the reorder tolerance is over
 *                   │       │               lost     then: asked for, again after each round trip,
 *                   lost    waiting                  as long as the answer can come in useful time
 *
 * The detector counts loss before and after repair whether or not it may ask: where NACK was not
 * negotiated the owner feeds it and leaves rtp_nack_poll and the deadline alone. Repair by
 * redundancy (rtp/red.h) is told to it with rtp_nack_repaired.
 *
 * Costs nothing while nothing is missing: a packet in order touches the first cache line.
 */
#ifndef RTP_NACK_H
#define RTP_NACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"
#include "rtp/budget.h"

/**
 * Numbers that are looked after: the newest 32. At the shortest frame that browsers send (10 ms)
 * these are 320 ms, more than RTP_NACK_USEFUL.
 */
#define RTP_NACK_WINDOW 32

/**
 * Reordering is not loss: so long a gap may close by itself. Packets that overtake one another
 * come within milliseconds; half a 20 ms frame is little against the round trip that follows.
 */
#define RTP_NACK_REORDER (10 * US_PER_MS)

/**
 * After that long [from when it should have come] an audio packet has been concealed: receivers'
 * jitter buffers hold 20-200 ms, more only on lines where everything is late.
 */
#define RTP_NACK_USEFUL (300 * US_PER_MS)

/** Requests for one packet; the age ends them earlier on most lines. */
#define RTP_NACK_MAX_REQUESTS 6

/**
 * Over all numbers at most this share of those that should come [1/256]: three quarters. 20 % of
 * random loss needs half. Where the line has a queue that is full, whatever is asked for pushes out
 * what is fresh: there a sixteenth.
 */
#define RTP_NACK_SHARE      192
#define RTP_NACK_SHARE_FULL 16

/** But so many at once: losses come in bursts. */
#define RTP_NACK_BURST 16

/** Round-trip time until one is measured. */
#define RTP_NACK_DEFAULT_RTT (100 * US_PER_MS)

/**
 * The next request follows after half a round trip, at least this. A sender that answered ignores
 * what comes within a round trip of its answer (libwebrtc), so asking early costs a small packet
 * where the answer is on its way, and saves half the wait where the request was lost.
 */
#define RTP_NACK_MIN_RETRY (20 * US_PER_MS)

/**
 * How old a missing packet can be at most, for each number that it is behind the newest: the
 * longest frame of common use. Bounds the age where the sender was silent (DTX) before the gap.
 */
#define RTP_NACK_MAX_FRAME (60 * US_PER_MS)

/** State of a missing number. Private. */
struct rtp_nack_slot {
    uint32_t due;    /**< when it should have come [µs, low 32 bits] */
    uint32_t retry;  /**< waiting: end of the tolerance; lost: next request [µs, low 32 bits] */
    uint8_t n_asked; /**< requests made */
    bool continues;  /**< the number before was lost with it, but has no slot */
};

/**
 * Embedded in its owner, one a source; nothing to release, 464 bytes. Fields are private but for
 * the counters, which never go back while the struct lives and wrap at 2^32.
 */
struct rtp_nack {
    mono_us deadline;         /**< when a waiting number is lost or a request is due */
    mono_us last_at;          /**< arrival of the newest number */
    mono_us rtt;              /**< measured, or the default */
    uint32_t missing;         /**< bit seq % 32: not here */
    uint32_t declared;        /**< bit seq % 32: counted as lost, also when it came later */
    uint16_t newest;          /**< highest number */
    bool started;             /**< a packet came */
    bool is_full;             /**< public: the line has a queue that is full */
    uint32_t expected;        /**< public: numbers that should have come */
    uint32_t lost;            /**< public: of those, not here when the tolerance was over */
    uint32_t runs;            /**< public: series of losses; lost / runs is the mean burst length */
    uint32_t repaired;        /**< public: of the lost, here in useful time after all */
    uint32_t late;            /**< public: of the lost, here when it was of no use */
    uint32_t reordered;       /**< public: not in order, but within the tolerance */
    uint32_t requests;        /**< public: numbers asked for, repetitions too */
    uint32_t limited;         /**< public: not asked for when it was due: the budget was spent */
    uint32_t earned;          /**< `expected` when the budget was last filled up */
    struct rtp_budget budget; /**< numbers that may be asked for */
    struct rtp_nack_slot slots[RTP_NACK_WINDOW];
};

void rtp_nack_init(struct rtp_nack *n);

/**
 * A new source, or a restart of its numbers: what is missing is forgotten, counters and the
 * round-trip time stay.
 */
void rtp_nack_restart(struct rtp_nack *n);

/** A round-trip time was measured (rtp_report.rtt). @param rtt [µs] >= 0 */
void rtp_nack_set_rtt(struct rtp_nack *n, mono_us rtt);

/**
 * One packet of the source came, authenticated and counted by rtp_recv_stats_packet (which says
 * RTP_E_JUMP first when the numbers restart: do not feed that one).
 *
 * @param seq  its number; extended here, the shorter way round. A step ahead beyond
 *             RTP_RECV_MAX_DROPOUT or back beyond RTP_RECV_MAX_MISORDER is a restart
 * @param now  its arrival [µs, monotonic]; must not go back
 *
 * Numbers before the first one of the source are nobody's loss.
 */
void rtp_nack_packet(struct rtp_nack *n, uint16_t seq, mono_us now);

/**
 * The content of a number came by another way (redundancy in a later packet). It counts as lost
 * and repaired, and is not asked for any more. Call after rtp_nack_packet with the packet that
 * brought it. A number that is not missing is ignored.
 */
void rtp_nack_repaired(struct rtp_nack *n, uint16_t seq, mono_us now);

/**
 * The numbers to ask for now, oldest first, for rtcp_write_nack. They count as asked for. Call
 * when rtp_nack_deadline has come; earlier calls do no harm.
 *
 * @return how many: 0 … RTP_NACK_WINDOW
 */
unsigned rtp_nack_poll(struct rtp_nack *n, mono_us now, uint16_t ret_seqs[RTP_NACK_WINDOW]);

/** When rtp_nack_poll is due. MONO_NEVER = nothing to ask for. */
static inline mono_us rtp_nack_deadline(const struct rtp_nack *n)
{
    return n->deadline;
}

#endif
