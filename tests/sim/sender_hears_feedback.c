/* What the sender of a leg hears of us besides reports: when its packets came (transport-cc), or
 * how much it may send (REMB); what we do with what it tells; and that nothing of it crosses. */
#include <string.h>

#include "rtp/extension.h"
#include "sim/bench/bench.h"

#define TRANSPORT_CC(b, i) ((b)->rtcp[i][RTCP_RTPFB - RTCP_SR][RTCP_RTPFB_TRANSPORT_CC])
#define REMB(b, i)         ((b)->rtcp[i][RTCP_PSFB - RTCP_SR][RTCP_PSFB_AFB])
#define XR(b, i)           ((b)->rtcp[i][RTCP_XR - RTCP_SR][0])

static const uint8_t opus[80] = {0x78};

static struct bench *running_call(const struct bench_browser browsers[2])
{
    struct bench *b = bench_new();
    bench_set_up(b, browsers);
    assert_true(bench_connect(b, 5 * US_PER_S));
    b->n_errors[0] = b->n_errors[1] = 0;
    return b;
}

static struct bench_browser numbered(bool reduced_size)
{
    struct bench_browser browser = bench_chromium;
    browser.transport_ext = 3;
    browser.reduced_size_rtcp = reduced_size;
    return browser;
}

static uint16_t talk(struct bench *b, unsigned i, uint16_t seq, unsigned n)
{
    for (; n; n--, seq++) {
        bench_send(b, i, b->browsers[i]->local_ssrc, seq, seq * 960u, opus, sizeof(opus));
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    return seq;
}

static void arrivals_are_told_four_times_a_second(void **state)
{
    (void)state;
    const struct bench_browser kinds[2] = {numbered(true), bench_firefox};
    struct bench *b = running_call(kinds);
    (void)talk(b, 0, 1, 500);
    /* one each 260 ms: the first packet after a feedback begins the next interval */
    assert_in_range(TRANSPORT_CC(b, 0).n, 36, 39);
    const struct bench_rtcp *last = &TRANSPORT_CC(b, 0);
    assert_int_equal(get_be32(last->body), 0x5e4e0000); /* our SSRC */
    assert_int_equal(get_be32(last->body + 4), b->browsers[0]->local_ssrc);
    assert_int_equal(get_be16(last->body + 8) + get_be16(last->body + 10), 13 * last->n);
    /* who sends nothing, and who did not agree, hears nothing */
    assert_int_equal(TRANSPORT_CC(b, 1).n, 0);
    unsigned before = TRANSPORT_CC(b, 0).n;
    bench_run(b, b->now + 2 * US_PER_S);
    assert_in_range(TRANSPORT_CC(b, 0).n, before, before + 1);
    before = TRANSPORT_CC(b, 0).n;
    bench_run(b, b->now + 20 * US_PER_S);
    assert_int_equal(TRANSPORT_CC(b, 0).n, before);
    bench_free(b);
}

static bool lose_every_tenth(struct bench *b, struct bench_dgram *d)
{
    return !rtp_is_rtp(d->data, d->len) || !addr_equal(&d->to, &b->server) ||
           ++b->n_filtered % 10 != 0;
}

/* Every tenth packet is lost. @param chunk  what the feedback then says of them */
static void lose_and_tell(bool is_repaired, uint16_t chunk)
{
    struct bench_browser kind = numbered(true);
    kind.nack = is_repaired;
    const struct bench_browser kinds[2] = {kind, bench_firefox};
    struct bench *b = running_call(kinds);
    b->filter = lose_every_tenth;
    (void)talk(b, 0, 1, 14); /* number 9 is lost; the feedback covers 0 to 12 */
    const struct bench_rtcp *last = &TRANSPORT_CC(b, 0);
    assert_int_equal(last->n, 1);
    assert_int_equal(get_be16(last->body + 8), 0);
    assert_int_equal(get_be16(last->body + 10), 13);
    assert_int_equal(get_be16(last->body + 16), chunk);
    bench_free(b);
}

static void what_was_lost_is_told_as_lost(void **state)
{
    (void)state;
    lose_and_tell(false, 0xbfee); /* a vector: 9 ones, 0, 3 ones */
}

static void what_nack_repairs_is_not_told_as_lost(void **state)
{
    (void)state;
    lose_and_tell(true, 0x2000 | 13); /* a run of 13 ones */
}

static void it_stands_behind_a_report_where_it_may_not_be_alone(void **state)
{
    (void)state;
    const struct bench_browser kinds[2] = {numbered(false), bench_firefox};
    struct bench *b = running_call(kinds);
    (void)talk(b, 0, 1, 30);
    assert_int_equal(TRANSPORT_CC(b, 0).n, 2);
    assert_true(b->rtcp[0][RTCP_RR - RTCP_SR][0].n >= 2);
    assert_true(b->rtcp[0][RTCP_SDES - RTCP_SR][1].n >= 2);
    bench_free(b);
}

/* The other leg agreed to numbers, too: it gets none, neither the sender's nor ours. */
static void numbers_do_not_cross(void **state)
{
    (void)state;
    struct bench_browser other = numbered(true);
    other.opus_pt = 96;
    other.transport_ext = 7;
    other.level_ext = 2;
    const struct bench_browser kinds[2] = {numbered(true), other};
    struct bench *b = running_call(kinds);
    (void)talk(b, 0, 1, 5);
    const struct bench_rtp *got = &b->last_rtp[1];
    struct rtp_extension_iter it = rtp_extensions(got->data, &got->packet);
    struct rtp_extension e;
    assert_true(rtp_extension_next(&it, &e));
    assert_int_equal(e.id, 2);
    assert_false(rtp_extension_next(&it, &e));
    bench_free(b);
}

static void who_asks_for_remb_is_told_a_rate(void **state)
{
    (void)state;
    struct bench_browser kind = bench_chromium;
    kind.remb = true;
    kind.nack = true;
    const struct bench_browser kinds[2] = {kind, bench_firefox};
    struct bench *b = running_call(kinds);
    uint16_t seq = talk(b, 0, 1, 500);
    assert_in_range(REMB(b, 0).n, 9, 11);
    assert_memory_equal(REMB(b, 0).body + 8, "REMB", 4);
    assert_int_equal(get_be32(REMB(b, 0).body + 16), b->browsers[0]->local_ssrc);
    uint32_t high = get_be32(REMB(b, 0).body + 12);
    b->loss_percent = 30;
    seq = talk(b, 0, seq, 250);
    uint32_t low = get_be32(REMB(b, 0).body + 12);
    assert_true(low < high);
    b->loss_percent = 0;
    (void)talk(b, 0, seq, 500);
    assert_true(get_be32(REMB(b, 0).body + 12) > low);
    assert_int_equal(REMB(b, 1).n, 0);
    bench_free(b);
}

static void a_reference_time_is_answered_with_the_next_report(void **state)
{
    static const uint8_t rrt[] = {0x80, 207, 0, 4, 0xb0, 0, 0, 0, /* XR of the browser */
                                  4,    0,   0, 2, 0,    1, 2, 3, 4, 5, 6, 7};
    (void)state;
    struct bench *b = running_call((const struct bench_browser[]){bench_chromium, bench_firefox});
    mono_us asked = b->now;
    bench_send_rtcp(b, 0, rrt, sizeof(rrt));
    while (XR(b, 0).n == 0 && b->now < asked + 10 * US_PER_S)
        bench_run(b, b->now + 10 * US_PER_MS);
    const uint8_t *body = XR(b, 0).body;
    assert_int_equal(XR(b, 0).n, 1);
    assert_int_equal(get_be32(body), 0x5e4e0000);
    assert_int_equal(get_be32(body + 4), 5u << 24 | 3); /* a DLRR block of one sub-block */
    assert_int_equal(get_be32(body + 8), 0xb0000000);
    assert_int_equal(get_be32(body + 12), 0x02030405); /* the middle of its time */
    mono_us delay = (mono_us)get_be32(body + 16) * US_PER_S / 65536;
    assert_in_range(b->now - asked - delay, 10 * US_PER_MS, 21 * US_PER_MS); /* the round trip */
    bench_run(b, b->now + 20 * US_PER_S);
    assert_int_equal(XR(b, 0).n, 1);
    assert_int_equal(XR(b, 1).n, 0);
    assert_int_equal(b->n_errors[0], 0);
    bench_free(b);
}

static void what_it_tells_of_our_packets_is_kept(void **state)
{
    static const uint8_t remb[] = {0x8f, 206, 0,   5,   0xb0, 0,    0,    0,    0, 0, 0, 0,
                                   'R',  'E', 'M', 'B', 1,    0x0b, 0xd0, 0x90, 0, 0, 0, 2};
    static const uint8_t voip[] = {0x80, 207, 0,  10,  0xb0, 0,  0, 0, 7, 0,  0,  8, 0,   0, 0,
                                   9,    26,  13, 0,   0,    0,  0, 0, 0, 0,  80, 0, 120, 0, 0,
                                   127,  16,  93, 127, 41,   40, 0, 0, 0, 60, 0,  0, 0,   0};
    (void)state;
    struct bench *b = running_call((const struct bench_browser[]){bench_chromium, bench_firefox});
    bench_send_rtcp(b, 0, remb, sizeof(remb));
    bench_send_rtcp(b, 0, voip, sizeof(voip));
    bench_run(b, b->now + 20 * US_PER_MS);
    const struct peer_remote_view *view = &bench_leg(b, 0)->feedback.view;
    assert_true(view->has_remb && view->has_voip && !view->has_summary);
    assert_true(view->remb_bps == 0x3d090 * 4);
    assert_int_equal(view->voip.mos_lq_x10, 41);
    assert_int_equal(b->n_errors[0], 0);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals_are_told_four_times_a_second),
        cmocka_unit_test(what_was_lost_is_told_as_lost),
        cmocka_unit_test(what_nack_repairs_is_not_told_as_lost),
        cmocka_unit_test(it_stands_behind_a_report_where_it_may_not_be_alone),
        cmocka_unit_test(numbers_do_not_cross),
        cmocka_unit_test(who_asks_for_remb_is_told_a_rate),
        cmocka_unit_test(a_reference_time_is_answered_with_the_next_report),
        cmocka_unit_test(what_it_tells_of_our_packets_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
