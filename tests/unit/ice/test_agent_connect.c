/* Two agents find a path, whatever the order of things and the state of the network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "unit/ice/net.h"

static struct net net;

static void assert_completed(const struct side *s, const struct addr *local,
                             const struct addr *remote)
{
    struct addr selected_local, selected_remote;

    assert_int_equal(s->state, ICE_COMPLETED);
    assert_true(addr_equal(&s->local, local));
    assert_true(addr_equal(&s->remote, remote));
    assert_true(ice_agent_selected(&s->agent, &selected_local, &selected_remote));
    assert_true(addr_equal(&selected_local, local) && addr_equal(&selected_remote, remote));
    assert_true(ice_agent_is_valid(&s->agent, local, remote));
    assert_int_equal(s->n_lost, 0);
}

static void assert_both_completed(void)
{
    assert_completed(&net.a, &net.a.addr, &net.b.addr);
    assert_completed(&net.b, &net.b.addr, &net.a.addr);
    assert_true(net.a.agent.is_controlling != net.b.agent.is_controlling);
}

static void two_hosts_connect_within_three_round_trips(void **state)
{
    (void)state;
    net_init(&net, 1);
    assert_int_equal(net_start(&net, true, false), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_both_completed();
    /* One round trip for the check, one for the nomination; nothing waited for a timer. */
    assert_true(net.a.connected_at <= NET_START + 2 * net.delay);
    assert_true(net.b.connected_at <= NET_START + 2 * net.delay);
    assert_true(net.a.completed_at <= NET_START + 4 * net.delay);
    assert_true(net.b.completed_at <= NET_START + 4 * net.delay);
    assert_int_equal(net.a.states & net.b.states,
                     1U << ICE_CHECKING | 1U << ICE_CONNECTED | 1U << ICE_COMPLETED);
    assert_true(addr_equal(&net.a.mapped, &net.a.addr));
    net_deinit(&net);
}

static void two_ipv6_hosts_connect(void **state)
{
    (void)state;
    net_init(&net, 1);
    assert_true(addr_parse(STR("[2001:db8::1]:1111"), &net.a.addr));
    assert_true(addr_parse(STR("[2001:db8::2]:2222"), &net.b.addr));
    assert_int_equal(net_start(&net, true, false), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_both_completed();
    net_deinit(&net);
}

/* The usual case: the browser is behind a NAT, the server is not, and the browser's candidates
 * are of no use or hidden. */
static void behind_a_nat_without_candidates(void **state)
{
    (void)state;
    net_init(&net, 2);
    net.a.has_nat = net.a.nat_is_strict = true;
    net.a.public_addr = addr_v4(203, 0, 113, 5, 40001);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_completed(&net.a, &net.a.addr, &net.b.addr);
    assert_completed(&net.b, &net.b.addr, &net.a.public_addr);
    assert_true(addr_equal(&net.a.mapped, &net.a.public_addr)); /* local peer-reflexive */
    assert_true(net.b.completed_at <= NET_START + 6 * net.delay);
    net_deinit(&net);
}

/* Our own first check arrives before the browser's NAT is open for it. */
static void a_check_lost_in_the_nat_is_repeated_at_once(void **state)
{
    struct ice_candidate srflx = net_host(addr_v4(203, 0, 113, 5, 40001), 65535);
    (void)state;
    net_init(&net, 3);
    net.a.has_nat = net.a.nat_is_strict = true;
    net.a.public_addr = srflx.addr;
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &srflx, STR("")), 0);
    assert_int_equal(net_run(&net, 100 * US_PER_MS), 0); /* lost at the closed NAT */
    assert_int_equal(net.b.n_validated, 0);
    mono_us opened_at = net.now;
    assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_completed(&net.b, &net.b.addr, &net.a.public_addr);
    assert_true(net.b.connected_at <= opened_at + 3 * net.delay); /* not at a retransmission */
    net_deinit(&net);
}

static void connects_through_loss_delay_and_reordering(void **state)
{
    static const struct {
        unsigned loss_percent;
        mono_us limit;
    } rows[] = {{0, 1}, {5, 15}, {10, 20}, {20, 30}, {30, 39}, {50, 39}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned n_failed = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            net_init(&net, seed);
            net.delay = 30 * US_PER_MS;
            net.jitter = 80 * US_PER_MS;
            net.loss_percent = rows[i].loss_percent;
            assert_int_equal(net_start(&net, true, false), 0);
            assert_int_equal(net_run(&net, rows[i].limit * US_PER_S), 0);
            bool is_up = net.a.states & net.b.states & 1U << ICE_COMPLETED;
            n_failed += !is_up;
            net_deinit(&net);
        }
        /* 7 sendings at 50 % each way: three exchanges fail one time in seven for a pair that is
         * checked from one side; with triggered checks from both, far less. */
        if (n_failed > (rows[i].loss_percent == 50 ? 8U : 0U))
            fail_msg("%u %% loss: %u of 40 did not connect", rows[i].loss_percent, n_failed);
    }
}

static void candidates_may_come_late(void **state)
{
    (void)state;
    net_init(&net, 4);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(net_run(&net, 35 * US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_CHECKING);
    assert_int_equal(net.b.n_sent, 0);
    mono_us at = net.now;
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(ice_agent_end_of_candidates(&net.b.agent, net.now), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.n_sent, 1); /* at once, not after Ta */
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_both_completed();
    assert_true(net.b.connected_at <= at + 4 * net.delay);
    net_deinit(&net);
}

static void candidates_may_come_before_credentials(void **state)
{
    struct ice_candidate other = net_host(addr_v4(10, 9, 9, 9, 999), 1);
    (void)state;
    net_init(&net, 4);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &other, STR("zzzz")), 0);
    assert_int_equal(net.b.agent.pairs.n_pairs, 2);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.b.n_sent, 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(net.b.agent.pairs.n_pairs, 1); /* zzzz was somebody else's */
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_both_completed();
    net_deinit(&net);
}

/* Trickle: the offerer may check before its credentials have reached us (RFC 8838 §8). */
static void checks_before_remote_credentials_are_answered_and_remembered(void **state)
{
    (void)state;
    net_init(&net, 5);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(
        ice_agent_set_remote(&net.a.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b), false), 0);
    assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
    assert_int_equal(net_run(&net, 2 * US_PER_S), 0);
    assert_int_equal(net.a.state, ICE_COMPLETED); /* it was answered, twice */
    assert_int_equal(net.b.state, ICE_NEW);
    assert_int_equal(net.b.n_validated, 0);
    mono_us at = net.now;
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_both_completed(); /* the nomination of long ago counts */
    assert_true(net.b.completed_at == at + 2 * net.delay);
    net_deinit(&net);
}

static bool has_tag(struct net *n, struct packet *p)
{
    struct stun_message m;
    if (addr_equal(&p->from, &n->b.addr) && stun_parse(p->data, p->len, &m) == 0 &&
        m.class == STUN_REQUEST)
        assert_int_equal(get_be32(m.id), 4711);
    return true;
}

/* The owner of a port knows the number only after the offer was read, candidates and all. */
static void checks_that_have_begun_get_the_tag(void **state)
{
    (void)state;
    net_init(&net, 7);
    net.tap = has_tag;
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    ice_agent_set_transaction_tag(&net.b.agent, 4711);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_true(net.b.n_sent > 0);
    assert_both_completed();
    net_deinit(&net);
}

static void remote_is_lite(void **state)
{
    (void)state;
    net_init(&net, 7);
    assert_int_equal(side_init(&net, &net.a, false, true), 0); /* a: lite */
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_both_completed();
    assert_true(net.b.agent.is_controlling);
    assert_int_equal(net_run(&net, 120 * US_PER_S), 0); /* consent goes on, from our side only */
    assert_both_completed();
    net_deinit(&net);
}

static void this_side_is_lite(void **state)
{
    (void)state;
    net_init(&net, 8);
    net.a.has_nat = true;
    net.a.public_addr = addr_v4(203, 0, 113, 5, 40001);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, true, true), 0); /* b: lite, its wish is ignored */
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_completed(&net.a, &net.a.addr, &net.b.addr);
    assert_completed(&net.b, &net.b.addr, &net.a.public_addr);
    unsigned answered = net.b.n_sent;
    net.is_cut = true;
    assert_int_equal(net_run(&net, 29 * US_PER_S), 0);
    assert_int_equal(net.b.n_lost, 0);
    assert_int_equal(net.b.n_sent, answered); /* lite never asks */
    assert_int_equal(net_run(&net, 10 * US_PER_S), 0);
    assert_int_equal(net.b.n_lost, 1);
    assert_int_equal(net.b.state, ICE_FAILED);
    net_deinit(&net);
}

static void lite_with_checks_before_remote_credentials(void **state)
{
    (void)state;
    net_init(&net, 8);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, true), 0);
    assert_int_equal(
        ice_agent_set_remote(&net.a.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b), true), 0);
    assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.b.n_validated, 0);
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false), 0);
    net_drain(&net);
    assert_both_completed();
    net_deinit(&net);
}

static void two_lite_sides_are_refused(void **state)
{
    (void)state;
    net_init(&net, 8);
    assert_int_equal(side_init(&net, &net.b, false, true), 0);
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), true),
        ICE_E_UNSUPPORTED);
    net_deinit(&net);
}

/* RFC 5245 agents put USE-CANDIDATE into every check. The best pair wins, and stays. */
static void aggressive_peer(void **state)
{
    struct ice_candidate worse = net_host(addr_v4(10, 0, 0, 9, 9999), 1);
    struct scripted_check check = {.username = "bbbb:aaaa",
                                   .pwd = "bbbbbbbbbbbbbbbbbbbbbbbb",
                                   .use_candidate = true,
                                   .tie_breaker = 1};
    (void)state;
    net_init(&net, 9);
    check.to = net.b.addr;
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(ice_agent_add_local(&net.a.agent, &worse), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    /* Checks and answers of the peer are scripted; the worse pair comes first. */
    uint8_t buf[ICE_SEND_CAP];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    struct stun_message m;
    for (int i = 0; i < 2; i++) {
        check.from = i ? net.a.addr : worse.addr;
        check.priority = ice_candidate_priority(ICE_PRFLX, i ? 65535 : 1);
        check.id = (uint8_t)(2 + i);
        assert_int_equal(scripted_check(&net, &net.b, &check), 0);
        while (ice_agent_poll_send(&net.b.agent, &d)) {
            assert_int_equal(stun_parse(d.data, d.len, &m), 0);
            if (m.class != STUN_REQUEST)
                continue;
            uint8_t id[STUN_ID_LEN];
            memcpy(id, m.id, sizeof(id));
            struct stun_writer w =
                stun_write_start(buf, sizeof(buf), STUN_SUCCESS, STUN_METHOD_BINDING, id);
            stun_write_mapped(&w, &net.b.addr);
            assert_int_equal(stun_write_end(&w, net_pwd(&net.a), &d.len), 0);
            assert_int_equal(ice_agent_input(&net.b.agent, net.now, &d), 0);
        }
        side_drain(&net, &net.b);
        assert_int_equal(net.b.state, ICE_COMPLETED);
        assert_true(addr_equal(&net.b.remote, i ? &net.a.addr : &worse.addr));
    }
    /* Repeated on the worse one while the better one is alive: no change. */
    check.from = worse.addr;
    check.id = 9;
    assert_int_equal(scripted_check(&net, &net.b, &check), 0);
    side_drain(&net, &net.b);
    assert_true(addr_equal(&net.b.remote, &net.a.addr));
    assert_int_equal(net.b.n_selected, 2);
    net_deinit(&net);
}

/* As controlling: a valid pair waits for a better one, but not for long. */
static void nomination_has_patience_but_not_much(void **state)
{
    struct ice_candidate unreachable = net_host(addr_v4(10, 77, 77, 77, 777), 65535);
    struct ice_candidate reachable;
    (void)state;
    net_init(&net, 10);
    reachable = net_host(net.b.addr, 1000);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(ice_agent_add_remote(&net.a.agent, net.now, &unreachable, STR("")), 0);
    assert_int_equal(ice_agent_add_remote(&net.a.agent, net.now, &reachable, STR("")), 0);
    assert_int_equal(net_run(&net, 2 * US_PER_S), 0);
    assert_both_completed();
    mono_us valid_at = NET_START + ICE_TA + 2 * net.delay;
    assert_true(net.a.connected_at == valid_at);
    assert_true(net.a.completed_at == valid_at + ICE_NOMINATION_PATIENCE + 2 * net.delay);
    net_deinit(&net);
}

static mono_us sent_at[128];
static unsigned n_sent_at;

static bool note_time(struct net *n, struct packet *p)
{
    (void)p;
    if (n_sent_at < ARRAY_LEN(sent_at))
        sent_at[n_sent_at++] = n->now;
    return true;
}

static void ordinary_checks_are_paced(void **state)
{
    (void)state;
    net_init(&net, 11);
    n_sent_at = 0;
    net.tap = note_time;
    net.is_cut = true;
    assert_int_equal(side_init(&net, &net.b, true, false), 0);
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false), 0);
    for (uint8_t i = 0; i < 8; i++) {
        struct ice_candidate c = net_host(addr_v4(10, 0, 1, i, 1000), 100);
        assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), 0);
    }
    /* a is not set up: give it an agent so that the net can run */
    assert_int_equal(side_init(&net, &net.a, false, false), 0);
    assert_int_equal(net_run(&net, 390 * US_PER_MS), 0);
    assert_int_equal(n_sent_at, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_true(sent_at[i] == NET_START + i * ICE_TA);
    net_deinit(&net);
}

/* The server behind a 1:1 NAT announces its external address; datagrams leave from the base. */
static void external_address_with_a_base(void **state)
{
    struct ice_candidate external;
    (void)state;
    net_init(&net, 12);
    net.b.has_nat = true;
    net.b.public_addr = addr_v4(198, 51, 100, 7, 2222);
    external = net_host(net.b.public_addr, 65535);
    external.related = net.b.addr;
    struct ice_config config = {.ufrag = net_ufrag(&net.b), .pwd = net_pwd(&net.b)};
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(ice_agent_init(&net.b.agent, &config, &net.rng), 0);
    assert_int_equal(ice_agent_add_local(&net.b.agent, &external), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    external.related = (struct addr){.port = 0};
    assert_int_equal(ice_agent_add_remote(&net.a.agent, net.now, &external, STR("")), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_completed(&net.a, &net.a.addr, &net.b.public_addr);
    assert_completed(&net.b, &net.b.addr, &net.a.addr);
    assert_true(addr_equal(&net.b.mapped, &net.b.public_addr));
    net_deinit(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hosts_connect_within_three_round_trips),
        cmocka_unit_test(two_ipv6_hosts_connect),
        cmocka_unit_test(behind_a_nat_without_candidates),
        cmocka_unit_test(a_check_lost_in_the_nat_is_repeated_at_once),
        cmocka_unit_test(connects_through_loss_delay_and_reordering),
        cmocka_unit_test(candidates_may_come_late),
        cmocka_unit_test(candidates_may_come_before_credentials),
        cmocka_unit_test(checks_before_remote_credentials_are_answered_and_remembered),
        cmocka_unit_test(checks_that_have_begun_get_the_tag),
        cmocka_unit_test(remote_is_lite),
        cmocka_unit_test(this_side_is_lite),
        cmocka_unit_test(lite_with_checks_before_remote_credentials),
        cmocka_unit_test(two_lite_sides_are_refused),
        cmocka_unit_test(aggressive_peer),
        cmocka_unit_test(nomination_has_patience_but_not_much),
        cmocka_unit_test(ordinary_checks_are_paced),
        cmocka_unit_test(external_address_with_a_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
