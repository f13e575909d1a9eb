/* A line that cannot carry the stream loses some of it, and whatever is repaired there takes the
 * place of what is fresh. Repair must be modest on it, and as before on a line that is only bad. */
#include <string.h>

#include "peer/figures.h"
#include "sim/bench/bench.h"

#define FRAMES    3000
#define OPUS      80
#define RATE_BPS  45000 /* 50 packets of 80 + 20 + 16 bytes under UDP and IP need 58 kbit/s */
#define QUEUE     (300 * US_PER_MS)
#define UDP_IP    28
#define LEAST_PCT 75 /* 78 % of the frames pass, when nothing else is on the line */

static const struct bench_browser browsers[2] = {
    {.opus_pt = 111,
     .transport_ext = 3,
     .may_send = true,
     .may_receive = true,
     .nack = true,
     .reduced_size_rtcp = true},
    {.opus_pt = 96, .may_send = true, .may_receive = true, .nack = true}};

/* One direction of a line with a queue before it. */
struct thin {
    const struct addr *from, *to;
    mono_us free_at;
};

static struct thin thin;

/* What is not media passes beside the queue: an audio packet every 20 ms keeps it full at nearly
 * every moment between two of them, so that six checks in a row would be lost, and with them the
 * call (RFC 7675 §5.1). */
static bool pass_thin(struct bench *b, struct bench_dgram *d)
{
    if (!rtp_is_rtp(d->data, d->len) || !addr_equal(&d->from, thin.from) ||
        !addr_equal(&d->to, thin.to))
        return true;
    mono_us begin = thin.free_at > b->now ? thin.free_at : b->now;
    if (begin - b->now > QUEUE)
        return false;
    thin.free_at = begin + (mono_us)(d->len + UDP_IP) * 8 * US_PER_S / RATE_BPS;
    d->at += thin.free_at - b->now;
    return true;
}

struct outcome {
    unsigned heard;  /* frames that reached browser 1, of 100 */
    uint32_t asked;  /* by us, of browser 0 */
    uint32_t resent; /* by us, to browser 1 */
    bool is_open;    /* the sender's congestion control hears of all loss */
    uint8_t told;    /* share of loss that browser 0 hears of at the end [1/256] */
};

static struct bench_loss loss;

static bool lose_some(struct bench *b, struct bench_dgram *d)
{
    return !rtp_is_rtp(d->data, d->len) || !addr_equal(&d->from, thin.from) ||
           !addr_equal(&d->to, thin.to) || !bench_loses(b, &loss);
}

/* Browser 0 talks for a minute; one line is bad. */
static struct outcome talk(bool is_uplink, bench_filter_fn filter)
{
    uint8_t opus[OPUS] = {0x78};
    struct bench *b = bench_new();
    struct peer_figures figures;
    struct outcome ret;
    b->delay = 20 * US_PER_MS;
    bench_set_up(b, browsers);
    assert_true(bench_connect(b, 5 * US_PER_S));
    thin = (struct thin){.from = is_uplink ? &b->addrs[0] : &b->server,
                         .to = is_uplink ? &b->server : &b->addrs[1]};
    b->filter = filter;
    loss = (struct bench_loss){.one_in = 5};
    for (uint16_t n = 0; n < FRAMES; n++) {
        bench_send(b, 0, b->browsers[0]->local_ssrc, n, n * 960u, opus, sizeof(opus));
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    bench_run(b, b->now + US_PER_S);
    ret.heard = b->n_rtp[1] * 100 / FRAMES;
    ret.told = b->browsers[0]->report.remote.fraction_lost;
    ret.is_open = !bench_leg(b, 0)->feedback.transport.is_forgiving;
    peer_figures(&b->legs[0]->peer, b->now, &figures);
    ret.asked = figures.up.n_asked;
    peer_figures(&b->legs[1]->peer, b->now, &figures);
    ret.resent = figures.down.resent;
    bench_free(b);
    return ret;
}

static void a_thin_uplink_is_hardly_asked(void **state)
{
    (void)state;
    const struct outcome got = talk(true, pass_thin);
    assert_in_range(got.asked, 0, FRAMES / 10);
    assert_in_range(got.heard, LEAST_PCT, 100);
    assert_true(got.is_open);
    assert_in_range(got.told, 256 * 10 / 100, 256 * 25 / 100); /* FEC protects what is lost */
}

static void a_thin_downlink_is_hardly_filled(void **state)
{
    (void)state;
    const struct outcome got = talk(false, pass_thin);
    assert_in_range(got.resent, 0, FRAMES / 10);
    assert_in_range(got.heard, LEAST_PCT, 100);
}

static void random_loss_is_repaired_at_any_price(void **state)
{
    (void)state;
    struct outcome got = talk(true, lose_some);
    assert_in_range(got.heard, 99, 100);
    assert_false(got.is_open);
    got = talk(false, lose_some);
    assert_in_range(got.heard, 99, 100);
    assert_false(got.is_open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thin_uplink_is_hardly_asked),
        cmocka_unit_test(a_thin_downlink_is_hardly_filled),
        cmocka_unit_test(random_loss_is_repaired_at_any_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
