/*
 * Starting and stopping: addresses, error texts, the orderly end, nothing left behind.
 */
#include <sys/resource.h>

#include "base/mem.h"
#include "unit/net/bench.h"

static void ports_are_chosen_and_told(void **state)
{
    (void)state;
    struct bench b;
    char url[NET_URL_MAX];
    bench_init(&b);
    bench_start(&b);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", net_server_http_port(b.server));
    assert_string_equal(net_server_http_url(b.server), url);
    assert_true(net_server_http_port(b.server) > 0);
    assert_string_equal(net_server_https_url(b.server), "");
    assert_int_equal(net_server_https_port(b.server), 0);
    assert_string_equal(net_server_fingerprint(b.server), "");
    net_server_free(b.server);

    b.config.http_listen = "[::]:0";
    b.config.https_listen = "0.0.0.0:0";
    bench_start(&b);
    snprintf(url, sizeof(url), "http://[::]:%u", net_server_http_port(b.server));
    assert_string_equal(net_server_http_url(b.server), url);
    snprintf(url, sizeof(url), "https://0.0.0.0:%u", net_server_https_port(b.server));
    assert_string_equal(net_server_https_url(b.server), url);

    static const char *const both[] = {"127.0.0.1", "::1"};
    for (int i = 0; i < 2; i++) {
        struct response r;
        struct client *c = client_open_from(&b, net_server_http_port(b.server), both[i], NULL);
        assert_true(client_request(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", false, &r));
        assert_int_equal(r.status, 200);
        response_free(&r);
        client_free(c);
    }
    bench_deinit(&b);
}

static void expect_refused(struct bench *b, const char *one, const char *two)
{
    b->error[0] = 0;
    assert_int_equal(net_server_new(b->loop, &b->config, &b->server, b->error), NET_E_CONFIG);
    if (!strstr(b->error, one) || !strstr(b->error, two))
        print_error("%s\n", b->error);
    assert_non_null(strstr(b->error, one));
    assert_non_null(strstr(b->error, two));
}

static void bad_settings_are_explained(void **state)
{
    (void)state;
    static const char *const nonsense[] = {
        "8080",     "localhost:80",  "127.0.0.1", "127.0.0.1:70000",
        "::1:8080", "127.0.0.1:80x", ":8080"};
    struct bench b;
    bench_init(&b);
    /* Somebody else's listener. Not a second server: the library wants to be alone in a process. */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &at_len), 0);
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        b.config.http_listen = nonsense[i];
        expect_refused(&b, "http.listen: ", "127.0.0.1:8080");
    }
    char taken[64];
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", ntohs(at.sin_port));
    b.config.http_listen = taken;
    expect_refused(&b, "http.listen: 127.0.0.1:", "is already in use");
    b.config.http_listen = NULL;
    b.config.https_listen = taken;
    expect_refused(&b, "https.listen: 127.0.0.1:", "is already in use");
    b.config.https_listen = NULL;
    b.config.http_listen = "192.0.2.1:0"; /* RFC 5737: nobody's */
    expect_refused(&b, "http.listen: 192.0.2.1:0", "not an address of this machine");
    b.config.http_listen = "127.0.0.1:0";
    b.config.web_root = "/nonexistent";
    expect_refused(&b, "http.web_root: ", "/nonexistent");
    close(fd);
    bench_deinit(&b);
}

static void on_stopped(void *user)
{
    struct bench *b = user;
    b->stopped = true;
}

static void stop_says_goodbye_and_flushes(void **state)
{
    (void)state;
    struct bench b;
    struct frame *f = calloc(1, sizeof(*f));
    struct response r;
    struct client *c[3];
    bench_init(&b);
    b.no_echo = true;
    bench_start(&b);
    for (int i = 0; i < 3; i++) {
        c[i] = client_websocket(&b);
        assert_int_equal(net_server_send(b.server, b.last_socket, STR("last words")), 0);
    }
    struct client *idle = client_open(&b); /* an HTTP connection that is kept alive */
    assert_true(client_request(idle, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", false, &r));
    response_free(&r);
    uint16_t port = net_server_http_port(b.server);

    net_server_stop(b.server, 5 * US_PER_S, on_stopped, &b);
    assert_int_equal(b.closed, 0); /* nothing happens within the call */
    assert_false(b.stopped);
    for (int i = 0; i < 3; i++) {
        client_expect_text(c[i], "last words", 10);
        client_expect_close(c[i], 1001, "the server is stopping");
        client_free(c[i]);
    }
    client_wait_end(idle);
    client_free(idle);
    BENCH_UNTIL(&b, b.stopped);
    assert_int_equal(b.closed, 3);

    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    free(f);
    bench_deinit(&b);
}

static void stop_is_bounded(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    bench_init(&b);
    bench_start(&b);
    struct client *silent = client_websocket(&b); /* does not answer the close frame */
    struct client *waiting = client_open(&b);     /* has not asked for anything yet */
    bench_get(&b, "/healthz", &r);
    response_free(&r);
    net_server_stop(b.server, 100 * US_PER_MS, on_stopped, &b);
    BENCH_UNTIL(&b, b.stopped);
    assert_int_equal(b.closed, 1);
    client_wait_end(silent);
    client_wait_end(waiting);
    client_free(silent);
    client_free(waiting);
    bench_deinit(&b);

    bench_init(&b); /* nobody there: at once, but from the loop */
    bench_start(&b);
    net_server_stop(b.server, 3600 * US_PER_S, on_stopped, &b);
    assert_false(b.stopped);
    BENCH_UNTIL(&b, b.stopped);
    bench_deinit(&b);
}

static void nothing_is_left_open(void **state)
{
    (void)state;
    unsigned before = 0;
    for (int round = 0; round < 3; round++) {
        struct bench b;
        struct client *c[10];
        bench_init(&b);
        b.config.https_listen = "127.0.0.1:0";
        bench_start(&b);
        for (int i = 0; i < 10; i++)
            c[i] = i % 2 ? client_websocket(&b) : client_open(&b);
        if (round == 1) { /* after a stop; else everything is cut off by free */
            net_server_stop(b.server, 50 * US_PER_MS, on_stopped, &b);
            BENCH_UNTIL(&b, b.stopped);
        }
        unsigned closed = b.closed;
        net_server_free(b.server);
        b.server = NULL;
        assert_int_equal(b.closed, closed); /* free tells nobody */
        for (int i = 0; i < 10; i++)
            client_free(c[i]);
        bench_deinit(&b);
        if (round == 0)
            before = bench_count_fds(); /* libraries open some for good */
        assert_int_equal(bench_count_fds(), before);
    }
}

static void descriptors_may_run_out(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    struct rlimit was;
    bench_init(&b);
    bench_start(&b);
    bench_get(&b, "/healthz", &r);
    response_free(&r);
    struct client *c = client_open(&b); /* waits to be accepted */
    const char *request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    unsigned rounds = 0;
    mono_us end = net_loop_now() + 350 * US_PER_MS;
    while (net_loop_now() < end) {
        net_loop_step(b.loop, end);
        rounds++;
    }
    assert_true(rounds < 50); /* it rests between its attempts */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_true(client_request(c, request, false, &r));
    assert_int_equal(r.status, 200);
    response_free(&r);
    client_free(c);
    bench_deinit(&b);
}

static void any_allocation_may_fail_at_start(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.config.https_listen = "127.0.0.1:0";
    bench_start(&b); /* so that the pair is there */
    net_server_free(b.server);
    b.server = NULL;
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int result = net_server_new(b.loop, &b.config, &b.server, b.error);
        unsigned made = mem_count();
        mem_fail_at(0);
        if (result == 0) {
            assert_true(made < n);
            break;
        }
        assert_int_equal(result, -ENOMEM);
        assert_non_null(strstr(b.error, "emory"));
        assert_null(b.server);
        assert_true(n < 100);
    }
    bench_deinit(&b);
}

static void many_sockets_come_and_go(void **state)
{
    (void)state;
    enum { N = 300 };
    struct bench b;
    static struct client *c[N];
    bench_init(&b);
    bench_start(&b);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++)
            c[i] = client_websocket(&b);
        assert_int_equal(net_server_sockets(b.server), N);
        for (int i = 0; i < N; i++)
            assert_true(client_send_text(c[i], "ping"));
        for (int i = 0; i < N; i++)
            client_expect_text(c[i], "ping", 4);
        for (int i = 0; i < N; i++)
            client_free(c[i]);
        BENCH_UNTIL(&b, net_server_sockets(b.server) == 0);
    }
    assert_int_equal(b.opened, 2 * N);
    assert_int_equal(b.closed, 2 * N);
    assert_int_equal(b.last_socket, 2 * N); /* ids are not used again */
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_chosen_and_told),
        cmocka_unit_test(bad_settings_are_explained),
        cmocka_unit_test(stop_says_goodbye_and_flushes),
        cmocka_unit_test(stop_is_bounded),
        cmocka_unit_test(nothing_is_left_open),
        cmocka_unit_test(descriptors_may_run_out),
        cmocka_unit_test(any_allocation_may_fail_at_start),
        cmocka_unit_test(many_sockets_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
