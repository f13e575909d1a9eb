/* The loss detector in virtual time: when it asks, how often, what it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/nack.h"
#include "rtp/recv_stats.h"

#define FRAME (20 * US_PER_MS)
#define RTT   (60 * US_PER_MS)
#define WAIT  (RTT / 2)

static struct rtp_nack n;
static uint16_t seqs[RTP_NACK_WINDOW];

static void begin(void)
{
    rtp_nack_init(&n);
    rtp_nack_set_rtt(&n, RTT);
}

/* Packets from `from` to `to` in order, each at its time. */
static void put_run(unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++)
        rtp_nack_packet(&n, (uint16_t)i, i * FRAME);
}

static void nothing_lost_asks_for_nothing(void **state)
{
    (void)state;
    begin();
    assert_int_equal(rtp_nack_poll(&n, 0, seqs), 0);
    put_run(65000, 66000); /* over the wrap */
    assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
    assert_int_equal(rtp_nack_poll(&n, 70000 * FRAME, seqs), 0);
    assert_int_equal(n.expected, 1001);
    assert_int_equal(n.lost, 0);
    assert_int_equal(n.reordered, 0);
}

static void a_gap_is_asked_for_when_the_tolerance_is_over(void **state)
{
    const mono_us seen = 104 * FRAME;
    (void)state;
    begin();
    put_run(100, 101);
    rtp_nack_packet(&n, 104, seen);
    assert_true(rtp_nack_deadline(&n) == seen + RTP_NACK_REORDER);
    assert_int_equal(rtp_nack_poll(&n, seen + RTP_NACK_REORDER - 1, seqs), 0);
    assert_int_equal(n.lost, 0);
    assert_int_equal(rtp_nack_poll(&n, seen + RTP_NACK_REORDER, seqs), 2);
    assert_int_equal(seqs[0], 102);
    assert_int_equal(seqs[1], 103);
    assert_int_equal(n.lost, 2);
    assert_int_equal(n.runs, 1);
    /* not again at once */
    assert_int_equal(rtp_nack_poll(&n, seen + RTP_NACK_REORDER, seqs), 0);
    assert_true(rtp_nack_deadline(&n) == seen + RTP_NACK_REORDER + WAIT);
}

static void reordering_is_not_loss(void **state)
{
    (void)state;
    begin();
    put_run(65533, 65534);
    rtp_nack_packet(&n, 0, 65536 * FRAME);
    rtp_nack_packet(&n, 65535, 65536 * FRAME + RTP_NACK_REORDER - 1);
    assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
    assert_int_equal(rtp_nack_poll(&n, 65537 * FRAME, seqs), 0);
    assert_int_equal(n.reordered, 1);
    assert_int_equal(n.lost, 0);
    assert_int_equal(n.expected, 4);
    /* a duplicate changes nothing */
    rtp_nack_packet(&n, 65535, 65537 * FRAME);
    assert_int_equal(n.reordered, 1);
    assert_int_equal(n.expected, 4);
}

static void it_asks_twice_a_round_trip_while_the_answer_is_of_use(void **state)
{
    unsigned asked = 0;
    (void)state;
    begin();
    put_run(1, 2);
    rtp_nack_packet(&n, 4, 4 * FRAME);
    mono_us due = 3 * FRAME, at[RTP_NACK_MAX_REQUESTS + 1], now = 0;
    for (mono_us next; (next = rtp_nack_deadline(&n)) != MONO_NEVER && asked < ARRAY_LEN(at);) {
        assert_true(next > now); /* never twice at one time */
        now = next;
        if (rtp_nack_poll(&n, now, seqs))
            at[asked++] = now;
    }
    assert_int_equal(asked, RTP_NACK_MAX_REQUESTS);
    assert_true(at[0] == 4 * FRAME + RTP_NACK_REORDER);
    for (unsigned i = 1; i < asked; i++)
        assert_true(at[i] == at[i - 1] + WAIT);
    assert_true(at[asked - 1] + RTT <= due + RTP_NACK_USEFUL);
    assert_int_equal(n.requests, asked);
    assert_int_equal(n.lost, 1);

    /* a longer round trip leaves time for one request, a very long one for none */
    const struct {
        mono_us rtt;
        unsigned asked;
    } cases[] = {
        {0, RTP_NACK_MAX_REQUESTS},
        {120 * US_PER_MS, 3},
        {200 * US_PER_MS, 1},
        {RTP_NACK_USEFUL - FRAME - RTP_NACK_REORDER, 1},
        {RTP_NACK_USEFUL - FRAME - RTP_NACK_REORDER + 1, 0},
        {RTP_NACK_USEFUL + 1, 0},
        {5 * US_PER_S, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        rtp_nack_init(&n);
        rtp_nack_set_rtt(&n, cases[i].rtt);
        put_run(1, 2);
        rtp_nack_packet(&n, 4, 4 * FRAME);
        asked = 0;
        for (mono_us next; (next = rtp_nack_deadline(&n)) != MONO_NEVER;)
            asked += rtp_nack_poll(&n, next, seqs);
        assert_int_equal(asked, cases[i].asked);
        assert_int_equal(n.lost, 1);
    }
}

static void a_late_owner_is_not_kept_busy(void **state)
{
    (void)state;
    begin();
    put_run(1, 2);
    rtp_nack_packet(&n, 4, 4 * FRAME);
    mono_us now = 3 * FRAME + RTP_NACK_USEFUL - RTT + 1; /* too late by a microsecond */
    assert_int_equal(rtp_nack_poll(&n, now, seqs), 0);
    assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
    assert_int_equal(n.lost, 1);
    /* and after an hour and more, where 32 bits of microseconds wrapped, still nothing */
    now = (INT64_C(1) << 32) + 4 * FRAME;
    assert_int_equal(rtp_nack_poll(&n, now, seqs), 0);
    assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
    rtp_nack_packet(&n, 3, now);
    assert_int_equal(n.repaired, 0);
    assert_int_equal(n.late, 1);
    /* one that still waited then is lost, wherever the 32 bits stand */
    for (int64_t i = 1; i < 16; i++) {
        begin();
        put_run(1, 2);
        rtp_nack_packet(&n, 4, 4 * FRAME);
        assert_int_equal(rtp_nack_poll(&n, (i << 29) + 4 * FRAME, seqs), 0);
        assert_int_equal(n.lost, 1);
    }
}

static void an_answer_repairs_or_comes_too_late(void **state)
{
    (void)state;
    begin();
    put_run(1, 2);
    rtp_nack_packet(&n, 5, 5 * FRAME);
    assert_int_equal(rtp_nack_poll(&n, 5 * FRAME + RTP_NACK_REORDER, seqs), 2);
    rtp_nack_packet(&n, 3, 3 * FRAME + RTP_NACK_USEFUL);
    rtp_nack_packet(&n, 4, 4 * FRAME + RTP_NACK_USEFUL + 1);
    assert_int_equal(n.lost, 2);
    assert_int_equal(n.repaired, 1);
    assert_int_equal(n.late, 1);
    assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
    rtp_nack_packet(&n, 3, 5 * FRAME + RTP_NACK_USEFUL); /* the answer to a repetition */
    assert_int_equal(n.repaired, 1);
}

static void a_silence_does_not_age_what_follows_it(void **state)
{
    (void)state;
    begin();
    put_run(1, 2);
    /* silent for ten seconds; the first packet of the talk is lost */
    const mono_us talk = 10 * US_PER_S;
    rtp_nack_packet(&n, 4, talk);
    assert_int_equal(rtp_nack_poll(&n, talk + RTP_NACK_REORDER, seqs), 1);
    assert_int_equal(seqs[0], 3);
}

static void what_was_lost_long_before_it_was_noticed_is_not_asked_for(void **state)
{
    (void)state;
    begin();
    put_run(1, 2);
    /* half a second of 20 ms packets is missing: the newest 230 ms and less can still be used */
    rtp_nack_packet(&n, 27, 27 * FRAME);
    mono_us now = 27 * FRAME + RTP_NACK_REORDER;
    unsigned asked = rtp_nack_poll(&n, now, seqs);
    assert_int_equal(asked, 11);
    assert_int_equal(seqs[0], 16);
    assert_true(now - 16 * FRAME + RTT <= RTP_NACK_USEFUL);
    assert_true(now - 15 * FRAME + RTT > RTP_NACK_USEFUL);
    assert_int_equal(n.lost, 24);
    assert_int_equal(n.runs, 1);
}

static void a_gap_beyond_the_window_is_counted_whole(void **state)
{
    const int steps[] = {31, 32, 33, 34, 64, 65, 1000, RTP_RECV_MAX_DROPOUT - 1};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        begin();
        put_run(65500, 65501);
        mono_us now = 65502 * FRAME;
        rtp_nack_packet(&n, (uint16_t)(65501 + steps[i]), now);
        assert_int_equal(n.expected, 2 + steps[i]);
        (void)rtp_nack_poll(&n, now + RTP_NACK_REORDER, seqs);
        assert_int_equal(n.lost, steps[i] - 1);
        assert_int_equal(n.runs, 1);
    }
}

static void series_are_counted_once(void **state)
{
    (void)state;
    begin();
    /* 3 · 5,6 · 9 lost, 8 late but tolerated */
    const uint16_t order[] = {1, 2, 4, 7, 10, 8, 11, 12, 13};
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        rtp_nack_packet(&n, order[i], 10 * FRAME + (mono_us)i * US_PER_MS);
    (void)rtp_nack_poll(&n, 12 * FRAME, seqs);
    assert_int_equal(n.lost, 4);
    assert_int_equal(n.runs, 3);
    assert_int_equal(n.reordered, 1);
    assert_int_equal(n.expected, 13);
}

static void counts_do_not_need_polling(void **state)
{
    unsigned lost = 0, runs = 0;
    bool was_lost = false;
    (void)state;
    begin();
    uint32_t x = 1;
    unsigned last = 0;
    for (unsigned i = 0; i < 200000; i++) {
        x = x * 1664525 + 1013904223;
        bool is_lost = i > 0 && x >> 28 < 3;
        if (is_lost) {
            lost++;
            runs += !was_lost;
        } else {
            rtp_nack_packet(&n, (uint16_t)i, i * FRAME);
            last = i;
        }
        was_lost = is_lost;
    }
    for (unsigned i = 1; i <= RTP_NACK_WINDOW; i++)
        rtp_nack_packet(&n, (uint16_t)(last + i), (last + i) * FRAME);
    assert_int_equal(n.expected, last + 1 + RTP_NACK_WINDOW);
    /* what was dropped behind the last packet that went in came after all */
    assert_int_equal(n.lost, lost - (199999 - last));
    assert_int_equal(n.runs, runs - (last < 199999));
    assert_int_equal(n.repaired + n.late + n.requests, 0);
}

static void redundancy_repairs_without_asking(void **state)
{
    (void)state;
    begin();
    put_run(1, 2);
    rtp_nack_packet(&n, 5, 5 * FRAME);
    rtp_nack_repaired(&n, 3, 5 * FRAME);
    rtp_nack_repaired(&n, 4, 5 * FRAME);
    rtp_nack_repaired(&n, 4, 5 * FRAME);
    rtp_nack_repaired(&n, 5, 5 * FRAME); /* it came itself */
    rtp_nack_repaired(&n, 6, 5 * FRAME); /* not yet expected */
    rtp_nack_repaired(&n, 1, 5 * FRAME);
    assert_int_equal(n.lost, 2);
    assert_int_equal(n.repaired, 2);
    assert_int_equal(n.runs, 1);
    assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
    assert_int_equal(rtp_nack_poll(&n, 6 * FRAME, seqs), 0);
}

/* A stream of which one packet in `every` is lost for good; asked whenever that is due.
 * @return requests */
static unsigned lose(unsigned packets, unsigned every)
{
    uint32_t before = n.requests;
    for (unsigned i = 1; i <= packets; i++) {
        mono_us now = i * FRAME;
        for (mono_us next; (next = rtp_nack_deadline(&n)) < now;)
            (void)rtp_nack_poll(&n, next, seqs);
        if (i % every)
            rtp_nack_packet(&n, (uint16_t)i, now);
    }
    return n.requests - before;
}

static void what_is_asked_for_is_a_share_of_the_stream(void **state)
{
    (void)state;
    rtp_nack_init(&n);
    rtp_nack_set_rtt(&n, 40 * US_PER_MS);
    (void)lose(1000, 10); /* six requests each: within it */
    assert_in_range(n.requests, 580, 600);
    assert_int_equal(n.limited, 0);
    rtp_nack_init(&n);
    (void)lose(1000, 2);
    assert_in_range(n.requests, 1000 * RTP_NACK_SHARE / 256 - RTP_NACK_BURST,
                    1000 * RTP_NACK_SHARE / 256 + RTP_NACK_BURST);
    assert_int_equal(n.lost, 499);
    rtp_nack_init(&n);
    n.is_full = true;
    (void)lose(1000, 5);
    assert_in_range(n.requests, 1000 * RTP_NACK_SHARE_FULL / 256,
                    1000 * RTP_NACK_SHARE_FULL / 256 + RTP_NACK_BURST);
}

static void numbers_before_the_first_are_nobodys_loss(void **state)
{
    (void)state;
    begin();
    rtp_nack_packet(&n, 2, 0);
    rtp_nack_packet(&n, 65535, 1);
    rtp_nack_packet(&n, 0, 2);
    assert_int_equal(n.expected, 1);
    assert_int_equal(n.lost + n.reordered + n.late, 0);
    assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
}

static void a_restart_forgets_what_is_missing(void **state)
{
    const int jumps[] = {RTP_RECV_MAX_DROPOUT, 20000, -RTP_RECV_MAX_MISORDER, -20000, -32768};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
        begin();
        put_run(1, 2);
        rtp_nack_packet(&n, 4, 4 * FRAME);
        rtp_nack_packet(&n, (uint16_t)(4 + jumps[i]), 5 * FRAME);
        assert_true(rtp_nack_deadline(&n) == MONO_NEVER);
        assert_int_equal(rtp_nack_poll(&n, 6 * FRAME, seqs), 0);
        assert_int_equal(n.expected, 5);
        assert_int_equal(n.lost, 1);
    }
}

static void too_late_for_its_slot_is_ignored(void **state)
{
    (void)state;
    begin();
    put_run(1, 2);
    put_run(4, 3 + RTP_NACK_WINDOW);
    assert_int_equal(n.lost, 1);
    rtp_nack_packet(&n, 3, (4 + RTP_NACK_WINDOW) * FRAME);
    assert_int_equal(n.late + n.repaired + n.reordered, 0);
}

static void a_burst_faster_than_the_tolerance_settles_the_gap(void **state)
{
    (void)state;
    begin();
    rtp_nack_packet(&n, 1, 0);
    rtp_nack_packet(&n, 4, 1);
    for (uint16_t i = 5; i <= 2 + RTP_NACK_WINDOW; i++)
        rtp_nack_packet(&n, i, 2);
    assert_int_equal(n.lost, 2);
    assert_int_equal(n.runs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lost_asks_for_nothing),
        cmocka_unit_test(a_gap_is_asked_for_when_the_tolerance_is_over),
        cmocka_unit_test(reordering_is_not_loss),
        cmocka_unit_test(it_asks_twice_a_round_trip_while_the_answer_is_of_use),
        cmocka_unit_test(a_late_owner_is_not_kept_busy),
        cmocka_unit_test(an_answer_repairs_or_comes_too_late),
        cmocka_unit_test(a_silence_does_not_age_what_follows_it),
        cmocka_unit_test(what_was_lost_long_before_it_was_noticed_is_not_asked_for),
        cmocka_unit_test(a_gap_beyond_the_window_is_counted_whole),
        cmocka_unit_test(series_are_counted_once),
        cmocka_unit_test(counts_do_not_need_polling),
        cmocka_unit_test(redundancy_repairs_without_asking),
        cmocka_unit_test(what_is_asked_for_is_a_share_of_the_stream),
        cmocka_unit_test(numbers_before_the_first_are_nobodys_loss),
        cmocka_unit_test(a_restart_forgets_what_is_missing),
        cmocka_unit_test(too_late_for_its_slot_is_ignored),
        cmocka_unit_test(a_burst_faster_than_the_tolerance_settles_the_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
