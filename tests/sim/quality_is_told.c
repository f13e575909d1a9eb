/* How a call sounds and whose line is to blame: each line's own trouble, and nothing of the
 * other's. Whatever one side's line does to the packets, they arrive at the other side, too, and
 * are in its reports. */
#include <string.h>

#include "relay/quality.h"
#include "sim/bench/bench.h"

#define FRAME (20 * US_PER_MS)

/* One direction of one line: what happens to its RTP. */
struct line {
    struct bench_loss loss;
    mono_us delay;
    mono_us hold; /* packets come together, as from a busy Wi-Fi; 0 = each by itself */
};

static struct line up[2], down[2]; /* by browser */
static struct bench *b;
static struct relay_quality asker;
static struct relay_quality_report report;
static struct relay_hearing hearing[2];
static uint16_t seqs[2];
static uint32_t timestamps[2];

static bool impair(struct bench *bench, struct bench_dgram *d)
{
    struct line *line = NULL;
    for (unsigned i = 0; i < 2; i++) {
        if (addr_equal(&d->from, &bench->addrs[i]))
            line = &up[i];
        if (addr_equal(&d->to, &bench->addrs[i]))
            line = &down[i];
    }
    if (!line)
        return true;
    d->at += line->delay;
    if (!rtp_is_rtp(d->data, d->len)) /* the call stands */
        return true;
    if (line->hold)
        d->at += line->hold - d->at % line->hold;
    return !bench_loses(bench, &line->loss);
}

static void begin(bool nack)
{
    struct bench_browser browsers[2] = {bench_chromium, bench_firefox};
    browsers[0].nack = browsers[1].nack = nack;
    memset(up, 0, sizeof(up));
    memset(down, 0, sizeof(down));
    memset(hearing, 0, sizeof(hearing));
    memset(seqs, 0, sizeof(seqs));
    memset(timestamps, 0, sizeof(timestamps));
    b = bench_new();
    bench_set_up(b, browsers);
    assert_true(bench_connect(b, 5 * US_PER_S));
    b->filter = impair;
    relay_quality_init(&asker);
}

static const struct peer *leg(unsigned i)
{
    return &b->legs[i]->peer;
}

static void end(void)
{
    bench_free(b);
}

static void speak(unsigned i)
{
    static const uint8_t opus[80] = {0x78};
    bench_send(b, i, b->browsers[i]->local_ssrc, seqs[i]++, timestamps[i], opus, sizeof(opus));
}

/* Both send for so long; browser i only every gap[i], 0 = not at all. */
static void talk_gaps(mono_us time, const mono_us gap[2])
{
    mono_us until = b->now + time;
    for (unsigned n = 0; b->now < until; n++) {
        for (unsigned i = 0; i < 2; i++) {
            timestamps[i] += 960;
            if (gap[i] && (mono_us)n * FRAME % gap[i] == 0)
                speak(i);
        }
        bench_run(b, b->now + FRAME);
    }
}

static void talk(mono_us time)
{
    talk_gaps(time, (const mono_us[]){FRAME, FRAME});
}

static void ask(struct relay_quality *who)
{
    struct peer_figures figures[RELAY_QUALITY_ENDS];
    for (unsigned i = 0; i < RELAY_QUALITY_ENDS; i++)
        peer_figures(leg(i), b->now, &figures[i]);
    relay_quality_ask(who, figures, hearing, &report);
}

static void end_is(unsigned i, enum rtp_grade grade, enum rtp_trouble trouble)
{
    assert_string_equal(rtp_grade_name(report.ends[i].steady.grade), rtp_grade_name(grade));
    assert_string_equal(rtp_trouble_name(report.ends[i].steady.trouble), rtp_trouble_name(trouble));
}

static void between(double value, double least, double most)
{
    if (value < least || value > most)
        fail_msg("%f is not in %f … %f", value, least, most);
}

static void a_clean_call_is_good(void **state)
{
    (void)state;
    begin(true);
    talk(30 * US_PER_S);
    ask(&asker);
    for (unsigned i = 0; i < 2; i++) {
        const struct relay_quality_end *e = &report.ends[i];
        end_is(i, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
        assert_true(e->speech.has_mos && e->has_loss_down && e->has_rtt);
        between(e->speech.mos, 4.3, 4.5);
        between((double)e->rtt, 9500, 10500);
        between(e->speech.level_db, 42, 42);
        between(e->speech.talk, 1, 1);
        between(e->loss_down_before, 0, 0);
        between((double)e->speech.interval, 29.5e6, 30.5e6);
    }
    assert_int_equal(report.blame, RTP_BLAME_NONE);
    end();
}

static void loss_on_one_uplink_blames_its_sender(void **state)
{
    (void)state;
    begin(false);
    up[0].loss.one_in = 20;
    talk(60 * US_PER_S);
    ask(&asker);
    end_is(0, RTP_GRADE_FAIR, RTP_TROUBLE_LOSS_UP);
    end_is(1, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    assert_int_equal(report.blame, RTP_BLAME_FIRST);
    between(report.ends[0].speech.loss_after, 0.035, 0.065);
    between(report.ends[0].speech.mos, 3.5, 3.9);
    between(report.ends[1].speech.mos, 4.3, 4.5);
    /* the second one's report says 5 % as well: those gaps came from the first */
    assert_true(leg(1)->report.remote.lost > 100);
    between(report.ends[1].loss_down_after, 0, 0.003);
    end();
}

static void repaired_loss_is_no_trouble(void **state)
{
    (void)state;
    begin(true);
    up[0].loss.one_in = 20;
    down[1].loss.one_in = 20;
    talk(60 * US_PER_S);
    ask(&asker);
    end_is(0, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    end_is(1, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    between(report.ends[0].speech.loss_before, 0.04, 0.06);
    between(report.ends[0].speech.loss_after, 0, 0.005);
    between(report.ends[1].loss_down_before, 0.035, 0.065);
    between(report.ends[1].loss_down_after, 0, 0.01);
    between(report.ends[0].speech.mos, 4.2, 4.5);
    end();
}

static void loss_on_one_downlink_blames_its_receiver(void **state)
{
    (void)state;
    begin(false);
    down[1].loss.one_in = 10;
    talk(60 * US_PER_S);
    ask(&asker);
    end_is(0, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    end_is(1, RTP_GRADE_POOR, RTP_TROUBLE_LOSS_DOWN);
    assert_int_equal(report.blame, RTP_BLAME_SECOND);
    /* what the first one says is heard badly all the same */
    between(report.ends[0].speech.mos, 2.7, 3.4);
    between(report.ends[1].speech.mos, 4.3, 4.5);
    end();
}

static void two_bad_lines_are_told_apart(void **state)
{
    (void)state;
    begin(false);
    up[0].loss.one_in = 5;
    down[1].loss.one_in = 10;
    talk(120 * US_PER_S);
    ask(&asker);
    between(report.ends[0].speech.loss_after, 0.18, 0.22);
    between(report.ends[1].loss_down_after, 0.085, 0.115);
    end_is(0, RTP_GRADE_POOR, RTP_TROUBLE_LOSS_UP);
    end_is(1, RTP_GRADE_POOR, RTP_TROUBLE_LOSS_DOWN);
    assert_int_equal(report.blame, RTP_BLAME_BOTH);
    end();
}

static void jitter_is_its_lines_own(void **state)
{
    (void)state;
    begin(true);
    up[0].hold = 400 * US_PER_MS;
    talk(40 * US_PER_S);
    ask(&asker);
    end_is(0, RTP_GRADE_FAIR, RTP_TROUBLE_JITTER);
    end_is(1, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    /* the ear has it, too: it is what its jitter buffer has to hold */
    assert_true(report.ends[0].speech.jitter > 25 * US_PER_MS);
    assert_true(report.ends[0].speech.mos < report.ends[1].speech.mos);
    end();
}

static void delay_is_its_lines_own(void **state)
{
    (void)state;
    begin(true);
    up[0].delay = down[0].delay = 300 * US_PER_MS;
    talk(40 * US_PER_S);
    ask(&asker);
    end_is(0, RTP_GRADE_POOR, RTP_TROUBLE_DELAY);
    end_is(1, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    assert_int_equal(report.blame, RTP_BLAME_FIRST);
    /* both hear each other late */
    between(report.ends[0].speech.mos, 2.5, 4.1);
    between(report.ends[1].speech.mos, 2.5, 4.1);
    end();
}

static void who_is_not_heard_at_all_is_told(void **state)
{
    (void)state;
    begin(true);
    talk(10 * US_PER_S);
    ask(&asker);
    talk_gaps(5 * US_PER_S, (const mono_us[]){0, FRAME});
    ask(&asker);
    end_is(0, RTP_GRADE_POOR, RTP_TROUBLE_SILENT);
    end_is(1, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    /* heard again, and after a while it is believed */
    talk(5 * US_PER_S);
    ask(&asker);
    end_is(0, RTP_GRADE_POOR, RTP_TROUBLE_SILENT);
    talk(5 * US_PER_S);
    ask(&asker);
    talk(5 * US_PER_S);
    ask(&asker);
    end_is(0, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    end();
}

static void never_heard_is_told_too(void **state)
{
    (void)state;
    begin(true);
    talk_gaps(5 * US_PER_S, (const mono_us[]){0, FRAME});
    ask(&asker);
    end_is(0, RTP_GRADE_POOR, RTP_TROUBLE_SILENT);
    assert_false(report.ends[0].speech.has_mos || report.ends[0].speech.has_level);
    end();
}

/* DTX: pauses are no trouble, and the share of talk is one of time. */
static void a_pause_with_dtx_is_a_pause(void **state)
{
    (void)state;
    begin(true);
    talk(30 * US_PER_S);
    b->level_db[0] = 127;
    talk_gaps(30 * US_PER_S, (const mono_us[]){400 * US_PER_MS, FRAME});
    ask(&asker);
    end_is(0, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    between(report.ends[0].speech.talk, 0.48, 0.52);
    between(report.ends[0].speech.level_db, 42, 42);
    between(report.ends[1].speech.talk, 1, 1);
    between(report.ends[0].speech.loss_before, 0, 0);
    end();
}

static void a_page_that_hears_badly_is_believed_where_the_lines_are_good(void **state)
{
    (void)state;
    begin(true);
    talk(10 * US_PER_S);
    hearing[1] = (struct relay_hearing){.is_known = true, .concealed = 0.3};
    ask(&asker);
    end_is(0, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    end_is(1, RTP_GRADE_POOR, RTP_TROUBLE_CONCEALED);
    assert_true(report.ends[0].speech.has_concealment);
    end();
    /* where the first one's line explains it, it stays the first one's */
    begin(false);
    up[0].loss.one_in = 5;
    talk(10 * US_PER_S);
    hearing[1] = (struct relay_hearing){.is_known = true, .concealed = 0.3};
    ask(&asker);
    end_is(0, RTP_GRADE_POOR, RTP_TROUBLE_LOSS_UP);
    end_is(1, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    end();
}

/* Where no page tells, RFC 3611's extended reports do. */
static void extended_reports_stand_in_for_the_page(void **state)
{
    struct peer_figures figures[RELAY_QUALITY_ENDS];
    (void)state;
    begin(true);
    talk(10 * US_PER_S);
    for (unsigned i = 0; i < RELAY_QUALITY_ENDS; i++)
        peer_figures(leg(i), b->now, &figures[i]);
    figures[1].down.has_discarded = true;
    figures[1].down.discarded = 64;
    relay_quality_ask(&asker, figures, hearing, &report);
    end_is(0, RTP_GRADE_GOOD, RTP_TROUBLE_NONE);
    end_is(1, RTP_GRADE_POOR, RTP_TROUBLE_CONCEALED);
    between(report.ends[0].speech.concealed, 0.25, 0.25);
    end();
}

/* A page that asks every five seconds, and the log that asks once. */
static void askers_have_their_own_intervals(void **state)
{
    struct relay_quality page;
    (void)state;
    begin(false);
    relay_quality_init(&page);
    for (unsigned n = 0; n < 8; n++) {
        up[0].loss.one_in = n < 4 ? 5 : 0;
        talk(5 * US_PER_S);
        ask(&page);
        between(report.ends[0].speech.loss_after, n < 4 ? 0.12 : 0,
                n < 4 ? 0.28 : 0.02); /* a gap is counted when it is given up */
    }
    ask(&asker);
    between(report.ends[0].speech.loss_after, 0.08, 0.12);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_call_is_good),
        cmocka_unit_test(loss_on_one_uplink_blames_its_sender),
        cmocka_unit_test(repaired_loss_is_no_trouble),
        cmocka_unit_test(loss_on_one_downlink_blames_its_receiver),
        cmocka_unit_test(two_bad_lines_are_told_apart),
        cmocka_unit_test(jitter_is_its_lines_own),
        cmocka_unit_test(delay_is_its_lines_own),
        cmocka_unit_test(who_is_not_heard_at_all_is_told),
        cmocka_unit_test(never_heard_is_told_too),
        cmocka_unit_test(a_pause_with_dtx_is_a_pause),
        cmocka_unit_test(a_page_that_hears_badly_is_believed_where_the_lines_are_good),
        cmocka_unit_test(extended_reports_stand_in_for_the_page),
        cmocka_unit_test(askers_have_their_own_intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
