/* Packets come out as they went in, in order, from another thread too; a full ring drops. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/packet_ring.h"

static uint8_t content(unsigned n, size_t i)
{
    return (uint8_t)(n * 31 + i * 7 + (n >> 8));
}

static size_t length(unsigned n)
{
    return n * 37 % (PACKET_RING_MAX_PACKET + 1);
}

static bool push(struct packet_ring *ring, unsigned n)
{
    uint8_t buf[PACKET_RING_MAX_PACKET];
    for (size_t i = 0; i < length(n); i++)
        buf[i] = content(n, i);
    return packet_ring_push(ring, (mono_us)n, buf, length(n));
}

/* @return false: none there */
static bool pop(struct packet_ring *ring, unsigned n)
{
    mono_us at = -1;
    size_t len = 0;
    const uint8_t *data = packet_ring_peek(ring, &at, &len);
    if (!data)
        return false;
    assert_int_equal(at, n);
    assert_int_equal(len, length(n));
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data[i], content(n, i));
    packet_ring_pop(ring);
    return true;
}

static void test_order(void **state)
{
    (void)state;
    struct packet_ring *ring = packet_ring_new(PACKET_RING_MIN);
    for (unsigned n = 0; n < 5000; n++) {
        assert_true(push(ring, n));
        assert_true(pop(ring, n));
        assert_false(pop(ring, n + 1));
    }
    packet_ring_unref(ring);
}

static void test_full(void **state)
{
    (void)state;
    struct packet_ring *ring = packet_ring_new(PACKET_RING_MIN);
    for (unsigned round = 0; round < 100; round++) {
        unsigned in = 0, out = 0;
        while (push(ring, in))
            in++;
        assert_int_equal(packet_ring_n_dropped(ring), round + 1);
        assert_true(in >= 2);
        while (pop(ring, out))
            out++;
        assert_int_equal(in, out);
    }
    packet_ring_unref(ring);
}

static void test_too_long(void **state)
{
    (void)state;
    static const uint8_t data[PACKET_RING_MAX_PACKET + 1];
    struct packet_ring *ring = packet_ring_new(PACKET_RING_MIN);
    mono_us at;
    size_t len;
    assert_false(packet_ring_push(ring, 0, data, sizeof(data)));
    assert_int_equal(packet_ring_n_dropped(ring), 1);
    assert_null(packet_ring_peek(ring, &at, &len));
    packet_ring_unref(ring);
}

#define N 20000

static void *write_all(void *arg)
{
    struct packet_ring *ring = arg;
    for (unsigned n = 0; n < N; n++) {
        while (!push(ring, n))
            (void)sched_yield();
    }
    packet_ring_unref(ring);
    return NULL;
}

static void test_two_threads(void **state)
{
    (void)state;
    pthread_t writer;
    struct packet_ring *ring = packet_ring_new(PACKET_RING_MIN);
    assert_int_equal(pthread_create(&writer, NULL, write_all, packet_ring_ref(ring)), 0);
    for (unsigned n = 0; n < N; n++) {
        while (!pop(ring, n))
            (void)sched_yield();
    }
    pthread_join(writer, NULL);
    packet_ring_unref(ring);
}

static void test_no_memory(void **state)
{
    (void)state;
    mem_fail_at(1);
    assert_null(packet_ring_new(PACKET_RING_MIN));
    mem_fail_at(0);
    packet_ring_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),     cmocka_unit_test(test_full),
        cmocka_unit_test(test_too_long),  cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
