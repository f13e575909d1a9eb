/**
 * From packets to time: RTP packets of one stream, in whatever order they come, become frames and
 * gaps that follow one another without a hole.
 *
 *    in    5 6 8 7 ∙ 10 ∙∙∙ 31 (200 ms of silence between)        arrival, number, timestamp
 *    out  ├gap├ 5 ├ 6 ├ 7 ├ 8 ├gap├ 10 ├── gap ──├ 31 ├─gap─┤
 *         0 = start                                         stop
 *
 * Positions count from the start of the recording [ticks of FILE_OPUS_RATE]. The first packet
 * stands where it arrived, or as much earlier as the quickest of those within RECORD_RETURN_LOOK
 * says; those behind it where their timestamps say: neither jitter nor loss changes the length.
 * Only where timestamps cannot be meant (the source was restarted, they run into what is already
 * there, away from the clock, or stood still) a packet stands where it arrived again.
 *
 * A pause is a stop and another start: what lies between takes no time.
 */
#ifndef RECORD_TIMELINE_H
#define RECORD_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/time.h"
#include "file/opus.h"

/**
 * A missing packet is waited for so long. It costs memory only, and a packet that was asked for
 * again comes within half a second (RTP_NACK_USEFUL) or not at all.
 */
#define RECORD_WAIT US_PER_S

/** Packets that wait for a missing one; with more it is given up. A second of 10 ms packets. */
#define RECORD_MAX_HELD 128

/** RFC 3550 §A.1: numbers further ahead or back are another stream's if a second one follows. */
#define RECORD_MAX_DROPOUT  3000
#define RECORD_MAX_MISORDER 256

/**
 * Timestamps that went further than this from what the clock went are a jump of the source's clock.
 * So a hole in the recording is at most so much longer than it took.
 */
#define RECORD_TS_JUMP (10 * US_PER_S)

/**
 * A packet that is so much later than its timestamp says, with none missing before it: the line
 * stood still and held them up, or the source did and its timestamps with it (a browser whose track
 * is taken away, and given back). What comes within the look tells: a line catches up, a source
 * goes on as before. The one is placed by its timestamps, the other by the clock.
 */
#define RECORD_RETURN      (500 * US_PER_MS)
#define RECORD_RETURN_LOOK (200 * US_PER_MS)

/** A piece of the recording. */
struct record_piece {
    uint64_t start;      /**< position */
    uint64_t duration;   /**< ticks; of a frame at most FILE_OPUS_MAX_DURATION */
    const uint8_t *data; /**< Opus; NULL = a gap. Valid until the next call */
    size_t len;          /**< bytes; 0 in a gap */
};

/** What was not recorded. */
struct record_timeline_stats {
    uint64_t frames;     /**< recorded */
    uint64_t late;       /**< came when their place had been given up */
    uint64_t duplicates; /**< came twice */
    uint64_t malformed;  /**< not Opus */
    uint64_t strays;     /**< numbers far off that no second one confirmed, or when stopped */
    uint64_t restarts;   /**< times that a packet was placed by the clock, beside the first */
};

struct record_held;

/** Embedded in its owner. Fields are private. */
struct record_timeline {
    struct list held;            /**< of struct record_held, by number */
    struct record_held *current; /**< last given out; owned */
    unsigned n_held;
    uint64_t newest;     /**< highest number, extended; valid when has_numbers */
    uint64_t next;       /**< number that is due, extended; valid when has_numbers */
    uint16_t jump_seq;   /**< would confirm a restart; valid when has_jump */
    uint64_t position;   /**< end of what was given out */
    uint64_t last_start; /**< of the last frame, valid when is_placed */
    uint32_t last_ts;    /**< its timestamp */
    mono_us last_at;     /**< its arrival */
    uint64_t base;       /**< position of base_at */
    mono_us base_at;     /**< of the last start */
    mono_us stop_at;     /**< MONO_NEVER = is running */
    bool has_numbers, has_jump, is_placed;
    struct record_timeline_stats stats; /**< public, RO */
};

/** Stopped at position 0. */
void record_timeline_init(struct record_timeline *t);

void record_timeline_deinit(struct record_timeline *t);

/** Go on from `now`, where it stopped; stopped, and drained, it must be. */
void record_timeline_start(struct record_timeline *t, mono_us now);

static inline bool record_timeline_is_running(const struct record_timeline *t)
{
    return t->stop_at == MONO_NEVER;
}

/** Nothing that arrives later belongs to it. Drain it: the last piece ends where now is. */
void record_timeline_stop(struct record_timeline *t, mono_us now);

/**
 * One packet of the stream.
 *
 * @param at       arrival
 * @param payload  without padding; copied
 *
 * @return 0 also when it was dropped and counted; -ENOMEM: it will be a gap
 */
MUST_CHECK int record_timeline_push(struct record_timeline *t, mono_us at, uint16_t seq,
                                    uint32_t timestamp, const uint8_t *payload, size_t len);

/**
 * The next piece, for as long as there is one. After each push and stop, and every now and then.
 *
 * @param now  not before the last arrival
 */
bool record_timeline_poll(struct record_timeline *t, mono_us now, struct record_piece *ret);

#endif
