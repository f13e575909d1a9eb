/**
 * One direction of one client's line: decides for each packet whether it is lost, and when it, or
 * each of its two copies, comes out.
 *
 *     in ─ blackout ─ loss ─ bandwidth and its queue ─ delay, jitter ─ reordering ─ doubling ─ out
 *
 * Pure: time and randomness come in, nothing is stored but the state of the line. The same seed
 * and the same packets at the same times meet the same fate.
 */
#ifndef IMPAIR_LINE_H
#define IMPAIR_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/time.h"
#include "impair/loss.h"
#include "impair/params.h"
#include "impair/stats.h"

/** IPv4 and UDP headers, which the bandwidth also carries [bytes]. */
#define IMPAIR_HEADERS 28

/** Embedded in its client. Fields are private. */
struct impair_line {
    struct rng rng;
    struct impair_loss loss;
    mono_us free_at;   /**< when the bandwidth has carried everything that it has taken */
    mono_us newest_at; /**< when the newest packet that keeps its place comes out */
};

/** What becomes of a packet. */
struct impair_fate {
    unsigned n;                /**< 0 = lost, 1, 2 = doubled */
    mono_us at[2];             /**< when it comes out, and its copy */
    enum impair_counter cause; /**< of the loss, when n is 0 */
    bool is_held_back;         /**< reordered */
};

/** @param seed  of this line alone: what happens on one line must not change another's luck */
void impair_line_init(struct impair_line *line, uint64_t seed);

/**
 * @param now  arrival; must not go back
 * @param len  bytes of UDP payload
 *
 * Order: as long as there is no jitter, or `keep-order` is on, no two packets have the same time,
 * and none is before an earlier one, those held back and the copies excepted.
 */
void impair_line_pass(struct impair_line *line, const struct impair_conditions *c, mono_us now,
                      size_t len, struct impair_fate *ret);

#endif
