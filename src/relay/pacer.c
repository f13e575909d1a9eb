/* The schedule is one line through (origin_at, origin_position): see the header. */
#include "relay/pacer.h"

/* 48 ticks are a millisecond. Both ways exact but for the last microsecond or tick. */
static mono_us to_us(int64_t ticks)
{
    return ticks * 125 / 6;
}

static int64_t to_ticks(mono_us us)
{
    return us * 6 / 125;
}

void relay_pacer_init(struct relay_pacer *p, mono_us now, uint32_t timestamp)
{
    *p = (struct relay_pacer){.origin_at = now, .origin_ts = timestamp, .free_at = now};
}

void relay_pacer_restart(struct relay_pacer *p)
{
    p->has_schedule = false;
}

/* The whole schedule, so that a silence that was begun ends so much later, too. */
void relay_pacer_hold(struct relay_pacer *p, mono_us held)
{
    p->origin_ts += (uint32_t)to_ticks(held);
    p->origin_at += held;
    p->was_held = true;
}

mono_us relay_pacer_due(const struct relay_pacer *p, int64_t position)
{
    mono_us at = p->origin_at + to_us(position - p->origin_position);
    return p->has_schedule && at > p->free_at ? at : p->free_at;
}

/* The clock of the timestamps goes on; the positions are counted from here. */
static void begin_schedule(struct relay_pacer *p, mono_us at, int64_t position)
{
    p->origin_ts += (uint32_t)to_ticks(at - p->origin_at);
    p->origin_at = at;
    p->origin_position = position;
    p->has_schedule = true;
}

uint32_t relay_pacer_take(struct relay_pacer *p, mono_us now, int64_t position, uint32_t duration,
                          bool *ret_marker)
{
    bool is_late = now - relay_pacer_due(p, position) > RELAY_PACER_LATE;
    *ret_marker = !p->has_schedule || is_late || p->was_held || position != p->next;
    p->was_held = false;
    /* positions that go back would give a timestamp twice */
    if (!p->has_schedule || is_late || position < p->next)
        begin_schedule(p, now, position);
    p->next = position + duration;
    p->free_at = p->origin_at + to_us(p->next - p->origin_position);
    return p->origin_ts + (uint32_t)(position - p->origin_position);
}
