/**
 * Arithmetic on numbers that wrap around: 16-bit sequence numbers, 32-bit timestamps.
 *
 * "Newer" is meant as in RFC 1982: the shorter way round the circle decides; exactly half a circle
 * away counts as older.
 */
#ifndef RTP_SEQUENCE_H
#define RTP_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/** How far a is ahead of b: -32768 … 32767. */
static inline int16_t rtp_seq_diff(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

static inline bool rtp_seq_is_newer(uint16_t a, uint16_t b)
{
    return rtp_seq_diff(a, b) > 0;
}

/** How far a is ahead of b: -2^31 … 2^31 - 1 [ticks]. */
static inline int32_t rtp_ts_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool rtp_ts_is_newer(uint32_t a, uint32_t b)
{
    return rtp_ts_diff(a, b) > 0;
}

/**
 * The 64-bit number nearest to `last` whose low 16 bits are seq: (roll-over count << 16) | seq
 * (RFC 3550 §A.1 "extended", RFC 3711 §3.3.1 "index"). Never below zero: before the first wrap a
 * number that seems to come from the round before is taken as one of this round.
 */
static inline uint64_t rtp_seq_extend(uint64_t last, uint16_t seq)
{
    int64_t index = (int64_t)last + rtp_seq_diff(seq, (uint16_t)last);
    return (uint64_t)(index < 0 ? index + 0x10000 : index);
}

#endif
