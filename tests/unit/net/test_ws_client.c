/* The WebSocket client, against our own server on the same loop. */
#include "base/mem.h"
#include "net/ws_client.h"
#include "unit/net/bench.h"

#define TOKEN "0123456789abcdef"
#define LIMIT 100000

struct outgoing {
    struct bench b;
    struct net_ws_client *client;
    unsigned opened, messages, closed;
    char text[LIMIT + 1];
    size_t len;
    char why[256];
};

static void on_open(void *user)
{
    struct outgoing *o = user;
    o->opened++;
}

static void on_message(void *user, struct str text)
{
    struct outgoing *o = user;
    assert_true(text.len <= LIMIT);
    memcpy(o->text, text.p, text.len);
    o->len = text.len;
    o->messages++;
}

static void on_close(void *user, const char *why)
{
    struct outgoing *o = user;
    assert_true(str_copy(str_of(why), o->why, sizeof(o->why)));
    o->closed++;
}

static int make(struct outgoing *o, const char *url, const char *token)
{
    struct net_ws_client_config config = {
        .token = token,
        .max_frame = LIMIT,
        .max_queue_bytes = 4 * LIMIT,
        .handlers = {on_open, on_message, on_close},
        .user = o,
    };
    assert_true(ws_url_parse(str_of(url), &config.url));
    return net_ws_client_new(o->b.server, &config, &o->client, o->b.error);
}

static void begin(struct outgoing *o, const char *scheme, const char *host, const char *path,
                  const char *token)
{
    char url[256];
    bool is_tls = strcmp(scheme, "wss") == 0;
    snprintf(url, sizeof(url), "%s://%s:%u%s", scheme, host,
             is_tls ? net_server_https_port(o->b.server) : net_server_http_port(o->b.server), path);
    assert_int_equal(make(o, url, token), 0);
    net_ws_client_connect(o->client);
}

static void start(struct outgoing *o)
{
    memset(o, 0, sizeof(*o));
    bench_init(&o->b);
    bench_start(&o->b);
}

static void end(struct outgoing *o)
{
    net_ws_client_free(o->client);
    bench_deinit(&o->b);
}

static void assert_why(const struct outgoing *o, const char *part)
{
    if (!strstr(o->why, part))
        fail_msg("\"%s\" does not say \"%s\"", o->why, part);
}

static struct outgoing o;

static void messages_go_there_and_back(void **state)
{
    (void)state;
    static char large[LIMIT];
    start(&o);
    begin(&o, "ws", "127.0.0.1", "/one2one", NULL);
    assert_int_equal(o.opened, 0); /* never from within */
    BENCH_UNTIL(&o.b, o.opened == 1 && o.b.opened == 1);
    assert_int_equal(o.b.last_origin[0], 0);
    net_ws_client_send(o.client, STR("hello"));
    BENCH_UNTIL(&o.b, o.messages == 1);
    assert_memory_equal(o.text, "hello", o.len);
    memset(large, 'x', sizeof(large));
    large[0] = 'a';
    net_ws_client_send(o.client, (struct str){large, 60000});
    net_ws_client_send(o.client, STR("behind it"));
    BENCH_UNTIL(&o.b, o.messages == 3);
    assert_memory_equal(o.text, "behind it", o.len);
    net_ws_client_close(o.client);
    BENCH_UNTIL(&o.b, o.b.closed == 1);
    assert_int_equal(o.closed, 0);
    end(&o);
}

static void a_name_is_looked_up(void **state)
{
    (void)state;
    start(&o);
    begin(&o, "ws", "localhost", "/one2one", NULL);
    /* One of its addresses is not listened on, perhaps: the next attempt takes the next one. */
    BENCH_UNTIL(&o.b, o.opened || o.closed);
    if (o.closed)
        net_ws_client_connect(o.client);
    BENCH_UNTIL(&o.b, o.opened == 1);
    end(&o);
}

static void nobody_there(void **state)
{
    (void)state;
    start(&o);
    assert_int_equal(make(&o, "ws://127.0.0.1:1/kurento", NULL), 0);
    for (unsigned i = 1; i <= 3; i++) {
        net_ws_client_connect(o.client);
        assert_int_equal(o.closed, i - 1);
        BENCH_UNTIL(&o.b, o.closed == i);
    }
    assert_why(&o, "connection refused");
    net_ws_client_send(o.client, STR("dropped"));
    net_ws_client_connect(o.client);
    end(&o); /* in the middle of it */
}

static void no_websocket_there(void **state)
{
    (void)state;
    start(&o);
    begin(&o, "ws", "127.0.0.1", "/nothing", NULL);
    BENCH_UNTIL(&o.b, o.closed == 1);
    assert_int_equal(o.opened, 0);
    assert_why(&o, "no WebSocket at this path");
    end(&o);
}

static void the_other_side_ends_it(void **state)
{
    (void)state;
    start(&o);
    begin(&o, "ws", "127.0.0.1", "/one2one", NULL);
    BENCH_UNTIL(&o.b, o.b.opened == 1 && o.opened == 1);
    net_server_close_socket(o.b.server, o.b.last_socket, NET_CLOSE_POLICY, STR("enough"));
    BENCH_UNTIL(&o.b, o.closed == 1);
    assert_why(&o, "1008 enough");
    net_ws_client_connect(o.client);
    BENCH_UNTIL(&o.b, o.opened == 2);
    end(&o);
}

static void a_token_is_shown(void **state)
{
    (void)state;
    struct net_ws_client *right;
    memset(&o, 0, sizeof(o));
    bench_init(&o.b);
    o.b.config.api = (struct net_api_config){
        .listen = "127.0.0.1:0", .route = {.path = "/kurento", .tag = 9}, .token = TOKEN};
    bench_start(&o.b);
    assert_int_equal(make(&o, net_server_api_url(o.b.server), NULL), 0);
    net_ws_client_connect(o.client);
    BENCH_UNTIL(&o.b, o.closed == 1);
    assert_why(&o, "it wants a token");
    right = o.client;
    net_ws_client_free(right);
    assert_int_equal(make(&o, net_server_api_url(o.b.server), TOKEN), 0);
    net_ws_client_connect(o.client);
    BENCH_UNTIL(&o.b, o.opened == 1);
    end(&o);
}

static void too_much_ends_it(void **state)
{
    (void)state;
    static char large[LIMIT + 1];
    memset(large, 'x', sizeof(large));
    start(&o);
    begin(&o, "ws", "127.0.0.1", "/one2one", NULL);
    BENCH_UNTIL(&o.b, o.b.opened == 1 && o.opened == 1);
    assert_int_equal(net_server_send(o.b.server, o.b.last_socket, (struct str){large, LIMIT}), 0);
    BENCH_UNTIL(&o.b, o.messages == 1);
    assert_int_equal(net_server_send(o.b.server, o.b.last_socket, (struct str){large, LIMIT + 1}),
                     0);
    BENCH_UNTIL(&o.b, o.closed == 1);
    assert_why(&o, "too large");
    net_ws_client_connect(o.client);
    BENCH_UNTIL(&o.b, o.opened == 2);
    for (int i = 0; i < 5; i++)
        net_ws_client_send(o.client, (struct str){large, LIMIT});
    assert_int_equal(o.closed, 1); /* never from within */
    BENCH_UNTIL(&o.b, o.closed == 2);
    assert_why(&o, "does not read");
    end(&o);
}

static void closed_at_any_moment(void **state)
{
    (void)state;
    start(&o);
    begin(&o, "ws", "localhost", "/one2one", NULL);
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned step = 0; step < i; step++)
            net_loop_step(o.b.loop, net_loop_now() + 1000);
        net_ws_client_close(o.client);
        net_ws_client_connect(o.client);
    }
    end(&o);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    char url[128];
    start(&o);
    snprintf(url, sizeof(url), "ws://127.0.0.1:%u/one2one", net_server_http_port(o.b.server));
    for (unsigned fail_at = 1; fail_at < 12; fail_at++) {
        o.opened = o.closed = o.messages = 0;
        mem_fail_at(fail_at);
        int err = make(&o, url, NULL);
        if (err == 0)
            net_ws_client_connect(o.client);
        if (err == 0 && fail_at > 5) /* the server's side of it shall not run short */
            mem_fail_at(0);
        BENCH_UNTIL(&o.b, err || o.opened || o.closed);
        if (o.opened) {
            mem_fail_at(fail_at - 5);
            net_ws_client_send(o.client, STR("hello"));
            mem_fail_at(0);
            BENCH_UNTIL(&o.b, o.messages || o.closed);
        }
        mem_fail_at(0);
        assert_true(err == 0 || err == -ENOMEM);
        net_ws_client_free(o.client);
        o.client = NULL;
    }
    end(&o);
}

static void start_tls(const char *ca)
{
    memset(&o, 0, sizeof(o));
    bench_init(&o.b);
    o.b.config.https_listen = "127.0.0.1:0";
    o.b.config.client_ca = ca;
    bench_start(&o.b);
}

static void tls_is_verified(void **state)
{
    (void)state;
    char path[128];
    start_tls(NULL);
    begin(&o, "wss", "127.0.0.1", "/one2one", NULL);
    BENCH_UNTIL(&o.b, o.closed == 1);
    assert_int_equal(o.b.opened, 0);
    assert_why(&o, "not trusted: self-signed certificate");
    net_ws_client_free(o.client);
    net_server_free(o.b.server);

    DIR *d = opendir(o.b.dir);
    path[0] = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            snprintf(path, sizeof(path), "%s/%.60s", o.b.dir, e->d_name);
    closedir(d);
    o.b.config.client_ca = path;
    o.closed = 0;
    bench_start(&o.b);
    begin(&o, "wss", "localhost", "/one2one", NULL);
    BENCH_UNTIL(&o.b, o.opened || o.closed);
    if (o.closed)
        net_ws_client_connect(o.client);
    BENCH_UNTIL(&o.b, o.opened == 1);
    net_ws_client_send(o.client, STR("secret"));
    BENCH_UNTIL(&o.b, o.messages == 1);
    end(&o);
}

static void bad_authorities_are_told(void **state)
{
    (void)state;
    start_tls("/dev/null");
    assert_int_equal(make(&o, "wss://127.0.0.1:1/", NULL), NET_E_CONFIG);
    assert_non_null(strstr(o.b.error, "/dev/null"));
    end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_there_and_back),
        cmocka_unit_test(a_name_is_looked_up),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(no_websocket_there),
        cmocka_unit_test(the_other_side_ends_it),
        cmocka_unit_test(a_token_is_shown),
        cmocka_unit_test(too_much_ends_it),
        cmocka_unit_test(closed_at_any_moment),
        cmocka_unit_test(without_memory_it_says_so),
        cmocka_unit_test(tls_is_verified),
        cmocka_unit_test(bad_authorities_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
