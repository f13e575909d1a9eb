/**
 * Feedback for a sender's congestion control: when each packet of the transport came
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01). Chromium steers its Opus bit rate by it.
 *
 * Each packet bears a number in a header extension, counted over all its sender's streams. The
 * receiver sends back RTPFB packets with FMT 15:
 *
 *    | base sequence number        | packet status count          |
 *    | reference time, 64 ms                      | feedback count |
 *    | packet chunks, 16 bits each …  | receive deltas, 250 µs, 1 or 2 bytes each … | 0 padding |
 */
#ifndef RTP_TRANSPORT_CC_H
#define RTP_TRANSPORT_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/time.h"
#include "rtp/packet.h"

/**
 * A packet waits at most this long for its feedback. Chromium's own receiver uses 50-250 ms, so
 * that feedback takes no more than 5 % of the rate: with one audio stream that is the longest.
 */
#define RTP_TRANSPORT_CC_INTERVAL (250 * US_PER_MS)

/** Numbers that one feedback covers at most. Audio brings 12-25 in an interval. */
#define RTP_TRANSPORT_CC_WINDOW 64

/** Room that the largest feedback needs: headers, ten chunks, a long delta each [bytes]. */
#define RTP_TRANSPORT_CC_MAX_LEN (20 + 2 * 10 + 2 * RTP_TRANSPORT_CC_WINDOW)

/** Embedded in its owner, one a leg; nothing to release. Fields are private but for the marked. */
struct rtp_transport_cc {
    uint64_t came;      /**< bit seq % 64, of the newest 64 numbers */
    mono_us pending_at; /**< arrival of the first packet that is not reported */
    uint32_t late;      /**< public: came too late to be reported */
    uint16_t base;      /**< first number of the next feedback */
    uint16_t newest;    /**< highest number */
    uint16_t span;      /**< numbers back that are known, newest included; <= 64 */
    uint16_t jump_seq;  /**< number that would confirm a restart further back */
    uint8_t count;      /**< feedbacks made, modulo 256 */
    bool started;       /**< a packet came */
    bool has_jump;      /**< jump_seq is valid */
    bool is_pending;    /**< something is to be reported */
    bool is_forgiving;  /**< public: scattered loss is not told; see rtp_transport_cc_forgive */
    uint32_t at[RTP_TRANSPORT_CC_WINDOW]; /**< arrivals by seq % 64 [250 µs, low 32 bits] */
};

void rtp_transport_cc_init(struct rtp_transport_cc *t);

/**
 * Where the leg repairs its own loss (NACK): tell what is missing as come with the packet before
 * it, as long as that is at most half of a feedback. Chromium takes any loss for congestion: it
 * then refuses what NACK asks for and sends padding in between, three times the packets, while its
 * Opus goes on at the same rate. At 20 % loss that made 6.7 % concealed samples out of 0.9
 * (docs/QUALITY.md). A line that is full is told from a bad one by its delay: there the owner does
 * not forgive, for a sender that believes all of it came takes what it sends for what the line
 * carries. More than half is told in any case.
 */
static inline void rtp_transport_cc_forgive(struct rtp_transport_cc *t, bool is_repaired)
{
    t->is_forgiving = is_repaired;
}

/**
 * Read the transport-wide sequence number of a packet.
 *
 * @param id  negotiated for
 *            http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
 *
 * @return false = not in this packet; *ret is then untouched
 */
bool rtp_transport_seq_read(const uint8_t *data, const struct rtp_packet *packet, uint8_t id,
                            uint16_t *ret);

/**
 * One packet came.
 *
 * @param seq  transport-wide sequence number
 * @param now  its arrival [µs, monotonic, >= 0]; must not go back
 *
 * A late packet is reported in a feedback that goes back to it, as long as it is within the
 * window; duplicates are ignored. A jump ahead beyond the window starts anew at that packet (what
 * was not yet reported never is); so do two numbers in sequence that far back. When the window is
 * three quarters full the feedback is due at once.
 */
void rtp_transport_cc_packet(struct rtp_transport_cc *t, uint16_t seq, mono_us now);

/** When rtp_transport_cc_write is due; MONO_NEVER = nothing to report. */
static inline mono_us rtp_transport_cc_deadline(const struct rtp_transport_cc *t)
{
    return t->is_pending ? t->pending_at + RTP_TRANSPORT_CC_INTERVAL : MONO_NEVER;
}

/**
 * Append the feedback that is due; before the deadline it does nothing.
 *
 * @param sender_ssrc  our own
 * @param media_ssrc   any of the sources that it is about
 * @param w            RTP_TRANSPORT_CC_MAX_LEN bytes of room; otherwise w->failed is set, nothing
 *                     is appended and the feedback stays due
 *
 * @return true = a packet was appended. Ask again: deltas that do not fit into 16 bits (8 s)
 *         begin another one
 */
bool rtp_transport_cc_write(struct rtp_transport_cc *t, mono_us now, uint32_t sender_ssrc,
                            uint32_t media_ssrc, struct bytes_writer *w);

#endif
