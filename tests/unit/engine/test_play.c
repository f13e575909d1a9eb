/* A real engine plays to browsers: one to many, its end, and what it cannot. */
#include "base/bytes.h"
#include "base/mem.h"
#include "base/packet_ring.h"
#include "bench.h"

#define ID     bench_id(0)
#define PLAYER 7
#define FRAME  960

static const char *const kinds[] = {"chromium_audio.sdp", "firefox_audio.sdp", "werift_audio.sdp"};

static void come(struct bench *b, unsigned i)
{
    struct browser *br = browser_open(b, i, kinds[i % 3]);
    char error[ENGINE_ERROR_MAX];
    struct engine_answer *answer = &b->answers->legs[0];
    assert_int_equal(engine_endpoint_answer(b->engine, bench_now(), ID, i, str_of(br->offer),
                                            ENGINE_SENDRECV, answer, error),
                     0);
    browser_answered(b, br, answer);
    browser_trickle(b, ID, i, br);
}

static bool are_connected(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!b->calls[0].connected[i] || !b->browsers[i].connected)
            return false;
    }
    return true;
}

/* Browsers that hear a player. */
static struct bench *audience(unsigned n)
{
    struct bench *b = bench_new();
    assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, ID), 0);
    assert_int_equal(engine_endpoint_player(b->engine, ID, PLAYER), 0);
    for (unsigned i = 0; i < n; i++)
        come(b, i);
    bench_wait(b, are_connected, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(engine_connect(b->engine, ID, PLAYER, i), 0);
    return b;
}

static struct packet_feed *feed_of(unsigned n)
{
    struct packet_feed *feed = packet_feed_new(0);
    assert_non_null(feed);
    for (unsigned i = 0; i < n; i++)
        packet_feed_push(feed, &(struct packet_feed_frame){.position = i * FRAME,
                                                           .duration = FRAME,
                                                           .data = bench_payload,
                                                           .len = sizeof(bench_payload)});
    packet_feed_end(feed, n * FRAME);
    return feed;
}

static bool is_played(struct bench *b, unsigned call)
{
    return b->calls[call].n_played > 0;
}

static bool all_heard(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < 3; i++) {
        if (b->browsers[i].n_rtp < n)
            return false;
    }
    return true;
}

static void three_hear_it_to_the_end(void **state)
{
    (void)state;
    struct bench *b = audience(3);
    struct packet_feed *feed = feed_of(20);
    mono_us start = bench_now();
    assert_int_equal(engine_play(b->engine, ID, PLAYER, feed, 42), 0);
    bench_wait(b, is_played, 0);
    assert_true(bench_now() - start >= 20 * 20 * US_PER_MS);
    assert_int_equal(b->calls[0].played_tag, 42);
    assert_int_equal(packet_feed_position(feed), 20 * FRAME);
    bench_wait(b, all_heard, 20);
    for (unsigned i = 0; i < 3; i++) {
        const struct browser *br = &b->browsers[i];
        assert_int_equal(br->n_rtp, 20);
        assert_memory_equal(br->rtp_data + br->rtp.header_len, bench_payload,
                            sizeof(bench_payload));
    }
    packet_feed_unref(feed);
    engine_pipeline_release(b->engine, ID);
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].stats[PLAYER].packets_received, 20);
    assert_int_equal(b->calls[0].stats[PLAYER].packets_dropped, 0);
    bench_free(b);
}

#define LISTENERS 50

static struct packet_ring *rings[LISTENERS];

/* @return packets in it, numbered without a gap; they are taken out */
static unsigned count(struct packet_ring *ring)
{
    unsigned n = 0;
    mono_us at;
    size_t len;
    uint16_t last = 0;
    for (const uint8_t *data; (data = packet_ring_peek(ring, &at, &len)); n++) {
        uint16_t seq = get_be16(data + 2);
        assert_true(n == 0 || seq == (uint16_t)(last + 1));
        last = seq;
        packet_ring_pop(ring);
    }
    return n;
}

static void fifty_hear_it_to_the_end(void **state)
{
    (void)state;
    struct bench *b = audience(1);
    struct packet_feed *feed = feed_of(20);
    for (unsigned i = 0; i < LISTENERS; i++) {
        rings[i] = packet_ring_new(PACKET_RING_MIN);
        assert_int_equal(engine_endpoint_tap(b->engine, ID, 100 + i, rings[i]), 0);
        assert_int_equal(engine_connect(b->engine, ID, PLAYER, 100 + i), 0);
    }
    assert_int_equal(engine_play(b->engine, ID, PLAYER, feed, 1), 0);
    packet_feed_unref(feed);
    bench_wait(b, is_played, 0);
    for (unsigned i = 0; i < LISTENERS; i++) {
        assert_int_equal(count(rings[i]), 20);
        engine_endpoint_release(b->engine, ID, 100 + i);
        packet_ring_unref(rings[i]);
    }
    engine_free(b->engine); /* the bench knows no endpoints beyond those of browsers */
    b->engine = NULL;
    bench_free(b);
}

/* Released while it plays: nobody hears of its end. */
static void an_end_in_the_middle(void **state)
{
    (void)state;
    struct bench *b = audience(1);
    struct packet_feed *feed = feed_of(90);
    assert_int_equal(engine_play(b->engine, ID, PLAYER, feed, 1), 0);
    packet_feed_unref(feed);
    assert_int_equal(engine_play_pause(b->engine, ID, PLAYER, true), 0);
    assert_int_equal(engine_play_pause(b->engine, ID, PLAYER, false), 0);
    engine_endpoint_release(b->engine, ID, PLAYER);
    assert_int_equal(engine_play(b->engine, ID, PLAYER, NULL, 1), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_play_pause(b->engine, ID, PLAYER, true), ENGINE_E_UNKNOWN);
    engine_pipeline_release(b->engine, ID);
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].n_played, 0);
    bench_free(b);
}

static void only_a_player_plays(void **state)
{
    (void)state;
    struct bench *b = audience(1);
    assert_int_equal(engine_play(b->engine, ID, 0, NULL, 0), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_play_pause(b->engine, ID, 0, true), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_endpoint_player(b->engine, bench_id(9), 0), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_connect(b->engine, ID, 0, PLAYER), 0); /* it hears nothing */
    bench_free(b);
}

static void without_memory_it_plays_on(void **state)
{
    (void)state;
    struct bench *b = audience(1);
    struct packet_feed *feed = feed_of(3);
    for (unsigned n = 1; n <= 4; n++) {
        mem_fail_at(n);
        assert_int_equal(engine_endpoint_player(b->engine, ID, 6), -ENOMEM);
    }
    for (unsigned n = 1; n <= 2; n++) {
        mem_fail_at(n);
        assert_int_equal(engine_play(b->engine, ID, PLAYER, feed, 1), -ENOMEM);
    }
    mem_fail_at(1);
    assert_int_equal(engine_play_pause(b->engine, ID, PLAYER, true), -ENOMEM);
    mem_fail_at(0);
    assert_int_equal(engine_play(b->engine, ID, PLAYER, feed, 2), 0);
    bench_wait(b, is_played, 0);
    packet_feed_unref(feed);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_hear_it_to_the_end),   cmocka_unit_test(fifty_hear_it_to_the_end),
        cmocka_unit_test(an_end_in_the_middle),       cmocka_unit_test(only_a_player_plays),
        cmocka_unit_test(without_memory_it_plays_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
