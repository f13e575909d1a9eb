/**
 * How good one direction of a call sounds: an estimate after the E-model (ITU-T G.107) from what
 * the relay sees, and the numbers that it came from.
 *
 *    R   = 93.2 − Id − Ie,eff                                    G.107 §7.1, default values
 *    Id  = 0.024·d + 0.11·(d − 177.3)·[d > 177.3]                Cole, Rosenbluth 2001
 *    Ie,eff = Ie + (95 − Ie)·Ppl / (Ppl / BurstR + Bpl)          G.107 §7.5
 *    MOS = 1 + 0.035·R + R·(R − 60)·(100 − R)·7·10⁻⁶             G.107 Annex B
 *
 * The scale is that of narrow-band telephony: it ends at 4.4 and does not know that Opus sounds
 * better than a telephone. It is there to compare calls and to find bad ones. What was not
 * measured is unknown and never made up.
 */
#ifndef RTP_QUALITY_H
#define RTP_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"
#include "rtp/level.h"

/** What impairs at which loss: the rows of a table in quality.c, with their sources. */
enum rtp_quality_codec {
    RTP_QUALITY_OPUS,     /**< with the concealment of its decoder */
    RTP_QUALITY_OPUS_FEC, /**< in-band FEC is used (RFC 6716 §2.1.7) */
    RTP_QUALITY_G711,     /**< with concealment after G.711 Appendix I, as browsers have it */
    RTP_QUALITY_G722,
    RTP_QUALITY_N_CODECS,
};

/** Packets that an interval must have expected before its loss says something: one second. */
#define RTP_QUALITY_MIN_PACKETS 50

/** Of the time, how much an interval must have been listened to before it has a share of talk. */
#define RTP_QUALITY_MIN_LISTENED_MS 500

/** Input of the model. */
struct rtp_quality_line {
    enum rtp_quality_codec codec;
    double loss;   /**< after repair: 0 … 1 of the packets */
    double burst;  /**< BurstR: mean burst length over that of random loss; >= 1, 1 = random */
    mono_us delay; /**< from mouth to ear [µs] */
};

/** Rating factor R. @return 0 … 93.2 */
double rtp_quality_r(const struct rtp_quality_line *line);

/** MOS of a rating factor. @return 1 … 4.5 */
double rtp_quality_mos(double r);

/**
 * BurstR (G.107 §7.5): mean length of the observed bursts over the mean length under random loss of
 * the same rate, which is 1 / (1 − loss).
 *
 * @param lost, runs  packets lost and series that they came in; runs 0 = not known
 * @param expected    packets
 *
 * @return >= 1; 1 also where nothing is known
 */
double rtp_quality_burst(uint32_t lost, uint32_t runs, uint32_t expected);

/**
 * Delay from mouth to ear: half of each leg's round trip, what the receiver's jitter buffer is
 * likely to hold (twice the jitter), one frame, and the look-ahead of the codec.
 *
 * @param rtt_near, rtt_far  of the two legs [µs]
 * @param jitter             interarrival jitter where it was measured [µs]
 * @param frame              [µs]; 0 = not known, 20 ms are taken
 */
mono_us rtp_quality_delay(enum rtp_quality_codec codec, mono_us rtt_near, mono_us rtt_far,
                          mono_us jitter, mono_us frame);

/** Running counters of one direction, as their owners have them: they never go back (modulo 2^32).
 */
struct rtp_quality_counts {
    uint32_t expected; /**< rtp_nack.expected */
    uint32_t lost;     /**< rtp_nack.lost: before repair */
    uint32_t repaired; /**< rtp_nack.repaired: by NACK or redundancy */
    uint32_t runs;     /**< rtp_nack.runs; 0 = not known */
    struct rtp_level_counts level;
};

/** What the line is like when a snapshot is taken. */
struct rtp_quality_state {
    enum rtp_quality_codec codec;
    bool has_jitter; /**< jitter is valid */
    bool has_rtt;    /**< rtt_near and rtt_far are both valid */
    mono_us jitter;
    mono_us rtt_near, rtt_far;
    mono_us frame;   /**< 0 = not known */
    double far_loss; /**< 0 … 1: lost behind us, on the way to the ear; 0 = none, or not known */
};

/** One direction over one interval. A value counts only where its has_ says so. */
struct rtp_quality_snapshot {
    mono_us interval;  /**< length [µs] */
    uint32_t expected; /**< packets that should have come */
    uint32_t lost;     /**< of those, not in time at first */
    uint32_t repaired; /**< of those, in time after all */

    bool has_loss;      /**< enough packets: RTP_QUALITY_MIN_PACKETS */
    double loss_before; /**< 0 … 1, without repair */
    double loss_after;  /**< 0 … 1, what repair did not bring back */
    double burst;       /**< BurstR, >= 1 */

    bool has_jitter;
    mono_us jitter;
    bool has_delay;
    mono_us rtt;   /**< of both legs together */
    mono_us delay; /**< estimate, from mouth to ear */

    /** What a decoder conceals it does not tell its relay; only the page's getStats knows. */
    bool has_concealment;
    double concealed; /**< 0 … 1 of the samples; set by whom the page told it */

    bool has_mos; /**< needs has_loss and has_delay */
    double r;     /**< 0 … 93.2 */
    double mos;   /**< 1 … 4.5 */

    bool has_level;  /**< packets bore an audio level (RFC 6464) */
    double level_db; /**< mean of the levels while somebody talks; of all, if nobody did [-dBov] */
    double talk;     /**< 0 … 1 of the time */
};

/**
 * Where the present interval began. One a direction and *asker*: a page that asks every few seconds
 * and a log line about the whole call read the same counters and do not disturb each other.
 * Embedded in the asker; nothing to release. Fields are private.
 */
struct rtp_quality {
    struct rtp_quality_counts before; /**< at the last snapshot */
    mono_us since;                    /**< of the last snapshot */
};

/** The first interval begins now, with counters of zero. */
void rtp_quality_init(struct rtp_quality *q, mono_us now);

/**
 * What the direction was like since the last snapshot (since init, the first time), and begin the
 * next interval.
 *
 * @param counts  as they stand now
 * @param now     [µs, monotonic]
 */
void rtp_quality_snapshot(struct rtp_quality *q, mono_us now,
                          const struct rtp_quality_counts *counts,
                          const struct rtp_quality_state *state, struct rtp_quality_snapshot *ret);

#endif
