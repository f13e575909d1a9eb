/* What happens after a path was found: consent, moving peers, restarts, failure, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/ice/net.h"

static struct net net;

static void connect_both(uint64_t seed)
{
    net_init(&net, seed);
    assert_int_equal(net_start(&net, true, false), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.a.state, ICE_COMPLETED);
    assert_int_equal(net.b.state, ICE_COMPLETED);
}

static void connect_behind_nat(uint64_t seed, bool server_is_controlling)
{
    net_init(&net, seed);
    net.a.has_nat = true;
    net.a.public_addr = addr_v4(203, 0, 113, 5, 40001);
    assert_int_equal(side_init(&net, &net.a, !server_is_controlling, false), 0);
    assert_int_equal(side_init(&net, &net.b, server_is_controlling, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_true(addr_equal(&net.b.remote, &net.a.public_addr));
}

static void consent_keeps_a_quiet_call_alive(void **state)
{
    (void)state;
    connect_both(1);
    unsigned before = net.b.n_sent;
    assert_int_equal(net_run(&net, 600 * US_PER_S), 0);
    assert_int_equal(net.b.n_lost, 0);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(net.b.n_selected, 1);
    /* One question and one answer every 5 s on average. */
    assert_in_range(net.b.n_sent - before, 2 * 600 / 6 - 2, 2 * 600 / 4 + 2);
    net_deinit(&net);
}

static void consent_survives_loss(void **state)
{
    unsigned lost = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        connect_both(seed);
        net.loss_percent = 20; /* each way: more than a third of the questions */
        net.jitter = 200 * US_PER_MS;
        assert_int_equal(net_run(&net, 3600 * US_PER_S), 0);
        lost += net.a.n_lost + net.b.n_lost;
        net_deinit(&net);
    }
    assert_int_equal(lost, 0);
}

static void consent_expires_thirty_seconds_after_the_last_answer(void **state)
{
    (void)state;
    connect_both(2);
    assert_int_equal(net_run(&net, 20 * US_PER_S), 0);
    net.is_cut = true;
    mono_us cut_at = net.now;
    assert_int_equal(net_run(&net, 40 * US_PER_S), 0);
    assert_int_equal(net.b.n_lost, 1);
    assert_true(net.b.lost_at > cut_at + 23 * US_PER_S);
    assert_true(net.b.lost_at <= cut_at + 30 * US_PER_S + 2 * net.delay);
    assert_int_equal(net.b.state, ICE_FAILED);
    assert_false(ice_agent_is_valid(&net.b.agent, &net.b.addr, &net.a.addr));
    struct addr l, r;
    assert_false(ice_agent_selected(&net.b.agent, &l, &r));
    assert_true(ice_agent_deadline(&net.b.agent) == MONO_NEVER);
    assert_int_equal(net.b.n_invalidated, 1);
    /* The way is open again, but consent is gone: silence until a restart. */
    net.is_cut = false;
    unsigned sent = net.b.n_sent;
    struct scripted_check check = {.from = net.a.addr,
                                   .to = net.b.addr,
                                   .username = "bbbb:aaaa",
                                   .pwd = net.b.pwd,
                                   .tie_breaker = 1,
                                   .id = 1};
    assert_int_equal(scripted_check(&net, &net.b, &check), ICE_E_NOT_OURS);
    assert_int_equal(net_run(&net, 60 * US_PER_S), 0);
    assert_int_equal(net.b.n_sent, sent);
    net_deinit(&net);
}

static void restart_both(const char *ufrag_a, const char *ufrag_b, bool remote_first)
{
    net.a.ufrag = ufrag_a;
    net.b.ufrag = ufrag_b;
    if (remote_first)
        assert_int_equal(
            ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false),
            0);
    assert_int_equal(ice_agent_restart(&net.b.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b)),
                     0);
    if (!remote_first)
        assert_int_equal(
            ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false),
            0);
    assert_int_equal(ice_agent_restart(&net.a.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a)),
                     0);
    assert_int_equal(
        ice_agent_set_remote(&net.a.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b), false), 0);
}

static void restart_keeps_the_old_path_until_the_new_one_is_nominated(void **state)
{
    (void)state;
    for (int remote_first = 0; remote_first < 2; remote_first++) {
        connect_both(3);
        struct addr old_a = net.a.addr;
        /* The browser has moved: its old address works on, its new one is signaled late. */
        restart_both("aaa2", "bbb2", remote_first);
        struct addr l, r;
        assert_int_equal(net_run(&net, 15 * US_PER_S), 0);
        assert_int_equal(net.b.state, ICE_CHECKING);
        assert_true(ice_agent_selected(&net.b.agent, &l, &r));
        assert_true(addr_equal(&r, &old_a));
        assert_true(ice_agent_is_valid(&net.b.agent, &net.b.addr, &old_a));
        assert_int_equal(net.b.n_lost, 0);

        struct addr new_a = addr_v4(10, 0, 0, 77, 7777);
        struct ice_candidate c = net_host(new_a, 65535);
        assert_int_equal(ice_agent_add_local(&net.a.agent, &c), 0);
        net.a.addr = new_a;
        assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
        assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
        assert_int_equal(net_run(&net, US_PER_S), 0);
        assert_int_equal(net.b.state, ICE_COMPLETED);
        assert_true(ice_agent_selected(&net.b.agent, &l, &r));
        assert_true(addr_equal(&r, &new_a));
        assert_int_equal(net.b.n_selected, 2);
        /* What is still on its way on the old path is taken until things have settled. */
        assert_true(ice_agent_is_valid(&net.b.agent, &net.b.addr, &old_a));
        assert_int_equal(net_run(&net, ICE_SETTLE + US_PER_S), 0);
        assert_false(ice_agent_is_valid(&net.b.agent, &net.b.addr, &old_a));
        assert_int_equal(net.b.n_invalidated, 1);
        assert_null(net.b.agent.old_local);
        assert_int_equal(net_run(&net, 60 * US_PER_S), 0);
        assert_int_equal(net.b.n_lost, 0);
        net_deinit(&net);
    }
}

static void a_second_restart_while_the_first_runs(void **state)
{
    (void)state;
    connect_both(4);
    restart_both("aaa2", "bbb2", true);
    assert_int_equal(net_run(&net, 10 * US_PER_S), 0);
    restart_both("aaa3", "bbb3", false);
    assert_int_equal(net_run(&net, 10 * US_PER_S), 0);
    assert_int_equal(net.b.n_lost, 0); /* the old path has its own credentials still */
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(net_run(&net, 60 * US_PER_S), 0);
    assert_int_equal(net.b.n_lost + net.a.n_lost, 0);
    net_deinit(&net);
}

static void the_same_credentials_again_are_no_restart(void **state)
{
    (void)state;
    connect_both(5);
    assert_int_equal(net_exchange_credentials(&net), 0);
    net_drain(&net);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    net_deinit(&net);
}

static void a_restart_brings_a_failed_agent_back(void **state)
{
    (void)state;
    connect_both(6);
    net.is_cut = true;
    assert_int_equal(net_run(&net, 60 * US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_FAILED);
    net.is_cut = false;
    restart_both("aaa2", "bbb2", true);
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(net.a.state, ICE_COMPLETED);
    net_deinit(&net);
}

static void candidates_of_another_generation_are_dropped(void **state)
{
    struct ice_candidate c = net_host(addr_v4(10, 0, 0, 50, 5000), 100);
    (void)state;
    connect_both(7);
    restart_both("aaa2", "bbb2", true);
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("aaaa")),
                     ICE_E_GENERATION);
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("aaa2")), 0);
    net_deinit(&net);
}

/* The NAT of the browser forgets its mapping: the same ufrag comes from another port. As libwebrtc
 * does it: checks of the path in use carry USE-CANDIDATE. */
static void the_peer_moves_behind_its_nat(void **state)
{
    (void)state;
    connect_behind_nat(8, false);
    assert_int_equal(net_run(&net, 20 * US_PER_S), 0);
    net.a.public_addr.port = 50002;
    struct scripted_check check = {.from = net.a.public_addr,
                                   .to = net.b.addr,
                                   .username = "bbbb:aaaa",
                                   .pwd = net.b.pwd,
                                   .use_candidate = true,
                                   .tie_breaker = 1,
                                   .priority = 1,
                                   .id = 1};
    mono_us moved_at = net.now;
    assert_int_equal(scripted_check(&net, &net.b, &check), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.n_selected, 1); /* not before our own check was answered */
    assert_false(ice_agent_is_valid(&net.b.agent, &net.b.addr, &net.a.public_addr));
    assert_int_equal(net_run(&net, 2 * net.delay), 0);
    assert_int_equal(net.b.n_selected, 2);
    assert_true(addr_equal(&net.b.remote, &net.a.public_addr));
    assert_true(net.now <= moved_at + 2 * net.delay);
    assert_int_equal(net_run(&net, 200 * US_PER_S), 0);
    assert_int_equal(net.b.n_lost, 0);
    assert_int_equal(net.b.n_invalidated, 1); /* the old address is forgotten in the end */
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    assert_int_equal(net.b.agent.pairs.n_remotes, 1);
    net_deinit(&net);
}

/* The same without USE-CANDIDATE, as a client does that nominates once: consent of the new pair is
 * fresh when that of the old one runs out. */
static void the_peer_moves_without_nominating(void **state)
{
    (void)state;
    for (int server_is_controlling = 0; server_is_controlling < 2; server_is_controlling++) {
        connect_behind_nat(9, server_is_controlling);
        assert_int_equal(net_run(&net, 20 * US_PER_S), 0);
        net.a.public_addr.port = 50002;
        assert_int_equal(net_run(&net, 60 * US_PER_S), 0);
        assert_int_equal(net.b.n_lost, 0);
        assert_int_equal(net.b.n_selected, 2);
        assert_true(addr_equal(&net.b.remote, &net.a.public_addr));
        assert_int_equal(net_run(&net, 200 * US_PER_S), 0);
        assert_int_equal(net.b.n_lost + net.a.n_lost, 0);
        net_deinit(&net);
    }
}

static void no_failure_before_patience_ends(void **state)
{
    (void)state;
    for (int has_candidate = 0; has_candidate < 2; has_candidate++) {
        net_init(&net, 10);
        net.is_cut = true;
        assert_int_equal(side_init(&net, &net.a, true, false), 0);
        assert_int_equal(side_init(&net, &net.b, false, false), 0);
        assert_int_equal(net_exchange_credentials(&net), 0);
        if (has_candidate)
            assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
        assert_int_equal(ice_agent_end_of_candidates(&net.b.agent, net.now), 0);
        assert_int_equal(net_run(&net, 60 * US_PER_S), 0);
        assert_int_equal(net.b.state, ICE_FAILED);
        assert_true(net.b.failed_at == NET_START + ICE_PATIENCE);
        assert_int_equal(net.b.n_lost, 0);
        /* Seven sendings of one check, not one more. */
        assert_int_equal(net.b.n_sent, has_candidate ? STUN_RC : 0);
        assert_true(ice_agent_deadline(&net.b.agent) == MONO_NEVER);
        net_deinit(&net);
    }
}

static void without_credentials_nothing_fails(void **state)
{
    (void)state;
    net_init(&net, 11);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_true(ice_agent_deadline(&net.b.agent) == MONO_NEVER);
    assert_int_equal(net_run(&net, 600 * US_PER_S), 0);
    assert_int_equal(net.b.states, 0);
    net_deinit(&net);
}

static void an_idle_connected_agent_is_small(void **state)
{
    (void)state;
    connect_behind_nat(12, false);
    for (uint8_t i = 0; i < 20; i++) {
        struct ice_candidate c = net_host(addr_v4(10, 1, 1, i, 1000), 10);
        assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), 0);
    }
    assert_int_equal(net_run(&net, ICE_SETTLE + US_PER_S), 0);
    net_drain(&net);
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    assert_true(sizeof(struct ice_agent) + ice_agent_heap(&net.b.agent) <= 1024);
    net_deinit(&net);
}

/* Unused pairs of a peer with many networks go when they are not kept warm. */
static void spare_pairs_live_as_long_as_they_are_used(void **state)
{
    struct ice_candidate spare = net_host(addr_v4(10, 0, 0, 8, 888), 10);
    (void)state;
    net_init(&net, 13);
    assert_int_equal(net_start(&net, true, false), 0);
    struct scripted_check check = {.from = spare.addr,
                                   .to = net.b.addr,
                                   .username = "bbbb:aaaa",
                                   .pwd = net.b.pwd,
                                   .tie_breaker = 1,
                                   .priority = 5,
                                   .id = 1};
    assert_int_equal(net_run(&net, 10 * US_PER_S), 0);
    assert_int_equal(scripted_check(&net, &net.b, &check), 0);
    struct ice_pair *pair = ice_pairs_find(&net.b.agent.pairs, &net.b.addr, &spare.addr);
    assert_non_null(pair);
    assert_int_equal(net_run(&net, 20 * US_PER_S), 0);
    pair = ice_pairs_find(&net.b.agent.pairs, &net.b.addr, &spare.addr);
    assert_non_null(pair); /* its check is under way */
    assert_int_equal(net_run(&net, 120 * US_PER_S), 0);
    assert_null(ice_pairs_find(&net.b.agent.pairs, &net.b.addr, &spare.addr));
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    assert_int_equal(net.b.n_lost, 0);
    net_deinit(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consent_keeps_a_quiet_call_alive),
        cmocka_unit_test(consent_survives_loss),
        cmocka_unit_test(consent_expires_thirty_seconds_after_the_last_answer),
        cmocka_unit_test(restart_keeps_the_old_path_until_the_new_one_is_nominated),
        cmocka_unit_test(a_second_restart_while_the_first_runs),
        cmocka_unit_test(the_same_credentials_again_are_no_restart),
        cmocka_unit_test(a_restart_brings_a_failed_agent_back),
        cmocka_unit_test(candidates_of_another_generation_are_dropped),
        cmocka_unit_test(the_peer_moves_behind_its_nat),
        cmocka_unit_test(the_peer_moves_without_nominating),
        cmocka_unit_test(no_failure_before_patience_ends),
        cmocka_unit_test(without_credentials_nothing_fails),
        cmocka_unit_test(an_idle_connected_agent_is_small),
        cmocka_unit_test(spare_pairs_live_as_long_as_they_are_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
