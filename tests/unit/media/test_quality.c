/* Pairs of figures, askers that do not disturb each other, and the line of the log. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "media/log.h"
#include "media/quality.h"

#define CALL UINT64_C(7)
#define NOW  (1000 * US_PER_S)

static struct rng rng;
static struct media_quality q;
static struct relay_quality_report report;
static const struct media_hearing nothing = {-1, -1};

static int set_up(void **state)
{
    (void)state;
    rng_init_seeded(&rng, 1);
    media_quality_init(&q, &rng);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    media_quality_deinit(&q);
    return 0;
}

/* A leg after so many seconds of 50 packets, of which this many were lost up. */
static struct engine_stats leg_after(unsigned seconds, uint32_t lost_up)
{
    uint32_t n = 50 * seconds;
    return (struct engine_stats){.packets_received = n - lost_up,
                                 .media = {
                                     .at = NOW + seconds * US_PER_S,
                                     .codec = CODEC_OPUS,
                                     .connected_at = NOW,
                                     .has_rtt = true,
                                     .rtt = 20 * US_PER_MS,
                                     .rtts = {.sum = 20000, .n = 1},
                                     .up = {.is_wanted = true,
                                            .packets = n - lost_up,
                                            .heard_at = NOW + seconds * US_PER_S,
                                            .counts = {.expected = n,
                                                       .lost = lost_up,
                                                       .runs = lost_up,
                                                       .level = {.n = 10 * seconds,
                                                                 .n_talk = 4 * seconds,
                                                                 .sum_db = 900 * seconds,
                                                                 .talk_sum_db = 112 * seconds,
                                                                 .talk_ms = 400 * seconds,
                                                                 .silent_ms = 600 * seconds}},
                                            .has_jitter = true,
                                            .jitter = 5 * US_PER_MS},
                                     .down = {.is_wanted = true,
                                              .packets = n,
                                              .is_reported = true,
                                              .jitter = 5 * US_PER_MS,
                                              .delivery = {.expected = n}},
                                 }};
}

static bool answered(enum media_leg asker, mono_us now, const struct engine_stats legs[2])
{
    assert_false(
        media_quality_figures(&q, now, CALL, asker, MEDIA_CALLER, &legs[0].media, &report));
    return media_quality_figures(&q, now, CALL, asker, MEDIA_CALLEE, &legs[1].media, &report);
}

static void an_answer_needs_a_question_and_both_legs(void **state)
{
    const struct engine_stats legs[] = {leg_after(5, 0), leg_after(5, 0)};
    (void)state;
    assert_false(answered(MEDIA_CALLER, NOW, legs)); /* nobody asked */
    assert_int_equal(media_quality_asked(&q, NOW, CALL, MEDIA_CALLER, &nothing), 0);
    assert_false(media_quality_figures(&q, NOW, CALL, MEDIA_CALLER, MEDIA_CALLEE, &legs[1].media,
                                       &report)); /* the caller's are missing */
    assert_true(answered(MEDIA_CALLER, NOW, legs));
    assert_int_equal(report.ends[0].steady.grade, RTP_GRADE_GOOD);
    media_quality_forget(&q, CALL);
    assert_false(answered(MEDIA_CALLER, NOW, legs));
}

static void each_page_has_its_own_intervals(void **state)
{
    const struct engine_stats bad[] = {leg_after(5, 50), leg_after(5, 0)};
    const struct engine_stats after[] = {leg_after(25, 50), leg_after(25, 0)};
    (void)state;
    assert_int_equal(media_quality_asked(&q, NOW, CALL, MEDIA_CALLER, &nothing), 0);
    assert_true(answered(MEDIA_CALLER, NOW + 5 * US_PER_S, bad));
    assert_int_equal(report.ends[0].found.grade, RTP_GRADE_POOR);
    assert_true(answered(MEDIA_CALLER, NOW + 25 * US_PER_S, after));
    assert_int_equal(report.ends[0].found.grade, RTP_GRADE_GOOD); /* since then */
    assert_int_equal(media_quality_asked(&q, NOW, CALL, MEDIA_CALLEE, &nothing), 0);
    assert_true(answered(MEDIA_CALLEE, NOW + 25 * US_PER_S, after));
    assert_int_equal(report.ends[0].found.grade, RTP_GRADE_FAIR); /* 50 of 1250 since the start */
}

static void what_a_page_hears_is_true_for_a_while(void **state)
{
    const struct engine_stats legs[] = {leg_after(5, 0), leg_after(5, 0)};
    const struct media_hearing broken = {.concealed_permille = 300, .jitter_buffer_ms = 80};
    (void)state;
    assert_int_equal(media_quality_asked(&q, NOW, CALL, MEDIA_CALLEE, &broken), 0);
    assert_int_equal(media_quality_asked(&q, NOW, CALL, MEDIA_CALLER, &nothing), 0);
    assert_true(answered(MEDIA_CALLER, NOW + MEDIA_QUALITY_HEARING_AGE - 1, legs));
    assert_int_equal(report.ends[1].found.trouble, RTP_TROUBLE_CONCEALED);
    assert_true(answered(MEDIA_CALLER, NOW + MEDIA_QUALITY_HEARING_AGE, legs));
    assert_int_equal(report.ends[1].found.trouble, RTP_TROUBLE_NONE);
}

static const char *line_of(const struct media_quality_end *end, enum media_leg leg)
{
    static char buf[MEDIA_LOG_MAX];
    struct text t;
    text_init(&t, buf, sizeof(buf));
    media_log_write(&t, end, leg);
    assert_false(t.failed);
    return buf;
}

static void the_log_is_about_the_whole_call(void **state)
{
    struct engine_stats legs[] = {leg_after(60, 300), leg_after(60, 0)};
    const struct media_hearing hearing = {.concealed_permille = 90, .jitter_buffer_ms = 80};
    struct media_quality_end end;
    (void)state;
    legs[0].packets_dropped = 3;
    legs[1].media.down.resent = 30;
    legs[0].media.up.counts.repaired = 60;
    /* questions on the way change nothing */
    assert_int_equal(media_quality_asked(&q, NOW, CALL, MEDIA_CALLEE, &hearing), 0);
    assert_true(answered(MEDIA_CALLEE, NOW, legs));
    assert_int_equal(media_quality_gone(&q, CALL, MEDIA_CALLER, &legs[0], &end),
                     MEDIA_QUALITY_E_FIRST);
    assert_int_equal(media_quality_gone(&q, CALL, MEDIA_CALLEE, &legs[1], &end), 0);
    assert_string_equal(line_of(&end, MEDIA_CALLER),
                        "line poor (loss-up), heard with MOS 3.3; up: 2700 packets, lost 10.0 % "
                        "(8.0 % after repair), jitter 5.0 ms, talked 40 % at -28 dBov, 3 dropped; "
                        "down: 3000 packets, lost 0.0 %, jitter 5.0 ms; round trip 20.0 ms");
    assert_string_equal(line_of(&end, MEDIA_CALLEE),
                        "line good, heard with MOS 4.4; up: 3000 packets, lost 0.0 %, jitter 5.0 "
                        "ms, talked 40 % at -28 dBov; down: 3000 packets, lost 1.0 % (0.0 % after "
                        "repair), jitter 5.0 ms, concealed 9.0 %; round trip 20.0 ms");
}

static void what_was_not_measured_is_left_out(void **state)
{
    const struct engine_stats none = {0};
    struct media_quality_end end;
    (void)state;
    assert_int_equal(media_quality_gone(&q, CALL, MEDIA_CALLEE, &none, &end),
                     MEDIA_QUALITY_E_FIRST);
    assert_int_equal(media_quality_gone(&q, CALL, MEDIA_CALLER, &none, &end), 0);
    assert_string_equal(line_of(&end, MEDIA_CALLER),
                        "line unknown; up: 0 packets; down: 0 packets");
}

/* Numbers as large as they get still fit. */
static void the_longest_line_fits(void **state)
{
    struct engine_stats legs[] = {leg_after(60, 300), leg_after(60, 0)};
    struct media_quality_end end;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        legs[i].packets_dropped = UINT64_MAX;
        legs[i].media.up.packets = legs[i].media.down.packets = UINT32_MAX;
        /* a report block has 32 bits for each [ticks at 8000 Hz; 1/65536 s] */
        legs[i].media.up.jitter = legs[i].media.down.jitter = 536870 * US_PER_S;
        legs[i].media.rtt = 32768 * US_PER_S;
        legs[i].media.rtts = (struct rtp_mean){0};
    }
    assert_int_equal(media_quality_gone(&q, CALL, MEDIA_CALLER, &legs[0], &end),
                     MEDIA_QUALITY_E_FIRST);
    assert_int_equal(media_quality_gone(&q, CALL, MEDIA_CALLEE, &legs[1], &end), 0);
    (void)line_of(&end, MEDIA_CALLER);
}

static void memory_may_run_out(void **state)
{
    const struct engine_stats none = {0};
    struct media_quality_end end;
    (void)state;
    for (long n = 1; n <= 2; n++) {
        mem_fail_at(n);
        assert_int_equal(media_quality_asked(&q, NOW, CALL, MEDIA_CALLER, &nothing), -ENOMEM);
        mem_fail_at(n);
        assert_int_equal(media_quality_gone(&q, CALL, MEDIA_CALLER, &none, &end), -ENOMEM);
    }
    mem_fail_at(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_needs_a_question_and_both_legs),
        TEST(each_page_has_its_own_intervals),
        TEST(what_a_page_hears_is_true_for_a_while),
        TEST(the_log_is_about_the_whole_call),
        TEST(what_was_not_measured_is_left_out),
        TEST(the_longest_line_fits),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
