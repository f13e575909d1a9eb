/* Addresses of WebSocket servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/ws_url.h"

static void the_parts_are_found(void **state)
{
    static const struct {
        const char *text;
        bool is_tls;
        const char *host;
        uint16_t port;
        const char *path;
        const char *shown;
    } cases[] = {
        {"ws://kms:8888/kurento", false, "kms", 8888, "/kurento", "ws://kms:8888/kurento"},
        {"wss://a.b-c.example/kurento?access_token=s3cret", true, "a.b-c.example", 443,
         "/kurento?access_token=s3cret", "wss://a.b-c.example:443/kurento"},
        {"ws://127.0.0.1", false, "127.0.0.1", 80, "/", "ws://127.0.0.1:80/"},
        {"ws://[::1]:9/x", false, "::1", 9, "/x", "ws://[::1]:9/x"},
        {"ws://h?q=1", false, "h", 80, "/?q=1", "ws://h:80/"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ws_url url;
        char buf[WS_URL_MAX];
        assert_true(ws_url_parse(str_of(cases[i].text), &url));
        assert_int_equal(url.is_tls, cases[i].is_tls);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_string_equal(url.path, cases[i].path);
        assert_string_equal(ws_url_write(&url, buf), cases[i].shown);
    }
}

static void what_is_none_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "kms:8888",
        "http://kms:8888/kurento",
        "ws://",
        "ws:///kurento",
        "ws://:8888/",
        "ws://kms:0/",
        "ws://kms:65536/",
        "ws://kms:x/",
        "ws://user:secret@kms:8888/kurento",
        "ws://kms:8888/kurento#here",
        "ws://kms:8888/a b",
        "ws://kms:8888/\r\nX: y",
        "ws://k\"ms/",
        "WS://kms/",
    };
    struct ws_url url;
    char text[WS_PATH_MAX + WS_HOST_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(ws_url_parse(str_of(bad[i]), &url));
    memset(text, 'a', sizeof(text));
    memcpy(text, "ws://", 5);
    assert_false(ws_url_parse((struct str){text, 5 + WS_HOST_MAX}, &url));
    memcpy(text, "ws://h/", 7);
    assert_false(ws_url_parse((struct str){text, 6 + WS_PATH_MAX}, &url));
    assert_true(ws_url_parse((struct str){text, 5 + WS_PATH_MAX}, &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_are_found),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
