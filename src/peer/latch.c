/* The rules of the header, in their order. */
#include "peer/latch.h"

static bool is_host(const struct addr *a)
{
    return !addr_is_any(a);
}

static struct addr normal(const struct addr *named)
{
    struct addr a = *named;
    if (!is_host(&a) || a.port == LATCH_UNKNOWN_PORT)
        a.port = 0;
    return a;
}

void latch_init(struct latch *l, mono_us now, const struct addr *named)
{
    *l = (struct latch){.named = normal(named), .named_at = now};
    if (l->named.port)
        l->current = l->named;
}

void latch_name(struct latch *l, mono_us now, const struct addr *named)
{
    const struct addr a = normal(named);
    if (!addr_equal(&a, &l->named))
        latch_init(l, now, named);
}

static bool is_known_host(const struct latch *l, const struct addr *from)
{
    return (is_host(&l->named) && addr_ip_equal(&l->named, from)) ||
           (l->learnt.port && addr_ip_equal(&l->learnt, from));
}

static bool may_follow(const struct latch *l, mono_us now, const struct addr *from)
{
    if (!addr_is_unicast(from))
        return false;
    if (l->named.port && addr_equal(from, &l->named))
        return true;
    if (is_known_host(l, from))
        return !l->was_heard || now - l->heard_at >= LATCH_SILENCE;
    return !l->was_heard && (!is_host(&l->named) || now - l->named_at < LATCH_WINDOW);
}

static bool prove(struct latch *l, const struct addr *from, uint32_t ssrc, uint16_t seq)
{
    bool goes_on =
        l->n > 0 && addr_equal(&l->candidate, from) && l->ssrc == ssrc && l->next_seq == seq;
    l->n = goes_on ? (uint8_t)(l->n + 1) : 1;
    l->candidate = *from;
    l->ssrc = ssrc;
    l->next_seq = (uint16_t)(seq + 1);
    return l->n >= LATCH_SEQUENTIAL;
}

bool latch_take(struct latch *l, mono_us now, const struct addr *from, uint32_t ssrc, uint16_t seq)
{
    if (!addr_equal(from, &l->current)) {
        if (!may_follow(l, now, from) || !prove(l, from, ssrc, seq))
            return false;
        l->current = *from;
        if (!addr_equal(from, &l->named))
            l->learnt = *from;
    }
    l->n = 0;
    l->was_heard = true;
    l->heard_at = now;
    return true;
}

void latch_follow(struct latch *l, mono_us now, const struct addr *from)
{
    if (!addr_equal(from, &l->current) && !addr_is_unicast(from))
        return;
    l->current = *from;
    l->was_heard = true;
    l->heard_at = now;
}
