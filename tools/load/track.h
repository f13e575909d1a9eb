/**
 * Which packets of one direction came: gaps, order, duplicates.
 */
#ifndef LOAD_TRACK_H
#define LOAD_TRACK_H

#include <stdint.h>

/** Packets that a late one may be behind and still be recognised: 20 s of audio. */
#define TRACK_WINDOW 1024

/** A zeroed struct expects number 0. */
struct track {
    uint32_t next;     /**< one above the highest number that came */
    uint32_t n_unique; /**< different packets that came */
    uint32_t n_gaps;   /**< times that a number was above the expected one */
    uint64_t seen[TRACK_WINDOW / 64];
};

enum track_verdict {
    TRACK_IN_ORDER,
    TRACK_GAP,       /**< numbers were left out before it */
    TRACK_REORDERED, /**< one of those that were left out */
    TRACK_DUPLICATE,
    TRACK_TOO_OLD, /**< behind the window: it may be either */
};

enum track_verdict track_packet(struct track *t, uint32_t seq);

/** Of n_sent packets with the numbers 0, 1, …, those that did not come. */
uint32_t track_lost(const struct track *t, uint32_t n_sent);

#endif
