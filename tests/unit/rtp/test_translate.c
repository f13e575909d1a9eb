/* One outgoing stream made of many sources: no number twice, no jump, order kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rtp/sequence.h"
#include "rtp/translate.h"

#define RATE     48000
#define FRAME    960
#define FRAME_US (20 * US_PER_MS)

static struct rtp_translator t;
static uint16_t out_seq;
static uint32_t out_ts;

static int put(uint32_t ssrc, uint16_t seq, uint32_t ts, mono_us now)
{
    return rtp_translate(&t, ssrc, seq, ts, now, RATE, &out_seq, &out_ts);
}

static void expect(uint32_t ssrc, uint16_t seq, uint32_t ts, mono_us now, uint16_t want_seq,
                   uint32_t want_ts)
{
    assert_int_equal(put(ssrc, seq, ts, now), 0);
    assert_int_equal(out_seq, want_seq);
    assert_int_equal(out_ts, want_ts);
}

static void pass_over(uint32_t ssrc, uint16_t seq)
{
    rtp_translator_skip(&t, ssrc, seq);
}

static void the_first_packet_has_the_first_numbers(void **state)
{
    (void)state;
    rtp_translator_init(&t, 9, 1000, 5000);
    expect(1, 65535, 77, 123456789, 1000, 5000);
    expect(1, 0, 77 + FRAME, 123456789 + FRAME_US, 1001, 5000 + FRAME);
}

static void reordered_and_lost_packets_keep_their_place(void **state)
{
    mono_us now = 0;
    (void)state;
    rtp_translator_init(&t, 9, 65534, 0);
    expect(1, 100, 0, now, 65534, 0);
    expect(1, 103, 3 * FRAME, now, 1, 3 * FRAME);
    expect(1, 101, 1 * FRAME, now, 65535, 1 * FRAME);
    expect(1, 102, 2 * FRAME, now, 0, 2 * FRAME);
    expect(1, 103, 3 * FRAME, now, 1, 3 * FRAME); /* a duplicate stays one */
    assert_int_equal(put(1, 99, 0, now), RTP_E_OLD);
}

static void a_new_source_follows_the_last(void **state)
{
    mono_us now = US_PER_S;
    (void)state;
    rtp_translator_init(&t, 9, 10, 0);
    expect(1, 500, 8000, now, 10, 0);
    expect(1, 501, 8000 + FRAME, now + FRAME_US, 11, FRAME);
    /* 100 ms later, another source with numbers of its own */
    now += FRAME_US + 100 * US_PER_MS;
    expect(2, 40000, 123, now, 12, FRAME + 4800);
    expect(2, 40001, 123 + FRAME, now + FRAME_US, 13, FRAME + 4800 + FRAME);
    /* what the new source sent before is from before the switch */
    assert_int_equal(put(2, 39999, 123 - FRAME, now + FRAME_US), RTP_E_OLD);
    /* a straggler of the old one does not switch back, not even when it is newer */
    assert_int_equal(put(1, 502, 8000 + 2 * FRAME, now + FRAME_US), RTP_E_OLD);
    expect(2, 40002, 123 + 2 * FRAME, now + 2 * FRAME_US, 14, FRAME + 4800 + 2 * FRAME);
    /* much later it may speak again */
    now += US_PER_S;
    expect(1, 520, 99999, now, 15, FRAME + 4800 + 2 * FRAME + 46080);
}

static void an_expected_source_joins_whatever_its_ssrc(void **state)
{
    mono_us now = US_PER_S;
    (void)state;
    rtp_translator_init(&t, 9, 10, 0);
    rtp_translator_expect_source(&t); /* before the first one: nothing new */
    expect(1, 500, 8000, now, 10, 0);
    rtp_translator_expect_source(&t);
    expect(1, 500, 8000, now + FRAME_US, 11, FRAME);
    rtp_translator_expect_source(&t);
    expect(2, 7, 7, now + 2 * FRAME_US, 12, 2 * FRAME);
    /* nobody is a straggler who was not exchanged by himself */
    expect(1, 501, 0, now + 3 * FRAME_US, 13, 3 * FRAME);
    assert_int_equal(put(2, 8, 8, now + 3 * FRAME_US), RTP_E_OLD);
}

static void timestamps_move_even_when_no_time_passes(void **state)
{
    (void)state;
    rtp_translator_init(&t, 9, 10, 50);
    expect(1, 500, 8000, 0, 10, 50);
    expect(2, 7, 1, 0, 11, 51);
}

static void a_restart_takes_two_packets(void **state)
{
    mono_us now = 0;
    (void)state;
    rtp_translator_init(&t, 9, 0, 0);
    expect(1, 1000, 0, now, 0, 0);
    now += FRAME_US;
    assert_int_equal(put(1, 20000, 5, now), RTP_E_JUMP);
    /* a stray alone changes nothing */
    expect(1, 1001, FRAME, now, 1, FRAME);
    assert_int_equal(put(1, 20001, 5, now), RTP_E_JUMP);
    now += FRAME_US;
    expect(1, 20002, 77, now, 2, 2 * FRAME);
    expect(1, 20003, 77 + FRAME, now + FRAME_US, 3, 3 * FRAME);
    assert_int_equal(put(1, 20001, 5, now), RTP_E_OLD);
    assert_int_equal(put(1, 1002, 5, now), RTP_E_JUMP);
}

static void a_jump_of_the_source_clock_is_levelled(void **state)
{
    mono_us now = 0;
    (void)state;
    rtp_translator_init(&t, 9, 0, 0);
    expect(1, 1, 1000, now, 0, 0);
    now += FRAME_US;
    expect(1, 2, 3000000000u, now, 1, FRAME);
    now += FRAME_US;
    expect(1, 3, 3000000000u + FRAME, now, 2, 2 * FRAME);
    now += FRAME_US;
    expect(1, 4, 17, now, 3, 3 * FRAME);
    /* DTX: 400 ms of silence is not a jump */
    now += 400 * US_PER_MS;
    expect(1, 5, 17 + 19200, now, 4, 3 * FRAME + 19200);
    /* a telephone-event holds its timestamp for seconds, and the audio then goes on */
    for (unsigned i = 0; i < 200; i++) {
        now += FRAME_US;
        expect(1, (uint16_t)(6 + i), 17 + 19200, now, (uint16_t)(5 + i), 3 * FRAME + 19200);
    }
    expect(1, 206, 17 + 19200 + 200 * FRAME, now, 205, 3 * FRAME + 19200 + 200 * FRAME);
}

/* Property: over many wraps, switches, losses and reorderings, an out number belongs to one source
 * packet, order within a source is kept, and time moves with the clock. */
static void a_long_life_never_repeats_a_number(void **state)
{
    static uint64_t owner[65536]; /* which source packet had the number last */
    static uint64_t at[65536];    /* and in which step */
    struct rng rng;
    uint32_t ssrc = 1;
    uint64_t truth = 0;
    mono_us now = 0;
    uint16_t start = 0;
    uint32_t ts_start = 0;
    unsigned given = 0;
    (void)state;
    rng_init_seeded(&rng, 3550);
    memset(owner, 0, sizeof(owner));
    memset(at, 0, sizeof(at));
    rtp_translator_init(&t, 9, 40000, 0xfff00000);
    for (uint64_t step = 1; step <= 400000; step++) {
        now += FRAME_US;
        if (rng_below(&rng, 2000) == 0) { /* another source */
            ssrc++;
            truth = 0;
            start = (uint16_t)rng_u32(&rng);
            ts_start = rng_u32(&rng);
        }
        truth += rng_below(&rng, 20) == 0 ? 1 + rng_below(&rng, 199) : 1;
        uint64_t back = rng_below(&rng, 10) == 0 ? rng_below(&rng, 60) : 0;
        if (back > truth)
            continue;
        uint64_t number = truth - back;
        if (number % 17 == 3) { /* holds nothing; sometimes several in a row are lost or late */
            pass_over(ssrc, (uint16_t)(start + number));
            continue;
        }
        uint16_t before = t.last_seq;
        uint32_t ts_before = t.last_ts;
        int err = put(ssrc, (uint16_t)(start + number), ts_start + (uint32_t)number * FRAME, now);
        if (err) {
            assert_int_equal(err, RTP_E_OLD);
            assert_true(back > 0);
            continue;
        }
        given++;
        uint64_t id = (uint64_t)ssrc << 32 | number;
        if (at[out_seq] && step - at[out_seq] < 3000)
            assert_true(owner[out_seq] == id);
        owner[out_seq] = id;
        at[out_seq] = step;
        if (!back) {
            assert_true(rtp_seq_is_newer(out_seq, before));
            assert_true(given == 1 || rtp_ts_is_newer(out_ts, ts_before));
            assert_true((uint16_t)(out_seq - before) <= 1000);
        }
    }
    assert_true(given > 360000);
}

static void a_skipped_packet_leaves_no_gap(void **state)
{
    (void)state;
    rtp_translator_init(&t, 9, 65534, 0);
    pass_over(1, 65530); /* nothing was joined: it means nothing */
    expect(1, 65533, 0, 0, 65534, 0);
    pass_over(1, 65534);
    expect(1, 65535, FRAME, FRAME_US, 65535, FRAME);
    pass_over(1, 0);
    pass_over(1, 1);
    pass_over(1, 1); /* once is enough */
    pass_over(2, 2); /* somebody else's */
    expect(1, 2, 2 * FRAME, 2 * FRAME_US, 0, 2 * FRAME);
    expect(1, 3, 3 * FRAME, 3 * FRAME_US, 1, 3 * FRAME);
    /* and it has no number afterwards either, while the others keep theirs */
    assert_int_equal(put(1, 1, FRAME, 3 * FRAME_US), RTP_E_OLD);
    assert_int_equal(put(1, 65534, FRAME, 3 * FRAME_US), RTP_E_OLD);
    expect(1, 65535, FRAME, 3 * FRAME_US, 65535, FRAME);
}

static void packets_around_a_skipped_one_keep_their_order(void **state)
{
    (void)state;
    rtp_translator_init(&t, 9, 10, 0);
    expect(1, 100, 0, 0, 10, 0);
    pass_over(1, 103); /* overtook 101 and 102 */
    expect(1, 105, 4 * FRAME, 0, 14, 4 * FRAME);
    pass_over(1, 106);
    expect(1, 102, 2 * FRAME, 0, 12, 2 * FRAME);
    expect(1, 101, 1 * FRAME, 0, 11, 1 * FRAME);
    expect(1, 107, 5 * FRAME, 0, 15, 5 * FRAME);
    expect(1, 104, 3 * FRAME, 0, 13, 3 * FRAME);
    assert_int_equal(put(1, 99, 0, 0), RTP_E_OLD);
}

static void a_skipped_packet_that_is_late_stays_a_gap(void **state)
{
    (void)state;
    rtp_translator_init(&t, 9, 10, 0);
    expect(1, 100, 0, 0, 10, 0);
    expect(1, 102, FRAME, 0, 12, FRAME);
    pass_over(1, 101); /* 12 is told by now */
    expect(1, 103, 2 * FRAME, 0, 13, 2 * FRAME);
    /* one that is far off moves nothing */
    pass_over(1, (uint16_t)(103 + RTP_TRANSLATE_MAX_DROPOUT + 1));
    expect(1, 104, 3 * FRAME, 0, 14, 3 * FRAME);
}

static void what_was_skipped_is_forgotten_with_what_it_shifted(void **state)
{
    (void)state;
    rtp_translator_init(&t, 9, 0, 0);
    for (uint16_t n = 0; n < 10; n++)
        expect(1, n, n * FRAME, n * FRAME_US, n, n * FRAME);
    pass_over(1, 10);
    expect(1, 20, 20 * FRAME, 20 * FRAME_US, 19, 20 * FRAME);
    expect(1, 73, 73 * FRAME, 73 * FRAME_US, 72, 73 * FRAME);
    expect(1, 9, 9 * FRAME, 73 * FRAME_US, 9, 9 * FRAME); /* 63 back, one of them skipped */
    expect(1, 74, 74 * FRAME, 74 * FRAME_US, 73, 74 * FRAME);
    assert_int_equal(put(1, 10, 10 * FRAME, 74 * FRAME_US), RTP_E_OLD);
    assert_int_equal(put(1, 9, 9 * FRAME, 74 * FRAME_US), RTP_E_OLD);
    expect(1, 11, 11 * FRAME, 74 * FRAME_US, 10, 11 * FRAME);
    /* and a long silence: nothing of the old side has a place, the window has */
    pass_over(1, 75);
    expect(1, 200, 200 * FRAME, 200 * FRAME_US, 198, 200 * FRAME);
    assert_int_equal(put(1, 74, 74 * FRAME, 200 * FRAME_US), RTP_E_OLD);
    expect(1, 137, 137 * FRAME, 200 * FRAME_US, 135, 137 * FRAME);
}

/* The receiver counts how often the numbers wrapped by what it gets (RFC 3711 §3.3.1): whoever
 * sends nothing but padding, in leaps, must not carry the stream round without it. */
static void padding_alone_does_not_carry_the_numbers_away(void **state)
{
    uint16_t seq = 100;
    (void)state;
    rtp_translator_init(&t, 9, 10, 0);
    expect(1, seq, 0, 0, 10, 0);
    for (unsigned i = 0; i < 15; i++)
        pass_over(1, seq = (uint16_t)(seq + RTP_TRANSLATE_MAX_DROPOUT));
    /* and the next speaker, on the same stream, is heard */
    assert_int_equal(put(2, 7, 0, US_PER_S), 0);
    assert_in_range(out_seq, 11, 11 + RTP_TRANSLATE_MAX_DROPOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_packet_has_the_first_numbers),
        cmocka_unit_test(reordered_and_lost_packets_keep_their_place),
        cmocka_unit_test(a_new_source_follows_the_last),
        cmocka_unit_test(an_expected_source_joins_whatever_its_ssrc),
        cmocka_unit_test(timestamps_move_even_when_no_time_passes),
        cmocka_unit_test(a_restart_takes_two_packets),
        cmocka_unit_test(a_jump_of_the_source_clock_is_levelled),
        cmocka_unit_test(a_skipped_packet_leaves_no_gap),
        cmocka_unit_test(packets_around_a_skipped_one_keep_their_order),
        cmocka_unit_test(a_skipped_packet_that_is_late_stays_a_gap),
        cmocka_unit_test(what_was_skipped_is_forgotten_with_what_it_shifted),
        cmocka_unit_test(padding_alone_does_not_carry_the_numbers_away),
        cmocka_unit_test(a_long_life_never_repeats_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
