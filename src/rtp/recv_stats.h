/**
 * What a receiver knows about one source: validity, loss, jitter (RFC 3550 §6.4.1, §A.1, §A.3,
 * §A.8). Makes the report block about it.
 */
#ifndef RTP_RECV_STATS_H
#define RTP_RECV_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

/** RFC 3550 §A.1: "MAX_DROPOUT = 3000, MAX_MISORDER = 100, MIN_SEQUENTIAL = 2". */
#define RTP_RECV_MAX_DROPOUT    3000
#define RTP_RECV_MAX_MISORDER   100
#define RTP_RECV_MIN_SEQUENTIAL 2

/** Embedded in its owner; nothing to release. Fields are private but for the marked ones. */
struct rtp_recv_stats {
    uint32_t ssrc;           /**< public; RO after init */
    uint32_t clock_rate;     /**< [Hz]; RO after init */
    uint32_t received;       /**< public: packets, with duplicates and late ones */
    uint32_t cycles;         /**< roll-overs, shifted by 16 */
    uint32_t base_seq;       /**< first sequence number */
    uint32_t bad_seq;        /**< one after the last far-off number; > 65535 = none */
    uint32_t expected_prior; /**< at the last report */
    uint32_t received_prior; /**< at the last report */
    uint32_t last_timestamp; /**< of the last packet in order */
    uint32_t transit;        /**< relative transit time of the last packet [ticks] */
    uint32_t low_transit;    /**< the least one since looked_at [ticks] */
    uint32_t jitter_x16;     /**< interarrival jitter, times 16 [ticks] */
    uint16_t max_seq;        /**< highest number seen */
    uint8_t probation;       /**< packets in sequence that are still missing */
    bool started;            /**< a packet came */
    bool has_transit;        /**< `transit` is set */
    bool has_sr;             /**< a sender report came */
    uint32_t last_sr;        /**< middle 32 bits of its NTP time */
    mono_us last_sr_at;      /**< when it came */
    uint32_t least_transit;  /**< the least of all, rising slowly [ticks] */
    mono_us looked_at;       /**< when the queue was last looked at */
    mono_us queue;           /**< what was seen */
};

/**
 * @param probation  packets in sequence before the source counts: RTP_RECV_MIN_SEQUENTIAL, or 0
 *                   where packets are authenticated (RFC 3550 §A.1 guards against strays only)
 */
void rtp_recv_stats_init(struct rtp_recv_stats *s, uint32_t ssrc, uint32_t clock_rate,
                         unsigned probation);

/**
 * Count one packet of this source.
 *
 * @param now  its arrival [µs, monotonic]
 *
 * @return 0                counted
 *         RTP_E_PROBATION  not enough packets in sequence yet; not counted
 *         RTP_E_JUMP       number far off; two in a row restart the statistics; not counted
 */
int rtp_recv_stats_packet(struct rtp_recv_stats *s, uint16_t seq, uint32_t timestamp, mono_us now);

/** Remember a sender report of this source, for LSR and DLSR. */
void rtp_recv_stats_sender_report(struct rtp_recv_stats *s, uint64_t ntp, mono_us now);

/** There is something to report: packets came and the source is past its probation. */
bool rtp_recv_stats_is_valid(const struct rtp_recv_stats *s);

/** Highest sequence number with roll-overs (RFC 3550 §6.4.1). */
uint32_t rtp_recv_stats_extended_seq(const struct rtp_recv_stats *s);

/** Packets lost since the beginning, within the 24 bits of a report; negative with duplicates. */
int32_t rtp_recv_stats_lost(const struct rtp_recv_stats *s);

/** Interarrival jitter [ticks of the clock rate]. */
static inline uint32_t rtp_recv_stats_jitter(const struct rtp_recv_stats *s)
{
    return s->jitter_x16 >> 4;
}

/**
 * The least transit time is forgotten by so much: more than clocks drift (100 in a million), and
 * little enough that a queue of 300 ms is still seen after three minutes [1/1000].
 */
#define RTP_RECV_LEAST_RISES 1

/** Nobody queues that long: the source's clock jumped. */
#define RTP_RECV_MAX_QUEUE (10 * US_PER_S)

/** A queue is what every packet of so long a time has waited for: jitter lets some through. */
#define RTP_RECV_QUEUE_INTERVAL (250 * US_PER_MS)

/**
 * The queue that stands on the source's line: how much longer the fastest packet of the last
 * interval took than the fastest of all [µs]. A pause, of the line or of our own, delays many
 * packets, but the last of them comes as quickly as ever.
 */
mono_us rtp_recv_stats_queue(struct rtp_recv_stats *s, mono_us now);

/** The packets take another way: it has transit times of its own. */
static inline void rtp_recv_stats_new_line(struct rtp_recv_stats *s)
{
    s->has_transit = false;
}

/**
 * Make the report block about this source. "Fraction lost" is counted since the last call, so
 * call it once for each report sent.
 */
void rtp_recv_stats_report(struct rtp_recv_stats *s, mono_us now, struct rtcp_report_block *ret);

#endif
