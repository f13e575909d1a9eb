/* RTP framing: every field, every length at which it must be refused, and telling RTP from RTCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/packet.h"

/* V=2, P, X, CC=2, M, PT 111; extension of one word; 3 bytes of payload; 5 of padding. */
static const uint8_t full[] = {
    0xb2, 0xef, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xca, 0xfe, 0xba, 0xbe, /* fixed */
    0,    0,    0,    1,    0,    0,    0,    2,                            /* CSRC */
    0xbe, 0xde, 0,    1,    0x10, 0x55, 0,    0,                            /* extension */
    'a',  'b',  'c',  0,    0,    0,    0,    5,                            /* payload, padding */
};

static void every_field_is_read(void **state)
{
    struct rtp_packet p;
    (void)state;
    assert_int_equal(rtp_parse(full, sizeof(full), &p), 0);
    assert_int_equal(p.pt, 111);
    assert_true(p.marker);
    assert_int_equal(p.seq, 0x1234);
    assert_int_equal(p.timestamp, 0x01020304);
    assert_int_equal(p.ssrc, 0xcafebabe);
    assert_int_equal(p.n_csrc, 2);
    assert_true(p.has_extension);
    assert_int_equal(p.extension_profile, 0xbede);
    assert_int_equal(p.extension_offset, 24);
    assert_int_equal(p.extension_len, 4);
    assert_int_equal(p.header_len, 28);
    assert_int_equal(p.payload_len, 3);
    assert_int_equal(p.padding_len, 5);
}

static void plain_packet_without_payload(void **state)
{
    const uint8_t data[12] = {0x80, 0x08, 0, 1};
    struct rtp_packet p;
    (void)state;
    assert_int_equal(rtp_parse(data, sizeof(data), &p), 0);
    assert_false(p.marker);
    assert_false(p.has_extension);
    assert_int_equal(p.header_len, 12);
    assert_int_equal(p.payload_len, 0);
    assert_int_equal(p.extension_len, 0);
}

/* Cut anywhere inside the header it is truncated, and *ret is untouched. */
static void cut_headers_are_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < 28; len++) {
        uint8_t *data = malloc(len ? len : 1);
        assert_non_null(data);
        memcpy(data, full, len);
        struct rtp_packet p = {.pt = 77};
        size_t header_len = 99;
        assert_int_equal(rtp_parse(data, len, &p), RTP_E_TRUNCATED);
        assert_int_equal(rtp_parse_header_len(data, len, &header_len), RTP_E_TRUNCATED);
        assert_int_equal(p.pt, 77);
        assert_int_equal(header_len, 99);
        free(data);
    }
}

static void versions_and_paddings_are_checked(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        int expected;
    } cases[] = {
        {0, 0x32, RTP_E_VERSION},
        {0, 0x72, RTP_E_VERSION},
        {0, 0xf2, RTP_E_VERSION},
        {35, 0, RTP_E_PADDING},
        {35, 9, RTP_E_PADDING},
        {35, 255, RTP_E_PADDING},
        {35, 8, 0},
        {35, 1, 0},
        {35, 7, 0},
        {23, 4, RTP_E_TRUNCATED},
        {22, 1, RTP_E_TRUNCATED},
        {22, 255, RTP_E_TRUNCATED},
        {23, 3, RTP_E_PADDING}, /* the extension takes all: no room for the padding */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t data[sizeof(full)];
        struct rtp_packet p;
        memcpy(data, full, sizeof(full));
        data[cases[i].at] = cases[i].value;
        assert_int_equal(rtp_parse(data, sizeof(data), &p), cases[i].expected);
        if (cases[i].expected == 0)
            assert_int_equal(p.header_len + p.payload_len + p.padding_len, sizeof(data));
    }
}

/* RFC 5761 §4: packet types 192-223 are RTCP, which takes 64-95 from RTP with marker. */
static void rtp_and_rtcp_are_told_apart(void **state)
{
    uint8_t data[12] = {0x80};
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        data[1] = (uint8_t)type;
        bool is_rtcp = type >= 192 && type <= 223;
        assert_int_equal(rtp_is_rtcp(data, sizeof(data)), is_rtcp);
        assert_int_equal(rtp_is_rtp(data, sizeof(data)), !is_rtcp);
    }
    for (unsigned first = 0; first < 256; first++) {
        data[0] = (uint8_t)first;
        data[1] = 111;
        assert_int_equal(rtp_is_rtp(data, sizeof(data)), first >= 128 && first <= 191);
        data[1] = 200;
        assert_int_equal(rtp_is_rtcp(data, sizeof(data)), first >= 128 && first <= 191);
    }
    data[0] = 0x80;
    data[1] = 111;
    assert_false(rtp_is_rtp(data, 11));
    data[1] = 200;
    assert_false(rtp_is_rtcp(data, 7));
    assert_true(rtp_is_rtcp(data, 8));
}

static void setters_touch_their_field_only(void **state)
{
    uint8_t data[sizeof(full)];
    struct rtp_packet p;
    (void)state;
    memcpy(data, full, sizeof(full));
    rtp_set_pt(data, 0x80 | 8);
    rtp_set_seq(data, 0xfffe);
    rtp_set_timestamp(data, 0xdeadbeef);
    rtp_set_ssrc(data, 1);
    assert_int_equal(rtp_parse(data, sizeof(data), &p), 0);
    assert_int_equal(p.pt, 8);
    assert_true(p.marker);
    assert_int_equal(p.seq, 0xfffe);
    assert_int_equal(p.timestamp, 0xdeadbeef);
    assert_int_equal(p.ssrc, 1);
    rtp_set_marker(data, false);
    assert_int_equal(data[1], 8);
    rtp_set_marker(data, true);
    assert_int_equal(data[1], 0x88);
    assert_int_equal(data[0], full[0]);
    assert_memory_equal(data + 12, full + 12, sizeof(full) - 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(plain_packet_without_payload),
        cmocka_unit_test(cut_headers_are_refused),
        cmocka_unit_test(versions_and_paddings_are_checked),
        cmocka_unit_test(rtp_and_rtcp_are_told_apart),
        cmocka_unit_test(setters_touch_their_field_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
