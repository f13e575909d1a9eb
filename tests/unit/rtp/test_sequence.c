/* Wrap-around arithmetic against the plain definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rtp/sequence.h"

static void the_shorter_way_round_decides(void **state)
{
    (void)state;
    assert_true(rtp_seq_is_newer(1, 0));
    assert_false(rtp_seq_is_newer(0, 1));
    assert_false(rtp_seq_is_newer(5, 5));
    assert_true(rtp_seq_is_newer(0, 65535));
    assert_false(rtp_seq_is_newer(65535, 0));
    assert_true(rtp_seq_is_newer(32767, 0));
    assert_false(rtp_seq_is_newer(32768, 0));
    assert_int_equal(rtp_seq_diff(2, 65534), 4);
    assert_int_equal(rtp_seq_diff(65534, 2), -4);
    assert_true(rtp_ts_is_newer(0, UINT32_MAX));
    assert_false(rtp_ts_is_newer(UINT32_MAX, 0));
    assert_false(rtp_ts_is_newer(0x80000000, 0));
    assert_int_equal(rtp_ts_diff(960, (uint32_t)-960), 1920);
}

static void extension_finds_the_nearest(void **state)
{
    static const struct {
        uint64_t last;
        uint16_t seq;
        uint64_t expected;
    } cases[] = {
        {0, 1, 1},
        {65535, 0, 65536},
        {65536, 65535, 65535},
        {0x2fffe, 3, 0x30003},
        {0x30003, 0xfffe, 0x2fffe},
        {100, 65000, 65000}, /* not -536 */
        {0, 65535, 65535},
        {0x10000, 0x8000, 0x8000},
        {0x10001, 0x8000, 0x18000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(rtp_seq_extend(cases[i].last, cases[i].seq) == cases[i].expected);
}

/* A long walk with loss and reordering within half a circle is followed exactly. */
static void extension_follows_a_walk(void **state)
{
    struct rng rng;
    uint64_t truth = 1000, highest = 1000;
    (void)state;
    rng_init_seeded(&rng, 16);
    for (unsigned i = 0; i < 200000; i++) {
        truth += rng_below(&rng, 3000);
        uint64_t late = truth - rng_below(&rng, 500);
        assert_true(rtp_seq_extend(highest, (uint16_t)truth) == truth);
        highest = truth;
        assert_true(rtp_seq_extend(highest, (uint16_t)late) == late);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shorter_way_round_decides),
        cmocka_unit_test(extension_finds_the_nearest),
        cmocka_unit_test(extension_follows_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
