/* The races of an ICE restart: what of two generations meets on the way, and who believes what. And
 * a peer whose media shows a new address before its checks do. */
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
    assert_int_equal(net_run(&net, 10 * US_PER_S), 0); /* settled */
    assert_int_equal(net.b.state, ICE_COMPLETED);
}

/* The server's half: the browser's new credentials, and ours. */
static void restart_server(const char *ufrag_a, const char *ufrag_b)
{
    net.a.ufrag = ufrag_a;
    net.b.ufrag = ufrag_b;
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false), 0);
    assert_int_equal(ice_agent_restart(&net.b.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b)),
                     0);
}

static void restart_browser(void)
{
    assert_int_equal(ice_agent_restart(&net.a.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a)),
                     0);
    assert_int_equal(
        ice_agent_set_remote(&net.a.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b), false), 0);
}

static struct scripted_check check_from(struct addr from, const char *username)
{
    return (struct scripted_check){.from = from,
                                   .to = net.b.addr,
                                   .username = username,
                                   .pwd = net.b.pwd,
                                   .tie_breaker = 1,
                                   .priority = 1,
                                   .id = 7};
}

/* Late ones keep the old path alive and teach nothing, wherever they come from. */
static void late_checks_of_the_old_generation(void **state)
{
    (void)state;
    connect_both(1);
    restart_server("aaa2", "bbb2");
    side_drain(&net, &net.b);
    struct scripted_check late = check_from(net.a.addr, "bbbb:aaaa");
    late.use_candidate = true;
    unsigned sent = net.b.n_sent;
    assert_int_equal(scripted_check(&net, &net.b, &late), 0);
    late.from = addr_v4(10, 0, 0, 99, 9999);
    assert_int_equal(scripted_check(&net, &net.b, &late), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.n_sent, sent + 2); /* two answers, no check */
    assert_int_equal(net.b.agent.pairs.n_pairs, 0);
    assert_int_equal(net.b.n_selected, 1);
    assert_int_equal(net.b.state, ICE_CHECKING);
    /* When the new generation has settled nobody knows them any more. */
    restart_browser();
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_run(&net, ICE_SETTLE + US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(scripted_check(&net, &net.b, &late), ICE_E_NOT_OURS);
    net_deinit(&net);
}

/* Its checks may overtake the offer that announces them: they name our old ufrag then, and are of
 * the old generation; with our new one they can only come after the answer. */
static void checks_that_overtake_signaling(void **state)
{
    (void)state;
    connect_both(2);
    /* Our half comes first, as when we write the answer before its credentials are applied. */
    net.b.ufrag = "bbb2";
    assert_int_equal(ice_agent_restart(&net.b.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b)),
                     0);
    struct addr moved = addr_v4(10, 0, 0, 77, 7777);
    struct scripted_check early = check_from(moved, "bbb2:aaa2");
    early.use_candidate = true;
    assert_int_equal(scripted_check(&net, &net.b, &early), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.n_selected, 1); /* nothing to check it with yet */
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    net.a.ufrag = "aaa2";
    net.a.addr = moved;
    struct ice_candidate c = net_host(moved, 65535);
    assert_int_equal(ice_agent_add_local(&net.a.agent, &c), 0);
    restart_browser();
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_true(addr_equal(&net.b.remote, &moved));
    assert_int_equal(net.b.n_lost, 0);
    net_deinit(&net);
}

/* Remembered checks of a browser whose offer never came are not mixed up with the next one's. */
static void early_checks_of_yet_another_generation_are_forgotten(void **state)
{
    (void)state;
    connect_both(3);
    net.b.ufrag = "bbb2";
    assert_int_equal(ice_agent_restart(&net.b.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b)),
                     0);
    struct scripted_check early = check_from(addr_v4(10, 0, 0, 77, 7777), "bbb2:xxxx");
    assert_int_equal(scripted_check(&net, &net.b, &early), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, STR("aaa2"), net_pwd(&net.a), false), 0);
    assert_int_equal(net.b.agent.pairs.n_pairs, 0);
    net_deinit(&net);
}

/* An answer to a check of the generation before is nobody's. */
static void late_answers_of_the_old_generation(void **state)
{
    (void)state;
    connect_both(4);
    net.delay = 400 * US_PER_MS;
    restart_server("aaa2", "bbb2");
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_run(&net, 100 * US_PER_MS), 0); /* our check is on its way */
    unsigned dropped = net.b.n_dropped;
    restart_server("aaa3", "bbb3");
    restart_browser();
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_run(&net, 5 * US_PER_S), 0);
    assert_true(net.b.n_dropped >= dropped);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(net.b.n_lost + net.a.n_lost, 0);
    net_deinit(&net);
}

/* After a restart both may claim the same role, as when one side took it from signaling anew. */
static void roles_in_conflict_after_a_restart(void **state)
{
    (void)state;
    for (int both_controlling = 0; both_controlling < 2; both_controlling++) {
        connect_both(5);
        struct side *turned = both_controlling ? &net.b : &net.a;
        turned->agent.is_controlling = both_controlling;
        turned->agent.pairs.is_controlling = both_controlling;
        restart_server("aaa2", "bbb2");
        restart_browser();
        assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
        assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
        assert_int_equal(net_run(&net, 10 * US_PER_S), 0);
        assert_int_equal(net.a.state, ICE_COMPLETED);
        assert_int_equal(net.b.state, ICE_COMPLETED);
        assert_true(net.a.agent.is_controlling != net.b.agent.is_controlling);
        assert_int_equal(net.b.n_lost, 0);
        net_deinit(&net);
    }
}

/* --- media from elsewhere --- */

static struct addr media_from(struct addr from)
{
    assert_int_equal(ice_agent_heard_media(&net.b.agent, net.now, &net.b.addr, &from), 0);
    side_drain(&net, &net.b);
    return from;
}

static void media_from_an_unknown_address_asks_for_consent(void **state)
{
    (void)state;
    connect_both(6);
    unsigned sent = net.b.n_sent;
    struct addr moved = media_from(addr_v4(10, 0, 0, 77, 7777));
    assert_int_equal(net.b.n_sent, sent + 1);
    for (int i = 0; i < 50; i++)
        (void)media_from(moved); /* one question is enough */
    assert_int_equal(net.b.n_sent, sent + 1);
    assert_int_equal(net.b.n_selected, 1);
    assert_false(ice_agent_is_valid(&net.b.agent, &net.b.addr, &moved));
    /* Somebody is there, with the password. */
    net.a.has_nat = true;
    net.a.public_addr = moved;
    assert_int_equal(net_run(&net, 2 * net.delay), 0);
    assert_true(ice_agent_is_valid(&net.b.agent, &net.b.addr, &moved));
    (void)media_from(moved);
    assert_int_equal(net.b.n_selected, 2);
    assert_true(addr_equal(&net.b.remote, &moved));
    net_deinit(&net);
}

static void nobody_at_the_address_of_the_media(void **state)
{
    (void)state;
    connect_both(7);
    unsigned sent = net.b.n_sent;
    struct addr nobody = media_from(addr_v4(10, 0, 0, 77, 7777));
    for (int i = 0; i < 60; i++) {
        assert_int_equal(net_run(&net, US_PER_S), 0);
        (void)media_from(nobody);
    }
    assert_int_equal(net.b.n_selected, 1);
    /* Consent of the path, asked and answered, and two checks that go out twice. */
    assert_in_range(net.b.n_sent - sent, 2 * ICE_HEARSAY_SENDS + 2 * 60 / 6,
                    2 * ICE_HEARSAY_SENDS + 2 * 60 / 4 + 2);
    /* Sixteen such addresses, and no more. */
    for (uint16_t i = 0; i < 100; i++)
        (void)media_from(addr_v4(10, 0, 1, 1, (uint16_t)(1000 + i)));
    assert_in_range(net.b.agent.pairs.n_pairs, 2, 1 + ICE_MAX_PRFLX);
    assert_int_equal(net_run(&net, 120 * US_PER_S), 0);
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    assert_int_equal(net.b.n_lost, 0);
    net_deinit(&net);
}

static void neither_loopback_nor_a_controlling_or_lite_agent(void **state)
{
    (void)state;
    connect_both(8);
    (void)media_from(addr_v4(127, 0, 0, 1, 7777));
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    struct addr somewhere = addr_v4(10, 0, 0, 77, 7777);
    assert_int_equal(ice_agent_heard_media(&net.a.agent, net.now, &net.a.addr, &somewhere), 0);
    assert_int_equal(net.a.agent.pairs.n_pairs, 1);
    net_deinit(&net);
}

/* A spare pair that was checked a minute ago is valid, but a path of it would expire at once. */
static void a_stale_pair_is_asked_again_before_it_is_used(void **state)
{
    (void)state;
    for (int nominated = 0; nominated < 2; nominated++) {
        connect_both(9);
        struct addr spare = addr_v4(10, 0, 0, 8, 888);
        struct scripted_check check = check_from(spare, "bbbb:aaaa");
        net.a.has_nat = true; /* two addresses lead to the browser: this one, for a moment */
        net.a.public_addr = spare;
        assert_int_equal(scripted_check(&net, &net.b, &check), 0);
        assert_int_equal(net_run(&net, 2 * net.delay), 0);
        net.a.has_nat = false;
        assert_true(ice_agent_is_valid(&net.b.agent, &net.b.addr, &spare));
        assert_int_equal(net_run(&net, 40 * US_PER_S), 0);
        assert_true(ice_agent_is_valid(&net.b.agent, &net.b.addr, &spare));
        unsigned selected = net.b.n_selected;
        if (nominated) {
            check.use_candidate = true;
            assert_int_equal(scripted_check(&net, &net.b, &check), 0);
        } else {
            (void)media_from(spare);
        }
        side_drain(&net, &net.b);
        assert_int_equal(net.b.n_selected, selected);
        net.a.has_nat = true;
        assert_int_equal(net_run(&net, 2 * net.delay), 0);
        if (!nominated)
            (void)media_from(spare);
        assert_int_equal(net.b.n_selected, selected + 1);
        assert_true(addr_equal(&net.b.remote, &spare));
        assert_int_equal(net.b.n_lost, 0);
        net_deinit(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_checks_of_the_old_generation),
        cmocka_unit_test(checks_that_overtake_signaling),
        cmocka_unit_test(early_checks_of_yet_another_generation_are_forgotten),
        cmocka_unit_test(late_answers_of_the_old_generation),
        cmocka_unit_test(roles_in_conflict_after_a_restart),
        cmocka_unit_test(media_from_an_unknown_address_asks_for_consent),
        cmocka_unit_test(nobody_at_the_address_of_the_media),
        cmocka_unit_test(neither_loopback_nor_a_controlling_or_lite_agent),
        cmocka_unit_test(a_stale_pair_is_asked_again_before_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
