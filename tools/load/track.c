/* A ring of bits, one for each number of the window; a bit is cleared when its number is entered.
 */
#include "load/track.h"

#include <stdbool.h>

static uint64_t *word(struct track *t, uint32_t seq, uint64_t *ret_bit)
{
    *ret_bit = UINT64_C(1) << (seq % 64);
    return &t->seen[seq % TRACK_WINDOW / 64];
}

static void set(struct track *t, uint32_t seq, bool seen)
{
    uint64_t bit;
    uint64_t *w = word(t, seq, &bit);
    *w = seen ? *w | bit : *w & ~bit;
}

enum track_verdict track_packet(struct track *t, uint32_t seq)
{
    uint64_t bit;
    if (seq >= t->next) {
        uint32_t skipped = seq - t->next;
        if (skipped > TRACK_WINDOW)
            t->next = seq - TRACK_WINDOW;
        while (t->next < seq)
            set(t, t->next++, false);
        set(t, t->next++, true);
        t->n_unique++;
        t->n_gaps += skipped > 0;
        return skipped ? TRACK_GAP : TRACK_IN_ORDER;
    }
    if (t->next - seq > TRACK_WINDOW)
        return TRACK_TOO_OLD;
    if (*word(t, seq, &bit) & bit)
        return TRACK_DUPLICATE;
    set(t, seq, true);
    t->n_unique++;
    return TRACK_REORDERED;
}

uint32_t track_lost(const struct track *t, uint32_t n_sent)
{
    return n_sent > t->n_unique ? n_sent - t->n_unique : 0;
}
