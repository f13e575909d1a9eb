/* What can be said of the addresses of any machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/interfaces.h"

#define MAX 64

static void addresses_are_usable_and_different(void **state)
{
    struct addr addrs[MAX];
    (void)state;
    for (int with_v6 = 0; with_v6 < 2; with_v6++) {
        int n = interfaces_list(with_v6, NULL, 0, addrs, MAX);
        bool has_seen_v6 = false;
        assert_in_range(n, 1, MAX); /* loopback is there when nothing else is */
        for (int i = 0; i < n; i++) {
            bool is_v6 = !addr_is_v4(&addrs[i]);
            assert_int_equal(addrs[i].port, 0);
            assert_false(addr_is_any(&addrs[i]));
            assert_false(is_v6 && (!with_v6 || addr_is_link_local(&addrs[i])));
            assert_int_equal(addr_is_loopback(&addrs[i]), addr_is_loopback(&addrs[0]));
            assert_false(has_seen_v6 && !is_v6);
            has_seen_v6 |= is_v6;
            for (int k = 0; k < i; k++)
                assert_false(addr_ip_equal(&addrs[i], &addrs[k]));
        }
    }
}

static void no_more_are_given_than_there_is_room_for(void **state)
{
    struct addr addrs[2] = {{.port = 7}, {.port = 7}};
    (void)state;
    assert_int_equal(interfaces_list(true, NULL, 0, addrs, 1), 1);
    assert_int_equal(addrs[0].port, 0);
    assert_int_equal(addrs[1].port, 7);
}

/* The rule for one address of this machine: it alone, or all but it. */
static void rules_choose(void **state)
{
    struct addr all[MAX], some[MAX];
    char text[ADDR_TEXT_MAX + 1] = "-";
    struct interface_rule rule;
    (void)state;
    int n = interfaces_list(true, NULL, 0, all, MAX);
    (void)addr_write_ip(&all[0], text + 1);
    assert_true(interface_rule_parse(str_of(text + 1), &rule));
    assert_int_equal(interfaces_list(true, &rule, 1, some, MAX), 1);
    assert_true(addr_equal(&some[0], &all[0]));
    assert_true(interface_rule_parse(str_of(text), &rule));
    int n_rest = interfaces_list(true, &rule, 1, some, MAX);
    if (n > 1)
        assert_int_equal(n_rest, n - 1);
    for (int i = 0; i < n_rest; i++)
        assert_false(addr_equal(&some[i], &all[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_usable_and_different),
        cmocka_unit_test(no_more_are_given_than_there_is_room_for),
        cmocka_unit_test(rules_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
