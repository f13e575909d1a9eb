/* Chromium probes its line with packets of nothing but padding, under numbers of the stream. They
 * are answered to and end at the relay; who listens misses nothing. */
#include <string.h>

#include "sim/bench/bench.h"

#define FRAMES      3000
#define PROBE_EVERY 10
#define PROBE_LEN   2 /* packets in a row */
#define PROBES      (FRAMES / PROBE_EVERY * PROBE_LEN)

static const struct bench_browser browsers[2] = {
    {.opus_pt = 111, .transport_ext = 3, .may_send = true, .may_receive = true, .nack = true},
    {.opus_pt = 96, .may_send = true, .may_receive = true, .nack = true}};

/* What browser 1 heard. */
struct ear {
    bool has[FRAMES];
    unsigned n;
};

static void hear(struct bench *b, unsigned i, const struct bench_rtp *got)
{
    struct ear *ear = b->user;
    const uint8_t *payload = got->data + got->packet.header_len;
    if (i != 1)
        return;
    assert_int_equal(got->packet.payload_len, 80);
    assert_int_equal(got->packet.padding_len, 0);
    uint16_t n = get_be16(payload + 1);
    assert_false(ear->has[n]);
    ear->has[n] = true;
    ear->n++;
}

static struct bench_loss loss;

static bool lossy_uplink(struct bench *b, struct bench_dgram *d)
{
    return !rtp_is_rtp(d->data, d->len) || !addr_equal(&d->from, &b->addrs[0]) ||
           !bench_loses(b, &loss);
}

/* The first one stays the first: what comes before the beginning of a stream has no place in it. */
static bool reordered_uplink(struct bench *b, struct bench_dgram *d)
{
    if (b->n_rtp[1] && rtp_is_rtp(d->data, d->len) && addr_equal(&d->from, &b->addrs[0]))
        d->at += (mono_us)rng_below(&b->line_rng, 30) * US_PER_MS;
    return true;
}

/* A minute, from shortly before the numbers wrap. @return numbers that browser 1 missed at the end
 */
static uint32_t talk(bench_filter_fn filter, struct ear *ear)
{
    struct bench *b = bench_new();
    uint8_t opus[80] = {0x78};
    uint16_t seq = 65000;
    b->delay = 20 * US_PER_MS;
    bench_set_up(b, browsers);
    assert_true(bench_connect(b, 5 * US_PER_S));
    *ear = (struct ear){0};
    loss = (struct bench_loss){.one_in = 20};
    b->filter = filter;
    b->heard = hear;
    b->user = ear;
    struct bench_packet packet = {.ssrc = b->browsers[0]->local_ssrc};
    for (uint16_t n = 0; n < FRAMES; n++) {
        put_be16(opus + 1, n);
        packet.timestamp = n * 960u;
        packet.payload = opus;
        packet.len = sizeof(opus);
        packet.padding_len = 0;
        packet.seq = seq++;
        bench_send_packet(b, 0, &packet);
        for (unsigned i = 0; n % PROBE_EVERY == 0 && i < PROBE_LEN; i++) {
            packet.len = 0;
            packet.padding_len = 224;
            packet.seq = seq++;
            bench_send_packet(b, 0, &packet);
        }
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    bench_run(b, b->now + US_PER_S);
    /* The sender is told of all of them. */
    const struct rtp_nack *up = &bench_leg(b, 0)->repair.nack;
    assert_in_range(up->expected, FRAMES + PROBES - PROBE_LEN, FRAMES + PROBES);
    const struct rtp_recv_stats *heard = &b->browsers[1]->source;
    uint32_t missed = rtp_recv_stats_extended_seq(heard) - heard->base_seq + 1 - heard->received;
    bench_free(b);
    return missed;
}

static void on_a_good_line_nothing_is_missing(void **state)
{
    struct ear ear;
    (void)state;
    assert_int_equal(talk(NULL, &ear), 0);
    assert_int_equal(ear.n, FRAMES);
}

static void speech_that_was_lost_is_given_back_in_its_place(void **state)
{
    struct ear ear;
    (void)state;
    /* Padding that is lost is a gap like another when it is found out: 5 % of it. */
    assert_in_range(talk(lossy_uplink, &ear), 0, PROBES * 8 / 100);
    assert_in_range(ear.n, FRAMES - 6, FRAMES);
}

static void reordering_costs_no_speech(void **state)
{
    struct ear ear;
    (void)state;
    (void)talk(reordered_uplink, &ear);
    assert_int_equal(ear.n, FRAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_good_line_nothing_is_missing),
        cmocka_unit_test(speech_that_was_lost_is_given_back_in_its_place),
        cmocka_unit_test(reordering_costs_no_speech),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
