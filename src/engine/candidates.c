/*
 * Our own candidates: for each address of the machine its UDP port, what a NAT makes of it, then
 * the same ports for TCP.
 *
 * An external address stands in front of those of its family; other families stay as they are. It
 * is given (media.external_ip), or seen by STUN servers (auto), and then as if the NAT were 1:1:
 * with the port as it is. Without, what they see is a candidate of its own.
 */
#include <stdio.h>

#include "engine/engine_private.h"

_Static_assert(ENGINE_MAX_CANDIDATES >= 2 * ENGINE_MAX_ADDRESSES + 2, "UDP, TCP, reflexive ones");
_Static_assert(ENGINE_MAX_CANDIDATES <= ICE_MAX_LOCAL, "the agents take them all");

struct list_of {
    struct ice_candidate *items;
    size_t n;
};

/* RFC 8445 §5.1.1.3: same foundation for same type, base and transport: here for none. */
static void add(struct list_of *l, struct ice_candidate c)
{
    struct ice_candidate *to = &l->items[l->n++];
    *to = c;
    to->component = 1;
    (void)snprintf(to->foundation, sizeof(to->foundation), "%zu", l->n);
}

bool engine_find_external(const struct engine *e, struct worker *w, const struct addr *base,
                          struct addr *ret)
{
    struct addr local;
    if (e->external_auto && outside_get(&w->outside, !addr_is_v4(base), &local, ret)) {
        ret->port = base->port;
        ret->tcp = base->tcp;
        return true;
    }
    for (size_t i = 0; i < e->n_externals; i++) {
        if (addr_is_v4(&e->externals[i]) != addr_is_v4(base))
            continue;
        *ret = e->externals[i];
        ret->port = base->port;
        ret->tcp = base->tcp;
        return true;
    }
    return false;
}

/* @param c the priority is set; the address of the i-th interface is not */
static void add_host(struct list_of *l, const struct engine *e, struct worker *w, size_t i,
                     const struct addr *port_and_tcp, struct ice_candidate c)
{
    struct addr base = e->addrs[i], external;
    base.port = port_and_tcp->port;
    base.tcp = port_and_tcp->tcp;
    bool is_mapped = engine_find_external(e, w, &base, &external);
    c.type = ICE_HOST;
    c.addr = is_mapped ? external : base;
    if (is_mapped)
        c.related = base;
    add(l, c);
}

/* RFC 8445 §5.1.3: one that is the same as its base is redundant. */
static void add_reflexive(struct list_of *l, const struct engine *e, struct worker *w, bool is_v6)
{
    struct addr local, mapped, external;
    if (!outside_get(&w->outside, is_v6, &local, &mapped) || addr_equal(&local, &mapped) ||
        engine_find_external(e, w, &local, &external))
        return;
    add(l, (struct ice_candidate){
               .type = ICE_SRFLX,
               .transport = ICE_UDP,
               .priority = ice_candidate_priority(ICE_SRFLX, (uint16_t)(UINT16_MAX - is_v6)),
               .addr = mapped,
               .related = local,
           });
}

size_t engine_make_candidates(const struct engine *e, struct worker *w, struct ice_candidate *ret)
{
    struct list_of l = {.items = ret};
    for (size_t i = 0; i < e->n_addrs; i++) {
        uint32_t priority = ice_candidate_priority(ICE_HOST, (uint16_t)(UINT16_MAX - i));
        add_host(&l, e, w, i, &w->socket.bound,
                 (struct ice_candidate){.transport = ICE_UDP, .priority = priority});
    }
    add_reflexive(&l, e, w, false);
    add_reflexive(&l, e, w, true);
    for (size_t i = 0; i < e->n_addrs && tcp_is_open(&w->tcp); i++) {
        uint32_t priority = ice_candidate_tcp_priority(ICE_HOST, ICE_TCP_PASSIVE,
                                                       (uint16_t)(ICE_OTHER_PREFERENCE_MAX - i));
        add_host(&l, e, w, i, &w->tcp.bound,
                 (struct ice_candidate){
                     .transport = ICE_TCP, .tcptype = ICE_TCP_PASSIVE, .priority = priority});
    }
    return l.n;
}

static bool is_shown(const struct ice_candidate *c, const struct ice_candidate *of, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (addr_equal(&of[i].addr, &c->addr))
            return true;
    }
    return false;
}

void engine_write_candidates(const struct ice_candidate *candidates, size_t n,
                             struct engine_answer *ret)
{
    ret->n_candidates = 0;
    for (size_t i = 0; i < n; i++) {
        struct ice_candidate shown = candidates[i];
        if (is_shown(&shown, candidates, i)) /* one external address in front of several bases */
            continue;
        /* The address behind a 1:1 NAT is nobody's business. */
        if (shown.type == ICE_HOST)
            shown.related = (struct addr){.port = 0};
        (void)ice_candidate_write(&shown, ret->candidates[ret->n_candidates++]);
    }
}

void engine_path_write(const struct engine_path *path, char *local, char *remote)
{
    enum ice_transport transport = path->is_tcp ? ICE_TCP : ICE_UDP;
    const struct ice_candidate ours = {.type = ICE_HOST,
                                       .transport = transport,
                                       .tcptype = path->is_tcp ? ICE_TCP_PASSIVE : ICE_TCP_NONE,
                                       .component = 1,
                                       .priority = path->local_priority,
                                       .foundation = "1",
                                       .addr = path->local};
    const struct ice_candidate theirs = {.type = (enum ice_type)path->remote_type,
                                         .transport = transport,
                                         .tcptype = path->is_tcp ? ICE_TCP_ACTIVE : ICE_TCP_NONE,
                                         .component = 1,
                                         .priority = path->remote_priority,
                                         .foundation = "1",
                                         .addr = path->remote};
    (void)ice_candidate_write(&ours, local);
    (void)ice_candidate_write(&theirs, remote);
}
