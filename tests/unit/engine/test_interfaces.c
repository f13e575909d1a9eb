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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_usable_and_different),
        cmocka_unit_test(no_more_are_given_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
