/**
 * An emulated network for two agents in virtual time: delay, jitter (and so reordering), loss,
 * and a NAT in front of either side. For the tests of this folder.
 */
#ifndef TEST_ICE_NET_H
#define TEST_ICE_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "ice/agent.h"
#include "stun/message.h"

#define NET_MAX_PACKETS 512
#define NET_START       (100 * US_PER_S)

struct packet {
    mono_us at;
    struct addr from, to;
    size_t len;
    uint8_t data[ICE_SEND_CAP];
};

/** One agent with what it told, and the NAT in front of it. */
struct side {
    struct ice_agent agent;
    const char *ufrag, *pwd;
    struct addr addr; /**< its base */
    bool has_nat;
    struct addr public_addr; /**< what the other side sees of `addr`, with a NAT */
    bool nat_is_strict;      /**< lets in only from where a datagram went to */
    struct addr opened[16];
    unsigned n_opened;

    unsigned states; /**< bit for each state that was told */
    enum ice_state state;
    unsigned n_selected, n_validated, n_invalidated, n_lost, n_sent, n_dropped;
    struct addr local, remote; /**< of the last SELECTED */
    struct addr mapped;        /**< of the last VALIDATED */
    mono_us connected_at, completed_at, failed_at, lost_at;
};

struct net {
    mono_us now;
    struct rng rng;
    struct side a, b;
    mono_us delay, jitter;
    unsigned loss_percent;
    bool is_cut; /**< everything is lost */
    /** Sees each datagram before the network; false = lost. NULL = none. */
    bool (*tap)(struct net *net, struct packet *packet);
    struct packet packets[NET_MAX_PACKETS];
    unsigned n_packets;
};

static inline struct str net_ufrag(const struct side *s)
{
    return str_of(s->ufrag);
}

static inline struct str net_pwd(const struct side *s)
{
    return str_of(s->pwd);
}

static inline struct ice_candidate net_host(struct addr addr, uint16_t preference)
{
    return (struct ice_candidate){
        .type = ICE_HOST,
        .component = 1,
        .priority = ice_candidate_priority(ICE_HOST, preference),
        .foundation = "1",
        .addr = addr,
    };
}

static inline int side_init(struct net *net, struct side *s, bool controlling, bool lite)
{
    struct ice_config config = {
        .controlling = controlling, .lite = lite, .ufrag = net_ufrag(s), .pwd = net_pwd(s)};
    struct ice_candidate host = net_host(s->addr, 65535);
    int r = ice_agent_init(&s->agent, &config, &net->rng);
    return r ? r : ice_agent_add_local(&s->agent, &host);
}

/** Two hosts: a is controlling and plays the browser, b is controlled and plays the server. */
static inline void net_init(struct net *net, uint64_t seed)
{
    memset(net, 0, sizeof(*net));
    net->now = NET_START;
    net->delay = 20 * US_PER_MS;
    rng_init_seeded(&net->rng, seed);
    net->a.ufrag = "aaaa";
    net->a.pwd = "aaaaaaaaaaaaaaaaaaaaaaaa";
    net->a.addr = addr_v4(10, 0, 0, 1, 1111);
    net->b.ufrag = "bbbb";
    net->b.pwd = "bbbbbbbbbbbbbbbbbbbbbbbb";
    net->b.addr = addr_v4(192, 0, 2, 2, 2222);
}

static inline void net_deinit(struct net *net)
{
    ice_agent_deinit(&net->a.agent);
    ice_agent_deinit(&net->b.agent);
}

static inline struct side *net_other(struct net *net, struct side *s)
{
    return s == &net->a ? &net->b : &net->a;
}

static inline int net_exchange_credentials(struct net *net)
{
    int r = ice_agent_set_remote(&net->a.agent, net->now, net_ufrag(&net->b), net_pwd(&net->b),
                                 net->b.agent.lite);
    if (r)
        return r;
    return ice_agent_set_remote(&net->b.agent, net->now, net_ufrag(&net->a), net_pwd(&net->a),
                                net->a.agent.lite);
}

/** Tell `to` the host candidate of `from`. */
static inline int net_trickle(struct net *net, struct side *from, struct side *to)
{
    struct ice_candidate c = net_host(from->addr, 65535);
    return ice_agent_add_remote(&to->agent, net->now, &c, net_ufrag(from));
}

static inline void side_note(struct net *net, struct side *s, const struct ice_event *e)
{
    switch (e->type) {
    case ICE_EVENT_STATE:
        s->states |= 1U << e->state;
        s->state = e->state;
        if (e->state == ICE_CONNECTED)
            s->connected_at = net->now;
        if (e->state == ICE_COMPLETED)
            s->completed_at = net->now;
        if (e->state == ICE_FAILED)
            s->failed_at = net->now;
        break;
    case ICE_EVENT_VALIDATED:
        s->n_validated++;
        s->mapped = e->mapped;
        break;
    case ICE_EVENT_INVALIDATED:
        s->n_invalidated++;
        break;
    case ICE_EVENT_SELECTED:
        s->n_selected++;
        s->local = e->local;
        s->remote = e->remote;
        break;
    case ICE_EVENT_CONSENT_LOST:
        s->n_lost++;
        s->lost_at = net->now;
        break;
    }
}

/** Put a datagram on the wire. */
static inline void net_send(struct net *net, struct addr from, struct addr to, const uint8_t *data,
                            size_t len)
{
    struct packet p = {.from = from, .to = to, .len = len};

    memcpy(p.data, data, len);
    if ((net->tap && !net->tap(net, &p)) || net->is_cut ||
        rng_below(&net->rng, 100) < net->loss_percent || net->n_packets == NET_MAX_PACKETS)
        return;
    p.at = net->now + net->delay;
    if (net->jitter)
        p.at += (mono_us)rng_below(&net->rng, (uint32_t)net->jitter);
    net->packets[net->n_packets++] = p;
}

static inline void side_drain(struct net *net, struct side *s)
{
    uint8_t buf[ICE_SEND_CAP];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    struct ice_event e;

    while (ice_agent_poll_send(&s->agent, &d)) {
        struct addr from = d.local;
        s->n_sent++;
        if (s->has_nat) {
            from = s->public_addr;
            s->opened[s->n_opened++ % 16] = d.remote;
        }
        net_send(net, from, d.remote, d.data, d.len);
    }
    while (ice_agent_poll_event(&s->agent, &e))
        side_note(net, s, &e);
}

static inline void net_drain(struct net *net)
{
    side_drain(net, &net->a);
    side_drain(net, &net->b);
}

static inline bool nat_lets_in(const struct side *s, const struct addr *from)
{
    if (!s->nat_is_strict)
        return true;
    for (unsigned i = 0; i < s->n_opened && i < 16; i++) {
        if (addr_equal(&s->opened[i], from))
            return true;
    }
    return false;
}

/** @return 0, or what the agent said if that is negative */
static inline int side_receive(struct net *net, struct side *s, struct packet *p)
{
    if (!addr_equal(&p->to, s->has_nat ? &s->public_addr : &s->addr) ||
        (s->has_nat && !nat_lets_in(s, &p->from)))
        return 0;
    struct dgram d = {
        .local = s->addr, .remote = p->from, .data = p->data, .len = p->len, .cap = p->len};
    int r = ice_agent_input(&s->agent, net->now, &d);
    if (r > 0)
        s->n_dropped++;
    side_drain(net, s);
    return r < 0 ? r : 0;
}

static inline int net_deliver_due(struct net *net)
{
    for (unsigned i = 0; i < net->n_packets;) {
        if (net->packets[i].at > net->now) {
            i++;
            continue;
        }
        struct packet p = net->packets[i];
        net->packets[i] = net->packets[--net->n_packets];
        int r = side_receive(net, &net->a, &p);
        if (r == 0)
            r = side_receive(net, &net->b, &p);
        if (r)
            return r;
    }
    return 0;
}

static inline mono_us net_next(const struct net *net)
{
    mono_us at = mono_min(ice_agent_deadline(&net->a.agent), ice_agent_deadline(&net->b.agent));
    for (unsigned i = 0; i < net->n_packets; i++)
        at = mono_min(at, net->packets[i].at);
    return at;
}

/** Let `span` of virtual time pass. @return 0 or a negative errno of an agent */
static inline int net_run(struct net *net, mono_us span)
{
    mono_us end = net->now + span;
    unsigned idle_turns = 0;

    net_drain(net);
    for (mono_us at = net_next(net); at <= end; at = net_next(net)) {
        /* A deadline that does not move although its time was served would spin a server. */
        idle_turns = at <= net->now ? idle_turns + 1 : 0;
        if (idle_turns > 1000)
            return -1000;
        if (at > net->now)
            net->now = at;
        int r = net_deliver_due(net);
        if (r == 0)
            r = ice_agent_timeout(&net->a.agent, net->now);
        if (r == 0)
            r = ice_agent_timeout(&net->b.agent, net->now);
        if (r)
            return r;
        net_drain(net);
    }
    net->now = end;
    return 0;
}

/** Both agents with credentials and host candidates of each other. */
static inline int net_start(struct net *net, bool a_controlling, bool b_controlling)
{
    int r = side_init(net, &net->a, a_controlling, false);
    if (r == 0)
        r = side_init(net, &net->b, b_controlling, false);
    if (r == 0)
        r = net_exchange_credentials(net);
    if (r == 0)
        r = net_trickle(net, &net->a, &net->b);
    if (r == 0)
        r = net_trickle(net, &net->b, &net->a);
    return r;
}

/** A check of a scripted peer. */
struct scripted_check {
    struct addr from, to;
    const char *username, *pwd; /**< pwd NULL = no integrity */
    bool use_candidate, controlled;
    uint64_t tie_breaker;
    uint32_t priority; /**< 0 = leave out */
    uint8_t id;        /**< all bytes of the identifier */
};

/** Hand a check to the agent, without the network. @return what ice_agent_input said */
static inline int scripted_check(struct net *net, struct side *s, const struct scripted_check *c)
{
    uint8_t buf[ICE_SEND_CAP], id[STUN_ID_LEN];
    struct dgram d = {.local = c->to, .remote = c->from, .data = buf, .cap = sizeof(buf)};

    memset(id, c->id, sizeof(id));
    struct stun_writer w =
        stun_write_start(buf, sizeof(buf), STUN_REQUEST, STUN_METHOD_BINDING, id);
    stun_write_username(&w, str_of(c->username));
    if (c->priority)
        stun_write_priority(&w, c->priority);
    stun_write_role(&w, !c->controlled, c->tie_breaker);
    if (c->use_candidate)
        stun_write_use_candidate(&w);
    if (stun_write_end(&w, str_of(c->pwd), &d.len))
        return -1;
    return ice_agent_input(&s->agent, net->now, &d);
}

/** An answer of a scripted peer. */
struct scripted_answer {
    enum stun_class class;
    enum stun_code code;
    const char *pwd; /**< NULL = no integrity */
    bool has_mapped;
    bool is_foreign; /**< to a transaction that never was */
    struct addr from;
};

/** Hand an answer to the agent, without the network. @return what ice_agent_input said */
static inline int scripted_answer(struct net *net, struct side *s, const struct scripted_answer *a,
                                  const uint8_t *request_id)
{
    uint8_t buf[ICE_SEND_CAP], id[STUN_ID_LEN];
    struct dgram d = {.data = buf, .cap = sizeof(buf), .local = s->addr, .remote = a->from};

    memcpy(id, request_id, sizeof(id));
    if (a->is_foreign)
        id[0] ^= 1;
    struct stun_writer w = stun_write_start(buf, sizeof(buf), a->class, STUN_METHOD_BINDING, id);
    if (a->class == STUN_ERROR)
        stun_write_error(&w, a->code);
    if (a->has_mapped)
        stun_write_mapped(&w, &s->addr);
    if (stun_write_end(&w, str_of(a->pwd), &d.len))
        return -1;
    return ice_agent_input(&s->agent, net->now, &d);
}

#endif
