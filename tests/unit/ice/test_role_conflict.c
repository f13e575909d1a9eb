/*
 * Both sides claim the same role (RFC 8445 §7.2.5.1, §7.3.1.1): who gives way, and that a check
 * which claims the role given up is not heard of again. First with a scripted peer, step by step,
 * then between two agents over a network.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/ice/net.h"

static struct net net;

/* ---- what is on the wire --------------------------------------------------------------- */

#define MAX_REQUESTS 512

struct request {
    mono_us at;
    struct addr from, to;
    uint8_t id[STUN_ID_LEN];
    bool is_controlling, is_nomination;
    uint64_t tie_breaker;
    size_t len;
    uint8_t bytes[ICE_SEND_CAP];
};

static struct request requests[MAX_REQUESTS];
static unsigned n_requests, n_conflicts; /* requests, and answers with 487 */

static bool note(struct net *n, struct packet *p)
{
    struct stun_message m;

    assert_int_equal(stun_parse(p->data, p->len, &m), 0);
    n_conflicts += m.class == STUN_ERROR && m.error_code == STUN_CODE_ROLE_CONFLICT;
    if (m.class != STUN_REQUEST)
        return true;
    assert_true(n_requests < MAX_REQUESTS && m.is_controlling != m.is_controlled);
    struct request *r = &requests[n_requests++];
    *r = (struct request){.at = n->now,
                          .from = p->from,
                          .to = p->to,
                          .is_controlling = m.is_controlling,
                          .is_nomination = m.use_candidate,
                          .tie_breaker = m.tie_breaker,
                          .len = p->len};
    memcpy(r->id, m.id, sizeof(r->id));
    memcpy(r->bytes, p->data, p->len);
    return true;
}

static bool note_and_lose(struct net *n, struct packet *p)
{
    (void)note(n, p);
    return false;
}

static bool is_same_transaction(const struct request *a, const struct request *b)
{
    return memcmp(a->id, b->id, sizeof(a->id)) == 0;
}

/* RFC 8489 §6.2.1: what has the identifier of an earlier request is that request again. */
static void assert_repeats_are_identical(void)
{
    for (unsigned i = 0; i < n_requests; i++) {
        for (unsigned k = i + 1; k < n_requests; k++) {
            if (!is_same_transaction(&requests[i], &requests[k]))
                continue;
            assert_int_equal(requests[i].len, requests[k].len);
            assert_memory_equal(requests[i].bytes, requests[k].bytes, requests[i].len);
        }
    }
}

static unsigned count_transaction(const struct request *of)
{
    unsigned n = 0;
    for (unsigned i = 0; i < n_requests; i++)
        n += is_same_transaction(&requests[i], of);
    return n;
}

/* ---- a scripted peer at the address of a ----------------------------------------------- */

static const struct request *last_request(void)
{
    assert_true(n_requests > 0);
    return &requests[n_requests - 1];
}

static const struct request *last_request_to(const struct addr *to)
{
    unsigned i = n_requests;
    do
        assert_true(i > 0);
    while (!addr_equal(&requests[--i].to, to));
    return &requests[i];
}

/* The agent b, and candidates of a peer of which nothing is heard. One check of b is on its way. */
static void begin(bool is_controlling, unsigned n_candidates)
{
    net_init(&net, 3);
    n_requests = n_conflicts = 0;
    net.tap = note_and_lose;
    assert_int_equal(side_init(&net, &net.b, is_controlling, false), 0);
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false), 0);
    for (unsigned i = 0; i < n_candidates; i++) {
        struct ice_candidate c = net_host(net.a.addr, (uint16_t)(65535 - i));
        c.addr.port = (uint16_t)(c.addr.port + i);
        assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), 0);
    }
    side_drain(&net, &net.b);
    assert_int_equal(n_requests, 1);
    assert_int_equal(last_request()->is_controlling, is_controlling);
}

/* Time passes for b alone. */
static void wait(mono_us span)
{
    mono_us end = net.now + span;
    for (mono_us at; (at = ice_agent_deadline(&net.b.agent)) <= end;) {
        net.now = at > net.now ? at : net.now;
        assert_int_equal(ice_agent_timeout(&net.b.agent, net.now), 0);
        side_drain(&net, &net.b);
    }
    net.now = end;
}

static int claim(bool controlling, uint64_t tie_breaker)
{
    const struct scripted_check check = {.from = net.a.addr,
                                         .to = net.b.addr,
                                         .username = "bbbb:aaaa",
                                         .pwd = net.b.pwd,
                                         .controlled = !controlling,
                                         .tie_breaker = tie_breaker,
                                         .priority = 1,
                                         .id = 7};
    int r = scripted_check(&net, &net.b, &check);
    side_drain(&net, &net.b);
    return r;
}

static int answer(const struct request *to, enum stun_class class)
{
    const struct scripted_answer a = {.class = class,
                                      .code = STUN_CODE_ROLE_CONFLICT,
                                      .pwd = net.a.pwd,
                                      .has_mapped = class == STUN_SUCCESS,
                                      .from = to->to};
    int r = scripted_answer(&net, &net.b, &a, to->id);
    side_drain(&net, &net.b);
    return r;
}

static void assert_role(bool is_controlling)
{
    const struct ice_pairs *p = &net.b.agent.pairs;

    assert_int_equal(net.b.agent.is_controlling, is_controlling);
    for (unsigned i = 0; i < p->n_pairs; i++) {
        uint32_t ours = p->locals[p->pairs[i].local].priority;
        uint32_t theirs = p->remotes[p->pairs[i].remote].priority;
        assert_true(p->pairs[i].priority == (is_controlling ? ice_pair_priority(ours, theirs)
                                                            : ice_pair_priority(theirs, ours)));
    }
}

/* The peer claims our role. The larger tie-breaker is controlling, whoever claims what; of equal
 * ones that of who is asked counts as the larger. */
static void the_larger_tie_breaker_controls(void **state)
{
    static const int difference[] = {-1, 0, 1};
    (void)state;
    for (int role = 0; role < 2; role++) {
        for (size_t i = 0; i < ARRAY_LEN(difference); i++) {
            bool was = role, is = difference[i] <= 0;
            begin(was, 1);
            const struct request first = *last_request();
            uint64_t ours = net.b.agent.tie_breaker;
            assert_true(ours == first.tie_breaker);
            assert_int_equal(claim(was, ours + (uint64_t)difference[i]), 0);
            assert_role(is);
            assert_true(net.b.agent.tie_breaker == ours);
            assert_int_equal(n_conflicts, was == is); /* who stays says so */
            assert_int_equal(n_requests, was == is ? 1 : 2);
            wait(20 * US_PER_S);
            /* Six repeats in that time, of one transaction or the other, and of no third one. */
            assert_int_equal(count_transaction(&first), was == is ? 6 : 1);
            for (unsigned k = 1; k < n_requests; k++)
                assert_int_equal(requests[k].is_controlling, is);
            assert_int_equal(count_transaction(last_request()), 6);
            assert_repeats_are_identical();
            net_deinit(&net);
        }
    }
}

/* The peer's check and its 487 to ours cross: the second one is about a role we do not claim. */
static void a_conflict_that_is_settled_is_not_settled_again(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        begin(role, 1);
        const struct request first = *last_request();
        uint64_t theirs = role ? UINT64_MAX : 0;
        assert_int_equal(claim(role, theirs), 0);
        assert_role(!role);
        assert_int_equal(n_requests, 2);
        assert_int_equal(answer(&first, STUN_ERROR), ICE_E_NOT_OURS);
        assert_role(!role);
        assert_int_equal(n_requests, 2);
        assert_int_equal(answer(last_request(), STUN_SUCCESS), 0);
        assert_int_equal(net.b.agent.pairs.pairs[0].state,
                         role ? ICE_PAIR_SUCCEEDED : ICE_PAIR_IN_PROGRESS); /* or nominating */
        assert_true(net.b.agent.pairs.pairs[0].is_valid);
        net_deinit(&net);
    }
}

static void a_487_is_followed_by_a_new_check_in_the_other_role(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        begin(role, 1);
        const struct request first = *last_request();
        net.now += 30 * US_PER_MS;
        assert_int_equal(answer(&first, STUN_ERROR), 0);
        assert_role(!role);
        assert_int_equal(n_requests, 2); /* at once, before Ta has passed */
        const struct request second = *last_request();
        assert_false(is_same_transaction(&first, &second));
        assert_int_equal(second.is_controlling, !role);
        assert_true(second.tie_breaker != first.tie_breaker);
        assert_false(second.is_nomination);
        /* A copy of it is about nothing that we ask. */
        assert_int_equal(answer(&first, STUN_ERROR), ICE_E_NOT_OURS);
        assert_role(!role);
        wait(20 * US_PER_S);
        assert_int_equal(count_transaction(&first), 1);
        assert_int_equal(count_transaction(&second), 6);
        assert_int_equal(n_requests, 7);
        assert_repeats_are_identical();
        net_deinit(&net);
    }
}

/* With the role goes the nomination that only it may ask for. */
static void a_nomination_that_meets_a_487_is_none(void **state)
{
    (void)state;
    begin(true, 1);
    assert_int_equal(answer(last_request(), STUN_SUCCESS), 0);
    assert_int_equal(n_requests, 2);
    assert_true(last_request()->is_nomination);
    assert_int_equal(answer(last_request(), STUN_ERROR), 0);
    assert_role(false);
    assert_int_equal(n_requests, 3);
    assert_false(last_request()->is_nomination);
    assert_int_equal(answer(last_request(), STUN_SUCCESS), 0);
    assert_int_equal(net.b.state, ICE_CONNECTED); /* the peer nominates now */
    wait(3 * US_PER_S);
    assert_int_equal(n_requests, 3);
    net_deinit(&net);
}

/* The checks of other pairs claim the old role, too. They are made anew in their turn. */
static void checks_of_other_pairs_change_sides_as_well(void **state)
{
    static const unsigned n_pairs = 5;
    (void)state;
    for (int role = 0; role < 2; role++) {
        begin(role, n_pairs);
        wait(4 * ICE_TA);
        assert_int_equal(n_requests, n_pairs);
        assert_int_equal(answer(&requests[0], STUN_ERROR), 0);
        assert_role(!role);
        assert_int_equal(n_requests, n_pairs + 1);
        assert_true(addr_equal(&last_request()->to, &requests[0].to));
        wait(300 * US_PER_MS); /* less than the first wait of any of them */
        assert_int_equal(n_requests, 2 * n_pairs);
        for (unsigned i = n_pairs; i < n_requests; i++) {
            assert_int_equal(requests[i].is_controlling, !role);
            assert_int_equal(count_transaction(&requests[i]), 1);
            assert_true(i == n_pairs || requests[i].at - requests[i - 1].at >= ICE_TA);
        }
        wait(20 * US_PER_S);
        for (unsigned i = 0; i < n_pairs; i++)
            assert_int_equal(count_transaction(&requests[i]), 1);
        assert_repeats_are_identical();
        net_deinit(&net);
    }
}

/* A consent check is one question of many, and may be older than our role: the pair is checked. */
static void a_487_to_a_consent_check_is_looked_into(void **state)
{
    (void)state;
    begin(true, 1);
    assert_int_equal(answer(last_request(), STUN_SUCCESS), 0);
    assert_int_equal(answer(last_request(), STUN_SUCCESS), 0); /* of the nomination */
    assert_int_equal(net.b.state, ICE_COMPLETED);
    wait(6 * US_PER_S);
    assert_int_equal(n_requests, 3);
    assert_int_equal(answer(last_request(), STUN_ERROR), 0);
    assert_role(true);
    assert_int_equal(n_requests, 4);
    assert_int_equal(answer(last_request(), STUN_ERROR), 0);
    assert_role(false);
    assert_int_equal(n_requests, 5);
    assert_int_equal(answer(last_request(), STUN_SUCCESS), 0);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(net.b.n_selected, 1);
    net_deinit(&net);
}

/* A lite peer has no role to change, and we none that it could mean: the check has failed. */
static void a_487_of_a_lite_peer_ends_the_check(void **state)
{
    (void)state;
    begin(true, 1);
    net.b.agent.remote_lite = true;
    assert_int_equal(answer(last_request(), STUN_ERROR), 0);
    assert_role(true);
    assert_int_equal(net.b.agent.pairs.pairs[0].state, ICE_PAIR_FAILED);
    wait(20 * US_PER_S);
    assert_int_equal(n_requests, 1);
    net_deinit(&net);
}

/* What it names may be others' addresses: it cannot have them checked again and again. */
static void a_peer_that_never_settles_is_left_alone(void **state)
{
    static const unsigned n_pairs = 5;
    (void)state;
    for (int by_487 = 0; by_487 < 2; by_487++) {
        begin(true, n_pairs);
        for (unsigned i = 0; i < 30; i++) { /* less than the agent's patience */
            bool role = net.b.agent.is_controlling;
            if (by_487)
                (void)answer(last_request_to(&net.a.addr), STUN_ERROR);
            else
                assert_int_equal(claim(role, role ? UINT64_MAX : 0), 0);
            if (i >= ICE_MAX_ROLE_SWITCHES)
                assert_true(net.b.agent.is_controlling == role);
            wait(US_PER_S);
        }
        assert_int_equal(net.b.agent.n_role_switches, ICE_MAX_ROLE_SWITCHES);
        assert_role(ICE_MAX_ROLE_SWITCHES % 2 == 0);
        unsigned limit = n_pairs * STUN_RC * (1 + ICE_MAX_ROLE_SWITCHES);
        unsigned n_strangers = 0;
        for (unsigned i = 0; i < n_requests; i++)
            n_strangers += !addr_equal(&requests[i].to, &net.a.addr);
        assert_in_range(n_strangers, n_pairs, limit);
        assert_int_equal(ice_agent_restart(&net.b.agent, net.now, STR("bbb2"), net_pwd(&net.b)), 0);
        assert_int_equal(net.b.agent.n_role_switches, 0); /* a new generation, a new chance */
        net_deinit(&net);
    }
}

/* ---- two agents ------------------------------------------------------------------------ */

/* @return the tie-breaker of a is the larger one */
static bool run_both(uint64_t seed, bool role, unsigned loss_percent)
{
    net_init(&net, seed);
    n_requests = n_conflicts = 0;
    net.tap = note;
    net.loss_percent = loss_percent;
    net.jitter = loss_percent ? 30 * US_PER_MS : 0;
    assert_int_equal(net_start(&net, role, role), 0);
    bool a_is_larger = net.a.agent.tie_breaker > net.b.agent.tie_breaker;
    assert_int_equal(net_run(&net, loss_percent ? 60 * US_PER_S : 2 * US_PER_S), 0);
    assert_int_equal(net.a.state, ICE_COMPLETED);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_true(net.a.agent.is_controlling != net.b.agent.is_controlling);
    assert_repeats_are_identical();
    return a_is_larger;
}

static void two_agents_settle_by_their_tie_breakers(void **state)
{
    unsigned n_larger[2] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        for (int role = 0; role < 2; role++) {
            bool a_is_larger = run_both(seed, role, 0);
            n_larger[a_is_larger]++;
            assert_int_equal(net.a.agent.is_controlling, a_is_larger);
            /* Only the check that was on its way is refused: it is not repeated. */
            assert_int_equal(n_conflicts, 1);
            /* Two round trips, as without a conflict, when the controlling side was right from
             * the start; half a one more when it learns of its role by the other's check. */
            mono_us limit = NET_START + (role ? 4 : 5) * net.delay;
            assert_true(net.a.completed_at <= limit && net.b.completed_at <= limit);
            net_deinit(&net);
        }
    }
    assert_true(n_larger[0] > 0 && n_larger[1] > 0);
}

static void two_agents_settle_over_a_bad_network(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        for (int role = 0; role < 2; role++) {
            (void)run_both(seed, role, 10);
            net_deinit(&net);
        }
    }
}

/* Both draw the same tie-breaker: both are told to switch, draw again, and settle. */
static void equal_tie_breakers_are_drawn_again(void **state)
{
    (void)state;
    for (int controlling = 0; controlling < 2; controlling++) {
        net_init(&net, 6);
        assert_int_equal(side_init(&net, &net.a, controlling, false), 0);
        assert_int_equal(side_init(&net, &net.b, controlling, false), 0);
        net.a.agent.tie_breaker = net.b.agent.tie_breaker;
        assert_int_equal(net_exchange_credentials(&net), 0);
        assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
        assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
        assert_int_equal(net_run(&net, 5 * US_PER_S), 0);
        assert_int_equal(net.a.state, ICE_COMPLETED);
        assert_int_equal(net.b.state, ICE_COMPLETED);
        assert_true(net.a.agent.is_controlling != net.b.agent.is_controlling);
        net_deinit(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_larger_tie_breaker_controls),
        cmocka_unit_test(a_conflict_that_is_settled_is_not_settled_again),
        cmocka_unit_test(a_487_is_followed_by_a_new_check_in_the_other_role),
        cmocka_unit_test(a_nomination_that_meets_a_487_is_none),
        cmocka_unit_test(checks_of_other_pairs_change_sides_as_well),
        cmocka_unit_test(a_487_to_a_consent_check_is_looked_into),
        cmocka_unit_test(a_487_of_a_lite_peer_ends_the_check),
        cmocka_unit_test(a_peer_that_never_settles_is_left_alone),
        cmocka_unit_test(two_agents_settle_by_their_tie_breakers),
        cmocka_unit_test(two_agents_settle_over_a_bad_network),
        cmocka_unit_test(equal_tie_breakers_are_drawn_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
