/*
 * Files, texts and headers over a real connection.
 */
#include "net/web_files.h"
#include "unit/net/bench.h"

static const char index_html[] = "<!doctype html><title>x</title>";

static void start_with_folder(struct bench *b)
{
    bench_init(b);
    char path[128];
    bench_path(b, "web", path, sizeof(path));
    assert_int_equal(mkdir(path, 0755), 0);
    bench_path(b, "web/js", path, sizeof(path));
    assert_int_equal(mkdir(path, 0755), 0);
    bench_write_file(b, "web/index.html", index_html, strlen(index_html));
    bench_write_file(b, "web/js/main.js", "export {};", 10);
    bench_write_file(b, "web/.hidden", "no", 2);
    bench_write_file(b, "secret.txt", "secret", 6);
    static char root[128];
    bench_path(b, "web", root, sizeof(root));
    b->config.web_root = root;
    bench_start(b);
}

static void serves_files_with_type_and_security_headers(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type;
    } cases[] = {
        {"/", "text/html; charset=utf-8"},
        {"/index.html", "text/html; charset=utf-8"},
        {"/?name=alice", "text/html; charset=utf-8"},
        {"/js/main.js", "text/javascript; charset=utf-8"},
    };
    struct bench b;
    struct response r;
    start_with_folder(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bench_get(&b, cases[i].path, &r);
        assert_int_equal(r.status, 200);
        assert_string_equal(response_header(&r, "Content-Type"), cases[i].type);
        assert_string_equal(response_header(&r, "Cache-Control"), "no-cache");
        assert_string_equal(response_header(&r, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(response_header(&r, "X-Frame-Options"), "DENY");
        assert_string_equal(response_header(&r, "Referrer-Policy"), "no-referrer");
        assert_non_null(response_header(&r, "Date"));
        assert_non_null(strstr(response_header(&r, "Permissions-Policy"), "microphone=(self)"));
        const char *csp = response_header(&r, "Content-Security-Policy");
        assert_non_null(strstr(csp, "default-src 'self'"));
        assert_non_null(strstr(csp, "frame-ancestors 'none'"));
        assert_null(strstr(csp, "unsafe"));
        assert_null(response_header(&r, "Strict-Transport-Security"));
        assert_null(response_header(&r, "Server"));
        response_free(&r);
    }
    bench_get(&b, "/", &r);
    assert_string_equal(r.body, index_html);
    response_free(&r);
    bench_deinit(&b);
}

static void paths_stay_inside(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/../secret.txt",
        "/js/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/js/%2e%2e%2f%2e%2e%2fsecret.txt",
        "//etc/passwd",
        "/.hidden",
        "/js",
        "/js/",
        "/nothing.html",
        "/index.html/",
        "/index.html%00.js",
        "/js\\..\\..\\secret.txt",
        "/%ff%fe",
        "/js/main.js/../../../secret.txt",
        "/./secret.txt",
    };
    struct bench b;
    start_with_folder(&b);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char request[256];
        struct response r = {0};
        struct client *c = client_open(&b);
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i]);
        /* Hanging up is an answer too. */
        if (client_request(c, request, false, &r)) {
            if (r.status != 404)
                print_error("%s: %d %s\n", paths[i], r.status, r.body);
            assert_int_equal(r.status, 404);
            assert_null(strstr(r.body, "secret\n"));
        }
        response_free(&r);
        client_free(c);
    }
    bench_deinit(&b);
}

static void etag_saves_the_body(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    char request[512], etag[128];
    start_with_folder(&b);
    struct client *c = client_open(&b);
    assert_true(client_request(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false, &r));
    snprintf(etag, sizeof(etag), "%s", response_header(&r, "ETag"));
    assert_int_equal(etag[0], '"');
    response_free(&r);

    static const char *const matching[] = {"%s", "W/%s", "\"other\", %s", "*%.0s"};
    for (size_t i = 0; i < 4; i++) {
        char list[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(list, sizeof(list), matching[i], etag);
#pragma GCC diagnostic pop
        snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\n\r\n",
                 list);
        assert_true(client_request(c, request, false, &r)); /* the same connection */
        assert_int_equal(r.status, 304);
        assert_string_equal(response_header(&r, "ETag"), etag);
        assert_null(response_header(&r, "Content-Length"));
    }
    assert_true(client_request(c, "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"other\"\r\n\r\n",
                               false, &r));
    assert_int_equal(r.status, 200);
    response_free(&r);

    /* Another content is another tag. */
    bench_write_file(&b, "web/index.html", "changed", 7);
    assert_true(client_request(c, request, false, &r) || true);
    snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\n\r\n",
             etag);
    response_free(&r);
    assert_true(client_request(c, request, false, &r));
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "changed");
    response_free(&r);
    client_free(c);
    bench_deinit(&b);
}

static void head_is_get_without_body(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    start_with_folder(&b);
    struct client *c = client_open(&b);
    assert_true(client_request(c, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", true, &r));
    assert_int_equal(r.status, 200);
    assert_int_equal(atoi(response_header(&r, "Content-Length")), strlen(index_html));
    assert_true(client_request(c, "HEAD /none HTTP/1.1\r\nHost: x\r\n\r\n", true, &r));
    assert_int_equal(r.status, 404);
    assert_true(client_request(c, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", true, &r));
    assert_int_equal(r.status, 200);
    /* Nothing stands between the answers: the next one parses. */
    assert_true(client_request(c, "GET /js/main.js HTTP/1.1\r\nHost: x\r\n\r\n", false, &r));
    assert_string_equal(r.body, "export {};");
    response_free(&r);
    client_free(c);
    bench_deinit(&b);
}

static void texts_help(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    start_with_folder(&b);
    bench_get(&b, "/healthz", &r);
    assert_int_equal(r.status, 200);
    assert_string_equal(response_header(&r, "Content-Type"), "application/json");
    assert_string_equal(response_header(&r, "Cache-Control"), "no-store");
    assert_string_equal(r.body, "{\"status\":\"ok\"}\n");
    response_free(&r);

    bench_get(&b, "/none", &r);
    assert_int_equal(r.status, 404);
    assert_string_equal(response_header(&r, "Content-Type"), "text/plain; charset=utf-8");
    assert_non_null(response_header(&r, "Content-Security-Policy"));
    assert_non_null(strstr(r.body, "The page is at /"));
    response_free(&r);

    bench_get(&b, "/one2one", &r);
    assert_int_equal(r.status, 426);
    assert_string_equal(response_header(&r, "Upgrade"), "websocket");
    response_free(&r);

    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < 5; i++) {
        char request[256];
        struct client *c = client_open(&b);
        snprintf(request, sizeof(request),
                 "%s / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", methods[i]);
        assert_true(client_request(c, request, false, &r));
        assert_int_equal(r.status, 405);
        assert_string_equal(response_header(&r, "Allow"), "GET, HEAD");
        response_free(&r);
        client_wait_end(c);
        client_free(c);
    }
    bench_deinit(&b);
}

static void large_file_comes_whole_to_a_slow_reader(void **state)
{
    (void)state;
    enum { SIZE = 2 * 1024 * 1024 + 17 };
    struct bench b;
    struct response r;
    start_with_folder(&b);
    unsigned char *big = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        big[i] = (unsigned char)(i * 2654435761u >> 13);
    bench_write_file(&b, "web/big.wav", big, SIZE);
    struct client *c = client_open(&b);
    int small = 32768;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    assert_true(client_request(c, "GET /big.wav HTTP/1.1\r\nHost: x\r\n\r\n", false, &r));
    assert_int_equal(r.len, SIZE);
    assert_memory_equal(r.body, big, SIZE);
    response_free(&r);
    /* and the connection goes on */
    assert_true(client_request(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false, &r));
    assert_string_equal(r.body, index_html);
    response_free(&r);
    /* Leaving in the middle of it is no trouble either. */
    const char *again = "GET /big.wav HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_true(client_write(c, again, strlen(again)));
    assert_true(client_need(c, 1000));
    client_free(c);
    free(big);
    bench_get(&b, "/", &r);
    response_free(&r);
    bench_deinit(&b);
}

static void http_1_0_and_connection_close_end_the_connection(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"};
    struct bench b;
    struct response r;
    start_with_folder(&b);
    for (int i = 0; i < 2; i++) {
        struct client *c = client_open(&b);
        assert_true(client_request(c, requests[i], false, &r));
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body, index_html);
        response_free(&r);
        client_wait_end(c);
        client_free(c);
    }
    bench_deinit(&b);
}

static void nonsense_ends_the_connection_only(void **state)
{
    (void)state;
    static const char *const nonsense[] = {
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /* TLS on the plain port */
        "BREW / HTTP/1.1\r\n\r\n",
        "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        ("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    struct bench b;
    struct response r;
    start_with_folder(&b);
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        struct client *c = client_open(&b);
        assert_true(client_write(c, nonsense[i], strlen(nonsense[i])));
        shutdown(c->fd, SHUT_WR);
        client_wait_end(c);
        client_free(c);
    }
    /* A head that does not end, and is too long */
    struct client *c = client_open(&b);
    assert_true(client_write(c, "GET / HTTP/1.1\r\n", 16));
    for (int i = 0; i < 4096 && client_write(c, "X-Filling: 0123456789\r\n", 23); i++) {
    }
    client_free(c);
    bench_get(&b, "/", &r);
    assert_int_equal(r.status, 200);
    response_free(&r);
    bench_deinit(&b);
}

static void pages_in_the_program_are_served(void **state)
{
    (void)state;
    struct bench b;
    struct response r;
    bench_init(&b);
    bench_start(&b);
    for (size_t i = 0; i < net_n_web_files; i++) {
        const struct net_web_file *file = &net_web_files[i];
        bench_get(&b, file->path, &r);
        assert_int_equal(r.status, 200);
        assert_int_equal(r.len, file->len);
        assert_memory_equal(r.body, file->data, file->len);
        assert_string_equal(response_header(&r, "ETag"), file->etag);
        assert_string_not_equal(response_header(&r, "Content-Type"), "application/octet-stream");
        response_free(&r);
    }
    bench_get(&b, "/none.html", &r);
    assert_int_equal(r.status, 404);
    response_free(&r);
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_files_with_type_and_security_headers),
        cmocka_unit_test(paths_stay_inside),
        cmocka_unit_test(etag_saves_the_body),
        cmocka_unit_test(head_is_get_without_body),
        cmocka_unit_test(texts_help),
        cmocka_unit_test(large_file_comes_whole_to_a_slow_reader),
        cmocka_unit_test(http_1_0_and_connection_close_end_the_connection),
        cmocka_unit_test(nonsense_ends_the_connection_only),
        cmocka_unit_test(pages_in_the_program_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
