/* Calls of browsers whose network lets no UDP through: over TCP, against the real engine. */
#include "bench.h"
#include "engine/tcp.h"
#include "log/counters.h"

static const char *const files[2] = {"chromium_audio.sdp", "firefox_audio.sdp"};

static uint64_t counter(enum counter which)
{
    uint64_t values[COUNTER_N];
    counter_snapshot(values);
    return values[which];
}

static struct bench *bench_with_tcp(void)
{
    struct engine_config config = bench_config();
    config.tcp = true;
    return bench_new_with(config);
}

/* @param mask bit per leg: this one has no UDP */
static void call_without_udp(struct bench *b, unsigned call, unsigned mask)
{
    assert_int_equal(bench_start(b, call, files), 0);
    for (unsigned leg = 0; leg < 2; leg++)
        b->browsers[2 * call + leg].has_no_udp = mask >> leg & 1;
    bench_answer(b, call);
}

static unsigned wanted[BENCH_MAX_BROWSERS];
static uint16_t next_seq = 65500;

static bool both_have_heard(struct bench *b, unsigned call)
{
    return b->browsers[2 * call].n_rtp >= wanted[2 * call] &&
           b->browsers[2 * call + 1].n_rtp >= wanted[2 * call + 1];
}

/* n packets each way arrive, with their bytes. */
static void talk(struct bench *b, unsigned call, unsigned n)
{
    for (unsigned leg = 0; leg < 2; leg++)
        wanted[2 * call + leg] = b->browsers[2 * call + leg].n_rtp + n;
    for (unsigned i = 0; i < n; i++) {
        for (unsigned leg = 0; leg < 2; leg++)
            browser_send(&b->browsers[2 * call + leg], next_seq, bench_payload,
                         sizeof(bench_payload));
        next_seq++;
    }
    bench_wait(b, both_have_heard, call);
    for (unsigned leg = 0; leg < 2; leg++) {
        struct browser *br = &b->browsers[2 * call + leg];
        assert_int_equal(br->rtp.payload_len, sizeof(bench_payload));
        assert_memory_equal(br->rtp_data + br->rtp.header_len, bench_payload,
                            sizeof(bench_payload));
    }
}

static void the_answer_offers_tcp_below_udp(void **state)
{
    struct ice_candidate udp, tcp;
    (void)state;
    struct bench *b = bench_with_tcp();
    assert_int_equal(bench_start(b, 0, files), 0);
    const struct engine_answer *answer = &b->answers->legs[0];
    assert_int_equal(answer->n_candidates, 2);
    assert_int_equal(ice_candidate_parse(str_of(answer->candidates[0]), &udp), 0);
    assert_int_equal(ice_candidate_parse(str_of(answer->candidates[1]), &tcp), 0);
    assert_int_equal(tcp.transport, ICE_TCP);
    assert_int_equal(tcp.tcptype, ICE_TCP_PASSIVE);
    assert_true(tcp.priority < udp.priority);
    assert_true(addr_equal(&tcp.addr, &udp.addr)); /* the same port */
    assert_string_not_equal(tcp.foundation, udp.foundation);
    bench_free(b);
}

static void calls_come_up_whoever_lacks_udp(void **state)
{
    (void)state;
    struct bench *b = bench_with_tcp();
    for (unsigned call = 0; call < 4; call++)
        call_without_udp(b, call, call);
    bench_wait_all(b, is_connected, 4);
    for (unsigned call = 0; call < 4; call++) {
        talk(b, call, 100);
        for (unsigned leg = 0; leg < 2; leg++)
            assert_int_equal(b->browsers[2 * call + leg].peer->path_remote.tcp,
                             call >> leg & 1 ? BENCH_CONNECTION : 0);
        for (unsigned leg = 0; leg < 2; leg++)
            assert_int_equal(b->calls[call].path[leg].is_tcp, call >> leg & 1);
    }
    for (unsigned call = 0; call < 4; call++)
        engine_pipeline_release(b->engine, bench_id(call));
    bench_wait_all(b, is_gone, 4);
    bench_free(b);
}

static bool has_heard_the_goodbye(struct bench *b, unsigned call)
{
    return b->browsers[2 * call].ended && b->browsers[2 * call + 1].ended;
}

static void a_released_call_says_goodbye_and_closes_its_connections(void **state)
{
    (void)state;
    struct bench *b = bench_with_tcp();
    call_without_udp(b, 0, 3);
    bench_wait(b, is_connected, 0);
    engine_pipeline_release(b->engine, bench_id(0));
    bench_wait(b, has_heard_the_goodbye, 0);
    bench_wait(b, is_gone, 0);
    uint8_t byte;
    assert_true(recv(b->browsers[0].tcp_fd, &byte, 1, 0) <= 0); /* waits for the end */
    assert_true(recv(b->browsers[1].tcp_fd, &byte, 1, 0) <= 0);
    bench_free(b);
}

static bool has_asked_for_a_path(struct bench *b, unsigned call)
{
    return b->browsers[2 * call].peer->path_local.port == b->browsers[2 * call].tcp_addr.port;
}

/* A connection is reset in the middle of a frame; the browser connects again: the call goes on. */
static void a_reset_connection_is_replaced(void **state)
{
    const struct linger reset = {.l_onoff = 1};
    (void)state;
    struct bench *b = bench_with_tcp();
    call_without_udp(b, 0, 1);
    bench_wait(b, is_connected, 0);
    talk(b, 0, 10);
    struct browser *br = &b->browsers[0];
    struct addr server = br->peer->path_remote, old = br->peer->path_local;
    assert_int_equal(send(br->tcp_fd, "\1\0half", 6, MSG_NOSIGNAL), 6);
    assert_int_equal(setsockopt(br->tcp_fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    browser_connect(br, &server);
    assert_int_equal(ice_agent_disconnected(&br->peer->ice, bench_now(), &old, &server), 0);
    const struct ice_candidate again = browser_tcp_candidate(br);
    assert_int_equal(ice_agent_add_local(&br->peer->ice, &again), 0);
    struct ice_candidate remote = again;
    remote.tcptype = ICE_TCP_PASSIVE;
    remote.addr = server;
    br->peer->ice.state = ICE_CHECKING; /* as libwebrtc does: it pings again what it lost */
    assert_int_equal(peer_add_candidate(br->peer, bench_now(), &remote, STR("")), 0);
    br->peer->ice.state = ICE_COMPLETED;
    br->peer->ice.path_is_nominated = false;
    bench_wait(b, has_asked_for_a_path, 0);
    talk(b, 0, 10);
    assert_false(b->calls[0].ended[0] || b->calls[0].ended[1]);
    bench_free(b);
}

/* Those who only connect, dribble, or talk nonsense do not disturb those who call. */
static void strangers_do_not_disturb(void **state)
{
    enum { N = 1000 };
    static int fds[N];
    (void)state;
    struct bench *b = bench_with_tcp();
    uint64_t before = counter(COUNTER_TCP_REFUSED) + counter(COUNTER_TCP_NOT_PROVEN);
    call_without_udp(b, 0, 3);
    bench_wait(b, is_connected, 0);
    struct browser stranger = {0};
    for (unsigned i = 0; i < N; i++) {
        /* Who is refused at once may learn it from connect already. */
        int err = browser_try_connect(&stranger, &b->browsers[0].peer->path_remote);
        assert_true(err == 0 || err == ECONNRESET);
        fds[i] = stranger.tcp_fd;
        stranger.tcp_fd = 0;
        (void)!send(fds[i], i & 1 ? "\0" : "\377\377", 1 + !(i & 1), MSG_NOSIGNAL);
        if (i % 100 == 99)
            talk(b, 0, 10);
    }
    talk(b, 0, 50);
    assert_true(counter(COUNTER_TCP_REFUSED) + counter(COUNTER_TCP_NOT_PROVEN) - before >= N / 2);
    for (unsigned i = 0; i < N; i++)
        (void)close(fds[i]);
    bench_free(b);
}

static bool is_full(struct bench *b, unsigned call)
{
    (void)call;
    browser_send(&b->browsers[1], next_seq++, bench_payload, sizeof(bench_payload));
    return counter(COUNTER_TCP_QUEUE_FULL) > wanted[0];
}

/* The caller stops reading: its packets are dropped, the other direction and the call go on. */
static void a_caller_who_does_not_read_hurts_himself_only(void **state)
{
    (void)state;
    struct bench *b = bench_with_tcp();
    call_without_udp(b, 0, 1);
    bench_wait(b, is_connected, 0);
    wanted[0] = (unsigned)counter(COUNTER_TCP_QUEUE_FULL);
    b->browsers[0].has_left = true; /* reads no more, though connected */
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (!is_full(b, 0) && bench_now() < limit)
        bench_turn(b, bench_now());
    assert_true(counter(COUNTER_TCP_QUEUE_FULL) > wanted[0]);
    b->browsers[0].has_left = false;
    talk(b, 0, 1); /* what waited comes, and what is new after it */
    bench_free(b);
}

/* An address of its own, where no other test looks for free ports. */
static void a_port_whose_tcp_is_taken_is_named(void **state)
{
    char error[ENGINE_ERROR_MAX];
    struct addr at = addr_v4(127, 77, 0, 1, 0);
    struct tcp other;
    struct socket udp;
    int err;
    (void)state;
    struct bench *b = bench_with_tcp();
    do {
        at.port = 0;
        assert_int_equal(socket_open(&udp, &at), 0);
        at.port = udp.bound.port;
        err = tcp_open(&other, &at, false);
        socket_close(&udp);
    } while (err == -EADDRINUSE);
    assert_int_equal(err, 0);
    struct engine_config config = bench_config();
    config.tcp = true;
    config.workers = 1;
    config.listen = at;
    assert_null(bench_engine(b, config, error));
    assert_non_null(strstr(error, "TCP"));
    tcp_close(&other);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_offers_tcp_below_udp),
        cmocka_unit_test(calls_come_up_whoever_lacks_udp),
        cmocka_unit_test(a_released_call_says_goodbye_and_closes_its_connections),
        cmocka_unit_test(a_reset_connection_is_replaced),
        cmocka_unit_test(strangers_do_not_disturb),
        cmocka_unit_test(a_caller_who_does_not_read_hurts_himself_only),
        cmocka_unit_test(a_port_whose_tcp_is_taken_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
