/* ICE over TCP (RFC 6544): a connection is an address pair like another, only worse, and it loses
 * nothing until it is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net.h"

/* The number that each side gives to the connection between the two. */
#define CONNECTION_AT_A 7
#define CONNECTION_AT_B 5

static struct net net;

/* What leaves one end of the connection comes out of the other. */
static bool through_connection(struct net *n, struct packet *p)
{
    bool is_from_a = p->from.port == n->a.addr.port;
    if (!p->from.tcp)
        return true;
    assert_int_equal(p->to.tcp, is_from_a ? CONNECTION_AT_A : CONNECTION_AT_B);
    p->from.tcp = is_from_a ? CONNECTION_AT_B : CONNECTION_AT_A;
    p->to.tcp = ADDR_TCP;
    return true;
}

static struct ice_candidate tcp_host(struct addr addr, enum ice_tcptype tcptype)
{
    struct ice_candidate c = net_host(addr, 65535);
    c.transport = ICE_TCP;
    c.tcptype = tcptype;
    c.priority = ice_candidate_tcp_priority(ICE_HOST, tcptype, ICE_OTHER_PREFERENCE_MAX);
    return c;
}

/* a has connected to b. */
static void connect_over_tcp(mono_us delay)
{
    net_init(&net, 1);
    net.delay = delay;
    net.tap = through_connection;
    net.a.addr.tcp = net.b.addr.tcp = ADDR_TCP;
    struct ice_candidate a = tcp_host(net.a.addr, ICE_TCP_ACTIVE);
    struct ice_candidate b = tcp_host(net.b.addr, ICE_TCP_PASSIVE);
    struct ice_config config = {
        .controlling = true, .ufrag = net_ufrag(&net.a), .pwd = net_pwd(&net.a)};
    assert_int_equal(ice_agent_init(&net.a.agent, &config, &net.rng), 0);
    config = (struct ice_config){.ufrag = net_ufrag(&net.b), .pwd = net_pwd(&net.b)};
    assert_int_equal(ice_agent_init(&net.b.agent, &config, &net.rng), 0);
    assert_int_equal(ice_agent_add_local(&net.a.agent, &a), 0);
    assert_int_equal(ice_agent_add_local(&net.b.agent, &b), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    a.addr.port = 9; /* as signaling tells it: no connection yet */
    a.addr.tcp = 0;
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &a, STR("")), 0);
    b.addr.tcp = CONNECTION_AT_A;
    assert_int_equal(ice_agent_add_remote(&net.a.agent, net.now, &b, STR("")), 0);
}

static void the_peer_who_connects_becomes_the_path(void **state)
{
    (void)state;
    connect_over_tcp(20 * US_PER_MS);
    assert_int_equal(net_run(&net, 2 * US_PER_S), 0);
    assert_int_equal(net.a.state, ICE_COMPLETED);
    assert_int_equal(net.b.state, ICE_COMPLETED);
    assert_int_equal(net.b.remote.tcp, CONNECTION_AT_B);
    assert_int_equal(net.b.remote.port, 1111);
    assert_int_equal(net.b.local.tcp, ADDR_TCP);
    assert_int_equal(net_run(&net, 120 * US_PER_S), 0);
    assert_int_equal(net.a.n_lost + net.b.n_lost, 0);
    net_deinit(&net);
}

/* RFC 8489 §6.2.2: over a connection a request is sent once, however long the answer takes. */
static void nothing_is_sent_twice(void **state)
{
    (void)state;
    connect_over_tcp(3 * US_PER_S);
    assert_int_equal(net_run(&net, 7 * US_PER_S), 0);
    assert_int_equal(net.a.n_validated, 1);
    /* a: its check, its nomination, an answer. b: two answers and its triggered check at most. */
    assert_in_range(net.a.n_sent, 2, 4);
    assert_in_range(net.b.n_sent, 2, 4);
    net_deinit(&net);
}

static void a_connection_without_answer_fails_in_the_end(void **state)
{
    (void)state;
    connect_over_tcp(20 * US_PER_MS);
    net.is_cut = true;
    assert_int_equal(net_run(&net, ICE_PATIENCE + US_PER_S), 0);
    assert_int_equal(net.a.state, ICE_FAILED);
    assert_int_equal(net.a.n_sent, 1);
    net_deinit(&net);
}

/* The peer reconnects from another port, with a nomination, as libwebrtc does. */
static void a_closed_connection_is_followed_by_the_next(void **state)
{
    (void)state;
    connect_over_tcp(20 * US_PER_MS);
    assert_int_equal(net_run(&net, 2 * US_PER_S), 0);
    assert_int_equal(ice_agent_disconnected(&net.b.agent, net.now, &net.b.addr, &net.b.remote), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.agent.pairs.n_pairs, 0);
    assert_int_equal(net.b.state, ICE_COMPLETED); /* there is no other path: consent decides */
    assert_int_equal(net.b.n_invalidated, 0);

    net.a.addr.port = 1112;
    struct ice_candidate again = tcp_host(net.a.addr, ICE_TCP_ACTIVE);
    assert_int_equal(ice_agent_add_local(&net.a.agent, &again), 0);
    struct scripted_check check = {.from = net.a.addr,
                                   .to = net.b.addr,
                                   .username = "bbbb:aaaa",
                                   .pwd = net.b.pwd,
                                   .use_candidate = true,
                                   .tie_breaker = 1,
                                   .priority = 1,
                                   .id = 1};
    check.from.tcp = CONNECTION_AT_B;
    assert_int_equal(scripted_check(&net, &net.b, &check), 0);
    assert_int_equal(net_run(&net, US_PER_S), 0);
    assert_int_equal(net.b.n_selected, 2);
    assert_int_equal(net.b.remote.port, 1112);
    assert_int_equal(net.b.n_invalidated, 1); /* now the closed one is nobody's path any more */
    assert_int_equal(net.b.n_lost, 0);
    net_deinit(&net);
}

static void a_closed_connection_and_no_other_end_by_consent(void **state)
{
    (void)state;
    connect_over_tcp(20 * US_PER_MS);
    assert_int_equal(net_run(&net, 2 * US_PER_S), 0);
    net.is_cut = true;
    assert_int_equal(ice_agent_disconnected(&net.b.agent, net.now, &net.b.addr, &net.b.remote), 0);
    assert_int_equal(net_run(&net, ICE_CONSENT_EXPIRY + US_PER_S), 0);
    assert_int_equal(net.b.n_lost, 1);
    assert_int_equal(net.b.state, ICE_FAILED);
    assert_int_equal(net.b.n_invalidated, 1);
    net_deinit(&net);
}

/* Who connects a thousand times is still one peer with one address to learn. */
static void connecting_again_and_again_exhausts_nothing(void **state)
{
    (void)state;
    connect_over_tcp(20 * US_PER_MS);
    assert_int_equal(net_run(&net, 2 * US_PER_S), 0);
    for (unsigned i = 0; i < 1000; i++) {
        struct scripted_check check = {.from = net.a.addr,
                                       .to = net.b.addr,
                                       .username = "bbbb:aaaa",
                                       .pwd = net.b.pwd,
                                       .tie_breaker = 1,
                                       .priority = 1,
                                       .id = 1};
        check.from.port = (uint16_t)(2000 + i);
        check.from.tcp = CONNECTION_AT_B + 1;
        assert_int_equal(scripted_check(&net, &net.b, &check), 0);
        assert_int_equal(ice_agent_disconnected(&net.b.agent, net.now, &net.b.addr, &check.from),
                         0);
    }
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    assert_int_equal(net.b.agent.pairs.n_remotes, 1);
    net_deinit(&net);
}

/* --- both transports, a lite agent: its pairs are valid without waiting for answers --- */

struct both {
    struct addr udp, tcp;               /* ours */
    struct addr remote_udp, remote_tcp; /* theirs */
};

static struct both start_both(void)
{
    struct both both = {.udp = addr_v4(192, 0, 2, 2, 2222),
                        .tcp = addr_v4(192, 0, 2, 2, 2222),
                        .remote_udp = addr_v4(10, 0, 0, 1, 1111),
                        .remote_tcp = addr_v4(10, 0, 0, 1, 1111)};
    both.tcp.tcp = ADDR_TCP;
    both.remote_tcp.tcp = CONNECTION_AT_B;
    net_init(&net, 2);
    assert_int_equal(side_init(&net, &net.b, false, true), 0);
    struct ice_candidate c = tcp_host(both.tcp, ICE_TCP_PASSIVE);
    assert_int_equal(ice_agent_add_local(&net.b.agent, &c), 0);
    assert_int_equal(
        ice_agent_set_remote(&net.b.agent, net.now, STR("aaaa"), net_pwd(&net.a), false), 0);
    return both;
}

static void check_from(struct addr from, struct addr to, bool nominates, uint32_t priority)
{
    struct scripted_check check = {.from = from,
                                   .to = to,
                                   .username = "bbbb:aaaa",
                                   .pwd = net.b.pwd,
                                   .use_candidate = nominates,
                                   .tie_breaker = 1,
                                   .priority = priority,
                                   .id = 1};
    assert_int_equal(scripted_check(&net, &net.b, &check), 0);
    side_drain(&net, &net.b);
}

static void udp_wins_where_both_work(void **state)
{
    (void)state;
    struct both both = start_both();
    check_from(both.remote_tcp, both.tcp, true,
               ice_candidate_tcp_priority(ICE_PRFLX, ICE_TCP_ACTIVE, 1));
    assert_int_equal(net.b.remote.tcp, CONNECTION_AT_B);
    check_from(both.remote_udp, both.udp, true, ice_candidate_priority(ICE_PRFLX, 1));
    assert_int_equal(net.b.remote.tcp, 0);
    check_from(both.remote_tcp, both.tcp, true,
               ice_candidate_tcp_priority(ICE_PRFLX, ICE_TCP_ACTIVE, 1));
    assert_int_equal(net.b.remote.tcp, 0);
    assert_int_equal(ice_agent_disconnected(&net.b.agent, net.now, &both.tcp, &both.remote_tcp), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.n_invalidated, 1);
    assert_int_equal(net.b.n_selected, 2);
    net_deinit(&net);
}

static void when_the_connection_closes_udp_takes_over_at_once(void **state)
{
    (void)state;
    struct both both = start_both();
    check_from(both.remote_udp, both.udp, false, 1);
    check_from(both.remote_tcp, both.tcp, true, 1);
    assert_int_equal(net.b.remote.tcp, CONNECTION_AT_B);
    assert_int_equal(ice_agent_disconnected(&net.b.agent, net.now, &both.tcp, &both.remote_tcp), 0);
    side_drain(&net, &net.b);
    assert_int_equal(net.b.remote.tcp, 0);
    assert_int_equal(net.b.n_invalidated, 1);
    assert_int_equal(net.b.n_lost, 0);
    net_deinit(&net);
}

static void transports_do_not_mix(void **state)
{
    (void)state;
    struct both both = start_both();
    struct scripted_check check = {.from = both.remote_tcp,
                                   .to = both.udp,
                                   .username = "bbbb:aaaa",
                                   .pwd = net.b.pwd,
                                   .tie_breaker = 1,
                                   .priority = 1,
                                   .id = 1};
    assert_int_equal(scripted_check(&net, &net.b, &check), ICE_E_NOT_OURS);
    check.from = both.remote_udp;
    check.to = both.tcp;
    assert_int_equal(scripted_check(&net, &net.b, &check), ICE_E_NOT_OURS);
    struct ice_candidate c = tcp_host(both.remote_udp, ICE_TCP_PASSIVE); /* we connect to nobody */
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), ICE_E_UNSUPPORTED);
    c.tcptype = ICE_TCP_SO;
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), ICE_E_UNSUPPORTED);
    c = tcp_host(both.udp, ICE_TCP_PASSIVE); /* and what is ours says so in its base */
    assert_int_equal(ice_agent_add_local(&net.b.agent, &c), ICE_E_ADDRESS);
    c = net_host(both.tcp, 1);
    assert_int_equal(ice_agent_add_local(&net.b.agent, &c), ICE_E_ADDRESS);
    assert_int_equal(net.b.agent.pairs.n_pairs, 0);
    net_deinit(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_who_connects_becomes_the_path),
        cmocka_unit_test(nothing_is_sent_twice),
        cmocka_unit_test(a_connection_without_answer_fails_in_the_end),
        cmocka_unit_test(a_closed_connection_is_followed_by_the_next),
        cmocka_unit_test(a_closed_connection_and_no_other_end_by_consent),
        cmocka_unit_test(connecting_again_and_again_exhausts_nothing),
        cmocka_unit_test(udp_wins_where_both_work),
        cmocka_unit_test(when_the_connection_closes_udp_takes_over_at_once),
        cmocka_unit_test(transports_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
