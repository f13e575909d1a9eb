/* The E-model against points worked out by hand from the formulas, and what is unknown stays so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/quality.h"

static void close_to(double value, double expected)
{
    if (value < expected - 0.005 || value > expected + 0.005)
        fail_msg("%f is not %f", value, expected);
}

static void the_model_gives_what_the_formulas_give(void **state)
{
    /* G.711 with concealment: Ie,eff = 95 p / (p / b + 25.1), p in per cent */
    static const struct {
        struct rtp_quality_line line;
        double r, mos;
    } cases[] = {
        {{RTP_QUALITY_G711, 0, 1, 0}, 93.2, 4.409},
        {{RTP_QUALITY_G711, 0, 1, 100 * US_PER_MS}, 90.8, 4.360},
        {{RTP_QUALITY_G711, 0, 1, 177300}, 88.945, 4.315},
        {{RTP_QUALITY_G711, 0, 1, 277300}, 75.545, 3.846},
        {{RTP_QUALITY_G711, 0.01, 1, 0}, 89.560, 4.330},
        {{RTP_QUALITY_G711, 0.05, 1, 0}, 77.419, 3.923},
        {{RTP_QUALITY_G711, 0.05, 2, 0}, 75.990, 3.864},
        {{RTP_QUALITY_OPUS, 0.05, 1, 0}, 73.408, 3.752},
        {{RTP_QUALITY_OPUS, 0.20, 1, 0}, 44.482, 2.290},
        {{RTP_QUALITY_OPUS_FEC, 0.05, 1, 0}, 77.419, 3.923},
        {{RTP_QUALITY_OPUS, 1, 1, 0}, 13.368, 1.090},
        {{RTP_QUALITY_OPUS, 1, 1, 10 * US_PER_S}, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double r = rtp_quality_r(&cases[i].line);
        close_to(r, cases[i].r);
        close_to(rtp_quality_mos(r), cases[i].mos);
    }
}

static void the_scale_has_ends(void **state)
{
    (void)state;
    close_to(rtp_quality_mos(-5), 1);
    close_to(rtp_quality_mos(0), 1);
    close_to(rtp_quality_mos(3), 1); /* where the polynomial goes below */
    close_to(rtp_quality_mos(60), 3.1);
    close_to(rtp_quality_mos(100), 4.5);
    close_to(rtp_quality_mos(1000), 4.5);
    double last = 0;
    for (int r = 0; r <= 100; r++) {
        assert_true(rtp_quality_mos(r) >= last);
        last = rtp_quality_mos(r);
    }
}

static void bursts_are_measured_against_random_loss(void **state)
{
    (void)state;
    close_to(rtp_quality_burst(0, 0, 0), 1);
    close_to(rtp_quality_burst(10, 0, 1000), 1); /* not known */
    close_to(rtp_quality_burst(10, 10, 1000), 1);
    close_to(rtp_quality_burst(100, 20, 1000), 4.5); /* five in a row; random would be 1.11 */
    close_to(rtp_quality_burst(1000, 1, 1000), 1);
    /* random loss of one half: mean length 2 */
    close_to(rtp_quality_burst(500, 250, 1000), 1);
}

static void delay_is_made_of_its_parts(void **state)
{
    (void)state;
    assert_int_equal(rtp_quality_delay(RTP_QUALITY_OPUS, 40000, 60000, 5000, 0),
                     50000 + 10000 + 20000 + 6500);
    assert_int_equal(rtp_quality_delay(RTP_QUALITY_G711, 0, 0, 0, 30000), 30000);
}

static struct rtp_quality q;
static struct rtp_quality_snapshot s;

static const struct rtp_quality_state known = {
    .codec = RTP_QUALITY_OPUS,
    .has_jitter = true,
    .has_rtt = true,
    .jitter = 2000,
    .rtt_near = 30000,
    .rtt_far = 50000,
};

static void no_data_is_unknown(void **state)
{
    struct rtp_quality_counts counts = {0};
    struct rtp_quality_state nothing = {.codec = RTP_QUALITY_OPUS, .jitter = 99, .rtt_far = 99};
    (void)state;
    rtp_quality_init(&q, 0);
    rtp_quality_snapshot(&q, US_PER_S, &counts, &nothing, &s);
    assert_int_equal(s.interval, US_PER_S);
    assert_false(s.has_loss || s.has_jitter || s.has_delay || s.has_mos || s.has_level);
    assert_false(s.has_concealment);
    assert_true(s.mos == 0 && s.r == 0 && s.jitter == 0 && s.rtt == 0);

    /* packets, but nobody has measured a round trip: no MOS */
    counts.expected = 500;
    struct rtp_quality_state half = known;
    half.has_rtt = false;
    rtp_quality_snapshot(&q, 2 * US_PER_S, &counts, &half, &s);
    assert_true(s.has_loss && s.has_jitter);
    assert_false(s.has_delay || s.has_mos);

    /* a round trip, but the sender was silent */
    counts.expected += RTP_QUALITY_MIN_PACKETS - 1;
    rtp_quality_snapshot(&q, 3 * US_PER_S, &counts, &known, &s);
    assert_int_equal(s.expected, RTP_QUALITY_MIN_PACKETS - 1);
    assert_true(s.has_delay);
    assert_false(s.has_loss || s.has_mos);
}

static void a_snapshot_is_about_its_interval(void **state)
{
    struct rtp_quality_counts counts = {UINT32_MAX - 99, 7, 3, 2, {0}}; /* wraps on the way */
    (void)state;
    rtp_quality_init(&q, 0);
    rtp_quality_snapshot(&q, US_PER_S, &counts, &known, &s);
    counts.expected += 250;
    counts.lost += 25;
    counts.repaired += 20;
    counts.runs += 5;
    rtp_quality_snapshot(&q, 6 * US_PER_S, &counts, &known, &s);
    assert_int_equal(s.interval, 5 * US_PER_S);
    assert_int_equal(s.expected, 250);
    assert_int_equal(s.lost, 25);
    assert_int_equal(s.repaired, 20);
    close_to(s.loss_before, 0.1);
    close_to(s.loss_after, 0.02);
    close_to(s.burst, 4.5);
    assert_int_equal(s.rtt, 80000);
    assert_int_equal(s.delay, 40000 + 4000 + 20000 + 6500);
    assert_true(s.has_mos);
    /* 93.2 − 0.024·70.5 − 95·2 / (2/4.5 + 19) */
    close_to(s.r, 93.2 - 1.692 - 190 / (2 / 4.5 + 19));
    /* and then nothing was lost */
    counts.expected += 250;
    rtp_quality_snapshot(&q, 11 * US_PER_S, &counts, &known, &s);
    close_to(s.loss_before, 0);
    close_to(s.r, 93.2 - 1.692);
}

static void what_is_lost_behind_us_counts_for_the_ear(void **state)
{
    const struct rtp_quality_counts counts = {.expected = 1000, .lost = 100, .runs = 100};
    struct rtp_quality_state far = known;
    (void)state;
    far.far_loss = 0.2;
    rtp_quality_init(&q, 0);
    rtp_quality_snapshot(&q, US_PER_S, &counts, &far, &s);
    close_to(s.loss_after, 0.1); /* the near line's own */
    /* 1 − 0.9·0.8 = 28 % */
    close_to(s.r, 93.2 - 1.692 - 95 * 28 / (28 / 1.0 + 19));
}

static void counters_of_two_intervals_may_disagree(void **state)
{
    struct rtp_quality_counts counts = {60, 0, 0, 0, {0}};
    (void)state;
    rtp_quality_init(&q, 0);
    counts.lost = 100; /* noticed now, expected before */
    counts.repaired = 200;
    rtp_quality_snapshot(&q, US_PER_S, &counts, &known, &s);
    close_to(s.loss_before, 1);
    close_to(s.loss_after, 0);
}

static void levels_are_those_of_the_interval(void **state)
{
    struct rtp_quality_counts counts = {.level = {.n = 10,
                                                  .n_talk = 4,
                                                  .sum_db = 900,
                                                  .talk_sum_db = 120,
                                                  .talk_ms = 400,
                                                  .silent_ms = 600}};
    (void)state;
    rtp_quality_init(&q, 0);
    rtp_quality_snapshot(&q, US_PER_S, &counts, &known, &s);
    assert_true(s.has_level);
    close_to(s.talk, 0.4);
    close_to(s.level_db, 30);
    /* nothing but silence */
    counts.level.n += 10;
    counts.level.sum_db += 1200;
    counts.level.silent_ms += 1000;
    rtp_quality_snapshot(&q, 2 * US_PER_S, &counts, &known, &s);
    close_to(s.talk, 0);
    close_to(s.level_db, 120);
    /* one reading is no share of anything */
    counts.level.n++;
    counts.level.n_talk++;
    counts.level.talk_ms += 100;
    rtp_quality_snapshot(&q, 3 * US_PER_S, &counts, &known, &s);
    assert_false(s.has_level);
}

static void two_askers_do_not_disturb_each_other(void **state)
{
    struct rtp_quality page, log;
    struct rtp_quality_counts counts = {0};
    (void)state;
    rtp_quality_init(&page, 0);
    rtp_quality_init(&log, 0);
    for (int i = 1; i <= 10; i++) {
        counts.expected += 250;
        counts.lost += i <= 5 ? 25 : 0;
        rtp_quality_snapshot(&page, i * 5 * US_PER_S, &counts, &known, &s);
        close_to(s.loss_before, i <= 5 ? 0.1 : 0);
    }
    rtp_quality_snapshot(&log, 50 * US_PER_S, &counts, &known, &s);
    assert_int_equal(s.interval, 50 * US_PER_S);
    close_to(s.loss_before, 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_gives_what_the_formulas_give),
        cmocka_unit_test(the_scale_has_ends),
        cmocka_unit_test(bursts_are_measured_against_random_loss),
        cmocka_unit_test(delay_is_made_of_its_parts),
        cmocka_unit_test(no_data_is_unknown),
        cmocka_unit_test(a_snapshot_is_about_its_interval),
        cmocka_unit_test(what_is_lost_behind_us_counts_for_the_ear),
        cmocka_unit_test(counters_of_two_intervals_may_disagree),
        cmocka_unit_test(levels_are_those_of_the_interval),
        cmocka_unit_test(two_askers_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
