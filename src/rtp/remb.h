/**
 * The bit rate that we tell a sender which knows no transport-wide feedback
 * (draft-alvestrand-rmcat-remb-03), from the loss on its way to us.
 *
 * The rule is the loss-based half of draft-ietf-rmcat-gcc-02 §6, once a second:
 *
 *     loss > 10 %   what arrived, less half of the loss
 *     loss <  2 %   8 % more than before
 *     between       as before
 *
 * It begins at the highest rate: the sender must not be held down by somebody who has not seen
 * anything yet.
 */
#ifndef RTP_REMB_H
#define RTP_REMB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/time.h"

#define RTP_REMB_INTERVAL US_PER_S

/** RFC 7587 §6.1 maxaveragebitrate: "6000 to 510000"; below is what Opus at 6 kbit/s takes in
 * packets of 20 ms with their headers. */
#define RTP_REMB_MAX_BPS 510000
#define RTP_REMB_MIN_BPS 32000

/** Packets that an interval must have expected before its loss says something; DTX brings 2-3. */
#define RTP_REMB_MIN_PACKETS 20

/** Embedded in its owner, one a leg; nothing to release. Fields are private. */
struct rtp_remb {
    mono_us deadline;
    mono_us since;     /**< begin of the interval */
    uint32_t rate_bps; /**< told last */
    uint32_t bytes;    /**< received in the interval */
    uint32_t expected; /**< at its begin */
    uint32_t lost;     /**< at its begin */
};

/** What has come so far, running counters that wrap at 2^32: rtp_nack.expected and .lost. */
struct rtp_remb_counts {
    uint32_t expected, lost;
};

void rtp_remb_init(struct rtp_remb *r, mono_us now);

/** Packet path: one packet came. @param len of the datagram */
static inline void rtp_remb_packet(struct rtp_remb *r, size_t len)
{
    r->bytes += (uint32_t)len;
}

static inline mono_us rtp_remb_deadline(const struct rtp_remb *r)
{
    return r->deadline;
}

/**
 * Append the REMB that is due; before the deadline it does nothing.
 *
 * @param sender_ssrc  our own
 * @param media_ssrc   whom it is about
 *
 * @return true = a packet was appended
 */
bool rtp_remb_write(struct rtp_remb *r, mono_us now, struct rtp_remb_counts counts,
                    uint32_t sender_ssrc, uint32_t media_ssrc, struct bytes_writer *w);

#endif
