/* Two ends of a session in virtual time: when reports leave, what stands in them, and that the
 * round-trip time comes out as the delay that was put in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/report.h"

#define A        0xaaaa0001
#define B        0xbbbb0002
#define RATE     48000
#define FRAME    960
#define FRAME_US (20 * US_PER_MS)

static const uint64_t ntp_offset = (uint64_t)3900000000 << 32 | 0x40000000;

static void ntp_time_is_the_clock_and_an_offset(void **state)
{
    (void)state;
    assert_true(rtp_ntp(0, 7) == 7);
    assert_true(rtp_ntp(US_PER_S, 0) == (uint64_t)1 << 32);
    assert_true(rtp_ntp(500 * US_PER_MS, ntp_offset) == ((uint64_t)3900000000 << 32 | 0xc0000000));
    assert_int_equal(rtp_ntp_middle(0x1111222233334444), 0x22223333);
    /* no overflow in the microseconds, a century on */
    assert_true(rtp_ntp((mono_us)3155760000 * US_PER_S + 999999, 0) >> 32 == 3155760000);
}

static void deadlines_are_randomised_within_the_rfc(void **state)
{
    struct rng rng;
    struct rtp_report r;
    uint8_t buf[RTP_REPORT_MAX_LEN(0)];
    mono_us low = MONO_NEVER, high = 0, sum = 0;
    (void)state;
    rng_init_seeded(&rng, 1);
    for (unsigned i = 0; i < 2000; i++) {
        rtp_report_init(&r, A, RATE, STR("a"), 0, &rng, 1000);
        mono_us first = rtp_report_deadline(&r) - 1000;
        assert_true(first >= RTP_REPORT_INITIAL_INTERVAL / 2);
        assert_true(first <= RTP_REPORT_INITIAL_INTERVAL * 3 / 2);

        struct bytes_writer w = bytes_writer(buf, sizeof(buf));
        mono_us now = rtp_report_deadline(&r);
        assert_false(rtp_report_write(&r, now - 1, NULL, 0, &w));
        assert_int_equal(w.len, 0);
        assert_true(rtp_report_deadline(&r) == now);
        assert_true(rtp_report_write(&r, now, NULL, 0, &w));
        mono_us next = rtp_report_deadline(&r) - now;
        low = mono_min(low, next);
        high = next > high ? next : high;
        sum += next;
    }
    assert_true(low >= RTP_REPORT_INTERVAL / 2 && low < RTP_REPORT_INTERVAL * 51 / 100);
    assert_true(high <= RTP_REPORT_INTERVAL * 3 / 2 && high > RTP_REPORT_INTERVAL * 149 / 100);
    assert_true(sum / 2000 > RTP_REPORT_INTERVAL * 97 / 100);
    assert_true(sum / 2000 < RTP_REPORT_INTERVAL * 103 / 100);
}

static uint8_t first_type(struct rtp_report *r, struct rtcp_sr *ret)
{
    uint8_t buf[RTP_REPORT_MAX_LEN(0)];
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    struct rtcp_packet p;
    assert_true(rtp_report_write(r, rtp_report_deadline(r), NULL, 0, &w));
    assert_int_equal(rtcp_check(buf, w.len), 0);
    struct rtcp_iter it = rtcp_packets(buf, w.len);
    assert_true(rtcp_next(&it, &p));
    if (ret)
        assert_int_equal(rtcp_read_sr(&p, ret), 0);
    return p.type;
}

/* Once, and only where it says more than the source's own statistics. */
static void loss_that_was_repaired_is_told(void **state)
{
    const struct {
        uint8_t least;
        uint8_t told;
    } cases[] = {{0, 128}, {127, 128}, {200, 200}, {0, 128}};
    struct rng rng;
    struct rtp_report r;
    struct rtp_recv_stats source;
    uint16_t seq = 0;
    (void)state;
    rng_init_seeded(&rng, 3);
    rtp_report_init(&r, A, RATE, STR("a"), ntp_offset, &rng, 0);
    rtp_recv_stats_init(&source, B, RATE, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t buf[RTP_REPORT_MAX_LEN(1)];
        struct bytes_writer w = bytes_writer(buf, sizeof(buf));
        struct rtcp_report_block block;
        struct rtcp_packet p;
        mono_us now = rtp_report_deadline(&r);
        for (unsigned n = 0; n < 20; n++, seq = (uint16_t)(seq + 2)) /* every second one */
            assert_int_equal(rtp_recv_stats_packet(&source, seq, seq * FRAME, now), 0);
        rtp_report_set_least_loss(&r, cases[i].least);
        assert_true(rtp_report_write(&r, now, &source, 1, &w));
        struct rtcp_iter it = rtcp_packets(buf, w.len);
        assert_true(rtcp_next(&it, &p));
        rtcp_read_block(&p, 0, &block);
        assert_in_range(block.fraction_lost, i == 0 ? 120 : cases[i].told, cases[i].told);
    }
}

/* RFC 3550 §6.4: SR when we sent since the last-but-one report. */
static void who_sends_makes_sender_reports(void **state)
{
    struct rng rng;
    struct rtp_report r;
    struct rtcp_sr sr = {0};
    (void)state;
    rng_init_seeded(&rng, 2);
    rtp_report_init(&r, A, RATE, STR("a"), ntp_offset, &rng, 0);
    assert_int_equal(first_type(&r, NULL), RTCP_RR);

    mono_us now = rtp_report_deadline(&r) - 100 * US_PER_MS;
    rtp_report_sent(&r, 0xfffffff0, 80, now - FRAME_US);
    rtp_report_sent(&r, 0xfffffff0 + FRAME, 70, now);
    assert_int_equal(first_type(&r, &sr), RTCP_SR);
    assert_int_equal(sr.ssrc, A);
    assert_int_equal(sr.packets, 2);
    assert_int_equal(sr.octets, 150);
    assert_true(sr.ntp == rtp_ntp(now + 100 * US_PER_MS, ntp_offset));
    /* the timestamp is that of the moment, 100 ms after the last packet */
    assert_int_equal(sr.rtp_ts, (uint32_t)(0xfffffff0 + FRAME + 4800));

    assert_int_equal(first_type(&r, NULL), RTCP_SR);
    assert_int_equal(first_type(&r, NULL), RTCP_RR);
    assert_int_equal(first_type(&r, NULL), RTCP_RR);
    rtp_report_sent(&r, 5, 80, rtp_report_deadline(&r));
    assert_int_equal(first_type(&r, NULL), RTCP_SR);
}

/* A sends media to B; both report; the way takes 70 ms there and 30 ms back. */
static void the_round_trip_is_measured(void **state)
{
    struct rng rng;
    struct rtp_report a, b;
    struct rtp_recv_stats at_a, at_b;
    struct rtp_report_events events;
    uint8_t buf[RTP_REPORT_MAX_LEN(1)];
    unsigned n_rtt = 0;
    (void)state;
    rng_init_seeded(&rng, 3);
    rtp_report_init(&a, A, RATE, STR("a"), ntp_offset, &rng, 0);
    rtp_report_init(&b, B, RATE, STR("b"), 12345, &rng, 0); /* another wall clock */
    rtp_recv_stats_init(&at_a, B, RATE, 0);
    rtp_recv_stats_init(&at_b, A, RATE, 0);
    for (uint32_t i = 0; i < 3000; i++) {
        mono_us now = i * FRAME_US;
        rtp_report_sent(&a, i * FRAME, 80, now);
        if (i % 10)
            assert_int_equal(
                rtp_recv_stats_packet(&at_b, (uint16_t)i, i * FRAME, now + 70 * US_PER_MS), 0);
        struct bytes_writer w = bytes_writer(buf, sizeof(buf));
        if (rtp_report_write(&a, now, &at_a, 1, &w))
            assert_int_equal(
                rtp_report_receive(&b, now + 70 * US_PER_MS, buf, w.len, &at_b, 1, &events), 0);
        w = bytes_writer(buf, sizeof(buf));
        if (!rtp_report_write(&b, now + 70 * US_PER_MS, &at_b, 1, &w))
            continue;
        assert_int_equal(
            rtp_report_receive(&a, now + 100 * US_PER_MS, buf, w.len, &at_a, 1, &events), 0);
        assert_true(events.is_reported);
        assert_false(events.is_bye);
        if (!events.is_rtt)
            continue;
        n_rtt++;
        assert_true(a.has_rtt);
        assert_in_range(a.rtt, 100 * US_PER_MS - 100, 100 * US_PER_MS + 100);
        assert_in_range(a.remote.fraction_lost, 20, 30); /* a tenth of 256 */
    }
    assert_true(n_rtt >= 5);
    assert_false(b.has_remote); /* A receives nothing, so it has no block about B */
}

static void reports_that_lie_are_not_believed(void **state)
{
    struct rng rng;
    struct rtp_report r;
    struct rtp_report_events events;
    uint8_t buf[200];
    (void)state;
    rng_init_seeded(&rng, 4);
    rtp_report_init(&r, A, RATE, STR("a"), ntp_offset, &rng, 0);
    struct rtcp_report_block block = {.ssrc = A, .last_sr = 5, .delay = 0x7fffffff};
    block.last_sr = rtp_ntp_middle(rtp_ntp(US_PER_S, ntp_offset));
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    rtcp_write_rr(&w, B, &block, 1);
    assert_int_equal(rtp_report_receive(&r, 2 * US_PER_S, buf, w.len, NULL, 0, &events), 0);
    assert_true(events.is_reported);
    assert_false(events.is_rtt); /* a delay longer than the time since the report */
    assert_false(r.has_rtt);

    block.ssrc = B; /* about somebody else */
    r.has_remote = false;
    w = bytes_writer(buf, sizeof(buf));
    rtcp_write_rr(&w, B, &block, 1);
    assert_int_equal(rtp_report_receive(&r, 2 * US_PER_S, buf, w.len, NULL, 0, &events), 0);
    assert_false(r.has_remote);

    assert_int_equal(rtp_report_receive(&r, 2 * US_PER_S, buf, w.len - 1, NULL, 0, &events),
                     RTP_E_TRUNCATED);
}

static void a_farewell_is_understood(void **state)
{
    struct rng rng;
    struct rtp_report a, b;
    struct rtp_recv_stats sources[2];
    struct rtp_report_events events;
    uint8_t buf[RTP_REPORT_MAX_LEN(0) + 8];
    char cname[RTP_REPORT_MAX_CNAME];
    (void)state;
    memset(cname, 'c', sizeof(cname));
    rng_init_seeded(&rng, 5);
    rtp_report_init(&a, A, RATE, (struct str){cname, sizeof(cname)}, 0, &rng, 0);
    rtp_report_init(&b, B, RATE, STR("b"), 0, &rng, 0);
    rtp_recv_stats_init(&sources[0], 77, RATE, 0);
    rtp_recv_stats_init(&sources[1], A, RATE, 0);
    rtp_report_sent(&a, 0, 80, 0);
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    rtp_report_write_bye(&a, US_PER_S, &w);
    assert_false(w.failed);
    assert_int_equal(rtp_report_receive(&b, US_PER_S, buf, w.len, sources, 2, &events), 0);
    assert_true(events.is_bye);
    assert_true(sources[1].has_sr);
    assert_int_equal(rtp_report_receive(&b, US_PER_S, buf, w.len, sources, 1, &events), 0);
    assert_false(events.is_bye); /* not one of ours */
}

static void a_full_report_fits_and_leaves_out_the_unproven(void **state)
{
    struct rng rng;
    struct rtp_report r;
    struct rtp_recv_stats sources[RTCP_MAX_BLOCKS];
    uint8_t buf[RTP_REPORT_MAX_LEN(RTCP_MAX_BLOCKS)];
    char cname[RTP_REPORT_MAX_CNAME];
    struct rtcp_packet p;
    (void)state;
    memset(cname, 'c', sizeof(cname));
    rng_init_seeded(&rng, 6);
    rtp_report_init(&r, A, RATE, (struct str){cname, sizeof(cname)}, 0, &rng, 0);
    rtp_report_sent(&r, 0, 80, 0);
    for (uint32_t i = 0; i < RTCP_MAX_BLOCKS; i++) {
        rtp_recv_stats_init(&sources[i], i, RATE, i == 5 ? 2 : 0);
        (void)rtp_recv_stats_packet(&sources[i], 1, 1, 1);
    }
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    assert_true(rtp_report_write(&r, 10 * US_PER_S, sources, RTCP_MAX_BLOCKS, &w));
    struct rtcp_iter it = rtcp_packets(buf, w.len);
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(rtcp_n_blocks(&p), RTCP_MAX_BLOCKS - 1);
    w = bytes_writer(buf, 27);
    assert_false(rtp_report_write(&r, 100 * US_PER_S, sources, RTCP_MAX_BLOCKS, &w));
    assert_true(w.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_time_is_the_clock_and_an_offset),
        cmocka_unit_test(deadlines_are_randomised_within_the_rfc),
        cmocka_unit_test(loss_that_was_repaired_is_told),
        cmocka_unit_test(who_sends_makes_sender_reports),
        cmocka_unit_test(the_round_trip_is_measured),
        cmocka_unit_test(reports_that_lie_are_not_believed),
        cmocka_unit_test(a_farewell_is_understood),
        cmocka_unit_test(a_full_report_fits_and_leaves_out_the_unproven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
