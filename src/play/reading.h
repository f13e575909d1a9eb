/**
 * One reading of one media: bytes from a source, packets of them into a feed, as far ahead as there
 * is room. The reading thread's.
 */
#ifndef PLAY_READING_H
#define PLAY_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/packet_feed.h"
#include "play/reader.h"
#include "play/source.h"

/** Without a packet for so many bytes, what a server sends is no media. */
#define PLAY_READING_MAX_BARREN (64 << 20)

enum play_reading_result {
    PLAY_READING_BUSY,     /**< do the next step soon */
    PLAY_READING_IDLE,     /**< nothing to be done before the feed has room or the source bytes */
    PLAY_READING_FAILED,   /**< once, then IDLE: `error` says why; see play_reading_step */
    PLAY_READING_MEASURED, /**< without a feed; once, then IDLE: `end` is its length */
};

enum play_reading_state {
    PLAY_READING_READS,
    PLAY_READING_ENDS, /**< the end is to be put into the feed, when there is room */
    PLAY_READING_OVER,
};

/** Embedded in its owner. Fields are private but for those that are named above and below. */
struct play_reading {
    enum play_reading_state state;
    struct packet_feed *feed;   /**< borrowed; NULL = it is measured */
    struct play_source *source; /**< owned */
    struct play_reader *reader; /**< owned */
    bool is_file;
    int64_t end;             /**< RO: of what was read [ticks] */
    bool has_begun;          /**< RO: there was a packet */
    bool is_cut;             /**< RO: it ended before it said that it does */
    bool is_broken;          /**< the source failed: when the reader is empty, so has the reading */
    unsigned n_long;         /**< RO: packets that are longer than a datagram, and were left out */
    size_t barren;           /**< bytes since the last packet */
    struct play_error error; /**< RO: with FAILED */
};

/**
 * @param from     what ends before it is not heard [ticks]; 0 … PACKET_FEED_MAX_POSITION - 1
 * @param source   owned from now on; NULL = it could not be opened, as r->error says already
 * @param is_file  it has an end
 */
void play_reading_init(struct play_reading *r, struct packet_feed *feed, int64_t from,
                       struct play_source *source, bool is_file);

/** Closes the source. Legal on a zeroed struct. */
void play_reading_deinit(struct play_reading *r);

/**
 * One read of the source at most, and the packets that came of it.
 *
 * After a failure the feed ends where the last packet did; when there was none, it stays empty.
 */
enum play_reading_result play_reading_step(struct play_reading *r);

#endif
