/* The tables of a shared port: see the header. Routes and legs live in their owners; the maps hold
 * pointers, the tags an array with a hint where the next free place may be. */
#include "engine/demux.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "log/counters.h"

#define FIRST_TAGS 64

static const void *name_key(const void *value, size_t *ret_len)
{
    *ret_len = DEMUX_NAME_LEN;
    return ((const struct demux_leg *)value)->name;
}

static const void *remote_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(struct addr);
    return &((const struct demux_route *)value)->remote;
}

static const void *source_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(uint32_t);
    return &((const struct demux_leg *)value)->source;
}

void demux_init(struct demux *d, struct rng *rng)
{
    *d = (struct demux){0};
    map_init(&d->by_name, name_key, rng);
    map_init(&d->by_remote, remote_key, rng);
    map_init(&d->by_source, source_key, rng);
}

void demux_deinit(struct demux *d)
{
    map_deinit(&d->by_name);
    map_deinit(&d->by_remote);
    map_deinit(&d->by_source);
    mem_free(d->by_tag);
    d->by_tag = NULL;
    d->n_tags = 0;
}

/* --- remote addresses --- */

static void remove_route(struct demux *d, struct demux_route *route)
{
    if (!route->leg)
        return;
    void *removed = map_remove(&d->by_remote, &route->remote, sizeof(route->remote));
    assert(removed == route);
    (void)removed;
    route->leg = NULL;
}

/* The place for a new address of a leg: a free one, else the oldest but for `keep`. */
static struct demux_route *make_place(struct demux *d, struct demux_leg *leg,
                                      const struct addr *keep)
{
    for (unsigned i = 0; i < DEMUX_MAX_ROUTES; i++) {
        if (!leg->routes[i].leg)
            return &leg->routes[i];
    }
    struct demux_route *route;
    do {
        route = &leg->routes[leg->next_route];
        leg->next_route = (uint8_t)((leg->next_route + 1) % DEMUX_MAX_ROUTES);
    } while (addr_equal(&route->remote, keep));
    remove_route(d, route);
    return route;
}

static void add_route(struct demux *d, struct demux_leg *leg, const struct addr *remote,
                      const struct addr *keep)
{
    struct demux_route *route = make_place(d, leg, keep);
    *route = (struct demux_route){.remote = *remote, .leg = leg};
    if (map_insert(&d->by_remote, route)) {
        route->leg = NULL;
        counter_add(COUNTER_ENGINE_NO_MEMORY);
    }
}

void demux_heard(struct demux *d, struct demux_leg *leg, const struct addr *remote,
                 const struct addr *keep)
{
    if (!map_find(&d->by_remote, remote, sizeof(*remote)))
        add_route(d, leg, remote, keep);
}

void demux_validated(struct demux *d, struct demux_leg *leg, const struct addr *remote,
                     const struct addr *keep)
{
    struct demux_route *known = map_find(&d->by_remote, remote, sizeof(*remote));
    if (known && known->leg == leg)
        return;
    if (known)
        remove_route(d, known);
    add_route(d, leg, remote, keep);
}

void demux_invalidated(struct demux *d, struct demux_leg *leg, const struct addr *remote)
{
    for (unsigned i = 0; i < DEMUX_MAX_ROUTES; i++) {
        if (leg->routes[i].leg && addr_equal(&leg->routes[i].remote, remote))
            remove_route(d, &leg->routes[i]);
    }
}

/* --- sources --- */

struct demux_leg *demux_find_source(const struct demux *d, uint32_t ssrc)
{
    return map_find(&d->by_source, &ssrc, sizeof(ssrc));
}

static void forget_source(struct demux *d, struct demux_leg *leg)
{
    if (leg->has_source)
        (void)map_remove(&d->by_source, &leg->source, sizeof(leg->source));
    leg->has_source = false;
}

void demux_set_source(struct demux *d, struct demux_leg *leg, uint32_t ssrc)
{
    if ((leg->has_source && leg->source == ssrc) || demux_find_source(d, ssrc))
        return;
    forget_source(d, leg);
    leg->source = ssrc;
    leg->has_source = map_insert(&d->by_source, leg) == 0;
    if (!leg->has_source)
        counter_add(COUNTER_ENGINE_NO_MEMORY);
}

/* --- tags --- */

static int take_tag(struct demux *d, struct demux_leg *leg)
{
    uint32_t tag = d->free_hint;
    while (tag < d->n_tags && d->by_tag[tag])
        tag++;
    if (tag == d->n_tags) {
        uint32_t n = d->n_tags ? d->n_tags * 2 : FIRST_TAGS;
        struct demux_leg **by_tag = mem_realloc(d->by_tag, n * sizeof(struct demux_leg *));
        if (!by_tag)
            return -ENOMEM;
        memset(by_tag + d->n_tags, 0, (n - d->n_tags) * sizeof(struct demux_leg *));
        d->by_tag = by_tag;
        d->n_tags = n;
    }
    d->by_tag[tag] = leg;
    d->free_hint = tag + 1;
    leg->tag = tag;
    return 0;
}

static void give_tag_back(struct demux *d, struct demux_leg *leg)
{
    if (demux_find_tag(d, leg->tag) != leg)
        return;
    d->by_tag[leg->tag] = NULL;
    if (leg->tag < d->free_hint)
        d->free_hint = leg->tag;
    leg->tag = DEMUX_NO_TAG;
}

/* --- legs --- */

struct demux_leg *demux_find_ufrag(const struct demux *d, struct str ufrag)
{
    return ufrag.len == DEMUX_UFRAG_LEN ? map_find(&d->by_name, ufrag.p, DEMUX_NAME_LEN) : NULL;
}

int demux_add(struct demux *d, struct demux_leg *leg)
{
    leg->tag = DEMUX_NO_TAG;
    if (map_find(&d->by_name, leg->name, DEMUX_NAME_LEN))
        return -EEXIST;
    int err = take_tag(d, leg);
    return err ? err : map_insert(&d->by_name, leg);
}

void demux_remove(struct demux *d, struct demux_leg *leg)
{
    if (map_find(&d->by_name, leg->name, DEMUX_NAME_LEN) == leg)
        (void)map_remove(&d->by_name, leg->name, DEMUX_NAME_LEN);
    for (unsigned i = 0; i < DEMUX_MAX_ROUTES; i++)
        remove_route(d, &leg->routes[i]);
    forget_source(d, leg);
    give_tag_back(d, leg);
}
