/*
 * The endpoint that plays, without a worker: its timer is turned by hand, and a tap hears it. What
 * the ring of the tap has is what would have gone out, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/player_endpoint.h"
#include "engine/tap.h"

#define FRAME   960
#define FRAMES  (20 * US_PER_MS)
#define START   (100 * US_PER_S)
#define NOTHING INT64_MIN

struct stage {
    struct rng rng;
    struct pipeline *pipeline;
    struct pipeline_endpoint *player, *tap;
    struct packet_ring *ring;
    struct packet_feed *feed;
    mono_us now;
    unsigned n_told;
    /* of the last packet that was heard */
    mono_us at;
    uint16_t seq;
    uint32_t timestamp;
    bool marker;
    uint8_t content;
};

static struct stage s;

static void push(int64_t n)
{
    const uint8_t data[2] = {0x78, (uint8_t)n};
    packet_feed_push(s.feed, &(struct packet_feed_frame){
                                 .position = n * FRAME, .duration = FRAME, .data = data, .len = 2});
}

static struct worker_report *report(void)
{
    struct worker_report *r = worker_report_new(false);
    assert_non_null(r);
    return r;
}

/* A new feed with frames from..to, told to the player. */
static void play(int64_t from, int64_t to)
{
    packet_feed_unref(s.feed);
    s.feed = packet_feed_new(from * FRAME);
    for (int64_t n = from; n < to; n++)
        push(n);
    player_endpoint_play(s.player, s.now, packet_feed_ref(s.feed), report());
}

static int setup(void **state)
{
    (void)state;
    s = (struct stage){.now = START};
    rng_init_seeded(&s.rng, 1);
    s.pipeline = pipeline_new(1);
    s.ring = packet_ring_new(1 << 16);
    s.player = player_endpoint_new(s.pipeline, 0, &s.rng);
    s.tap = tap_new(s.pipeline, 1, s.ring, &s.rng);
    relay_connect(s.player->relay, s.tap->relay);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pipeline_endpoint_free(s.player);
    pipeline_endpoint_free(s.tap);
    pipeline_free(s.pipeline);
    packet_ring_unref(s.ring);
    packet_feed_unref(s.feed);
    return 0;
}

/* What a worker does when the timer is due. @return it sent a packet */
static bool turn(void)
{
    static struct relay_fan fan;
    static uint8_t bytes[DGRAM_MAX + SOCKET_TAIL_ROOM];
    struct dgram spare = {.data = bytes, .cap = sizeof(bytes)};
    struct relay_out out;
    int err = s.player->ops->emit(s.player, s.now, &fan);
    while (!err && relay_fan_next(&fan, &spare, &out))
        assert_int_equal(out.error, 0);
    if (s.player->tell) {
        s.n_told++;
        mem_free(s.player->tell);
        s.player->tell = NULL;
    }
    return !err;
}

static bool hear(void)
{
    size_t len;
    struct rtp_packet p;
    const uint8_t *data = packet_ring_peek(s.ring, &s.at, &len);
    if (!data)
        return false;
    assert_int_equal(rtp_parse(data, len, &p), 0);
    assert_int_equal(p.payload_len, 2);
    s.seq = p.seq;
    s.timestamp = p.timestamp;
    s.marker = p.marker;
    s.content = data[p.header_len + 1];
    packet_ring_pop(s.ring);
    return true;
}

/* Let the time pass up to the next packet, `limit` at most. @return one was sent */
static bool run(mono_us limit)
{
    mono_us until = s.now + limit;
    for (;;) {
        mono_us due = s.player->ops->deadline(s.player);
        if (due > until) {
            s.now = until;
            return false;
        }
        s.now = due > s.now ? due : s.now;
        if (turn())
            return hear();
    }
}

static void frames_go_at_their_times(void **state)
{
    (void)state;
    play(0, 50);
    assert_true(run(0));
    const uint16_t seq = s.seq;
    const uint32_t timestamp = s.timestamp;
    assert_true(s.marker);
    for (unsigned n = 1; n < 50; n++) {
        assert_true(run(US_PER_S));
        assert_int_equal(s.at, START + n * FRAMES);
        assert_int_equal(s.seq, (uint16_t)(seq + n));
        assert_int_equal(s.timestamp, timestamp + n * FRAME);
        assert_int_equal(s.content, n);
        assert_false(s.marker);
        assert_int_equal(packet_feed_position(s.feed), (n + 1) * FRAME);
    }
}

static void the_end_is_told_when_it_was_heard(void **state)
{
    (void)state;
    play(0, 2);
    packet_feed_end(s.feed, 2 * FRAME);
    assert_true(run(0) && run(FRAMES));
    assert_false(run(FRAMES - 1));
    assert_int_equal(s.n_told, 0);
    assert_false(run(1));
    assert_int_equal(s.n_told, 1);
    assert_int_equal(s.player->ops->deadline(s.player), MONO_NEVER);
    assert_false(run(US_PER_S));
    assert_int_equal(s.n_told, 1);
}

/* A worker that was away for a second sends one packet and goes on from there. */
static void a_stall_gives_no_burst(void **state)
{
    (void)state;
    play(0, 100);
    for (unsigned n = 0; n < 10; n++)
        assert_true(run(FRAMES));
    const uint32_t timestamp = s.timestamp;
    s.now += US_PER_S;
    assert_true(run(0));
    assert_int_equal(s.content, 10);
    assert_true(s.marker);
    assert_int_equal(s.timestamp, timestamp + 48000);
    assert_false(run(FRAMES - 1));
    assert_true(run(1));
    assert_int_equal(s.content, 11);
}

static void a_pause_goes_on_where_it_was(void **state)
{
    (void)state;
    play(0, 100);
    for (unsigned n = 0; n < 10; n++)
        assert_true(run(FRAMES));
    const uint16_t seq = s.seq;
    const uint32_t timestamp = s.timestamp;
    s.now += 5 * US_PER_MS;
    player_endpoint_pause(s.player, s.now, true);
    player_endpoint_pause(s.player, s.now, true);
    assert_false(run(3600 * US_PER_S));
    assert_int_equal(packet_feed_position(s.feed), 10 * FRAME);
    player_endpoint_pause(s.player, s.now, false);
    assert_false(run(15 * US_PER_MS - 1));
    assert_true(run(1));
    assert_int_equal(s.content, 10);
    assert_true(s.marker);
    assert_int_equal(s.seq, (uint16_t)(seq + 1));
    assert_int_equal(s.timestamp, (uint32_t)(timestamp + FRAME + INT64_C(3600) * 48000));
    assert_true(run(FRAMES));
    assert_false(s.marker);
}

/* What was read ahead from elsewhere is not heard any more. */
static void another_feed_takes_over_at_once(void **state)
{
    (void)state;
    play(0, 100);
    assert_true(run(0) && run(FRAMES));
    const uint16_t seq = s.seq;
    const uint32_t timestamp = s.timestamp;
    play(120, 121);
    packet_feed_end(s.feed, 121 * FRAME);
    assert_false(run(FRAMES - 1));
    assert_true(run(1));
    assert_int_equal(s.content, 120);
    assert_int_equal(s.seq, (uint16_t)(seq + 1));
    assert_int_equal(s.timestamp, timestamp + FRAME);
    player_endpoint_play(s.player, s.now, NULL, NULL);
    assert_false(run(US_PER_S));
    assert_int_equal(s.n_told, 0); /* neither was played to its end */
}

/* A disk or a net that is too slow makes a pause; nothing is left out. */
static void an_empty_feed_is_waited_for(void **state)
{
    (void)state;
    play(0, 0);
    assert_false(run(US_PER_S));
    push(0);
    push(1);
    assert_true(run(PLAYER_ENDPOINT_LOOK) && run(FRAMES));
    assert_false(run(US_PER_S));
    const uint32_t timestamp = s.timestamp;
    push(2);
    assert_true(run(PLAYER_ENDPOINT_LOOK));
    assert_int_equal(s.content, 2);
    assert_true(s.marker);
    assert_true(s.timestamp - timestamp >= 48000);
}

static void paused_before_it_began(void **state)
{
    (void)state;
    player_endpoint_pause(s.player, s.now, true);
    assert_false(run(US_PER_S));
    player_endpoint_pause(s.player, s.now, false);
    assert_false(run(US_PER_S));
    play(0, 1);
    player_endpoint_pause(s.player, s.now, true);
    assert_false(run(US_PER_S));
    play(5, 6); /* and not paused */
    assert_true(run(0));
    assert_int_equal(s.content, 5);
}

static void who_is_closed_plays_nothing(void **state)
{
    (void)state;
    play(0, 10);
    s.player->ops->close(s.player, s.now);
    assert_false(run(US_PER_S));
    play(0, 10);
    player_endpoint_pause(s.player, s.now, true);
    player_endpoint_pause(s.player, s.now, false);
    assert_int_equal(s.player->ops->deadline(s.player), MONO_NEVER);
}

static void what_it_plays_counts_as_received(void **state)
{
    (void)state;
    struct engine_stats stats = {0};
    play(0, 10);
    assert_true(run(0) && run(FRAMES));
    s.player->ops->figures(s.player, s.now, &stats);
    assert_int_equal(stats.media.up.packets, 2);
    assert_int_equal(stats.media.up.heard_at, s.now);
}

static void no_memory(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        mem_fail_at(n);
        assert_null(player_endpoint_new(s.pipeline, 3, &s.rng));
    }
    mem_fail_at(0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_go_at_their_times),         TEST(the_end_is_told_when_it_was_heard),
        TEST(a_stall_gives_no_burst),           TEST(a_pause_goes_on_where_it_was),
        TEST(another_feed_takes_over_at_once),  TEST(an_empty_feed_is_waited_for),
        TEST(paused_before_it_began),           TEST(who_is_closed_plays_nothing),
        TEST(what_it_plays_counts_as_received), TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
