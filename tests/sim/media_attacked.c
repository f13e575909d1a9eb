/* What strangers and broken senders can do to a running call: nothing. Each case is dropped for
 * the reason that it has, and the next good packet passes. */
#include <string.h>

#include "sim/bench/bench.h"

static const uint8_t opus[] = {0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static struct bench *running_call(void)
{
    struct bench *b = bench_new();
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    bench_send(b, 0, 0xaaaa, 100, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], 1);
    b->last_error[0] = b->last_error[1] = 0;
    return b;
}

/* The call is unharmed: the next packet arrives, exactly once, and nobody ended. */
static void assert_unharmed(struct bench *b, uint16_t seq)
{
    unsigned before = b->n_rtp[1];
    bench_send(b, 0, 0xaaaa, seq, seq * 960u, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], before + 1);
    for (unsigned i = 0; i < 2; i++)
        assert_false(b->relay_ended[i] || b->browser_ended[i]);
}

static void inject(struct bench *b, const struct addr *from, const void *data, size_t len)
{
    bench_inject(b, from, data, len);
    bench_run(b, b->now + 20 * US_PER_MS);
}

static void replayed_srtp_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    inject(b, &b->addrs[0], b->last_sent[0].data, b->last_sent[0].len);
    assert_int_equal(b->last_error[0], PEER_E_REPLAY);
    assert_int_equal(b->n_rtp[1], 1);
    assert_unharmed(b, 101);
    bench_free(b);
}

static void every_flipped_byte_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    struct bench_dgram sent = b->last_sent[0];
    put_be16(sent.data + 2, 101); /* not a replay */
    for (size_t i = 0; i < sent.len; i++) {
        struct bench_dgram bad = sent;
        bad.data[i] ^= 0x04;
        inject(b, &b->addrs[0], bad.data, bad.len);
        assert_int_not_equal(b->last_error[0], 0);
        b->last_error[0] = 0;
    }
    assert_int_equal(b->n_rtp[1], 1);
    assert_unharmed(b, 102);
    bench_free(b);
}

static void every_truncation_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    struct bench_dgram sent = b->last_sent[0];
    for (size_t len = 0; len < sent.len; len++)
        inject(b, &b->addrs[0], sent.data, len);
    assert_int_equal(b->n_rtp[1], 1);
    assert_unharmed(b, 101);
    bench_free(b);
}

static void rtp_in_the_clear_is_dropped(void **state)
{
    static const uint8_t clear[64] = {0x80, 111, 0, 105, 0, 0, 0, 9, 0, 0, 0xaa, 0xaa};
    (void)state;
    struct bench *b = running_call();
    inject(b, &b->addrs[0], clear, sizeof(clear));
    assert_int_equal(b->last_error[0], PEER_E_AUTH);
    assert_unharmed(b, 106);
    bench_free(b);
}

static void the_other_legs_packet_is_not_taken(void **state)
{
    (void)state;
    struct bench *b = running_call();
    inject(b, &b->addrs[1], b->last_sent[0].data, b->last_sent[0].len);
    assert_int_equal(b->last_error[1], PEER_E_AUTH);
    assert_unharmed(b, 101);
    bench_free(b);
}

static void media_before_keys_is_dropped(void **state)
{
    uint8_t early[DGRAM_MAX] = {0x80, 111, 0, 1};
    (void)state;
    struct bench *b = bench_new();
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    struct dgram d = {
        .local = b->server, .remote = b->addrs[0], .data = early, .len = 64, .cap = sizeof(early)};
    assert_int_equal(bench_forward(b, 0, &d), PEER_E_NO_KEYS);
    assert_true(bench_connect(b, 5 * US_PER_S));
    bench_free(b);
}

static void rtcp_garbage_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    for (unsigned n = 0; n < 300; n++) {
        uint8_t garbage[200];
        rng_fill(&b->rng, garbage, sizeof(garbage));
        garbage[0] = (uint8_t)(0x80 | (garbage[0] & 0x3f));
        garbage[1] = (uint8_t)(192 + n % 32);
        inject(b, &b->addrs[0], garbage, 1 + rng_below(&b->rng, sizeof(garbage) - 1));
    }
    assert_unharmed(b, 101);
    bench_free(b);
}

static void random_datagrams_are_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    for (unsigned n = 0; n < 2000; n++) {
        uint8_t garbage[1400];
        size_t len = rng_below(&b->rng, sizeof(garbage));
        rng_fill(&b->rng, garbage, sizeof(garbage));
        if (n % 3 == 0)
            garbage[0] = (uint8_t)(20 + n % 44);
        inject(b, &b->addrs[n & 1], garbage, len);
    }
    assert_unharmed(b, 101);
    bench_free(b);
}

static void a_codec_that_was_not_negotiated_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    b->browsers[0]->codecs[0].pt = 100; /* a browser that breaks its own answer */
    bench_send(b, 0, 0xaaaa, 101, 960, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->last_error[0], RELAY_E_CODEC);
    b->browsers[0]->codecs[0].pt = bench_chromium.opus_pt;
    assert_unharmed(b, 102);
    bench_free(b);
}

static void a_new_source_continues_the_numbers(void **state)
{
    (void)state;
    struct bench *b = running_call();
    uint16_t last = b->last_rtp[1].packet.seq;
    uint32_t ssrc = b->last_rtp[1].packet.ssrc;
    bench_run(b, b->now + US_PER_S);
    bench_send(b, 0, 0xcccc, 40000, 7, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], 2);
    assert_int_equal(b->last_rtp[1].packet.seq, (uint16_t)(last + 1));
    assert_int_equal(b->last_rtp[1].packet.ssrc, ssrc);
    bench_free(b);
}

static void media_against_the_direction_is_dropped(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct bench_browser listener = bench_chromium;
    listener.may_send = false;
    bench_set_up(b, (const struct bench_browser[]){listener, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    b->browsers[0]->may_send = true;
    bench_send(b, 0, 0xaaaa, 1, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->last_error[0], PEER_E_DIRECTION);
    assert_int_equal(b->n_rtp[1], 0);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replayed_srtp_is_dropped),
        cmocka_unit_test(every_flipped_byte_is_dropped),
        cmocka_unit_test(every_truncation_is_dropped),
        cmocka_unit_test(rtp_in_the_clear_is_dropped),
        cmocka_unit_test(the_other_legs_packet_is_not_taken),
        cmocka_unit_test(media_before_keys_is_dropped),
        cmocka_unit_test(rtcp_garbage_is_dropped),
        cmocka_unit_test(random_datagrams_are_dropped),
        cmocka_unit_test(a_codec_that_was_not_negotiated_is_dropped),
        cmocka_unit_test(a_new_source_continues_the_numbers),
        cmocka_unit_test(media_against_the_direction_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
