/**
 * Replay window of one SSRC (private to rtpsec; RFC 3711 §3.3.2): which of the last RTPSEC_WINDOW
 * indices were seen. The same for SRTP and SRTCP, receiving and sending.
 *
 *    seen   bit 0 = index, bit 1 = index - 1, … bit 127 = index - 127
 */
#ifndef RTPSEC_WINDOW_H
#define RTPSEC_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "rtpsec/session.h"

_Static_assert(RTPSEC_WINDOW == 128, "two words are shifted by hand");

/** Has this index never been seen, and is it not too old to tell? Changes nothing. */
static inline bool rtpsec_window_is_new(const struct rtpsec_stream *s, uint64_t index)
{
    if (index > s->index)
        return true;
    uint64_t back = s->index - index;
    if (back >= RTPSEC_WINDOW)
        return false;
    return !(s->seen[back / 64] >> (back % 64) & 1);
}

/** Mark an index for which rtpsec_window_is_new was true. */
static inline void rtpsec_window_add(struct rtpsec_stream *s, uint64_t index)
{
    if (index <= s->index) {
        uint64_t back = s->index - index;
        s->seen[back / 64] |= (uint64_t)1 << (back % 64);
        return;
    }
    uint64_t ahead = index - s->index;
    if (ahead < 64) {
        s->seen[1] = s->seen[1] << ahead | s->seen[0] >> (64 - ahead);
        s->seen[0] = s->seen[0] << ahead | 1;
    } else {
        s->seen[1] = ahead < RTPSEC_WINDOW ? s->seen[0] << (ahead - 64) : 0;
        s->seen[0] = 1;
    }
    s->index = index;
}

/** Begin with this index as the only one that was seen. */
static inline void rtpsec_window_start(struct rtpsec_stream *s, uint32_t ssrc, uint64_t index)
{
    *s = (struct rtpsec_stream){.index = index, .seen = {1}, .ssrc = ssrc};
}

#endif
