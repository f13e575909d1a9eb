/* The way of a packet through the line: see the drawing in the header. */
#include "impair/line.h"

void impair_line_init(struct impair_line *line, uint64_t seed)
{
    *line = (struct impair_line){0};
    rng_init_seeded(&line->rng, seed);
}

static void lose(struct impair_fate *fate, enum impair_counter cause)
{
    *fate = (struct impair_fate){.cause = cause};
}

/*
 * The bandwidth as a clock: it says when all that was taken is carried. So the queue needs no
 * memory of its own, and its length is a time, which is what a listener notices.
 *
 * @return when the packet is through, MONO_NEVER = the queue is full
 */
static mono_us carry(struct impair_line *line, const struct impair_conditions *c, mono_us now,
                     size_t len)
{
    int64_t rate = c->values[IMPAIR_RATE];
    if (rate == 0)
        return now;
    mono_us start = line->free_at > now ? line->free_at : now;
    if (start - now > c->values[IMPAIR_QUEUE])
        return MONO_NEVER;
    line->free_at = start + (int64_t)(len + IMPAIR_HEADERS) * 8 * US_PER_S / rate;
    return line->free_at;
}

/* @param at  when the packet enters the long part of the line */
static mono_us travel(struct impair_line *line, const struct impair_conditions *c, mono_us at)
{
    int64_t jitter = c->values[IMPAIR_JITTER];
    at += c->values[IMPAIR_DELAY];
    if (jitter > 0)
        at += rng_below(&line->rng, (uint32_t)jitter + 1);
    return at;
}

/* A tie would be broken by chance where the packets wait: a microsecond apart they stay in order.
 */
static mono_us behind_the_others(struct impair_line *line, const struct impair_conditions *c,
                                 mono_us at)
{
    if (c->values[IMPAIR_JITTER] > 0 && !c->values[IMPAIR_KEEP_ORDER])
        return at;
    if (at <= line->newest_at)
        at = line->newest_at + 1;
    line->newest_at = at;
    return at;
}

void impair_line_pass(struct impair_line *line, const struct impair_conditions *c, mono_us now,
                      size_t len, struct impair_fate *ret)
{
    if (now < c->blackout_until) {
        lose(ret, IMPAIR_LOST_BLACKOUT);
        return;
    }
    enum impair_loss_kind lost = impair_loss_next(&line->loss, c, &line->rng);
    if (lost != IMPAIR_LOSS_NONE) {
        lose(ret, lost == IMPAIR_LOSS_BURST ? IMPAIR_LOST_BURST : IMPAIR_LOST_SINGLE);
        return;
    }
    mono_us carried = carry(line, c, now, len);
    if (carried == MONO_NEVER) {
        lose(ret, IMPAIR_LOST_QUEUE);
        return;
    }
    *ret = (struct impair_fate){.n = 1};
    mono_us at = travel(line, c, carried);
    ret->is_held_back = impair_chance(&line->rng, c->values[IMPAIR_REORDER]);
    ret->at[0] =
        ret->is_held_back ? at + c->values[IMPAIR_REORDER_BY] : behind_the_others(line, c, at);
    if (impair_chance(&line->rng, c->values[IMPAIR_DUPLICATE])) {
        ret->n = 2;
        mono_us copy = travel(line, c, carried);
        ret->at[1] = copy > ret->at[0] ? copy : ret->at[0] + 1;
    }
}
