/**
 * What happened, counted by direction, and its JSON.
 *
 * received + duplicated = forwarded + every lost_… + refused + waiting, at any moment.
 */
#ifndef IMPAIR_STATS_H
#define IMPAIR_STATS_H

#include <stdint.h>

#include "base/text.h"
#include "base/time.h"

/** The two directions of a line. */
enum impair_direction {
    IMPAIR_UP,   /**< client to server */
    IMPAIR_DOWN, /**< server to client */
    IMPAIR_N_DIRECTIONS,
};

/* X(name, JSON key) */
#define IMPAIR_COUNTERS(X)                                                                         \
    X(RECEIVED, "received")                                                                        \
    X(FORWARDED, "forwarded")                                                                      \
    X(DUPLICATED, "duplicated")                                                                    \
    X(REORDERED, "reordered")                                                                      \
    X(LOST_SINGLE, "lost_single")                                                                  \
    X(LOST_BURST, "lost_burst")                                                                    \
    X(LOST_QUEUE, "lost_queue")                                                                    \
    X(LOST_BLACKOUT, "lost_blackout")                                                              \
    X(LOST_OLD_ADDRESS, "lost_old_address") /* still sent to where a client was before rebind */   \
    X(REFUSED, "refused")                   /* by the kernel, or no memory, or too many at once */ \
    X(WAITING, "waiting")                   /* not out yet */

enum impair_counter {
#define X(name, key) IMPAIR_##name,
    IMPAIR_COUNTERS(X)
#undef X
        IMPAIR_N_COUNTERS,
};

struct impair_stats {
    uint64_t counts[IMPAIR_N_DIRECTIONS][IMPAIR_N_COUNTERS];
    uint64_t n_clients; /**< addresses that ever sent something and were let in */
    uint64_t n_rebinds; /**< upstream sockets exchanged */
};

/** "up", "down" */
extern const char *const impair_direction_names[IMPAIR_N_DIRECTIONS];

/** Room that impair_stats_write needs. */
#define IMPAIR_STATS_TEXT_MAX 2048

/** One line of JSON without its end. @param elapsed  since the start */
void impair_stats_write(const struct impair_stats *s, mono_us elapsed, struct text *ret);

#endif
