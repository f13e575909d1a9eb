/* Packets through a bad network become pieces without a hole; the length is right to the tick. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/rng.h"
#include "record/timeline.h"

#define START   (1000 * US_PER_S)
#define FRAME   (20 * US_PER_MS)
#define FRAME_T 960

static struct record_timeline t;
static struct record_piece piece;
static uint64_t end_at;   /* of the last piece */
static unsigned n_frames; /* that came out */
static uint32_t last_id;  /* of the last frame */

/* Where frame `id` must stand; NULL = anywhere. */
static uint64_t (*expected)(uint32_t id);

static int begin(void **state)
{
    (void)state;
    record_timeline_init(&t);
    record_timeline_start(&t, START);
    end_at = n_frames = last_id = 0;
    expected = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    record_timeline_deinit(&t);
    return 0;
}

static void drain(mono_us now)
{
    while (record_timeline_poll(&t, now, &piece)) {
        assert_int_equal(piece.start, end_at);
        assert_true(piece.duration > 0);
        end_at += piece.duration;
        if (!piece.data)
            continue;
        uint32_t id = get_be32(piece.data + 1);
        assert_int_equal(piece.len, 5);
        assert_true(id > last_id);
        last_id = id;
        n_frames++;
        if (expected)
            assert_int_equal(piece.start, expected(id));
    }
}

/* A fullband CELT frame of 20 ms that carries its number, 1 … */
static void push(mono_us at, uint16_t seq, uint32_t timestamp, uint32_t id)
{
    uint8_t payload[5] = {31 << 3};
    put_be32(payload + 1, id);
    assert_int_equal(record_timeline_push(&t, at, seq, timestamp, payload, sizeof(payload)), 0);
    drain(at);
}

static void stop(mono_us at)
{
    record_timeline_stop(&t, at);
    drain(at);
}

static uint64_t evenly(uint32_t id)
{
    return 480 + (uint64_t)(id - 1) * FRAME_T;
}

/* The line: each packet is lost, delayed, or doubled by chance; both counters wrap on the way. */
static void through(unsigned n, unsigned lost_percent, mono_us jitter, unsigned doubled_percent)
{
    enum { MAX = 1000 };
    static struct {
        mono_us at;
        unsigned i;
    } line[2 * MAX];
    struct rng rng;
    unsigned len = 0;
    rng_init_seeded(&rng, 7);
    for (unsigned i = 0; i < n; i++) {
        mono_us at = START + 10 * US_PER_MS + i * FRAME;
        unsigned copies = i == 0 ? 1 : 1 + (rng_below(&rng, 100) < doubled_percent);
        for (unsigned k = 0; k < copies; k++) {
            if (i && rng_below(&rng, 100) < lost_percent)
                continue;
            mono_us late = i && jitter ? rng_below(&rng, (uint32_t)jitter) : 0;
            unsigned at_i = len++;
            for (; at_i > 0 && line[at_i - 1].at > at + late; at_i--)
                line[at_i] = line[at_i - 1];
            line[at_i].at = at + late;
            line[at_i].i = i;
        }
    }
    expected = evenly;
    for (unsigned k = 0; k < len; k++)
        push(line[k].at, (uint16_t)(65500 + line[k].i), 0xfffff000U + line[k].i * FRAME_T,
             line[k].i + 1);
    stop(START + 10 * US_PER_MS + n * FRAME + 5 * US_PER_MS);
    assert_int_equal(end_at, 480 + n * FRAME_T + 240);
}

static void test_clean_line(void **state)
{
    (void)state;
    through(500, 0, 0, 0);
    assert_int_equal(n_frames, 500);
    assert_int_equal(t.stats.frames, 500);
    assert_int_equal(t.stats.restarts, 0);
}

static void test_loss(void **state)
{
    (void)state;
    through(500, 10, 0, 0);
    assert_in_range(n_frames, 425, 475);
}

/* What comes late enough to be overtaken, but in time, is all there. */
static void test_reordered_and_doubled(void **state)
{
    (void)state;
    through(500, 0, 200 * US_PER_MS, 20);
    assert_int_equal(n_frames, 500);
    assert_true(t.stats.late + t.stats.duplicates > 50);
    assert_int_equal(t.stats.restarts, 0);
}

static void test_everything_at_once(void **state)
{
    (void)state;
    through(1000, 10, 300 * US_PER_MS, 5);
    assert_in_range(n_frames, 880, 980);
    assert_int_equal(t.stats.restarts, 0);
}

/* A packet that was asked for again comes within RECORD_WAIT and has its place; behind it, none. */
static void test_wait_is_bounded(void **state)
{
    (void)state;
    expected = evenly;
    push(START + 10 * US_PER_MS, 1, 0, 1);
    push(START + 50 * US_PER_MS, 3, 2 * FRAME_T, 3);
    drain(START + 50 * US_PER_MS + RECORD_WAIT - 1);
    assert_int_equal(n_frames, 1);
    push(START + 50 * US_PER_MS + RECORD_WAIT - 1, 2, FRAME_T, 2);
    assert_int_equal(n_frames, 3);
    push(START + 1510 * US_PER_MS, 5, 75 * FRAME_T, 76);
    drain(START + 1510 * US_PER_MS + RECORD_WAIT);
    assert_int_equal(n_frames, 4);
    push(START + 1510 * US_PER_MS + RECORD_WAIT, 4, 3 * FRAME_T, 4);
    assert_int_equal(n_frames, 4);
    assert_int_equal(t.stats.late, 1);
    assert_int_equal(end_at, evenly(77));
}

/* A hole that nobody fills does not hold more than it may. */
static void test_held_is_bounded(void **state)
{
    (void)state;
    push(START, 1, 0, 1);
    for (unsigned i = 2; i < 500; i++) {
        push(START + i, (uint16_t)(1 + i), i * FRAME_T, 1 + i);
        assert_true(t.n_held <= RECORD_MAX_HELD);
    }
    assert_int_equal(n_frames, 499);
}

/* DTX: numbers in sequence, timestamps that leap. No waiting, and a gap of that length. */
static void test_silence(void **state)
{
    (void)state;
    expected = evenly;
    push(START + 10 * US_PER_MS, 1, 0, 1);
    push(START + 10 * US_PER_MS + 20 * FRAME, 2, 20 * FRAME_T, 21);
    assert_int_equal(n_frames, 2);
    push(START + 10 * US_PER_MS + 3000 * FRAME, 3, 3000 * FRAME_T, 3001); /* a minute */
    assert_int_equal(n_frames, 3);
    assert_int_equal(t.stats.restarts, 0);
    assert_int_equal(end_at, evenly(3002));
}

/* The line stands still and then gives everything at once: timestamps are believed, not arrival. */
static void test_burst_after_a_stall(void **state)
{
    (void)state;
    expected = evenly;
    for (unsigned i = 0; i < 300; i++)
        push(START + 10 * US_PER_MS + (i < 50 ? i * FRAME : 250 * FRAME), (uint16_t)i, i * FRAME_T,
             i + 1);
    assert_int_equal(n_frames, 300);
    assert_int_equal(t.stats.restarts, 0);
}

/* Another stream goes on where it is heard, not where its timestamps happen to point. */
static void test_restart(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++)
        push(START + i * FRAME, (uint16_t)(100 + i), 5000 + i * FRAME_T, 1 + i);
    for (unsigned i = 0; i < 50; i++)
        push(START + (50 + i) * FRAME, (uint16_t)(30000 + i), 0x80000000U + i * FRAME_T, 51 + i);
    stop(START + 100 * FRAME);
    assert_int_equal(n_frames, 99); /* the first one of them was only believed with the second */
    assert_int_equal(t.stats.strays, 1);
    assert_int_equal(t.stats.restarts, 1);
    assert_int_equal(end_at, 100 * FRAME_T);
}

/* One number far off changes nothing. */
static void test_stray(void **state)
{
    (void)state;
    push(START, 1, 0, 1);
    push(START + FRAME, 40000, 77777777, 2);
    push(START + FRAME, 2, FRAME_T, 3);
    push(START + 2 * FRAME, 40007, 77777777, 4);
    push(START + 2 * FRAME, 3, 2 * FRAME_T, 5);
    drain(START + RECORD_WAIT);
    assert_int_equal(n_frames, 3);
    assert_int_equal(end_at, 3 * FRAME_T);
    assert_int_equal(t.stats.strays, 2);
}

/* Timestamps that contradict what is there, or the clock: all is kept, and the length is the
 * clock's. */
static void test_timestamps_that_cannot_be_meant(void **state)
{
    (void)state;
    static const uint32_t steps[] = {0, 160, 0U - FRAME_T, 0x7fffffff, 0x80000000U, 48000 * 11};
    for (unsigned k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
        end(NULL);
        begin(NULL);
        for (unsigned i = 0; i < 100; i++)
            push(START + i * FRAME, (uint16_t)i, i * steps[k], 1 + i);
        stop(START + 100 * FRAME);
        assert_int_equal(n_frames, 100);
        assert_int_equal(end_at, 100 * FRAME_T);
    }
}

/* The first ones were held up: where they belong is said by those that were not. */
static void test_late_beginning(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        mono_us sent = START + 10 * US_PER_MS + i * FRAME, free_at = START + 95 * US_PER_MS;
        expected = evenly;
        push(sent > free_at ? sent : free_at, (uint16_t)i, i * FRAME_T, 1 + i);
    }
    stop(START + 10 * US_PER_MS + 100 * FRAME);
    assert_int_equal(n_frames, 100);
    assert_int_equal(end_at, evenly(101));
}

static uint64_t first_after_ten_seconds(uint32_t id)
{
    return id == 1 ? 10 * FILE_OPUS_RATE : piece.start;
}

/* What comes behind the first one says when that was sent only as far as a line can hold up. */
static void test_beginning_before_a_jump(void **state)
{
    (void)state;
    const uint32_t jump = 5 * FILE_OPUS_RATE;
    expected = first_after_ten_seconds;
    push(START + 10 * US_PER_S, 1, 0, 1);
    for (unsigned i = 1; i < 20; i++)
        push(START + 10 * US_PER_S + i * FRAME, (uint16_t)(1 + i), jump + i * FRAME_T, 1 + i);
    stop(START + 11 * US_PER_S);
    assert_int_equal(n_frames, 20);
}

/* A device whose timestamps stand still while it is muted. */
static void test_timestamps_that_stood_still(void **state)
{
    (void)state;
    push(START, 1, 0, 1);
    push(START + 20 * US_PER_S, 2, FRAME_T, 2);
    push(START + 20 * US_PER_S + FRAME, 3, 2 * FRAME_T, 3);
    assert_int_equal(t.stats.restarts, 1);
    assert_int_equal(end_at, 20 * FILE_OPUS_RATE + 2 * FRAME_T);
}

/* The same for a moment only: whether the line or the source stood still shows in what follows. */
static void test_source_that_stood_still(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++)
        push(START + i * FRAME, (uint16_t)i, i * FRAME_T, 1 + i);
    for (unsigned i = 50; i < 100; i++)
        push(START + 3 * US_PER_S + i * FRAME, (uint16_t)i, i * FRAME_T, 1 + i);
    assert_int_equal(t.stats.restarts, 1);
    assert_int_equal(end_at, 3 * FILE_OPUS_RATE + 100 * FRAME_T);
    stop(START + 5 * US_PER_S);
    assert_int_equal(n_frames, 100);
    assert_int_equal(end_at, 5 * FILE_OPUS_RATE);
}

/* One packet after it, and then nothing: it is not waited for another. */
static void test_last_word_after_a_stall(void **state)
{
    (void)state;
    push(START, 1, 0, 1);
    push(START + 3 * US_PER_S, 2, FRAME_T, 2);
    drain(START + 3 * US_PER_S + RECORD_WAIT - 1);
    assert_int_equal(n_frames, 1);
    drain(START + 3 * US_PER_S + RECORD_WAIT);
    assert_int_equal(n_frames, 2);
    assert_int_equal(end_at, 3 * FILE_OPUS_RATE + FRAME_T);
}

static void test_pause(void **state)
{
    (void)state;
    push(START, 1, 0, 1);
    push(START + 3 * FRAME, 4, 3 * FRAME_T, 2); /* two are missing */
    stop(START + 5 * FRAME);
    assert_int_equal(end_at, 5 * FRAME_T);
    push(START + 10 * FRAME, 11, 10 * FRAME_T, 3);
    assert_int_equal(n_frames, 2);
    record_timeline_start(&t, START + 1000 * FRAME);
    push(START + 999 * FRAME, 999, 999 * FRAME_T, 3); /* arrived before, told later */
    push(START + 1002 * FRAME, 1001, 1002 * FRAME_T, 4);
    drain(START + 1002 * FRAME + RECORD_WAIT);
    assert_int_equal(piece.start, 7 * FRAME_T);
    stop(START + 1060 * FRAME);
    assert_int_equal(n_frames, 3);
    assert_int_equal(end_at, 65 * FRAME_T);
}

/* Nobody ever spoke: a gap as long as it took. */
static void test_nothing_heard(void **state)
{
    (void)state;
    stop(START + 10 * US_PER_S);
    assert_int_equal(end_at, 10 * FILE_OPUS_RATE);
    assert_int_equal(n_frames, 0);
}

static void test_malformed(void **state)
{
    (void)state;
    const uint8_t bad[] = {0xfb, 0};
    push(START, 1, 0, 1);
    assert_int_equal(record_timeline_push(&t, START + FRAME, 2, FRAME_T, bad, sizeof(bad)), 0);
    assert_int_equal(record_timeline_push(&t, START + FRAME, 2, FRAME_T, NULL, 0), 0);
    assert_int_equal(t.stats.malformed, 2);
    stop(START + 2 * FRAME);
    assert_int_equal(end_at, 2 * FRAME_T);
}

static void test_no_memory(void **state)
{
    (void)state;
    const uint8_t payload[] = {31 << 3, 0, 0, 0, 2};
    push(START, 1, 0, 1);
    mem_fail_at(1);
    assert_int_equal(record_timeline_push(&t, START + FRAME, 2, FRAME_T, payload, 5), -ENOMEM);
    mem_fail_at(0);
    push(START + 2 * FRAME, 3, 2 * FRAME_T, 3);
    stop(START + 3 * FRAME);
    assert_int_equal(n_frames, 2);
    assert_int_equal(end_at, 3 * FRAME_T);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_clean_line),
        TEST(test_loss),
        TEST(test_reordered_and_doubled),
        TEST(test_everything_at_once),
        TEST(test_wait_is_bounded),
        TEST(test_held_is_bounded),
        TEST(test_silence),
        TEST(test_burst_after_a_stall),
        TEST(test_restart),
        TEST(test_stray),
        TEST(test_timestamps_that_cannot_be_meant),
        TEST(test_late_beginning),
        TEST(test_beginning_before_a_jump),
        TEST(test_timestamps_that_stood_still),
        TEST(test_source_that_stood_still),
        TEST(test_last_word_after_a_stall),
        TEST(test_pause),
        TEST(test_nothing_heard),
        TEST(test_malformed),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
