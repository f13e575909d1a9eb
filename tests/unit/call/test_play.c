/* A recording is played: who may begin it when, what it keeps away meanwhile, and how it ends. */
#include <errno.h>

#include "base/mem.h"
#include "unit/call/harness.h"

static void scene_asked(struct world *w)
{
    everybody_registers(w);
    plays(w, ALICE, "bob", "b.webm");
    assert_happened(w, "media plays b.webm to alice a=ice-ufrag:Ualice\n");
}

static void scene_playing(struct world *w)
{
    scene_asked(w);
    media_answers(w);
    assert_happened(w, "alice < play-accepted answer-caller\n");
    media_connects(w, CALL_CALLER);
    assert_happened(w, "");
}

WORLD_TEST(it_plays_to_its_end)
{
    scene_playing(w);
    assert_int_equal(call_n_plays(w->m), 1);
    assert_int_equal(call_n_calls(w->m), 0);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_PLAYED, "");
    assert_happened(w, "alice < play-end played\nmedia release\n");
    assert_int_equal(call_n_plays(w->m), 0);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_PLAYED, "");
    stops_playing(w, ALICE);
    assert_happened(w, "");
    plays(w, ALICE, "bob", "b.webm");
    assert_happened(w, "media plays b.webm to alice a=ice-ufrag:Ualice\n");
}

WORLD_TEST(it_is_stopped)
{
    scene_asked(w);
    stops_playing(w, ALICE);
    assert_happened(w, "media release\n");
    media_answers(w);
    assert_happened(w, "");
    plays(w, ALICE, "bob", "b.webm");
    media_answers(w);
    (void)happened(w);
    stops_playing(w, ALICE);
    stops_playing(w, ALICE);
    assert_happened(w, "media release\n");
    stops_playing(w, NOBODY);
    assert_happened(w, "");
}

WORLD_TEST(the_listener_leaves)
{
    scene_playing(w);
    vanishes(w, ALICE);
    assert_happened(w, "media release\n");
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_PLAYED, "");
    assert_happened(w, "");
    register_as(w, ALICE, "alice");
    plays(w, ALICE, "bob", "b.webm");
    media_answers(w);
    (void)happened(w);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_REMOTE_CLOSED, "");
    assert_happened(w, "media release\n");
}

/* One word before the answer, another after it. */
WORLD_TEST(the_media_ends_it)
{
    static const struct {
        enum call_media_end end;
        const char *before, *after;
    } rows[] = {
        {CALL_MEDIA_END_FAILED, "alice < play-rejected media-failed (alice)\nmedia release\n",
         "alice < play-end media-failed (alice)\nmedia release\n"},
        {CALL_MEDIA_END_LOST, "alice < play-rejected media-lost (alice)\nmedia release\n",
         "alice < play-end media-lost (alice)\nmedia release\n"},
        {CALL_MEDIA_END_REFUSED, "alice < play-rejected invalid-offer \"why\"\nmedia release\n",
         "alice < play-end invalid-offer \"why\"\nmedia release\n"},
        {CALL_MEDIA_END_BROKEN, "alice < play-rejected server-error\nmedia release\n",
         "alice < play-end server-error\nmedia release\n"},
        {CALL_MEDIA_END_UNREADABLE, "alice < play-rejected no-recording (bob)\nmedia release\n",
         "alice < play-end no-recording (bob)\nmedia release\n"},
    };
    everybody_registers(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        plays(w, ALICE, "bob", "b.webm");
        (void)happened(w);
        media_ends(w, CALL_CALLER, rows[i].end, "why");
        assert_happened(w, rows[i].before);
        plays(w, ALICE, "bob", "b.webm");
        (void)happened(w);
        media_answers(w);
        (void)happened(w);
        media_ends(w, CALL_CALLER, rows[i].end, "why");
        assert_happened(w, rows[i].after);
    }
}

WORLD_TEST(who_listens_is_busy)
{
    scene_playing(w);
    calls(w, BOB, "alice");
    assert_happened(w, "bob < call-rejected busy (alice)\n");
    calls(w, ALICE, "bob");
    assert_happened(w, "alice < call-rejected playing\n");
    plays(w, ALICE, "bob", "b.webm");
    assert_happened(w, "alice < play-rejected playing\n");
    reoffers(w, ALICE, "A2");
    assert_happened(w, "alice < reoffer-rejected not-in-call\n");
    stops(w, ALICE); /* of a call that is over */
    asks_for_quality(w, ALICE, 0);
    accepts(w, ALICE, "carol");
    rejects(w, ALICE, "carol", false);
    assert_happened(w, "alice < error not-ringing field=from (carol)\n");
    assert_int_equal(call_n_plays(w->m), 1);
}

WORLD_TEST(not_in_a_call)
{
    scene_ringing(w);
    plays(w, ALICE, "bob", "b.webm");
    plays(w, BOB, "alice", "a.webm");
    assert_happened(w, "alice < play-rejected in-call\nbob < play-rejected in-call\n");
    accepts(w, BOB, "alice");
    media_answers(w);
    (void)happened(w);
    plays(w, ALICE, "bob", "b.webm");
    stops_playing(w, ALICE);
    assert_happened(w, "alice < play-rejected in-call\n");
    assert_int_equal(call_n_calls(w->m), 1);
}

WORLD_TEST(what_there_is_not)
{
    plays(w, DAVE, "bob", "");
    assert_happened(w, "dave < play-rejected no-recording (bob)\n");
    everybody_registers(w);
    plays(w, ALICE, "bob", "");
    assert_happened(w, "alice < play-rejected no-recording (bob)\n");
    input(w, ALICE,
          &(struct call_msg){.type = CALL_MSG_PLAY,
                             .name = STR("bob"),
                             .recording = STR("b.webm"),
                             .offer = STR("x"),
                             .offer_error = "no audio"});
    assert_happened(w, "alice < play-rejected invalid-offer \"no audio\"\n");
}

WORLD_TEST(candidates_go_with_it)
{
    everybody_registers(w);
    trickles(w, ALICE, "early", "Ualice");
    trickles(w, ALICE, "of another offer", "Uold");
    plays(w, ALICE, "bob", "b.webm");
    assert_happened(w, "media plays b.webm to alice a=ice-ufrag:Ualice\n"
                       "media candidate caller early\n");
    trickles(w, ALICE, "late", "Ualice");
    assert_happened(w, "media candidate caller late\n");
    media_finds(w, CALL_CALLER, "ours");
    assert_happened(w, "");
    media_answers(w);
    assert_happened(w, "alice < play-accepted answer-caller\nalice < candidate ours\n");
    media_finds(w, CALL_CALLER, "another");
    assert_happened(w, "alice < candidate another\n");
    for (int i = 2; i < CALL_MAX_CANDIDATES; i++)
        trickles(w, ALICE, "more", "");
    (void)happened(w);
    trickles(w, ALICE, "one too many", "");
    trickles(w, ALICE, "two too many", "");
    assert_happened(w, "alice < error too-many-candidates field=candidate\n");
}

static void they_count_like_calls(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, &(struct call_config){.max_calls = 1});
    scene_playing(&w);
    plays(&w, BOB, "alice", "a.webm");
    assert_happened(&w, "bob < play-rejected server-full\n");
    calls(&w, BOB, "carol");
    assert_happened(&w, "bob < call-rejected server-full\n");
    world_deinit(&w);
}

WORLD_TEST(the_server_ends)
{
    scene_playing(w);
    plays(w, BOB, "alice", "a.webm");
    (void)happened(w);
    call_shutdown(w->m, w->now);
    const char *all = happened(w);
    assert_non_null(strstr(all, "alice < play-end server-shutdown\nmedia release\n"));
    assert_non_null(strstr(all, "bob < play-rejected server-shutdown\nmedia release\n"));
    plays(w, CAROL, "alice", "a.webm");
    assert_happened(w, "carol < play-rejected server-shutdown\n");
}

static void a_recorded_call_says_so(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, &(struct call_config){.record = true});
    everybody_registers(&w);
    calls(&w, ALICE, "bob");
    assert_happened(&w, "bob < incoming alice recorded\nalice < ringing recorded\n");
    accepts(&w, BOB, "alice");
    assert_happened(&w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob"
                        " records alice alice, bob bob\n");
    media_answers(&w);
    assert_happened(&w, "bob < start answer-callee recorded\n"
                        "alice < call-accepted answer-caller recorded\n");
    stops(&w, ALICE);
    assert_happened(&w, "bob < stop hang-up\nmedia release\nended alice-bob hang-up by caller\n");
    world_deinit(&w);
}

/* The n-th allocation fails: the socket is told so, or the recording ends; nothing is left over. */
static void memory_fails(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 40; n++) {
        struct world w;
        world_init(&w, NULL);
        everybody_registers(&w);
        const struct call_msg msgs[] = {
            {.type = CALL_MSG_CANDIDATE, .candidate = {.candidate = STR("c"), .mline_index = 0}},
            {.type = CALL_MSG_PLAY,
             .name = STR("bob"),
             .recording = STR("b.webm"),
             .offer = STR("offer")},
        };
        mem_fail_at(n);
        for (size_t i = 0; i < ARRAY_LEN(msgs); i++) {
            int err = call_input(w.m, w.now, ALICE, &msgs[i]);
            assert_true(err == 0 || err == -ENOMEM);
        }
        (void)happened(&w);
        media_finds(&w, CALL_CALLER, "x");
        media_answers(&w);
        media_finds(&w, CALL_CALLER, "y");
        mem_fail_at(0);
        (void)happened(&w);
        vanishes(&w, ALICE);
        (void)happened(&w);
        assert_int_equal(call_n_plays(w.m), 0);
        world_deinit(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_plays_to_its_end),     cmocka_unit_test(it_is_stopped),
        cmocka_unit_test(the_listener_leaves),     cmocka_unit_test(the_media_ends_it),
        cmocka_unit_test(who_listens_is_busy),     cmocka_unit_test(not_in_a_call),
        cmocka_unit_test(what_there_is_not),       cmocka_unit_test(candidates_go_with_it),
        cmocka_unit_test(they_count_like_calls),   cmocka_unit_test(the_server_ends),
        cmocka_unit_test(a_recorded_call_says_so), cmocka_unit_test(memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
