/* RED between a source and sinks that have it or not: which bytes each of them gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer/peer.h"
#include "relay/fan.h"
#include "rtp/extension.h"
#include "support/red_write.h"

#define FRAME     960
#define N         5 /* endpoints; 0 speaks */
#define MAX_HEARD 64

/* An endpoint that keeps every packet. */
struct keeper {
    struct relay_endpoint endpoint;
    struct peer_codec codecs[2];
    uint8_t ext[PEER_N_EXT];
    bool is_deaf;
    unsigned n;
    struct {
        struct rtp_packet packet;
        uint8_t data[300];
    } heard[MAX_HEARD];
};

static struct rng rng;
static struct keeper keepers[N];
static mono_us now;

static bool is_ready(const struct relay_endpoint *e)
{
    for (unsigned i = 0; i < N; i++) {
        if (&keepers[i].endpoint == e)
            return !keepers[i].is_deaf;
    }
    return false;
}

static int keep(struct relay_endpoint *e, mono_us at, struct dgram *d,
                const struct rtp_packet *packet)
{
    struct keeper *k = CONTAINER_OF(e, struct keeper, endpoint);
    struct rtp_packet *parsed = &k->heard[k->n].packet;
    (void)at;
    assert_true(k->n < MAX_HEARD && d->len <= sizeof(k->heard[0].data));
    assert_true(d->cap >= d->len + 32);
    assert_int_equal(rtp_parse(d->data, d->len, parsed), 0);
    assert_int_equal(parsed->header_len, packet->header_len);
    assert_int_equal(parsed->payload_len, packet->payload_len);
    assert_int_equal(parsed->timestamp, packet->timestamp);
    memcpy(k->heard[k->n++].data, d->data, d->len);
    memset(d->data, 0xee, d->len);
    return 0;
}

static const struct relay_ops ops = {.is_ready = is_ready, .send = keep};

/* Who has RED, and as what. */
static const uint8_t red_pts[N] = {63, 0, 113, 0, 63};

static int set_up(void **state)
{
    (void)state;
    rng_init_seeded(&rng, 1);
    now = US_PER_S;
    memset(keepers, 0, sizeof(keepers));
    for (uint8_t i = 0; i < N; i++) {
        struct keeper *k = &keepers[i];
        k->codecs[0] = (struct peer_codec){CODEC_OPUS, i == 4 ? 111 : (uint8_t)(111 - i), 2, 48000};
        k->codecs[1] = (struct peer_codec){CODEC_PCMU, 0, 1, 8000};
        k->ext[PEER_EXT_AUDIO_LEVEL] = (uint8_t)(1 + i);
        const struct relay_format format = {k->codecs, 2, k->ext, red_pts[i]};
        relay_endpoint_init(&k->endpoint, &ops, 0x5000u + i, &format, &format, &rng);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N; i++)
        relay_endpoint_deinit(&keepers[i].endpoint);
    return 0;
}

static void hear(unsigned sink)
{
    relay_connect(&keepers[0].endpoint, &keepers[sink].endpoint);
}

/* Any packet of the source. @return the first error */
static int say_raw(uint8_t pt, uint16_t seq, bool has_padding, const uint8_t *payload, size_t len)
{
    uint8_t in[DGRAM_MAX], buf[DGRAM_MAX];
    struct bytes_writer w = bytes_writer(in, sizeof(in));
    bytes_put8(&w, has_padding ? 0xb0 : 0x90);
    bytes_put8(&w, pt);
    bytes_put16(&w, seq);
    bytes_put32(&w, seq * (uint32_t)FRAME);
    bytes_put32(&w, 0xa000);
    bytes_put32(&w, 0xbede0001);
    bytes_put8(&w, 1 << 4);
    bytes_put8(&w, 0x80 | 42);
    bytes_put16(&w, 0);
    bytes_put(&w, payload, len);
    if (has_padding)
        bytes_put32(&w, 4);
    struct dgram d = {.data = in, .len = w.len, .cap = sizeof(in)};
    struct relay_fan fan;
    struct relay_out out;
    assert_int_equal(rtp_parse(in, w.len, &fan.packet), 0);
    int err = relay_fan_start(&fan, &keepers[0].endpoint, now, &d);
    if (err)
        return err;
    for (;;) {
        struct dgram spare = {.data = buf, .cap = sizeof(buf)};
        if (!relay_fan_next(&fan, &spare, &out))
            return err;
        assert_true(!out.error == (out.d != NULL));
        if (!err)
            err = out.error;
    }
}

static void put_frame(uint8_t frame[20], uint16_t seq)
{
    memset(frame, (int)seq & 0xff, 20);
}

/* Frame `seq` with the `back` frames before it. */
static int say(uint16_t seq, unsigned back)
{
    uint8_t frames[4][20], payload[200];
    struct rtp_red_block blocks[4];
    struct bytes_writer w = bytes_writer(payload, sizeof(payload));
    for (unsigned i = 0; i <= back; i++) {
        put_frame(frames[i], (uint16_t)(seq - back + i));
        blocks[i] = (struct rtp_red_block){
            .pt = 111, .offset = (uint16_t)((back - i) * FRAME), .data = frames[i], .len = 20};
    }
    red_write(&w, blocks, back + 1);
    return say_raw(63, seq, false, payload, w.len);
}

/* The n-th packet that a sink without RED heard is frame `seq` by itself. */
static void assert_plain(unsigned sink, unsigned n, uint16_t seq)
{
    const struct keeper *k = &keepers[sink];
    uint8_t frame[20];
    put_frame(frame, seq);
    assert_true(n < k->n);
    assert_int_equal(k->heard[n].packet.pt, k->codecs[0].pt);
    assert_int_equal(k->heard[n].packet.ssrc, 0x5000 + sink);
    assert_int_equal(k->heard[n].packet.payload_len, 20);
    assert_memory_equal(k->heard[n].data + k->heard[n].packet.header_len, frame, 20);
    /* numbers follow those of the source */
    assert_int_equal((uint16_t)(k->heard[n].packet.seq - k->heard[0].packet.seq), seq);
    assert_int_equal(k->heard[n].packet.timestamp - k->heard[0].packet.timestamp,
                     seq * (uint32_t)FRAME);
}

static void assert_red(unsigned sink, unsigned n, uint16_t seq, unsigned back)
{
    const struct keeper *k = &keepers[sink];
    const struct rtp_packet *p = &k->heard[n].packet;
    struct rtp_red red;
    uint8_t frame[20];
    assert_true(n < k->n);
    assert_int_equal(p->pt, red_pts[sink]);
    assert_int_equal(rtp_red_parse(k->heard[n].data + p->header_len, p->payload_len, &red), 0);
    assert_int_equal(red.n_blocks, back + 1);
    for (unsigned i = 0; i <= back; i++) {
        put_frame(frame, (uint16_t)(seq - back + i));
        assert_int_equal(red.blocks[i].pt, k->codecs[0].pt);
        assert_int_equal(red.blocks[i].offset, (back - i) * FRAME);
        assert_memory_equal(red.blocks[i].data, frame, 20);
    }
}

static void red_is_opened_for_who_has_none(void **state)
{
    (void)state;
    hear(1);
    for (uint16_t seq = 0; seq < 10; seq++) {
        assert_int_equal(say(seq, seq < 2 ? seq : 2), 0);
        assert_int_equal(keepers[1].n, seq + 1);
        assert_plain(1, seq, seq);
        struct rtp_audio_level level;
        assert_true(rtp_audio_level_read(keepers[1].heard[seq].data, &keepers[1].heard[seq].packet,
                                         2, &level));
    }
}

static void what_was_lost_goes_before_what_brought_it(void **state)
{
    (void)state;
    hear(1);
    for (uint16_t seq = 0; seq < 4; seq++)
        assert_int_equal(say(seq, 0), 0);
    assert_int_equal(say(6, 2), 0); /* 4 and 5 are lost, and in it */
    assert_int_equal(keepers[1].n, 7);
    for (uint16_t seq = 0; seq < 7; seq++)
        assert_plain(1, seq, seq);
    assert_int_equal(say(5, 2), RELAY_E_OLD); /* late, and heard already */
    assert_int_equal(keepers[1].n, 7);
    assert_int_equal(say(7, 1), 0);
    assert_plain(1, 7, 7);
}

static void everyone_gets_it_as_he_can_take_it(void **state)
{
    (void)state;
    for (unsigned i = 1; i < N; i++)
        hear(i);
    for (uint16_t seq = 0; seq < 4; seq++)
        assert_int_equal(say(seq, 0), 0);
    assert_int_equal(say(5, 1), 0);
    assert_int_equal(keepers[1].n, 6);
    assert_int_equal(keepers[2].n, 5);
    assert_int_equal(keepers[3].n, 6);
    assert_int_equal(keepers[4].n, 5);
    for (uint16_t seq = 0; seq < 6; seq++) {
        assert_plain(1, seq, seq);
        assert_plain(3, seq, seq);
    }
    assert_red(2, 4, 5, 1);
    assert_red(4, 4, 5, 1);
    /* the late one is news to who has RED: it was not sent to him under this number */
    assert_int_equal(say(4, 1), RELAY_E_OLD);
    assert_red(2, 5, 4, 1);
    assert_red(4, 5, 4, 1);
    assert_int_equal(keepers[1].n, 6);
}

/* The last sink is served in place: it must be the right one that is left for it. */
static void the_order_of_sinks_does_not_matter(void **state)
{
    static const unsigned orders[][2] = {{1, 2}, {2, 1}};
    for (unsigned k = 0; k < 2; k++) {
        (void)set_up(state);
        hear(orders[k][0]);
        hear(orders[k][1]);
        for (uint16_t seq = 0; seq < 4; seq++)
            assert_int_equal(say(seq, 0), 0);
        assert_int_equal(say(6, 2), 0);
        assert_int_equal(keepers[1].n, 7);
        assert_plain(1, 4, 4);
        assert_plain(1, 5, 5);
        assert_plain(1, 6, 6);
        assert_red(2, 4, 6, 2);
        (void)tear_down(state);
    }
}

static void padding_is_not_taken_for_speech(void **state)
{
    const uint8_t payload[] = {111, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    (void)state;
    hear(1);
    for (uint16_t seq = 0; seq < 5; seq++)
        assert_int_equal(say(seq, 0), 0);
    assert_int_equal(say_raw(63, 5, true, payload, sizeof(payload)), 0);
    assert_plain(1, 5, 5);
    assert_int_equal(keepers[1].heard[5].packet.padding_len, 0);
}

/* Chromium probes the line with packets that hold nothing else, under numbers of the stream. */
static void a_packet_of_padding_alone_is_nobodys(void **state)
{
    (void)state;
    hear(1);
    hear(2);
    for (uint16_t seq = 0; seq < 5; seq++)
        assert_int_equal(say(seq, 0), 0);
    assert_int_equal(say_raw(63, 5, true, NULL, 0), RELAY_E_PADDING);
    assert_int_equal(say(6, 1), 0);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(keepers[i].n, 6);
        assert_int_equal(keepers[i].heard[5].packet.seq,
                         (uint16_t)(keepers[i].heard[4].packet.seq + 1));
        assert_true(keepers[i].heard[5].packet.payload_len > 0);
    }
}

static void plain_packets_of_the_same_source_pass(void **state)
{
    uint8_t frame[20];
    (void)state;
    hear(1);
    hear(2);
    assert_int_equal(say(0, 0), 0);
    put_frame(frame, 1);
    assert_int_equal(say_raw(111, 1, false, frame, sizeof(frame)), 0);
    assert_int_equal(say(2, 1), 0);
    assert_plain(1, 1, 1);
    assert_plain(1, 2, 2);
    assert_int_equal(keepers[2].heard[1].packet.pt, keepers[2].codecs[0].pt);
}

static void what_is_not_in_the_contract_is_dropped(void **state)
{
    static const uint8_t foreign[] = {0, 1, 2, 3};          /* PCMU inside */
    static const uint8_t nested[] = {63, 111, 1, 2};        /* RED in RED */
    static const uint8_t endless[] = {0x80 | 111, 0, 0, 0}; /* headers past the end */
    static const uint8_t greedy[] = {0x80 | 111, 0, 3, 0xff, 111, 1};
    (void)state;
    hear(1);
    hear(2);
    assert_int_equal(say_raw(63, 0, false, foreign, sizeof(foreign)), RELAY_E_CODEC);
    assert_int_equal(say_raw(63, 1, false, nested, sizeof(nested)), RELAY_E_CODEC);
    assert_int_equal(say_raw(63, 2, false, endless, sizeof(endless)), PEER_E_MALFORMED);
    assert_int_equal(say_raw(63, 3, false, greedy, sizeof(greedy)), PEER_E_MALFORMED);
    assert_int_equal(keepers[1].n + keepers[2].n, 0);
    relay_disconnect(&keepers[1].endpoint);
    for (uint16_t seq = 4; seq < 39; seq++)
        assert_int_equal(say(seq, 0), 0);
    /* Nobody has it taken apart, but what stands in front is looked at. */
    assert_int_equal(say_raw(63, 39, false, foreign, sizeof(foreign)), RELAY_E_CODEC);
    assert_int_equal(say_raw(63, 40, false, endless, sizeof(endless)), RELAY_E_CODEC);
    assert_int_equal(keepers[2].n, 35);
}

static void who_cannot_hear_yet_is_given_nothing_back(void **state)
{
    (void)state;
    hear(1);
    keepers[1].is_deaf = true;
    for (uint16_t seq = 0; seq < 4; seq++)
        assert_int_equal(say(seq, 0), PEER_E_NO_PATH);
    assert_int_equal(say(5, 1), PEER_E_NO_PATH);
    keepers[1].is_deaf = false;
    assert_int_equal(say(6, 1), 0);
    assert_int_equal(keepers[1].n, 1);
}

static void a_new_source_has_numbers_of_its_own(void **state)
{
    struct rtp_red_recovery *recovery = &keepers[0].endpoint.red.recovery;
    (void)state;
    hear(1);
    for (uint16_t seq = 0; seq < 4; seq++)
        assert_int_equal(say(seq, 0), 0);
    assert_int_equal(recovery->newest, 3);
    keepers[0].endpoint.red.ssrc ^= 1; /* as if these had been another's */
    assert_int_equal(say(5, 1), 0);
    assert_int_equal(recovery->line, 0);
}

static void set_red(unsigned i, uint8_t pt)
{
    struct keeper *k = &keepers[i];
    const struct relay_format format = {k->codecs, 2, k->ext, pt};
    relay_endpoint_set_formats(&k->endpoint, &format, &format);
}

/* What was negotiated anew holds from the next packet on. */
static void red_may_come_and_go_in_a_call(void **state)
{
    (void)state;
    hear(2);
    assert_int_equal(say(0, 0), 0);
    set_red(2, 0); /* the sink lost it */
    assert_int_equal(say(1, 1), 0);
    assert_int_equal(keepers[2].heard[1].packet.pt, keepers[2].codecs[0].pt);
    set_red(2, 100);
    assert_int_equal(say(2, 1), 0);
    assert_int_equal(keepers[2].heard[2].packet.pt, 100);
    set_red(0, 0); /* the source did */
    assert_int_equal(say(3, 1), RELAY_E_CODEC);
    assert_int_equal(keepers[0].endpoint.red.n_openers, 0);
    set_red(0, 63);
    assert_int_equal(say(4, 1), 0);
    relay_disconnect(&keepers[2].endpoint);
    hear(1);
    assert_int_equal(keepers[0].endpoint.red.n_openers, 1);
    relay_disconnect(&keepers[1].endpoint);
    assert_int_equal(keepers[0].endpoint.red.n_openers, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(red_is_opened_for_who_has_none),
        TEST(what_was_lost_goes_before_what_brought_it),
        TEST(everyone_gets_it_as_he_can_take_it),
        cmocka_unit_test(the_order_of_sinks_does_not_matter),
        TEST(padding_is_not_taken_for_speech),
        TEST(a_packet_of_padding_alone_is_nobodys),
        TEST(plain_packets_of_the_same_source_pass),
        TEST(what_is_not_in_the_contract_is_dropped),
        TEST(who_cannot_hear_yet_is_given_nothing_back),
        TEST(a_new_source_has_numbers_of_its_own),
        TEST(red_may_come_and_go_in_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
