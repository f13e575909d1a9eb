/**
 * Feedback of one leg besides NACK (peer/repair.h): what a sender's congestion control hears of us,
 * and what the other end tells about what it hears.
 *
 *     received RTP ─▶ transport-cc or REMB ─ deadline ─▶ peer_feedback_write ─▶ to the sender
 *     received RTCP ─▶ peer_feedback_receive ─▶ figures; a reference time waits for its DLRR
 *
 * Only about what we *receive*. What we send to a leg bears no transport-wide numbers, so it sends
 * no feedback about it: the rate is chosen by the other leg's sender, who would not hear of it, and
 * ten datagrams a second would be paid for nothing. docs/rfc/rtp.md
 */
#ifndef PEER_FEEDBACK_H
#define PEER_FEEDBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/time.h"
#include "peer/params.h"
#include "peer/repair.h"
#include "rtp/packet.h"
#include "rtp/remb.h"
#include "rtp/report.h"
#include "rtp/rtcp.h"
#include "rtp/transport_cc.h"

/** What the other end last said about what it receives; a value counts only where has_ says so. */
struct peer_remote_view {
    bool has_remb, has_summary, has_voip;
    uint64_t remb_bps;
    struct rtcp_xr_summary summary;
    struct rtcp_xr_voip voip;
};

/** Embedded in its peer. Fields are private but for `view`. */
struct peer_feedback {
    uint8_t transport_id; /**< id of the transport-wide number; 0 = not agreed */
    bool is_remb;         /**< agreed */
    bool is_repaired;     /**< NACK was answered: scattered loss is not told */
    bool is_reduced;      /**< RFC 5506: feedback may stand alone */
    bool has_reference;   /**< a receiver reference time waits for its answer */
    uint32_t reference_ssrc;
    uint32_t reference; /**< middle 32 bits of its NTP time */
    mono_us reference_at;
    struct rtp_remb remb;
    struct rtp_transport_cc transport;
    struct peer_remote_view view; /**< public */
};

void peer_feedback_init(struct peer_feedback *f, const struct peer_params *params, mono_us now);

/** A later offer was answered: what was agreed may be another; figures and what waits stay. */
void peer_feedback_set(struct peer_feedback *f, const struct peer_params *params);

/** Packet path: an authentic packet came. @param data, len of the plain packet */
static inline void peer_feedback_received(struct peer_feedback *f, const uint8_t *data, size_t len,
                                          const struct rtp_packet *packet, mono_us now)
{
    uint16_t seq;
    if (f->transport_id && rtp_transport_seq_read(data, packet, f->transport_id, &seq))
        rtp_transport_cc_packet(&f->transport, seq, now);
    else if (f->is_remb)
        rtp_remb_packet(&f->remb, len);
}

/** Packet path: when peer_feedback_write is due because of the packet that came. */
static inline mono_us peer_feedback_due(const struct peer_feedback *f)
{
    return f->transport_id ? rtp_transport_cc_deadline(&f->transport) : MONO_NEVER;
}

static inline mono_us peer_feedback_deadline(const struct peer_feedback *f)
{
    return f->is_remb ? rtp_remb_deadline(&f->remb) : peer_feedback_due(f);
}

/**
 * One authentic RTCP datagram that passed rtcp_check.
 *
 * @return true = all of it has a use; false = something in it was ignored (PLI, FIR, APP, …): count
 */
bool peer_feedback_receive(struct peer_feedback *f, mono_us now, const uint8_t *data, size_t len);

/**
 * Write the feedback that is due, alone or behind an empty report.
 *
 * @param source  what we receive
 * @param losses  of it
 * @return true = a packet was appended
 */
bool peer_feedback_write(struct peer_feedback *f, mono_us now, const struct rtp_report *report,
                         const struct rtp_recv_stats *source, const struct rtp_nack *losses,
                         struct bytes_writer *w);

/** Behind a report that was just written: the DLRR that somebody waits for, if any. */
void peer_feedback_write_dlrr(struct peer_feedback *f, mono_us now, uint32_t ssrc,
                              struct bytes_writer *w);

#endif
