/* Sources and sinks of a kind that only remembers what it was sent: who hears whom, in whose
 * numbers, and what a change does to a stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer/peer.h"
#include "relay/fan.h"
#include "rtp/extension.h"

#define FRAME 960

/* An endpoint that keeps the last packet. */
struct keeper {
    struct relay_endpoint endpoint;
    struct peer_codec codecs[3];
    uint8_t ext[PEER_N_EXT];
    bool is_deaf, is_tap;
    unsigned n;
    uint8_t data[DGRAM_MAX];
    size_t len;
    struct rtp_packet packet;
};

static struct rng rng;
static struct keeper keepers[4];
static mono_us now;

static struct keeper *keeper_of(struct relay_endpoint *e)
{
    return CONTAINER_OF(e, struct keeper, endpoint);
}

static bool is_ready(const struct relay_endpoint *e)
{
    for (unsigned i = 0; i < 4; i++) {
        if (&keepers[i].endpoint == e)
            return !keepers[i].is_deaf;
    }
    return false;
}

static int keep(struct relay_endpoint *e, mono_us at, struct dgram *d,
                const struct rtp_packet *packet)
{
    struct keeper *k = keeper_of(e);
    assert_int_equal(at, now);
    assert_int_equal(rtp_parse(d->data, d->len, &k->packet), 0);
    assert_int_equal(k->packet.timestamp, packet->timestamp);
    memcpy(k->data, d->data, d->len);
    k->len = d->len;
    k->n++;
    if (k->is_tap)
        return RELAY_TAKEN;
    memset(d->data, 0xee, d->len); /* as if encrypted in place: nobody else may see that */
    return 0;
}

static const struct relay_ops ops = {.is_ready = is_ready, .send = keep};

/* Four endpoints, each with numbers of its own for the same two codecs. */
static int set_up(void **state)
{
    (void)state;
    rng_init_seeded(&rng, 1);
    now = US_PER_S;
    memset(keepers, 0, sizeof(keepers));
    for (uint8_t i = 0; i < 4; i++) {
        struct keeper *k = &keepers[i];
        k->codecs[i % 2] = (struct peer_codec){CODEC_OPUS, (uint8_t)(96 + i), 2, 48000};
        k->codecs[1 - i % 2] = (struct peer_codec){CODEC_PCMU, 0, 1, 8000};
        k->ext[PEER_EXT_AUDIO_LEVEL] = (uint8_t)(1 + i);
        const struct relay_format format = {k->codecs, 2, k->ext, 0};
        relay_endpoint_init(&k->endpoint, &ops, 0x5000u + i, &format, &format, &rng);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        relay_endpoint_deinit(&keepers[i].endpoint);
    return 0;
}

static void hear(unsigned source, unsigned sink)
{
    relay_connect(&keepers[source].endpoint, &keepers[sink].endpoint);
}

static const uint8_t speech[] = {0x78, 11, 22, 33, 44, 55, 66, 77};

/* One packet of a source. @return errors of the sinks; UINT_MAX = nobody heard it */
static unsigned say_as(unsigned from, uint8_t pt, uint32_t ssrc, uint16_t seq, uint32_t timestamp)
{
    uint8_t in[DGRAM_MAX], buf[DGRAM_MAX];
    struct bytes_writer w = bytes_writer(in, sizeof(in));
    bytes_put8(&w, 0x90);
    bytes_put8(&w, pt);
    bytes_put16(&w, seq);
    bytes_put32(&w, timestamp);
    bytes_put32(&w, ssrc);
    bytes_put32(&w, 0xbede0001);
    bytes_put8(&w, (uint8_t)((1 + from) << 4));
    bytes_put8(&w, 0x80 | 42);
    bytes_put16(&w, 0);
    bytes_put(&w, speech, sizeof(speech));
    struct dgram d = {.data = in, .len = w.len, .cap = sizeof(in)};
    struct dgram spare = {.data = buf, .cap = sizeof(buf)};
    struct relay_fan fan;
    struct relay_out out;
    unsigned n_errors = 0;
    assert_int_equal(rtp_parse(in, w.len, &fan.packet), 0);
    if (relay_fan_start(&fan, &keepers[from].endpoint, now, &d))
        return UINT_MAX;
    while (relay_fan_next(&fan, &spare, &out)) {
        n_errors += out.error != 0;
        assert_true(!out.error || !out.d);
    }
    return n_errors;
}

static unsigned say(unsigned from, uint16_t seq)
{
    return say_as(from, (uint8_t)(96 + from), 0xa000u + from, seq, seq * (uint32_t)FRAME);
}

static void next_frame(void)
{
    now += 20 * US_PER_MS;
}

/* The last packet of a sink is the speech in its own numbers. */
static void assert_heard(unsigned sink, unsigned n)
{
    const struct keeper *k = &keepers[sink];
    struct rtp_audio_level level;
    assert_int_equal(k->n, n);
    assert_int_equal(k->packet.pt, 96 + sink);
    assert_int_equal(k->packet.ssrc, 0x5000 + sink);
    assert_int_equal(k->packet.payload_len, sizeof(speech));
    assert_memory_equal(k->data + k->packet.header_len, speech, sizeof(speech));
    assert_true(rtp_audio_level_read(k->data, &k->packet, (uint8_t)(1 + sink), &level));
    assert_int_equal(level.level_db, 42);
}

static void one_source_is_heard_by_three(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 4; i++)
        hear(0, i);
    for (uint16_t n = 0; n < 50; n++) {
        uint16_t before[4];
        for (unsigned i = 1; i < 4; i++)
            before[i] = keepers[i].packet.seq;
        assert_int_equal(say(0, (uint16_t)(65520 + n)), 0);
        for (unsigned i = 1; i < 4; i++) {
            assert_heard(i, n + 1u);
            assert_true(n == 0 || keepers[i].packet.seq == (uint16_t)(before[i] + 1));
        }
        next_frame();
    }
    assert_int_equal(keepers[0].n, 0);
}

static void nobody_hears_an_unconnected_source(void **state)
{
    (void)state;
    hear(0, 1);
    assert_int_equal(say(1, 0), UINT_MAX);
}

static void one_may_hear_oneself(void **state)
{
    (void)state;
    hear(2, 2);
    hear(2, 3);
    assert_int_equal(say(2, 7), 0);
    assert_heard(2, 1);
    assert_heard(3, 1);
}

static void a_new_source_continues_the_stream(void **state)
{
    (void)state;
    hear(0, 2);
    for (uint16_t n = 0; n < 5; n++, next_frame())
        assert_int_equal(say(0, n), 0);
    const struct rtp_packet last = keepers[2].packet;
    hear(1, 2);
    next_frame(); /* 40 ms since the last packet */
    assert_int_equal(say(0, 5), UINT_MAX);
    assert_int_equal(say(1, 40000), 0);
    assert_heard(2, 6);
    assert_int_equal(keepers[2].packet.seq, (uint16_t)(last.seq + 1));
    assert_int_equal(keepers[2].packet.timestamp, last.timestamp + 2 * FRAME);
    /* and back, at once: who is connected is not a straggler */
    hear(0, 2);
    next_frame();
    assert_int_equal(say(0, 6), 0);
    assert_int_equal(keepers[2].packet.seq, (uint16_t)(last.seq + 2));
    assert_int_equal(keepers[2].packet.timestamp, last.timestamp + 3 * FRAME);
}

/* Two browsers may choose the same SSRC, and the same numbers. */
static void sources_of_one_ssrc_do_not_share_numbers(void **state)
{
    (void)state;
    hear(0, 2);
    assert_int_equal(say_as(0, 96, 0xabc, 10, 0), 0);
    const struct rtp_packet last = keepers[2].packet;
    hear(1, 2);
    next_frame();
    assert_int_equal(say_as(1, 97, 0xabc, 10, 0), 0);
    assert_int_equal(keepers[2].packet.seq, (uint16_t)(last.seq + 1));
    assert_int_equal(keepers[2].packet.timestamp, last.timestamp + FRAME);
}

static void connecting_again_changes_nothing(void **state)
{
    (void)state;
    hear(0, 1);
    assert_int_equal(say(0, 10), 0);
    const struct rtp_packet last = keepers[1].packet;
    hear(0, 1);
    assert_int_equal(say(0, 12), 0); /* the loss of 11 stays visible */
    assert_int_equal(keepers[1].packet.seq, (uint16_t)(last.seq + 2));
}

static void a_disconnected_sink_hears_nothing(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 4; i++)
        hear(0, i);
    assert_int_equal(say(0, 0), 0);
    relay_disconnect(&keepers[2].endpoint);
    relay_disconnect(&keepers[2].endpoint);
    assert_int_equal(say(0, 1), 0);
    assert_heard(1, 2);
    assert_heard(2, 1);
    assert_heard(3, 2);
    hear(0, 2);
    const struct rtp_packet last = keepers[2].packet;
    next_frame();
    assert_int_equal(say(0, 2), 0); /* no gap for what it did not want to hear */
    assert_int_equal(keepers[2].packet.seq, (uint16_t)(last.seq + 1));
}

static void a_sink_that_goes_leaves_the_others(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 4; i++)
        hear(0, i);
    relay_endpoint_deinit(&keepers[3].endpoint); /* the last one: now 2 is served in place */
    assert_int_equal(say(0, 0), 0);
    assert_heard(1, 1);
    assert_heard(2, 1);
    assert_int_equal(keepers[3].n, 0);
}

static void a_source_that_goes_leaves_its_sinks(void **state)
{
    (void)state;
    hear(0, 1);
    hear(0, 2);
    hear(1, 0);
    assert_int_equal(say(0, 0), 0);
    relay_endpoint_deinit(&keepers[0].endpoint);
    assert_int_equal(say(1, 0), UINT_MAX);
    hear(3, 1);
    const struct rtp_packet last = keepers[1].packet;
    next_frame();
    assert_int_equal(say(3, 99), 0);
    assert_heard(1, 2);
    assert_int_equal(keepers[1].packet.seq, (uint16_t)(last.seq + 1));
}

/* Whoever cannot take a packet costs the others nothing, and himself no number. */
static void trouble_of_one_sink_is_its_own(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 4; i++)
        hear(0, i);
    assert_int_equal(say(0, 0), 0);
    const struct rtp_packet last = keepers[3].packet;
    keepers[1].is_deaf = keepers[3].is_deaf = true;
    assert_int_equal(say(0, 1), 2);
    assert_heard(1, 1);
    assert_heard(2, 2);
    assert_heard(3, 1);
    keepers[3].is_deaf = false;
    assert_int_equal(say(0, 2), 1);
    assert_int_equal(keepers[3].packet.seq, (uint16_t)(last.seq + 2)); /* packet 1 is lost to it */
}

static void a_late_sink_finds_no_gap_at_its_start(void **state)
{
    (void)state;
    hear(0, 1);
    keepers[1].is_deaf = true;
    for (uint16_t n = 0; n < 100; n++)
        assert_int_equal(say(0, n), 1);
    keepers[1].is_deaf = false;
    assert_int_equal(say(0, 100), 0);
    assert_true(keepers[1].packet.seq < 0x8000);
    assert_heard(1, 1);
}

static void codecs_are_matched_by_name(void **state)
{
    (void)state;
    hear(0, 1);
    assert_int_equal(say_as(0, 0, 1, 0, 0), 0);
    assert_int_equal(keepers[1].packet.pt, 0);
    assert_int_equal(say_as(0, 96, 1, 1, 0), 0);
    assert_int_equal(keepers[1].packet.pt, 97);
    assert_int_equal(say_as(0, 97, 1, 2, 0), 1); /* of the sink, not of the source */
    /* one that has PCMU only */
    const struct relay_format narrow = {&keepers[2].codecs[1], 1, NULL, 0};
    relay_endpoint_deinit(&keepers[2].endpoint);
    relay_endpoint_init(&keepers[2].endpoint, &ops, 0x5002, &narrow, &narrow, &rng);
    hear(0, 2);
    assert_int_equal(say_as(0, 96, 1, 3, 0), 1);
    assert_int_equal(keepers[1].n, 3);
    assert_int_equal(keepers[2].n, 0);
}

static void a_tap_takes_what_is_not_to_be_sent(void **state)
{
    (void)state;
    keepers[1].is_tap = true;
    hear(0, 1);
    hear(0, 2);
    assert_int_equal(say(0, 0), 0);
    assert_heard(1, 1);
    assert_heard(2, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_source_is_heard_by_three),
        TEST(nobody_hears_an_unconnected_source),
        TEST(one_may_hear_oneself),
        TEST(a_new_source_continues_the_stream),
        TEST(sources_of_one_ssrc_do_not_share_numbers),
        TEST(connecting_again_changes_nothing),
        TEST(a_disconnected_sink_hears_nothing),
        TEST(a_sink_that_goes_leaves_the_others),
        TEST(a_source_that_goes_leaves_its_sinks),
        TEST(trouble_of_one_sink_is_its_own),
        TEST(a_late_sink_finds_no_gap_at_its_start),
        TEST(codecs_are_matched_by_name),
        TEST(a_tap_takes_what_is_not_to_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
