/* What stands in a file as its beginning: written, read again, and what is no moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "file/date.h"

static void test_both_ways(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } table[] = {
        {1769860800123456, "2026-01-31T12:00:00.123456Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {1709164799999999, "2024-02-28T23:59:59.999999Z"},
        {253402300799000000, "9999-12-31T23:59:59.000000Z"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[FILE_DATE_MAX];
        int64_t us = 0;
        file_date_write(table[i].us, text);
        assert_string_equal(text, table[i].text);
        assert_true(file_date_read(str_of(text), &us));
        assert_int_equal(us, table[i].us);
    }
}

static void test_others(void **state)
{
    (void)state;
    int64_t us = 0;
    assert_true(file_date_read(STR("2026-01-31T12:00:00Z"), &us));
    assert_int_equal(us, 1769860800000000);
    assert_true(file_date_read(STR("2026-01-31T12:00:00.5Z"), &us));
    assert_int_equal(us, 1769860800500000);
    assert_true(file_date_read(STR("2026-01-31T12:00:00.123456789Z"), &us));
    assert_int_equal(us, 1769860800123456);
}

static void test_no_moment(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "1999",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.x1Z",
        "2026-01-31T12:00:00+01:00",
        "2026-01-31T12:00:00Z ",
        "2026-13-31T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "1969-01-31T12:00:00Z",
        "-026-01-31T12:00:00Z",
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t us = 7;
        assert_false(file_date_read(str_of(table[i]), &us));
        assert_int_equal(us, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_no_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
