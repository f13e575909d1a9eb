/* Percentiles of the histogram against exact ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/histogram.h"

static struct histogram h;

static int set_up(void **state)
{
    (void)state;
    memset(&h, 0, sizeof(h));
    return 0;
}

static void empty_gives_zero(void **state)
{
    (void)state;
    assert_int_equal(histogram_percentile(&h, 50), 0);
    assert_int_equal(h.max_us, 0);
    assert_true(histogram_mean(&h) == 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (mono_us i = 1; i <= 30; i++)
        histogram_add(&h, i);
    assert_int_equal(histogram_percentile(&h, 50), 15);
    assert_int_equal(histogram_percentile(&h, 100), 30);
    assert_int_equal(histogram_percentile(&h, 0), 1);
    assert_true(histogram_mean(&h) == 15.5);
}

static void large_values_are_within_3_percent(void **state)
{
    (void)state;
    for (mono_us i = 1; i <= 1000000; i += 7)
        histogram_add(&h, i);
    for (int percent = 1; percent <= 99; percent++) {
        mono_us exact = percent * 10000, got = histogram_percentile(&h, percent);
        assert_true(got >= exact - 7 && got <= exact + exact / 30 + 7);
    }
    assert_true(histogram_percentile(&h, 100) == h.max_us);
}

static void a_value_is_never_above_its_percentile(void **state)
{
    (void)state;
    for (int bits = 0; bits < 36; bits++) {
        for (int delta = -1; delta <= 1; delta++) {
            mono_us v = ((mono_us)1 << bits) + delta;
            memset(&h, 0, sizeof(h));
            histogram_add(&h, v);
            histogram_add(&h, 2 * v + 1000);
            mono_us got = histogram_percentile(&h, 50);
            assert_true(got >= v && got <= v + v / 31 + 1);
        }
    }
}

static void values_out_of_range_count(void **state)
{
    (void)state;
    histogram_add(&h, -5);
    histogram_add(&h, INT64_MAX / 2);
    assert_int_equal(h.n, 2);
    assert_int_equal(histogram_percentile(&h, 50), 0);
    assert_true(histogram_percentile(&h, 100) == INT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(empty_gives_zero, set_up),
        cmocka_unit_test_setup(small_values_are_exact, set_up),
        cmocka_unit_test_setup(large_values_are_within_3_percent, set_up),
        cmocka_unit_test_setup(a_value_is_never_above_its_percentile, set_up),
        cmocka_unit_test_setup(values_out_of_range_count, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
