/* The line of what new legs sent: order, fairness, and both bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "engine/setup_queue.h"
#include "log/counters.h"

enum { MANY = SETUP_QUEUE_MAX + 20 };

struct bench {
    struct setup_queue q;
    struct setup_leg legs[MANY];
    uint64_t n_dropped_before;
};

static uint64_t n_dropped(void)
{
    uint64_t values[COUNTER_N];
    counter_snapshot(values);
    return values[COUNTER_DROP_SETUP];
}

static int begin(void **state)
{
    static struct bench bench;
    assert_int_equal(setup_queue_init(&bench.q), 0);
    for (size_t i = 0; i < MANY; i++)
        setup_leg_init(&bench.legs[i]);
    bench.n_dropped_before = n_dropped();
    *state = &bench;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;
    setup_queue_deinit(&b->q);
    return 0;
}

/* A datagram with a number, whose buffer is gone at once. */
static void put(struct bench *b, size_t leg, uint32_t number)
{
    uint8_t bytes[4];
    put_be32(bytes, number);
    const struct dgram d = {.remote = addr_v4(192, 0, 2, 1, (uint16_t)leg),
                            .local = addr_v4(192, 0, 2, 2, 1),
                            .data = bytes,
                            .len = sizeof(bytes),
                            .cap = sizeof(bytes)};
    setup_queue_put(&b->q, &b->legs[leg], &d);
}

static void expect(struct bench *b, size_t leg, uint32_t number)
{
    struct dgram d;
    assert_ptr_equal(setup_queue_take(&b->q, &d), &b->legs[leg]);
    assert_int_equal(d.len, 4);
    assert_int_equal(get_be32(d.data), number);
    assert_int_equal(d.remote.port, leg);
    assert_int_equal(d.local.port, 1);
}

static void expect_nothing(struct bench *b)
{
    struct dgram d;
    assert_true(setup_queue_is_empty(&b->q));
    assert_null(setup_queue_take(&b->q, &d));
}

static void a_leg_keeps_its_order_and_legs_take_turns(void **state)
{
    struct bench *b = *state;
    expect_nothing(b);
    for (uint32_t i = 0; i < 3; i++)
        put(b, 0, i);
    put(b, 1, 10);
    put(b, 2, 20);
    expect(b, 0, 0);
    expect(b, 1, 10);
    put(b, 1, 11); /* back to the end of the line */
    expect(b, 2, 20);
    expect(b, 0, 1);
    expect(b, 1, 11);
    expect(b, 0, 2);
    expect_nothing(b);
    assert_int_equal(n_dropped(), b->n_dropped_before);
}

/* One leg sends as much as it can; another one's single datagram is the second to be served. What
 * came first stays: a flight is nothing without its beginning. */
static void a_flood_of_one_leg_hurts_itself_only(void **state)
{
    struct bench *b = *state;
    enum { FLOOD = 10000 };
    for (uint32_t i = 0; i < FLOOD; i++) {
        put(b, 0, i);
        if (i == FLOOD / 2)
            put(b, 1, 1);
    }
    assert_int_equal(n_dropped() - b->n_dropped_before, FLOOD - SETUP_QUEUE_PER_LEG);
    expect(b, 0, 0);
    expect(b, 1, 1);
    for (uint32_t i = 1; i < SETUP_QUEUE_PER_LEG; i++)
        expect(b, 0, i);
    expect_nothing(b);
}

static void without_room_the_oldest_goes(void **state)
{
    struct bench *b = *state;
    for (uint32_t i = 0; i < MANY; i++)
        put(b, i, i);
    assert_int_equal(n_dropped() - b->n_dropped_before, MANY - SETUP_QUEUE_MAX);
    for (uint32_t i = MANY - SETUP_QUEUE_MAX; i < MANY; i++)
        expect(b, i, i);
    expect_nothing(b);
}

/* The bytes that were given out are not overwritten by what comes meanwhile. */
static void what_was_taken_lives_until_the_next_one(void **state)
{
    struct bench *b = *state;
    struct dgram d;
    put(b, 0, 77);
    assert_non_null(setup_queue_take(&b->q, &d));
    for (uint32_t i = 0; i < MANY; i++)
        put(b, i, 0xffffffff);
    assert_int_equal(get_be32(d.data), 77);
}

static void a_leg_that_ends_is_forgotten(void **state)
{
    struct bench *b = *state;
    for (int round = 0; round < SETUP_QUEUE_MAX; round++) { /* its items can be used again */
        for (uint32_t i = 0; i < SETUP_QUEUE_PER_LEG; i++)
            put(b, 0, i);
        put(b, 1, 10);
        setup_queue_forget(&b->q, &b->legs[0]);
        setup_queue_forget(&b->q, &b->legs[0]);
        expect(b, 1, 10);
        expect_nothing(b);
    }
    assert_int_equal(n_dropped(), b->n_dropped_before);
}

static void no_memory_is_said(void **state)
{
    struct setup_queue q;
    (void)state;
    mem_fail_at(1);
    assert_int_equal(setup_queue_init(&q), -ENOMEM);
    mem_fail_at(0);
    setup_queue_deinit(&q);
    setup_queue_deinit(&q);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_leg_keeps_its_order_and_legs_take_turns),
        TEST(a_flood_of_one_leg_hurts_itself_only),
        TEST(without_room_the_oldest_goes),
        TEST(what_was_taken_lives_until_the_next_one),
        TEST(a_leg_that_ends_is_forgotten),
        cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
