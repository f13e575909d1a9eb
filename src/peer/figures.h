/**
 * Everything that is known of one leg's media at one moment: a copy, for who asks from elsewhere
 * (another thread, a log line, statistics). All counters run since the beginning and wrap at their
 * width; intervals are the asker's business.
 */
#ifndef PEER_FIGURES_H
#define PEER_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "peer/measure.h"
#include "peer/params.h"
#include "rtp/quality.h"

struct peer;
struct peer_feedback;

/** From the client to us. */
struct peer_figures_up {
    bool is_wanted; /**< the client may send (SDP) */
    bool has_source;
    uint32_t ssrc;    /**< of the present source; valid when has_source */
    uint64_t octets;  /**< payload */
    uint32_t packets; /**< authentic; repeated and late ones too */
    mono_us heard_at; /**< last packet; without any, when the leg was connected; 0 = never */
    struct rtp_quality_counts counts; /**< over all sources */
    uint32_t late;                    /**< of the lost, came when it was of no use */
    uint32_t reordered;               /**< overtaken on the way, in time all the same */
    uint32_t n_asked;                 /**< numbers that we asked for (NACK) */
    uint8_t fraction; /**< missing between our last two reports, repair counted in [1/256] */
    bool has_jitter;
    mono_us jitter;          /**< now, of the present source */
    struct rtp_mean jitters; /**< sampled at each of our reports */
    uint8_t level_db;        /**< last audio level [-dBov]; valid when counts.level.n > 0 */
};

/** From us to the client. */
struct peer_figures_down {
    bool is_wanted; /**< the client wants to receive (SDP) */
    uint32_t ssrc;
    uint32_t packets; /**< without those that were sent again */
    uint32_t octets;  /**< payload, likewise */
    uint32_t resent;  /**< because the client asked (NACK) */
    struct peer_delivery delivery;
    bool is_reported;      /**< the next four are valid */
    uint8_t fraction;      /**< as the client last reported it [1/256] */
    int32_t reported_lost; /**< likewise; the gaps of the other line are in it */
    mono_us jitter;        /**< likewise; what the other line brought along is in it */
    struct rtp_mean jitters;
    bool has_discarded; /**< the client reports it (RFC 3611 §4.7) */
    uint8_t discarded;  /**< packets that came too early or too late for its buffer [1/256] */
};

struct peer_figures {
    mono_us at;           /**< when this copy was made */
    enum codec_id codec;  /**< the one that both ends prefer */
    mono_us connected_at; /**< since when media may flow; 0 = never */
    bool has_rtt;
    mono_us rtt; /**< last measured, between us and the client */
    struct rtp_mean rtts;
    struct peer_figures_up up;
    struct peer_figures_down down;
};

/** What counts in an end of RTP, whatever protects it. Borrowed. */
struct peer_parts {
    const struct rtp_nack *losses;
    const struct peer_measure *measure;
    const struct rtp_recv_stats *source;
    const struct rtp_report *report;
    const struct peer_feedback *feedback;
    enum codec_id codec;
    bool may_send, may_receive, has_source;
    uint32_t resent;
};

/** Reads and changes nothing. */
void peer_figures_of(const struct peer_parts *p, mono_us now, struct peer_figures *ret);

/** Those of a WebRTC peer. On the thread that owns it. */
void peer_figures(const struct peer *p, mono_us now, struct peer_figures *ret);

#endif
