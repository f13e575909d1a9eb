/* Both legs come up and media flows, translated for the receiving leg and otherwise untouched. */
#include <string.h>

#include "base/compiler.h"
#include "rtp/extension.h"
#include "sim/bench/bench.h"

static const uint8_t opus[] = {0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static void legs_connect_in_a_few_round_trips(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    mono_us start = b->now;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    /* One round trip of ICE and two of DTLS are 30 ms; nothing may wait for a timer. */
    assert_true(b->connected_at - start <= 60 * US_PER_MS);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(addr_equal(&b->routes[i], &b->addrs[i]));
        assert_false(b->relay_ended[i]);
    }
    bench_free(b);
}

static void media_arrives_in_the_numbers_of_the_receiver(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    b->n_errors[0] = b->n_errors[1] = 0;
    uint16_t first = 0;
    for (uint16_t n = 0; n < 200; n++) {
        bench_send(b, 0, 0xaaaa, (uint16_t)(65500 + n), 960u * n, opus, sizeof(opus));
        bench_send(b, 1, 0xbbbb, (uint16_t)(100 + n), 960u * n, opus, sizeof(opus));
        bench_run(b, b->now + 20 * US_PER_MS);
        const struct bench_rtp *got = &b->last_rtp[1];
        if (n == 0)
            first = got->packet.seq;
        assert_int_equal(b->n_rtp[0], n + 1);
        assert_int_equal(b->n_rtp[1], n + 1);
        assert_int_equal(got->packet.pt, bench_firefox.opus_pt);
        assert_int_equal(got->packet.ssrc, 0x5e4e0001);
        assert_int_equal(got->packet.seq, (uint16_t)(first + n));
        assert_int_equal(got->packet.payload_len, sizeof(opus));
        assert_memory_equal(got->data + got->packet.header_len, opus, sizeof(opus));
        struct rtp_audio_level level;
        assert_true(rtp_audio_level_read(got->data, &got->packet, bench_firefox.level_ext, &level));
        assert_int_equal(level.level_db, 42);
        assert_false(
            rtp_audio_level_read(got->data, &got->packet, bench_chromium.level_ext, &level));
    }
    assert_int_equal(b->last_rtp[0].packet.pt, bench_chromium.opus_pt);
    assert_int_equal(b->n_errors[0] + b->n_errors[1], 0);
    bench_free(b);
}

static void an_extension_that_the_receiver_lacks_is_blanked(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct bench_browser plain = bench_firefox;
    plain.level_ext = 0;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, plain});
    assert_true(bench_connect(b, 5 * US_PER_S));
    bench_send(b, 0, 0xaaaa, 1, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], 1);
    struct rtp_extension_iter it = rtp_extensions(b->last_rtp[1].data, &b->last_rtp[1].packet);
    struct rtp_extension e;
    assert_false(rtp_extension_next(&it, &e));
    bench_free(b);
}

static void legs_connect_through_heavy_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct bench *b = bench_new();
        rng_init_seeded(&b->rng, seed);
        rng_init_seeded(&b->line_rng, seed);
        b->loss_percent = 25;
        b->delay = 20 * US_PER_MS;
        b->jitter = 10 * US_PER_MS;
        bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
        assert_true(bench_connect(b, 40 * US_PER_S));
        bench_free(b);
    }
}

static void a_browser_answers_our_offer(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct bench_browser answerers[2] = {bench_chromium, bench_firefox};
    answerers[0].is_answerer = answerers[1].is_answerer = true;
    answerers[1].is_dtls_server = true;
    bench_set_up(b, answerers);
    mono_us start = b->now;
    assert_true(bench_connect(b, 5 * US_PER_S));
    assert_true(b->connected_at - start <= 80 * US_PER_MS);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(bench_leg(b, i)->ice.is_controlling); /* as it began: no conflict of roles */
        assert_false(b->browsers[i]->ice.is_controlling);
        bench_send(b, i, 0xaaaa + i, 1, 0, opus, sizeof(opus));
    }
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[0], 1);
    assert_int_equal(b->n_rtp[1], 1);
    bench_restart(b, 0); /* the one who answered restarts: the roles stay */
    bench_run(b, b->now + 2 * US_PER_S);
    assert_true(bench_leg(b, 0)->ice.is_controlling);
    assert_int_equal(bench_leg(b, 0)->ice.state, ICE_COMPLETED);
    bench_send(b, 1, 0xaaab, 2, 960, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[0], 2);
    bench_free(b);
}

static void connect_in_conflict(uint64_t seed, bool both_offer, unsigned loss_percent)
{
    struct bench *b = bench_new();
    struct bench_browser contrary = bench_chromium;
    contrary.claims_our_role = true;
    contrary.is_answerer = both_offer; /* of our offer, and yet controlling as we are */
    rng_init_seeded(&b->rng, seed);
    rng_init_seeded(&b->line_rng, seed);
    b->loss_percent = loss_percent;
    bench_set_up(b, (const struct bench_browser[]){contrary, bench_firefox});
    mono_us start = b->now;
    assert_int_equal(bench_leg(b, 0)->ice.is_controlling, both_offer);
    assert_int_equal(b->browsers[0]->ice.is_controlling, both_offer);
    bool we_control = bench_leg(b, 0)->ice.tie_breaker > b->browsers[0]->ice.tie_breaker;
    assert_true(bench_connect(b, 40 * US_PER_S));
    if (loss_percent == 0) { /* nothing waits for a timer, and the first draw decides */
        assert_true(b->connected_at - start <= 60 * US_PER_MS);
        assert_int_equal(bench_leg(b, 0)->ice.is_controlling, we_control);
    }
    bench_run(b, b->now + 60 * US_PER_S); /* the nomination may be lost many times */
    assert_true(bench_leg(b, 0)->ice.is_controlling != b->browsers[0]->ice.is_controlling);
    assert_int_equal(bench_leg(b, 0)->ice.state, ICE_COMPLETED);
    assert_int_equal(b->browsers[0]->ice.state, ICE_COMPLETED);
    b->loss_percent = 0;
    bench_send(b, 1, 0xbbbb, 1, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[0], 1);
    bench_free(b);
}

static void a_browser_claims_the_role_that_we_have(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        for (int both_offer = 0; both_offer < 2; both_offer++) {
            connect_in_conflict(seed, both_offer, 0);
            connect_in_conflict(seed, both_offer, 10);
        }
    }
}

static void a_lite_browser_is_checked_by_us(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct bench_browser lite = bench_chromium;
    lite.is_lite = true;
    bench_set_up(b, (const struct bench_browser[]){lite, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    bench_send(b, 1, 0xbbbb, 1, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[0], 1);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legs_connect_in_a_few_round_trips),
        cmocka_unit_test(media_arrives_in_the_numbers_of_the_receiver),
        cmocka_unit_test(an_extension_that_the_receiver_lacks_is_blanked),
        cmocka_unit_test(legs_connect_through_heavy_loss),
        cmocka_unit_test(a_browser_answers_our_offer),
        cmocka_unit_test(a_browser_claims_the_role_that_we_have),
        cmocka_unit_test(a_lite_browser_is_checked_by_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
