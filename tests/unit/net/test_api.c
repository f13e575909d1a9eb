/* The port for programs: the manners of a Kurento Media Server, a token, no uninvited pages. */
#include "unit/net/bench.h"

#define TOKEN "0123456789abcdef"

static void start(struct bench *b, const char *token)
{
    bench_init(b);
    b->config.limits = (struct net_limits){.max_frame = 65536};
    b->config.api = (struct net_api_config){
        .listen = "127.0.0.1:0", .route = {.path = "/kurento", .tag = 9}, .token = token};
    bench_start(b);
}

static struct client *open_api(struct bench *b)
{
    unsigned port;
    assert_int_equal(sscanf(net_server_api_url(b->server), "ws://127.0.0.1:%u/kurento", &port), 1);
    return client_open_from(b, (uint16_t)port, "127.0.0.1", NULL);
}

static int upgrade(struct bench *b, const char *path, const char *headers)
{
    struct response r;
    struct client *c = open_api(b);
    int status = client_upgrade(c, path, headers, &r);
    response_free(&r);
    client_free(c);
    return status;
}

static void its_path_is_a_socket_with_larger_messages(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    static char text[65536 * 2];
    start(&b, NULL);
    b.no_echo = true;
    struct client *c = open_api(&b);
    assert_int_equal(client_upgrade(c, "/kurento?x=1", "Origin: localhost:8888\r\n", &r), 101);
    assert_int_equal(b.last_tag, 9);
    memset(text, 'x', sizeof(text));
    for (size_t at = 0; at < sizeof(text); at += 16384)
        assert_true(client_send_frame(c, at + 16384 == sizeof(text), at ? WS_CONT : WS_BINARY,
                                      text + at, 16384));
    BENCH_UNTIL(&b, b.messages == 1);
    assert_int_equal(b.message_len, sizeof(text));
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 1);
    bench_deinit(&b);
}

static void another_path_is_closed_with_1002(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/other", "/kurento/", "/one2one"};
    struct bench b;
    start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct response r;
        struct client *c = open_api(&b);
        assert_int_equal(client_upgrade(c, paths[i], "", &r), 101);
        client_expect_close(c, 1002, "Invalid path");
        client_free(c);
    }
    assert_int_equal(b.opened, 0);
    assert_int_equal(b.closed, 0);
    bench_deinit(&b);
}

static void what_is_no_websocket_is_told_so(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"GET /kurento HTTP/1.1\r\nHost: x\r\n\r\n", 426},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426},
        {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200},
        {"GET /kurento HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n\r\n",
         500}, /* the health check of Kurento's container */
    };
    struct bench b;
    start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct response r;
        struct client *c = open_api(&b);
        assert_true(client_request(c, cases[i].request, false, &r));
        assert_int_equal(r.status, cases[i].status);
        response_free(&r);
        client_free(c);
    }
    bench_deinit(&b);
}

static void pages_need_to_be_listed_and_programs_do_not(void **state)
{
    (void)state;
    static const char *const listed[] = {"https://app.example.org"};
    struct bench b;
    bench_init(&b);
    b.config.api = (struct net_api_config){.listen = "127.0.0.1:0",
                                           .route = {.path = "/kurento", .tag = 9},
                                           .origins = listed,
                                           .n_origins = 1};
    bench_start(&b);
    assert_int_equal(upgrade(&b, "/kurento", ""), 101);
    assert_int_equal(upgrade(&b, "/kurento", "Origin: localhost:8888\r\n"), 101);
    assert_int_equal(upgrade(&b, "/kurento", "Origin: https://app.example.org\r\n"), 101);
    assert_int_equal(upgrade(&b, "/kurento", "Origin: https://evil.example.org\r\n"), 403);
    assert_int_equal(upgrade(&b, "/kurento", "Origin: HTTP://evil.example.org\r\n"), 403);
    assert_int_equal(upgrade(&b, "/kurento", "Origin: null\r\n"), 403);
    char longest[300]; /* as long as names in the DNS can be, and more than is looked at */
    (void)snprintf(longest, sizeof(longest), "Origin: https://%0253d:65535\r\n", 0);
    assert_int_equal(upgrade(&b, "/kurento", longest), 403);
    bench_deinit(&b);
}

static void a_token_is_asked_for_before_the_upgrade(void **state)
{
    (void)state;
    static const struct {
        const char *path, *headers;
        int status;
    } cases[] = {
        {"/kurento", "", 401},
        {"/kurento?access_token=", "", 401},
        {"/kurento?access_token=0123456789abcdeX", "", 401},
        {"/kurento?access_token=0123456789abcde", "", 401},
        {"/kurento?access_token=" TOKEN "0", "", 401},
        {"/kurento", "Authorization: Bearer wrong\r\n", 401},
        {"/kurento", "Authorization: Basic " TOKEN "\r\n", 401},
        {"/other", "", 401},
        {"/kurento?access_token=" TOKEN, "", 101},
        {"/kurento?a=b&access_token=" TOKEN, "", 101},
        {"/kurento", "Authorization: Bearer " TOKEN "\r\n", 101},
        {"/kurento", "authorization: bearer " TOKEN "\r\n", 101},
    };
    struct bench b;
    start(&b, TOKEN);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = upgrade(&b, cases[i].path, cases[i].headers);
        if (status != cases[i].status)
            print_error("case %zu\n", i);
        assert_int_equal(status, cases[i].status);
    }
    bench_deinit(&b);
}

static void the_pages_ports_do_not_have_it(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    start(&b, NULL);
    struct client *c = client_open(&b);
    assert_int_equal(client_upgrade(c, "/kurento", "", &r), 404);
    response_free(&r);
    client_free(c);
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_path_is_a_socket_with_larger_messages),
        cmocka_unit_test(another_path_is_closed_with_1002),
        cmocka_unit_test(what_is_no_websocket_is_told_so),
        cmocka_unit_test(pages_need_to_be_listed_and_programs_do_not),
        cmocka_unit_test(a_token_is_asked_for_before_the_upgrade),
        cmocka_unit_test(the_pages_ports_do_not_have_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
