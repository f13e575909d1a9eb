/* The agent's door: life cycle, what signaling tells it, and the two polls. Generations:
 *
 *   credentials of the current generation:  local, remote      pairs belong to these
 *   of the one before a restart:            old_local, old_remote, kept while its path is in use
 *
 * A restart by either side, in either order of the two calls, moves the first line to the second
 * and begins with an empty checklist. */
#include "ice/agent.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "ice/checks.h"
#include "ice/path.h"
#include "stun/message.h"

int ice_agent_init(struct ice_agent *a, const struct ice_config *config, struct rng *rng)
{
    struct ice_credentials *local = NULL;

    memset(a, 0, sizeof(*a));
    int r = ice_credentials_new(config->ufrag, config->pwd, &local);
    if (r)
        return r;
    a->rng = rng;
    a->local = local;
    a->local_is_fresh = true;
    a->lite = config->lite;
    a->is_controlling = config->controlling && !config->lite;
    a->tie_breaker = rng_u64(rng);
    a->transaction_tag = rng_u32(rng);
    a->pairs.is_controlling = a->is_controlling;
    a->fail_at = a->nominate_at = a->sweep_at = MONO_NEVER;
    if (ice_pairs_reserve(&a->pairs)) {
        ice_agent_deinit(a);
        return -ENOMEM;
    }
    return 0;
}

void ice_agent_deinit(struct ice_agent *a)
{
    ice_credentials_free(a->local);
    ice_credentials_free(a->remote);
    ice_credentials_free(a->old_local);
    ice_credentials_free(a->old_remote);
    ice_pairs_deinit(&a->pairs);
    mem_free(a->events);
    memset(a, 0, sizeof(*a));
}

int ice_agent_add_local(struct ice_agent *a, const struct ice_candidate *c)
{
    static const struct addr none;
    const struct addr *base = addr_equal(&c->related, &none) ? &c->addr : &c->related;

    if (!addr_is_unicast(&c->addr) || !addr_is_unicast(base))
        return ICE_E_ADDRESS;
    if ((c->transport == ICE_TCP) != (base->tcp == ADDR_TCP))
        return ICE_E_ADDRESS;
    return ice_pairs_add_local(&a->pairs, &c->addr, base, c->priority);
}

/* ---- generations ----------------------------------------------------------------------- */

static void keep_old_credentials(struct ice_agent *a)
{
    ice_credentials_free(a->old_local);
    ice_credentials_free(a->old_remote);
    a->old_local = a->local;
    a->old_remote = a->remote;
}

static void drop_credentials(struct ice_agent *a)
{
    ice_credentials_free(a->local);
    ice_credentials_free(a->remote);
}

/* Leaves local and remote NULL: the caller sets what it has. */
static int begin_generation(struct ice_agent *a)
{
    bool keeps_path = a->has_path && !a->path_is_old;

    a->path_is_old = a->has_path;
    a->path_is_nominated = false;
    a->is_settled = a->remote_lite = false;
    a->n_role_switches = 0;
    a->fail_at = a->nominate_at = a->sweep_at = MONO_NEVER;
    a->n_answers = 0; /* the peer asks again; which password they need would be unclear now */
    int r = ice_agent_clear_pairs(a);
    if (keeps_path)
        keep_old_credentials(a);
    else
        drop_credentials(a);
    a->local = a->remote = NULL;
    if (r)
        return r;
    return a->state == ICE_NEW ? 0 : ice_agent_set_state(a, ICE_CHECKING);
}

int ice_agent_restart(struct ice_agent *a, mono_us now, struct str ufrag, struct str pwd)
{
    struct ice_credentials *local = NULL;
    int r = ice_credentials_new(ufrag, pwd, &local);

    if (r)
        return r;
    if (a->local_is_fresh) {
        r = begin_generation(a);
    } else {
        ice_credentials_free(a->local);
        a->local = NULL;
    }
    a->local = local; /* now owned by the agent */
    a->local_is_fresh = true;
    return r ? r : ice_agent_run(a, now);
}

/* The peer restarted before our own new credentials are known: the present ones serve meanwhile. */
static int begin_remote_restart(struct ice_agent *a)
{
    struct ice_credentials *inherited = NULL;
    int r = ice_credentials_new(ice_credentials_ufrag(a->local), ice_credentials_pwd(a->local),
                                &inherited);

    if (r)
        return r;
    r = begin_generation(a);
    a->local = inherited; /* now owned by the agent */
    a->local_is_fresh = false;
    return r;
}

static int start_checking(struct ice_agent *a, mono_us now)
{
    ice_pairs_keep_tag(&a->pairs, ice_pairs_tag(ice_credentials_ufrag(a->remote)));
    a->fail_at = now + ICE_PATIENCE;
    int r = ice_agent_set_state(a, ICE_CHECKING);
    if (r || !a->lite)
        return r;
    /* Checks that came before: a lite agent will not be asked twice. */
    for (uint8_t i = 0; i < a->pairs.n_pairs && !r; i++) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        if (pair->heard_at)
            r = ice_agent_on_heard_lite(a, pair->heard_at, pair);
    }
    return r;
}

void ice_agent_set_transaction_tag(struct ice_agent *a, uint32_t tag)
{
    a->transaction_tag = tag;
    /* The first check has begun by then, if a candidate came with the credentials. */
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++)
        put_be32(a->pairs.pairs[i].tx.id, tag);
}

int ice_agent_set_remote(struct ice_agent *a, mono_us now, struct str ufrag, struct str pwd,
                         bool remote_lite)
{
    struct ice_credentials *remote = NULL;

    if (a->lite && remote_lite)
        return ICE_E_UNSUPPORTED;
    int r = ice_credentials_new(ufrag, pwd, &remote);
    if (r)
        return r;
    if (ice_credentials_equal(a->remote, remote)) {
        ice_credentials_free(remote);
        return ice_agent_run(a, now);
    }
    if (a->remote)
        r = begin_remote_restart(a);
    if (r) {
        ice_credentials_free(remote);
        return r;
    }
    a->remote = remote; /* now owned by the agent */
    a->remote_lite = remote_lite;
    if (remote_lite && !a->is_controlling)
        ice_agent_switch_role(a);
    r = start_checking(a, now);
    return r ? r : ice_agent_run(a, now);
}

int ice_agent_add_remote(struct ice_agent *a, mono_us now, const struct ice_candidate *c,
                         struct str ufrag)
{
    if (c->component != 1)
        return ICE_E_UNSUPPORTED;
    if (c->transport == ICE_TCP && !c->addr.tcp) /* who is active will come by itself */
        return c->tcptype == ICE_TCP_ACTIVE ? 0 : ICE_E_UNSUPPORTED;
    if (a->remote && ufrag.len && !str_eq(ufrag, ice_credentials_ufrag(a->remote)))
        return ICE_E_GENERATION;
    if (!ice_pairs_accepts(&a->pairs, &c->addr))
        return ICE_E_ADDRESS;
    if (a->state == ICE_COMPLETED || a->state == ICE_FAILED)
        return 0;

    uint8_t before = a->pairs.n_remotes;
    uint32_t tag = a->remote ? 0 : ice_pairs_tag(ufrag);
    int r = ice_pairs_add_remote(&a->pairs, &c->addr, c->type, c->priority, tag);
    if (r)
        return r;
    /* A late candidate gets its time, too. There are at most ICE_MAX_REMOTE_CANDIDATES. */
    if (a->pairs.n_remotes > before && a->fail_at != MONO_NEVER)
        a->fail_at = now + ICE_PATIENCE;
    return ice_agent_run(a, now);
}

int ice_agent_end_of_candidates(struct ice_agent *a, mono_us now)
{
    return ice_agent_run(a, now);
}

int ice_agent_timeout(struct ice_agent *a, mono_us now)
{
    return ice_agent_run(a, now);
}

/* ---- the polls ------------------------------------------------------------------------- */

static bool write_answer(struct ice_agent *a, const struct ice_answer *answer, struct dgram *ret)
{
    const struct ice_credentials *key = answer->is_old ? a->old_local : a->local;
    struct stun_writer s =
        stun_write_start(ret->data, ret->cap, answer->code ? STUN_ERROR : STUN_SUCCESS,
                         STUN_METHOD_BINDING, answer->id);

    if (answer->code == 0)
        stun_write_mapped(&s, &answer->remote);
    else
        stun_write_error(&s, (enum stun_code)answer->code);
    if (answer->n_unknown)
        stun_write_unknown(&s, answer->unknown, answer->n_unknown);
    ret->local = answer->local;
    ret->remote = answer->remote;
    return key && stun_write_end(&s, ice_credentials_pwd(key), &ret->len) == 0;
}

struct check {
    const struct ice_credentials *local, *remote;
    const uint8_t *id;
    uint32_t priority;
    bool nominates;
};

/* RFC 8445 §7.1 */
static bool write_check(const struct ice_agent *a, const struct check *c, struct dgram *ret)
{
    char username[ICE_UFRAG_MAX + 1 + ICE_UFRAG_MAX];
    struct bytes_writer w = bytes_writer(username, sizeof(username));
    struct str remote = ice_credentials_ufrag(c->remote), local = ice_credentials_ufrag(c->local);

    bytes_put(&w, remote.p, remote.len);
    bytes_put8(&w, ':');
    bytes_put(&w, local.p, local.len);
    struct stun_writer s =
        stun_write_start(ret->data, ret->cap, STUN_REQUEST, STUN_METHOD_BINDING, c->id);
    stun_write_username(&s, (struct str){username, w.len});
    stun_write_priority(&s, c->priority);
    stun_write_role(&s, a->is_controlling, a->tie_breaker);
    if (c->nominates)
        stun_write_use_candidate(&s);
    return stun_write_end(&s, ice_credentials_pwd(c->remote), &ret->len) == 0;
}

/* RFC 8445 §7.1.1: the priority that we would give to the candidate learnt from this check. */
static uint32_t prflx_priority(const struct ice_agent *a, const struct ice_pair *pair)
{
    uint32_t rest = pair ? a->pairs.locals[pair->local].priority & 0x00FFFFFF : 0x00FFFFFF;
    bool is_tcp = pair && ice_pair_local(&a->pairs, pair)->tcp;
    uint32_t type = is_tcp ? ice_candidate_tcp_priority(ICE_PRFLX, ICE_TCP_PASSIVE, 0)
                           : ice_candidate_priority(ICE_PRFLX, 0);
    return (type & 0xFF000000) | rest;
}

static bool poll_answer(struct ice_agent *a, struct dgram *ret)
{
    while (a->n_answers) {
        struct ice_answer answer = a->answers[0];
        memmove(&a->answers[0], &a->answers[1], sizeof(answer) * (--a->n_answers));
        if (write_answer(a, &answer, ret))
            return true;
    }
    return false;
}

static bool poll_check(struct ice_agent *a, struct dgram *ret)
{
    if (!ice_agent_can_check(a))
        return false;
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        if (!pair->must_send)
            continue;
        pair->must_send = false;
        struct check check = {
            .local = a->local,
            .remote = a->remote,
            .id = pair->tx.id,
            .priority = prflx_priority(a, pair),
            .nominates = pair->tx_nominates,
        };
        ret->local = *ice_pair_local(&a->pairs, pair);
        ret->remote = *ice_pair_remote(&a->pairs, pair);
        if (write_check(a, &check, ret))
            return true;
    }
    return false;
}

static bool poll_consent(struct ice_agent *a, struct dgram *ret)
{
    if (!a->consent_send)
        return false;
    a->consent_send = false;
    struct check check = {
        .local = a->path_is_old ? a->old_local : a->local,
        .remote = a->path_is_old ? a->old_remote : a->remote,
        .id = a->consent.ids[0],
        .priority = prflx_priority(a, ice_agent_path_pair(a)),
    };
    ret->local = a->path_local;
    ret->remote = a->path_remote;
    return write_check(a, &check, ret);
}

bool ice_agent_poll_send(struct ice_agent *a, struct dgram *ret)
{
    assert(ret->cap >= ICE_SEND_CAP);
    return poll_answer(a, ret) || poll_check(a, ret) || poll_consent(a, ret);
}

bool ice_agent_poll_event(struct ice_agent *a, struct ice_event *ret)
{
    if (a->events_read < a->n_events) {
        *ret = a->events[a->events_read++];
        return true;
    }
    mem_free(a->events);
    a->events = NULL;
    a->n_events = a->events_read = a->events_cap = 0;
    return false;
}

/* ---- questions ------------------------------------------------------------------------- */

static bool is_path(const struct addr *local, const struct addr *remote,
                    const struct addr *path_local, const struct addr *path_remote)
{
    return addr_equal(remote, path_remote) && addr_equal(local, path_local);
}

bool ice_agent_is_valid(const struct ice_agent *a, const struct addr *local,
                        const struct addr *remote)
{
    if (a->has_path && is_path(local, remote, &a->path_local, &a->path_remote))
        return true;
    if (a->has_last && is_path(local, remote, &a->last_local, &a->last_remote))
        return true;
    const struct ice_pair *pair = ice_pairs_find(&a->pairs, local, remote);
    return pair && pair->is_valid;
}

bool ice_agent_selected(const struct ice_agent *a, struct addr *ret_local, struct addr *ret_remote)
{
    if (!a->has_path)
        return false;
    *ret_local = a->path_local;
    *ret_remote = a->path_remote;
    return true;
}

/* A connection is always made by the other side: ours is the passive end (RFC 6544 §4.5). */
static struct ice_candidate shown(enum ice_type type, struct addr addr, uint32_t priority,
                                  enum ice_tcptype tcptype)
{
    struct ice_candidate c = {.type = type,
                              .transport = addr.tcp ? ICE_TCP : ICE_UDP,
                              .tcptype = addr.tcp ? tcptype : ICE_TCP_NONE,
                              .component = 1,
                              .priority = priority,
                              .foundation = "1",
                              .addr = addr};
    c.addr.tcp = 0;
    return c;
}

bool ice_agent_selected_pair(const struct ice_agent *a, struct ice_candidate *ret_local,
                             struct ice_candidate *ret_remote)
{
    const struct ice_pair *pair = ice_agent_path_pair(a);
    if (!pair)
        return false;
    const struct ice_local *local = &a->pairs.locals[pair->local];
    const struct ice_remote *remote = &a->pairs.remotes[pair->remote];
    *ret_local = shown(ICE_HOST, local->addr, local->priority, ICE_TCP_PASSIVE);
    *ret_remote =
        shown((enum ice_type)remote->type, remote->addr, remote->priority, ICE_TCP_ACTIVE);
    return true;
}

size_t ice_agent_heap(const struct ice_agent *a)
{
    return ice_pairs_heap(&a->pairs) + ice_credentials_size(a->local) +
           ice_credentials_size(a->remote) + ice_credentials_size(a->old_local) +
           ice_credentials_size(a->old_remote) + a->events_cap * sizeof(*a->events);
}
