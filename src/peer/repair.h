/**
 * Generic NACK of one leg (RFC 4585 §6.2.1), both ways: we ask the sender for what is missing on
 * its way to us, and send again what the receiver says it missed. So each leg repairs its own loss.
 *
 *     uplink     received ─▶ rtp_nack ─ deadline ─▶ peer_repair_write_nack ─▶ to the sender
 *     downlink   NACK ─▶ peer_repair_feedback ─▶ peer_repair_poll_resend ─▶ to the receiver
 *
 * Repair costs bandwidth, which some lines have not: both ways are bounded to a share of the stream
 * (RTP_NACK_SHARE, RTP_RING_SHARE), and to a small one while the line's queue is full. The queue is
 * seen in the delay: of what we receive by its timestamps, of what we send by the round trip.
 *
 * A leg that never sends a NACK never pays for the memory of sent packets: the ring is made when
 * the first one comes.
 */
#ifndef PEER_REPAIR_H
#define PEER_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/time.h"
#include "rtp/nack.h"
#include "rtp/report.h"
#include "rtp/ring.h"
#include "rtp/rtcp.h"

/**
 * A line that holds packets back for longer than this has a queue that is full, or nearly so: it
 * gets more than it can carry, and what is repaired there takes the place of what is fresh. Longer
 * than jitter of Wi-Fi and mobile networks is as a rule; home routers queue 100 ms to seconds.
 */
#define PEER_REPAIR_QUEUE (100 * US_PER_MS)

/** The least round trip is forgotten by so much: see RTP_RECV_LEAST_RISES [1/1000]. */
#define PEER_REPAIR_LEAST_RISES 1

/** Numbers that wait to be sent again; a longer list of losses is not heard any more anyway. */
#define PEER_MAX_RESENDS 32

/** Embedded in its peer. Fields are private but for the counters inside `nack` and `ring`. */
struct peer_repair {
    bool is_on;        /**< NACK was answered */
    bool is_reduced;   /**< RFC 5506, a NACK may stand alone */
    bool is_down_full; /**< the queue of the line to the receiver */
    uint8_t n_resends;
    uint16_t resends[PEER_MAX_RESENDS]; /**< asked for, oldest first */
    mono_us least_rtt;                  /**< without the queue towards us; 0 = not measured */
    mono_us least_at;                   /**< when it was last raised */
    struct rtp_ring ring;               /**< what we sent, protected */
    struct rtp_nack nack;               /**< what we receive */
};

void peer_repair_init(struct peer_repair *r, bool is_on, bool is_reduced);

/** A later answer; what is missing or kept by now stays so. */
static inline void peer_repair_set(struct peer_repair *r, bool is_on, bool is_reduced)
{
    r->is_on = is_on;
    r->is_reduced = is_reduced;
}

void peer_repair_deinit(struct peer_repair *r);

/** Packet path: an authentic packet of the current source came. Loss is counted, asked for or not.
 */
static inline void peer_repair_received(struct peer_repair *r, uint16_t seq, mono_us now)
{
    rtp_nack_packet(&r->nack, seq, now);
}

/** Packet path: a protected packet goes out. */
static inline void peer_repair_sent(struct peer_repair *r, uint16_t seq, const struct dgram *d,
                                    mono_us now)
{
    if (r->ring.block)
        rtp_ring_put(&r->ring, seq, d->data, d->len, now);
}

/** The source is another one, or none: what was missing of the old one is not asked for. */
void peer_repair_restart(struct peer_repair *r);

/**
 * A round trip was measured: how long is the queue towards the receiver?
 *
 * @param queue_up  the part of it that was waited on the way from there (rtp_recv_stats_queue)
 */
void peer_repair_round_trip(struct peer_repair *r, mono_us now, mono_us rtt, mono_us queue_up);

/** How long is the queue towards us now? @param queue  rtp_recv_stats_queue */
static inline void peer_repair_queued(struct peer_repair *r, mono_us queue)
{
    r->nack.is_full = queue > PEER_REPAIR_QUEUE;
}

/** Packets take another way: what was known of the old line says nothing about it. */
void peer_repair_new_line(struct peer_repair *r);

/** One authentic RTCP datagram: NACKs about `ssrc`, which is ours, wait to be polled. */
void peer_repair_feedback(struct peer_repair *r, const uint8_t *data, size_t len, uint32_t ssrc);

/**
 * The next packet to send again, protected as it was.
 *
 * @param d  data and cap are the caller's; data and len are filled
 * @return false = none
 */
bool peer_repair_poll_resend(struct peer_repair *r, mono_us now, struct dgram *d);

/**
 * Write the NACK that is due, alone or behind a receiver report and a CNAME as RFC 4585 §3.1 asks.
 *
 * @param source  what we receive
 * @return true = a packet was appended
 */
bool peer_repair_write_nack(struct peer_repair *r, mono_us now, const struct rtp_report *report,
                            const struct rtp_recv_stats *source, struct bytes_writer *w);

/** When peer_repair_write_nack is due; MONO_NEVER = nothing is missing. */
static inline mono_us peer_repair_deadline(const struct peer_repair *r)
{
    return r->is_on ? rtp_nack_deadline(&r->nack) : MONO_NEVER;
}

#endif
