/* Packets come out in the order of their times, whole, and memory that runs out loses one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "impair/waiting.h"

static void packets_come_out_when_they_are_due(void **state)
{
    static const mono_us times[] = {30, 10, 20, 40};
    struct impair_waiting w;
    struct impair_packet *packet;
    (void)state;
    impair_waiting_init(&w);
    assert_int_equal(impair_waiting_next(&w), MONO_NEVER);
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        assert_int_equal(impair_waiting_put(&w, times[i], NULL, IMPAIR_DOWN, &times[i], 8), 0);
    assert_int_equal(impair_waiting_next(&w), 10);
    assert_null(impair_waiting_take(&w, 9));
    for (mono_us at = 10; at <= 30; at += 10) {
        packet = impair_waiting_take(&w, 30);
        assert_non_null(packet);
        assert_int_equal(packet->len, 8);
        assert_int_equal(packet->direction, IMPAIR_DOWN);
        assert_memory_equal(packet->data, &at, 8);
        mem_free(packet);
    }
    assert_null(impair_waiting_take(&w, 39));
    impair_waiting_deinit(&w); /* with one left */
}

static void many_packets_keep_their_order(void **state)
{
    struct impair_waiting w;
    struct rng rng;
    mono_us last = -1;
    (void)state;
    rng_init_seeded(&rng, 3);
    impair_waiting_init(&w);
    for (unsigned i = 0; i < 5000; i++) {
        mono_us at = rng_below(&rng, 1000000);
        assert_int_equal(impair_waiting_put(&w, at, NULL, IMPAIR_UP, "", 0), 0);
    }
    for (unsigned i = 0; i < 5000; i++) {
        struct impair_packet *packet = impair_waiting_take(&w, US_PER_S);
        assert_non_null(packet);
        assert_true(packet->due.at >= last);
        last = packet->due.at;
        mem_free(packet);
    }
    impair_waiting_deinit(&w);
}

static void too_many_are_refused(void **state)
{
    struct impair_waiting w;
    (void)state;
    impair_waiting_init(&w);
    for (unsigned i = 0; i < IMPAIR_MAX_WAITING; i++)
        assert_int_equal(impair_waiting_put(&w, i, NULL, IMPAIR_UP, "x", 1), 0);
    assert_int_equal(impair_waiting_put(&w, 0, NULL, IMPAIR_UP, "x", 1), -ENOBUFS);
    mem_free(impair_waiting_take(&w, 0));
    assert_int_equal(impair_waiting_put(&w, 0, NULL, IMPAIR_UP, "x", 1), 0);
    impair_waiting_deinit(&w);
}

static void no_memory_keeps_nothing(void **state)
{
    struct impair_waiting w;
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        impair_waiting_init(&w);
        mem_fail_at(n);
        assert_int_equal(impair_waiting_put(&w, 5, NULL, IMPAIR_UP, "x", 1), -ENOMEM);
        mem_fail_at(0);
        assert_int_equal(impair_waiting_next(&w), MONO_NEVER);
        assert_int_equal(impair_waiting_put(&w, 5, NULL, IMPAIR_UP, "x", 1), 0);
        impair_waiting_deinit(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_come_out_when_they_are_due),
        cmocka_unit_test(many_packets_keep_their_order),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(no_memory_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
