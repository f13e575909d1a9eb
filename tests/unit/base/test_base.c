/* The base types: limits, wrap-around and the error paths that the rest of the tree relies on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/text.h"
#include "base/timer_heap.h"

static void reader_stays_failed_past_the_end(void **state)
{
    const uint8_t data[] = {1, 2, 3};
    struct bytes_reader r = bytes_reader(data, sizeof(data));
    (void)state;
    assert_int_equal(bytes_get16(&r), 0x0102);
    assert_int_equal(bytes_get16(&r), 0);
    assert_true(r.failed);
    assert_int_equal(bytes_get8(&r), 0);
}

static void writer_leaves_out_what_does_not_fit(void **state)
{
    uint8_t buf[5] = {0};
    struct bytes_writer w = bytes_writer(buf, 4);
    (void)state;
    bytes_put16(&w, 0xabcd);
    bytes_put32(&w, 1);
    assert_true(w.failed);
    assert_int_equal(w.len, 2);
    assert_int_equal(buf[2], 0);
}

static void numbers_are_strict(void **state)
{
    uint64_t v = 7;
    (void)state;
    assert_true(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    const char *bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_to_u64(str_of(bad[i]), UINT64_MAX, &v));
    assert_false(str_to_u64(STR("65536"), UINT16_MAX, &v));
}

static void words_and_parts(void **state)
{
    struct str rest = STR("  a bb\tc ");
    (void)state;
    assert_true(str_eq(str_take_word(&rest), STR("a")));
    assert_true(str_eq(str_take_word(&rest), STR("bb")));
    assert_true(str_eq(str_take_word(&rest), STR("c")));
    assert_int_equal(str_take_word(&rest).len, 0);
    rest = STR("k:v:w");
    assert_true(str_eq(str_take_until(&rest, ':'), STR("k")));
    assert_true(str_eq(rest, STR("v:w")));
}

static void addresses_round_trip(void **state)
{
    static const struct {
        const char *text;
        bool is_unicast, is_v4;
    } rows[] = {
        {"192.0.2.1:5000", true, true},   {"[2001:db8::1]:5000", true, false},
        {"0.0.0.0:5000", false, true},    {"[::]:5000", false, false},
        {"224.0.0.1:5000", false, true},  {"255.255.255.255:5000", false, true},
        {"[ff02::1]:5000", false, false}, {"192.0.2.1:0", false, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;
        char buf[ADDR_TEXT_MAX];
        assert_true(addr_parse(str_of(rows[i].text), &a));
        assert_string_equal(addr_write(&a, buf), rows[i].text);
        assert_int_equal(addr_is_unicast(&a), rows[i].is_unicast);
        assert_int_equal(addr_is_v4(&a), rows[i].is_v4);
    }
    struct addr a;
    const char *bad[] = {"",      "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536",
                         "[::1]", "[::1]5",  "x:1",      "1.2.3:4"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(addr_parse(str_of(bad[i]), &a));
}

static void host_and_port_are_split(void **state)
{
    static const struct {
        const char *text, *host; /* host NULL = refused */
        uint16_t port;
    } rows[] = {
        {"stun.example.org", "stun.example.org", 3478},
        {"stun.example.org:19302", "stun.example.org", 19302},
        {"192.0.2.1:1", "192.0.2.1", 1},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535},
        {"[2001:db8::1]", "2001:db8::1", 3478},
        {"", NULL, 0},
        {":1", NULL, 0},
        {"[]:1", NULL, 0},
        {"[", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]x", NULL, 0},
        {"[::1]:", NULL, 0},
        {"a:", NULL, 0},
        {"a:0", NULL, 0},
        {"a:65536", NULL, 0},
        {"a:b", NULL, 0},
        {"2001:db8::1", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str host = STR("");
        uint16_t port = 0;
        bool ok = addr_split(str_of(rows[i].text), 3478, &host, &port);
        if (ok != (rows[i].host != NULL) || !str_eq(host, str_of(rows[i].host)) ||
            port != rows[i].port)
            fail_msg("\"%s\"", rows[i].text);
    }
}

static void text_overflow_is_remembered(void **state)
{
    char buf[8];
    struct text t;
    (void)state;
    text_init(&t, buf, sizeof(buf));
    text_printf(&t, "%d", 12345);
    text_put(&t, STR("abc"));
    assert_true(t.failed);
    assert_string_equal(buf, "12345");
    text_put(&t, STR("z"));
    assert_string_equal(buf, "12345");
}

struct item {
    uint32_t key;
    struct timer timer;
};

static const void *item_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(uint32_t);
    return &((const struct item *)value)->key;
}

static void map_keeps_what_a_reference_keeps(void **state)
{
    enum { N = 500 };
    static struct item items[N];
    static bool in[N];
    struct rng rng;
    struct map m;
    (void)state;
    rng_init_seeded(&rng, 1);
    map_init(&m, item_key, &rng);
    for (uint32_t i = 0; i < N; i++)
        items[i].key = i;
    for (int step = 0; step < 20000; step++) {
        uint32_t i = rng_below(&rng, N);
        if (in[i])
            assert_ptr_equal(map_remove(&m, &items[i].key, 4), &items[i]);
        else
            assert_int_equal(map_insert(&m, &items[i]), 0);
        in[i] = !in[i];
        uint32_t j = rng_below(&rng, N);
        assert_ptr_equal(map_find(&m, &j, 4), in[j] ? &items[j] : NULL);
    }
    size_t n = 0, cursor = 0;
    while (map_next(&m, &cursor))
        n++;
    assert_int_equal(n, m.n);
    map_deinit(&m);
}

static void map_survives_a_failed_allocation(void **state)
{
    struct item item = {.key = 1};
    struct rng rng;
    struct map m;
    (void)state;
    rng_init_seeded(&rng, 1);
    map_init(&m, item_key, &rng);
    mem_fail_at(1);
    assert_int_equal(map_insert(&m, &item), -ENOMEM);
    mem_fail_at(0);
    assert_null(map_find(&m, &item.key, 4));
    assert_int_equal(map_insert(&m, &item), 0);
    assert_ptr_equal(map_find(&m, &item.key, 4), &item);
    map_deinit(&m);
}

static void timers_come_out_in_order(void **state)
{
    enum { N = 300 };
    static struct item items[N];
    struct timer_heap h;
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 2);
    timer_heap_init(&h);
    assert_int_equal(timer_heap_reserve(&h, N), 0);
    for (int step = 0; step < 5000; step++) {
        struct item *item = &items[rng_below(&rng, N)];
        timer_heap_set(&h, &item->timer,
                       rng_below(&rng, 4) ? (mono_us)rng_below(&rng, 1000) : MONO_NEVER);
    }
    mono_us last = 0;
    size_t n = h.n;
    for (struct timer *t; (t = timer_heap_pop(&h, 500)); n--) {
        assert_true(t->at >= last && t->at <= 500);
        assert_int_equal(t->index, 0);
        last = t->at;
    }
    assert_int_equal(h.n, n);
    assert_true(timer_heap_next(&h) > 500);
    timer_heap_deinit(&h);
}

static void ice_chars_are_ice_chars(void **state)
{
    char buf[33];
    struct rng rng;
    (void)state;
    rng_init_system(&rng);
    rng_ice_chars(&rng, buf, 32);
    assert_int_equal(
        strspn(buf, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), 32);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&rng, 3) < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_stays_failed_past_the_end),
        cmocka_unit_test(writer_leaves_out_what_does_not_fit),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(words_and_parts),
        cmocka_unit_test(addresses_round_trip),
        cmocka_unit_test(host_and_port_are_split),
        cmocka_unit_test(text_overflow_is_remembered),
        cmocka_unit_test(map_keeps_what_a_reference_keeps),
        cmocka_unit_test(map_survives_a_failed_allocation),
        cmocka_unit_test(timers_come_out_in_order),
        cmocka_unit_test(ice_chars_are_ice_chars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
