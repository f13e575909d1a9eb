/* The checklist: pairing rules, order, limits, and what is left after tidying. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ice/pairs.h"

static struct addr at(const char *text)
{
    struct addr a;
    assert_true(addr_parse(str_of(text), &a));
    return a;
}

static int add_local(struct ice_pairs *p, const char *text, uint32_t priority)
{
    struct addr a = at(text);
    return ice_pairs_add_local(p, &a, &a, priority);
}

static int add_remote(struct ice_pairs *p, const char *text, uint32_t priority)
{
    struct addr a = at(text);
    return ice_pairs_add_remote(p, &a, ICE_HOST, priority, 0);
}

static void who_pairs_with_whom(void **state)
{
    static const struct {
        const char *local, *remote;
        unsigned pairs;
    } rows[] = {
        {"192.0.2.1:1", "198.51.100.1:1", 1},
        {"192.0.2.1:1", "[2001:db8::1]:1", 0},
        {"[2001:db8::2]:1", "[2001:db8::1]:1", 1},
        {"[2001:db8::2]:1", "[fe80::1]:1", 0},
        {"[fe80::2]:1", "[fe80::1]:1", 1},
        {"192.0.2.1:1", "169.254.0.1:1", 0},
        {"127.0.0.1:1", "127.0.0.1:2", 1},
        {"127.0.0.1:1", "192.0.2.1:2", 1}, /* one machine: a browser's own address */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ice_pairs p = {0}, q = {0};
        assert_int_equal(add_local(&p, rows[i].local, 1), 0);
        assert_int_equal(add_remote(&p, rows[i].remote, 1), 0);
        assert_int_equal(p.n_pairs, rows[i].pairs);
        ice_pairs_deinit(&p);
        /* the other order */
        int r = add_remote(&q, rows[i].remote, 1);
        assert_int_equal(r, strncmp(rows[i].remote, "127.", 4) == 0 ? ICE_E_ADDRESS : 0);
        assert_int_equal(add_local(&q, rows[i].local, 1), 0);
        assert_int_equal(q.n_pairs, r ? 0 : rows[i].pairs);
        ice_pairs_deinit(&q);
    }
}

static void addresses_that_are_never_taken(void **state)
{
    static const char *const rows[] = {"0.0.0.0:1",   "224.0.0.1:1", "255.255.255.255:1",
                                       "192.0.2.1:0", "[ff02::1]:1", "[::]:1",
                                       "127.0.0.1:1", "[::1]:1"};
    struct ice_pairs p = {0};
    struct ice_pair *pair;
    (void)state;
    assert_int_equal(add_local(&p, "192.0.2.1:1", 1), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr base = at("192.0.2.1:1"), remote = at(rows[i]);
        assert_int_equal(add_remote(&p, rows[i], 1), ICE_E_ADDRESS);
        assert_int_equal(ice_pairs_learn(&p, &base, &remote, 1, 0, &pair), ICE_E_ADDRESS);
    }
    struct addr foreign = at("192.0.2.9:1"), remote = at("198.51.100.1:1");
    assert_int_equal(ice_pairs_learn(&p, &foreign, &remote, 1, 0, &pair), ICE_E_ADDRESS);
    assert_int_equal(p.n_remotes, 0);
    ice_pairs_deinit(&p);
}

static void candidates_with_one_base_are_one(void **state)
{
    struct ice_pairs p = {0};
    struct addr base = at("192.168.1.5:40000"), external = at("203.0.113.5:40000");
    (void)state;
    assert_int_equal(add_remote(&p, "198.51.100.1:1", 50), 0);
    assert_int_equal(ice_pairs_add_local(&p, &external, &base, 100), 0);
    assert_int_equal(ice_pairs_add_local(&p, &base, &base, 200), 0);
    assert_int_equal(ice_pairs_add_local(&p, &base, &base, 200), 0);
    assert_int_equal(p.n_locals, 2);
    assert_int_equal(p.n_pairs, 1);
    assert_true(p.pairs[0].priority == ice_pair_priority(50, 200)); /* the better one counts */
    assert_true(ice_pairs_has_base(&p, &base));
    assert_false(ice_pairs_has_base(&p, &external));
    ice_pairs_deinit(&p);
}

static void the_best_goes_first_and_roles_change_the_order(void **state)
{
    struct ice_pairs p = {0};
    (void)state;
    assert_int_equal(add_local(&p, "192.0.2.1:1", 100), 0);
    assert_int_equal(add_remote(&p, "198.51.100.1:1", 10), 0);
    assert_int_equal(add_remote(&p, "198.51.100.2:1", 30), 0);
    assert_int_equal(add_remote(&p, "198.51.100.3:1", 20), 0);
    for (uint16_t last = 30; last >= 10; last = (uint16_t)(last - 10)) {
        struct ice_pair *pair = ice_pairs_next_waiting(&p);
        assert_int_equal(p.remotes[pair->remote].priority, last);
        assert_true(pair->priority == ice_pair_priority(last, 100));
        pair->state = ICE_PAIR_FAILED;
    }
    assert_null(ice_pairs_next_waiting(&p));
    assert_null(ice_pairs_best_valid(&p));
    ice_pairs_set_role(&p, true);
    assert_true(p.pairs[0].priority == ice_pair_priority(100, 10));
    p.pairs[0].is_valid = p.pairs[2].is_valid = true;
    assert_ptr_equal(ice_pairs_best_valid(&p), &p.pairs[2]);
    ice_pairs_deinit(&p);
}

static void learnt_candidates_become_signaled_ones(void **state)
{
    struct ice_pairs p = {0};
    struct ice_pair *pair, *again;
    struct addr base = at("192.0.2.1:1"), remote = at("198.51.100.1:1");
    (void)state;
    assert_int_equal(add_local(&p, "192.0.2.1:1", 100), 0);
    assert_int_equal(ice_pairs_learn(&p, &base, &remote, 7, 0, &pair), 0);
    assert_int_equal(p.remotes[0].type, ICE_PRFLX);
    assert_int_equal(p.n_prflx, 1);
    pair->is_valid = true;
    assert_int_equal(add_remote(&p, "198.51.100.1:1", 9), 0);
    assert_int_equal(p.n_prflx, 0);
    assert_int_equal(p.n_pairs, 1);
    assert_true(p.pairs[0].is_valid);
    assert_true(p.pairs[0].priority == ice_pair_priority(9, 100));
    assert_int_equal(ice_pairs_learn(&p, &base, &remote, 7, 0, &again), 0);
    assert_ptr_equal(again, ice_pairs_find(&p, &base, &remote));
    assert_int_equal(p.n_pairs, 1);
    ice_pairs_deinit(&p);
}

static void limits_hold(void **state)
{
    struct ice_pairs p = {0};
    struct ice_pair *pair;
    struct addr base = at("192.0.2.1:1");
    (void)state;
    for (uint8_t i = 0; i < ICE_MAX_LOCAL + 2; i++) {
        struct addr a = addr_v4(192, 0, 2, (uint8_t)(i + 1), 1);
        assert_int_equal(ice_pairs_add_local(&p, &a, &a, 100U + i),
                         i < ICE_MAX_LOCAL ? 0 : ICE_E_LIMIT);
    }
    for (uint8_t i = 0; i < ICE_MAX_REMOTE_CANDIDATES + 10; i++) {
        struct addr a = addr_v4(198, 51, 100, (uint8_t)(i + 1), 1);
        /* A client that signals peer-reflexive candidates does not get around the limit. */
        assert_int_equal(ice_pairs_add_remote(&p, &a, i & 1 ? ICE_PRFLX : ICE_HOST, 10U + i, 0),
                         i < ICE_MAX_REMOTE_CANDIDATES ? 0 : ICE_E_LIMIT);
    }
    for (uint8_t i = 0; i < ICE_MAX_PRFLX + 10; i++) {
        struct addr a = addr_v4(203, 0, 113, (uint8_t)(i + 1), 1);
        assert_int_equal(ice_pairs_learn(&p, &base, &a, 1, 0, &pair),
                         i < ICE_MAX_PRFLX ? 0 : ICE_E_LIMIT);
    }
    assert_int_equal(p.n_pairs, ICE_MAX_PAIRS);
    assert_int_equal(p.n_remotes, ICE_MAX_REMOTE_CANDIDATES + ICE_MAX_PRFLX);
    /* The best remote candidate has kept its pairs although it came last. */
    struct addr best = addr_v4(198, 51, 100, ICE_MAX_REMOTE_CANDIDATES, 1);
    assert_non_null(ice_pairs_find(&p, &base, &best));
    ice_pairs_deinit(&p);
}

static void a_full_list_of_valid_pairs_takes_no_more(void **state)
{
    struct ice_pairs p = {0};
    struct ice_pair *pair;
    struct addr base = at("192.0.2.1:1"), late = at("203.0.113.1:1");
    (void)state;
    assert_int_equal(add_local(&p, "192.0.2.1:1", 1), 0);
    assert_int_equal(add_local(&p, "192.0.2.2:1", 1), 0);
    for (uint8_t i = 0; i < ICE_MAX_PAIRS / 2; i++) {
        struct addr a = addr_v4(198, 51, 100, (uint8_t)(i + 1), 1);
        assert_int_equal(ice_pairs_add_remote(&p, &a, ICE_HOST, 10U + i, 0), 0);
    }
    for (uint8_t i = 0; i < p.n_pairs; i++)
        p.pairs[i].is_valid = true;
    assert_int_equal(p.n_pairs, ICE_MAX_PAIRS);
    assert_int_equal(ice_pairs_learn(&p, &base, &late, 1, 0, &pair), ICE_E_LIMIT);
    ice_pairs_deinit(&p);
}

static void tidying_renumbers(void **state)
{
    struct ice_pairs p = {0};
    struct addr base = at("192.0.2.1:1"), kept = at("198.51.100.3:1");
    (void)state;
    assert_int_equal(add_local(&p, "192.0.2.1:1", 1), 0);
    for (uint8_t i = 1; i <= 5; i++) {
        struct addr a = addr_v4(198, 51, 100, i, 1);
        assert_int_equal(ice_pairs_add_remote(&p, &a, ICE_HOST, i, i == 2 ? 0 : i), 0);
    }
    ice_pairs_keep_tag(&p, 3); /* 2 belongs to any */
    assert_int_equal(p.n_pairs, 2);
    assert_int_equal(p.n_remotes, 2);
    assert_non_null(ice_pairs_find(&p, &base, &kept));
    for (uint8_t i = 0; i < p.n_pairs; i++) {
        if (!addr_equal(ice_pair_remote(&p, &p.pairs[i]), &kept))
            ice_pairs_remove(&p, &p.pairs[i]);
    }
    ice_pairs_compact(&p);
    assert_int_equal(p.n_remotes, 1);
    assert_non_null(ice_pairs_find(&p, &base, &kept));
    assert_int_equal(ice_pairs_heap(&p), sizeof(struct ice_local) + sizeof(struct ice_remote) +
                                             sizeof(struct ice_pair));
    ice_pairs_clear(&p);
    assert_int_equal(p.n_locals, 1);
    assert_int_equal(ice_pairs_heap(&p), sizeof(struct ice_local));
    ice_pairs_compact(&p);
    ice_pairs_deinit(&p);
}

static void tags_are_never_zero(void **state)
{
    (void)state;
    assert_int_equal(ice_pairs_tag(STR("")), 0);
    assert_true(ice_pairs_tag(STR("abcd")) != 0);
    assert_true(ice_pairs_tag(STR("abcd")) != ice_pairs_tag(STR("abce")));
}

static void failed_allocations_leave_a_usable_list(void **state)
{
    (void)state;
    for (unsigned n = 1;; n++) {
        struct ice_pairs p = {0};
        struct ice_pair *pair;
        struct addr base = at("192.0.2.1:1"), remote = at("203.0.113.1:1");
        mem_fail_at(n);
        int r = add_local(&p, "192.0.2.1:1", 1);
        if (r == 0)
            r = add_remote(&p, "198.51.100.1:1", 1);
        if (r == 0)
            r = add_remote(&p, "198.51.100.2:1", 1);
        if (r == 0)
            r = ice_pairs_learn(&p, &base, &remote, 1, 0, &pair);
        bool was_hit = mem_count() >= n;
        ice_pairs_compact(&p);
        mem_fail_at(0);
        assert_int_equal(r, was_hit ? -ENOMEM : 0);
        for (uint8_t i = 0; i < p.n_pairs; i++)
            assert_true(p.pairs[i].remote < p.n_remotes && p.pairs[i].local < p.n_locals);
        ice_pairs_deinit(&p);
        if (!was_hit)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_pairs_with_whom),
        cmocka_unit_test(addresses_that_are_never_taken),
        cmocka_unit_test(candidates_with_one_base_are_one),
        cmocka_unit_test(the_best_goes_first_and_roles_change_the_order),
        cmocka_unit_test(learnt_candidates_become_signaled_ones),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_full_list_of_valid_pairs_takes_no_more),
        cmocka_unit_test(tidying_renumbers),
        cmocka_unit_test(tags_are_never_zero),
        cmocka_unit_test(failed_allocations_leave_a_usable_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
