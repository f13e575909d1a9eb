/* Consent: RFC 7675 §5.1, number by number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ice/consent.h"

#define START (50 * US_PER_S)

static struct rng rng;
static struct ice_consent c;

static int setup(void **state)
{
    (void)state;
    rng_init_seeded(&rng, 1);
    memset(&c, 0, sizeof(c));
    return 0;
}

static void asks_every_four_to_six_seconds(void **state)
{
    mono_us now = START, least = MONO_NEVER, most = 0;
    (void)state;
    ice_consent_start(&c, now, now, true, &rng);
    for (int i = 0; i < 1000; i++) {
        mono_us at = ice_consent_deadline(&c), gap = at - now;
        assert_true(gap >= 4 * US_PER_S && gap <= 6 * US_PER_S);
        least = mono_min(least, gap);
        most = gap > most ? gap : most;
        assert_int_equal(ice_consent_timeout(&c, at - 1, &rng), ICE_CONSENT_WAIT);
        now = at;
        assert_int_equal(ice_consent_timeout(&c, now, &rng), ICE_CONSENT_ASK);
        assert_int_equal(ice_consent_timeout(&c, now, &rng), ICE_CONSENT_WAIT);
        ice_consent_renew(&c, now);
    }
    assert_true(least < 4100 * US_PER_MS && most > 5900 * US_PER_MS); /* it is random */
}

static void expires_thirty_seconds_after_the_last_answer(void **state)
{
    mono_us now = START;
    unsigned asked = 0;
    (void)state;
    ice_consent_start(&c, now, now - 3 * US_PER_S, true, &rng);
    ice_consent_renew(&c, now + 2 * US_PER_S);
    for (;;) {
        now = ice_consent_deadline(&c);
        enum ice_consent_step step = ice_consent_timeout(&c, now, &rng);
        if (step == ICE_CONSENT_EXPIRED)
            break;
        asked += step == ICE_CONSENT_ASK;
    }
    assert_true(now == START + 32 * US_PER_S);
    assert_in_range(asked, 5, 8);
}

static void an_answer_to_one_of_the_last_few_counts(void **state)
{
    uint8_t ids[5][STUN_ID_LEN];
    (void)state;
    ice_consent_start(&c, START, START, true, &rng);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ice_consent_timeout(&c, c.next_at, &rng), ICE_CONSENT_ASK);
        memcpy(ids[i], c.ids[0], STUN_ID_LEN);
    }
    for (int i = 0; i < 5; i++)
        assert_int_equal(ice_consent_matches(&c, ids[i]), i >= 5 - ICE_CONSENT_OPEN);
}

static void nothing_matches_before_the_first_question(void **state)
{
    static const uint8_t zero[STUN_ID_LEN];
    (void)state;
    ice_consent_start(&c, START, START, true, &rng);
    assert_false(ice_consent_matches(&c, zero));
}

static void a_lite_agent_asks_nothing(void **state)
{
    (void)state;
    ice_consent_start(&c, START, START, false, &rng);
    assert_true(ice_consent_deadline(&c) == START + ICE_CONSENT_EXPIRY);
    assert_int_equal(ice_consent_timeout(&c, START + 29 * US_PER_S, &rng), ICE_CONSENT_WAIT);
    assert_int_equal(ice_consent_timeout(&c, START + 30 * US_PER_S, &rng), ICE_CONSENT_EXPIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(asks_every_four_to_six_seconds, setup),
        cmocka_unit_test_setup(expires_thirty_seconds_after_the_last_answer, setup),
        cmocka_unit_test_setup(an_answer_to_one_of_the_last_few_counts, setup),
        cmocka_unit_test_setup(nothing_matches_before_the_first_question, setup),
        cmocka_unit_test_setup(a_lite_agent_asks_nothing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
