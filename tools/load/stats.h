/**
 * What a run counted. One line in a list adds a counter to the struct, the table and the JSON.
 */
#ifndef LOAD_STATS_H
#define LOAD_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "load/histogram.h"

/** name, is one of them a failure of the run?, words for the table */
#define STATS_COUNTERS(X)                                                                          \
    X(calls_tried, false, "calls placed")                                                          \
    X(calls_up, false, "calls in which both heard each other")                                     \
    X(calls_ended, false, "calls that ended in order")                                             \
    X(calls_failed, true, "calls that failed")                                                     \
    X(users_failed, true, "users who could not register")                                          \
    X(users_lost, true, "users whose WebSocket broke")                                             \
    X(heard_gcm, false, "users who hear AES-GCM")                                                  \
    X(heard_sha1, false, "users who hear AES-CM with HMAC-SHA1")                                   \
    X(packets_sent, false, "packets sent")                                                         \
    X(packets_received, false, "packets received")                                                 \
    X(packets_lost, true, "packets lost")                                                          \
    X(gaps, false, "gaps in the sequence")                                                         \
    X(reordered, false, "packets out of order")                                                    \
    X(duplicates, true, "packets twice")                                                           \
    X(corrupted, true, "packets with a wrong bit")                                                 \
    X(misrouted, true, "packets of another call or direction")                                     \
    X(bad_headers, true, "packets with a wrong RTP header")                                        \
    X(undecryptable, true, "packets that SRTP refused")                                            \
    X(late, false, "packets later than 60 ms")                                                     \
    X(send_failed, true, "packets that this machine refused to send")                              \
    X(ticks_skipped, false, "own ticks left out: this machine was too slow")                       \
    X(skipped, false, "calls not placed: no pair was free")

/** name, words for the table */
#define STATS_TIMES(X)                                                                             \
    X(registration, "connect to registered")                                                       \
    X(answered, "call to both answers")                                                            \
    X(connected, "call to both connected")                                                         \
    X(setup, "call to both heard")                                                                 \
    X(latency, "one-way latency")                                                                  \
    X(lateness, "own sending late by")

/** A packet that is later than this does not make it into a browser's jitter buffer. */
#define STATS_LATE (60 * US_PER_MS)

#define STATS_ERROR_TEXT 160
#define STATS_MAX_ERRORS 32

/** A kind of error, by its words. */
struct stats_error {
    char text[STATS_ERROR_TEXT];
    uint64_t n;
};

struct stats {
#define FIELD(name, bad, words) uint64_t name;
    STATS_COUNTERS(FIELD)
#undef FIELD
#define FIELD(name, words) struct histogram name;
    STATS_TIMES(FIELD)
#undef FIELD
    struct stats_error errors[STATS_MAX_ERRORS];
    unsigned n_errors; /**< kinds; what is more is counted with the last one */
};

/** Count an error under its words. */
PRINTF_LIKE(2, 3) void stats_error(struct stats *s, const char *format, ...);

/** Calls were made, and nothing that is a failure was counted. */
bool stats_is_good(const struct stats *s);

#endif
