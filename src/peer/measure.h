/**
 * What one leg's media is like, in counters that only grow, beside those that reception statistics,
 * reports and repair keep anyway. Who wants to know takes a copy of all of them (peer/figures.h).
 *
 * A packet costs two additions; ten times a second it also costs the reading of its audio level.
 */
#ifndef PEER_MEASURE_H
#define PEER_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "rtp/level.h"
#include "rtp/mean.h"
#include "rtp/packet.h"
#include "rtp/report.h"

/**
 * What became of our packets on their way to the client. Its reports count from the numbers, and
 * these have the gaps of the *other* client's line; here the packets that we really sent count.
 */
struct peer_delivery {
    uint32_t n_reports; /**< since when the counters below are what they are */
    uint32_t expected;  /**< packets that we sent, up to the last report */
    uint32_t lost;      /**< of those, not there (what was sent again and came is there) */
    uint32_t sent;      /**< at the last report: packets sent up to the number that it names */
    uint32_t number;    /**< of the last report: extended_seq */
    int32_t reported;   /**< of the last report: lost, gaps of the other line included */
    int32_t credit;     /**< came later than the report that called it lost; <= 0 */
};

/** Embedded in its peer; zeroed is ready. Hot members first. */
struct peer_measure {
    struct rtp_level level; /**< of what the client says */
    uint64_t octets;        /**< payload bytes received */
    uint32_t packets;       /**< received, authentic; repeated and late ones too */
    uint16_t first_seq;     /**< of what we send */
    uint16_t last_seq;      /**< likewise */
    mono_us connected_at;
    struct rtp_mean jitter_up;   /**< sampled when we report */
    struct rtp_mean jitter_down; /**< as the client reports it */
    struct rtp_mean rtt;         /**< between us and the client */
    struct peer_delivery delivery;
};

/** Packet path: an authentic packet came. @param level_id  id of its audio level; 0 = not agreed */
static inline void peer_measure_received(struct peer_measure *m, const uint8_t *data,
                                         const struct rtp_packet *packet, uint8_t level_id,
                                         mono_us now)
{
    struct rtp_audio_level level;
    m->packets++;
    m->octets += packet->payload_len;
    if (level_id && rtp_level_is_due(&m->level, now) &&
        rtp_audio_level_read(data, packet, level_id, &level))
        rtp_level_take(&m->level, now, level);
}

/** Packet path: a packet goes out, and before rtp_report_sent counts it. */
static inline void peer_measure_sent(struct peer_measure *m, const struct rtp_report *report,
                                     uint16_t seq)
{
    if (!report->has_sent)
        m->first_seq = seq;
    m->last_seq = seq;
}

/** A report block about us came: `report` has it already. @param is_rtt  and a new round trip */
void peer_measure_reported(struct peer_measure *m, const struct rtp_report *report, bool is_rtt);

#endif
