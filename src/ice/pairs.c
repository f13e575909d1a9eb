/* The checklist. Three small arrays that grow on demand and refer to each other by index:
 *
 *   locals[]  ◄─ local ─ pairs[] ─ remote ─►  remotes[]
 *
 * There is no Frozen state: it spreads checks over components and streams (RFC 8445 §6.1.2.6),
 * and we have one of each. Order is found by scanning; with at most 100 pairs, and a few in real
 * life, that is less work than keeping a heap in order under changing roles. */
#include "ice/pairs.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

#define MAX_REMOTES (ICE_MAX_REMOTE_CANDIDATES + ICE_MAX_PRFLX)

void ice_pairs_clear(struct ice_pairs *p)
{
    mem_free(p->remotes);
    mem_free(p->pairs);
    p->remotes = NULL;
    p->pairs = NULL;
    p->n_remotes = p->n_prflx = p->n_pairs = 0;
    p->remotes_cap = p->pairs_cap = 0;
}

void ice_pairs_deinit(struct ice_pairs *p)
{
    ice_pairs_clear(p);
    mem_free(p->locals);
    p->locals = NULL;
    p->n_locals = 0;
}

int ice_pairs_reserve(struct ice_pairs *p)
{
    p->remotes = mem_alloc(ICE_USUAL_REMOTES * sizeof(*p->remotes));
    p->pairs = mem_alloc(ICE_USUAL_PAIRS * sizeof(*p->pairs));
    p->remotes_cap = p->remotes ? ICE_USUAL_REMOTES : 0;
    p->pairs_cap = p->pairs ? ICE_USUAL_PAIRS : 0;
    return p->remotes && p->pairs ? 0 : -ENOMEM;
}

uint32_t ice_pairs_tag(struct str ufrag)
{
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */

    if (ufrag.len == 0)
        return 0;
    for (size_t i = 0; i < ufrag.len; i++)
        hash = (hash ^ (uint8_t)ufrag.p[i]) * UINT32_C(16777619);
    return hash ? hash : 1;
}

/* Room for one more element. NULL: out of memory, the array is unchanged. */
static void *grown(void *array, uint8_t n, uint8_t max, size_t size, uint8_t *cap)
{
    if (n < *cap)
        return array;
    unsigned bigger = n ? 2U * n : 1;
    if (bigger > max)
        bigger = max;
    void *moved = mem_realloc(array, bigger * size);
    if (moved)
        *cap = (uint8_t)bigger;
    return moved;
}

/* Give back what is not used. A failure to shrink is no failure. */
static void *shrunk(void *array, uint8_t n, size_t size, uint8_t *cap)
{
    if (n == *cap)
        return array;
    if (n == 0) {
        mem_free(array);
        *cap = 0;
        return NULL;
    }
    void *moved = mem_realloc(array, n * size);
    if (!moved)
        return array;
    *cap = n;
    return moved;
}

const struct addr *ice_pair_local(const struct ice_pairs *p, const struct ice_pair *pair)
{
    return &p->locals[pair->local].base;
}

const struct addr *ice_pair_remote(const struct ice_pairs *p, const struct ice_pair *pair)
{
    return &p->remotes[pair->remote].addr;
}

static uint64_t priority_of(const struct ice_pairs *p, uint8_t local, uint8_t remote)
{
    uint32_t ours = p->locals[local].priority, theirs = p->remotes[remote].priority;
    return p->is_controlling ? ice_pair_priority(ours, theirs) : ice_pair_priority(theirs, ours);
}

static void update_priorities(struct ice_pairs *p)
{
    for (uint8_t i = 0; i < p->n_pairs; i++)
        p->pairs[i].priority = priority_of(p, p->pairs[i].local, p->pairs[i].remote);
}

void ice_pairs_set_role(struct ice_pairs *p, bool is_controlling)
{
    p->is_controlling = is_controlling;
    update_priorities(p);
}

/* Index of the first local candidate with this base, -1 = none: the one that pairs refer to. */
static int find_base(const struct ice_pairs *p, const struct addr *base)
{
    for (int i = 0; i < p->n_locals; i++) {
        if (addr_equal(&p->locals[i].base, base))
            return i;
    }
    return -1;
}

bool ice_pairs_has_base(const struct ice_pairs *p, const struct addr *base)
{
    return find_base(p, base) >= 0;
}

static int find_remote(const struct ice_pairs *p, const struct addr *addr)
{
    for (int i = 0; i < p->n_remotes; i++) {
        if (addr_equal(&p->remotes[i].addr, addr))
            return i;
    }
    return -1;
}

bool ice_pairs_accepts(const struct ice_pairs *p, const struct addr *remote)
{
    if (!addr_is_unicast(remote))
        return false;
    if (!addr_is_loopback(remote))
        return true;
    for (uint8_t i = 0; i < p->n_locals; i++) {
        if (addr_is_loopback(&p->locals[i].base))
            return true;
    }
    return false;
}

/* RFC 8445 §6.1.2.2 and RFC 6544 §6.2: same family, same transport. */
static bool is_same_kind(const struct addr *base, const struct addr *remote)
{
    return addr_is_v4(base) == addr_is_v4(remote) && !base->tcp == !remote->tcp;
}

/* RFC 8445 §6.1.2.2: link-local only with link-local. A loopback destination is for a loopback
 * base only; the other way round works on one machine, and is common there. */
static bool can_pair(const struct addr *base, const struct addr *remote)
{
    if (!is_same_kind(base, remote))
        return false;
    if (addr_is_link_local(base) != addr_is_link_local(remote))
        return false;
    return !addr_is_loopback(remote) || addr_is_loopback(base);
}

struct ice_pair *ice_pairs_find(const struct ice_pairs *p, const struct addr *base,
                                const struct addr *remote)
{
    for (uint8_t i = 0; i < p->n_pairs; i++) {
        struct ice_pair *pair = &p->pairs[i];
        if (addr_equal(ice_pair_remote(p, pair), remote) &&
            addr_equal(ice_pair_local(p, pair), base))
            return pair;
    }
    return NULL;
}

struct ice_pair *ice_pairs_find_transaction(const struct ice_pairs *p, const uint8_t *id)
{
    for (uint8_t i = 0; i < p->n_pairs; i++) {
        if (stun_transaction_matches(&p->pairs[i].tx, id))
            return &p->pairs[i];
    }
    return NULL;
}

struct ice_pair *ice_pairs_next_waiting(const struct ice_pairs *p)
{
    struct ice_pair *best = NULL;
    for (uint8_t i = 0; i < p->n_pairs; i++) {
        struct ice_pair *pair = &p->pairs[i];
        if (pair->state == ICE_PAIR_WAITING && (!best || pair->priority > best->priority))
            best = pair;
    }
    return best;
}

struct ice_pair *ice_pairs_best_valid(const struct ice_pairs *p)
{
    struct ice_pair *best = NULL;
    for (uint8_t i = 0; i < p->n_pairs; i++) {
        struct ice_pair *pair = &p->pairs[i];
        if (pair->is_valid && (!best || pair->priority > best->priority))
            best = pair;
    }
    return best;
}

void ice_pairs_remove(struct ice_pairs *p, struct ice_pair *pair)
{
    *pair = p->pairs[--p->n_pairs];
}

/* The pair that a better one may replace when the list is full (RFC 8445 §6.1.2.5). */
static struct ice_pair *worst_unproven(const struct ice_pairs *p)
{
    struct ice_pair *worst = NULL;
    for (uint8_t i = 0; i < p->n_pairs; i++) {
        struct ice_pair *pair = &p->pairs[i];
        if (!pair->is_valid && (!worst || pair->priority < worst->priority))
            worst = pair;
    }
    return worst;
}

/* @param must a check has come on this pair: any pair that is not valid gives way
 * @return 0, ICE_E_LIMIT: full of better ones, -ENOMEM */
static int add_pair(struct ice_pairs *p, uint8_t local, uint8_t remote, bool must)
{
    uint64_t priority = priority_of(p, local, remote);

    if (p->n_pairs == ICE_MAX_PAIRS) {
        struct ice_pair *worst = worst_unproven(p);
        if (!worst || (!must && worst->priority >= priority))
            return ICE_E_LIMIT;
        ice_pairs_remove(p, worst);
    }
    struct ice_pair *pairs =
        grown(p->pairs, p->n_pairs, ICE_MAX_PAIRS, sizeof(*p->pairs), &p->pairs_cap);
    if (!pairs)
        return -ENOMEM;
    p->pairs = pairs;
    struct ice_pair *pair = &p->pairs[p->n_pairs++];
    *pair = (struct ice_pair){
        .priority = priority, .local = local, .remote = remote, .state = ICE_PAIR_WAITING};
    stun_transaction_stop(&pair->tx);
    return 0;
}

/* RFC 8445 §6.1.2.5 wants the list cut at the limit: one pair too many is no error here. */
static int add_pair_if_room(struct ice_pairs *p, uint8_t local, uint8_t remote)
{
    if (!can_pair(&p->locals[local].base, &p->remotes[remote].addr))
        return 0;
    int r = add_pair(p, local, remote, false);
    return r == ICE_E_LIMIT ? 0 : r;
}

int ice_pairs_add_local(struct ice_pairs *p, const struct addr *addr, const struct addr *base,
                        uint32_t priority)
{
    for (uint8_t i = 0; i < p->n_locals; i++) {
        if (addr_equal(&p->locals[i].addr, addr) && addr_equal(&p->locals[i].base, base))
            return 0;
    }
    if (p->n_locals == ICE_MAX_LOCAL)
        return ICE_E_LIMIT;
    struct ice_local *locals = mem_realloc(p->locals, (p->n_locals + 1U) * sizeof(*locals));
    if (!locals)
        return -ENOMEM;
    p->locals = locals;

    int known = find_base(p, base);
    uint8_t at = p->n_locals++;
    p->locals[at] = (struct ice_local){.addr = *addr, .base = *base, .priority = priority};
    if (known >= 0) {
        /* RFC 8445 §6.1.2.4: of redundant pairs the one with the higher priority stays. */
        if (priority > p->locals[known].priority)
            p->locals[known].priority = priority;
        update_priorities(p);
        return 0;
    }
    for (uint8_t i = 0; i < p->n_remotes; i++) {
        int r = add_pair_if_room(p, at, i);
        if (r)
            return r;
    }
    return 0;
}

static int append_remote(struct ice_pairs *p, const struct ice_remote *remote)
{
    struct ice_remote *remotes =
        grown(p->remotes, p->n_remotes, MAX_REMOTES, sizeof(*remotes), &p->remotes_cap);
    if (!remotes)
        return -ENOMEM;
    p->remotes = remotes;
    p->remotes[p->n_remotes++] = *remote;
    p->n_prflx = (uint8_t)(p->n_prflx + (remote->type == ICE_PRFLX));
    return 0;
}

int ice_pairs_add_remote(struct ice_pairs *p, const struct addr *addr, enum ice_type type,
                         uint32_t priority, uint32_t tag)
{
    if (!ice_pairs_accepts(p, addr))
        return ICE_E_ADDRESS;

    /* ICE_PRFLX means "learnt, not signaled" below, and has a limit of its own. */
    if (type == ICE_PRFLX)
        type = ICE_SRFLX;
    int known = find_remote(p, addr);
    if (known >= 0 && p->remotes[known].type != ICE_PRFLX)
        return 0;
    if (p->n_remotes - p->n_prflx >= ICE_MAX_REMOTE_CANDIDATES)
        return ICE_E_LIMIT;
    if (known >= 0) {
        p->remotes[known].type = (uint8_t)type;
        p->remotes[known].priority = priority;
        p->n_prflx--;
        update_priorities(p);
        return 0;
    }

    int r = append_remote(
        p, &(struct ice_remote){
               .addr = *addr, .type = (uint8_t)type, .priority = priority, .tag = tag});
    if (r)
        return r;
    for (uint8_t i = 0; i < p->n_locals; i++) {
        if (find_base(p, &p->locals[i].base) != i)
            continue;
        r = add_pair_if_room(p, i, (uint8_t)(p->n_remotes - 1));
        if (r)
            return r;
    }
    return 0;
}

int ice_pairs_learn(struct ice_pairs *p, const struct addr *base, const struct addr *remote,
                    uint32_t priority, uint32_t tag, struct ice_pair **ret)
{
    int local = find_base(p, base);
    if (local < 0 || !ice_pairs_accepts(p, remote) || !is_same_kind(base, remote))
        return ICE_E_ADDRESS;

    struct ice_pair *pair = ice_pairs_find(p, base, remote);
    if (pair) {
        *ret = pair;
        return 0;
    }
    int at = find_remote(p, remote);
    if (at < 0) {
        if (p->n_prflx >= ICE_MAX_PRFLX)
            return ICE_E_LIMIT;
        int r = append_remote(p, &(struct ice_remote){
                                     .addr = *remote,
                                     .type = ICE_PRFLX,
                                     .priority = priority,
                                     .tag = tag,
                                 });
        if (r)
            return r;
        at = p->n_remotes - 1;
    }
    int r = add_pair(p, (uint8_t)local, (uint8_t)at, true);
    if (r)
        return r;
    *ret = &p->pairs[p->n_pairs - 1];
    return 0;
}

/* Take remote candidates out, with their pairs, and renumber the rest. */
static void keep_remotes(struct ice_pairs *p,
                         bool (*keep)(const struct ice_pairs *, uint8_t at, uint32_t tag),
                         uint32_t tag)
{
    uint8_t moved_to[MAX_REMOTES] = {0};
    bool is_kept[MAX_REMOTES] = {false};
    uint8_t n = 0;

    for (uint8_t i = 0; i < p->n_remotes; i++)
        is_kept[i] = keep(p, i, tag);
    for (uint8_t i = 0; i < p->n_pairs;) {
        if (is_kept[p->pairs[i].remote])
            i++;
        else
            ice_pairs_remove(p, &p->pairs[i]);
    }
    p->n_prflx = 0;
    for (uint8_t i = 0; i < p->n_remotes; i++) {
        if (!is_kept[i])
            continue;
        p->n_prflx = (uint8_t)(p->n_prflx + (p->remotes[i].type == ICE_PRFLX));
        p->remotes[n] = p->remotes[i];
        moved_to[i] = n++;
    }
    p->n_remotes = n;
    for (uint8_t i = 0; i < p->n_pairs; i++)
        p->pairs[i].remote = moved_to[p->pairs[i].remote];
}

static bool has_tag(const struct ice_pairs *p, uint8_t at, uint32_t tag)
{
    return p->remotes[at].tag == 0 || p->remotes[at].tag == tag;
}

void ice_pairs_keep_tag(struct ice_pairs *p, uint32_t tag)
{
    keep_remotes(p, has_tag, tag);
}

static bool has_pair(const struct ice_pairs *p, uint8_t at, uint32_t tag)
{
    (void)tag;
    for (uint8_t i = 0; i < p->n_pairs; i++) {
        if (p->pairs[i].remote == at)
            return true;
    }
    return false;
}

void ice_pairs_compact(struct ice_pairs *p)
{
    keep_remotes(p, has_pair, 0);
    p->remotes = shrunk(p->remotes, p->n_remotes, sizeof(*p->remotes), &p->remotes_cap);
    p->pairs = shrunk(p->pairs, p->n_pairs, sizeof(*p->pairs), &p->pairs_cap);
}

size_t ice_pairs_heap(const struct ice_pairs *p)
{
    return p->n_locals * sizeof(*p->locals) + p->remotes_cap * sizeof(*p->remotes) +
           p->pairs_cap * sizeof(*p->pairs);
}
