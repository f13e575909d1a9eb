/* What was delivered, from a client's reports, whatever it claims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer/measure.h"

static struct peer_measure m;
static struct rtp_report report;

/* `n` packets go out, numbered on from `seq`, with a gap of `step - 1` before each. */
static uint16_t send(uint16_t seq, unsigned n, uint16_t step)
{
    for (unsigned i = 0; i < n; i++) {
        seq = (uint16_t)(seq + step);
        peer_measure_sent(&m, &report, seq);
        report.packets++;
        report.has_sent = true;
    }
    return seq;
}

static void begin(void)
{
    m = (struct peer_measure){0};
    report = (struct rtp_report){.clock_rate = 48000};
}

static void client_reports(uint32_t extended_seq, int32_t lost)
{
    report.has_remote = true;
    report.remote.extended_seq = extended_seq;
    report.remote.lost = lost;
    peer_measure_reported(&m, &report, false);
}

static void gaps_of_the_other_line_are_not_ours(void **state)
{
    (void)state;
    begin();
    (void)send(1000, 100, 2); /* 1002, 1004 … 1200: every other one was lost before us */
    client_reports(1200, 99);
    assert_int_equal(m.delivery.expected, 100);
    assert_int_equal(m.delivery.lost, 0);
    (void)send(1200, 100, 1);
    client_reports(1300, 109);
    assert_int_equal(m.delivery.expected, 200);
    assert_int_equal(m.delivery.lost, 10);
    /* and again: gaps of both lines between two reports */
    (void)send(1300, 100, 2);
    client_reports(1500, 109 + 100 + 5);
    assert_int_equal(m.delivery.expected, 300);
    assert_int_equal(m.delivery.lost, 15);
}

static void what_is_on_its_way_is_not_lost(void **state)
{
    (void)state;
    begin();
    (void)send(1000, 100, 1);
    client_reports(1090, 0);
    assert_int_equal(m.delivery.expected, 90);
    assert_int_equal(m.delivery.lost, 0);
}

static void numbers_may_wrap(void **state)
{
    (void)state;
    begin();
    uint16_t last = send(30000, 60000, 1);
    client_reports(30000 + 60000, 60);
    assert_int_equal(last, (30000 + 60000) & 0xffff);
    assert_int_equal(m.delivery.expected, 60000);
    assert_int_equal(m.delivery.lost, 60);
}

/* Called lost, and there after all: the next losses are paid with it, the counter never falls. */
static void what_comes_late_is_given_back(void **state)
{
    (void)state;
    begin();
    (void)send(1000, 100, 1);
    client_reports(1100, 10);
    assert_int_equal(m.delivery.lost, 10);
    (void)send(1100, 100, 1);
    client_reports(1200, 4);
    assert_int_equal(m.delivery.lost, 10);
    (void)send(1200, 100, 1);
    client_reports(1300, 12);
    assert_int_equal(m.delivery.lost, 12);
}

static void a_client_that_begins_anew_or_lies_breaks_nothing(void **state)
{
    (void)state;
    begin();
    (void)send(1000, 1000, 1);
    client_reports(1500, 0);
    assert_int_equal(m.delivery.n_reports, 1);
    client_reports(9999, 5); /* never sent */
    client_reports(0xffffffff, -0x800000);
    assert_int_equal(m.delivery.n_reports, 1);
    client_reports(1400, 0); /* back: anew from here */
    assert_int_equal(m.delivery.expected, 500);
    client_reports(1410, 0);
    assert_int_equal(m.delivery.expected, 510);
    uint32_t lost = m.delivery.lost;
    client_reports(1415, 0x7fffff); /* more than there ever was */
    assert_int_equal(m.delivery.lost, lost + 5);
    client_reports(0x7fff0000u + 1420, 0);
    assert_int_equal(m.delivery.expected, 520);
}

static void nothing_sent_nothing_delivered(void **state)
{
    (void)state;
    begin();
    client_reports(77, 7);
    assert_int_equal(m.delivery.n_reports, 0);
    assert_int_equal(m.jitter_down.n, 0);
}

static void means_are_of_what_was_added(void **state)
{
    struct rtp_mean mean = {0}, before;
    (void)state;
    rtp_mean_add(&mean, 100);
    before = mean;
    assert_int_equal(rtp_mean_since(&mean, &before, 7), 7);
    rtp_mean_add(&mean, 200);
    rtp_mean_add(&mean, 400);
    assert_int_equal(rtp_mean_since(&mean, &before, 7), 300);
    report.remote.jitter = 480;
    begin();
    (void)send(0, 1, 1);
    report.remote.jitter = 480;
    report.rtt = 5000;
    peer_measure_reported(&m, &report, true);
    assert_int_equal(m.jitter_down.sum, 10000);
    assert_int_equal(m.rtt.sum, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_of_the_other_line_are_not_ours),
        cmocka_unit_test(what_is_on_its_way_is_not_lost),
        cmocka_unit_test(numbers_may_wrap),
        cmocka_unit_test(what_comes_late_is_given_back),
        cmocka_unit_test(a_client_that_begins_anew_or_lies_breaks_nothing),
        cmocka_unit_test(nothing_sent_nothing_delivered),
        cmocka_unit_test(means_are_of_what_was_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
