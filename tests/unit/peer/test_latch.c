/* Whose packets are followed to which address, and whose are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "peer/latch.h"

#define SSRC 7

static struct addr named, port_of_named, stranger, other_stranger, nothing, host_alone;
static uint16_t seq;

static int set_up(void **state)
{
    (void)state;
    named = addr_v4(192, 0, 2, 1, 4000);
    port_of_named = addr_v4(192, 0, 2, 1, 4444);
    host_alone = addr_v4(192, 0, 2, 1, LATCH_UNKNOWN_PORT);
    stranger = addr_v4(198, 51, 100, 1, 5000);
    other_stranger = addr_v4(198, 51, 100, 2, 5000);
    nothing = addr_v4(0, 0, 0, 0, LATCH_UNKNOWN_PORT);
    return 0;
}

/* @return how many of n packets in sequence were taken */
static unsigned from(struct latch *l, mono_us now, const struct addr *who, unsigned n)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < n; i++)
        taken += latch_take(l, now, who, SSRC, seq++);
    return taken;
}

static void sends_to(const struct latch *l, const struct addr *who)
{
    const struct addr *remote = latch_remote(l);
    assert_true(who ? remote && addr_equal(remote, who) : !remote);
}

static void who_is_named_is_believed_at_once_and_for_good(void **state)
{
    (void)state;
    struct latch l;
    latch_init(&l, 0, &named);
    sends_to(&l, &named);
    assert_int_equal(from(&l, 1, &named, 1), 1);
    assert_int_equal(from(&l, 2, &stranger, 100), 0);
    assert_int_equal(from(&l, LATCH_WINDOW - 1, &stranger, 100), 0);
    assert_int_equal(from(&l, 3600 * US_PER_S, &stranger, 100), 0);
    sends_to(&l, &named);
    assert_int_equal(from(&l, 3600 * US_PER_S, &named, 1), 1);
}

static void behind_a_nat_it_is_learnt_once(void **state)
{
    (void)state;
    struct latch l;
    latch_init(&l, 0, &named);
    assert_int_equal(from(&l, 1, &stranger, 10), 10 - LATCH_SEQUENTIAL + 1);
    sends_to(&l, &stranger);
    assert_int_equal(from(&l, 2, &other_stranger, 100), 0);
    sends_to(&l, &stranger);
    assert_int_equal(from(&l, LATCH_WINDOW + 3600 * US_PER_S, &stranger, 1), 1);
}

static void behind_a_nat_only_in_the_first_seconds(void **state)
{
    (void)state;
    struct latch l;
    latch_init(&l, 5, &named);
    assert_int_equal(from(&l, 5 + LATCH_WINDOW, &stranger, 100), 0);
    sends_to(&l, &named);
    latch_name(&l, LATCH_WINDOW, &named); /* it says nothing new */
    assert_int_equal(from(&l, 5 + LATCH_WINDOW, &stranger, 100), 0);
    latch_name(&l, LATCH_WINDOW, &port_of_named);
    sends_to(&l, &port_of_named);
    assert_int_equal(from(&l, 5 + LATCH_WINDOW, &stranger, 100), 100 - LATCH_SEQUENTIAL + 1);
}

static void who_is_named_takes_it_back(void **state)
{
    (void)state;
    struct latch l;
    latch_init(&l, 0, &named);
    assert_int_equal(from(&l, 1, &stranger, LATCH_SEQUENTIAL), 1);
    assert_int_equal(from(&l, 2, &named, LATCH_SEQUENTIAL), 1);
    sends_to(&l, &named);
    assert_int_equal(from(&l, 3, &stranger, 100), 0);
    /* Was it somebody who only pretended to be there? Then it falls silent. */
    assert_int_equal(from(&l, 2 + LATCH_SILENCE, &stranger, 4), 4 - LATCH_SEQUENTIAL + 1);
    sends_to(&l, &stranger);
}

static void another_port_of_the_host_follows_a_silence(void **state)
{
    (void)state;
    struct latch l;
    latch_init(&l, 0, &named);
    assert_int_equal(from(&l, 0, &port_of_named, LATCH_SEQUENTIAL), 1); /* nobody was heard yet */
    sends_to(&l, &port_of_named);
    latch_init(&l, 0, &named);
    assert_int_equal(from(&l, 100, &named, 1), 1);
    assert_int_equal(from(&l, 100 + LATCH_SILENCE - 1, &port_of_named, 100), 0);
    assert_int_equal(from(&l, 100 + LATCH_SILENCE, &port_of_named, LATCH_SEQUENTIAL), 1);
    sends_to(&l, &port_of_named);
}

static void without_a_name_the_first_one_it_is(void **state)
{
    (void)state;
    struct latch l;
    latch_init(&l, 0, &nothing);
    sends_to(&l, NULL);
    assert_int_equal(from(&l, 60 * LATCH_WINDOW, &stranger, LATCH_SEQUENTIAL), 1);
    sends_to(&l, &stranger);
    assert_int_equal(from(&l, 61 * LATCH_WINDOW, &other_stranger, 100), 0);
    latch_init(&l, 0, &host_alone);
    sends_to(&l, NULL);
    assert_int_equal(from(&l, LATCH_WINDOW, &stranger, 100), 0);
    assert_int_equal(from(&l, LATCH_WINDOW, &named, LATCH_SEQUENTIAL), 1);
    sends_to(&l, &named);
}

static void a_proof_is_one_stream_in_sequence(void **state)
{
    (void)state;
    struct latch l;
    latch_init(&l, 0, &nothing);
    for (uint16_t i = 0; i < 100; i++) {
        assert_false(latch_take(&l, 1, &stranger, SSRC, (uint16_t)(2 * i)));
        assert_false(latch_take(&l, 1, &stranger, SSRC + i % 2, i));
        assert_false(latch_take(&l, 1, i % 2 ? &stranger : &other_stranger, SSRC, i));
    }
    const struct addr multicast = addr_v4(224, 0, 0, 1, 5000), no_port = addr_v4(192, 0, 2, 1, 0);
    assert_int_equal(from(&l, 1, &multicast, 100), 0);
    assert_int_equal(from(&l, 1, &no_port, 100), 0);
    sends_to(&l, NULL);
    seq = UINT16_MAX;
    assert_int_equal(from(&l, 1, &stranger, LATCH_SEQUENTIAL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_named_is_believed_at_once_and_for_good),
        cmocka_unit_test(behind_a_nat_it_is_learnt_once),
        cmocka_unit_test(behind_a_nat_only_in_the_first_seconds),
        cmocka_unit_test(who_is_named_takes_it_back),
        cmocka_unit_test(another_port_of_the_host_follows_a_silence),
        cmocka_unit_test(without_a_name_the_first_one_it_is),
        cmocka_unit_test(a_proof_is_one_stream_in_sequence),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
