/* Limits, the steadiness of the word, and whose fault it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/line.h"

static void each_trouble_has_its_limits(void **state)
{
    static const struct {
        enum rtp_trouble trouble;
        double value;
        enum rtp_grade grade;
    } cases[] = {
        {RTP_TROUBLE_LOSS_UP, 0.019, RTP_GRADE_GOOD}, {RTP_TROUBLE_LOSS_UP, 0.02, RTP_GRADE_FAIR},
        {RTP_TROUBLE_LOSS_UP, 0.08, RTP_GRADE_POOR},  {RTP_TROUBLE_LOSS_DOWN, 0, RTP_GRADE_GOOD},
        {RTP_TROUBLE_LOSS_DOWN, 0.5, RTP_GRADE_POOR}, {RTP_TROUBLE_JITTER, 24, RTP_GRADE_GOOD},
        {RTP_TROUBLE_JITTER, 59, RTP_GRADE_FAIR},     {RTP_TROUBLE_JITTER, 60, RTP_GRADE_POOR},
        {RTP_TROUBLE_DELAY, 249, RTP_GRADE_GOOD},     {RTP_TROUBLE_DELAY, 250, RTP_GRADE_FAIR},
        {RTP_TROUBLE_DELAY, 600, RTP_GRADE_POOR},     {RTP_TROUBLE_SILENT, 2.9, RTP_GRADE_GOOD},
        {RTP_TROUBLE_SILENT, 3, RTP_GRADE_POOR},      {RTP_TROUBLE_CONCEALED, 0.04, RTP_GRADE_GOOD},
        {RTP_TROUBLE_CONCEALED, 0.1, RTP_GRADE_FAIR},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rtp_line line = {0};
        rtp_line_set(&line, cases[i].trouble, cases[i].value);
        struct rtp_line_grade g = rtp_line_grade(&line);
        assert_int_equal(g.grade, cases[i].grade);
        assert_int_equal(g.trouble,
                         g.grade == RTP_GRADE_GOOD ? RTP_TROUBLE_NONE : cases[i].trouble);
    }
}

static void the_worst_measure_speaks(void **state)
{
    struct rtp_line line = {0};
    (void)state;
    assert_int_equal(rtp_line_grade(&line).grade, RTP_GRADE_UNKNOWN);
    rtp_line_set(&line, RTP_TROUBLE_JITTER, 50);
    rtp_line_set(&line, RTP_TROUBLE_DELAY, 900);
    rtp_line_set(&line, RTP_TROUBLE_LOSS_UP, 0.03);
    assert_int_equal(rtp_line_grade(&line).trouble, RTP_TROUBLE_DELAY);
    rtp_line_set(&line, RTP_TROUBLE_LOSS_UP, 0.3);
    assert_int_equal(rtp_line_grade(&line).trouble, RTP_TROUBLE_LOSS_UP);
    /* who says nothing at all has no other trouble */
    rtp_line_set(&line, RTP_TROUBLE_SILENT, 4);
    assert_int_equal(rtp_line_grade(&line).trouble, RTP_TROUBLE_SILENT);
}

/* One letter an interval of five seconds: ? g f p. What was said, in the same letters. */
static void the_word_is_steady(void **state)
{
    static const struct {
        const char *found, *said;
    } cases[] = {
        {"gggg", "gggg"},
        {"ggpppp", "ggpppp"},          /* worse: at once */
        {"gpgggg", "gpppgg"},          /* better: when it has lasted (5 s intervals: the third) */
        {"gfpffffg", "gfpppfff"},      /* half way better is better, too, and takes as long */
        {"fgfgfgfg", "ffffffff"},      /* around a limit: no flicker */
        {"pgfgfgg", "pppffff"},        /* better than poor all the time, but not good */
        {"?g?p??gg?g", "?ggpppppp g"}, /* nothing measured: no news */
    };
    static const char letters[] = "?gfp";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rtp_line_judge judge = {0};
        const char *said = cases[i].said;
        for (size_t k = 0; cases[i].found[k]; k++) {
            struct rtp_line_grade found = {RTP_GRADE_UNKNOWN, RTP_TROUBLE_NONE};
            while (letters[found.grade] != cases[i].found[k])
                found.grade++;
            enum rtp_grade got =
                rtp_line_judge(&judge, (mono_us)(k + 1) * 5 * US_PER_S, found).grade;
            while (*said == ' ')
                said++;
            if (letters[got] != *said)
                fail_msg("%s: at %zu '%c', not '%c'", cases[i].found, k, letters[got], *said);
            said++;
        }
    }
}

static void the_trouble_changes_with_the_line(void **state)
{
    struct rtp_line_judge judge = {0};
    const struct rtp_line_grade loss = {RTP_GRADE_POOR, RTP_TROUBLE_LOSS_UP};
    const struct rtp_line_grade delay = {RTP_GRADE_POOR, RTP_TROUBLE_DELAY};
    (void)state;
    assert_int_equal(rtp_line_judge(&judge, US_PER_S, loss).trouble, RTP_TROUBLE_LOSS_UP);
    assert_int_equal(rtp_line_judge(&judge, 2 * US_PER_S, delay).trouble, RTP_TROUBLE_DELAY);
}

static void blame_goes_to_the_worse_line(void **state)
{
    static const struct {
        enum rtp_grade first, second;
        enum rtp_blame blame;
    } cases[] = {
        {RTP_GRADE_UNKNOWN, RTP_GRADE_UNKNOWN, RTP_BLAME_NONE},
        {RTP_GRADE_GOOD, RTP_GRADE_GOOD, RTP_BLAME_NONE},
        {RTP_GRADE_UNKNOWN, RTP_GRADE_GOOD, RTP_BLAME_NONE},
        {RTP_GRADE_FAIR, RTP_GRADE_GOOD, RTP_BLAME_FIRST},
        {RTP_GRADE_GOOD, RTP_GRADE_FAIR, RTP_BLAME_SECOND},
        {RTP_GRADE_POOR, RTP_GRADE_FAIR, RTP_BLAME_FIRST},
        {RTP_GRADE_FAIR, RTP_GRADE_POOR, RTP_BLAME_SECOND},
        {RTP_GRADE_FAIR, RTP_GRADE_FAIR, RTP_BLAME_BOTH},
        {RTP_GRADE_POOR, RTP_GRADE_POOR, RTP_BLAME_BOTH},
        {RTP_GRADE_POOR, RTP_GRADE_UNKNOWN, RTP_BLAME_FIRST},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(rtp_line_blame(cases[i].first, cases[i].second), cases[i].blame);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(rtp_grade_name(RTP_GRADE_POOR), "poor");
    for (enum rtp_trouble t = RTP_TROUBLE_NONE; t < RTP_N_TROUBLES; t++)
        assert_non_null(rtp_trouble_name(t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_trouble_has_its_limits),
        cmocka_unit_test(the_worst_measure_speaks),
        cmocka_unit_test(the_word_is_steady),
        cmocka_unit_test(the_trouble_changes_with_the_line),
        cmocka_unit_test(blame_goes_to_the_worse_line),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
