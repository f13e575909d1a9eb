/* Durations by the TOC, and what fills a gap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "file/opus.h"

/* RFC 6716 §3.1: table 2, and the frame counts of codes 0 to 3. */
static void test_durations(void **state)
{
    (void)state;
    static const struct {
        uint8_t data[2];
        size_t len;
        uint32_t ticks;
    } cases[] = {
        {{0 << 3}, 1, 480},             /* SILK NB 10 ms */
        {{3 << 3}, 1, 2880},            /* SILK NB 60 ms */
        {{9 << 3}, 1, 960},             /* SILK WB 20 ms */
        {{13 << 3}, 1, 960},            /* hybrid SWB 20 ms */
        {{14 << 3}, 1, 480},            /* hybrid FB 10 ms */
        {{16 << 3}, 1, 120},            /* CELT NB 2.5 ms */
        {{31 << 3}, 1, 960},            /* CELT FB 20 ms */
        {{31 << 3 | 1}, 1, 1920},       /* two of the same size */
        {{31 << 3 | 2}, 1, 1920},       /* two */
        {{31 << 3 | 3, 6}, 2, 5760},    /* six: 120 ms */
        {{31 << 3 | 3, 7}, 2, 0},       /* 140 ms */
        {{31 << 3 | 3, 0}, 2, 0},       /* none */
        {{31 << 3 | 3}, 1, 0},          /* count missing */
        {{16 << 3 | 3, 0xf0}, 2, 5760}, /* 48 of 2.5 ms; the flags do not count */
        {{3 << 3 | 1}, 1, 5760},        /* two of 60 ms */
        {{0}, 0, 0},                    /* nothing */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(file_opus_duration(cases[i].data, cases[i].len), cases[i].ticks);
}

/* Every gap is filled up to less than a grain, whatever stood before it. */
static void test_gaps_are_filled(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 256; before++) {
        for (uint64_t gap = 0; gap < 3000; gap += 7) {
            uint64_t left = gap;
            uint32_t ticks;
            for (uint8_t toc; (ticks = file_opus_conceal((uint8_t)before, left, &toc));
                 left -= ticks) {
                assert_true(ticks <= left);
                assert_int_equal(file_opus_duration(&toc, 1), ticks);
                assert_int_equal(toc & 4, before & 4);
            }
            assert_true(left < FILE_OPUS_GRAIN);
        }
    }
}

static void test_gap_keeps_the_mode(void **state)
{
    (void)state;
    uint8_t toc = 0;
    assert_int_equal(file_opus_conceal(11 << 3, 5000, &toc), 960); /* SILK WB 60 ms before */
    assert_int_equal(toc, 9 << 3);
    assert_int_equal(file_opus_conceal(11 << 3, 700, &toc), 480);
    assert_int_equal(toc, 8 << 3);
    assert_int_equal(file_opus_conceal(15 << 3, 700, &toc), 480); /* hybrid FB */
    assert_int_equal(toc, 14 << 3);
    assert_int_equal(file_opus_conceal(20 << 3 | 4, 960, &toc), 960); /* CELT WB, stereo */
    assert_int_equal(toc, 23 << 3 | 4);
    assert_int_equal(file_opus_conceal(9 << 3, 300, &toc), 240); /* SILK has no 5 ms */
    assert_int_equal(toc, 29 << 3);
}

/* A packet that lasts as long as it says, in as many channels as before. */
static void test_silence(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 256; before++) {
        uint8_t packet[FILE_OPUS_SILENCE_LEN];
        file_opus_silence((uint8_t)before, packet);
        assert_int_equal(file_opus_duration(packet, sizeof(packet)), FILE_OPUS_SILENCE);
        assert_int_equal(packet[0] & 4, before & 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_gaps_are_filled),
        cmocka_unit_test(test_gap_keeps_the_mode),
        cmocka_unit_test(test_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
