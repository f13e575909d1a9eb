/* SDES lines: what is used, what is passed over, and base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "sdp/crypto.h"

#define KEY "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define SHA "AES_CM_128_HMAC_SHA1_80 "
#define GCM "AEAD_AES_128_GCM "

static void lines_that_are_used(void **state)
{
    (void)state;
    static const struct {
        const char *value, *written;
    } rows[] = {
        {"1 " SHA "inline:" KEY, "a=crypto:1 " SHA "inline:" KEY "\r\n"},
        {"7 " SHA "inline:" KEY "|2^20", "a=crypto:7 " SHA "inline:" KEY "\r\n"},
        {"1 " SHA "inline:" KEY "|1048576  WSH=128 -NEW", "a=crypto:1 " SHA "inline:" KEY "\r\n"},
        {"2 " GCM "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==",
         "a=crypto:2 " GCM "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\r\n"},
        {"2 " GCM "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw",
         "a=crypto:2 " GCM "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buf[128];
        struct text t;
        struct sdp_crypto c;
        assert_true(sdp_crypto_parse(str_of(rows[i].value), &c));
        text_init(&t, buf, sizeof(buf));
        sdp_crypto_write(&t, &c);
        assert_string_equal(buf, rows[i].written);
    }
    struct sdp_crypto c;
    assert_true(sdp_crypto_parse(STR("1 " SHA "inline:" KEY), &c));
    assert_memory_equal(c.key, "wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#", 30);
}

static void lines_that_are_passed_over(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "1",
        "x " SHA "inline:" KEY,
        "1234567890 " SHA "inline:" KEY,
        "1 AES_CM_128_HMAC_SHA1_32 inline:" KEY,
        "1 " SHA,
        "1 " SHA "prompt:" KEY,
        "1 " SHA "inline:" KEY "A",
        "1 " SHA "inline:",
        "1 " SHA "inline:====",
        "1 " SHA "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJS=j",
        "1 " SHA "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJS.j",
        "1 " SHA "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo=",
        "1 " SHA "inline:" KEY "|2^20|1:4",
        "1 " SHA "inline:" KEY "|1:4",
        "1 " SHA "inline:" KEY "|2^20;inline:" KEY,
        "1 " SHA "inline:" KEY " UNENCRYPTED_SRTCP",
        "1 " GCM "inline:" KEY,
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sdp_crypto c = {.tag = 77};
        assert_false(sdp_crypto_parse(str_of(rows[i]), &c));
        assert_int_equal(c.tag, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_are_used),
        cmocka_unit_test(lines_that_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
