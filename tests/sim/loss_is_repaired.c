/* Each leg repairs its own loss: the relay asks the sender for what is missing on the uplink, and
 * sends again what the receiver misses on the downlink. Chromium-like on both sides, or on one. */
#include <string.h>

#include "sim/bench/bench.h"

#define PACKETS 3000

static struct bench_loss up, down;

/* RTP and its repair are lost in one direction of one browser: media only, so that the call stands.
 */
static bool lossy_uplink(struct bench *b, struct bench_dgram *d)
{
    return !rtp_is_rtp(d->data, d->len) || !addr_equal(&d->from, &b->addrs[0]) ||
           !bench_loses(b, &up);
}

static bool lossy_downlink(struct bench *b, struct bench_dgram *d)
{
    return !rtp_is_rtp(d->data, d->len) || !addr_equal(&d->to, &b->addrs[1]) ||
           !bench_loses(b, &down);
}

static bool lossy_both(struct bench *b, struct bench_dgram *d)
{
    return lossy_uplink(b, d) && lossy_downlink(b, d);
}

/* Browser 0 talks for a minute.
 *
 * @param ret_told  share of loss that its reports told at the end [1/256]
 * @return packets of 1000 that never reached browser 1 */
static unsigned talk(bench_filter_fn filter, const struct bench_browser browsers[2],
                     unsigned *ret_told)
{
    uint8_t opus[80] = {0x78};
    struct bench *b = bench_new();
    b->delay = 20 * US_PER_MS;
    up = down = (struct bench_loss){.one_in = 10};
    bench_set_up(b, browsers);
    assert_true(bench_connect(b, 5 * US_PER_S));
    b->filter = filter;
    for (uint16_t n = 0; n < PACKETS; n++) {
        bench_send(b, 0, b->browsers[0]->local_ssrc, n, n * 960u, opus, sizeof(opus));
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    bench_run(b, b->now + US_PER_S);
    *ret_told = b->browsers[0]->report.remote.fraction_lost;
    unsigned got = b->n_rtp[1];
    assert_true(
        got <= PACKETS); /* nothing twice: a packet sent again is a replay where it is not missed */
    bench_free(b);
    return (PACKETS - got) * 1000 / PACKETS;
}

static const struct bench_browser both[2] = {
    {.opus_pt = 111,
     .may_send = true,
     .may_receive = true,
     .nack = true,
     .reduced_size_rtcp = true},
    {.opus_pt = 96, .may_send = true, .may_receive = true, .nack = true}};

static void uplink_loss_is_asked_for(void **state)
{
    unsigned told;
    (void)state;
    assert_in_range(talk(lossy_uplink, both, &told), 0, 3); /* 10 % without repair */
    assert_in_range(told, 256 * 7 / 100, 256 * 13 / 100);
}

static void downlink_loss_is_sent_again(void **state)
{
    unsigned told;
    (void)state;
    assert_in_range(talk(lossy_downlink, both, &told), 0, 3);
    /* Her own line is perfect; but it is her packets that are lost on his. */
    assert_in_range(told, 256 * 7 / 100, 256 * 13 / 100);
}

static void both_legs_repair_their_own(void **state)
{
    unsigned told;
    (void)state;
    assert_in_range(talk(lossy_both, both, &told), 0, 6); /* 19 % without */
    assert_in_range(told, 256 * 15 / 100, 256 * 24 / 100);
}

static void a_leg_without_nack_keeps_its_loss(void **state)
{
    unsigned told;
    (void)state;
    struct bench_browser plain[2] = {both[0], both[1]};
    plain[0].nack = plain[1].nack = false;
    assert_in_range(talk(lossy_uplink, plain, &told), 85, 115);
    assert_in_range(told, 256 * 7 / 100, 256 * 13 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uplink_loss_is_asked_for),
        cmocka_unit_test(downlink_loss_is_sent_again),
        cmocka_unit_test(both_legs_repair_their_own),
        cmocka_unit_test(a_leg_without_nack_keeps_its_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
