/**
 * When one end of an RTP session sends its RTCP, what stands in it, and what the reports of the
 * other end say about the way there (RFC 3550 §6.2, §6.4, §A.7).
 *
 * A session here has two participants, so the interval is the minimum that §6.2 fixes and the
 * scaling with members and bandwidth falls away. The owner sleeps until rtp_report_deadline(),
 * then calls rtp_report_write(), and hands every RTCP datagram to rtp_report_receive().
 */
#ifndef RTP_REPORT_H
#define RTP_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "rtp/recv_stats.h"
#include "rtp/rtcp.h"

/** RFC 3550 §6.2: "the RECOMMENDED value for a fixed minimum interval is 5 seconds". */
#define RTP_REPORT_INTERVAL (5 * US_PER_S)

/** RFC 3550 §6.2: half the minimum before the first packet, "so that newcomers" are known soon. */
#define RTP_REPORT_INITIAL_INTERVAL (RTP_REPORT_INTERVAL / 2)

/** RFC 3550 §6.2: varied "over the range [0.5,1.5] times the calculated interval" [1/1000]. */
#define RTP_REPORT_RANDOM_MIN  500
#define RTP_REPORT_RANDOM_SPAN 1000

/** Longest CNAME of our own; RFC 7022 §4.2 short-term names have 16 characters. */
#define RTP_REPORT_MAX_CNAME 32

/** Room that the largest report of n sources needs [bytes]. */
#define RTP_REPORT_MAX_LEN(n) (28 + 24 * (size_t)(n) + 8 + 2 + RTP_REPORT_MAX_CNAME + 4)

/** Embedded in its owner; nothing to release. Fields are private but for the marked ones. */
struct rtp_report {
    uint32_t ssrc;       /**< our own; RO after init */
    uint32_t clock_rate; /**< of what we send [Hz] */
    uint64_t ntp_offset; /**< RO after init */
    struct rng *rng;     /**< borrowed from the owner, outlives this */
    uint8_t cname_len;
    char cname[RTP_REPORT_MAX_CNAME];
    uint8_t least_loss; /**< "fraction lost" of the next report at least [1/256] */
    uint8_t own_loss;   /**< public: of the last report, had least_loss been 0 */
    mono_us deadline;   /**< next report */

    uint32_t packets;     /**< public: sent */
    uint32_t octets;      /**< public: payload bytes sent */
    uint32_t last_ts;     /**< timestamp of the last packet sent */
    mono_us last_sent_at; /**< when it was sent */
    uint8_t quiet;        /**< reports made since a packet was sent, saturated at 2 */
    bool has_sent;        /**< ever */

    bool has_remote;                 /**< public: a report block about us came */
    bool has_rtt;                    /**< public: rtt is set */
    mono_us rtt;                     /**< public: last round-trip time */
    struct rtcp_report_block remote; /**< public: what the other end receives of us */
};

/** RFC 3550 §4: NTP time as 32.32 seconds since 1900, from the clock of the cores. */
static inline uint64_t rtp_ntp(mono_us now, uint64_t ntp_offset)
{
    uint64_t s = (uint64_t)now / (uint64_t)US_PER_S;
    uint64_t us = (uint64_t)now % (uint64_t)US_PER_S;
    return ntp_offset + (s << 32) + ((us << 32) / (uint64_t)US_PER_S);
}

/** Middle 32 bits of an NTP time: 16.16 seconds, the unit of LSR and DLSR. */
static inline uint32_t rtp_ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/**
 * @param ssrc        our SSRC in this session
 * @param clock_rate  of what we send [Hz]
 * @param cname       1-RTP_REPORT_MAX_CNAME bytes, copied
 * @param ntp_offset  NTP time at monotonic time 0: the owner reads the wall clock once
 * @param rng         borrowed until the end
 * @param now         the first report follows about 2.5 s later
 */
void rtp_report_init(struct rtp_report *r, uint32_t ssrc, uint32_t clock_rate, struct str cname,
                     uint64_t ntp_offset, struct rng *rng, mono_us now);

/** The clock rate of the payload type being sent changed. */
static inline void rtp_report_set_clock_rate(struct rtp_report *r, uint32_t clock_rate)
{
    r->clock_rate = clock_rate;
}

/** Count one RTP packet sent. @param payload_len without header and padding [bytes] */
static inline void rtp_report_sent(struct rtp_report *r, uint32_t timestamp, size_t payload_len,
                                   mono_us now)
{
    r->packets++;
    r->octets += (uint32_t)payload_len;
    r->last_ts = timestamp;
    r->last_sent_at = now;
    r->has_sent = true;
    r->quiet = 0;
}

/**
 * Loss that the sources' statistics do not show, because it was repaired or is met further on. The
 * next report gives the larger of both as its "fraction lost".
 */
static inline void rtp_report_set_least_loss(struct rtp_report *r, uint8_t fraction)
{
    r->least_loss = fraction;
}

/** When rtp_report_write is due. */
static inline mono_us rtp_report_deadline(const struct rtp_report *r)
{
    return r->deadline;
}

/**
 * Write the report that is due (SR when we sent since the report before the last one, else RR;
 * then SDES) and set the next deadline. Before the deadline it does nothing.
 *
 * @param sources  what we receive; those still on probation are left out
 * @param n        <= RTCP_MAX_BLOCKS
 * @param w        appended to; RTP_REPORT_MAX_LEN(n) bytes of room, otherwise w->failed
 *
 * @return true = a compound packet was appended
 */
bool rtp_report_write(struct rtp_report *r, mono_us now, struct rtp_recv_stats *sources, unsigned n,
                      struct bytes_writer *w);

/**
 * Write a farewell: an empty report, SDES and BYE (RFC 3550 §6.6). With two participants it need
 * not be delayed (§6.3.7).
 */
void rtp_report_write_bye(struct rtp_report *r, mono_us now, struct bytes_writer *w);

/**
 * An empty RR and a CNAME: RFC 4585 §3.1 wants them in front of feedback where RFC 5506 was not
 * agreed. Not a report: the next one comes when it is due.
 */
void rtp_report_write_head(const struct rtp_report *r, struct bytes_writer *w);

/** What rtp_report_receive found. */
struct rtp_report_events {
    bool is_bye;      /**< a BYE that names one of the sources, or nobody */
    bool is_reported; /**< r->remote is new */
    bool is_rtt;      /**< r->rtt is new */
};

/**
 * Take in one RTCP datagram, authenticated: sender reports feed the sources' LSR, report blocks
 * about our SSRC give loss and round-trip time.
 *
 * @param sources, n  what we receive
 * @param ret         filled on success only
 *
 * @return 0, or the error of rtcp_check: nothing was taken over
 *
 * BYE tells what the other end means to do; it does not end a call by itself.
 */
MUST_CHECK int rtp_report_receive(struct rtp_report *r, mono_us now, const uint8_t *data,
                                  size_t len, struct rtp_recv_stats *sources, unsigned n,
                                  struct rtp_report_events *ret);

#endif
