/* Shares of time, not of packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/level.h"

#define BEGIN (1000 * US_PER_S)

/* Packets of this level every `gap`, until `end`. */
static void speak(struct rtp_level *l, mono_us begin, mono_us end, mono_us gap, uint8_t level_db)
{
    for (mono_us now = begin; now < end; now += gap) {
        if (rtp_level_is_due(l, now))
            rtp_level_take(l, now, (struct rtp_audio_level){.level_db = level_db});
    }
}

static void ten_readings_a_second(void **state)
{
    struct rtp_level l = {0};
    (void)state;
    speak(&l, BEGIN, BEGIN + 10 * US_PER_S, 20 * US_PER_MS, 30);
    assert_int_equal(l.counts.n, 100);
    assert_int_equal(l.counts.n_talk, 100);
    assert_int_equal(l.counts.sum_db, 3000);
    assert_int_equal(l.counts.talk_sum_db, 3000);
    assert_int_equal(l.counts.talk_ms, 10000);
    assert_int_equal(l.counts.silent_ms, 0);
    assert_int_equal(l.now_db, 30);
}

static void the_limit_between_talk_and_silence(void **state)
{
    struct rtp_level l = {0};
    (void)state;
    rtp_level_take(&l, BEGIN, (struct rtp_audio_level){.level_db = RTP_LEVEL_TALK_DB});
    assert_int_equal(l.counts.n_talk, 1);
    rtp_level_take(&l, BEGIN, (struct rtp_audio_level){.level_db = RTP_LEVEL_TALK_DB + 1});
    assert_int_equal(l.counts.n_talk, 1);
}

/* Half a minute of talk, half a minute of DTX with a packet every 400 ms: half, not 94 %. */
static void discontinuous_transmission_is_silence(void **state)
{
    struct rtp_level l = {0};
    (void)state;
    speak(&l, BEGIN, BEGIN + 30 * US_PER_S, 20 * US_PER_MS, 30);
    speak(&l, BEGIN + 30 * US_PER_S, BEGIN + 60 * US_PER_S, 400 * US_PER_MS, 127);
    assert_in_range(l.counts.talk_ms, 29800, 30200);
    assert_in_range(l.counts.silent_ms, 29400, 30200);
}

/* The first packet after a long pause is loud: the pause was silence all the same. */
static void a_pause_before_a_word_is_no_talk(void **state)
{
    struct rtp_level l = {0};
    (void)state;
    rtp_level_take(&l, BEGIN, (struct rtp_audio_level){.level_db = 127});
    rtp_level_take(&l, BEGIN + 5 * US_PER_S, (struct rtp_audio_level){.level_db = 20});
    assert_int_equal(l.counts.talk_ms, RTP_LEVEL_HOLD / US_PER_MS);
    assert_int_equal(l.counts.talk_ms + l.counts.silent_ms, 5100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_readings_a_second),
        cmocka_unit_test(the_limit_between_talk_and_silence),
        cmocka_unit_test(discontinuous_transmission_is_silence),
        cmocka_unit_test(a_pause_before_a_word_is_no_talk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
