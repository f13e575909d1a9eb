/* Fingerprints as text and as bytes; the identity whose fingerprint is offered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "dtls/fingerprint.h"
#include "dtls/identity.h"

#define SHA256_TEXT                                                                                \
    "sha-256 00:01:7F:80:FF:AB:CD:EF:00:01:7F:80:FF:AB:CD:EF:00:01:7F:80:FF:AB:CD:EF:00:01:7F:80:" \
    "FF:AB:CD:EF"

static void text_and_back(void **state)
{
    static const uint8_t expected[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0xab, 0xcd, 0xef};
    struct dtls_fingerprint fp;
    char buf[DTLS_FINGERPRINT_TEXT_MAX];
    struct text text;
    (void)state;
    assert_int_equal(dtls_fingerprint_parse(STR(SHA256_TEXT), &fp), 0);
    assert_int_equal(fp.hash, DTLS_HASH_SHA256);
    for (size_t i = 0; i < 32; i += sizeof(expected))
        assert_memory_equal(fp.bytes + i, expected, sizeof(expected));
    text_init(&text, buf, sizeof(buf));
    dtls_fingerprint_write(&fp, &text);
    assert_false(text.failed);
    assert_string_equal(buf, SHA256_TEXT);
}

static void case_and_spaces_do_not_matter(void **state)
{
    struct dtls_fingerprint a, b;
    char lower[] = SHA256_TEXT;
    (void)state;
    for (char *p = lower; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
    memcpy(lower, "SHA-256", 7);
    assert_int_equal(dtls_fingerprint_parse(STR(SHA256_TEXT), &a), 0);
    assert_int_equal(dtls_fingerprint_parse(str_of(lower), &b), 0);
    assert_true(dtls_fingerprint_equal(&a, &b));
    assert_int_equal(dtls_fingerprint_parse(STR("  " SHA256_TEXT "  \r"), &b), 0);
    b.bytes[31] ^= 1;
    assert_false(dtls_fingerprint_equal(&a, &b));
    b = a;
    b.hash = DTLS_HASH_SHA384;
    assert_false(dtls_fingerprint_equal(&a, &b));
}

static void longest_text_fits(void **state)
{
    struct dtls_fingerprint fp = {.hash = DTLS_HASH_SHA512}, again;
    char buf[DTLS_FINGERPRINT_TEXT_MAX];
    struct text text;
    (void)state;
    memset(fp.bytes, 0xfe, sizeof(fp.bytes));
    text_init(&text, buf, sizeof(buf));
    dtls_fingerprint_write(&fp, &text);
    assert_false(text.failed);
    assert_int_equal(dtls_fingerprint_parse(text_str(&text), &again), 0);
    assert_true(dtls_fingerprint_equal(&fp, &again));
}

static void everything_else_is_refused(void **state)
{
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"", DTLS_FINGERPRINT_E_MALFORMED},
        {"sha-256", DTLS_FINGERPRINT_E_MALFORMED},
        {"sha-256 ", DTLS_FINGERPRINT_E_MALFORMED},
        {"sha-256 00", DTLS_FINGERPRINT_E_MALFORMED},
        {SHA256_TEXT ":", DTLS_FINGERPRINT_E_MALFORMED},
        {SHA256_TEXT ":00", DTLS_FINGERPRINT_E_MALFORMED},
        {SHA256_TEXT " 00", DTLS_FINGERPRINT_E_MALFORMED},
        {"sha-1 00:01:7F:80:FF:AB:CD:EF:00:01:7F:80:FF:AB:CD:EF:00:01:7F:80",
         DTLS_FINGERPRINT_E_UNKNOWN_HASH},
        {"md5 00", DTLS_FINGERPRINT_E_UNKNOWN_HASH},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dtls_fingerprint fp = {.bytes = {42}};
        assert_int_equal(dtls_fingerprint_parse(str_of(cases[i].text), &fp), cases[i].error);
        assert_int_equal(fp.bytes[0], 42);
    }
    /* One wrong character, in each place. */
    for (size_t i = 8; i < sizeof(SHA256_TEXT) - 1; i++) {
        struct dtls_fingerprint fp;
        char text[] = SHA256_TEXT;
        text[i] = text[i] == ':' ? '0' : 'G';
        assert_int_equal(dtls_fingerprint_parse(str_of(text), &fp), DTLS_FINGERPRINT_E_MALFORMED);
    }
}

static void identity_is_what_it_says(void **state)
{
    struct dtls_identity id, other;
    struct dtls_fingerprint fp;
    int days = 0, seconds = 0;
    const int64_t now = 1893456000; /* 2030-01-01 */
    (void)state;
    assert_int_equal(dtls_identity_init(&id, now), 0);
    assert_int_equal(dtls_identity_init(&other, now), 0);
    assert_int_equal(dtls_fingerprint_parse(str_of(id.text), &fp), 0);
    assert_true(dtls_fingerprint_equal(&fp, &id.fingerprint));
    assert_false(dtls_fingerprint_equal(&fp, &other.fingerprint));
    assert_int_equal(EVP_PKEY_get_base_id(id.key), EVP_PKEY_EC);
    assert_int_equal(EVP_PKEY_get_bits(id.key), 256);
    assert_int_equal(X509_verify(id.cert, id.key), 1);
    assert_true(ASN1_INTEGER_get(X509_get0_serialNumber(id.cert)) != 0);
    time_t start = (time_t)now;
    assert_int_equal(X509_cmp_time(X509_get0_notBefore(id.cert), &start), -1);
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(id.cert), &start), 1);
    assert_int_equal(
        ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(id.cert), X509_get0_notAfter(id.cert)),
        1);
    assert_int_equal(days, 3651);
    dtls_identity_deinit(&id);
    dtls_identity_deinit(&id); /* again is legal */
    dtls_identity_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(case_and_spaces_do_not_matter),
        cmocka_unit_test(longest_text_fits),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(identity_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
