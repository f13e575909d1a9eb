/* Candidate lines as browsers, libnice and Kurento write them, and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ice/candidate.h"
#include "ice/credentials.h"

static void lines(void **state)
{
    static const struct {
        const char *text;
        int expected;
    } rows[] = {
        /* Chromium */
        {"candidate:842163049 1 udp 1677729535 203.0.113.4 46154 typ srflx raddr 10.0.17.1 rport "
         "46154 generation 0 ufrag EEtu network-id 3 network-cost 10",
         0},
        {"a=candidate:1 1 udp 2113937151 192.0.2.5 54400 typ host generation 0 network-cost 999",
         0},
        {"candidate:1 1 udp 2113937151 0d4f7a9c-1111-2222-3333-444455556666.local 54400 typ host "
         "generation 0 ufrag EEtu network-cost 999",
         ICE_E_UNRESOLVABLE},
        {"candidate:2 1 tcp 1518280447 192.0.2.5 9 typ host tcptype active generation 0", 0},
        {"candidate:3 1 udp 2113939711 2001:db8::5 54401 typ host generation 0", 0},
        {"candidate:4 1 udp 33562367 198.51.100.9 50000 typ relay raddr 0.0.0.0 rport 0", 0},
        /* Firefox */
        {"candidate:0 1 UDP 2122252543 192.0.2.5 47000 typ host", 0},
        {"candidate:0 2 UDP 2122252542 192.0.2.5 47001 typ host", ICE_E_UNSUPPORTED},
        {"candidate:1 1 TCP 2105524479 192.0.2.5 9 typ host tcptype active", 0},
        /* libnice, Kurento */
        {"candidate:1 1 UDP 2015363327 192.0.2.5 45678 typ host", 0},
        {"candidate:3 1 TCP 1010827519 192.0.2.5 25998 typ host tcptype passive", 0},
        {"candidate:1 1 UDP 1685987327 203.0.113.9 15161 typ srflx raddr 192.168.1.113 rport 46599",
         0},
        /* no prefix, blanks, a line end, other spellings */
        {"1 1 UDP 2015363327 192.0.2.5 45678 typ host", 0},
        {"  a=candidate:1  1 UdP 1 192.0.2.5 1 TYP HOST\r\n", 0},
        {"candidate:1 1 UDP 1 192.0.2.5 1 typ prflx", 0},
        {"candidate:1 1 UDP 1 192.0.2.5 1 typ host tcptype active", 0},
        {"candidate:1 1 UDP 1 192.0.2.5 1 typ host ufrag", 0},
        {"candidate:1 1 UDP 1 192.0.2.5 1 typ host raddr x.local rport 9", 0},
        /* not for us */
        {"candidate:1 1 TCP 1 192.0.2.5 1 typ host", ICE_E_UNSUPPORTED},
        {"candidate:1 1 SCTP 1 192.0.2.5 1 typ host", ICE_E_UNSUPPORTED},
        {"candidate:1 1 UDP 1 192.0.2.5 1 typ teapot", ICE_E_UNSUPPORTED},
        {"candidate:1 1 UDP 1 example.com 1 typ host", ICE_E_UNRESOLVABLE},
        {"candidate:1 1 UDP 1 224.0.0.1 1 typ host", ICE_E_ADDRESS},
        {"candidate:1 1 UDP 1 0.0.0.0 1 typ host", ICE_E_ADDRESS},
        {"candidate:1 1 UDP 1 255.255.255.255 1 typ host", ICE_E_ADDRESS},
        {"candidate:1 1 UDP 1 ff02::1 1 typ host", ICE_E_ADDRESS},
        {"candidate:1 1 UDP 1 :: 1 typ host", ICE_E_ADDRESS},
        {"candidate:1 1 UDP 1 192.0.2.5 0 typ host", ICE_E_ADDRESS},
        /* broken */
        {"", ICE_E_SYNTAX},
        {"candidate:", ICE_E_SYNTAX},
        {"a=", ICE_E_SYNTAX},
        {"candidate:1", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 192.0.2.5 1", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 192.0.2.5 1 typ", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 192.0.2.5 1 host", ICE_E_SYNTAX},
        {"candidate:1 0 UDP 1 192.0.2.5 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 257 UDP 1 192.0.2.5 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 x UDP 1 192.0.2.5 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 1 UDP -1 192.0.2.5 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 4294967296 192.0.2.5 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 192.0.2.5 65536 typ host", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 192.0.2.256 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 [::1] 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 a/b 1 typ host", ICE_E_SYNTAX},
        {"candidate:1 1 TCP 1 192.0.2.5 x typ host", ICE_E_SYNTAX},
        {"candidate:1 1 UDP 1 192.0.2.5 1 typ host rport 65536", ICE_E_SYNTAX},
        {"candidate:1 1 TCP 1 192.0.2.5 1 typ host tcptype fast", ICE_E_SYNTAX},
        {"candidate:123456789012345678901234567890123 1 UDP 1 192.0.2.5 1 typ host", ICE_E_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ice_candidate c = {.component = 99};
        int r = ice_candidate_parse(str_of(rows[i].text), &c);
        if (r != rows[i].expected)
            fail_msg("\"%s\": %d instead of %d", rows[i].text, r, rows[i].expected);
        assert_int_equal(c.component, r ? 99 : 1);
    }
}

static void all_fields(void **state)
{
    struct ice_candidate c;
    struct addr addr = addr_v4(203, 0, 113, 4, 46154), related = addr_v4(10, 0, 17, 1, 1234);
    struct str text = STR("a=candidate:84+/ 1 udp 1677729535 203.0.113.4 46154 typ srflx raddr "
                          "10.0.17.1 rport 1234 generation 0 ufrag EEtu network-id 3");
    (void)state;
    assert_int_equal(ice_candidate_parse(text, &c), 0);
    assert_int_equal(c.type, ICE_SRFLX);
    assert_int_equal(c.transport, ICE_UDP);
    assert_int_equal(c.component, 1);
    assert_int_equal(c.priority, 1677729535);
    assert_string_equal(c.foundation, "84+/");
    assert_true(addr_equal(&c.addr, &addr));
    assert_true(addr_equal(&c.related, &related));
    assert_true(str_eq(ice_candidate_ufrag(text), STR("EEtu")));
    assert_int_equal(ice_candidate_ufrag(STR("candidate:1 1 UDP 1 192.0.2.5 1 typ host")).len, 0);
    assert_int_equal(ice_candidate_ufrag(STR("ufrag")).len, 0);
}

static void written_like_libnice(void **state)
{
    static const char *const rows[] = {
        "candidate:1 1 UDP 2015363327 192.0.2.5 45678 typ host",
        "candidate:1 1 UDP 1685987327 203.0.113.9 15161 typ srflx raddr 192.168.1.113 rport 46599",
        "candidate:4 1 UDP 4294967295 2001:db8::5 65535 typ relay raddr 2001:db8::6 rport 1",
    };
    char buf[ICE_CANDIDATE_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ice_candidate c;
        assert_int_equal(ice_candidate_parse(str_of(rows[i]), &c), 0);
        assert_int_equal(ice_candidate_write(&c, buf), strlen(rows[i]));
        assert_string_equal(buf, rows[i]);
    }
    struct ice_candidate tcp = {.type = ICE_HOST,
                                .transport = ICE_TCP,
                                .tcptype = ICE_TCP_PASSIVE,
                                .component = 1,
                                .priority = 1010827519,
                                .foundation = "3",
                                .addr = addr_v4(192, 0, 2, 5, 25998)};
    (void)ice_candidate_write(&tcp, buf);
    assert_string_equal(buf,
                        "candidate:3 1 TCP 1010827519 192.0.2.5 25998 typ host tcptype passive");
    /* The longest that can be: it fits. */
    struct ice_candidate longest = {.type = ICE_SRFLX,
                                    .transport = ICE_TCP,
                                    .tcptype = ICE_TCP_PASSIVE,
                                    .component = 256,
                                    .priority = UINT32_MAX};
    memset(longest.foundation, 'x', ICE_FOUNDATION_MAX);
    memset(&longest.addr, 0xfd, sizeof(longest.addr));
    memset(&longest.related, 0xfd, sizeof(longest.related));
    size_t len = ice_candidate_write(&longest, buf);
    assert_int_equal(strlen(buf), len);
    assert_non_null(strstr(buf, "tcptype passive"));
}

static void priorities_of_the_rfc(void **state)
{
    (void)state;
    /* RFC 8445 §5.1.2.1: 126 * 2^24 + 65535 * 2^8 + 255, the host priority of every client */
    assert_int_equal(ice_candidate_priority(ICE_HOST, 65535), 2130706431);
    assert_int_equal(ice_candidate_priority(ICE_SRFLX, 65535), 1694498815);
    assert_int_equal(ice_candidate_priority(ICE_PRFLX, 65535), 1862270975);
    assert_int_equal(ice_candidate_priority(ICE_RELAY, 0), 255);
    /* RFC 6544 §4.2: 90 * 2^24 + (2^13 * 4 + 8191) * 2^8 + 255; active ones before passive ones */
    assert_int_equal(ice_candidate_tcp_priority(ICE_HOST, ICE_TCP_PASSIVE, 8191), 1520435199);
    assert_int_equal(ice_candidate_tcp_priority(ICE_HOST, ICE_TCP_ACTIVE, 0),
                     (90U << 24) + (6U << 21) + 255);
    assert_int_equal(ice_candidate_tcp_priority(ICE_SRFLX, ICE_TCP_PASSIVE, 1),
                     (70U << 24) + (2U << 21) + 256 + 255);
    assert_true(ice_candidate_tcp_priority(ICE_HOST, ICE_TCP_ACTIVE, 8191) <
                ice_candidate_priority(ICE_SRFLX, 0));
    assert_true(ice_pair_priority(1, 2) == (UINT64_C(1) << 32) + 4);
    assert_true(ice_pair_priority(2, 1) == (UINT64_C(1) << 32) + 5);
    assert_true(ice_pair_priority(UINT32_MAX, UINT32_MAX) ==
                UINT64_C(0xFFFFFFFF00000000) + UINT64_C(0x1FFFFFFFE));
}

static void credentials_have_limits(void **state)
{
    static char many[300];
    struct ice_credentials *c = NULL;
    struct str pwd = STR("0123456789abcdef012345");
    (void)state;
    memset(many, 'x', sizeof(many));
    const struct {
        struct str ufrag, pwd;
        int expected;
    } rows[] = {
        {STR("abcd"), pwd, 0},
        {{many, 256}, {many, 256}, 0},
        {STR("abc"), pwd, ICE_E_CREDENTIALS},
        {STR("abcd"), {pwd.p, 21}, ICE_E_CREDENTIALS},
        {{many, 257}, pwd, ICE_E_CREDENTIALS},
        {STR("abcd"), {many, 257}, ICE_E_CREDENTIALS},
        {STR("ab:d"), pwd, ICE_E_CREDENTIALS},
        {STR("ab d"), pwd, ICE_E_CREDENTIALS},
        {{NULL, 0}, {NULL, 0}, ICE_E_CREDENTIALS},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(ice_credentials_new(rows[i].ufrag, rows[i].pwd, &c), rows[i].expected);
        if (rows[i].expected)
            continue;
        assert_true(str_eq(ice_credentials_ufrag(c), rows[i].ufrag));
        assert_true(str_eq(ice_credentials_pwd(c), rows[i].pwd));
        assert_true(ice_credentials_equal(c, c));
        ice_credentials_free(c);
        c = NULL;
    }
    mem_fail_at(1);
    assert_true(ice_credentials_new(STR("abcd"), pwd, &c) < 0);
    mem_fail_at(0);
    assert_null(c);
    assert_false(ice_credentials_equal(NULL, NULL));
    ice_credentials_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(all_fields),
        cmocka_unit_test(written_like_libnice),
        cmocka_unit_test(priorities_of_the_rfc),
        cmocka_unit_test(credentials_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
