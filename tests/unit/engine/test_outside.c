/* What STUN servers see of a port becomes what is offered: a real engine, and a server of our own
 * that says what the test wants. */
#include "bench.h"
#include "stun/message.h"

static const char *const files[2] = {"chromium_audio.sdp", "firefox_audio.sdp"};

/* A STUN server that claims to see `ip`, with the port plus `shift`. */
struct fake {
    struct socket socket;
    char name[ADDR_TEXT_MAX];
    struct addr ip;
    uint16_t shift;
    unsigned n_asked;
};

static void fake_open(struct fake *f, struct addr ip, uint16_t shift)
{
    const struct addr any_port = addr_v4(127, 0, 0, 1, 0);
    *f = (struct fake){.ip = ip, .shift = shift};
    assert_int_equal(socket_open(&f->socket, &any_port), 0);
    (void)addr_write(&f->socket.bound, f->name);
}

static void fake_serve(struct fake *f)
{
    struct dgram in[SOCKET_BATCH];
    size_t n = socket_rx_batch(&f->socket, in);
    for (size_t i = 0; i < n; i++) {
        uint8_t buf[128];
        struct stun_message question;
        struct addr seen = f->ip;
        struct dgram out = {.remote = in[i].remote, .data = buf, .cap = sizeof(buf)};
        assert_int_equal(stun_parse(in[i].data, in[i].len, &question), 0);
        assert_int_equal(question.username.len, 0);
        seen.port = (uint16_t)(in[i].remote.port + f->shift);
        struct stun_writer w =
            stun_write_start(buf, sizeof(buf), STUN_SUCCESS, STUN_METHOD_BINDING, question.id);
        stun_write_mapped(&w, &seen);
        assert_int_equal(stun_write_end(&w, STR(""), &out.len), 0);
        socket_tx_batch(&f->socket, &out, 1);
        f->n_asked++;
    }
}

static struct bench *bench_with_stun(const struct fake *f, bool external_auto, bool tcp)
{
    const char *names[] = {f->name};
    struct engine_config config = bench_config();
    config.stun = names;
    config.n_stun = 1;
    config.external_auto = external_auto;
    config.tcp = tcp;
    return bench_new_with(config);
}

static void wait_for_answers(struct bench *b, struct fake *f)
{
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (!engine_knows_outside(b->engine)) {
        struct pollfd fds[1 + SOCKET_FAMILIES] = {{.fd = b->wake_fd, .events = POLLIN}};
        nfds_t n = 1 + socket_poll_fds(&f->socket, fds + 1);
        assert_true(bench_now() < limit);
        assert_true(poll(fds, n, 10000) > 0);
        fake_serve(f);
        bench_turn(b, bench_now());
    }
}

static struct ice_candidate candidate(const struct bench *b, size_t i)
{
    struct ice_candidate c;
    assert_true(i < b->answers->legs[0].n_candidates);
    assert_int_equal(ice_candidate_parse(str_of(b->answers->legs[0].candidates[i]), &c), 0);
    return c;
}

static void what_they_see_is_offered_besides(void **state)
{
    struct fake f;
    (void)state;
    fake_open(&f, addr_v4(203, 0, 113, 9, 0), 1000);
    struct bench *b = bench_with_stun(&f, false, true);
    assert_false(engine_knows_outside(b->engine));
    wait_for_answers(b, &f);
    assert_int_equal(f.n_asked, 2); /* each worker's port */
    bench_call(b, 0);
    assert_int_equal(b->answers->legs[0].n_candidates, 3);
    struct ice_candidate host = candidate(b, 0), reflexive = candidate(b, 1);
    struct addr expected = f.ip;
    expected.port = (uint16_t)(host.addr.port + 1000);
    assert_int_equal(reflexive.type, ICE_SRFLX);
    assert_true(addr_equal(&reflexive.addr, &expected));
    assert_true(addr_equal(&reflexive.related, &host.addr));
    assert_true(reflexive.priority < host.priority);
    assert_int_equal(candidate(b, 2).transport, ICE_TCP);
    bench_wait(b, is_connected, 0); /* over the host candidate: nobody is at the other one */
    bench_free(b);
    socket_close(&f.socket);
}

static void with_auto_it_stands_in_front_of_ours(void **state)
{
    struct fake f;
    (void)state;
    fake_open(&f, addr_v4(203, 0, 113, 9, 0), 0);
    struct bench *b = bench_with_stun(&f, true, true);
    wait_for_answers(b, &f);
    assert_int_equal(bench_start(b, 0, files), 0);
    assert_int_equal(b->answers->legs[0].n_candidates, 2);
    for (size_t i = 0; i < 2; i++) {
        struct ice_candidate c = candidate(b, i);
        assert_int_equal(c.type, ICE_HOST);
        assert_true(addr_ip_equal(&c.addr, &f.ip));
        assert_int_equal(c.transport, i ? ICE_TCP : ICE_UDP);
        assert_null(strstr(b->answers->legs[0].candidates[i], "127.0.0.1"));
    }
    bench_free(b);
    socket_close(&f.socket);
}

static void without_a_nat_there_is_nothing_to_add(void **state)
{
    struct fake f;
    (void)state;
    fake_open(&f, addr_v4(127, 0, 0, 1, 0), 0);
    struct bench *b = bench_with_stun(&f, false, false);
    wait_for_answers(b, &f);
    bench_call(b, 0);
    assert_int_equal(b->answers->legs[0].n_candidates, 1);
    bench_wait(b, is_connected, 0);
    bench_free(b);
    socket_close(&f.socket);
}

static void a_silent_server_delays_no_call(void **state)
{
    struct fake f;
    (void)state;
    for (int external_auto = 0; external_auto < 2; external_auto++) {
        fake_open(&f, addr_v4(203, 0, 113, 9, 0), 0);
        struct bench *b = bench_with_stun(&f, external_auto, false);
        bench_call(b, 0);
        assert_false(engine_knows_outside(b->engine));
        assert_int_equal(b->answers->legs[0].n_candidates, 1);
        struct ice_candidate c = candidate(b, 0);
        assert_true(addr_is_loopback(&c.addr));
        bench_wait(b, is_connected, 0);
        bench_free(b);
        socket_close(&f.socket);
    }
}

/* A stranger who sends what looks like an answer changes nothing. */
static void forged_answers_are_dropped(void **state)
{
    struct fake f, forger;
    (void)state;
    fake_open(&f, addr_v4(203, 0, 113, 9, 0), 0);
    fake_open(&forger, addr_v4(198, 51, 100, 66, 0), 0);
    struct bench *b = bench_with_stun(&f, true, false);
    uint8_t buf[128], id[STUN_ID_LEN];
    memset(id, 0xff, sizeof(id));
    struct dgram d = {.remote = engine_listen_addr(b->engine, 0), .data = buf, .cap = sizeof(buf)};
    struct stun_writer w =
        stun_write_start(buf, sizeof(buf), STUN_SUCCESS, STUN_METHOD_BINDING, id);
    stun_write_mapped(&w, &forger.ip);
    assert_int_equal(stun_write_end(&w, STR(""), &d.len), 0);
    for (unsigned i = 0; i < 10; i++)
        socket_tx_batch(&forger.socket, &d, 1);
    wait_for_answers(b, &f);
    assert_int_equal(bench_start(b, 0, files), 0);
    struct ice_candidate c = candidate(b, 0);
    assert_true(addr_ip_equal(&c.addr, &f.ip));
    bench_free(b);
    socket_close(&f.socket);
    socket_close(&forger.socket);
}

static void that_there_is_nobody_to_ask_is_an_answer_too(void **state)
{
    const char *names[] = {"[2001:db8::1]:3478"}; /* and our ports are IPv4 */
    (void)state;
    struct engine_config config = bench_config();
    config.stun = names;
    config.n_stun = 1;
    struct bench *b = bench_new_with(config);
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (!engine_knows_outside(b->engine) && bench_now() < limit)
        bench_turn(b, limit);
    assert_true(engine_knows_outside(b->engine));
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_they_see_is_offered_besides),
        cmocka_unit_test(with_auto_it_stands_in_front_of_ours),
        cmocka_unit_test(without_a_nat_there_is_nothing_to_add),
        cmocka_unit_test(a_silent_server_delays_no_call),
        cmocka_unit_test(forged_answers_are_dropped),
        cmocka_unit_test(that_there_is_nobody_to_ask_is_an_answer_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
