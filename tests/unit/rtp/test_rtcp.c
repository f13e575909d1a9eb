/* RTCP bytes: framing that must be refused, readers against hand-made packets, writers against
 * readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/rtcp.h"

/* RFC 3550 §A.2, table-wise. */
static void framing_is_checked(void **state)
{
    static const struct {
        uint8_t data[16];
        size_t len;
        int expected;
    } cases[] = {
        {{0x80, 201, 0, 1, 0, 0, 0, 1}, 8, 0},
        {{0x80, 203, 0, 0}, 4, 0},
        {{0}, 0, RTP_E_TRUNCATED},
        {{0x80, 201, 0}, 3, RTP_E_TRUNCATED},
        {{0x80, 201, 0, 1, 0, 0, 0}, 7, RTP_E_TRUNCATED},
        {{0x80, 201, 0, 2, 0, 0, 0, 1}, 8, RTP_E_TRUNCATED},
        {{0x80, 201, 255, 255, 0, 0, 0, 1}, 8, RTP_E_TRUNCATED},
        {{0x40, 201, 0, 1, 0, 0, 0, 1}, 8, RTP_E_VERSION},
        {{0x80, 191, 0, 1, 0, 0, 0, 1}, 8, RTP_E_MALFORMED},
        {{0x80, 224, 0, 1, 0, 0, 0, 1}, 8, RTP_E_MALFORMED},
        {{0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 203, 0, 0}, 12, 0},
        {{0x80, 201, 0, 1, 0, 0, 0, 1, 0x80}, 9, RTP_E_TRUNCATED},
        {{0x80, 201, 0, 1, 0, 0, 0, 1, 0, 203, 0, 0}, 12, RTP_E_VERSION},
        {{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4}, 12, 0},
        {{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8}, 12, 0},
        {{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 12}, 12, RTP_E_PADDING},
        {{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0}, 12, RTP_E_PADDING},
        {{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3}, 12, RTP_E_PADDING},
        {{0xa0, 203, 0, 0}, 4, RTP_E_PADDING},
        {{0xa0, 201, 0, 1, 0, 0, 0, 4, 0x80, 203, 0, 0}, 12, RTP_E_PADDING},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t *data = malloc(cases[i].len ? cases[i].len : 1);
        assert_non_null(data);
        memcpy(data, cases[i].data, cases[i].len);
        assert_int_equal(rtcp_check(data, cases[i].len), cases[i].expected);
        struct rtcp_iter it = rtcp_packets(data, cases[i].len);
        for (struct rtcp_packet p; rtcp_next(&it, &p);)
            assert_true(p.body + p.body_len <= data + cases[i].len);
        free(data);
    }
}

static struct rtcp_packet only(const uint8_t *data, size_t len)
{
    struct rtcp_packet p = {0}, more;
    struct rtcp_iter it = rtcp_packets(data, len);
    assert_true(rtcp_next(&it, &p));
    assert_false(rtcp_next(&it, &more));
    return p;
}

static void padding_is_not_content(void **state)
{
    const uint8_t data[] = {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4};
    (void)state;
    assert_int_equal(only(data, sizeof(data)).body_len, 4);
}

static const struct rtcp_report_block blocks[2] = {
    {.ssrc = 7,
     .fraction_lost = 200,
     .lost = -3,
     .extended_seq = 0x10002,
     .jitter = 5,
     .last_sr = 0xaabbccdd,
     .delay = 65536},
    {.ssrc = 8, .fraction_lost = 0, .lost = 0x7fffff, .extended_seq = 9},
};

static void assert_block(const struct rtcp_report_block *a, const struct rtcp_report_block *b)
{
    assert_int_equal(a->ssrc, b->ssrc);
    assert_int_equal(a->fraction_lost, b->fraction_lost);
    assert_int_equal(a->lost, b->lost);
    assert_int_equal(a->extended_seq, b->extended_seq);
    assert_int_equal(a->jitter, b->jitter);
    assert_int_equal(a->last_sr, b->last_sr);
    assert_int_equal(a->delay, b->delay);
}

static void what_is_written_is_read(void **state)
{
    uint8_t buf[512];
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    const struct rtcp_sr sr = {0xcafe, 0x0102030405060708, 960, 10, 1000};
    (void)state;
    rtcp_write_sr(&w, &sr, blocks, 2);
    rtcp_write_sdes(&w, 0xcafe, STR("name"));
    rtcp_write_rr(&w, 0xbeef, blocks, 1);
    rtcp_write_bye(&w, 0xcafe, STR("going home"));
    assert_false(w.failed);
    assert_int_equal(rtcp_check(buf, w.len), 0);
    assert_false(rtcp_is_reduced_size(buf, w.len));

    struct rtcp_iter it = rtcp_packets(buf, w.len);
    struct rtcp_packet p;
    struct rtcp_report_block b;
    struct rtcp_sr sr2;
    uint32_t ssrc;
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(rtcp_read_sr(&p, &sr2), 0);
    assert_int_equal(sr2.ssrc, sr.ssrc);
    assert_true(sr2.ntp == sr.ntp);
    assert_int_equal(sr2.rtp_ts, sr.rtp_ts);
    assert_int_equal(sr2.packets, sr.packets);
    assert_int_equal(sr2.octets, sr.octets);
    assert_int_equal(rtcp_n_blocks(&p), 2);
    for (unsigned i = 0; i < 2; i++) {
        rtcp_read_block(&p, i, &b);
        assert_block(&b, &blocks[i]);
    }

    struct str cname;
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(rtcp_n_blocks(&p), 0);
    assert_int_equal(rtcp_read_cname(&p, &ssrc, &cname), 0);
    assert_int_equal(ssrc, 0xcafe);
    assert_true(str_eq(cname, STR("name")));

    assert_true(rtcp_next(&it, &p));
    assert_int_equal(rtcp_read_rr(&p, &ssrc), 0);
    assert_int_equal(ssrc, 0xbeef);
    assert_int_equal(rtcp_n_blocks(&p), 1);
    assert_int_equal(rtcp_read_sr(&p, &sr2), RTP_E_MALFORMED);

    struct rtcp_bye bye;
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(rtcp_read_bye(&p, &bye), 0);
    assert_int_equal(bye.n_ssrcs, 1);
    assert_int_equal(bye.ssrcs[0], 0xcafe);
    assert_true(str_eq(bye.reason, STR("going home")));
    assert_false(rtcp_next(&it, &p));
}

/* Every length of name and reason ends on a word, with its null octets. */
static void texts_of_every_length_fit(void **state)
{
    char text[255];
    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t n = 1; n <= 255; n++) {
        uint8_t buf[600];
        struct bytes_writer w = bytes_writer(buf, sizeof(buf));
        struct rtcp_packet p;
        struct str cname;
        struct rtcp_bye bye;
        uint32_t ssrc;
        rtcp_write_sdes(&w, 1, (struct str){text, n});
        rtcp_write_bye(&w, 1, (struct str){text, n});
        assert_int_equal(rtcp_check(buf, w.len), 0);
        struct rtcp_iter it = rtcp_packets(buf, w.len);
        assert_true(rtcp_next(&it, &p));
        assert_int_equal(rtcp_read_cname(&p, &ssrc, &cname), 0);
        assert_int_equal(cname.len, n);
        assert_int_equal(p.body[p.body_len - 1], 0);
        assert_true(rtcp_next(&it, &p));
        assert_int_equal(rtcp_read_bye(&p, &bye), 0);
        assert_int_equal(bye.reason.len, n);
    }
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    uint8_t buf[64];
    struct bytes_writer w = bytes_writer(buf, 31);
    (void)state;
    rtcp_write_rr(&w, 1, blocks, 1);
    assert_true(w.failed);
    assert_int_equal(w.len, 0);
    w = bytes_writer(buf, 32);
    rtcp_write_rr(&w, 1, blocks, 1);
    assert_false(w.failed);
    rtcp_write_bye(&w, 1, (struct str){0});
    assert_true(w.failed);
    assert_int_equal(w.len, 32);
}

static void counts_that_lie_are_cut(void **state)
{
    uint8_t data[8 + 24] = {0x80 | 31, 201, 0, 7};
    struct rtcp_sr sr;
    uint32_t ssrc;
    (void)state;
    struct rtcp_packet p = only(data, sizeof(data));
    assert_int_equal(rtcp_n_blocks(&p), 1);
    p.body_len = 3;
    assert_int_equal(rtcp_read_rr(&p, &ssrc), RTP_E_TRUNCATED);
    assert_int_equal(rtcp_n_blocks(&p), 0);
    p.type = RTCP_SR;
    p.body_len = 23;
    assert_int_equal(rtcp_read_sr(&p, &sr), RTP_E_TRUNCATED);
    assert_int_equal(rtcp_n_blocks(&p), 0);
}

/* CVE-2021-43804: a reason that is longer than the packet. */
static void hostile_byes(void **state)
{
    struct rtcp_bye bye;
    (void)state;
    const uint8_t long_reason[] = {0x81, 203, 0, 2, 0, 0, 0, 1, 255, 'a', 'b', 'c'};
    struct rtcp_packet p = only(long_reason, sizeof(long_reason));
    assert_int_equal(rtcp_read_bye(&p, &bye), 0);
    assert_int_equal(bye.n_ssrcs, 1);
    assert_int_equal(bye.reason.len, 0);

    const uint8_t many[] = {0x80 | 31, 203, 0, 1, 0, 0, 0, 1};
    p = only(many, sizeof(many));
    assert_int_equal(rtcp_read_bye(&p, &bye), RTP_E_TRUNCATED);

    const uint8_t nobody[] = {0x80, 203, 0, 0};
    p = only(nobody, sizeof(nobody));
    assert_int_equal(rtcp_read_bye(&p, &bye), 0);
    assert_int_equal(bye.n_ssrcs, 0);

    const uint8_t exact[] = {0x81, 203, 0, 2, 0, 0, 0, 1, 3, 'a', 'b', 'c'};
    p = only(exact, sizeof(exact));
    assert_int_equal(rtcp_read_bye(&p, &bye), 0);
    assert_true(str_eq(bye.reason, STR("abc")));
}

static void cnames_are_found_and_bad_chunks_refused(void **state)
{
    static const struct {
        uint8_t data[32];
        size_t len;
        int expected;
        uint32_t ssrc;
    } cases[] = {
        /* NOTE before CNAME */
        {{0x81, 202, 0, 3, 0, 0, 0, 5, 7, 1, 'n', 1, 1, 'c', 0, 0}, 16, 0, 5},
        /* the second chunk has it */
        {{0x82, 202, 0, 5, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 1, 1, 'c', 0, 0, 0, 0, 0}, 24, 0, 6},
        /* empty name */
        {{0x81, 202, 0, 2, 0, 0, 0, 5, 1, 0, 0, 0}, 12, 0, 5},
        {{0x81, 202, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0}, 12, RTP_E_MALFORMED, 0},
        {{0x80, 202, 0, 0}, 4, RTP_E_MALFORMED, 0},
        /* item longer than the packet, no end, no room for the SSRC */
        {{0x81, 202, 0, 2, 0, 0, 0, 5, 1, 9, 'c', 0}, 12, RTP_E_TRUNCATED, 0},
        {{0x81, 202, 0, 2, 0, 0, 0, 5, 1, 2, 'c', 'c'}, 12, RTP_E_TRUNCATED, 0},
        {{0x81, 202, 0, 2, 0, 0, 0, 5, 7, 1, 'n', 1}, 12, RTP_E_TRUNCATED, 0},
        {{0x81, 202, 0, 0}, 4, RTP_E_TRUNCATED, 0},
        {{0x81, 201, 0, 1, 0, 0, 0, 1}, 8, RTP_E_MALFORMED, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t ssrc = 0;
        struct str cname;
        struct rtcp_packet p = only(cases[i].data, cases[i].len);
        assert_int_equal(rtcp_read_cname(&p, &ssrc, &cname), cases[i].expected);
        assert_int_equal(ssrc, cases[i].ssrc);
    }
}

/* RFC 4585 §6.2.1, with a mask over the wrap. */
static void nacks_are_listed(void **state)
{
    const uint8_t data[] = {0x81, 205, 0,    4,    0,    0,    0, 1, 0, 0,
                            0,    2,   0xff, 0xfe, 0x80, 0x05, 0, 9, 0, 0};
    const uint16_t expected[] = {0xfffe, 0xffff, 1, 14, 9};
    struct rtcp_feedback f;
    uint16_t seq;
    (void)state;
    struct rtcp_packet p = only(data, sizeof(data));
    assert_int_equal(p.count, RTCP_RTPFB_NACK);
    assert_int_equal(rtcp_read_feedback(&p, &f), 0);
    assert_int_equal(f.sender_ssrc, 1);
    assert_int_equal(f.media_ssrc, 2);
    assert_int_equal(f.fci_len, 8);
    assert_true(rtcp_is_reduced_size(data, sizeof(data)));
    struct rtcp_nack_iter it = rtcp_nacks(&p);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(rtcp_nack_next(&it, &seq));
        assert_int_equal(seq, expected[i]);
    }
    assert_false(rtcp_nack_next(&it, &seq));

    p.count = RTCP_RTPFB_TRANSPORT_CC;
    it = rtcp_nacks(&p);
    assert_false(rtcp_nack_next(&it, &seq));
    p.count = RTCP_RTPFB_NACK;
    p.body_len = 7;
    it = rtcp_nacks(&p);
    assert_false(rtcp_nack_next(&it, &seq));
    assert_int_equal(rtcp_read_feedback(&p, &f), RTP_E_TRUNCATED);
    p.type = RTCP_APP;
    assert_int_equal(rtcp_read_feedback(&p, &f), RTP_E_MALFORMED);
    p.type = RTCP_PSFB;
    p.body_len = 8;
    assert_int_equal(rtcp_read_feedback(&p, &f), 0);
    assert_int_equal(f.fci_len, 0);
}

static void extended_reports_are_walked(void **state)
{
    const uint8_t data[] = {0x80, 207, 0, 11, 0, 0, 0, 1,             /* XR */
                            4,    0,   0, 2,  1, 2, 3, 4, 5, 6, 7, 8, /* RRT */
                            99,   0,   0, 1,  0, 0, 0, 0,             /* unknown */
                            5,    0,   0, 3,  0, 0, 0, 9, 0, 0, 0, 8,
                            0,    0,   0, 7,  4, 0, 0, 9}; /* claims more than there is */
    struct rtcp_xr_iter it;
    struct rtcp_xr_block b;
    struct rtcp_xr_dlrr d;
    uint32_t ssrc;
    uint64_t ntp;
    (void)state;
    struct rtcp_packet p = only(data, sizeof(data));
    assert_int_equal(rtcp_read_xr(&p, &ssrc, &it), 0);
    assert_int_equal(ssrc, 1);
    assert_true(rtcp_xr_next(&it, &b));
    assert_int_equal(rtcp_xr_read_rrt(&b, &ntp), 0);
    assert_true(ntp == 0x0102030405060708);
    assert_int_equal(rtcp_xr_n_dlrr(&b), 0);
    assert_true(rtcp_xr_next(&it, &b));
    assert_int_equal(rtcp_xr_read_rrt(&b, &ntp), RTP_E_MALFORMED);
    assert_true(rtcp_xr_next(&it, &b));
    assert_int_equal(rtcp_xr_n_dlrr(&b), 1);
    rtcp_xr_read_dlrr(&b, 0, &d);
    assert_int_equal(d.ssrc, 9);
    assert_int_equal(d.last_rr, 8);
    assert_int_equal(d.delay, 7);
    assert_false(rtcp_xr_next(&it, &b));
    b = (struct rtcp_xr_block){.type = RTCP_XR_RRT, .body = data, .body_len = 4};
    assert_int_equal(rtcp_xr_read_rrt(&b, &ntp), RTP_E_TRUNCATED);
    p.body_len = 0;
    assert_int_equal(rtcp_read_xr(&p, &ssrc, &it), RTP_E_TRUNCATED);
    p.type = RTCP_RR;
    assert_int_equal(rtcp_read_xr(&p, &ssrc, &it), RTP_E_MALFORMED);
}

static void nacks_are_packed_as_the_rfc_says(void **state)
{
    /* 5 and the 16 behind it in one entry, 22 begins another; over the wrap likewise */
    static const uint8_t expected[] = {
        0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0x80, 0x03, 0, 22, 0, 0,
    };
    const uint16_t seqs[] = {5, 6, 7, 21, 22};
    uint8_t buf[64];
    (void)state;
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    rtcp_write_nack(&w, 1, 2, seqs, ARRAY_LEN(seqs));
    assert_int_equal(w.len, sizeof(expected));
    assert_memory_equal(buf, expected, sizeof(expected));
    w = bytes_writer(buf, sizeof(expected) - 1);
    rtcp_write_nack(&w, 1, 2, seqs, ARRAY_LEN(seqs));
    assert_true(w.failed);
    assert_int_equal(w.len, 0);
}

static void nacks_are_read_as_they_were_written(void **state)
{
    uint16_t seqs[RTCP_MAX_NACKS];
    uint8_t buf[12 + 4 * RTCP_MAX_NACKS];
    (void)state;
    for (unsigned stride = 1; stride < 40; stride++) {
        for (unsigned n = 1; n <= RTCP_MAX_NACKS; n += 15) {
            for (unsigned i = 0; i < n; i++)
                seqs[i] = (uint16_t)(65500 + i * stride);
            struct bytes_writer w = bytes_writer(buf, sizeof(buf));
            rtcp_write_nack(&w, 1, 2, seqs, n);
            assert_false(w.failed);
            assert_int_equal(rtcp_check(buf, w.len), 0);
            struct rtcp_packet p = only(buf, w.len);
            struct rtcp_nack_iter it = rtcp_nacks(&p);
            uint16_t seq = 0;
            for (unsigned i = 0; i < n; i++) {
                assert_true(rtcp_nack_next(&it, &seq));
                assert_int_equal(seq, seqs[i]);
            }
            assert_false(rtcp_nack_next(&it, &seq));
        }
    }
}

static void remb_has_exponent_and_mantissa(void **state)
{
    static const struct {
        uint64_t bps;
        uint32_t word; /* without the number of SSRCs */
    } cases[] = {
        {0, 0},
        {0x3ffff, 0x3ffff},
        {0x40000, 1 << 18 | 0x20000},
        {0x40001, 1 << 18 | 0x20000}, /* rounded down */
        {1000000, 2 << 18 | 250000},
        {UINT64_MAX, 46u << 18 | 0x3ffff},
    };
    const uint32_t ssrcs[] = {0xaaaaaaaa, 0xbbbbbbbb};
    uint8_t buf[28];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes_writer w = bytes_writer(buf, sizeof(buf));
        rtcp_write_remb(&w, 7, cases[i].bps, ssrcs, 2);
        assert_int_equal(w.len, 28);
        assert_int_equal(rtcp_check(buf, w.len), 0);
        struct rtcp_packet p = only(buf, w.len);
        struct rtcp_feedback f;
        assert_int_equal(p.type, RTCP_PSFB);
        assert_int_equal(p.count, RTCP_PSFB_AFB);
        assert_int_equal(rtcp_read_feedback(&p, &f), 0);
        assert_int_equal(f.sender_ssrc, 7);
        assert_int_equal(f.media_ssrc, 0);
        assert_int_equal(f.fci_len, 16);
        assert_memory_equal(f.fci, "REMB", 4);
        assert_int_equal(get_be32(f.fci + 4), 2u << 24 | cases[i].word);
        assert_int_equal(get_be32(f.fci + 8), ssrcs[0]);
        assert_int_equal(get_be32(f.fci + 12), ssrcs[1]);
    }
    struct bytes_writer w = bytes_writer(buf, 27);
    rtcp_write_remb(&w, 7, 1, ssrcs, 2);
    assert_true(w.failed);
}

static void rembs_are_read(void **state)
{
    static const struct {
        uint8_t type, fmt;
        uint8_t fci[12];
        size_t len;
        int expected;
        uint64_t bps;
    } cases[] = {
        {206, 15, {'R', 'E', 'M', 'B', 0, 0x03, 0xff, 0xff}, 8, 0, 0x3ffff},
        {206, 15, {'R', 'E', 'M', 'B', 1, 0x0b, 0xd0, 0x90, 0, 0, 0, 1}, 12, 0, 0x3d090 * 4},
        {206, 15, {'R', 'E', 'M', 'B', 0, 0xff, 0xff, 0xff}, 8, 0, UINT64_MAX},
        {206, 15, {'R', 'E', 'M', 'B', 0, 0xfc, 0, 0}, 8, 0, 0},
        {206, 15, {'R', 'E', 'M', 'B', 1, 0x03, 0xff, 0xff}, 8, RTP_E_TRUNCATED, 0},
        {206, 15, {'R', 'E', 'M', 'B'}, 4, RTP_E_TRUNCATED, 0},
        {206, 15, {'B', 'M', 'E', 'R', 0, 0, 0, 1}, 8, RTP_E_MALFORMED, 0},
        {206, 15, {0}, 0, RTP_E_MALFORMED, 0},
        {206, 1, {'R', 'E', 'M', 'B', 0, 0, 0, 1}, 8, RTP_E_MALFORMED, 0},
        {205, 15, {'R', 'E', 'M', 'B', 0, 0, 0, 1}, 8, RTP_E_MALFORMED, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t buf[24] = {(uint8_t)(0x80 | cases[i].fmt), cases[i].type};
        uint64_t bps = 77;
        put_be16(buf + 2, (uint16_t)(2 + cases[i].len / 4));
        memcpy(buf + 12, cases[i].fci, cases[i].len);
        struct rtcp_packet p = only(buf, 12 + cases[i].len);
        assert_int_equal(rtcp_read_remb(&p, &bps), cases[i].expected);
        assert_true(bps == (cases[i].expected ? 77 : cases[i].bps));
    }
    struct rtcp_packet p = {.type = RTCP_PSFB, .count = RTCP_PSFB_AFB, .body_len = 4};
    uint64_t bps;
    assert_int_equal(rtcp_read_remb(&p, &bps), RTP_E_TRUNCATED);
}

static void voice_metrics_are_read(void **state)
{
    static const uint8_t voip[32] = {0, 0, 0,   9,  26, 13,  0,  0,  0, 0, 0, 0,  0, 80, 0, 120,
                                     0, 0, 127, 16, 93, 127, 41, 40, 0, 0, 0, 60, 0, 0,  0, 0};
    static const uint8_t summary[36] = {0, 0, 0, 9, 0xff, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 6,
                                        0, 0, 0, 1, 0,    0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
    struct rtcp_xr_block b = {.type = RTCP_XR_VOIP, .body = voip, .body_len = sizeof(voip)};
    struct rtcp_xr_voip v;
    struct rtcp_xr_summary s;
    (void)state;
    assert_int_equal(rtcp_xr_read_voip(&b, &v), 0);
    assert_int_equal(v.ssrc, 9);
    assert_int_equal(v.loss_rate, 26);
    assert_int_equal(v.discard_rate, 13);
    assert_int_equal(v.round_trip_ms, 80);
    assert_int_equal(v.end_system_ms, 120);
    assert_int_equal(v.r_factor, 93);
    assert_int_equal(v.mos_lq_x10, 41);
    assert_int_equal(v.mos_cq_x10, 40);
    assert_int_equal(v.jitter_buffer_ms, 60);
    assert_int_equal(rtcp_xr_read_summary(&b, &s), RTP_E_MALFORMED);
    b.body_len = 28;
    assert_int_equal(rtcp_xr_read_voip(&b, &v), RTP_E_TRUNCATED);

    b = (struct rtcp_xr_block){
        .type = RTCP_XR_SUMMARY, .specific = 0xe0, .body = summary, .body_len = sizeof(summary)};
    assert_int_equal(rtcp_xr_read_summary(&b, &s), 0);
    assert_int_equal(s.ssrc, 9);
    assert_int_equal(s.begin_seq, 0xff00);
    assert_int_equal(s.end_seq, 0x100);
    assert_true(s.has_loss && s.has_duplicates && s.has_jitter);
    assert_int_equal(s.lost, 5);
    assert_int_equal(s.duplicates, 6);
    assert_int_equal(s.jitter_min, 1);
    assert_int_equal(s.jitter_max, 2);
    assert_int_equal(s.jitter_mean, 3);
    assert_int_equal(s.jitter_std, 4);
    b.specific = 0x40; /* what its flags leave out is not there, whatever it says */
    assert_int_equal(rtcp_xr_read_summary(&b, &s), 0);
    assert_true(!s.has_loss && s.has_duplicates && !s.has_jitter);
    assert_true(s.lost == 0 && s.duplicates == 6 && s.jitter_max == 0);
    assert_int_equal(rtcp_xr_read_voip(&b, &v), RTP_E_MALFORMED);
    b.body_len = 32;
    assert_int_equal(rtcp_xr_read_summary(&b, &s), RTP_E_TRUNCATED);
}

static void a_dlrr_is_read_as_it_was_written(void **state)
{
    const struct rtcp_xr_dlrr dlrr = {.ssrc = 9, .last_rr = 0x12345678, .delay = 65536};
    struct rtcp_xr_iter it;
    struct rtcp_xr_block b;
    struct rtcp_xr_dlrr d;
    uint8_t buf[24];
    uint32_t ssrc;
    (void)state;
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    rtcp_write_dlrr(&w, 7, &dlrr);
    assert_int_equal(w.len, sizeof(buf));
    assert_int_equal(rtcp_check(buf, w.len), 0);
    struct rtcp_packet p = only(buf, w.len);
    assert_int_equal(rtcp_read_xr(&p, &ssrc, &it), 0);
    assert_int_equal(ssrc, 7);
    assert_true(rtcp_xr_next(&it, &b));
    assert_int_equal(rtcp_xr_n_dlrr(&b), 1);
    rtcp_xr_read_dlrr(&b, 0, &d);
    assert_memory_equal(&d, &dlrr, sizeof(d));
    w = bytes_writer(buf, sizeof(buf) - 1);
    rtcp_write_dlrr(&w, 7, &dlrr);
    assert_true(w.failed && w.len == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framing_is_checked),
        cmocka_unit_test(padding_is_not_content),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(texts_of_every_length_fit),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
        cmocka_unit_test(counts_that_lie_are_cut),
        cmocka_unit_test(hostile_byes),
        cmocka_unit_test(cnames_are_found_and_bad_chunks_refused),
        cmocka_unit_test(nacks_are_listed),
        cmocka_unit_test(extended_reports_are_walked),
        cmocka_unit_test(nacks_are_packed_as_the_rfc_says),
        cmocka_unit_test(nacks_are_read_as_they_were_written),
        cmocka_unit_test(remb_has_exponent_and_mantissa),
        cmocka_unit_test(rembs_are_read),
        cmocka_unit_test(voice_metrics_are_read),
        cmocka_unit_test(a_dlrr_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
