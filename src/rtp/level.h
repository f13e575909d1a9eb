/**
 * How loud a source is and how much of the time it talks, from the audio levels that its packets
 * bear (RFC 6464). Sampled: ten readings a second say as much about speech as fifty.
 *
 *     packet path:  if (rtp_level_is_due(l, now) && rtp_audio_level_read(…)) rtp_level_take(l, now,
 * …)
 *
 * Counted in time, not in packets: with discontinuous transmission (DTX) a silent sender sends two
 * or three packets a second, and a share of packets would call that sender talkative.
 */
#ifndef RTP_LEVEL_H
#define RTP_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "rtp/extension.h"

/** Between two readings. */
#define RTP_LEVEL_INTERVAL (100 * US_PER_MS)

/** So long a reading holds when no packet follows it; what is beyond was silence. */
#define RTP_LEVEL_HOLD (200 * US_PER_MS)

/** At this level or louder it is talk [-dBov]. */
#define RTP_LEVEL_TALK_DB 50

/** Running counters; they never go back (modulo 2^32). */
struct rtp_level_counts {
    uint32_t n;           /**< readings */
    uint32_t n_talk;      /**< of those, talk */
    uint32_t sum_db;      /**< of all readings [-dBov] */
    uint32_t talk_sum_db; /**< of talk [-dBov] */
    uint32_t talk_ms;     /**< time with talk */
    uint32_t silent_ms;   /**< time without */
};

/** Embedded in its owner, one a source; zeroed is ready, nothing to release. */
struct rtp_level {
    mono_us at;     /**< of the last reading; 0 = none yet */
    uint8_t now_db; /**< public: the last reading [-dBov]; valid when counts.n > 0 */
    struct rtp_level_counts counts; /**< public */
};

/** Packet path: is it time for a reading? */
static inline bool rtp_level_is_due(const struct rtp_level *l, mono_us now)
{
    return now - l->at >= RTP_LEVEL_INTERVAL;
}

/** One reading. @param now [µs, monotonic] */
void rtp_level_take(struct rtp_level *l, mono_us now, struct rtp_audio_level level);

#endif
