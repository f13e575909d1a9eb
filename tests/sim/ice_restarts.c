/* ICE restarts in a call that goes on talking: what is heard meanwhile, and what is left behind. */
#include <string.h>

#include "sim/bench/bench.h"

#define FRAME (20 * US_PER_MS)

static const uint8_t opus[] = {0x78, 1, 2, 3, 4, 5};

/* A conversation: both send a packet every 20 ms, and how long each was without one is noted. */
struct talk {
    struct bench *b;
    uint16_t seq;
    unsigned heard[2];   /* packets when last looked at */
    unsigned silent[2];  /* frames without a packet, until now */
    unsigned longest[2]; /* the longest of these */
    unsigned n_sent;
};

static struct talk begin(void)
{
    struct talk t = {.b = bench_new()};
    bench_set_up(t.b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(t.b, 5 * US_PER_S));
    return t;
}

static void note_silence(struct talk *t, unsigned i)
{
    bool is_heard = t->b->n_rtp[i] > t->heard[i];
    t->heard[i] = t->b->n_rtp[i];
    t->silent[i] = is_heard ? 0 : t->silent[i] + 1;
    if (t->silent[i] > t->longest[i])
        t->longest[i] = t->silent[i];
}

static void say(struct talk *t)
{
    t->seq++;
    t->n_sent++;
    for (unsigned i = 0; i < 2; i++)
        bench_send(t->b, i, 0xb0000000 + i, t->seq, t->seq * 960u, opus, sizeof(opus));
}

static void talk(struct talk *t, mono_us span)
{
    for (mono_us end = t->b->now + span; t->b->now < end;) {
        say(t);
        bench_run(t->b, t->b->now + FRAME);
        note_silence(t, 0);
        note_silence(t, 1);
    }
}

static void forget_silence(struct talk *t)
{
    memset(t->longest, 0, sizeof(t->longest));
}

static void assert_nobody_left(const struct bench *b)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_false(b->relay_ended[i]);
        assert_false(b->browser_ended[i]);
    }
}

static void nothing_is_lost_while_the_old_path_works(void **state)
{
    struct talk t = begin();
    (void)state;
    talk(&t, 10 * US_PER_S);
    uint32_t ssrc = bench_leg(t.b, 0)->local_ssrc;
    say(&t); /* on its way meanwhile */
    bench_restart(t.b, 0);
    assert_int_equal(bench_leg(t.b, 0)->ice.state, ICE_CHECKING);
    talk(&t, 10 * US_PER_S);
    assert_int_equal(bench_leg(t.b, 0)->ice.state, ICE_COMPLETED);
    assert_int_equal(t.b->browsers[0]->ice.state, ICE_COMPLETED);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(t.b->n_rtp[i], t.n_sent);
        assert_in_range(t.longest[i], 0, 1);
    }
    assert_int_equal(bench_leg(t.b, 0)->local_ssrc, ssrc);
    assert_null(bench_leg(t.b, 0)->ice.old_local);
    talk(&t, 60 * US_PER_S);
    assert_int_equal(t.b->n_rtp[0], t.n_sent);
    assert_nobody_left(t.b);
    bench_free(t.b);
}

static struct bench_loss loss;

static bool lose_a_tenth(struct bench *b, struct bench_dgram *d)
{
    (void)d;
    return !bench_loses(b, &loss);
}

static void a_tenth_of_all_packets_lost(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        struct talk t = begin();
        for (unsigned i = 0; i < round; i++)
            (void)rng_u64(&t.b->line_rng); /* other packets are lost */
        talk(&t, 2 * US_PER_S);
        loss = (struct bench_loss){.one_in = 10};
        t.b->filter = lose_a_tenth;
        talk(&t, 20 * US_PER_S);
        unsigned usual = t.longest[0] > t.longest[1] ? t.longest[0] : t.longest[1];
        forget_silence(&t);
        bench_restart(t.b, round & 1);
        talk(&t, 20 * US_PER_S);
        /* No longer than what loss alone does, or by a frame or two: there is no gap of its own. */
        for (unsigned i = 0; i < 2; i++)
            assert_in_range(t.longest[i], 0, usual + 2);
        assert_int_equal(bench_leg(t.b, round & 1)->ice.state, ICE_COMPLETED);
        talk(&t, 40 * US_PER_S);
        assert_nobody_left(t.b);
        bench_free(t.b);
    }
}

/* Checks of the new generation come to nothing, everything else passes. */
static bool drop_new_checks(struct bench *b, struct bench_dgram *d)
{
    struct str ufrag;
    (void)b;
    return !stun_peek_username(d->data, d->len, &ufrag) || ufrag.len == 4;
}

static void a_restart_that_fails_costs_nothing(void **state)
{
    struct talk t = begin();
    (void)state;
    talk(&t, 5 * US_PER_S);
    t.b->filter = drop_new_checks;
    say(&t);
    bench_restart(t.b, 0);
    talk(&t, 120 * US_PER_S); /* three times the patience of ICE */
    assert_int_equal(t.b->n_rtp[0], t.n_sent);
    assert_int_equal(t.b->n_rtp[1], t.n_sent);
    assert_int_equal(bench_leg(t.b, 0)->ice.state, ICE_CHECKING);
    /* The next one works, from the same old path. */
    t.b->filter = NULL;
    say(&t);
    bench_restart(t.b, 0);
    talk(&t, 10 * US_PER_S);
    assert_int_equal(bench_leg(t.b, 0)->ice.state, ICE_COMPLETED);
    assert_int_equal(t.b->n_rtp[0], t.n_sent);
    assert_nobody_left(t.b);
    bench_free(t.b);
}

static void both_legs_at_once(void **state)
{
    struct talk t = begin();
    (void)state;
    talk(&t, 5 * US_PER_S);
    say(&t);
    bench_restart(t.b, 0);
    say(&t);
    bench_restart(t.b, 1);
    talk(&t, 10 * US_PER_S);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(bench_leg(t.b, i)->ice.state, ICE_COMPLETED);
        assert_int_equal(t.b->n_rtp[i], t.n_sent);
    }
    assert_nobody_left(t.b);
    bench_free(t.b);
}

static void fifty_in_a_row_leave_nothing_behind(void **state)
{
    struct talk t = begin();
    (void)state;
    talk(&t, 10 * US_PER_S);
    bench_restart(t.b, 0); /* its credentials are as long as those that follow */
    talk(&t, 10 * US_PER_S);
    size_t heap = ice_agent_heap(&bench_leg(t.b, 0)->ice);
    for (unsigned n = 0; n < 50; n++) {
        bench_restart(t.b, 0);
        if (n % 5 == 0) /* the others do not even wait for the one before */
            talk(&t, US_PER_S);
    }
    talk(&t, 10 * US_PER_S);
    assert_int_equal(bench_leg(t.b, 0)->ice.state, ICE_COMPLETED);
    assert_int_equal(ice_agent_heap(&bench_leg(t.b, 0)->ice), heap);
    assert_in_range(t.longest[0], 0, 1);
    assert_in_range(t.longest[1], 0, 1);
    assert_nobody_left(t.b);
    bench_free(t.b);
}

static bool drop_all(struct bench *b, struct bench_dgram *d)
{
    (void)d;
    b->n_filtered++;
    return false;
}

/* The phone leaves its network and joins another one after a while. */
static void dark_for(mono_us span, bool is_other_address)
{
    struct talk t = begin();
    talk(&t, 10 * US_PER_S);
    t.b->filter = drop_all;
    talk(&t, span);
    t.b->filter = NULL;
    if (is_other_address)
        t.b->addrs[0] = addr_v4(198, 51, 100, 77, 7777);
    forget_silence(&t);
    t.silent[0] = t.silent[1] = 0;
    bench_restart(t.b, 0);
    talk(&t, 5 * US_PER_S);
    /* Four round trips of 10 ms: signaling, check, nomination, and the first packet. */
    assert_in_range(t.longest[0], 0, 8);
    assert_in_range(t.longest[1], 0, 8);
    assert_true(addr_equal(&bench_leg(t.b, 0)->path_remote, &t.b->addrs[0]));
    talk(&t, 60 * US_PER_S);
    assert_nobody_left(t.b);
    bench_free(t.b);
}

static void after_a_blackout(void **state)
{
    (void)state;
    dark_for(5 * US_PER_S, false);
    dark_for(5 * US_PER_S, true);
    dark_for(15 * US_PER_S, true); /* with the pauses before and behind it less than 30 s */
}

static bool drop_all_of_0(struct bench *b, struct bench_dgram *d)
{
    return !addr_equal(&d->from, &b->addrs[0]) && !addr_equal(&d->to, &b->addrs[0]);
}

/* Consent of the old path runs out while the new generation still looks for its way. */
static void the_old_path_dies_before_the_new_one_lives(void **state)
{
    struct talk t = begin();
    (void)state;
    talk(&t, 10 * US_PER_S);
    t.b->filter = drop_new_checks;
    bench_restart(t.b, 0);
    t.b->filter = drop_all_of_0;
    bench_run(t.b, t.b->now + 33 * US_PER_S);
    assert_false(bench_leg(t.b, 0)->has_path);
    assert_false(t.b->relay_ended[0]);
    t.b->filter = NULL;
    bench_restart(t.b, 0);
    bench_run(t.b, t.b->now + 100 * US_PER_MS); /* the browser has no path at first */
    talk(&t, US_PER_S);
    assert_int_equal(bench_leg(t.b, 0)->ice.state, ICE_COMPLETED);
    assert_true(bench_leg(t.b, 0)->has_path);
    bench_free(t.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_while_the_old_path_works),
        cmocka_unit_test(a_tenth_of_all_packets_lost),
        cmocka_unit_test(a_restart_that_fails_costs_nothing),
        cmocka_unit_test(both_legs_at_once),
        cmocka_unit_test(fifty_in_a_row_leave_nothing_behind),
        cmocka_unit_test(after_a_blackout),
        cmocka_unit_test(the_old_path_dies_before_the_new_one_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
