/**
 * When a packet goes that was not received but read, and with which timestamp. Pure arithmetic.
 *
 *     position in the file   0    20    40 ── pause ──  60    80
 *     goes at                t  t+20  t+40            t+540 t+560
 *     RTP timestamp          a  a+20  a+40            a+540 a+560     (marker on the first again)
 *
 * Each packet's time is computed from where the schedule began, so an hour of them has no drift. A
 * packet that could not go in time (a worker that stood still, a feed that ran empty, a pause)
 * begins a new schedule: what was missed is played later and not faster. The RTP clock goes on
 * meanwhile, as it does for who is silent.
 */
#ifndef RELAY_PACER_H
#define RELAY_PACER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

/**
 * Later than this begins a new schedule. Within it the packets follow one another closely until
 * they are in time again, three of 20 ms at most: a receiver takes that for the jitter of a
 * network.
 */
#define RELAY_PACER_LATE (60 * US_PER_MS)

/** Ticks a second of positions and timestamps. */
#define RELAY_PACER_RATE 48000

/** Embedded in its owner; nothing to release. Fields are private. */
struct relay_pacer {
    bool has_schedule; /**< the origin holds for what follows */
    mono_us origin_at;
    int64_t origin_position; /**< goes at origin_at … */
    uint32_t origin_ts;      /**< … with this timestamp */
    int64_t next;            /**< end of the last packet: what follows without a gap */
    bool was_held;           /**< since the last packet */
    mono_us free_at;         /**< when the last packet is over */
};

/** @param timestamp  of the first packet; choose it random */
void relay_pacer_init(struct relay_pacer *p, mono_us now, uint32_t timestamp);

/** What comes next belongs to another place: it goes as soon as what went last is over. */
void relay_pacer_restart(struct relay_pacer *p);

/** Everything was held for so long [µs]: what follows goes so much later. */
void relay_pacer_hold(struct relay_pacer *p, mono_us held);

/**
 * When does the packet at this position go? In the past: at once.
 *
 * @param position  [ticks] 0 … 2^43
 */
mono_us relay_pacer_due(const struct relay_pacer *p, int64_t position);

/**
 * It goes now.
 *
 * @param now         not before relay_pacer_due
 * @param duration    [ticks] > 0
 * @param ret_marker  it is the first after a silence (RFC 3551 §4.1)
 * @return its RTP timestamp: behind the one before by the duration of that at least
 */
uint32_t relay_pacer_take(struct relay_pacer *p, mono_us now, int64_t position, uint32_t duration,
                          bool *ret_marker);

#endif
