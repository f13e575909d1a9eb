/* Every way a leg ends, and what does not end it. */
#include <string.h>

#include "sim/bench/bench.h"

static const uint8_t opus[] = {0x78, 1, 2, 3, 4, 5};

static struct bench *running_call(void)
{
    struct bench *b = bench_new();
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    return b;
}

static bool drop_browser_0(struct bench *b, struct bench_dgram *d)
{
    return !addr_equal(&d->from, &b->addrs[0]);
}

static void silence_ends_the_leg_by_consent(void **state)
{
    (void)state;
    struct bench *b = running_call();
    bench_run(b, b->now + 10 * US_PER_S);
    b->filter = drop_browser_0;
    mono_us silent_at = b->now;
    bench_run(b, silent_at + 20 * US_PER_S);
    assert_false(b->relay_ended[0]);
    while (!b->relay_ended[0] && b->now < silent_at + 60 * US_PER_S)
        bench_run(b, b->now + 100 * US_PER_MS);
    /* RFC 7675 §5.1: 30 s after the last answer, which was at most 6 s before the silence. */
    assert_true(b->relay_ended[0]);
    assert_int_equal(b->relay_end[0], PEER_END_CONSENT_LOST);
    assert_in_range(b->now - silent_at, 23 * US_PER_S, 31 * US_PER_S);
    assert_false(b->relay_ended[1]);
    bench_free(b);
}

static void an_idle_call_lives_for_an_hour(void **state)
{
    (void)state;
    struct bench *b = running_call();
    b->loss_percent = 10;
    bench_run(b, b->now + 3600 * US_PER_S);
    for (unsigned i = 0; i < 2; i++)
        assert_false(b->relay_ended[i] || b->browser_ended[i]);
    bench_free(b);
}

static void close_notify_ends_the_leg_at_once(void **state)
{
    (void)state;
    struct bench *b = running_call();
    peer_close(b->browsers[0], b->now);
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_true(b->relay_ended[0]);
    assert_int_equal(b->relay_end[0], PEER_END_REMOTE_CLOSED);
    assert_false(b->relay_ended[1]);
    bench_free(b);
}

static void close_notify_ends_the_leg_also_after_ten_minutes(void **state)
{
    (void)state;
    struct bench *b = running_call();
    bench_run(b, b->now + 600 * US_PER_S);
    peer_close(b->browsers[1], b->now);
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_true(b->relay_ended[1]);
    assert_int_equal(b->relay_end[1], PEER_END_REMOTE_CLOSED);
    bench_free(b);
}

static void rtcp_bye_ends_the_source_only(void **state)
{
    uint8_t buf[256];
    (void)state;
    struct bench *b = running_call();
    bench_send(b, 0, 0xb0000000, 1, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_true(b->legs[0]->peer.has_source);
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    rtp_report_write_bye(&b->browsers[0]->report, b->now, &w);
    size_t len = w.len;
    assert_int_equal(
        rtpsec_protect_rtcp(&b->browsers[0]->tx, b->envs[0].srtp, buf, &len, sizeof(buf)), 0);
    bench_inject(b, &b->addrs[0], buf, len);
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_false(b->legs[0]->peer.has_source);
    assert_false(b->relay_ended[0]);
    bench_send(b, 0, 0xb0000000, 2, 960, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], 2);
    bench_free(b);
}

static void a_wrong_fingerprint_ends_the_leg(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct bench_browser liar = bench_chromium;
    liar.wrong_fingerprint = true;
    bench_set_up(b, (const struct bench_browser[]){liar, bench_firefox});
    assert_false(bench_connect(b, 5 * US_PER_S));
    assert_true(b->relay_ended[0]);
    assert_int_equal(b->relay_end[0], PEER_END_DTLS_FAILED);
    assert_false(b->relay_connected[0]);
    assert_true(b->relay_connected[1]);
    bench_free(b);
}

static bool drop_all(struct bench *b, struct bench_dgram *d)
{
    (void)b;
    (void)d;
    return false;
}

static void no_path_ends_the_leg_by_ice(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    b->filter = drop_all;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    bench_run(b, b->now + 30 * US_PER_S);
    assert_false(b->relay_ended[0]); /* RFC 8863: not too early */
    bench_run(b, b->now + 60 * US_PER_S);
    assert_true(b->relay_ended[0]);
    assert_int_equal(b->relay_end[0], PEER_END_ICE_FAILED);
    bench_free(b);
}

static void a_closed_relay_says_goodbye(void **state)
{
    (void)state;
    struct bench *b = running_call();
    peer_close(&b->legs[0]->peer, b->now);
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_true(b->browser_ended[0]);
    assert_false(b->relay_ended[0]); /* no event of our own doing */
    assert_true(peer_deadline(&b->legs[0]->peer) == MONO_NEVER);
    bench_free(b);
}

static void reports_tell_loss_and_round_trip(void **state)
{
    (void)state;
    struct bench *b = running_call();
    for (uint16_t n = 0; n < 1000; n++) {
        if (n % 10 != 9) /* one in ten never arrives */
            bench_send(b, 0, 0xb0000000, n, n * 960u, opus, sizeof(opus));
        bench_send(b, 1, 0xb0000001, n, n * 960u, opus, sizeof(opus));
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    struct peer *leg = &b->legs[0]->peer;
    assert_in_range(rtp_recv_stats_lost(&leg->source), 98, 100);
    assert_true(leg->report.has_rtt);
    assert_in_range(leg->report.rtt, 9 * US_PER_MS, 12 * US_PER_MS);
    /* The loss of leg 0's uplink stays visible downlink: a relay does not invent packets. */
    assert_true(b->legs[1]->peer.report.has_remote);
    assert_in_range(b->legs[1]->peer.report.remote.lost, 50, 100);
    assert_true(b->browsers[0]->report.has_rtt);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ends_the_leg_by_consent),
        cmocka_unit_test(an_idle_call_lives_for_an_hour),
        cmocka_unit_test(close_notify_ends_the_leg_at_once),
        cmocka_unit_test(close_notify_ends_the_leg_also_after_ten_minutes),
        cmocka_unit_test(rtcp_bye_ends_the_source_only),
        cmocka_unit_test(a_wrong_fingerprint_ends_the_leg),
        cmocka_unit_test(no_path_ends_the_leg_by_ice),
        cmocka_unit_test(a_closed_relay_says_goodbye),
        cmocka_unit_test(reports_tell_loss_and_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
