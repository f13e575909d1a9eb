/* Addresses of servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/url.h"

static void good_ones(void **state)
{
    static const struct {
        const char *text, *host, *authority, *path;
        uint16_t port;
        bool is_tls;
    } rows[] = {
        {"ws://127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080", "/one2one", 8080, false},
        {"ws://127.0.0.1:8080/", "127.0.0.1", "127.0.0.1:8080", "/one2one", 8080, false},
        {"wss://calls.example.org", "calls.example.org", "calls.example.org", "/one2one", 443,
         true},
        {"ws://host/call?x=1", "host", "host", "/call?x=1", 80, false},
        {"wss://[::1]:8443/call", "::1", "[::1]:8443", "/call", 8443, true},
        {"ws://[fd00::2]", "fd00::2", "[fd00::2]", "/one2one", 80, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct url u;
        assert_true(url_parse(str_of(rows[i].text), "/one2one", &u));
        assert_string_equal(u.host, rows[i].host);
        assert_string_equal(u.authority, rows[i].authority);
        assert_string_equal(u.path, rows[i].path);
        assert_int_equal(u.port, rows[i].port);
        assert_int_equal(u.is_tls, rows[i].is_tls);
    }
}

static void bad_ones(void **state)
{
    static const char *const rows[] = {
        "",         "ws:",         "http://host",     "ws://",         "ws:///path",
        "ws://:80", "ws://host:0", "ws://host:65536", "ws://host:80x", "ws://[::1]x",
        "ws://[]",
    };
    struct url u;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(url_parse(str_of(rows[i]), "/", &u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
