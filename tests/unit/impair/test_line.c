/* What a line does to packets: shares, bursts, order, bandwidth; all in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "impair/line.h"

#define N_PACKETS 100000
#define INTERVAL  (20 * US_PER_MS)
#define LEN       172

static struct impair_conditions conditions;
static struct impair_line line;

/* What a run of packets met. */
static struct {
    unsigned lost, bursts, longest, doubled, held_back, overtaken;
    unsigned causes[IMPAIR_N_COUNTERS];
    mono_us min_wait, max_wait, mean_wait;
} seen;

static int setup(void **state)
{
    (void)state;
    impair_conditions_init(&conditions);
    impair_line_init(&line, 1);
    return 0;
}

static void set(enum impair_param param, int64_t value)
{
    conditions.values[param] = value;
}

static void run_packets(unsigned n, mono_us interval)
{
    unsigned burst = 0;
    mono_us newest = 0, sum = 0;
    memset(&seen, 0, sizeof(seen));
    seen.min_wait = MONO_NEVER;
    for (unsigned i = 0; i < n; i++) {
        struct impair_fate fate;
        mono_us now = US_PER_S + i * interval;
        impair_line_pass(&line, &conditions, now, LEN, &fate);
        if (fate.n == 0) {
            seen.causes[fate.cause]++;
            seen.lost++;
            seen.bursts += burst == 0;
            if (++burst > seen.longest)
                seen.longest = burst;
            continue;
        }
        burst = 0;
        seen.doubled += fate.n == 2;
        if (fate.n == 2)
            assert_true(fate.at[1] > fate.at[0]);
        seen.held_back += fate.is_held_back;
        seen.overtaken += fate.at[0] <= newest;
        newest = fate.at[0] > newest ? fate.at[0] : newest;
        mono_us wait = fate.at[0] - now;
        seen.min_wait = mono_min(seen.min_wait, wait);
        seen.max_wait = wait > seen.max_wait ? wait : seen.max_wait;
        sum += wait;
    }
    seen.mean_wait = n > seen.lost ? sum / (n - seen.lost) : 0;
}

/* Six standard deviations of what a fair generator does: one seed in a billion fails. */
static void assert_share(unsigned n, unsigned of, double share)
{
    double want = of * share;
    double allowed = 36 * of * share * (1 - share);
    double off = n - want;
    if (off * off > allowed)
        fail_msg("%u of %u, expected about %.0f", n, of, want);
}

static void a_perfect_line_changes_nothing(void **state)
{
    (void)state;
    run_packets(N_PACKETS, INTERVAL);
    assert_int_equal(seen.lost + seen.doubled + seen.held_back + seen.overtaken, 0);
    assert_int_equal(seen.max_wait, 0);
}

static void packets_of_one_moment_stay_in_order(void **state)
{
    (void)state;
    run_packets(1000, 0);
    assert_int_equal(seen.overtaken, 0);
    assert_int_equal(seen.max_wait, 999); /* a microsecond each */
}

static void single_loss_has_its_share_and_no_bursts(void **state)
{
    (void)state;
    set(IMPAIR_LOSS, IMPAIR_SHARE_ONE / 10);
    run_packets(N_PACKETS, INTERVAL);
    assert_share(seen.lost, N_PACKETS, 0.1);
    assert_int_equal(seen.causes[IMPAIR_LOST_SINGLE], seen.lost);
    assert_share(seen.bursts, N_PACKETS, 0.1 * 0.9); /* a loss whose forerunner was not lost */
    set(IMPAIR_LOSS, IMPAIR_SHARE_ONE);
    run_packets(1000, INTERVAL);
    assert_int_equal(seen.lost, 1000);
}

static void bursts_have_their_share_and_length(void **state)
{
    (void)state;
    set(IMPAIR_BURST_P, IMPAIR_SHARE_ONE / 100);
    set(IMPAIR_BURST_R, IMPAIR_SHARE_ONE / 4);
    run_packets(N_PACKETS, INTERVAL);
    assert_int_equal(seen.causes[IMPAIR_LOST_BURST], seen.lost);
    /* p / (p + r) are lost, in runs of 1 / r; the spread is that of the runs: 5 % of each. */
    double share = 0.01 / 0.26;
    assert_true(seen.lost > N_PACKETS * share * 0.85 && seen.lost < N_PACKETS * share * 1.15);
    double mean = (double)seen.lost / seen.bursts;
    assert_true(mean > 3.6 && mean < 4.4);
    assert_true(seen.longest > 12);
    set(IMPAIR_BURST_P, 0); /* ends a burst that is on */
    run_packets(1000, INTERVAL);
    assert_int_equal(seen.lost, 0);
}

static void both_kinds_of_loss_are_told_apart(void **state)
{
    (void)state;
    set(IMPAIR_LOSS, IMPAIR_SHARE_ONE / 20);
    set(IMPAIR_BURST_P, IMPAIR_SHARE_ONE / 50);
    set(IMPAIR_BURST_R, IMPAIR_SHARE_ONE / 2);
    run_packets(N_PACKETS, INTERVAL);
    assert_share(seen.causes[IMPAIR_LOST_SINGLE], N_PACKETS - seen.causes[IMPAIR_LOST_BURST], 0.05);
    assert_true(seen.causes[IMPAIR_LOST_BURST] > N_PACKETS / 40);
}

static void delay_is_the_same_for_all(void **state)
{
    (void)state;
    set(IMPAIR_DELAY, 50 * US_PER_MS);
    run_packets(1000, INTERVAL);
    assert_int_equal(seen.min_wait, 50 * US_PER_MS);
    assert_int_equal(seen.max_wait, 50 * US_PER_MS);
}

static void jitter_keeps_the_order_or_not(void **state)
{
    (void)state;
    set(IMPAIR_DELAY, 10 * US_PER_MS);
    set(IMPAIR_JITTER, 60 * US_PER_MS);
    run_packets(N_PACKETS, INTERVAL);
    assert_int_equal(seen.overtaken, 0);
    assert_true(seen.min_wait >= 10 * US_PER_MS && seen.max_wait <= 71 * US_PER_MS);

    set(IMPAIR_KEEP_ORDER, 0);
    run_packets(N_PACKETS, INTERVAL);
    assert_true(seen.overtaken > N_PACKETS / 10);
    assert_true(seen.min_wait >= 10 * US_PER_MS && seen.min_wait < 11 * US_PER_MS);
    assert_true(seen.max_wait <= 70 * US_PER_MS && seen.max_wait > 69 * US_PER_MS);
    assert_true(seen.mean_wait > 39 * US_PER_MS && seen.mean_wait < 41 * US_PER_MS);
}

static void reordering_holds_some_back(void **state)
{
    (void)state;
    set(IMPAIR_REORDER, IMPAIR_SHARE_ONE / 20);
    run_packets(N_PACKETS, INTERVAL); /* 30 ms: one packet overtakes */
    assert_share(seen.held_back, N_PACKETS, 0.05);
    assert_true(seen.overtaken > 0);
    assert_int_equal(seen.min_wait, 0);
    assert_int_equal(seen.max_wait, 30 * US_PER_MS);
}

static void doubling_has_its_share(void **state)
{
    (void)state;
    set(IMPAIR_DUPLICATE, IMPAIR_SHARE_ONE / 50);
    run_packets(N_PACKETS, INTERVAL);
    assert_share(seen.doubled, N_PACKETS, 0.02);
    assert_int_equal(seen.lost, 0);
}

/* 200 bytes with the headers, 50 a second: 80 kbit/s. */
static void bandwidth_lets_through_what_fits(void **state)
{
    (void)state;
    set(IMPAIR_RATE, 80000);
    run_packets(1000, INTERVAL);
    assert_int_equal(seen.lost, 0);
    assert_int_equal(seen.max_wait, 20 * US_PER_MS); /* the time on the wire */

    impair_line_init(&line, 1);
    set(IMPAIR_RATE, 40000);
    run_packets(10000, INTERVAL);
    assert_int_equal(seen.causes[IMPAIR_LOST_QUEUE], seen.lost);
    assert_in_range(seen.lost, 4980, 5020);
    /* at most the queue, and its own time on the wire */
    assert_true(seen.max_wait <= (200 + 40) * US_PER_MS && seen.max_wait > 200 * US_PER_MS);
}

static void an_empty_queue_carries_one_packet_at_a_time(void **state)
{
    (void)state;
    set(IMPAIR_RATE, 80000);
    set(IMPAIR_QUEUE, 0);
    run_packets(10, 0);
    assert_int_equal(seen.lost, 9);
}

static void a_blackout_loses_all_until_its_end(void **state)
{
    struct impair_fate fate;
    (void)state;
    conditions.blackout_until = 5 * US_PER_S;
    impair_line_pass(&line, &conditions, 5 * US_PER_S - 1, LEN, &fate);
    assert_int_equal(fate.n, 0);
    assert_int_equal(fate.cause, IMPAIR_LOST_BLACKOUT);
    impair_line_pass(&line, &conditions, 5 * US_PER_S, LEN, &fate);
    assert_int_equal(fate.n, 1);
    assert_int_equal(fate.at[0], 5 * US_PER_S);
}

static void the_same_seed_is_the_same_luck(void **state)
{
    struct impair_line a, b, other;
    unsigned n_different = 0;
    (void)state;
    set(IMPAIR_LOSS, IMPAIR_SHARE_ONE / 5);
    set(IMPAIR_JITTER, 10 * US_PER_MS);
    impair_line_init(&a, 7);
    impair_line_init(&b, 7);
    impair_line_init(&other, 8);
    for (unsigned i = 0; i < 1000; i++) {
        struct impair_fate fates[3];
        memset(fates, 0, sizeof(fates));
        impair_line_pass(&a, &conditions, i * INTERVAL, LEN, &fates[0]);
        impair_line_pass(&b, &conditions, i * INTERVAL, LEN, &fates[1]);
        impair_line_pass(&other, &conditions, i * INTERVAL, LEN, &fates[2]);
        assert_int_equal(fates[0].n, fates[1].n);
        assert_int_equal(fates[0].at[0], fates[1].at[0]);
        n_different += fates[0].n != fates[2].n;
    }
    assert_true(n_different > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_perfect_line_changes_nothing, setup),
        cmocka_unit_test_setup(packets_of_one_moment_stay_in_order, setup),
        cmocka_unit_test_setup(single_loss_has_its_share_and_no_bursts, setup),
        cmocka_unit_test_setup(bursts_have_their_share_and_length, setup),
        cmocka_unit_test_setup(both_kinds_of_loss_are_told_apart, setup),
        cmocka_unit_test_setup(delay_is_the_same_for_all, setup),
        cmocka_unit_test_setup(jitter_keeps_the_order_or_not, setup),
        cmocka_unit_test_setup(reordering_holds_some_back, setup),
        cmocka_unit_test_setup(doubling_has_its_share, setup),
        cmocka_unit_test_setup(bandwidth_lets_through_what_fits, setup),
        cmocka_unit_test_setup(an_empty_queue_carries_one_packet_at_a_time, setup),
        cmocka_unit_test_setup(a_blackout_loses_all_until_its_end, setup),
        cmocka_unit_test_setup(the_same_seed_is_the_same_luck, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
