/* The retransmission clock against the numbers of RFC 8489 §6.2.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stun/transaction.h"

#define START (1000 * US_PER_S)

/* "requests would be sent at times 0 ms, 500 ms, 1500 ms, 3500 ms, 7500 ms, 15500 ms, and
 * 31500 ms. If the client has not received a response after 39500 ms, the client will consider
 * the transaction to have timed out." */
static void times_of_the_rfc(void **state)
{
    static const int sends_ms[] = {500, 1500, 3500, 7500, 15500, 31500};
    struct stun_transaction t;
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 1);
    stun_transaction_start(&t, START, 0, &rng);
    for (size_t i = 0; i < sizeof(sends_ms) / sizeof(sends_ms[0]); i++) {
        mono_us at = START + sends_ms[i] * US_PER_MS;
        assert_true(t.at == at);
        assert_int_equal(stun_transaction_timeout(&t, at - 1), STUN_TRANSACTION_WAIT);
        assert_int_equal(stun_transaction_timeout(&t, at), STUN_TRANSACTION_SEND);
        assert_int_equal(stun_transaction_timeout(&t, at), STUN_TRANSACTION_WAIT);
    }
    assert_true(t.at == START + 39500 * US_PER_MS);
    assert_true(stun_transaction_matches(&t, t.id));
    assert_int_equal(stun_transaction_timeout(&t, t.at), STUN_TRANSACTION_FAILED);
    assert_false(stun_transaction_matches(&t, t.id));
    assert_true(t.at == MONO_NEVER);
    assert_int_equal(stun_transaction_timeout(&t, MONO_NEVER - 1), STUN_TRANSACTION_WAIT);
}

static void a_late_owner_causes_no_burst(void **state)
{
    struct stun_transaction t;
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 1);
    stun_transaction_start(&t, START, 0, &rng);
    mono_us late = START + 10 * US_PER_S;
    assert_int_equal(stun_transaction_timeout(&t, late), STUN_TRANSACTION_SEND);
    assert_int_equal(stun_transaction_timeout(&t, late), STUN_TRANSACTION_WAIT);
    assert_true(t.at == late + 1 * US_PER_S);
}

static void rto_has_a_floor_and_is_respected(void **state)
{
    struct stun_transaction t;
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 1);
    stun_transaction_start(&t, START, 1, &rng);
    assert_true(t.at == START + STUN_RTO_MIN);
    stun_transaction_start(&t, START, 2 * US_PER_S, &rng);
    assert_true(t.at == START + 2 * US_PER_S);
}

static void identifiers_differ_and_a_stopped_one_matches_nothing(void **state)
{
    struct stun_transaction a, b;
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 1);
    stun_transaction_start(&a, START, 0, &rng);
    stun_transaction_start(&b, START, 0, &rng);
    assert_memory_not_equal(a.id, b.id, sizeof(a.id));
    assert_false(stun_transaction_matches(&a, b.id));
    stun_transaction_stop(&a);
    assert_false(stun_transaction_matches(&a, a.id));
    memset(&a, 0, sizeof(a)); /* what never ran matches nothing, not even zeros */
    assert_false(stun_transaction_matches(&a, a.id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_the_rfc),
        cmocka_unit_test(a_late_owner_causes_no_burst),
        cmocka_unit_test(rto_has_a_floor_and_is_respected),
        cmocka_unit_test(identifiers_differ_and_a_stopped_one_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
