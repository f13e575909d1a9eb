/* Checks of pairs, from the first to the answer, and who nominates:
 *
 *   waiting ─ Ta ─► in progress ─ answer ─► valid ─ nomination ─► selected (path.c)
 *      ▲ a check of the peer triggers ours at once
 *
 * Everything that is due is done by ice_agent_run, which looks at all clocks; it is short, because
 * after settling there is one pair. */
#include "ice/checks.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "ice/path.h"

/* From which states each state may be entered, a bit for each. */
#define FROM(state) (1U << (state))
static const unsigned entered_from[] = {
    [ICE_NEW] = 0,
    [ICE_CHECKING] = FROM(ICE_NEW) | FROM(ICE_CONNECTED) | FROM(ICE_COMPLETED) | FROM(ICE_FAILED),
    [ICE_CONNECTED] = FROM(ICE_CHECKING),
    [ICE_COMPLETED] = FROM(ICE_CONNECTED),
    [ICE_FAILED] = FROM(ICE_CHECKING) | FROM(ICE_CONNECTED) | FROM(ICE_COMPLETED),
};

int ice_agent_push(struct ice_agent *a, const struct ice_event *event)
{
    if (a->n_events == a->events_cap) {
        assert(a->n_events < 4096); /* an owner that never drains */
        uint16_t cap = (uint16_t)(a->events_cap ? 2 * a->events_cap : 4);
        struct ice_event *events = mem_realloc(a->events, cap * sizeof(*events));
        if (!events)
            return -ENOMEM;
        a->events = events;
        a->events_cap = cap;
    }
    a->events[a->n_events++] = *event;
    return 0;
}

int ice_agent_set_state(struct ice_agent *a, enum ice_state state)
{
    if (state == a->state)
        return 0;
    assert(entered_from[state] & FROM(a->state));
    a->state = state;
    return ice_agent_push(a, &(struct ice_event){.type = ICE_EVENT_STATE, .state = state});
}

bool ice_agent_can_check(const struct ice_agent *a)
{
    return !a->lite && a->remote && a->state != ICE_FAILED;
}

/* ---- results of checks ----------------------------------------------------------------- */

static int become_valid(struct ice_agent *a, mono_us now, struct ice_pair *pair,
                        const struct addr *mapped)
{
    if (pair->is_valid)
        return 0;
    pair->is_valid = true;
    if (a->nominate_at == MONO_NEVER)
        a->nominate_at = now + ICE_NOMINATION_PATIENCE;
    return ice_agent_push(a, &(struct ice_event){
                                 .type = ICE_EVENT_VALIDATED,
                                 .local = *ice_pair_local(&a->pairs, pair),
                                 .remote = *ice_pair_remote(&a->pairs, pair),
                                 .mapped = *mapped,
                             });
}

int ice_agent_on_answered(struct ice_agent *a, mono_us now, struct ice_pair *pair,
                          const struct addr *mapped)
{
    bool is_nominated = a->is_controlling ? pair->tx_nominates : pair->peer_nominates;

    stun_transaction_stop(&pair->tx);
    pair->state = ICE_PAIR_SUCCEEDED;
    pair->tx_nominates = pair->must_send = pair->is_hearsay = false;
    pair->heard_at = pair->answered_at = now;
    if (pair == ice_agent_path_pair(a))
        ice_consent_renew(&a->consent, now);

    int r = become_valid(a, now, pair, mapped);
    if (r)
        return r;
    if (is_nominated)
        return ice_path_nominated(a, now, pair);
    return ice_path_propose(a, now, pair);
}

int ice_agent_on_heard_lite(struct ice_agent *a, mono_us now, struct ice_pair *pair)
{
    static const struct addr unknown;

    pair->state = ICE_PAIR_SUCCEEDED;
    pair->answered_at = now;
    if (pair == ice_agent_path_pair(a))
        ice_consent_renew(&a->consent, now);
    int r = become_valid(a, now, pair, &unknown);
    if (r)
        return r;
    if (pair->peer_nominates)
        return ice_path_nominated(a, now, pair);
    return ice_path_propose(a, now, pair);
}

int ice_agent_on_check_failed(struct ice_agent *a, struct ice_pair *pair)
{
    struct addr local = *ice_pair_local(&a->pairs, pair);
    struct addr remote = *ice_pair_remote(&a->pairs, pair);
    bool was_valid = pair->is_valid;

    stun_transaction_stop(&pair->tx);
    pair->state = ICE_PAIR_FAILED;
    pair->tx_nominates = pair->must_send = pair->peer_nominates = false;
    if (!was_valid || pair == ice_agent_path_pair(a)) /* of the path, consent is the judge */
        return 0;
    pair->is_valid = pair->is_nominated = false;
    return ice_path_untrust(a, local, remote);
}

/* A repeat is the same request to the byte (RFC 8489 §6.2.1), so the role, the tie-breaker and the
 * nomination of a check that runs cannot be changed. It is taken back, and waits to be made anew.
 */
static void take_back_check(struct ice_pair *pair)
{
    stun_transaction_stop(&pair->tx);
    pair->state = ICE_PAIR_WAITING;
    pair->must_send = pair->tx_nominates = false;
}

void ice_agent_switch_role(struct ice_agent *a)
{
    a->is_controlling = !a->is_controlling;
    ice_pairs_set_role(&a->pairs, a->is_controlling);
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        pair->peer_nominates = false;
        if (pair->state == ICE_PAIR_IN_PROGRESS)
            take_back_check(pair);
    }
}

bool ice_agent_yield_role(struct ice_agent *a)
{
    if (a->lite || a->remote_lite || a->n_role_switches == ICE_MAX_ROLE_SWITCHES)
        return false;
    a->n_role_switches++;
    ice_agent_switch_role(a);
    return true;
}

int ice_agent_on_role_conflict(struct ice_agent *a, struct ice_pair *pair)
{
    if (!ice_agent_yield_role(a))
        return ice_agent_on_check_failed(a, pair);
    a->tie_breaker = rng_u64(a->rng);
    pair->is_triggered = true;
    return 0;
}

/* ---- what is due ----------------------------------------------------------------------- */

static void start_check(struct ice_agent *a, mono_us now, struct ice_pair *pair, bool nominates)
{
    unsigned n = 0;

    /* RFC 8445 §14.3: RTO = MAX(500 ms, Ta * (pairs waiting and in progress)) */
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++)
        n += a->pairs.pairs[i].state <= ICE_PAIR_IN_PROGRESS;
    pair->state = ICE_PAIR_IN_PROGRESS;
    pair->is_triggered = false;
    pair->must_send = true;
    pair->tx_nominates = nominates;
    if (ice_pair_local(&a->pairs, pair)->tcp)
        stun_transaction_start_reliable(&pair->tx, now, a->rng);
    else
        stun_transaction_start(&pair->tx, now, (mono_us)n * ICE_TA, a->rng);
    put_be32(pair->tx.id, a->transaction_tag);
    a->next_check_at = now + ICE_TA;
}

/* RFC 8445 §7.3.1.4. A check that runs already is sent once more: the peer's own has just opened
 * the way, and an answer to the earlier sending still counts. */
static void run_triggered(struct ice_agent *a, mono_us now)
{
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        if (!pair->is_triggered)
            continue;
        if (pair->state == ICE_PAIR_IN_PROGRESS) {
            pair->is_triggered = false;
            pair->must_send |= !ice_pair_local(&a->pairs, pair)->tcp; /* a connection loses none */
        } else {
            start_check(a, now, pair, false);
        }
    }
}

static int run_transactions(struct ice_agent *a, mono_us now)
{
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        enum stun_transaction_step step = stun_transaction_timeout(&pair->tx, now);
        if (step == STUN_TRANSACTION_SEND)
            pair->must_send |= !pair->is_hearsay || pair->tx.n_sent <= ICE_HEARSAY_SENDS;
        if (step != STUN_TRANSACTION_FAILED)
            continue;
        int r = ice_agent_on_check_failed(a, pair);
        if (r)
            return r;
    }
    return 0;
}

static void run_ordinary(struct ice_agent *a, mono_us now)
{
    if (now < a->next_check_at)
        return;
    struct ice_pair *pair = ice_pairs_next_waiting(&a->pairs);
    if (pair)
        start_check(a, now, pair, false);
}

static bool is_nominating(const struct ice_agent *a)
{
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        if (a->pairs.pairs[i].tx_nominates)
            return true;
    }
    return false;
}

static bool may_get_better(const struct ice_agent *a, const struct ice_pair *than)
{
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        const struct ice_pair *pair = &a->pairs.pairs[i];
        if (pair->state <= ICE_PAIR_IN_PROGRESS && pair->priority > than->priority)
            return true;
    }
    return false;
}

/* The pair to move to when the path in use has missed two consent checks: the one that answered
 * last, if that is later than the path's own last answer. */
static struct ice_pair *replacement(const struct ice_agent *a, mono_us now)
{
    struct ice_pair *best = NULL;

    if (now - a->consent.answered_at < 2 * ICE_CONSENT_INTERVAL)
        return NULL;
    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        struct ice_pair *pair = &a->pairs.pairs[i];
        if (pair->is_valid && pair->answered_at > a->consent.answered_at &&
            (!best || pair->answered_at > best->answered_at))
            best = pair;
    }
    return best;
}

/* The pair to nominate now, as controlling (RFC 8445 §8.1.1); NULL = none. */
static struct ice_pair *to_nominate(const struct ice_agent *a, mono_us now)
{
    if (!a->is_controlling || is_nominating(a))
        return NULL;
    if (a->path_is_nominated)
        return replacement(a, now);
    struct ice_pair *best = ice_pairs_best_valid(&a->pairs);
    if (best && now < a->nominate_at && may_get_better(a, best))
        return NULL;
    return best;
}

/* No path, and the time for finding one is over (RFC 8863 §4). */
static bool has_failed(const struct ice_agent *a, mono_us now)
{
    return a->state == ICE_CHECKING && !a->has_path && now >= a->fail_at;
}

int ice_agent_run(struct ice_agent *a, mono_us now)
{
    int r = ice_path_run_consent(a, now);
    if (r)
        return r;
    if (has_failed(a, now))
        return ice_path_give_up(a);
    if (now >= a->sweep_at) {
        r = ice_path_sweep(a, now);
        if (r)
            return r;
    }
    if (!ice_agent_can_check(a))
        return 0;
    r = run_transactions(a, now);
    if (r)
        return r;
    run_triggered(a, now);
    run_ordinary(a, now);
    struct ice_pair *pair = to_nominate(a, now);
    if (pair)
        start_check(a, now, pair, true);
    return 0;
}

static mono_us pairs_deadline(const struct ice_agent *a)
{
    mono_us at = MONO_NEVER;

    for (uint8_t i = 0; i < a->pairs.n_pairs; i++) {
        const struct ice_pair *pair = &a->pairs.pairs[i];
        if (pair->state == ICE_PAIR_WAITING)
            at = mono_min(at, a->next_check_at);
        at = mono_min(at, pair->tx.at);
    }
    return at;
}

/* When a nomination, or a move away from a silent path, may become due by time alone. */
static mono_us nomination_deadline(const struct ice_agent *a)
{
    if (!a->is_controlling || is_nominating(a) || a->nominate_at == MONO_NEVER)
        return MONO_NEVER;
    if (!a->path_is_nominated) /* the pair that began the patience may be gone again */
        return ice_pairs_best_valid(&a->pairs) ? a->nominate_at : MONO_NEVER;
    if (!a->has_path || !replacement(a, MONO_NEVER))
        return MONO_NEVER;
    return a->consent.answered_at + 2 * ICE_CONSENT_INTERVAL;
}

mono_us ice_agent_deadline(const struct ice_agent *a)
{
    mono_us at = a->sweep_at;

    if (a->state == ICE_FAILED)
        return MONO_NEVER;
    if (a->has_path)
        at = mono_min(at, ice_consent_deadline(&a->consent));
    if (a->state == ICE_CHECKING && !a->has_path)
        at = mono_min(at, a->fail_at);
    if (!ice_agent_can_check(a))
        return at;
    return mono_min(at, mono_min(pairs_deadline(a), nomination_deadline(a)));
}
