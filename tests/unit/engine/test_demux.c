/* The tables that find the leg of a datagram: who takes an address from whom, and what is left when
 * memory or places run out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/demux.h"

static struct rng rng;
static const struct addr nowhere;

static struct demux_leg leg_named(const char *name)
{
    struct demux_leg leg = {.tag = DEMUX_NO_TAG};
    assert_int_equal(strlen(name), sizeof(leg.name));
    memcpy(leg.name, name, sizeof(leg.name));
    return leg;
}

static struct demux_leg *owner(const struct demux *d, const struct addr *remote)
{
    return demux_find_remote(d, demux_hash(d, remote), remote);
}

static void a_leg_is_found_by_all_three_names(void **state)
{
    struct demux d;
    struct demux_leg a = leg_named("aaaaaaaa"), b = leg_named("bbbbbbbb");
    struct addr at = addr_v4(192, 0, 2, 1, 1000);
    (void)state;
    demux_init(&d, &rng);
    assert_int_equal(demux_add(&d, &a), 0);
    assert_int_equal(demux_add(&d, &b), 0);
    demux_heard(&d, &b, &at, &nowhere);
    assert_ptr_equal(demux_find_ufrag(&d, STR("aaaaaaaa0001")), &a);
    assert_ptr_equal(demux_find_ufrag(&d, STR("aaaaaaaa0002")), &a); /* of another generation */
    assert_ptr_equal(demux_find_tag(&d, b.tag), &b);
    assert_ptr_equal(owner(&d, &at), &b);
    assert_null(demux_find_ufrag(&d, STR("aaaaaaaa")));
    assert_null(demux_find_ufrag(&d, STR("aaaaaaa")));
    assert_null(demux_find_ufrag(&d, STR("aaaaaaaa00010")));
    assert_null(demux_find_tag(&d, 9999));
    demux_remove(&d, &b);
    assert_null(owner(&d, &at));
    assert_null(demux_find_ufrag(&d, STR("bbbbbbbb0001")));
    demux_remove(&d, &b); /* again is legal */
    demux_deinit(&d);
}

static void an_address_that_is_heard_takes_nothing_away(void **state)
{
    struct demux d;
    struct demux_leg victim = leg_named("victim00"), thief = leg_named("thief000");
    struct addr at = addr_v4(192, 0, 2, 1, 1000);
    (void)state;
    demux_init(&d, &rng);
    assert_int_equal(demux_add(&d, &victim), 0);
    assert_int_equal(demux_add(&d, &thief), 0);
    demux_heard(&d, &victim, &at, &nowhere);
    demux_heard(&d, &thief, &at, &nowhere);
    assert_ptr_equal(owner(&d, &at), &victim);
    /* Who answers a check from there is there. */
    demux_validated(&d, &thief, &at, &nowhere);
    assert_ptr_equal(owner(&d, &at), &thief);
    demux_invalidated(&d, &victim, &at); /* not its own any more */
    assert_ptr_equal(owner(&d, &at), &thief);
    demux_remove(&d, &victim);
    assert_ptr_equal(owner(&d, &at), &thief);
    demux_remove(&d, &thief);
    demux_deinit(&d);
}

static void the_oldest_address_makes_room_but_for_the_one_in_use(void **state)
{
    struct demux d;
    struct demux_leg leg = leg_named("aaaaaaaa");
    struct addr in_use = addr_v4(192, 0, 2, 1, 1);
    (void)state;
    demux_init(&d, &rng);
    assert_int_equal(demux_add(&d, &leg), 0);
    for (uint16_t port = 1; port <= 100; port++) {
        struct addr at = addr_v4(192, 0, 2, 1, port);
        demux_heard(&d, &leg, &at, &in_use);
        assert_ptr_equal(owner(&d, &at), &leg);
        assert_ptr_equal(owner(&d, &in_use), &leg);
    }
    assert_int_equal(d.by_remote.n, DEMUX_MAX_ROUTES);
    demux_remove(&d, &leg);
    assert_int_equal(d.by_remote.n, 0);
    demux_deinit(&d);
}

static void a_source_names_its_leg_and_takes_nothing_away(void **state)
{
    struct demux d;
    struct demux_leg victim = leg_named("victim00"), thief = leg_named("thief000");
    (void)state;
    demux_init(&d, &rng);
    assert_int_equal(demux_add(&d, &victim), 0);
    assert_int_equal(demux_add(&d, &thief), 0);
    assert_null(demux_find_source(&d, 7));
    demux_set_source(&d, &victim, 7);
    demux_set_source(&d, &thief, 8);
    demux_set_source(&d, &thief, 7);
    assert_ptr_equal(demux_find_source(&d, 7), &victim);
    assert_ptr_equal(demux_find_source(&d, 8), &thief);
    demux_set_source(&d, &victim, 9); /* a new source in place of the old one */
    assert_null(demux_find_source(&d, 7));
    assert_ptr_equal(demux_find_source(&d, 9), &victim);
    demux_remove(&d, &victim);
    assert_null(demux_find_source(&d, 9));
    assert_int_equal(d.by_source.n, 1);
    demux_remove(&d, &thief);
    assert_int_equal(d.by_source.n, 0);
    demux_deinit(&d);
    demux_init(&d, &rng);
    mem_fail_at(1);
    demux_set_source(&d, &victim, 7);
    mem_fail_at(0);
    assert_null(demux_find_source(&d, 7));
    demux_set_source(&d, &victim, 7); /* the next time it works */
    assert_ptr_equal(demux_find_source(&d, 7), &victim);
    demux_remove(&d, &victim);
    demux_deinit(&d);
}

static void tags_are_unique_and_come_back(void **state)
{
    enum { N = 300 };
    static struct demux_leg legs[N];
    struct demux d;
    (void)state;
    demux_init(&d, &rng);
    for (unsigned i = 0; i < N; i++) {
        char name[DEMUX_NAME_LEN + 1];
        (void)snprintf(name, sizeof(name), "%08u", i);
        legs[i] = leg_named(name);
        assert_int_equal(demux_add(&d, &legs[i]), 0);
        for (unsigned k = 0; k < i; k++)
            assert_int_not_equal(legs[k].tag, legs[i].tag);
    }
    uint32_t freed = legs[17].tag, size = d.n_tags;
    demux_remove(&d, &legs[17]);
    assert_null(demux_find_tag(&d, freed));
    assert_int_equal(demux_add(&d, &legs[17]), 0);
    assert_int_equal(legs[17].tag, freed);
    assert_int_equal(d.n_tags, size);
    demux_deinit(&d);
}

static void a_taken_name_and_a_failed_allocation_leave_nothing(void **state)
{
    struct demux_leg a = leg_named("aaaaaaaa"), same = leg_named("aaaaaaaa");
    struct demux d;
    (void)state;
    demux_init(&d, &rng);
    assert_int_equal(demux_add(&d, &a), 0);
    assert_int_equal(demux_add(&d, &same), -EEXIST);
    demux_remove(&d, &same);
    assert_ptr_equal(demux_find_ufrag(&d, STR("aaaaaaaa0001")), &a);
    demux_remove(&d, &a);
    demux_deinit(&d);
    for (unsigned n = 1;; n++) {
        demux_init(&d, &rng);
        mem_fail_at(n);
        int err = demux_add(&d, &a);
        mem_fail_at(0);
        demux_remove(&d, &a);
        assert_int_equal(d.by_name.n, 0);
        assert_null(demux_find_tag(&d, 0));
        demux_deinit(&d);
        if (!err)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_true(n < 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leg_is_found_by_all_three_names),
        cmocka_unit_test(an_address_that_is_heard_takes_nothing_away),
        cmocka_unit_test(the_oldest_address_makes_room_but_for_the_one_in_use),
        cmocka_unit_test(a_source_names_its_leg_and_takes_nothing_away),
        cmocka_unit_test(tags_are_unique_and_come_back),
        cmocka_unit_test(a_taken_name_and_a_failed_allocation_leave_nothing),
    };
    rng_init_seeded(&rng, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
