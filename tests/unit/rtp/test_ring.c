/* The resend ring: byte for byte, against a list that forgets nothing; limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "rtp/ring.h"

#define FRAME (20 * US_PER_MS)
#define LATER (50 * US_PER_MS)

static struct rtp_ring r;

static int begin(void **state)
{
    (void)state;
    return rtp_ring_init(&r);
}

static int end(void **state)
{
    (void)state;
    rtp_ring_deinit(&r);
    rtp_ring_deinit(&r); /* twice is legal */
    return 0;
}

/* The content of a packet follows from its number. */
static void fill(uint8_t *buf, uint16_t seq, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)(seq * 31 + i * 7 + (seq >> 8));
}

static void put(uint16_t seq, size_t len, mono_us now)
{
    uint8_t buf[1500];
    fill(buf, seq, len);
    rtp_ring_put(&r, seq, buf, len, now);
}

static bool resend(uint16_t seq, size_t len, mono_us now)
{
    uint8_t expected[1500];
    size_t ret_len = 0;
    const uint8_t *data = rtp_ring_resend(&r, seq, now, &ret_len);
    if (!data)
        return false;
    fill(expected, seq, len);
    assert_int_equal(ret_len, len);
    assert_memory_equal(data, expected, len);
    return true;
}

static void a_packet_comes_back_as_it_went(void **state)
{
    (void)state;
    put(65535, 120, 0);
    put(0, 1, FRAME);
    put(1, RTP_RING_MAX_PACKET, 2 * FRAME);
    assert_true(resend(65535, 120, 100 * US_PER_MS));
    assert_true(resend(0, 1, 100 * US_PER_MS));
    assert_true(resend(1, RTP_RING_MAX_PACKET, 100 * US_PER_MS));
    assert_false(resend(2, 0, 100 * US_PER_MS));
    assert_int_equal(r.resent, 3);
    assert_int_equal(r.gone, 1);
}

static void what_does_not_fit_is_not_kept(void **state)
{
    (void)state;
    put(1, RTP_RING_MAX_PACKET + 1, 0);
    put(2, 0, 0);
    assert_false(resend(1, 0, LATER));
    assert_false(resend(2, 0, LATER));
    assert_int_equal(r.gone, 2);
}

static void not_at_once_and_not_for_ever(void **state)
{
    (void)state;
    put(7, 100, 0);
    assert_false(resend(7, 100, RTP_RING_INTERVAL - US_PER_MS)); /* it has only just been sent */
    assert_true(resend(7, 100, RTP_RING_INTERVAL));
    assert_false(resend(7, 100, 2 * RTP_RING_INTERVAL - US_PER_MS));
    assert_true(resend(7, 100, 2 * RTP_RING_INTERVAL));
    assert_true(resend(7, 100, 3 * RTP_RING_INTERVAL));
    assert_false(resend(7, 100, 4 * RTP_RING_INTERVAL)); /* RTP_RING_MAX_RESENDS */
    assert_int_equal(r.limited, 3);
    assert_int_equal(r.resent, 3);
    assert_int_equal(r.missed, 1);
}

static void old_packets_are_of_no_use(void **state)
{
    (void)state;
    put(7, 100, 5 * US_PER_S);
    put(8, 100, 5 * US_PER_S);
    assert_true(resend(7, 100, 5 * US_PER_S + RTP_RING_MAX_AGE));
    assert_false(resend(8, 100, 5 * US_PER_S + RTP_RING_MAX_AGE + US_PER_MS));
    assert_int_equal(r.gone, 1);
}

static void it_holds_what_the_header_says(void **state)
{
    (void)state;
    /* 22 packets of 116 bytes; the 23rd pushes out the first */
    for (uint16_t i = 0; i < 22; i++)
        put(i, 116, 0);
    assert_true(resend(0, 116, LATER));
    put(22, 116, 0);
    assert_false(resend(0, 116, 2 * LATER));
    assert_true(resend(1, 116, 2 * LATER));
    /* small ones: the table is the limit */
    for (uint16_t i = 100; i < 100 + RTP_RING_PACKETS; i++)
        put(i, 8, 0);
    assert_true(resend(100, 8, LATER));
    put(200, 8, 0);
    assert_false(resend(100, 8, 2 * LATER));
    assert_true(resend(101, 8, 2 * LATER));
}

/* Any mixture of lengths: the newest packets are there, whole, and they are a run without holes. */
static void random_lengths_never_mix(void **state)
{
    enum { N = 20000 };
    static size_t lens[N];
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 7);
    for (unsigned i = 0; i < N; i++) {
        bool is_long = rng_below(&rng, 4) == 0;
        lens[i] = 1 + rng_below(&rng, is_long ? RTP_RING_MAX_PACKET : 200);
        put((uint16_t)i, lens[i], 0);
        rtp_budget_fill(&r.budget, RTP_RING_BURST);
        assert_true(resend((uint16_t)i, lens[i], LATER));
        if (i % 50)
            continue;
        rtp_budget_fill(&r.budget, RTP_RING_BYTES * 2);
        size_t bytes = 0;
        unsigned back = 1;
        for (; back < i; back++) {
            size_t len;
            const uint8_t *data = rtp_ring_resend(&r, (uint16_t)(i - back), 2 * LATER, &len);
            if (!data)
                break;
            uint8_t expected[RTP_RING_MAX_PACKET];
            fill(expected, (uint16_t)(i - back), lens[i - back]);
            assert_int_equal(len, lens[i - back]);
            assert_memory_equal(data, expected, len);
            bytes += len;
        }
        assert_true(bytes + lens[i] <= RTP_RING_BYTES);
        assert_true(back <= RTP_RING_PACKETS);
        /* half of the room is used at least, unless the table was the limit */
        if (i > 100)
            assert_true(back == RTP_RING_PACKETS || bytes + lens[i] > RTP_RING_BYTES / 2);
    }
}

/* n packets of 100 bytes, of which one in `every` is asked for. @return given out */
static unsigned lose(unsigned n, unsigned every)
{
    unsigned given = 0;
    for (unsigned i = 1; i <= n; i++) {
        put((uint16_t)i, 100, i * FRAME);
        given += i % every == 0 && resend((uint16_t)i, 100, i * FRAME + RTP_RING_INTERVAL);
    }
    return given;
}

static void what_is_sent_again_is_a_share_of_the_stream(void **state)
{
    const unsigned burst = RTP_RING_BURST / 100;
    (void)state;
    assert_int_equal(lose(1000, 5), 200); /* 20 % */
    assert_int_equal(r.limited, 0);
    assert_int_equal(r.missed, 200);
    unsigned given = lose(1000, 1); /* all of it */
    assert_in_range(given, 1000 * RTP_RING_SHARE / 256, 1000 * RTP_RING_SHARE / 256 + burst);
    assert_int_equal(r.limited, 1000 - given);
    assert_int_equal(r.missed, 1200); /* so much the line loses, whatever we do about it */
    r.is_full = true;
    given = lose(1000, 5);
    assert_in_range(given, 1000 * RTP_RING_SHARE_FULL / 256,
                    1000 * RTP_RING_SHARE_FULL / 256 + burst);
}

static void one_byte_in_the_way_is_enough(void **state)
{
    (void)state;
    put(1, 1, 0);
    for (uint16_t i = 2; i < 5; i++)
        put(i, RTP_RING_MAX_PACKET, 0);
    put(5, RTP_RING_MAX_PACKET - 1, 0);
    assert_true(resend(1, 1, LATER)); /* full to the last byte */
    put(6, 1, 0);
    assert_false(resend(1, 1, 2 * LATER));
    assert_true(resend(2, RTP_RING_MAX_PACKET, 2 * LATER));
    put(7, 1, 0);
    assert_false(resend(2, RTP_RING_MAX_PACKET, 3 * LATER));
    assert_true(resend(6, 1, 3 * LATER));
    assert_true(resend(5, RTP_RING_MAX_PACKET - 1, 3 * LATER));
}

static void without_memory_every_call_is_legal(void **state)
{
    struct rtp_ring none = {0};
    size_t len;
    (void)state;
    mem_fail_at(1);
    assert_int_equal(rtp_ring_init(&none), -ENOMEM);
    mem_fail_at(0);
    rtp_ring_put(&none, 1, (const uint8_t *)"x", 1, 0);
    assert_null(rtp_ring_resend(&none, 1, LATER, &len));
    rtp_ring_deinit(&none);
    assert_int_equal(none.gone, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_packet_comes_back_as_it_went),
        TEST(what_does_not_fit_is_not_kept),
        TEST(not_at_once_and_not_for_ever),
        TEST(old_packets_are_of_no_use),
        TEST(it_holds_what_the_header_says),
        TEST(random_lengths_never_mix),
        TEST(one_byte_in_the_way_is_enough),
        TEST(what_is_sent_again_is_a_share_of_the_stream),
        cmocka_unit_test(without_memory_every_call_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
