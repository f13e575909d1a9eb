/* STUN messages: the vectors of RFC 5769, and every way in which a message can be broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "stun/crc32.h"
#include "stun/message.h"

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

/* RFC 5769 §2.1 */
static const uint8_t sample_request[] =
    "\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
    "\x80\x22\x00\x10STUN test client"
    "\x00\x24\x00\x04\x6e\x00\x01\xff"
    "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
    "\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71"
    "\xa2"
    "\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

/* RFC 5769 §2.2 */
static const uint8_t sample_v4[] =
    "\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
    "\x80\x22\x00\x0btest vector "
    "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
    "\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7"
    "\xd7"
    "\x80\x28\x00\x04\xc0\x7d\x4c\x96";

/* RFC 5769 §2.3 */
static const uint8_t sample_v6[] =
    "\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
    "\x80\x22\x00\x0btest vector "
    "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9"
    "\xd9"
    "\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed"
    "\x41"
    "\x80\x28\x00\x04\xc8\xfb\x0b\x4c";

/* RFC 5769 §2.4 */
static const uint8_t sample_long_term[] =
    "\x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e"
    "\x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9\x00"
    "\x00"
    "\x00\x15\x00\x1c"
    "f//499k954d6OL34oL9FSTvy64sA"
    "\x00\x14\x00\x0b"
    "example.org\x00"
    "\x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8\x96"
    "\x66";

#define LEN(vector) (sizeof(vector) - 1)

static void crc_of_the_check_string(void **state)
{
    (void)state;
    assert_int_equal(stun_crc32((const uint8_t *)"123456789", 9), 0xCBF43926);
}

static void vector_request(void **state)
{
    struct stun_message m;
    struct str local;
    (void)state;
    assert_int_equal(stun_parse(sample_request, LEN(sample_request), &m), 0);
    assert_int_equal(m.class, STUN_REQUEST);
    assert_int_equal(m.method, STUN_METHOD_BINDING);
    assert_true(str_eq(m.software, STR("STUN test client")));
    assert_true(str_eq(m.username, STR("evtj:h6vY")));
    assert_true(m.has_priority);
    assert_int_equal(m.priority, 0x6e0001ff);
    assert_true(m.is_controlled);
    assert_false(m.is_controlling);
    assert_true(m.tie_breaker == UINT64_C(0x932ff9b151263b36));
    assert_true(m.has_fingerprint);
    assert_false(m.use_candidate);
    assert_int_equal(m.n_unknown, 0);
    assert_int_equal(stun_check_integrity(&m, STR(PASSWORD)), 0);
    assert_int_equal(stun_check_integrity(&m, STR("VOkJxbRl1RmTxUk/WvJxBu")), STUN_E_INTEGRITY);
    assert_int_equal(stun_check_integrity(&m, STR("")), STUN_E_INTEGRITY);
    assert_true(stun_peek_username(sample_request, LEN(sample_request), &local));
    assert_true(str_eq(local, STR("evtj")));
}

static void vector_responses(void **state)
{
    struct addr expected;
    struct stun_message m;
    struct str local;
    (void)state;
    assert_int_equal(stun_parse(sample_v4, LEN(sample_v4), &m), 0);
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_true(m.has_mapped);
    expected = addr_v4(192, 0, 2, 1, 32853);
    assert_true(addr_equal(&m.mapped, &expected));
    assert_true(str_eq(m.software, STR("test vector")));
    assert_int_equal(stun_check_integrity(&m, STR(PASSWORD)), 0);

    assert_int_equal(stun_parse(sample_v6, LEN(sample_v6), &m), 0);
    assert_true(addr_parse(STR("[2001:db8:1234:5678:11:2233:4455:6677]:32853"), &expected));
    assert_true(addr_equal(&m.mapped, &expected));
    assert_int_equal(stun_check_integrity(&m, STR(PASSWORD)), 0);
    assert_false(stun_peek_username(sample_v6, LEN(sample_v6), &local));
}

static void vector_long_term(void **state)
{
    static const char user_realm_password[] =
        "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9:example.org:"
        "TheMatrIX";
    uint8_t key[16];
    size_t key_len = 0;
    struct stun_message m;
    (void)state;
    assert_int_equal(EVP_Q_digest(NULL, "MD5", NULL, user_realm_password,
                                  sizeof(user_realm_password) - 1, key, &key_len),
                     1);
    assert_int_equal(stun_parse(sample_long_term, LEN(sample_long_term), &m), 0);
    assert_false(m.has_fingerprint);
    assert_true(str_eq(m.realm, STR("example.org")));
    assert_true(str_eq(m.nonce, STR("f//499k954d6OL34oL9FSTvy64sA")));
    assert_int_equal(m.username.len, 18);
    assert_int_equal(stun_check_integrity(&m, (struct str){(const char *)key, key_len}), 0);
}

/* Every bit before FINGERPRINT counts: flip each one, and one check or the other refuses it. What
 * stands behind MESSAGE-INTEGRITY can be stripped by anyone; ICE relies on the integrity. */
static void any_changed_bit_is_noticed(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * (LEN(sample_request) - 8); bit++) {
        uint8_t copy[LEN(sample_request)];
        struct stun_message m;
        memcpy(copy, sample_request, sizeof(copy));
        copy[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        int r = stun_parse(copy, sizeof(copy), &m);
        assert_true(r || stun_check_integrity(&m, STR(PASSWORD)));
    }
}

static void any_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < LEN(sample_request); len++) {
        uint8_t *copy = test_malloc(len + 1);
        struct stun_message m;
        struct str local;
        memcpy(copy, sample_request, len);
        assert_false(stun_is_message(copy, len));
        assert_int_equal(stun_parse(copy, len, &m), STUN_E_NOT_STUN);
        assert_false(stun_peek_username(copy, len, &local));
        if (len >= 20) { /* with a length field that agrees */
            copy[2] = (uint8_t)((len - 20) >> 8);
            copy[3] = (uint8_t)(len - 20);
            int r = stun_parse(copy, len, &m);
            if (len != LEN(sample_request) - 8) /* FINGERPRINT as a whole may be missing */
                assert_true(r || stun_check_integrity(&m, STR(PASSWORD)));
        }
        test_free(copy);
    }
}

#define HEADER(type, len)                                                                          \
    type "\x00" len "\x21\x12\xa4\x42"                                                             \
         "abcdefghijkl"
#define REQUEST(len) HEADER("\x00\x01", len)
#define SUCCESS(len) HEADER("\x01\x01", len)
#define FAILURE(len) HEADER("\x01\x11", len)

static void broken_and_odd_messages(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t len;
        int expected;
    } rows[] = {
#define ROW(name, bytes, expected) {name, bytes, sizeof(bytes) - 1, expected}
        ROW("header only", REQUEST("\x00"), 0),
        ROW("first byte 4", HEADER("\x04\x01", "\x00"), STUN_E_NOT_STUN),
        ROW("first byte 0x80 (RTP)", HEADER("\x80\x01", "\x00"), STUN_E_NOT_STUN),
        ROW("no cookie",
            "\x00\x01\x00\x00\x21\x12\xa4\x43"
            "abcdefghijkl",
            STUN_E_NOT_STUN),
        ROW("length not a multiple of four", REQUEST("\x02") "ab", STUN_E_NOT_STUN),
        ROW("length beyond the end", REQUEST("\x08") "\x80\x22\x00\x00", STUN_E_NOT_STUN),
        ROW("bytes behind the end", REQUEST("\x00") "\x80\x22\x00\x00", STUN_E_NOT_STUN),
        ROW("attribute beyond the end",
            REQUEST("\x08") "\x80\x22\x00\x05"
                            "abcd",
            STUN_E_MALFORMED),
        ROW("attribute length 0xffff",
            REQUEST("\x08") "\x80\x22\xff\xff"
                            "abcd",
            STUN_E_MALFORMED),
        ROW("padding of a text",
            REQUEST("\x08") "\x80\x22\x00\x01"
                            "a\0\0\0",
            0),
        ROW("PRIORITY of 3",
            REQUEST("\x08") "\x00\x24\x00\x03"
                            "abc\0",
            STUN_E_MALFORMED),
        ROW("PRIORITY of 8",
            REQUEST("\x0c") "\x00\x24\x00\x08"
                            "abcdefgh",
            STUN_E_MALFORMED),
        ROW("USE-CANDIDATE of 4",
            REQUEST("\x08") "\x00\x25\x00\x04"
                            "abcd",
            STUN_E_MALFORMED),
        ROW("USE-CANDIDATE", REQUEST("\x04") "\x00\x25\x00\x00", 0),
        ROW("tie-breaker of 4",
            REQUEST("\x08") "\x80\x2a\x00\x04"
                            "abcd",
            STUN_E_MALFORMED),
        ROW("integrity of 16",
            REQUEST("\x14") "\x00\x08\x00\x10"
                            "abcdefghijklmnop",
            STUN_E_MALFORMED),
        ROW("fingerprint wrong",
            REQUEST("\x08") "\x80\x28\x00\x04"
                            "abcd",
            STUN_E_FINGERPRINT),
        ROW("fingerprint not last",
            REQUEST("\x0c") "\x80\x28\x00\x04"
                            "abcd"
                            "\x80\x22\x00\x00",
            STUN_E_MALFORMED),
        ROW("fingerprint of 8",
            REQUEST("\x0c") "\x80\x28\x00\x08"
                            "abcdefgh",
            STUN_E_MALFORMED),
        ROW("mapped IPv4 of 20",
            SUCCESS("\x18") "\x00\x20\x00\x14\x00\x01"
                            "abcdefghijklmnopqr",
            STUN_E_MALFORMED),
        ROW("mapped IPv6 of 8",
            SUCCESS("\x0c") "\x00\x20\x00\x08\x00\x02"
                            "abcdef",
            STUN_E_MALFORMED),
        ROW("mapped family 3",
            SUCCESS("\x0c") "\x00\x20\x00\x08\x00\x03"
                            "abcdef",
            STUN_E_MALFORMED),
        ROW("mapped empty", SUCCESS("\x04") "\x00\x20\x00\x00", STUN_E_MALFORMED),
        ROW("error of 3", FAILURE("\x08") "\x00\x09\x00\x03\x00\x00\x04\x00", STUN_E_MALFORMED),
        ROW("error class 2", FAILURE("\x08") "\x00\x09\x00\x04\x00\x00\x02\x00", STUN_E_MALFORMED),
        ROW("error number 100", FAILURE("\x08") "\x00\x09\x00\x04\x00\x00\x04\x64",
            STUN_E_MALFORMED),
        ROW("error 487 without reason", FAILURE("\x08") "\x00\x09\x00\x04\x00\x00\x04\x57", 0),
        ROW("unknown optional",
            REQUEST("\x08") "\xc0\x57\x00\x04"
                            "abcd",
            0),
#undef ROW
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t *copy = test_malloc(rows[i].len); /* exact, so that the sanitizer sees the end */
        struct stun_message m;
        memcpy(copy, rows[i].bytes, rows[i].len);
        int r = stun_parse(copy, rows[i].len, &m);
        if (r != rows[i].expected)
            fail_msg("%s: %d instead of %d", rows[i].name, r, rows[i].expected);
        test_free(copy);
    }
}

static void unknown_required_attributes_are_listed(void **state)
{
    static const char bytes[] = REQUEST("\x0c") "\x7f\x01\x00\x00\x80\x99\x00\x00\x00\x7f\x00\x00";
    uint8_t many[20 + 4 * 20] = REQUEST("\x50");
    struct stun_message m;
    (void)state;
    assert_int_equal(stun_parse((const uint8_t *)bytes, sizeof(bytes) - 1, &m), 0);
    assert_int_equal(m.n_unknown, 2);
    assert_int_equal(m.unknown[0], 0x7f01);
    assert_int_equal(m.unknown[1], 0x007f);
    for (size_t i = 20; i < sizeof(many); i += 4)
        memcpy(many + i, "\x7f\x00\x00\x00", 4);
    assert_int_equal(stun_parse(many, sizeof(many), &m), 0);
    assert_int_equal(m.n_unknown, STUN_MAX_UNKNOWN);
}

static const uint8_t some_id[STUN_ID_LEN + 1] = "abcdefghijkl";

static void what_follows_integrity_is_ignored(void **state)
{
    uint8_t buf[256];
    size_t len;
    struct stun_message m;
    (void)state;
    struct stun_writer s =
        stun_write_start(buf, sizeof(buf), STUN_REQUEST, STUN_METHOD_BINDING, some_id);
    stun_write_username(&s, STR("aaaa:bbbb"));
    assert_int_equal(stun_write_end(&s, STR(PASSWORD), &len), 0);
    /* In the place of the fingerprint: USE-CANDIDATE, and another one. */
    memcpy(buf + len - 8, "\x00\x25\x00\x00\x00\x25\x00\x00", 8);
    assert_int_equal(stun_parse(buf, len, &m), 0);
    assert_int_equal(stun_check_integrity(&m, STR(PASSWORD)), 0);
    assert_false(m.use_candidate);
}

static void of_two_the_first_counts(void **state)
{
    uint8_t buf[256];
    size_t len;
    struct stun_message m;
    (void)state;
    struct stun_writer s =
        stun_write_start(buf, sizeof(buf), STUN_REQUEST, STUN_METHOD_BINDING, some_id);
    stun_write_username(&s, STR("aaaa:bbbb"));
    stun_write_username(&s, STR("cccc:dddd"));
    stun_write_priority(&s, 1);
    stun_write_priority(&s, 2);
    stun_write_role(&s, true, 3);
    stun_write_role(&s, false, 4);
    assert_int_equal(stun_write_end(&s, STR(""), &len), 0);
    assert_int_equal(stun_parse(buf, len, &m), 0);
    assert_true(str_eq(m.username, STR("aaaa:bbbb")));
    assert_int_equal(m.priority, 1);
    assert_true(m.is_controlling && !m.is_controlled);
    assert_int_equal(m.tie_breaker, 3);
    assert_int_equal(stun_check_integrity(&m, STR(PASSWORD)), STUN_E_INTEGRITY);
}

static void written_messages_read_back(void **state)
{
    static const uint16_t unknown[] = {0x7f00, 0x0042, 0x1234};
    struct addr v6;
    uint8_t buf[256];
    size_t len;
    struct stun_message m;
    (void)state;
    assert_true(addr_parse(STR("[2001:db8::9]:65535"), &v6));
    struct stun_writer s = stun_write_start(buf, sizeof(buf), STUN_ERROR, 0x0BC, some_id);
    stun_write_error(&s, STUN_CODE_ROLE_CONFLICT);
    stun_write_unknown(&s, unknown, ARRAY_LEN(unknown));
    stun_write_mapped(&s, &v6);
    stun_write_use_candidate(&s);
    stun_write_role(&s, false, UINT64_MAX);
    assert_int_equal(stun_write_end(&s, STR(PASSWORD), &len), 0);
    assert_int_equal(stun_parse(buf, len, &m), 0);
    assert_int_equal(m.class, STUN_ERROR);
    assert_int_equal(m.method, 0x0BC);
    assert_memory_equal(m.id, some_id, STUN_ID_LEN);
    assert_int_equal(m.error_code, 487);
    assert_true(str_eq(m.reason, STR("Role Conflict")));
    assert_true(addr_equal(&m.mapped, &v6));
    assert_true(m.use_candidate && m.is_controlled && m.has_fingerprint);
    assert_int_equal(stun_check_integrity(&m, STR(PASSWORD)), 0);
}

/* Methods above 0xff make a first byte above 3, which RFC 7983 gives to other protocols. */
static void classes_and_methods_are_interleaved(void **state)
{
    (void)state;
    for (unsigned method = 0; method < 0x100; method++) {
        for (unsigned class = 0; class < 4; class ++) {
            uint8_t buf[64];
            size_t len;
            struct stun_message m;
            struct stun_writer s = stun_write_start(buf, sizeof(buf), (enum stun_class) class,
                                                    (uint16_t)method, some_id);
            assert_int_equal(stun_write_end(&s, STR(""), &len), 0);
            assert_true(buf[0] <= 3);
            assert_int_equal(stun_parse(buf, len, &m), 0);
            assert_int_equal(m.class, class);
            assert_int_equal(m.method, method);
        }
    }
}

/* A writer that runs out of room says so, and never writes past the end. */
static void no_room_is_told(void **state)
{
    (void)state;
    size_t needed = 20 + 16 + 8 + 12 + 24 + 8;
    for (size_t cap = 0; cap <= needed; cap++) {
        uint8_t *buf = test_malloc(cap + 1);
        struct addr mapped = addr_v4(192, 0, 2, 1, 1);
        size_t len = 0;
        buf[cap] = 0x5a;
        struct stun_writer s =
            stun_write_start(buf, cap, STUN_REQUEST, STUN_METHOD_BINDING, some_id);
        stun_write_username(&s, STR("aaaa:bbbbb"));
        stun_write_priority(&s, 1);
        stun_write_mapped(&s, &mapped);
        int r = stun_write_end(&s, STR(PASSWORD), &len);
        assert_int_equal(r, cap < needed ? STUN_E_SPACE : 0);
        assert_int_equal(buf[cap], 0x5a);
        assert_int_equal(len, cap < needed ? 0 : needed);
        test_free(buf);
    }
}

static void usernames_are_found_without_parsing(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *local; /* NULL = none */
    } rows[] = {
#define ROW(bytes, local) {bytes, sizeof(bytes) - 1, local}
        ROW(REQUEST("\x00"), NULL),
        ROW(REQUEST("\x08") "\x00\x06\x00\x04"
                            "a:bc",
            "a"),
        ROW(REQUEST("\x08") "\x00\x06\x00\x04"
                            "abcd",
            NULL),
        ROW(REQUEST("\x08") "\x00\x06\x00\x04"
                            ":bcd",
            ""),
        ROW(REQUEST("\x08") "\x00\x06\x00\x04"
                            "abc:",
            "abc"),
        ROW(REQUEST("\x08") "\x00\x06\x00\x08"
                            "a:bc",
            NULL),
        ROW(REQUEST("\x04") "\x00\x06\x00\x00", NULL),
        ROW(REQUEST("\x10") "\xc0\x57\x00\x01"
                            "x\0\0\0"
                            "\x00\x06\x00\x04"
                            "a:bc",
            "a"),
        ROW(SUCCESS("\x08") "\x00\x06\x00\x04"
                            "a:bc",
            NULL),
        ROW(HEADER("\x00\x11", "\x08") "\x00\x06\x00\x04"
                                       "a:bc",
            NULL),
        ROW(HEADER("\x00\x03", "\x08") "\x00\x06\x00\x04"
                                       "a:bc",
            NULL),
#undef ROW
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str local = STR("untouched");
        bool found = stun_peek_username((const uint8_t *)rows[i].bytes, rows[i].len, &local);
        assert_int_equal(found, rows[i].local != NULL);
        assert_true(str_eq(local, str_of(found ? rows[i].local : "untouched")));
    }
}

static void longer_than_a_datagram_is_refused(void **state)
{
    static uint8_t big[20 + 1600];
    struct stun_message m;
    (void)state;
    memcpy(big, REQUEST("\x00"), 20);
    put_be16(big + 2, 1600);
    for (size_t i = 20; i < sizeof(big); i += 4)
        memcpy(big + i, "\xc0\x00\x00\x00", 4);
    assert_true(stun_is_message(big, sizeof(big)));
    assert_int_equal(stun_parse(big, sizeof(big), &m), STUN_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_the_check_string),
        cmocka_unit_test(vector_request),
        cmocka_unit_test(vector_responses),
        cmocka_unit_test(vector_long_term),
        cmocka_unit_test(any_changed_bit_is_noticed),
        cmocka_unit_test(any_truncation_is_refused),
        cmocka_unit_test(broken_and_odd_messages),
        cmocka_unit_test(unknown_required_attributes_are_listed),
        cmocka_unit_test(what_follows_integrity_is_ignored),
        cmocka_unit_test(of_two_the_first_counts),
        cmocka_unit_test(written_messages_read_back),
        cmocka_unit_test(classes_and_methods_are_interleaved),
        cmocka_unit_test(no_room_is_told),
        cmocka_unit_test(usernames_are_found_without_parsing),
        cmocka_unit_test(longer_than_a_datagram_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
