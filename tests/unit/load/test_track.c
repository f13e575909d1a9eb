/* Sequence tracking: lost, late, doubled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/track.h"

static struct track t;

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    return 0;
}

static void nothing_is_lost_in_order(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(track_packet(&t, i), TRACK_IN_ORDER);
    assert_int_equal(track_lost(&t, 5000), 0);
    assert_int_equal(track_lost(&t, 5003), 3);
    assert_int_equal(t.n_gaps, 0);
}

static void the_first_ones_can_be_lost(void **state)
{
    (void)state;
    assert_int_equal(track_packet(&t, 2), TRACK_GAP);
    assert_int_equal(track_lost(&t, 3), 2);
}

static void a_late_one_closes_its_gap_once(void **state)
{
    (void)state;
    assert_int_equal(track_packet(&t, 0), TRACK_IN_ORDER);
    assert_int_equal(track_packet(&t, 3), TRACK_GAP);
    assert_int_equal(track_packet(&t, 1), TRACK_REORDERED);
    assert_int_equal(track_packet(&t, 1), TRACK_DUPLICATE);
    assert_int_equal(track_packet(&t, 3), TRACK_DUPLICATE);
    assert_int_equal(track_packet(&t, 0), TRACK_DUPLICATE);
    assert_int_equal(track_lost(&t, 4), 1);
    assert_int_equal(t.n_gaps, 1);
}

static void a_hole_wider_than_the_window(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2000; i++)
        (void)track_packet(&t, i);
    assert_int_equal(track_packet(&t, 10000), TRACK_GAP);
    assert_int_equal(track_packet(&t, 9999), TRACK_REORDERED);
    assert_int_equal(track_packet(&t, 10001 - TRACK_WINDOW), TRACK_REORDERED);
    assert_int_equal(track_packet(&t, 10000 - TRACK_WINDOW), TRACK_TOO_OLD);
    assert_int_equal(track_lost(&t, 10001), 10001 - 2000 - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_lost_in_order, set_up),
        cmocka_unit_test_setup(the_first_ones_can_be_lost, set_up),
        cmocka_unit_test_setup(a_late_one_closes_its_gap_once, set_up),
        cmocka_unit_test_setup(a_hole_wider_than_the_window, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
