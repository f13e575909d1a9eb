/* Frames come out as they went in; so much is read ahead and no more. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/packet_feed.h"

#define FRAME 960

static const uint8_t bytes[PACKET_FEED_MAX_FRAME] = {7};

static void push(struct packet_feed *feed, int64_t n, size_t len)
{
    packet_feed_push(feed,
                     &(struct packet_feed_frame){
                         .position = n * FRAME, .duration = FRAME, .data = bytes, .len = len});
}

static void two_seconds_are_read_ahead(void **state)
{
    (void)state;
    struct packet_feed *feed = packet_feed_new(1000 * FRAME);
    struct packet_feed_frame frame;
    int64_t n = 1000;
    assert_int_equal(packet_feed_position(feed), 1000 * FRAME);
    assert_false(packet_feed_peek(feed, &frame));
    for (; packet_feed_has_room(feed); n++)
        push(feed, n, 80);
    assert_int_equal(n, 1100);
    assert_true(packet_feed_peek(feed, &frame));
    assert_int_equal(frame.position, 1000 * FRAME);
    assert_int_equal(frame.duration, FRAME);
    assert_int_equal(frame.len, 80);
    assert_memory_equal(frame.data, bytes, 80);
    packet_feed_pop(feed);
    assert_int_equal(packet_feed_position(feed), 1001 * FRAME);
    assert_true(packet_feed_has_room(feed));
    push(feed, n, 80);
    assert_false(packet_feed_has_room(feed));
    packet_feed_unref(feed);
}

static void large_frames_fill_it_sooner(void **state)
{
    (void)state;
    struct packet_feed *feed = packet_feed_new(0);
    struct packet_feed_frame frame;
    int64_t n = 0;
    for (; packet_feed_has_room(feed); n++)
        push(feed, n, PACKET_FEED_MAX_FRAME);
    assert_in_range(n, 20, 30);
    for (int64_t i = 0; i < n; i++) {
        assert_true(packet_feed_peek(feed, &frame));
        assert_int_equal(frame.position, i * FRAME);
        packet_feed_pop(feed);
    }
    assert_false(packet_feed_peek(feed, &frame));
    packet_feed_pop(feed);
    packet_feed_unref(feed);
}

static void the_end_is_told(void **state)
{
    (void)state;
    struct packet_feed *feed = packet_feed_new(0);
    struct packet_feed_frame frame;
    push(feed, 0, 1);
    packet_feed_end(feed, 700);
    packet_feed_pop(feed);
    assert_true(packet_feed_peek(feed, &frame));
    assert_int_equal(frame.duration, 0);
    assert_int_equal(frame.position, 700);
    assert_int_equal(frame.len, 0);
    packet_feed_unref(feed);
}

#define N 20000

static void *write_all(void *arg)
{
    struct packet_feed *feed = arg;
    for (int64_t n = 0; n < N; n++) {
        while (!packet_feed_has_room(feed))
            (void)sched_yield();
        push(feed, n, 1 + (size_t)n % 300);
    }
    packet_feed_unref(feed);
    return NULL;
}

static void two_threads_agree(void **state)
{
    (void)state;
    struct packet_feed *feed = packet_feed_new(0);
    struct packet_feed_frame frame;
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_all, packet_feed_ref(feed)), 0);
    for (int64_t n = 0; n < N; n++) {
        while (!packet_feed_peek(feed, &frame))
            (void)sched_yield();
        assert_int_equal(frame.position, n * FRAME);
        assert_int_equal(frame.len, 1 + n % 300);
        packet_feed_pop(feed);
    }
    pthread_join(writer, NULL);
    packet_feed_unref(feed);
}

static void no_memory(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        mem_fail_at(n);
        assert_null(packet_feed_new(0));
    }
    mem_fail_at(0);
    packet_feed_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_seconds_are_read_ahead),
        cmocka_unit_test(large_frames_fill_it_sooner),
        cmocka_unit_test(the_end_is_told),
        cmocka_unit_test(two_threads_agree),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
