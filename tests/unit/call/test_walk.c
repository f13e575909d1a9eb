/*
 * Thousands of random inputs, then a second run in which memory fails at every allocation in turn.
 * What must hold after each step is in shadow.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "unit/call/shadow.h"

#define N_SOCKETS 8
#define N_STEPS   300000

static const char *const names[] = {"alice", "bob", "carol", "dave", "eve"};

static const char *const offers[] = {"a=ice-ufrag:one", "a=ice-ufrag:two", "a=ice-ufrag:three"};

struct walk {
    struct call_model *m;
    struct shadow shadow;
    struct rng rng;
    mono_us now;
};

static struct str pick(struct walk *w, const char *const *list, uint32_t n)
{
    return str_of(list[rng_below(&w->rng, n)]);
}

/* Or a recording that is played. */
static uint64_t some_call(struct walk *w)
{
    size_t socket = rng_below(&w->rng, SHADOW_SOCKETS);
    if (w->shadow.plays[socket].id && rng_below(&w->rng, 2))
        return w->shadow.plays[socket].id;
    size_t i = rng_below(&w->rng, SHADOW_CALLS);
    return w->shadow.calls[i].id ? w->shadow.calls[i].id : w->shadow.last_id;
}

/* Input as a server would do it: a socket for which memory runs out is closed. */
static void input(struct walk *w, uint64_t socket, const struct call_msg *msg)
{
    int err = call_input(w->m, w->now, socket, msg);
    if (!err)
        return;
    assert_int_equal(err, -ENOMEM);
    assert_true(msg->type != CALL_MSG_STOP && msg->type != CALL_MSG_SOCKET_CLOSED);
    assert_int_equal(
        call_input(w->m, w->now, socket, &(struct call_msg){.type = CALL_MSG_SOCKET_CLOSED}), 0);
}

static void random_message(struct walk *w)
{
    /* Weights: otherwise hardly a call would live long enough to be answered. */
    static const enum call_msg_type types[] = {
        CALL_MSG_REGISTER,  CALL_MSG_REGISTER,  CALL_MSG_REGISTER, CALL_MSG_CALL,
        CALL_MSG_CALL,      CALL_MSG_CALL,      CALL_MSG_CALL,     CALL_MSG_RESPONSE,
        CALL_MSG_RESPONSE,  CALL_MSG_RESPONSE,  CALL_MSG_RESPONSE, CALL_MSG_RESPONSE,
        CALL_MSG_CANDIDATE, CALL_MSG_CANDIDATE, CALL_MSG_STOP,     CALL_MSG_SOCKET_CLOSED,
        CALL_MSG_QUALITY,   CALL_MSG_REOFFER,   CALL_MSG_PLAY,     CALL_MSG_STOP_PLAY,
    };
    struct call_msg msg = {
        .type = types[rng_below(&w->rng, ARRAY_LEN(types))],
        .name = pick(w, names, ARRAY_LEN(names)),
        .to = pick(w, names, ARRAY_LEN(names)),
        .offer = pick(w, offers, ARRAY_LEN(offers)),
        .recording = rng_below(&w->rng, 4) ? STR("recording") : STR(""),
        .accept = rng_below(&w->rng, 4) != 0,
        .busy = rng_below(&w->rng, 2),
        .call_id = rng_below(&w->rng, 4) ? 0 : some_call(w),
        .candidate = {.candidate = STR("candidate"), .mline_index = -1},
    };
    if (msg.type == CALL_MSG_RESPONSE || rng_below(&w->rng, 8) == 0)
        msg.from = pick(w, names, ARRAY_LEN(names));
    if (msg.type == CALL_MSG_SOCKET_CLOSED && rng_below(&w->rng, 4))
        msg.type = CALL_MSG_CANDIDATE;
    if (rng_below(&w->rng, 16) == 0)
        msg.offer_error = "no";
    if (rng_below(&w->rng, 2))
        msg.candidate.ufrag = STR("two");
    input(w, 1 + rng_below(&w->rng, N_SOCKETS), &msg);
}

static void random_media(struct walk *w)
{
    static const enum call_media_type types[] = {
        CALL_MEDIA_ANSWERED,  CALL_MEDIA_ANSWERED,   CALL_MEDIA_ANSWERED,  CALL_MEDIA_ANSWERED,
        CALL_MEDIA_CANDIDATE, CALL_MEDIA_CONNECTED,  CALL_MEDIA_CONNECTED, CALL_MEDIA_CONNECTED,
        CALL_MEDIA_ENDED,     CALL_MEDIA_REANSWERED, CALL_MEDIA_UNCHANGED, CALL_MEDIA_QUALITY,
        CALL_MEDIA_RECORDING,
    };
    struct call_media event = {
        .type = types[rng_below(&w->rng, ARRAY_LEN(types))],
        .call_id = some_call(w),
        .leg = rng_below(&w->rng, 2) ? CALL_CALLER : CALL_CALLEE,
        .answer = {STR("one"), STR("two")},
        .candidate = {.candidate = STR("local")},
        .end = (enum call_media_end)rng_below(&w->rng, CALL_MEDIA_END_UNREADABLE + 1),
        .text = STR("because"),
        .lines = {{"good", NULL}, {"poor", "delay"}},
    };
    call_media_event(w->m, w->now, &event);
}

static void step(struct walk *w)
{
    uint32_t what = rng_below(&w->rng, 100);
    if (what < 55)
        random_message(w);
    else if (what < 97)
        random_media(w);
    else
        w->now += rng_below(&w->rng, 40) * US_PER_S;
    if (call_deadline(w->m) <= w->now)
        call_timeout(w->m, w->now);
    shadow_follow(&w->shadow, w->m);
}

static void walk_init(struct walk *w, uint64_t seed)
{
    *w = (struct walk){0};
    rng_init_seeded(&w->rng, seed);
    w->m = call_model_new(&(struct call_config){.max_users = 7}, &w->rng);
    assert_non_null(w->m);
}

/* Everybody leaves: nothing may be left. */
static void walk_deinit(struct walk *w)
{
    for (uint64_t socket = 1; socket <= N_SOCKETS; socket++)
        input(w, socket, &(struct call_msg){.type = CALL_MSG_SOCKET_CLOSED});
    shadow_follow(&w->shadow, w->m);
    assert_int_equal(call_n_calls(w->m) + call_n_plays(w->m), 0);
    assert_int_equal(call_n_users(w->m), 0);
    assert_true(call_deadline(w->m) == MONO_NEVER);
    call_model_free(w->m);
}

static void random_inputs_keep_the_rules(void **state)
{
    struct walk w;
    (void)state;
    walk_init(&w, 42);
    for (int i = 0; i < N_STEPS; i++)
        step(&w);
    /* The walk went everywhere: every end of a call has been met. */
    static const enum call_reason ends[] = {
        CALL_REASON_HANG_UP,      CALL_REASON_DECLINED,      CALL_REASON_DECLINED_BUSY,
        CALL_REASON_CANCELLED,    CALL_REASON_NO_ANSWER,     CALL_REASON_PEER_LOST,
        CALL_REASON_BUSY,         CALL_REASON_INVALID_OFFER, CALL_REASON_NO_COMMON_CODEC,
        CALL_REASON_MEDIA_FAILED, CALL_REASON_MEDIA_LOST,    CALL_REASON_SERVER_ERROR,
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (!w.shadow.reasons[ends[i]])
            fail_msg("no call ended with %s", call_reason_name(ends[i]));
    }
    print_message("%u calls, %u answers, %u later ones, %u recordings\n", w.shadow.n_ended,
                  w.shadow.n_answered, w.shadow.n_reanswered, w.shadow.n_played);
    assert_true(w.shadow.n_played > 300);
    assert_true(w.shadow.n_ended > 3000);
    assert_true(w.shadow.n_answered > 1000);
    assert_true(w.shadow.n_reanswered > 0);
    walk_deinit(&w);
}

static void shutdown_in_the_middle(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct walk w;
        walk_init(&w, seed);
        for (int i = 0; i < 200; i++)
            step(&w);
        call_shutdown(w.m, w.now);
        shadow_follow(&w.shadow, w.m);
        assert_int_equal(call_n_calls(w.m) + call_n_plays(w.m), 0);
        for (int i = 0; i < 50; i++)
            step(&w);
        assert_int_equal(call_n_calls(w.m) + call_n_plays(w.m), 0);
        walk_deinit(&w);
    }
}

/* A short walk in which the n-th allocation fails, n = 1, 2, … until none is left to fail. */
static void memory_fails_at_every_allocation(void **state)
{
    unsigned n_allocations = 1;
    (void)state;
    for (unsigned n = 1; n <= n_allocations; n++) {
        struct walk w;
        walk_init(&w, 7);
        mem_fail_at(n);
        for (int i = 0; i < 1500; i++)
            step(&w);
        if (mem_count() > n_allocations)
            n_allocations = mem_count();
        mem_fail_at(0);
        walk_deinit(&w);
    }
    print_message("%u allocations\n", n_allocations);
    assert_true(n_allocations > 500 && n_allocations < 5000);
}

static void a_model_without_memory(void **state)
{
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 1);
    mem_fail_at(1);
    assert_null(call_model_new(&(struct call_config){0}, &rng));
    mem_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_inputs_keep_the_rules),
        cmocka_unit_test(shutdown_in_the_middle),
        cmocka_unit_test(memory_fails_at_every_allocation),
        cmocka_unit_test(a_model_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
