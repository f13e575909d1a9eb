/*
 * WebSockets frame by frame: handshake, messages, closes, pings, limits.
 */
#include "base/mem.h"
#include "unit/net/bench.h"

static void start(struct bench *b)
{
    bench_init(b);
    b->config.limits = (struct net_limits){.max_frame = 65536};
    bench_start(b);
}

/** The example of RFC 6455 §1.3. */
static void handshake_gives_the_rfc_accept_key(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    start(&b);
    struct client *c = client_open(&b);
    assert_int_equal(client_upgrade(c, "/one2one?x=1",
                                    "Origin: http://localhost\r\n"
                                    "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                                    &r),
                     101);
    assert_string_equal(response_header(&r, "Sec-WebSocket-Accept"),
                        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_null(response_header(&r, "Sec-WebSocket-Protocol"));
    assert_null(response_header(&r, "Sec-WebSocket-Extensions"));
    assert_int_equal(b.opened, 1);
    assert_int_equal(b.last_tag, 7);
    assert_string_equal(b.last_peer.path, "/one2one");
    assert_string_equal(b.last_origin, "http://localhost");
    assert_true(addr_is_loopback(&b.last_peer.remote));
    assert_int_equal(b.last_peer.local.port, net_server_http_port(b.server));
    assert_false(b.last_peer.is_tls);
    assert_int_equal(net_server_sockets(b.server), 1);

    struct client *other = client_open(&b);
    assert_int_equal(client_upgrade(other, "/call", "", &r), 101);
    assert_int_equal(b.last_tag, 8);
    assert_int_equal(b.last_socket, 2);
    client_free(c);
    client_free(other);
    BENCH_UNTIL(&b, b.closed == 2);
    assert_int_equal(net_server_sockets(b.server), 0);
    bench_deinit(&b);
}

static void refusals_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *request; /* without the empty line */
        int status;
        const char *text;
    } cases[] = {
#define UP  "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
        {"GET /other HTTP/1.1\r\n" UP KEY V13, 404, "/one2one"},
        {"GET /one2one/ HTTP/1.1\r\n" UP KEY V13, 404, ""},
        {"GET /One2One HTTP/1.1\r\n" UP KEY V13, 404, ""},
        {"GET /one2one HTTP/1.1\r\n" UP V13, 400, "Sec-WebSocket-Key"},
        {"GET /one2one HTTP/1.1\r\n" UP "Sec-WebSocket-Key: short\r\n" V13, 400, "16 bytes"},
        {"GET /one2one HTTP/1.1\r\n" UP KEY, 426, "13"},
        {"GET /one2one HTTP/1.1\r\n" UP KEY "Sec-WebSocket-Version: 8\r\n", 426, "13"},
        {"GET /one2one HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY V13, 400,
         "Host"},
        {"GET /one2one HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" KEY V13, 400, "Connection"},
        {"GET /one2one HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: close\r\n" KEY V13,
         400, "Connection"},
        {"POST /one2one HTTP/1.1\r\n" UP KEY V13, 400, "GET"},
        {"GET /one2one HTTP/1.1\r\n" UP KEY V13 "Sec-WebSocket-Protocol: chat\r\n", 400,
         "subprotocol"},
        {"GET /one2one HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n", 400,
         "websocket"},
    };
    struct bench b;
    struct response r;
    start(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[1024];
        struct client *c = client_open(&b);
        snprintf(request, sizeof(request), "%s\r\n", cases[i].request);
        assert_true(client_request(c, request, false, &r));
        if (r.status != cases[i].status || !strstr(r.body, cases[i].text))
            print_error("case %zu: %d %s\n", i, r.status, r.body);
        assert_int_equal(r.status, cases[i].status);
        assert_non_null(strstr(r.body, cases[i].text));
        response_free(&r);
        client_wait_end(c);
        client_free(c);
    }
    assert_int_equal(b.opened, 0);
    bench_deinit(&b);
}

static void messages_are_echoed(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 127, 4095, 4096, 4097, 20000, 65535, 65536};
    struct bench b;
    static char text[65536];
    start(&b);
    struct client *c = client_websocket(&b);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_true(client_send_frame(c, true, WS_TEXT, text, sizes[i]));
        client_expect_text(c, text, sizes[i]);
    }
    /* Binary comes back as text: kurento-client sends JSON in both. */
    assert_true(client_send_frame(c, true, WS_BINARY, text, 300));
    client_expect_text(c, text, 300);
    /* What is not UTF-8 is passed on: who parses the message says what is wrong with it. */
    assert_true(client_send_frame(c, true, WS_TEXT, "\xff\xfe\x00z", 4));
    client_expect_text(c, "\xff\xfe\x00z", 4);
    client_free(c);
    bench_deinit(&b);
}

static void fragments_become_one_message(void **state)
{
    (void)state;
    struct bench b;
    static char text[65536];
    struct frame *f = calloc(1, sizeof(*f));
    memset(text, 'x', sizeof(text));
    start(&b);
    struct client *c = client_websocket(&b);
    assert_true(client_send_frame(c, false, WS_TEXT, "Hel", 3));
    assert_true(client_send_frame(c, false, WS_CONT, "", 0));
    /* RFC 6455 §5.4: control frames may stand between fragments. */
    assert_true(client_send_frame(c, true, WS_PING, "between", 7));
    assert_true(client_send_frame(c, true, WS_PONG, "unasked", 7));
    assert_true(client_read_frame(c, f));
    assert_int_equal(f->opcode, WS_PONG);
    assert_string_equal((char *)f->data, "between");
    assert_int_equal(b.messages, 0);
    assert_true(client_send_frame(c, true, WS_CONT, "lo", 2));
    client_expect_text(c, "Hello", 5);
    assert_int_equal(b.messages, 1);

    /* Empty first, empty last, exactly the limit */
    assert_true(client_send_frame(c, false, WS_BINARY, "", 0));
    for (int i = 0; i < 16; i++)
        assert_true(client_send_frame(c, false, WS_CONT, text, 4096));
    assert_true(client_send_frame(c, true, WS_CONT, "", 0));
    client_expect_text(c, text, 65536);

    /* 1000 fragments of one byte in one segment */
    for (int i = 0; i < 1000; i++)
        assert_true(client_send_frame(c, i == 999, i == 0 ? WS_TEXT : WS_CONT, "y", 1));
    memset(text, 'y', 1000);
    client_expect_text(c, text, 1000);
    client_free(c);
    free(f);
    bench_deinit(&b);
}

static void too_long_is_closed_with_the_limits_name(void **state)
{
    (void)state;
    static const char reason[] = "message exceeds http.max_frame (65536 bytes)";
    struct bench b;
    static char text[65537];
    memset(text, 'x', sizeof(text));
    start(&b);
    struct client *c = client_websocket(&b);
    assert_true(client_send_frame(c, true, WS_TEXT, text, 65537));
    client_expect_close(c, 1009, reason);
    client_free(c);

    c = client_websocket(&b); /* by fragments */
    for (int i = 0; i < 17; i++)
        (void)client_send_frame(c, false, i == 0 ? WS_TEXT : WS_CONT, text, 4000);
    client_expect_close(c, 1009, reason);
    client_free(c);

    c = client_websocket(&b); /* promised only: nothing is kept for it, nothing waited for */
    static const unsigned char huge[] = {0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 1,    2,    3,    4,    'a'};
    static char filling[8192];
    assert_true(client_write(c, huge, sizeof(huge)));
    assert_true(client_write(c, filling, sizeof(filling)));
    client_expect_close(c, 1009, reason);
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 3);
    assert_int_equal(b.messages, 0);
    bench_deinit(&b);
}

static void protocol_errors_end_the_socket(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[16];
        size_t len;
        int code; /* 0 = no close frame */
    } cases[] = {
        {{0xc1, 0x80, 1, 2, 3, 4}, 6, 1002},      /* RSV1 without an extension */
        {{0xb1, 0x80, 1, 2, 3, 4}, 6, 1002},      /* RSV2, 3 */
        {{0x83, 0x80, 1, 2, 3, 4}, 6, 1002},      /* opcode 3 */
        {{0x8b, 0x80, 1, 2, 3, 4}, 6, 1002},      /* opcode 11 */
        {{0x09, 0x80, 1, 2, 3, 4}, 6, 1002},      /* a fragmented ping */
        {{0x89, 0xfe, 0, 126, 1, 2, 3, 4}, 8, 0}, /* a long ping */
        {{0x80, 0x80, 1, 2, 3, 4}, 6, 1002},      /* continues nothing */
        {{0x01, 0x80, 1, 2, 3, 4, 0x81, 0x80, 1, 2, 3, 4}, 12, 1002}, /* text inside of text */
    };
    struct bench b;
    start(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client *c = client_websocket(&b);
        assert_true(client_write(c, cases[i].bytes, cases[i].len));
        if (cases[i].code)
            client_expect_close_frame(c, cases[i].code, NULL);
        else
            client_wait_end(c);
        client_free(c);
        BENCH_UNTIL(&b, b.closed == i + 1);
    }
    assert_int_equal(b.messages, 0);
    bench_deinit(&b);
}

static void closes_are_answered(void **state)
{
    (void)state;
    struct bench b;
    struct frame *f = calloc(1, sizeof(*f));
    start(&b);
    struct client *c = client_websocket(&b);
    uint64_t id = b.last_socket;
    assert_true(client_send_frame(c, true, WS_CLOSE,
                                  "\x03\xe8"
                                  "bye",
                                  5));
    assert_true(client_read_frame(c, f));
    assert_int_equal(f->opcode, WS_CLOSE);
    assert_memory_equal(f->data, "\x03\xe8", 2);
    client_wait_end(c);
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 1);
    assert_int_equal(b.last_closed, id);

    /* An id that names nothing any more does no harm. */
    assert_int_equal(net_server_send(b.server, id, STR("late")), 0);
    net_server_close_socket(b.server, id, 1000, STR("late"));

    c = client_websocket(&b); /* ours, behind what was queued */
    assert_true(b.last_socket != id);
    assert_int_equal(net_server_send(b.server, b.last_socket, STR("one")), 0);
    assert_int_equal(net_server_send(b.server, b.last_socket, STR("two")), 0);
    net_server_close_socket(b.server, b.last_socket, 4000, STR("enough"));
    net_server_close_socket(b.server, b.last_socket, 4001, STR("twice"));
    assert_int_equal(net_server_send(b.server, b.last_socket, STR("three")), 0);
    assert_int_equal(b.closed, 1); /* not from within the call */
    client_expect_text(c, "one", 3);
    client_expect_text(c, "two", 3);
    client_expect_close(c, 4000, "enough");
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 2);

    c = client_websocket(&b); /* a reason is cut between two characters, not inside of one */
    static const char umlauts[] = "x\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
                                  "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
                                  "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
                                  "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
                                  "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
                                  "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
                                  "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4";
    char cut[124];
    snprintf(cut, sizeof(cut), "%.123s", umlauts);
    net_server_close_socket(b.server, b.last_socket, 1000, str_of(umlauts));
    client_expect_close(c, 1000, cut);
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 3);

    /* A peer that does not answer the close frame is cut off. */
    c = client_websocket(&b);
    net_server_close_socket(b.server, b.last_socket, 1000, STR(""));
    BENCH_UNTIL(&b, b.closed == 4);
    client_free(c);
    free(f);
    bench_deinit(&b);
}

static void peer_that_vanishes_is_noticed(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    struct client *c = client_websocket(&b);
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)); /* RST */
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 1);
    c = client_websocket(&b);
    assert_true(client_send_frame(c, false, WS_TEXT, "half a mess", 11));
    client_free(c); /* FIN */
    BENCH_UNTIL(&b, b.closed == 2);
    bench_deinit(&b);
}

static void silent_peer_is_pinged_and_then_closed(void **state)
{
    (void)state;
    struct bench b;
    struct frame *f = calloc(1, sizeof(*f));
    bench_init(&b);
    b.config.limits = (struct net_limits){.ping_interval = 60 * US_PER_MS, .max_missed_pings = 2};
    bench_start(&b);

    mono_us opened = net_loop_now();
    struct client *c = client_websocket(&b);
    for (int i = 0; i < 5; i++) { /* who answers stays */
        assert_true(client_read_frame(c, f));
        assert_int_equal(f->opcode, WS_PING);
        assert_true(net_loop_now() - opened >= (i + 1) * 55 * US_PER_MS);
        assert_true(client_send_frame(c, true, WS_PONG, f->data, f->len));
    }
    assert_int_equal(b.closed, 0);
    /* Who does not, gets two and then the close. The pong of the last round counts for one. */
    unsigned pings = 0;
    while (client_read_frame(c, f) && f->opcode == WS_PING)
        pings++;
    assert_true(pings == 2 || pings == 3);
    assert_int_equal(f->opcode, WS_CLOSE);
    assert_int_equal(f->data[0] << 8 | f->data[1], 1008);
    assert_string_equal((char *)f->data + 2, "2 pings without an answer (http.ping_interval)");
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 1);

    c = client_websocket(&b); /* messages count as life too */
    b.no_echo = true;
    mono_us end = net_loop_now() + 400 * US_PER_MS;
    while (net_loop_now() < end) {
        mono_us next = net_loop_now() + 30 * US_PER_MS;
        assert_true(client_send_text(c, "x"));
        BENCH_UNTIL(&b, net_loop_now() >= next);
    }
    assert_int_equal(b.closed, 1);
    client_free(c);
    free(f);
    bench_deinit(&b);
}

static void reader_that_does_not_read_is_closed(void **state)
{
    (void)state;
    struct bench b;
    static char text[32000];
    memset(text, 'q', sizeof(text));
    bench_init(&b);
    b.config.limits = (struct net_limits){.max_queue_bytes = 128 * 1024};
    bench_start(&b);
    struct client *c = client_websocket(&b);
    uint64_t id = b.last_socket;

    /* Four fit at once. */
    for (int i = 0; i < 4; i++)
        assert_int_equal(net_server_send(b.server, id, (struct str){text, sizeof(text)}), 0);
    for (int i = 0; i < 4; i++)
        client_expect_text(c, text, sizeof(text));

    /* And now nobody reads: the kernel's buffers fill, then the queue. */
    unsigned n = 0;
    while (b.closed == 0 && n < 2000) {
        assert_int_equal(net_server_send(b.server, id, (struct str){text, sizeof(text)}), 0);
        net_loop_step(b.loop, 0);
        n++;
    }
    BENCH_UNTIL(&b, b.closed == 1);
    assert_true(n >= 4);
    client_free(c);

    /* Who reads what there is gets the reason: in one go, five are too many. */
    c = client_websocket(&b);
    for (int i = 0; i < 5; i++)
        assert_int_equal(net_server_send(b.server, b.last_socket, (struct str){text, sizeof(text)}),
                         0);
    client_expect_close(c, 1008, "does not read: http.queue_bytes (131072 bytes) is full");
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 2);
    bench_deinit(&b);
}

static void sockets_are_limited_by_address_and_in_all(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    struct client *c[6];
    bench_init(&b);
    b.config.limits =
        (struct net_limits){.max_sockets_per_address = 3, .max_sockets = 5, .limit_loopback = true};
    b.config.http_listen = "[::]:0"; /* both families: also ::1 and 127.0.0.1 differ */
    bench_start(&b);
    for (int i = 0; i < 3; i++)
        c[i] = client_websocket(&b);
    struct client *refused = client_open(&b);
    assert_int_equal(client_upgrade(refused, "/one2one", "", &r), 429);
    assert_non_null(strstr(r.body, "http.max_sockets_per_address (3)"));
    assert_non_null(response_header(&r, "Retry-After"));
    response_free(&r);
    client_free(refused);

    uint16_t port = net_server_http_port(b.server);
    for (int i = 3; i < 5; i++) { /* another address is not concerned */
        c[i] = client_open_from(&b, port, "127.0.0.1", "127.0.0.2");
        assert_int_equal(client_upgrade(c[i], "/one2one", "", &r), 101);
    }
    refused = client_open_from(&b, port, "::1", NULL);
    assert_int_equal(client_upgrade(refused, "/one2one", "", &r), 503);
    assert_non_null(strstr(r.body, "http.max_sockets (5)"));
    response_free(&r);
    client_free(refused);

    client_free(c[0]); /* a place becomes free */
    BENCH_UNTIL(&b, b.closed == 1);
    c[0] = client_websocket(&b);
    for (int i = 0; i < 5; i++)
        client_free(c[i]);
    BENCH_UNTIL(&b, b.closed == 6);
    bench_deinit(&b);
}

static void loopback_is_exempt_by_default(void **state)
{
    (void)state;
    struct bench b;
    struct client *c[8];
    bench_init(&b);
    b.config.limits = (struct net_limits){.max_sockets_per_address = 3};
    bench_start(&b);
    for (int i = 0; i < 8; i++)
        c[i] = client_websocket(&b);
    for (int i = 0; i < 8; i++)
        client_free(c[i]);
    bench_deinit(&b);
}

static void connections_of_one_address_are_limited(void **state)
{
    (void)state;
    enum { N = 80 };
    struct bench b;
    struct client *c[N];
    unsigned ended = 0;
    bench_init(&b);
    b.config.limits = (struct net_limits){.max_sockets_per_address = 1, .limit_loopback = true};
    bench_start(&b);
    for (int i = 0; i < N; i++)
        c[i] = client_open(&b);
    /* 1 + 64 may stay, without having said a word yet; the others are closed at once. */
    mono_us end = net_loop_now() + PATIENCE;
    while (ended < N - 65) {
        assert_true(net_loop_now() < end);
        net_loop_step(b.loop, net_loop_now() + US_PER_MS);
        ended = 0;
        for (int i = 0; i < N; i++) {
            (void)client_pump(c[i]);
            ended += c[i]->ended;
        }
    }
    assert_int_equal(ended, N - 65);
    for (int i = 0; i < N; i++)
        client_free(c[i]);
    bench_deinit(&b);
}

static void foreign_origins_are_refused_when_a_list_is_set(void **state)
{
    (void)state;
    static const char *const origins[] = {"https://phone.example.org", "http://localhost:8080"};
    static const struct {
        const char *header;
        int status;
    } cases[] = {
        {"Origin: https://phone.example.org\r\n", 101},
        {"Origin: HTTPS://Phone.example.org\r\n", 101},
        {"Origin: http://localhost:8080\r\n", 101},
        {"", 101}, /* no browser */
        {"Origin: https://phone.example.org.evil.example\r\n", 403},
        {"Origin: https://evil.example\r\n", 403},
        {"Origin: http://phone.example.org\r\n", 403},
        {"Origin: null\r\n", 403},
    };
    struct bench b;
    struct response r;
    bench_init(&b);
    b.config.origins = origins;
    b.config.n_origins = 2;
    bench_start(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client *c = client_open(&b);
        assert_int_equal(client_upgrade(c, "/one2one", cases[i].header, &r), cases[i].status);
        if (r.status == 403)
            assert_non_null(strstr(r.body, "http.origins"));
        response_free(&r);
        client_free(c);
    }
    bench_deinit(&b);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    for (unsigned n = 1; n <= 8; n++) {
        struct response r = {0};
        struct client *c = client_open(&b);
        mem_fail_at(n); /* connection, its address, the tables, socket, message, … */
        if (client_upgrade(c, "/one2one", "", &r) == 101) {
            char text[9000];
            memset(text, 'z', sizeof(text));
            if (client_send_frame(c, true, WS_TEXT, text, sizeof(text))) {
                struct frame *f = calloc(1, sizeof(*f));
                b.no_echo = true;
                (void)client_need(c, 0);
                net_loop_step(b.loop, net_loop_now() + 5 * US_PER_MS);
                int sent = net_server_send(b.server, b.last_socket, STR("after"));
                assert_true(sent == 0 || sent == -12);
                /* Either the message, or a close with 1011, or the end: no silence. */
                if (client_read_frame(c, f))
                    assert_true((f->opcode == WS_TEXT && f->len == 5) || f->opcode == WS_CLOSE);
                free(f);
            }
        }
        mem_fail_at(0);
        response_free(&r);
        client_free(c);
        unsigned opened = b.opened;
        BENCH_UNTIL(&b, b.closed == opened);
    }
    b.no_echo = false;
    struct client *c = client_websocket(&b);
    assert_true(client_send_text(c, "still here"));
    client_expect_text(c, "still here", 10);
    client_free(c);
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {

        cmocka_unit_test(handshake_gives_the_rfc_accept_key),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(messages_are_echoed),
        cmocka_unit_test(fragments_become_one_message),
        cmocka_unit_test(too_long_is_closed_with_the_limits_name),
        cmocka_unit_test(protocol_errors_end_the_socket),
        cmocka_unit_test(closes_are_answered),
        cmocka_unit_test(peer_that_vanishes_is_noticed),
        cmocka_unit_test(silent_peer_is_pinged_and_then_closed),
        cmocka_unit_test(reader_that_does_not_read_is_closed),
        cmocka_unit_test(sockets_are_limited_by_address_and_in_all),
        cmocka_unit_test(loopback_is_exempt_by_default),
        cmocka_unit_test(connections_of_one_address_are_limited),
        cmocka_unit_test(foreign_origins_are_refused_when_a_list_is_set),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
