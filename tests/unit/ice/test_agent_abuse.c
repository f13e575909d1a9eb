/* What strangers, liars and an empty heap can do to an agent: nothing, or what is documented. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/ice/net.h"

static struct net net;

static struct scripted_check good_check(void)
{
    return (struct scripted_check){
        .from = addr_v4(198, 51, 100, 66, 6666),
        .to = net.b.addr,
        .username = "bbbb:aaaa",
        .pwd = net.b.pwd,
        .tie_breaker = 1,
        .priority = 1,
        .id = 7,
    };
}

static void start_server(void)
{
    net_init(&net, 1);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    net_drain(&net);
}

/* The whole agent as bytes: a dropped datagram must leave no trace at all. */
static void assert_dropped_without_trace(struct scripted_check check, const char *why)
{
    struct ice_agent before = net.b.agent;
    size_t heap = ice_agent_heap(&net.b.agent);
    uint8_t buf[ICE_SEND_CAP];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};

    int r = scripted_check(&net, &net.b, &check);
    if (r != ICE_E_NOT_OURS)
        fail_msg("%s: %d", why, r);
    assert_memory_equal(&before, &net.b.agent, sizeof(before));
    assert_int_equal(ice_agent_heap(&net.b.agent), heap);
    assert_false(ice_agent_poll_send(&net.b.agent, &d)); /* not even an error response */
}

static void strangers_leave_no_trace(void **state)
{
    struct scripted_check c;
    (void)state;
    start_server();
    c = good_check(), c.pwd = "bbbbbbbbbbbbbbbbbbbbbbbX";
    assert_dropped_without_trace(c, "wrong password");
    c = good_check(), c.pwd = NULL;
    assert_dropped_without_trace(c, "no integrity");
    c = good_check(), c.pwd = net.a.pwd;
    assert_dropped_without_trace(c, "the other side's password");
    c = good_check(), c.username = "bbbc:aaaa";
    assert_dropped_without_trace(c, "foreign ufrag");
    c = good_check(), c.username = "bbb";
    assert_dropped_without_trace(c, "username without colon");
    c = good_check(), c.username = "";
    assert_dropped_without_trace(c, "empty username");
    c = good_check(), c.to = addr_v4(192, 0, 2, 99, 2222);
    assert_dropped_without_trace(c, "to an address that is no candidate");
    c = good_check(), c.from = addr_v4(127, 0, 0, 1, 5000);
    assert_dropped_without_trace(c, "from loopback");
    c = good_check(), c.from = addr_v4(224, 0, 0, 1, 5000);
    assert_dropped_without_trace(c, "from multicast");
    c = good_check(), c.from.port = 0;
    assert_dropped_without_trace(c, "from port 0");
    c = good_check();
    assert_true(addr_parse(STR("[2001:db8::1]:5"), &c.from));
    assert_dropped_without_trace(c, "from another family");
    assert_int_equal(scripted_check(&net, &net.b, &(struct scripted_check){0}), ICE_E_NOT_OURS);
    c = good_check();
    assert_int_equal(scripted_check(&net, &net.b, &c), 0); /* and the good one is good */
    assert_int_equal(net.b.agent.pairs.n_pairs, 1);
    net_deinit(&net);
}

static void loopback_is_fine_where_we_are_on_loopback(void **state)
{
    struct ice_candidate loopback = net_host(addr_v4(127, 0, 0, 1, 2222), 1);
    struct ice_candidate remote = net_host(addr_v4(127, 0, 0, 1, 5000), 1);
    struct scripted_check c;
    (void)state;
    start_server();
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &remote, STR("")), ICE_E_ADDRESS);
    assert_int_equal(ice_agent_add_local(&net.b.agent, &loopback), 0);
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &remote, STR("")), 0);
    assert_int_equal(net.b.agent.pairs.n_pairs, 1); /* only with our loopback candidate */
    c = good_check(), c.from = addr_v4(127, 0, 0, 1, 5001), c.to = loopback.addr;
    assert_int_equal(scripted_check(&net, &net.b, &c), 0);
    net_deinit(&net);
}

/* Take the first request that the server sends. */
static void take_request(struct dgram *d, uint8_t id[STUN_ID_LEN])
{
    struct stun_message m;
    for (;;) {
        assert_true(ice_agent_poll_send(&net.b.agent, d));
        assert_int_equal(stun_parse(d->data, d->len, &m), 0);
        if (m.class == STUN_REQUEST)
            break;
    }
    memcpy(id, m.id, STUN_ID_LEN);
}

static void forged_answers_change_nothing(void **state)
{
    uint8_t buf[ICE_SEND_CAP], id[STUN_ID_LEN];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    (void)state;
    start_server();
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    take_request(&d, id);
    const struct scripted_answer good = {
        .class = STUN_SUCCESS, .pwd = net.a.pwd, .has_mapped = true, .from = net.a.addr};
    struct scripted_answer forged[8];
    for (size_t i = 0; i < ARRAY_LEN(forged); i++)
        forged[i] = good;
    forged[0].is_foreign = true;
    forged[1].pwd = NULL;
    forged[2].pwd = net.b.pwd; /* reflected by someone who knows our side only */
    forged[3].from = addr_v4(198, 51, 100, 66, 6666);
    forged[4].from.port++;
    forged[5].has_mapped = false;
    forged[6] = (struct scripted_answer){.class = STUN_ERROR,
                                         .code = STUN_CODE_ROLE_CONFLICT,
                                         .from = net.a.addr}; /* not authentic: no role change */
    forged[7] = (struct scripted_answer){
        .class = STUN_ERROR, .code = STUN_CODE_BAD_REQUEST, .from = net.a.addr};
    for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
        struct ice_agent before = net.b.agent;
        struct ice_pair pair = net.b.agent.pairs.pairs[0];
        int r = scripted_answer(&net, &net.b, &forged[i], id);
        if (r != (i == 5 ? ICE_E_MALFORMED : ICE_E_NOT_OURS))
            fail_msg("answer %zu: %d", i, r);
        assert_memory_equal(&before, &net.b.agent, sizeof(before));
        assert_memory_equal(&pair, &net.b.agent.pairs.pairs[0], sizeof(pair));
    }
    assert_int_equal(scripted_answer(&net, &net.b, &good, id), 0);
    assert_true(ice_agent_is_valid(&net.b.agent, &net.b.addr, &net.a.addr));
    assert_int_equal(scripted_answer(&net, &net.b, &good, id),
                     ICE_E_NOT_OURS); /* a replay: already consumed */
    net_deinit(&net);
}

static void an_authentic_error_ends_the_check(void **state)
{
    uint8_t buf[ICE_SEND_CAP], id[STUN_ID_LEN];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    (void)state;
    start_server();
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    take_request(&d, id);
    struct scripted_answer error = {
        .class = STUN_ERROR, .code = STUN_CODE_BAD_REQUEST, .pwd = net.a.pwd, .from = net.a.addr};
    assert_int_equal(scripted_answer(&net, &net.b, &error, id), 0);
    assert_int_equal(net.b.agent.pairs.pairs[0].state, ICE_PAIR_FAILED);
    assert_int_equal(net.b.state, ICE_CHECKING); /* patience: the peer may come by itself */
    struct scripted_check c = good_check();
    c.from = net.a.addr;
    assert_int_equal(scripted_check(&net, &net.b, &c), 0);
    take_request(&d, id); /* it did, and is checked again */
    net_deinit(&net);
}

static void wrong_password_never_connects(void **state)
{
    (void)state;
    net_init(&net, 2);
    assert_int_equal(side_init(&net, &net.a, true, false), 0);
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(net_exchange_credentials(&net), 0);
    ice_agent_deinit(&net.b.agent);
    net.b.pwd = "cccccccccccccccccccccccc";
    assert_int_equal(side_init(&net, &net.b, false, false), 0);
    assert_int_equal(ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a),
                                          STR("dddddddddddddddddddddddd"), false),
                     0);
    assert_int_equal(net_trickle(&net, &net.a, &net.b), 0);
    assert_int_equal(net_trickle(&net, &net.b, &net.a), 0);
    assert_int_equal(net_run(&net, 60 * US_PER_S), 0);
    assert_int_equal(net.a.state, ICE_FAILED);
    assert_int_equal(net.b.state, ICE_FAILED);
    assert_int_equal(net.a.n_validated + net.b.n_validated, 0);
    assert_true(net.b.n_dropped >= STUN_RC);
    assert_int_equal(net.b.n_sent, STUN_RC); /* nobody was answered */
    net_deinit(&net);
}

static void sixty_four_candidates_and_no_more(void **state)
{
    (void)state;
    start_server();
    net.is_cut = true;
    for (unsigned i = 0; i < 80; i++) {
        struct ice_candidate c = net_host(addr_v4(10, 0, 9, (uint8_t)(i + 1), 1000), 100);
        assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")),
                         i < ICE_MAX_REMOTE_CANDIDATES ? 0 : ICE_E_LIMIT);
        assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")),
                         i < ICE_MAX_REMOTE_CANDIDATES ? 0 : ICE_E_LIMIT);
    }
    assert_int_equal(net_run(&net, 100 * US_PER_S), 0);
    assert_int_equal(net.b.state, ICE_FAILED);
    /* All that a peer can make us send to addresses of its choice. */
    assert_true(net.b.n_sent <= ICE_MAX_REMOTE_CANDIDATES * STUN_RC);
    assert_true(ice_agent_heap(&net.b.agent) < 512);
    net_deinit(&net);
}

static void an_authentic_peer_from_too_many_addresses(void **state)
{
    (void)state;
    start_server();
    for (unsigned i = 0; i < 40; i++) {
        struct scripted_check c = good_check();
        c.from.port = (uint16_t)(1000 + i);
        assert_int_equal(scripted_check(&net, &net.b, &c), i < ICE_MAX_PRFLX ? 0 : ICE_E_LIMIT);
        side_drain(&net, &net.b);
    }
    net_deinit(&net);
}

static void unfit_candidates_are_told_apart(void **state)
{
    (void)state;
    start_server();
    struct ice_candidate c = net_host(addr_v4(10, 0, 0, 7, 1000), 100);
    c.transport = ICE_TCP;
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), ICE_E_UNSUPPORTED);
    assert_int_equal(ice_agent_add_local(&net.b.agent, &c), ICE_E_ADDRESS);
    c = net_host(addr_v4(10, 0, 0, 7, 1000), 100), c.component = 2;
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), ICE_E_UNSUPPORTED);
    c = net_host(addr_v4(10, 0, 0, 7, 0), 100);
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("")), ICE_E_ADDRESS);
    c = net_host(addr_v4(10, 0, 0, 7, 1000), 100);
    assert_int_equal(ice_agent_add_remote(&net.b.agent, net.now, &c, STR("zzzz")),
                     ICE_E_GENERATION);
    net_deinit(&net);
}

static void unknown_required_attributes_get_a_420(void **state)
{
    uint8_t buf[ICE_SEND_CAP], id[STUN_ID_LEN] = "abcdefghijk";
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    struct stun_message m;
    (void)state;
    start_server();
    struct scripted_check c = good_check();
    d.local = c.to;
    d.remote = c.from;
    struct stun_writer w =
        stun_write_start(buf, sizeof(buf), STUN_REQUEST, STUN_METHOD_BINDING, id);
    bytes_put32(&w.w, 0x7f420000); /* type 0x7f42, empty */
    stun_write_username(&w, STR("bbbb:aaaa"));
    assert_int_equal(stun_write_end(&w, net_pwd(&net.b), &d.len), 0);
    assert_int_equal(ice_agent_input(&net.b.agent, net.now, &d), 0);
    assert_int_equal(net.b.agent.pairs.n_pairs, 0);
    assert_true(ice_agent_poll_send(&net.b.agent, &d));
    assert_int_equal(stun_parse(d.data, d.len, &m), 0);
    assert_int_equal(m.error_code, 420);
    assert_memory_equal(m.id, id, sizeof(id));
    assert_int_equal(stun_check_integrity(&m, net_pwd(&net.b)), 0);
    net_deinit(&net);
}

/* A check is answered from where it arrived, to where it came from, with integrity. */
static void answers_go_back_the_way_the_check_came(void **state)
{
    struct ice_candidate second = net_host(addr_v4(192, 0, 2, 3, 2223), 5);
    uint8_t buf[ICE_SEND_CAP];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    struct stun_message m;
    (void)state;
    start_server();
    assert_int_equal(ice_agent_add_local(&net.b.agent, &second), 0);
    struct scripted_check c = good_check();
    c.to = second.addr;
    assert_int_equal(scripted_check(&net, &net.b, &c), 0);
    assert_true(ice_agent_poll_send(&net.b.agent, &d));
    assert_true(addr_equal(&d.local, &second.addr));
    assert_true(addr_equal(&d.remote, &c.from));
    assert_int_equal(stun_parse(d.data, d.len, &m), 0);
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_true(addr_equal(&m.mapped, &c.from));
    assert_int_equal(stun_check_integrity(&m, net_pwd(&net.b)), 0);
    assert_true(m.has_fingerprint);
    /* … and the triggered check goes the same way, at once. */
    assert_true(ice_agent_poll_send(&net.b.agent, &d));
    assert_true(addr_equal(&d.local, &second.addr));
    assert_int_equal(stun_parse(d.data, d.len, &m), 0);
    assert_int_equal(m.class, STUN_REQUEST);
    assert_true(str_eq(m.username, STR("aaaa:bbbb")));
    assert_true(m.is_controlled && !m.use_candidate);
    assert_int_equal(m.priority >> 24, 110);
    assert_false(ice_agent_poll_send(&net.b.agent, &d));
    net_deinit(&net);
}

/* An owner that does not drain loses answers, not memory. */
static void answers_are_bounded(void **state)
{
    uint8_t buf[ICE_SEND_CAP];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    unsigned answers = 0;
    (void)state;
    start_server();
    for (uint8_t i = 0; i < 10; i++) {
        struct scripted_check c = good_check();
        c.id = i;
        assert_int_equal(scripted_check(&net, &net.b, &c), 0);
    }
    while (ice_agent_poll_send(&net.b.agent, &d)) {
        struct stun_message m;
        assert_int_equal(stun_parse(d.data, d.len, &m), 0);
        if (m.class != STUN_SUCCESS)
            continue;
        answers++;
        assert_int_equal(m.id[0], 10 - ICE_MAX_ANSWERS + answers - 1); /* the latest */
    }
    assert_int_equal(answers, ICE_MAX_ANSWERS);
    net_deinit(&net);
}

static void broken_stun_is_malformed(void **state)
{
    uint8_t bytes[] = "\x00\x01\x00\x08\x21\x12\xa4\x42"
                      "abcdefghijkl\x00\x24\x00\x08"
                      "abcd";
    struct dgram d = {
        .local = addr_v4(192, 0, 2, 2, 2222), .remote = addr_v4(10, 0, 0, 1, 1111), .data = bytes};
    (void)state;
    start_server();
    for (d.len = 0; d.len < sizeof(bytes); d.len++)
        assert_int_equal(ice_agent_input(&net.b.agent, net.now, &d), ICE_E_MALFORMED);
    net_deinit(&net);
}

static void keepalive_indications_are_ignored(void **state)
{
    uint8_t buf[64], id[STUN_ID_LEN] = {1};
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    (void)state;
    start_server();
    d.local = net.b.addr;
    d.remote = net.a.addr;
    struct stun_writer w =
        stun_write_start(buf, sizeof(buf), STUN_INDICATION, STUN_METHOD_BINDING, id);
    assert_int_equal(stun_write_end(&w, STR(""), &d.len), 0);
    struct ice_agent before = net.b.agent;
    assert_int_equal(ice_agent_input(&net.b.agent, net.now, &d), 0);
    assert_memory_equal(&before, &net.b.agent, sizeof(before));
    net_deinit(&net);
}

/* A life with everything in it, once for each allocation that can fail. */
static int whole_life(void)
{
    struct ice_candidate second = net_host(addr_v4(10, 0, 0, 8, 888), 5);
    int r = net_start(&net, true, true);
    if (r == 0)
        r = ice_agent_add_local(&net.a.agent, &second);
    if (r == 0)
        r = ice_agent_add_remote(&net.b.agent, net.now, &second, STR(""));
    if (r == 0)
        r = net_run(&net, 10 * US_PER_S);
    net.a.ufrag = "aaa2";
    net.b.ufrag = "bbb2";
    if (r == 0)
        r = ice_agent_set_remote(&net.b.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a), false);
    if (r == 0)
        r = ice_agent_restart(&net.b.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b));
    if (r == 0)
        r = ice_agent_restart(&net.a.agent, net.now, net_ufrag(&net.a), net_pwd(&net.a));
    if (r == 0)
        r = ice_agent_set_remote(&net.a.agent, net.now, net_ufrag(&net.b), net_pwd(&net.b), false);
    if (r == 0)
        r = net_trickle(&net, &net.a, &net.b);
    if (r == 0)
        r = net_run(&net, 10 * US_PER_S);
    net.is_cut = true;
    return r ? r : net_run(&net, 60 * US_PER_S);
}

static void any_failed_allocation_is_told(void **state)
{
    (void)state;
    for (unsigned n = 1;; n++) {
        net_init(&net, 3);
        mem_fail_at(n);
        int r = whole_life();
        bool was_hit = mem_count() >= n;
        mem_fail_at(0);
        /* Giving memory back may fail without harm: then all is as if it had not. */
        assert_true(r == -ENOMEM || r == 0);
        if (r == 0) {
            assert_int_equal(net.b.n_lost, 1);
            assert_int_equal(net.b.state, ICE_FAILED);
        }
        net_deinit(&net);
        if (!was_hit) {
            assert_int_equal(r, 0);
            assert_true(n > 20);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_leave_no_trace),
        cmocka_unit_test(loopback_is_fine_where_we_are_on_loopback),
        cmocka_unit_test(forged_answers_change_nothing),
        cmocka_unit_test(an_authentic_error_ends_the_check),
        cmocka_unit_test(wrong_password_never_connects),
        cmocka_unit_test(sixty_four_candidates_and_no_more),
        cmocka_unit_test(an_authentic_peer_from_too_many_addresses),
        cmocka_unit_test(unfit_candidates_are_told_apart),
        cmocka_unit_test(unknown_required_attributes_get_a_420),
        cmocka_unit_test(answers_go_back_the_way_the_check_came),
        cmocka_unit_test(answers_are_bounded),
        cmocka_unit_test(broken_stun_is_malformed),
        cmocka_unit_test(keepalive_indications_are_ignored),
        cmocka_unit_test(any_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
