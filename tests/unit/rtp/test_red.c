/* RFC 2198 bytes by hand, hostile lengths, and which lost packets redundancy gives back under which
 * numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rtp/red.h"
#include "support/red_write.h"

#define PT    111
#define FRAME 960

/* RFC 2198 §7 shows a DVI4 primary (5) with a redundant LPC block (7); here with short blocks. */
static const uint8_t two_blocks[] = {
    0x80 | 7, 0x0f, 0x00, 0x03, /* offset 960 = 0x3c0: 00001111 000000|00 00000011 */
    5,                          /* */
    'a',      'b',  'c',        /* redundant */
    'd',      'e',              /* primary */
};

static void a_payload_is_taken_apart(void **state)
{
    struct rtp_red red;
    (void)state;
    assert_int_equal(rtp_red_parse(two_blocks, sizeof(two_blocks), &red), 0);
    assert_int_equal(red.n_blocks, 2);
    assert_int_equal(red.blocks[0].pt, 7);
    assert_int_equal(red.blocks[0].offset, 960);
    assert_int_equal(red.blocks[0].len, 3);
    assert_ptr_equal(red.blocks[0].data, two_blocks + 5);
    assert_int_equal(rtp_red_primary(&red)->pt, 5);
    assert_int_equal(rtp_red_primary(&red)->offset, 0);
    assert_int_equal(rtp_red_primary(&red)->len, 2);
    assert_ptr_equal(rtp_red_primary(&red)->data, two_blocks + 8);
}

static void extreme_fields_are_read(void **state)
{
    uint8_t data[5 + RTP_RED_MAX_LEN] = {0xff, 0xff, 0xff, 0xff, 0x7f};
    struct rtp_red red;
    (void)state;
    assert_int_equal(rtp_red_parse(data, sizeof(data), &red), 0);
    assert_int_equal(red.blocks[0].pt, 127);
    assert_int_equal(red.blocks[0].offset, RTP_RED_MAX_OFFSET);
    assert_int_equal(red.blocks[0].len, RTP_RED_MAX_LEN);
    assert_int_equal(rtp_red_primary(&red)->len, 0); /* legal: nothing but redundancy */
    assert_int_equal(rtp_red_parse(data, sizeof(data) - 1, &red), RTP_E_TRUNCATED);
}

static void what_goes_past_the_end_is_refused(void **state)
{
    struct rtp_red red = {.n_blocks = 77};
    (void)state;
    /* each prefix in memory of its own length, for the sanitizer */
    for (size_t len = 0; len < sizeof(two_blocks) - 2; len++) {
        uint8_t *data = malloc(len ? len : 1);
        assert_non_null(data);
        memcpy(data, two_blocks, len);
        assert_int_equal(rtp_red_parse(data, len, &red), RTP_E_TRUNCATED);
        assert_int_equal(red.n_blocks, 77); /* untouched */
        free(data);
    }
    assert_int_equal(rtp_red_parse(two_blocks, sizeof(two_blocks) - 2, &red), 0);
}

static void too_many_blocks_are_refused(void **state)
{
    uint8_t data[4 * RTP_RED_MAX_BLOCKS + 1] = {0};
    struct rtp_red red;
    (void)state;
    for (size_t i = 0; i < RTP_RED_MAX_BLOCKS; i++)
        data[4 * i] = 0x80 | PT;
    assert_int_equal(rtp_red_parse(data, sizeof(data), &red), RTP_E_MALFORMED);
    assert_int_equal(rtp_red_parse(data + 4, sizeof(data) - 4, &red), 0);
    assert_int_equal(red.n_blocks, RTP_RED_MAX_BLOCKS);
}

static void what_is_written_is_read(void **state)
{
    static const uint8_t long_one[RTP_RED_MAX_LEN + 1];
    const struct rtp_red_block blocks[] = {
        {PT, RTP_RED_MAX_OFFSET + 1, (const uint8_t *)"too old", 7},
        {PT, RTP_RED_MAX_OFFSET, (const uint8_t *)"old", 3},
        {PT, 1920, long_one, sizeof(long_one)}, /* too long */
        {PT, 960, long_one, RTP_RED_MAX_LEN},
        {PT, 0, (const uint8_t *)"primary", 7},
    };
    uint8_t buf[2048];
    struct rtp_red red;
    (void)state;
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    red_write(&w, blocks, ARRAY_LEN(blocks));
    assert_false(w.failed);
    assert_int_equal(rtp_red_parse(buf, w.len, &red), 0);
    assert_int_equal(red.n_blocks, 3);
    const unsigned kept[] = {1, 3, 4};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(red.blocks[i].pt, PT);
        assert_int_equal(red.blocks[i].offset, blocks[kept[i]].offset);
        assert_int_equal(red.blocks[i].len, blocks[kept[i]].len);
        assert_memory_equal(red.blocks[i].data, blocks[kept[i]].data, red.blocks[i].len);
    }
    /* byte for byte */
    const struct rtp_red_block two[] = {
        {7, 960, (const uint8_t *)"abc", 3},
        {5, 12345, (const uint8_t *)"de", 2}, /* a primary has no offset */
    };
    w = bytes_writer(buf, sizeof(two_blocks));
    red_write(&w, two, 2);
    assert_int_equal(w.len, sizeof(two_blocks));
    assert_memory_equal(buf, two_blocks, sizeof(two_blocks));
    /* one byte too few: nothing */
    w = bytes_writer(buf, sizeof(two_blocks) - 1);
    red_write(&w, two, 2);
    assert_true(w.failed);
    assert_int_equal(w.len, 0);
    /* primary alone */
    w = bytes_writer(buf, sizeof(buf));
    red_write(&w, two + 1, 1);
    assert_int_equal(w.len, 3);
    assert_memory_equal(buf,
                        "\x05"
                        "de",
                        3);
}

/* --- recovery --- */

static struct rtp_red_recovery r;
static struct rtp_red_recovered got;

/* A frame is a number and when it was spoken; its payload tells both. */
struct frame {
    uint16_t seq;
    uint32_t ts;
};

static const uint8_t *payload_of(uint32_t ts)
{
    static uint8_t payloads[64][4];
    static unsigned next;
    uint8_t *p = payloads[next++ % 64];
    put_be32(p, ts);
    return p;
}

/* One packet with redundancy of the given offsets, oldest first; 0 ends the list. */
static int receive(struct frame f, const uint16_t *offsets)
{
    struct rtp_red red = {.n_blocks = 0};
    for (; offsets && *offsets; offsets++)
        red.blocks[red.n_blocks++] =
            (struct rtp_red_block){PT, *offsets, payload_of(f.ts - *offsets), 4};
    red.blocks[red.n_blocks++] = (struct rtp_red_block){PT, 0, payload_of(f.ts), 4};
    return rtp_red_recover(&r, f.seq, f.ts, &red, &got);
}

#define OFFSETS(...)                                                                               \
    (const uint16_t[])                                                                             \
    {                                                                                              \
        __VA_ARGS__, 0                                                                             \
    }

/* Number i of a stream without silences; numbers and timestamps wrap on the way. */
static struct frame even(int i)
{
    return (struct frame){(uint16_t)(65530 + i), 0xffffe000 + (uint32_t)i * FRAME};
}

static void expect(const struct frame *frames, unsigned n)
{
    assert_int_equal(got.n, n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(got.packets[i].seq, frames[i].seq);
        assert_int_equal(got.packets[i].timestamp, frames[i].ts);
        assert_int_equal(got.packets[i].len, 4);
        assert_int_equal(get_be32(got.packets[i].data), frames[i].ts);
    }
}

#define EXPECT(...)                                                                                \
    do {                                                                                           \
        const struct frame expected[] = {__VA_ARGS__};                                             \
        expect(expected, ARRAY_LEN(expected));                                                     \
    } while (0)

static void begin(void)
{
    rtp_red_recovery_init(&r, PT);
    for (int i = -3; i <= 0; i++) {
        assert_int_equal(receive(even(i), OFFSETS(2 * FRAME, FRAME)), 0);
        assert_int_equal(got.n, 0); /* nothing from before the beginning, nothing that came */
    }
}

static void one_lost_packet_comes_with_the_next(void **state)
{
    (void)state;
    for (int at = 1; at < 12; at++) {
        begin();
        for (int i = 1; i < at; i++)
            assert_int_equal(receive(even(i), OFFSETS(FRAME)), 0);
        assert_int_equal(receive(even(at + 1), OFFSETS(FRAME)), 0);
        EXPECT(even(at));
        assert_int_equal(receive(even(at + 2), OFFSETS(FRAME)), 0);
        assert_int_equal(got.n, 0);
    }
}

static void two_lost_packets_come_in_order(void **state)
{
    (void)state;
    begin();
    assert_int_equal(receive(even(3), OFFSETS(2 * FRAME, FRAME)), 0);
    EXPECT(even(1), even(2));
    /* more lost than there is redundancy for: the rest stays lost */
    assert_int_equal(receive(even(8), OFFSETS(2 * FRAME, FRAME)), 0);
    EXPECT(even(6), even(7));
    /* until something reaches further back */
    assert_int_equal(receive(even(9), OFFSETS(5 * FRAME, 4 * FRAME)), 0);
    EXPECT(even(4), even(5));
}

static void a_number_is_given_back_once(void **state)
{
    (void)state;
    begin();
    assert_int_equal(receive(even(2), OFFSETS(FRAME)), 0);
    EXPECT(even(1));
    assert_int_equal(receive(even(3), OFFSETS(2 * FRAME, FRAME)), 0);
    assert_int_equal(got.n, 0);
    assert_int_equal(receive(even(1), OFFSETS(FRAME)), RTP_E_OLD); /* it was only late */
    assert_int_equal(got.n, 0);
    assert_int_equal(receive(even(3), NULL), RTP_E_OLD); /* a duplicate */
}

static void a_late_packet_is_new_and_may_bring_more(void **state)
{
    (void)state;
    begin();
    assert_int_equal(receive(even(4), NULL), 0);
    assert_int_equal(receive(even(3), OFFSETS(2 * FRAME, FRAME)), 0);
    EXPECT(even(1), even(2));
}

static void a_late_packet_off_the_line_is_not_counted_from(void **state)
{
    (void)state;
    begin();
    assert_int_equal(receive(even(4), NULL), 0);
    assert_int_equal(
        receive((struct frame){even(3).seq, even(3).ts + FRAME}, OFFSETS(2 * FRAME, FRAME)), 0);
    assert_int_equal(got.n, 0);
}

static void the_one_before_the_first_is_new(void **state)
{
    (void)state;
    rtp_red_recovery_init(&r, PT);
    assert_int_equal(receive(even(1), OFFSETS(2 * FRAME, FRAME)), 0);
    assert_int_equal(receive(even(0), OFFSETS(2 * FRAME, FRAME)), 0);
    assert_int_equal(got.n, 0);
    assert_int_equal(receive(even(0), NULL), RTP_E_OLD);
    assert_int_equal(receive(even(1), NULL), RTP_E_OLD);
    assert_int_equal(receive(even(2), OFFSETS(3 * FRAME, 2 * FRAME, FRAME)), 0);
    assert_int_equal(got.n, 0);
}

static void plain_packets_take_part(void **state)
{
    (void)state;
    rtp_red_recovery_init(&r, PT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rtp_red_recover(&r, even(i).seq, even(i).ts, NULL, &got), 0);
    assert_int_equal(receive(even(5), OFFSETS(2 * FRAME, FRAME)), 0);
    EXPECT(even(3), even(4));
}

static void one_odd_step_is_not_the_frame(void **state)
{
    const uint32_t talk = even(0).ts + 3 * FRAME;
    struct frame f = even(0);
    (void)state;
    begin();
    assert_int_equal(receive((struct frame){even(1).seq, talk}, NULL), 0);
    assert_int_equal(
        receive((struct frame){even(4).seq, talk + 3 * FRAME}, OFFSETS(2 * FRAME, FRAME)), 0);
    EXPECT({even(2).seq, talk + FRAME}, {even(3).seq, talk + 2 * FRAME});
    /* nor is the rhythm of comfort noise: every 400 ms */
    begin();
    for (int i = 1; i <= 4; i++) {
        f = (struct frame){(uint16_t)(f.seq + 1), f.ts + 20 * FRAME};
        assert_int_equal(receive(f, NULL), 0);
    }
    f = (struct frame){(uint16_t)(f.seq + 3), f.ts + 10 * FRAME};
    assert_int_equal(receive(f, OFFSETS(2 * FRAME, FRAME)), 0);
    EXPECT({(uint16_t)(f.seq - 2), f.ts - 2 * FRAME}, {(uint16_t)(f.seq - 1), f.ts - FRAME});
}

/* DTX: the sender was silent, numbers go on, timestamps jump. */
static void a_silence_does_not_shift_numbers(void **state)
{
    const uint32_t talk = even(1).ts + 40 * FRAME;
    (void)state;
    /* the last frame before the silence was lost: one number, one block in the gap */
    begin();
    assert_int_equal(
        receive((struct frame){even(2).seq, even(1).ts + 16 * FRAME}, OFFSETS(16 * FRAME)), 0);
    EXPECT(even(1));
    /* the first after the silence was lost */
    begin();
    assert_int_equal(receive((struct frame){even(2).seq, talk}, OFFSETS(FRAME)), 0);
    EXPECT({even(1).seq, talk - FRAME});
    /* the first two were: the chain of blocks says so */
    begin();
    assert_int_equal(receive((struct frame){even(3).seq, talk}, OFFSETS(2 * FRAME, FRAME)), 0);
    EXPECT({even(1).seq, talk - 2 * FRAME}, {even(2).seq, talk - FRAME});
    /* one on either side: only what follows without a hole is certain */
    begin();
    assert_int_equal(
        receive((struct frame){even(3).seq, even(1).ts + 10 * FRAME}, OFFSETS(10 * FRAME, FRAME)),
        0);
    EXPECT({even(2).seq, even(1).ts + 9 * FRAME});
    /* a hole before the packet: two blocks, two frames, no way to tell */
    begin();
    assert_int_equal(receive((struct frame){even(4).seq, talk}, OFFSETS(3 * FRAME, 2 * FRAME)), 0);
    assert_int_equal(got.n, 0);
    /* one missing number, two blocks that claim it */
    begin();
    assert_int_equal(receive((struct frame){even(2).seq, talk}, OFFSETS(3 * FRAME, 2 * FRAME)), 0);
    assert_int_equal(got.n, 0);
    /* in the silence the frame before it is no longer the number before */
    begin();
    assert_int_equal(receive((struct frame){even(1).seq, talk}, OFFSETS(FRAME)), 0);
    assert_int_equal(got.n, 0);
}

static void before_the_frame_is_known_a_single_gap_is_enough(void **state)
{
    (void)state;
    rtp_red_recovery_init(&r, PT);
    assert_int_equal(receive(even(0), NULL), 0);
    assert_int_equal(receive(even(2), OFFSETS(FRAME)), 0);
    EXPECT(even(1));
    assert_int_equal(receive(even(5), OFFSETS(2 * FRAME, FRAME)), 0);
    assert_int_equal(got.n, 0); /* two, and nothing to measure them with */
}

static void the_frame_may_change(void **state)
{
    struct frame f = even(0);
    (void)state;
    begin();
    for (int i = 1; i <= 4; i++) {
        f = (struct frame){(uint16_t)(f.seq + 1), f.ts + 3 * FRAME};
        assert_int_equal(receive(f, OFFSETS(3 * FRAME)), 0);
        assert_int_equal(got.n, 0);
    }
    const struct frame first = {(uint16_t)(f.seq + 1), f.ts + 3 * FRAME};
    const struct frame second = {(uint16_t)(f.seq + 2), f.ts + 6 * FRAME};
    assert_int_equal(receive((struct frame){(uint16_t)(f.seq + 3), f.ts + 9 * FRAME},
                             OFFSETS(6 * FRAME, 3 * FRAME)),
                     0);
    EXPECT(first, second);
}

static void a_frame_of_another_length_is_not_guessed(void **state)
{
    (void)state;
    begin();
    /* 1.5 frames back on an even line: nothing was there */
    assert_int_equal(receive(even(4), OFFSETS(FRAME + FRAME / 2)), 0);
    assert_int_equal(got.n, 0);
}

static void other_types_and_empty_blocks_give_nothing(void **state)
{
    const struct rtp_red_block hostile[] = {
        {PT + 1, FRAME, (const uint8_t *)"x", 1}, /* another codec */
        {PT, FRAME, (const uint8_t *)"", 0},      /* empty */
        {PT, 0, (const uint8_t *)"x", 1},         /* at the time of the primary */
        {PT, RTP_RED_MAX_OFFSET, (const uint8_t *)"x", 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        begin();
        struct rtp_red red = {.n_blocks = 2, .blocks = {hostile[i], {PT, 0, payload_of(0), 4}}};
        assert_int_equal(rtp_red_recover(&r, even(2).seq, even(2).ts, &red, &got), 0);
        assert_int_equal(got.n, 0);
    }
}

static void blocks_in_the_wrong_order_are_not_believed(void **state)
{
    (void)state;
    begin();
    assert_int_equal(receive(even(4), OFFSETS(FRAME, 2 * FRAME, 3 * FRAME)), 0);
    EXPECT(even(1)); /* seen from the packet the first; those before it are nearer, and skipped */
    begin();
    assert_int_equal(receive(even(3), OFFSETS(FRAME, FRAME)), 0);
    EXPECT(even(2));
}

static void telephone_events_do_not_confuse_it(void **state)
{
    struct frame f = even(0);
    (void)state;
    begin();
    /* RFC 4733: one timestamp for the whole event */
    for (int i = 1; i <= 5; i++) {
        f = (struct frame){even(i).seq, even(1).ts};
        assert_int_equal(rtp_red_recover(&r, f.seq, f.ts, NULL, &got), 0);
    }
    assert_int_equal(receive(even(7), OFFSETS(FRAME)), 0);
    EXPECT(even(6));
}

static void far_jumps_start_anew(void **state)
{
    (void)state;
    begin();
    assert_int_equal(receive(even(RTP_RED_WINDOW), OFFSETS(FRAME)), 0);
    assert_int_equal(got.n, 0);
    assert_int_equal(receive(even(RTP_RED_WINDOW + 2), OFFSETS(FRAME)), 0);
    EXPECT(even(RTP_RED_WINDOW + 1));
    /* one from long ago is a straggler; two in sequence are a restart */
    assert_int_equal(receive(even(-70), NULL), 0);
    assert_int_equal(receive(even(RTP_RED_WINDOW + 4), OFFSETS(FRAME)), 0);
    EXPECT(even(RTP_RED_WINDOW + 3));
    assert_int_equal(receive(even(-70), NULL), 0);
    assert_int_equal(receive(even(-69), NULL), 0);
    assert_int_equal(receive(even(-67), OFFSETS(FRAME)), 0);
    EXPECT(even(-68));
}

/* A sender with silences, two redundant blocks, loss and reordering: whatever is given back is what
 * was sent under that number, and no number goes out twice. */
static void random_streams_are_never_given_wrong_numbers(void **state)
{
    enum { N = 60000 };
    static uint32_t ts_of[65536];
    static uint8_t times_out[N];
    struct rng rng;
    unsigned lost = 0, recovered = 0;
    uint32_t ts = 0xfff00000;
    (void)state;
    rng_init_seeded(&rng, 42);
    rtp_red_recovery_init(&r, PT);
    uint32_t last_ts[2] = {0, 0};
    unsigned delayed = N; /* a packet that waits for its successor */
    struct frame held = {0, 0};
    uint16_t held_offsets[3] = {0};
    for (unsigned i = 0; i < N; i++) {
        ts += FRAME * (rng_below(&rng, 20) == 0 ? 1 + rng_below(&rng, 30) : 1);
        ts_of[i] = ts;
        uint16_t offsets[3] = {0};
        unsigned n = 0;
        for (unsigned k = 0; k < 2; k++) {
            if (i >= 2 && ts - last_ts[k] <= RTP_RED_MAX_OFFSET)
                offsets[n++] = (uint16_t)(ts - last_ts[k]);
        }
        last_ts[0] = last_ts[1];
        last_ts[1] = ts;
        uint32_t fate = rng_below(&rng, 100);
        if (i > 0 && fate < 10) {
            lost++;
            continue;
        }
        if (i > 0 && fate < 13 && delayed == N) {
            delayed = i;
            held = (struct frame){(uint16_t)i, ts};
            memcpy(held_offsets, offsets, sizeof(offsets));
            continue;
        }
        for (unsigned pass = 0; pass < 2; pass++) {
            unsigned self = pass ? delayed : i;
            if (self == N)
                continue;
            int err = pass ? receive(held, held_offsets)
                           : receive((struct frame){(uint16_t)i, ts}, offsets);
            for (unsigned k = 0; k < got.n; k++) {
                uint16_t seq = got.packets[k].seq;
                assert_int_equal(got.packets[k].timestamp, ts_of[seq]);
                assert_int_equal(get_be32(got.packets[k].data), ts_of[seq]);
                assert_int_equal(times_out[seq]++, 0);
                recovered++;
            }
            if (err == 0)
                assert_int_equal(times_out[self]++, 0);
            if (pass)
                delayed = N;
        }
    }
    /* two blocks against ten per cent of random loss: nearly all of it */
    assert_true(recovered > lost * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_is_taken_apart),
        cmocka_unit_test(extreme_fields_are_read),
        cmocka_unit_test(what_goes_past_the_end_is_refused),
        cmocka_unit_test(too_many_blocks_are_refused),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(one_lost_packet_comes_with_the_next),
        cmocka_unit_test(two_lost_packets_come_in_order),
        cmocka_unit_test(a_number_is_given_back_once),
        cmocka_unit_test(a_late_packet_is_new_and_may_bring_more),
        cmocka_unit_test(a_late_packet_off_the_line_is_not_counted_from),
        cmocka_unit_test(the_one_before_the_first_is_new),
        cmocka_unit_test(plain_packets_take_part),
        cmocka_unit_test(one_odd_step_is_not_the_frame),
        cmocka_unit_test(a_silence_does_not_shift_numbers),
        cmocka_unit_test(before_the_frame_is_known_a_single_gap_is_enough),
        cmocka_unit_test(the_frame_may_change),
        cmocka_unit_test(a_frame_of_another_length_is_not_guessed),
        cmocka_unit_test(other_types_and_empty_blocks_give_nothing),
        cmocka_unit_test(blocks_in_the_wrong_order_are_not_believed),
        cmocka_unit_test(telephone_events_do_not_confuse_it),
        cmocka_unit_test(far_jumps_start_anew),
        cmocka_unit_test(random_streams_are_never_given_wrong_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
