/* When packets of a file go: without drift, without bursts, and with timestamps that follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/pacer.h"

#define FRAME 960 /* 20 ms */
#define START (5 * US_PER_S)

static struct relay_pacer pacer;
static bool marker;

/* @return its timestamp; ours begin at 1000 */
static uint32_t take(mono_us now, int64_t position)
{
    return relay_pacer_take(&pacer, now, position, FRAME, &marker);
}

static void setup_pacer(void)
{
    relay_pacer_init(&pacer, START, 1000);
}

/* Woken a little late each time, as a worker is. 2.5 ms frames too: 2500 µs are 120 ticks. */
static void an_hour_has_no_drift(void **state)
{
    (void)state;
    setup_pacer();
    for (int64_t n = 0; n < 3600 * 50; n++) {
        mono_us due = relay_pacer_due(&pacer, n * FRAME);
        assert_int_equal(due, START + n * 20 * US_PER_MS);
        mono_us wake = n % 7 * US_PER_MS; /* the first one is exact: the schedule begins with it */
        assert_int_equal(take(due + wake, n * FRAME), (uint32_t)(1000 + n * FRAME));
        assert_int_equal(marker, n == 0);
    }
}

static void what_was_missed_is_played_later_and_not_faster(void **state)
{
    (void)state;
    setup_pacer();
    assert_int_equal(take(START, 0), 1000);
    mono_us late = START + 20 * US_PER_MS + RELAY_PACER_LATE + 1;
    /* the clock has gone on: 80 ms and 1 µs */
    assert_int_equal(take(late, FRAME), 1000 + 4 * FRAME);
    assert_true(marker);
    assert_int_equal(relay_pacer_due(&pacer, 2 * FRAME), late + 20 * US_PER_MS);
    assert_int_equal(take(late + 20 * US_PER_MS, 2 * FRAME), 1000 + 5 * FRAME);
    assert_false(marker);
}

static void a_little_late_is_made_good(void **state)
{
    (void)state;
    setup_pacer();
    (void)take(START, 0);
    mono_us late = START + 20 * US_PER_MS + RELAY_PACER_LATE;
    for (unsigned n = 1; n <= 4; n++) {
        assert_true(relay_pacer_due(&pacer, n * FRAME) <= late);
        assert_int_equal(take(late, n * FRAME), 1000 + n * FRAME);
        assert_false(marker);
    }
    assert_int_equal(relay_pacer_due(&pacer, 5 * FRAME), START + 100 * US_PER_MS);
}

static void a_pause_in_the_file_is_one_on_the_line(void **state)
{
    (void)state;
    setup_pacer();
    (void)take(START, 0);
    assert_int_equal(relay_pacer_due(&pacer, 48000), START + US_PER_S);
    assert_int_equal(take(START + US_PER_S, 48000), 1000 + 48000);
    assert_true(marker);
}

/* Held in the middle of a silence of a second: what is left of it is left of it. */
static void what_is_held_ends_so_much_later(void **state)
{
    (void)state;
    setup_pacer();
    (void)take(START, 0);
    relay_pacer_hold(&pacer, 10 * US_PER_S);
    assert_int_equal(relay_pacer_due(&pacer, 48000), START + 11 * US_PER_S);
    assert_int_equal(take(START + 11 * US_PER_S, 48000), 1000 + 11 * 48000);
    assert_true(marker);
    assert_int_equal(relay_pacer_due(&pacer, 48000 + FRAME),
                     START + 11 * US_PER_S + 20 * US_PER_MS);
    (void)take(START + 11 * US_PER_S + 20 * US_PER_MS, 48000 + FRAME);
    assert_false(marker);
}

static void another_place_follows_what_went_last(void **state)
{
    (void)state;
    setup_pacer();
    (void)take(START, 0);
    relay_pacer_restart(&pacer);
    assert_int_equal(relay_pacer_due(&pacer, 48000 * 600), START + 20 * US_PER_MS);
    assert_int_equal(take(START + 20 * US_PER_MS, 48000 * 600), 1000 + FRAME);
    assert_true(marker);
    relay_pacer_restart(&pacer);
    assert_int_equal(relay_pacer_due(&pacer, 0), START + 40 * US_PER_MS);
    assert_int_equal(take(START + 40 * US_PER_MS, 0), 1000 + 2 * FRAME);
}

/* Nonsense in a file gives neither a burst nor a timestamp twice. */
static void positions_that_stand_still_take_their_time(void **state)
{
    (void)state;
    setup_pacer();
    mono_us now = START;
    uint32_t last = take(now, 0);
    for (unsigned n = 1; n < 100; n++) {
        now = relay_pacer_due(&pacer, n % 3);
        assert_int_equal(now, START + n * 20 * US_PER_MS);
        uint32_t timestamp = take(now, n % 3);
        assert_true((int32_t)(timestamp - last) >= FRAME);
        last = timestamp;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_has_no_drift),
        cmocka_unit_test(what_was_missed_is_played_later_and_not_faster),
        cmocka_unit_test(a_little_late_is_made_good),
        cmocka_unit_test(a_pause_in_the_file_is_one_on_the_line),
        cmocka_unit_test(what_is_held_ends_so_much_later),
        cmocka_unit_test(another_place_follows_what_went_last),
        cmocka_unit_test(positions_that_stand_still_take_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
