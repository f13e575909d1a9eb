/* The rate that a sender is told: from loss, once a second, within its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/remb.h"
#include "rtp/rtcp.h"

static struct rtp_remb r;
static struct rtp_remb_counts counts;
static mono_us now;

static uint64_t told(void)
{
    uint8_t buf[64];
    uint64_t bps = 0;
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    assert_true(rtp_remb_write(&r, now, counts, 7, 9, &w));
    struct rtcp_iter it = rtcp_packets(buf, w.len);
    struct rtcp_packet p;
    struct rtcp_feedback f;
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(rtcp_read_remb(&p, &bps), 0);
    assert_int_equal(rtcp_read_feedback(&p, &f), 0);
    assert_int_equal(f.sender_ssrc, 7);
    assert_int_equal(get_be32(f.fci + 8), 9);
    return bps;
}

static void begin(void)
{
    now = 5 * US_PER_S;
    counts = (struct rtp_remb_counts){0};
    rtp_remb_init(&r, now);
}

/* A second in which so many packets of 160 bytes should have come. */
static uint64_t second(uint32_t expected, uint32_t lost)
{
    for (uint32_t i = lost; i < expected; i++)
        rtp_remb_packet(&r, 160);
    counts.expected += expected;
    counts.lost += lost;
    now += RTP_REMB_INTERVAL;
    return told();
}

static void it_comes_once_a_second(void **state)
{
    uint8_t buf[64];
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    (void)state;
    begin();
    assert_true(rtp_remb_deadline(&r) == now + RTP_REMB_INTERVAL);
    assert_false(rtp_remb_write(&r, now + RTP_REMB_INTERVAL - 1, counts, 7, 9, &w));
    assert_int_equal(w.len, 0);
    assert_int_equal(second(50, 0), RTP_REMB_MAX_BPS / 4 * 4);
    assert_true(rtp_remb_deadline(&r) == now + RTP_REMB_INTERVAL);
    now += RTP_REMB_INTERVAL;
    w = bytes_writer(buf, 10);
    assert_false(rtp_remb_write(&r, now, counts, 7, 9, &w));
    assert_true(w.failed);
}

static void loss_lowers_it_and_its_end_raises_it(void **state)
{
    (void)state;
    begin();
    /* 40 packets of 160 bytes are 51.2 kbit/s, less a tenth */
    assert_int_equal(second(50, 10), 46080);
    assert_int_equal(second(50, 2), 46080); /* 4 %: as it was */
    assert_int_equal(second(50, 5), 46080); /* 10 %: still */
    assert_int_equal(second(50, 0), 46080 * 108 / 100);
    assert_int_equal(second(100, 50), 48000); /* 64 kbit/s came, less a quarter */
    assert_int_equal(second(50, 50), RTP_REMB_MIN_BPS);
    for (unsigned i = 0; i < 60; i++)
        (void)second(50, 0);
    assert_int_equal(second(50, 0), RTP_REMB_MAX_BPS / 4 * 4);
}

static void few_packets_say_nothing(void **state)
{
    (void)state;
    begin();
    assert_int_equal(second(50, 10), 46080);
    assert_int_equal(second(RTP_REMB_MIN_PACKETS - 1, 10), 46080); /* DTX */
    assert_int_equal(second(RTP_REMB_MIN_PACKETS - 1, 0), 46080);
    assert_int_equal(second(0, 0), 46080);
    assert_int_equal(second(30, UINT32_MAX), RTP_REMB_MIN_BPS); /* nonsense is bounded */
}

static void counters_may_wrap(void **state)
{
    (void)state;
    begin();
    counts = (struct rtp_remb_counts){UINT32_MAX - 20, UINT32_MAX - 5};
    (void)second(0, 0);
    r.rate_bps = RTP_REMB_MAX_BPS;
    assert_int_equal(second(50, 10), 46080);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_once_a_second),
        cmocka_unit_test(loss_lowers_it_and_its_end_raises_it),
        cmocka_unit_test(few_packets_say_nothing),
        cmocka_unit_test(counters_may_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
