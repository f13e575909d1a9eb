/* RFC 3550 appendix A: probation, loss, restarts, wrap-around, jitter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/recv_stats.h"

#define SSRC     0x1234
#define RATE     8000
#define FRAME    160
#define FRAME_US (20 * US_PER_MS)

static struct rtp_recv_stats s;

static int put(uint16_t seq)
{
    return rtp_recv_stats_packet(&s, seq, (uint32_t)seq * FRAME, (mono_us)seq * FRAME_US);
}

static struct rtcp_report_block report(void)
{
    struct rtcp_report_block b;
    rtp_recv_stats_report(&s, 0, &b);
    return b;
}

static void a_source_proves_itself(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, RTP_RECV_MIN_SEQUENTIAL);
    assert_false(rtp_recv_stats_is_valid(&s));
    assert_int_equal(put(10), RTP_E_PROBATION);
    assert_int_equal(put(12), RTP_E_PROBATION); /* not in sequence: begins again */
    assert_false(rtp_recv_stats_is_valid(&s));
    assert_int_equal(put(13), 0);
    assert_true(rtp_recv_stats_is_valid(&s));
    assert_int_equal(s.received, 1);
    assert_int_equal(rtp_recv_stats_lost(&s), 0);
}

static void an_authenticated_source_counts_at_once(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_false(rtp_recv_stats_is_valid(&s));
    assert_int_equal(put(10), 0);
    assert_true(rtp_recv_stats_is_valid(&s));
    assert_int_equal(s.received, 1);
}

static void loss_is_counted_by_interval_and_in_all(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    for (uint16_t i = 0; i < 100; i++) {
        if (i % 4 != 1)
            assert_int_equal(put(i), 0);
    }
    struct rtcp_report_block b = report();
    assert_int_equal(b.ssrc, SSRC);
    assert_int_equal(b.lost, 25);
    assert_int_equal(b.fraction_lost, 64); /* a quarter of 256 */
    assert_int_equal(b.extended_seq, 99);
    for (uint16_t i = 100; i < 200; i++)
        assert_int_equal(put(i), 0);
    b = report();
    assert_int_equal(b.lost, 25);
    assert_int_equal(b.fraction_lost, 0);
    assert_int_equal(report().fraction_lost, 0); /* nothing expected */
}

static void late_and_double_packets_are_not_lost(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    const uint16_t order[] = {0, 1, 4, 2, 3, 5, 5};
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_int_equal(put(order[i]), 0);
    struct rtcp_report_block b = report();
    assert_int_equal(b.lost, -1); /* RFC 3550 §6.4.1: negative with duplicates */
    assert_int_equal(b.fraction_lost, 0);
    assert_int_equal(b.extended_seq, 5);
}

static void the_number_wraps(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_int_equal(put(65534), 0);
    assert_int_equal(put(1), 0);
    assert_int_equal(put(65535), 0); /* late, of the round before */
    assert_int_equal(rtp_recv_stats_extended_seq(&s), 0x10001);
    assert_int_equal(rtp_recv_stats_lost(&s), 1);
    for (uint32_t i = 2; i < 3 * 65536; i += 2)
        assert_int_equal(put((uint16_t)i), 0);
    assert_int_equal(rtp_recv_stats_extended_seq(&s), 0x10000 + 3 * 65536 - 2);
}

static void a_jump_must_be_confirmed(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_int_equal(put(10), 0);
    assert_int_equal(put(20000), RTP_E_JUMP);
    assert_int_equal(put(11), 0);
    assert_int_equal(put(20001), RTP_E_JUMP);
    assert_int_equal(put(30000), RTP_E_JUMP);
    assert_int_equal(put(30001), 0);
    assert_int_equal(rtp_recv_stats_extended_seq(&s), 30001);
    assert_int_equal(s.received, 1);
    assert_int_equal(rtp_recv_stats_lost(&s), 0);
    /* the borders: 2999 ahead is loss, 3000 is a jump; 99 back is late, 100 is a jump */
    assert_int_equal(put(30001 + RTP_RECV_MAX_DROPOUT), RTP_E_JUMP);
    assert_int_equal(put(30001 + RTP_RECV_MAX_DROPOUT - 1), 0);
    assert_int_equal(put(33000 - RTP_RECV_MAX_MISORDER), RTP_E_JUMP);
    assert_int_equal(put(33000 - RTP_RECV_MAX_MISORDER + 1), 0);
}

static void loss_stays_in_24_bits(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_int_equal(put(0), 0);
    s.cycles = 0x7fff0000;
    assert_int_equal(rtp_recv_stats_lost(&s), 0x7fffff);
    s.cycles = 0;
    s.received = 0x1000000;
    assert_int_equal(rtp_recv_stats_lost(&s), -0x800000);
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_int_equal(put(0), 0);
    (void)report();
    s.max_seq = 1000; /* all lost: 256/256 does not fit into a byte */
    assert_int_equal(report().fraction_lost, 255);
}

/* §A.8 by a second computation: J += (|D| - J) / 16, here in floating point. */
static void jitter_is_that_of_the_rfc(void **state)
{
    const int delay_ms[] = {40, 45, 38, 60, 60, 41, 40, 90, 40, 40, 43, 39, 55, 40};
    double jitter = 0;
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    for (unsigned i = 0; i < 1000; i++) {
        size_t n = ARRAY_LEN(delay_ms);
        int delay = delay_ms[i % n];
        int before = delay_ms[(i + n - 1) % n];
        /* timestamps wrap on the way, the clock is far from zero */
        uint32_t ts = 0xfffff000 + i * FRAME;
        mono_us at = 987654 * US_PER_S + i * FRAME_US + delay * US_PER_MS;
        assert_int_equal(rtp_recv_stats_packet(&s, (uint16_t)i, ts, at), 0);
        if (i > 0)
            jitter += (8.0 * abs(delay - before) - jitter) / 16;
        assert_true(rtp_recv_stats_jitter(&s) + 1.5 > jitter);
        assert_true(rtp_recv_stats_jitter(&s) < jitter + 1.5);
    }
    assert_true(jitter > 80);
}

static void steady_packets_have_no_jitter(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(put((uint16_t)i), 0);
    assert_int_equal(rtp_recv_stats_jitter(&s), 0);
}

static void delay_since_the_last_sender_report(void **state)
{
    struct rtcp_report_block b;
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_int_equal(put(0), 0);
    rtp_recv_stats_report(&s, 5 * US_PER_S, &b);
    assert_int_equal(b.last_sr, 0);
    assert_int_equal(b.delay, 0);
    rtp_recv_stats_sender_report(&s, 0x1111222233334444, 10 * US_PER_S);
    rtp_recv_stats_report(&s, 15 * US_PER_S + 250 * US_PER_MS, &b);
    assert_int_equal(b.last_sr, 0x22223333);
    assert_int_equal(b.delay, 0x00054000); /* RFC 3550 §6.4.1's own 5.25 s */
}

/* RFC 4733: a key that is held for 2 s keeps its timestamp in all of its packets. */
static void an_event_has_no_jitter(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    for (uint16_t n = 0; n < 300; n++) {
        uint32_t frame = n >= 100 && n < 200 ? 100 : n;
        assert_int_equal(rtp_recv_stats_packet(&s, n, frame * 160, n * 20 * US_PER_MS), 0);
        assert_int_equal(rtp_recv_stats_jitter(&s), 0);
    }
    assert_int_equal(rtp_recv_stats_lost(&s), 0);
}

static void a_packet_that_was_sent_again_is_no_jitter(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, 1, 48000, 0);
    for (uint16_t n = 0; n < 200; n++) {
        mono_us now = n * 20 * US_PER_MS;
        if (n % 10 != 9)
            assert_int_equal(rtp_recv_stats_packet(&s, n, n * 960u, now), 0);
        if (n % 10 == 2 && n > 10) /* number 9 of the ten before, 60 ms late */
            assert_int_equal(
                rtp_recv_stats_packet(&s, (uint16_t)(n - 3), (n - 3) * 960u, now + US_PER_MS), 0);
    }
    assert_int_equal(rtp_recv_stats_jitter(&s), 0);
    assert_in_range(rtp_recv_stats_lost(&s), 0, 1);
}

/* So many packets, each `late` after its time. @return the queue that is seen at the end */
static mono_us queue_after(unsigned n, mono_us late)
{
    static uint32_t number;
    mono_us now = 0, queue = 0;
    for (; n > 0; n--) {
        number = s.has_transit ? number + 1 : 1;
        now = number * FRAME_US + late;
        assert_int_equal(rtp_recv_stats_packet(&s, (uint16_t)number, number * FRAME - 77, now), 0);
        queue = rtp_recv_stats_queue(&s, now);
    }
    return queue;
}

static void a_queue_shows_in_the_delay(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_int_equal(rtp_recv_stats_queue(&s, 0), 0);
    assert_int_equal(queue_after(50, 30 * US_PER_MS), 0);
    assert_int_equal(queue_after(50, 10 * US_PER_MS), 0); /* the fastest so far */
    assert_in_range(queue_after(50, 130 * US_PER_MS), 118 * US_PER_MS, 120 * US_PER_MS);
    assert_int_equal(queue_after(50, 10 * US_PER_MS), 0);
    for (unsigned i = 0; i < 100; i++) { /* jitter is no queue, nor is a pause */
        assert_true(queue_after(9, 200 * US_PER_MS) < 10 * US_PER_MS);
        assert_true(queue_after(1, 10 * US_PER_MS) < 10 * US_PER_MS);
    }
    /* it stays: seen for minutes, forgotten in the end */
    assert_true(queue_after(50 * 180, 310 * US_PER_MS) > 115 * US_PER_MS);
    assert_true(queue_after(50 * 180, 310 * US_PER_MS) < US_PER_MS);
}

static void a_jump_of_the_clock_is_no_queue(void **state)
{
    (void)state;
    rtp_recv_stats_init(&s, SSRC, RATE, 0);
    assert_int_equal(queue_after(50, 0), 0);
    assert_int_equal(queue_after(50, RTP_RECV_MAX_QUEUE + US_PER_S), 0);
    /* nor is a line of another length */
    rtp_recv_stats_new_line(&s);
    assert_int_equal(rtp_recv_stats_queue(&s, US_PER_S), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_proves_itself),
        cmocka_unit_test(an_authenticated_source_counts_at_once),
        cmocka_unit_test(loss_is_counted_by_interval_and_in_all),
        cmocka_unit_test(late_and_double_packets_are_not_lost),
        cmocka_unit_test(the_number_wraps),
        cmocka_unit_test(a_jump_must_be_confirmed),
        cmocka_unit_test(loss_stays_in_24_bits),
        cmocka_unit_test(jitter_is_that_of_the_rfc),
        cmocka_unit_test(steady_packets_have_no_jitter),
        cmocka_unit_test(an_event_has_no_jitter),
        cmocka_unit_test(delay_since_the_last_sender_report),
        cmocka_unit_test(a_queue_shows_in_the_delay),
        cmocka_unit_test(a_jump_of_the_clock_is_no_queue),
        cmocka_unit_test(a_packet_that_was_sent_again_is_no_jitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
