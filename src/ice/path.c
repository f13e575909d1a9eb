/* Which pair media takes: chosen, followed, lost.
 *
 *   valid ─ provisionally ─► path ─ nomination ─► nominated ─ consent lost ─► a pair that answered
 *                             ▲                                 or closed       lately, or none
 *                             └─ the peer's media moves
 *
 * The first valid pair is selected provisionally: RFC 8445 §12.1 lets either side send on any
 * valid pair, and so the DTLS handshake need not wait for the nomination. After a restart that
 * does not happen, because there is a path in use and only a nomination replaces it. What the agent
 * does not need any more goes with it: worse pairs, old credentials, addresses that are not
 * trusted.
 */
#include "ice/path.h"

#include "ice/checks.h"

struct ice_pair *ice_agent_path_pair(const struct ice_agent *a)
{
    if (!a->has_path || a->path_is_old)
        return NULL;
    return ice_pairs_find(&a->pairs, &a->path_local, &a->path_remote);
}

int ice_path_untrust(struct ice_agent *a, struct addr local, struct addr remote)
{
    if (ice_agent_is_valid(a, &local, &remote))
        return 0;
    return ice_agent_push(
        a, &(struct ice_event){.type = ICE_EVENT_INVALIDATED, .local = local, .remote = remote});
}

static int drop_last_path(struct ice_agent *a)
{
    if (!a->has_last)
        return 0;
    a->has_last = false;
    return ice_path_untrust(a, a->last_local, a->last_remote);
}

static int drop_pair(struct ice_agent *a, struct ice_pair *pair)
{
    struct addr local = *ice_pair_local(&a->pairs, pair);
    struct addr remote = *ice_pair_remote(&a->pairs, pair);
    bool was_valid = pair->is_valid;

    ice_pairs_remove(&a->pairs, pair);
    return was_valid ? ice_path_untrust(a, local, remote) : 0;
}

int ice_agent_clear_pairs(struct ice_agent *a)
{
    while (a->pairs.n_pairs) {
        int r = drop_pair(a, &a->pairs.pairs[a->pairs.n_pairs - 1]);
        if (r)
            return r;
    }
    ice_pairs_clear(&a->pairs);
    return 0;
}

/* ---- choosing -------------------------------------------------------------------------- */

/* What a nomination ends (RFC 8445 §8.1.2): checks of pairs that could not win any more. Those on
 * which the peer was heard stay: browsers keep a spare path warm, and move to it at once. */
static int drop_worse(struct ice_agent *a)
{
    const struct ice_pair *path = ice_agent_path_pair(a);
    uint64_t limit = path ? path->priority : 0;

    for (uint8_t i = 0; i < a->pairs.n_pairs;) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        if (pair->is_valid || pair->heard_at || pair->priority >= limit) {
            i++;
            continue;
        }
        int r = drop_pair(a, pair);
        if (r)
            return r;
    }
    return 0;
}

static int use_path(struct ice_agent *a, mono_us now, const struct ice_pair *pair)
{
    struct addr local = *ice_pair_local(&a->pairs, pair);
    struct addr remote = *ice_pair_remote(&a->pairs, pair);
    struct addr left_local = a->path_local, left_remote = a->path_remote;
    bool has_left = a->has_path && !a->path_is_old;

    if (has_left && addr_equal(&local, &left_local) && addr_equal(&remote, &left_remote))
        return 0;
    if (a->has_path && a->path_is_old) {
        int r = drop_last_path(a);
        if (r)
            return r;
        /* The peer goes on using it until it has learnt of the nomination. */
        a->last_local = a->path_local;
        a->last_remote = a->path_remote;
        a->has_last = true;
    }
    a->path_local = local;
    a->path_remote = remote;
    a->has_path = true;
    a->path_is_old = false;
    a->consent_send = false;
    ice_consent_start(&a->consent, now, pair->answered_at, !a->lite, a->rng);
    int r = ice_agent_push(
        a, &(struct ice_event){.type = ICE_EVENT_SELECTED, .local = local, .remote = remote});
    if (r || !has_left)
        return r;
    return ice_path_untrust(a, left_local,
                            left_remote); /* its pair may be gone: a closed connection */
}

/* Use this pair before anything is nominated. */
static int select_early(struct ice_agent *a, mono_us now, const struct ice_pair *pair)
{
    int r = use_path(a, now, pair);
    if (r)
        return r;
    return a->state == ICE_CHECKING ? ice_agent_set_state(a, ICE_CONNECTED) : 0;
}

static int select_nominated(struct ice_agent *a, mono_us now, const struct ice_pair *pair)
{
    int r = select_early(a, now, pair);
    if (r)
        return r;
    if (!a->path_is_nominated) {
        a->path_is_nominated = true;
        a->sweep_at = now + ICE_SETTLE;
    }
    r = drop_worse(a);
    if (r)
        return r;
    return ice_agent_set_state(a, ICE_COMPLETED);
}

/* A nominated pair that is not the path: does it replace the path? In the first seconds an
 * aggressive peer (RFC 5245 §8.1.1.2) nominates every pair, and the best one counts. Later a
 * nomination means that the peer has moved, and the latest one counts. */
static bool should_move(const struct ice_agent *a, mono_us now, const struct ice_pair *pair)
{
    const struct ice_pair *path = ice_agent_path_pair(a);

    if (!path || !a->path_is_nominated || a->is_controlling || a->is_settled)
        return true;
    return pair->priority > path->priority || now - path->heard_at > ICE_SILENCE;
}

int ice_path_nominated(struct ice_agent *a, mono_us now, struct ice_pair *pair)
{
    pair->is_nominated = true;
    pair->peer_nominates = false;
    return should_move(a, now, pair) ? select_nominated(a, now, pair) : 0;
}

/* Valid, and its last answer is recent enough to be consent (RFC 7675 §5.1). A spare pair that was
 * checked a minute ago is valid too, but a path of it would expire at once. */
static bool is_fresh(mono_us now, const struct ice_pair *pair)
{
    return pair->is_valid && now - pair->answered_at < ICE_CONSENT_EXPIRY;
}

int ice_agent_on_peer_nominates(struct ice_agent *a, mono_us now, struct ice_pair *pair)
{
    if (is_fresh(now, pair))
        return ice_path_nominated(a, now, pair);
    pair->peer_nominates = true; /* counts when our own check has worked (RFC 8445 §7.3.1.5) */
    return 0;
}

/* The pair of an address that only media has shown so far, or whose consent is old: one check says
 * whether the peer is really there. */
static int meet(struct ice_agent *a, mono_us now, const struct addr *local,
                const struct addr *remote)
{
    struct ice_pair *pair;

    int r = ice_pairs_learn(&a->pairs, local, remote, ice_candidate_priority(ICE_PRFLX, UINT16_MAX),
                            0, &pair);
    if (r)
        return r > 0 ? 0 : r; /* unfit, or one too many: the peer's own checks decide */
    pair->is_hearsay |= pair->heard_at == 0;
    pair->heard_at = now;
    if (pair->state == ICE_PAIR_IN_PROGRESS)
        return 0;
    pair->is_triggered = true;
    ice_agent_sweep_later(a, now);
    return ice_agent_run(a, now);
}

/* The controlling side sends media on the pair that it has selected. When that is another one than
 * it nominated, it has moved without knowing (a NAT in front of it gave it a new address), and will
 * not nominate anew; waiting for the old path to lose consent would cost half a minute, and waiting
 * for its next check of the path seconds. */
int ice_agent_heard_media(struct ice_agent *a, mono_us now, const struct addr *local,
                          const struct addr *remote)
{
    if (a->is_controlling || !a->has_path || a->path_is_old || !a->path_is_nominated)
        return 0;
    struct ice_pair *pair = ice_pairs_find(&a->pairs, local, remote);
    if (pair && is_fresh(now, pair))
        return select_nominated(a, now, pair);
    return a->lite ? 0 : meet(a, now, local, remote);
}

void ice_agent_sweep_later(struct ice_agent *a, mono_us now)
{
    if (a->is_settled && a->sweep_at == MONO_NEVER && a->pairs.n_pairs > 1)
        a->sweep_at = now + ICE_UNUSED_EXPIRY / 2;
}

/* Before nomination: the best valid pair is used; the path before a restart stays. */
static bool is_better_early(const struct ice_agent *a, const struct ice_pair *pair)
{
    const struct ice_pair *path = ice_agent_path_pair(a);

    if (!a->has_path)
        return true;
    return path && !a->path_is_nominated && pair->priority > path->priority;
}

int ice_path_propose(struct ice_agent *a, mono_us now, const struct ice_pair *pair)
{
    return is_better_early(a, pair) ? select_early(a, now, pair) : 0;
}

/* ---- losing it ------------------------------------------------------------------------- */

static void drop_old_credentials(struct ice_agent *a)
{
    ice_credentials_free(a->old_local);
    ice_credentials_free(a->old_remote);
    a->old_local = a->old_remote = NULL;
}

int ice_path_give_up(struct ice_agent *a)
{
    int r = drop_last_path(a);
    if (r)
        return r;
    r = ice_agent_clear_pairs(a);
    if (r)
        return r;
    drop_old_credentials(a);
    a->sweep_at = MONO_NEVER;
    a->n_answers = 0;
    return ice_agent_set_state(a, ICE_FAILED);
}

/* The pair to go on with when the path is gone: the one answered last, if consent for it is fresh.
 */
static struct ice_pair *fallback(const struct ice_agent *a, mono_us now)
{
    struct ice_pair *best = NULL;

    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        if (pair->is_valid && now - pair->answered_at < ICE_CONSENT_EXPIRY &&
            (!best || pair->answered_at > best->answered_at))
            best = pair;
    }
    return best;
}

int ice_agent_disconnected(struct ice_agent *a, mono_us now, const struct addr *local,
                           const struct addr *remote)
{
    struct ice_pair *pair = ice_pairs_find(&a->pairs, local, remote);

    if (!pair)
        return 0;
    bool was_path = pair == ice_agent_path_pair(a);
    int r = drop_pair(a, pair);
    if (r)
        return r;
    ice_pairs_compact(&a->pairs); /* who connects again and again is no crowd of candidates */
    struct ice_pair *other = was_path ? fallback(a, now) : NULL;
    if (other)
        r = select_early(a, now, other);
    return r ? r : ice_agent_run(a, now);
}

static int lose_path(struct ice_agent *a, mono_us now)
{
    struct addr local = a->path_local, remote = a->path_remote;
    struct ice_pair *pair = ice_agent_path_pair(a);
    bool was_old = a->path_is_old;

    if (pair) {
        stun_transaction_stop(&pair->tx);
        pair->state = ICE_PAIR_FAILED;
        pair->is_valid = pair->is_nominated = pair->must_send = pair->tx_nominates = false;
    }
    a->has_path = a->path_is_old = a->consent_send = false;
    struct ice_pair *other = fallback(a, now);
    int r = ice_path_untrust(a, local, remote);
    if (r)
        return r;
    if (other) /* it was answered lately: consent for that pair is fresh */
        return select_early(a, now, other);
    r = ice_agent_push(
        a, &(struct ice_event){.type = ICE_EVENT_CONSENT_LOST, .local = local, .remote = remote});
    if (r)
        return r;
    if (was_old) {
        drop_old_credentials(a);
        if (now < a->fail_at)
            return 0;
    }
    return ice_path_give_up(a);
}

/* RFC 7675 sends each question once, five or six in the 30 s: at 10 % loss each way one call in a
 * few hours would lose all of them. So a path that has missed two is given an ordinary check, which
 * is retransmitted and whose answer is consent as good as the one that began the path. */
static void recheck_silent_path(struct ice_agent *a, mono_us now)
{
    struct ice_pair *path = ice_agent_path_pair(a);

    if (path && path->state != ICE_PAIR_IN_PROGRESS &&
        now - a->consent.answered_at >= 2 * ICE_CONSENT_INTERVAL)
        path->is_triggered = true;
}

int ice_path_run_consent(struct ice_agent *a, mono_us now)
{
    if (!a->has_path)
        return 0;
    switch (ice_consent_timeout(&a->consent, now, a->rng)) {
    case ICE_CONSENT_WAIT:
        return 0;
    case ICE_CONSENT_ASK:
        put_be32(a->consent.ids[0], a->transaction_tag);
        a->consent_send = true;
        recheck_silent_path(a, now);
        return 0;
    case ICE_CONSENT_EXPIRED:
        return lose_path(a, now);
    }
    return 0;
}

/* ---- what is not needed ---------------------------------------------------------------- */

/* A pair that the agent can do without once it has settled. */
static bool is_unused(const struct ice_agent *a, mono_us now, const struct ice_pair *pair)
{
    if (pair == ice_agent_path_pair(a))
        return false;
    if (pair->is_valid)
        return now - pair->heard_at > ICE_UNUSED_EXPIRY;
    /* A check that the peer has just triggered may still make it valid. */
    return pair->state == ICE_PAIR_FAILED || now - pair->heard_at > ICE_SETTLE;
}

int ice_path_sweep(struct ice_agent *a, mono_us now)
{
    a->is_settled = true;
    for (uint8_t i = 0; i < a->pairs.n_pairs;) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        if (!is_unused(a, now, pair)) {
            i++;
            continue;
        }
        int r = drop_pair(a, pair);
        if (r)
            return r;
    }
    ice_pairs_compact(&a->pairs);
    if (!a->path_is_old)
        drop_old_credentials(a);
    a->sweep_at = a->pairs.n_pairs > 1 ? now + ICE_UNUSED_EXPIRY / 2 : MONO_NEVER;
    return drop_last_path(a);
}
