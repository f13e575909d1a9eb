/* RED on one leg or on both: what redundancy brings reaches who listens, without being asked for.
 * Each frame holds its number, so the test knows which ones were heard whatever they came in. */
#include <string.h>

#include "peer/figures.h"
#include "rtp/red.h"
#include "sim/bench/bench.h"
#include "support/red_write.h"

#define PACKETS 3000
#define FRAME   960
#define OPUS    80

/* What browser 1 heard. */
struct ear {
    bool has[PACKETS];
    unsigned n_plain, n_red, n_twice;
    uint8_t opus_pt;
};

static void put_frame(uint8_t *frame, uint16_t n)
{
    memset(frame, (uint8_t)(n * 7 + 1), OPUS);
    frame[0] = 0x78;
    put_be16(frame + 1, n);
}

/* A frame as it was sent, or the test has failed. @return its number */
static uint16_t check_frame(const uint8_t *frame, size_t len)
{
    uint8_t want[OPUS];
    assert_int_equal(len, OPUS);
    uint16_t n = get_be16(frame + 1);
    put_frame(want, n);
    assert_memory_equal(frame, want, OPUS);
    return n;
}

static void hear(struct bench *b, unsigned i, const struct bench_rtp *got)
{
    struct ear *ear = b->user;
    const uint8_t *payload = got->data + got->packet.header_len;
    struct rtp_red red;
    if (i != 1)
        return;
    if (got->packet.pt == ear->opus_pt) {
        uint16_t n = check_frame(payload, got->packet.payload_len);
        ear->n_plain++;
        ear->n_twice += ear->has[n];
        ear->has[n] = true;
        return;
    }
    assert_int_equal(got->packet.pt, b->browsers[1]->red_pt);
    assert_int_equal(rtp_red_parse(payload, got->packet.payload_len, &red), 0);
    ear->n_red++;
    for (unsigned k = 0; k < red.n_blocks; k++) {
        assert_int_equal(red.blocks[k].pt, ear->opus_pt);
        ear->has[check_frame(red.blocks[k].data, red.blocks[k].len)] = true;
    }
}

/* Frame n with the one before it, as Chromium does. */
static void speak(struct bench *b, uint16_t n)
{
    const struct peer *p = b->browsers[0];
    uint8_t frames[2][OPUS], payload[2 * OPUS + 16];
    struct bytes_writer w = bytes_writer(payload, sizeof(payload));
    put_frame(frames[0], (uint16_t)(n - 1));
    put_frame(frames[1], n);
    const struct rtp_red_block blocks[2] = {
        {.pt = p->codecs[0].pt, .offset = FRAME, .data = frames[0], .len = OPUS},
        {.pt = p->codecs[0].pt, .data = frames[1], .len = OPUS}};
    red_write(&w, n ? blocks : blocks + 1, n ? 2 : 1);
    assert_false(w.failed);
    bench_send_packet(b, 0,
                      &(struct bench_packet){.ssrc = p->local_ssrc,
                                             .seq = n,
                                             .timestamp = n * (uint32_t)FRAME,
                                             .is_red = true,
                                             .payload = payload,
                                             .len = w.len});
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
        d->at += (mono_us)rng_below(&b->line_rng, 50) * US_PER_MS;
    return true;
}

/* One minute. @return frames of 1000 that browser 1 never had */
static unsigned talk(const struct bench_browser browsers[2], bench_filter_fn filter,
                     struct ear *ear, struct peer_figures *ret_figures)
{
    struct bench *b = bench_new();
    unsigned missing = 0;
    b->delay = 20 * US_PER_MS;
    bench_set_up(b, browsers);
    assert_true(bench_connect(b, 5 * US_PER_S));
    *ear = (struct ear){.opus_pt = browsers[1].opus_pt};
    b->filter = filter;
    loss = (struct bench_loss){.one_in = 10};
    b->heard = hear;
    b->user = ear;
    for (uint16_t n = 0; n < PACKETS; n++) {
        speak(b, n);
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    bench_run(b, b->now + US_PER_S);
    for (unsigned n = 0; n < PACKETS; n++)
        missing += !ear->has[n];
    peer_figures(&b->legs[0]->peer, b->now, ret_figures);
    bench_free(b);
    return missing * 1000 / PACKETS;
}

static const struct bench_browser with_red = {
    .red_pt = 63, .opus_pt = 111, .level_ext = 1, .may_send = true, .may_receive = true};
static const struct bench_browser other_red = {
    .red_pt = 113, .opus_pt = 96, .may_send = true, .may_receive = true};
static const struct bench_browser plain = {.opus_pt = 109, .may_send = true, .may_receive = true};

static struct ear ear;
static struct peer_figures figures;

static struct bench_browser asking(struct bench_browser browser)
{
    browser.nack = browser.reduced_size_rtcp = true;
    return browser;
}

static void a_leg_without_red_gets_what_was_lost(void **state)
{
    (void)state;
    assert_in_range(
        talk((const struct bench_browser[]){with_red, plain}, lossy_uplink, &ear, &figures), 0, 15);
    assert_int_equal(ear.n_red, 0);
    assert_int_equal(ear.n_twice, 0);
    assert_in_range(figures.up.counts.lost, 240, 360);
}

static void with_nack_only_what_red_did_not_bring_is_asked_for(void **state)
{
    (void)state;
    assert_in_range(talk((const struct bench_browser[]){asking(with_red), asking(plain)},
                         lossy_uplink, &ear, &figures),
                    0, 2);
    assert_int_equal(ear.n_twice, 0);
    /* Only where two in a row are lost; without RED it would be 10 % that are asked for. */
    assert_in_range(figures.up.n_asked, 0, 60);
}

static void red_passes_in_the_numbers_of_the_receiver(void **state)
{
    (void)state;
    assert_in_range(
        talk((const struct bench_browser[]){with_red, other_red}, lossy_uplink, &ear, &figures), 0,
        15);
    assert_int_equal(ear.n_plain, 0);
    assert_in_range(ear.n_red, 2500, 2900);
}

static void red_that_passes_spares_questions_too(void **state)
{
    (void)state;
    assert_in_range(talk((const struct bench_browser[]){asking(with_red), asking(other_red)},
                         lossy_uplink, &ear, &figures),
                    0, 2);
    assert_in_range(figures.up.n_asked, 0, 60);
}

/* A packet that was given back and then comes after all is not sent twice. */
static void reordering_doubles_nothing(void **state)
{
    (void)state;
    assert_int_equal(
        talk((const struct bench_browser[]){with_red, plain}, reordered_uplink, &ear, &figures), 0);
    assert_int_equal(ear.n_twice, 0);
    assert_int_equal(ear.n_plain, PACKETS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leg_without_red_gets_what_was_lost),
        cmocka_unit_test(with_nack_only_what_red_did_not_bring_is_asked_for),
        cmocka_unit_test(red_passes_in_the_numbers_of_the_receiver),
        cmocka_unit_test(red_that_passes_spares_questions_too),
        cmocka_unit_test(reordering_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
