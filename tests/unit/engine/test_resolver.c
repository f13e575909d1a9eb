/* What is known of names outlives a name server that fails; looking up is getaddrinfo's business.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/resolver.h"

static const struct resolver_result found = {
    .v4 = {{.port = 1}, {.port = 2}}, .v6 = {{.port = 3}}, .n_v4 = 2, .n_v6 = 1};

static void a_look_that_fails_takes_nothing_away(void **state)
{
    struct resolver_result now = {.failed = "stun.example", .why = "again later"};
    (void)state;
    resolver_keep(&found, &now);
    assert_int_equal(now.n_v4, 2);
    assert_int_equal(now.n_v6, 1);
    assert_memory_equal(now.v4, found.v4, sizeof(now.v4));
    assert_memory_equal(now.v6, found.v6, sizeof(now.v6));
    assert_string_equal(now.failed, "stun.example"); /* and is told, and repeated soon */
}

static void what_another_name_gave_is_newer(void **state)
{
    struct resolver_result now = {.v4 = {{.port = 9}}, .n_v4 = 1, .failed = "stun.example"};
    (void)state;
    resolver_keep(&found, &now);
    assert_int_equal(now.n_v4, 1);
    assert_int_equal(now.v4[0].port, 9);
    assert_int_equal(now.n_v6, 1);
}

static void what_is_gone_without_failure_is_gone(void **state)
{
    struct resolver_result now = {.n_v4 = 0};
    (void)state;
    resolver_keep(&found, &now);
    assert_int_equal(now.n_v4 + now.n_v6, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_that_fails_takes_nothing_away),
        cmocka_unit_test(what_another_name_gave_is_newer),
        cmocka_unit_test(what_is_gone_without_failure_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
