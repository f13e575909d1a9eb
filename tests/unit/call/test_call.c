/* The life of a call: every way to set it up and every way it ends, one test a rule. */
#include "base/mem.h"
#include "unit/call/harness.h"

/* ---- registering ---- */

WORLD_TEST(a_name_belongs_to_one_socket)
{
    register_as(w, ALICE, "alice");
    register_as(w, BOB, "alice");
    register_as(w, CAROL, "Alice");
    assert_happened(w, "alice < registered\n"
                       "bob < register-rejected name-taken (alice)\n"
                       "carol < registered\n");
}

WORLD_TEST(an_empty_name_is_refused)
{
    register_as(w, ALICE, "");
    assert_happened(w, "alice < register-rejected empty-name\n");
}

WORLD_TEST(registering_again_moves_the_name)
{
    register_as(w, ALICE, "alice");
    register_as(w, ALICE, "alice");
    register_as(w, ALICE, "alicia");
    register_as(w, BOB, "alice");
    register_as(w, ALICE, "alice");
    assert_happened(w, "alice < registered\nalice < registered\nalice < registered\n"
                       "bob < registered\n"
                       "alice < register-rejected name-taken (alice)\n");
    calls(w, BOB, "alicia");
    assert_happened(w, "alice < incoming alice\nbob < ringing\n");
}

WORLD_TEST(the_name_stays_during_a_call)
{
    scene_ringing(w);
    register_as(w, ALICE, "x");
    register_as(w, BOB, "y");
    register_as(w, BOB, "bob");
    assert_happened(w, "alice < register-rejected in-call\n"
                       "bob < register-rejected in-call\n"
                       "bob < registered\n");
    assert_int_equal(call_n_users(w->m), 4);
}

WORLD_TEST(a_dead_socket_frees_its_name)
{
    register_as(w, ALICE, "alice");
    vanishes(w, ALICE);
    vanishes(w, ALICE);
    register_as(w, BOB, "alice");
    assert_happened(w, "alice < registered\nbob < registered\n");
    assert_int_equal(call_n_users(w->m), 1);
}

static void users_and_calls_have_limits(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, &(struct call_config){.max_users = 3, .max_calls = 1});
    register_as(&w, ALICE, "alice");
    register_as(&w, BOB, "bob");
    register_as(&w, CAROL, "carol");
    (void)happened(&w);
    register_as(&w, DAVE, "dave");
    assert_happened(&w, "dave < register-rejected server-full\n");
    register_as(&w, ALICE, "alicia");
    assert_happened(&w, "alice < registered\n");
    calls(&w, ALICE, "bob");
    (void)happened(&w);
    vanishes(&w, BOB);
    (void)happened(&w);
    register_as(&w, DAVE, "dave");
    register_as(&w, BOB, "bob");
    calls(&w, ALICE, "dave");
    assert_happened(&w, "dave < registered\nbob < register-rejected server-full\n"
                        "dave < incoming alicia\nalice < ringing\n");
    world_deinit(&w);
    world_init(&w, &(struct call_config){.max_calls = 1});
    scene_ringing(&w);
    calls(&w, CAROL, "dave");
    assert_happened(&w, "carol < call-rejected server-full\n");
    world_deinit(&w);
}

/* ---- calling ---- */

WORLD_TEST(a_whole_call)
{
    everybody_registers(w);
    calls(w, ALICE, "bob");
    assert_happened(w, "bob < incoming alice\nalice < ringing\n");
    accepts(w, BOB, "alice");
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n");
    media_answers(w);
    assert_happened(w, "bob < start answer-callee\nalice < call-accepted answer-caller\n");
    media_connects(w, CALL_CALLEE);
    media_connects(w, CALL_CALLER);
    w->now += 3600 * US_PER_S;
    call_timeout(w->m, w->now);
    assert_happened(w, "");
    assert_true(call_deadline(w->m) == MONO_NEVER);
    stops(w, BOB);
    assert_happened(w, "alice < stop hang-up\nmedia release\nended alice-bob hang-up by callee\n");
    assert_int_equal(call_n_calls(w->m), 0);
}

WORLD_TEST(the_record_has_all_times)
{
    struct call_action a;
    mono_us start = w->now;
    everybody_registers(w);
    calls(w, ALICE, "bob");
    (void)happened(w);
    w->now = start + 5;
    accepts(w, BOB, "alice");
    media_connects(w, CALL_CALLER);
    media_connects(w, CALL_CALLEE); /* connected before the answers: counts when they are out */
    (void)happened(w);
    w->now = start + 8;
    media_answers(w);
    w->now = start + 9;
    stops(w, ALICE);
    vanishes(w, ALICE);
    vanishes(w, BOB);
    do {
        assert_true(call_poll_action(w->m, &a));
    } while (a.type != CALL_ACTION_ENDED);
    assert_true(a.record.call_id == w->call_id);
    assert_true(str_eq(a.record.caller, STR("alice")));
    assert_true(str_eq(a.record.callee, STR("bob")));
    assert_int_equal(a.record.called_at - start, 0);
    assert_int_equal(a.record.accepted_at - start, 5);
    assert_int_equal(a.record.active_at - start, 8);
    assert_int_equal(a.record.ended_at - start, 9);
    assert_int_equal(a.record.ended_by, CALL_CALLER);
    assert_false(call_poll_action(w->m, &a));
}

WORLD_TEST(a_stranger_cannot_call)
{
    everybody_registers(w);
    input(w, NOBODY, &(struct call_msg){.type = CALL_MSG_CALL, .to = STR("bob")});
    assert_happened(w, "nobody < call-rejected register-first\n");
    accepts(w, NOBODY, "alice");
    trickles(w, NOBODY, "c", "");
    stops(w, NOBODY);
    assert_happened(w, "nobody < error register-first\nnobody < error register-first\n");
}

WORLD_TEST(from_is_bound_to_the_socket)
{
    struct call_msg msg = {.type = CALL_MSG_CALL,
                           .from = STR("carol"),
                           .to = STR("bob"),
                           .offer = str_of(offers[ALICE])};
    everybody_registers(w);
    input(w, ALICE, &msg);
    assert_happened(w, "alice < error wrong-from field=from (alice)\n");
    msg.from = STR("alice");
    input(w, ALICE, &msg);
    assert_happened(w, "bob < incoming alice\nalice < ringing\n");
}

WORLD_TEST(an_unknown_callee)
{
    everybody_registers(w);
    calls(w, ALICE, "zoe");
    assert_happened(w, "alice < call-rejected not-registered (zoe)\n");
}

WORLD_TEST(calling_oneself)
{
    everybody_registers(w);
    calls(w, ALICE, "alice");
    assert_happened(w, "alice < call-rejected self-call\n");
}

WORLD_TEST(a_broken_offer_never_rings)
{
    everybody_registers(w);
    input(w, ALICE,
          &(struct call_msg){.type = CALL_MSG_CALL, .to = STR("bob"), .offer_error = "no audio"});
    assert_happened(w, "alice < call-rejected invalid-offer \"no audio\"\n");
    assert_int_equal(call_n_calls(w->m), 0);
}

WORLD_TEST(a_second_call_of_the_same_user_changes_nothing)
{
    scene_ringing(w);
    calls(w, ALICE, "carol");
    assert_happened(w, "alice < error in-call\n");
    accepts(w, BOB, "alice");
    media_answers(w);
    (void)happened(w);
    calls(w, ALICE, "carol");
    calls(w, BOB, "carol");
    calls(w, BOB, "alice");
    assert_happened(w, "alice < error in-call\nbob < error in-call\nbob < error in-call\n");
    stops(w, ALICE);
    assert_happened(w, "bob < stop hang-up\nmedia release\nended alice-bob hang-up by caller\n");
}

/* ---- busy ---- */

WORLD_TEST(a_busy_user_is_left_alone)
{
    scene_active(w);
    calls(w, CAROL, "bob");
    calls(w, DAVE, "alice");
    assert_happened(w, "carol < call-rejected busy (bob)\ndave < call-rejected busy (alice)\n");
    stops(w, BOB);
    assert_happened(w, "alice < stop hang-up\nmedia release\nended alice-bob hang-up by callee\n");
}

WORLD_TEST(ringing_and_being_rung_is_busy)
{
    scene_ringing(w);
    calls(w, CAROL, "bob");
    calls(w, CAROL, "alice");
    assert_happened(w, "carol < call-rejected busy (bob)\ncarol < call-rejected busy (alice)\n");
}

WORLD_TEST(a_page_that_says_busy_itself)
{
    scene_ringing(w);
    rejects(w, BOB, "alice", true);
    assert_happened(w, "alice < call-rejected busy\nended alice-bob busy by callee\n");
}

/* ---- answering ---- */

WORLD_TEST(declining)
{
    scene_ringing(w);
    rejects(w, BOB, "alice", false);
    assert_happened(w, "alice < call-rejected declined\nended alice-bob declined by callee\n");
    calls(w, CAROL, "bob");
    assert_happened(w, "bob < incoming carol\ncarol < ringing\n");
}

WORLD_TEST(only_the_one_who_was_called_can_answer)
{
    scene_ringing(w);
    accepts(w, CAROL, "alice");
    assert_happened(w, "carol < stop not-ringing (alice)\n");
    accepts(w, ALICE, "alice");
    accepts(w, ALICE, "bob");
    assert_happened(w, "alice < error not-ringing field=from (alice)\n"
                       "alice < error not-ringing field=from (bob)\n");
    rejects(w, CAROL, "alice", false);
    rejects(w, ALICE, "bob", false);
    assert_happened(w, "");
    accepts(w, BOB, "alice");
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n");
}

WORLD_TEST(only_the_call_that_rings_can_be_answered)
{
    scene_ringing(w);
    accepts(w, BOB, "carol");
    assert_happened(w, "bob < error not-ringing field=from (carol)\n");
    input(w, BOB,
          &(struct call_msg){.type = CALL_MSG_RESPONSE,
                             .from = STR("alice"),
                             .accept = true,
                             .call_id = w->call_id + 1,
                             .offer = str_of(offers[BOB])});
    assert_happened(w, "bob < error not-ringing field=from (alice)\n");
    input(w, BOB,
          &(struct call_msg){.type = CALL_MSG_RESPONSE,
                             .from = STR("alice"),
                             .accept = true,
                             .call_id = w->call_id,
                             .offer = str_of(offers[BOB])});
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n");
}

WORLD_TEST(answering_twice)
{
    scene_starting(w);
    accepts(w, BOB, "alice");
    rejects(w, BOB, "alice", false);
    assert_happened(w, "bob < error not-ringing field=from (alice)\n");
    media_answers(w);
    assert_happened(w, "bob < start answer-callee\nalice < call-accepted answer-caller\n");
    accepts(w, BOB, "alice");
    assert_happened(w, "bob < error not-ringing field=from (alice)\n");
}

WORLD_TEST(answering_somebody_unknown)
{
    everybody_registers(w);
    accepts(w, BOB, "ghost");
    rejects(w, BOB, "ghost", false);
    assert_happened(w, "bob < stop unknown-from (ghost)\nbob < stop unknown-from (ghost)\n");
    calls(w, ALICE, "bob");
    (void)happened(w);
    accepts(w, BOB, "ghost");
    rejects(w, BOB, "ghost", false);
    accepts(w, ALICE, "ghost");
    assert_happened(w, "bob < stop unknown-from (ghost)\n"
                       "alice < error unknown-from field=from (ghost)\n");
    accepts(w, BOB, "alice");
    (void)happened(w);
    accepts(w, BOB, "ghost");
    rejects(w, BOB, "ghost", true);
    assert_happened(w, "bob < error unknown-from field=from (ghost)\n");
}

WORLD_TEST(answering_too_late)
{
    scene_ringing(w);
    stops(w, ALICE);
    (void)happened(w);
    accepts(w, BOB, "alice");
    rejects(w, BOB, "alice", false);
    assert_happened(w, "bob < stop not-ringing (alice)\n");
}

WORLD_TEST(accepting_with_a_broken_offer)
{
    scene_ringing(w);
    input(w, BOB,
          &(struct call_msg){.type = CALL_MSG_RESPONSE,
                             .from = STR("alice"),
                             .accept = true,
                             .offer_error = "no audio"});
    assert_happened(w, "alice < call-rejected invalid-offer \"no audio\"\n"
                       "bob < stop invalid-offer \"no audio\"\n"
                       "ended alice-bob invalid-offer by server\n");
}

/* ---- glare ---- */

WORLD_TEST(glare_joins_both_calls)
{
    scene_ringing(w);
    calls(w, BOB, "alice");
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n");
    rejects(w, BOB, "alice", true); /* the tutorial page's reflex to alice's incomingCall */
    assert_happened(w, "");
    media_answers(w);
    assert_happened(w, "bob < call-accepted answer-callee\nalice < call-accepted answer-caller\n");
    assert_int_equal(call_n_calls(w->m), 1);
    stops(w, ALICE);
    assert_happened(w, "bob < stop hang-up\nmedia release\nended alice-bob hang-up by caller\n");
}

WORLD_TEST(glare_that_fails_rejects_both_callers)
{
    scene_ringing(w);
    calls(w, BOB, "alice");
    (void)happened(w);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_REFUSED, "");
    assert_happened(w,
                    "alice < call-rejected no-common-codec\nbob < call-rejected no-common-codec\n"
                    "media release\nended alice-bob no-common-codec by server\n");
}

WORLD_TEST(glare_with_a_broken_offer_leaves_the_ringing)
{
    scene_ringing(w);
    input(w, BOB,
          &(struct call_msg){.type = CALL_MSG_CALL, .to = STR("alice"), .offer_error = "no audio"});
    assert_happened(w, "bob < call-rejected invalid-offer \"no audio\"\n");
    accepts(w, BOB, "alice");
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n");
}

WORLD_TEST(calling_somebody_else_while_it_rings)
{
    scene_ringing(w);
    calls(w, BOB, "zoe");
    assert_happened(w, "bob < call-rejected not-registered (zoe)\n");
    calls(w, BOB, "carol");
    assert_happened(w, "alice < call-rejected busy (bob)\nended alice-bob busy by callee\n"
                       "carol < incoming bob\nbob < ringing\n");
    rejects(w, BOB, "alice", true); /* the page's reflex, late */
    assert_happened(w, "");
    accepts(w, CAROL, "bob");
    assert_happened(w, "media start a=ice-ufrag:Ubob a=ice-ufrag:Ucarol\n");
}

/* ---- ends ---- */

WORLD_TEST(the_caller_cancels)
{
    scene_ringing(w);
    stops(w, ALICE);
    assert_happened(w, "bob < stop cancelled (alice)\nended alice-bob cancelled by caller\n");
    stops(w, ALICE);
    stops(w, BOB);
    assert_happened(w, "");
}

WORLD_TEST(the_callee_stops_the_ringing)
{
    scene_ringing(w);
    stops(w, BOB);
    assert_happened(w, "alice < call-rejected declined\nended alice-bob declined by callee\n");
}

WORLD_TEST(stop_ends_only_the_call_it_means)
{
    uint64_t old;
    scene_active(w);
    old = w->call_id;
    stops(w, ALICE);
    calls(w, CAROL, "bob");
    (void)happened(w);
    input(w, BOB, &(struct call_msg){.type = CALL_MSG_STOP, .call_id = old});
    assert_happened(w, "");
    input(w, BOB, &(struct call_msg){.type = CALL_MSG_STOP, .call_id = w->call_id});
    assert_happened(w, "carol < call-rejected declined\nended carol-bob declined by callee\n");
}

WORLD_TEST(nobody_answers)
{
    scene_ringing(w);
    assert_true(call_deadline(w->m) == w->now + 60 * US_PER_S);
    w->now += 60 * US_PER_S - 1;
    call_timeout(w->m, w->now);
    assert_happened(w, "");
    w->now++;
    call_timeout(w->m, w->now);
    assert_happened(w, "alice < call-rejected no-answer (bob)\nbob < stop no-answer (bob)\n"
                       "ended alice-bob no-answer by server\n");
    assert_true(call_deadline(w->m) == MONO_NEVER);
    calls(w, ALICE, "bob");
    assert_happened(w, "bob < incoming alice\nalice < ringing\n");
}

static void the_ring_timeout_is_a_setting(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, &(struct call_config){.ring_timeout = 5, .setup_timeout = 7});
    scene_ringing(&w);
    assert_true(call_deadline(w.m) == w.now + 5);
    accepts(&w, BOB, "alice");
    assert_true(call_deadline(w.m) == w.now + 7);
    world_deinit(&w);
}

WORLD_TEST(the_media_never_comes_up)
{
    scene_starting(w);
    w->now += 10 * US_PER_S; /* the answers take their time, and get no more of it */
    media_answers(w);
    media_connects(w, CALL_CALLER);
    (void)happened(w);
    assert_true(call_deadline(w->m) == w->now + 20 * US_PER_S);
    w->now += 20 * US_PER_S;
    call_timeout(w->m, w->now);
    assert_happened(w, "alice < stop media-failed (bob)\nbob < stop media-failed (bob)\n"
                       "media release\nended alice-bob media-failed by server\n");
}

WORLD_TEST(the_backend_never_answers)
{
    scene_starting(w);
    w->now += 30 * US_PER_S;
    call_timeout(w->m, w->now);
    assert_happened(w, "alice < call-rejected server-error\nbob < stop server-error\n"
                       "media release\nended alice-bob server-error by server\n");
}

WORLD_TEST(the_caller_vanishes_while_it_rings)
{
    scene_ringing(w);
    vanishes(w, ALICE);
    assert_happened(w, "bob < stop cancelled (alice)\nended alice-bob cancelled by caller\n");
    accepts(w, BOB, "alice");
    assert_happened(w, "bob < stop unknown-from (alice)\n");
}

WORLD_TEST(the_callee_vanishes_while_it_rings)
{
    scene_ringing(w);
    vanishes(w, BOB);
    assert_happened(w, "alice < call-rejected peer-lost\nended alice-bob peer-lost by callee\n");
}

WORLD_TEST(one_vanishes_during_set_up)
{
    scene_starting(w);
    vanishes(w, BOB);
    assert_happened(w, "alice < call-rejected peer-lost\nmedia release\n"
                       "ended alice-bob peer-lost by callee\n");
    media_answers(w);
    media_ends(w, CALL_CALLEE, CALL_MEDIA_END_LOST, "");
    assert_happened(w, "");
}

WORLD_TEST(one_vanishes_during_the_call)
{
    scene_active(w);
    vanishes(w, ALICE);
    assert_happened(w,
                    "bob < stop peer-lost\nmedia release\nended alice-bob peer-lost by caller\n");
    calls(w, CAROL, "bob");
    assert_happened(w, "bob < incoming carol\ncarol < ringing\n");
}

WORLD_TEST(stop_during_set_up)
{
    scene_starting(w);
    stops(w, BOB);
    assert_happened(w, "alice < call-rejected hang-up\nmedia release\n"
                       "ended alice-bob hang-up by callee\n");
}

/* ---- the media ends it ---- */

WORLD_TEST(a_peer_dies_without_a_word)
{
    scene_active(w);
    media_ends(w, CALL_CALLEE, CALL_MEDIA_END_LOST, "consent expired");
    assert_happened(w, "alice < stop media-lost (bob)\nbob < stop media-lost (bob)\n"
                       "media release\nended alice-bob media-lost by server\n");
    media_ends(w, CALL_CALLEE, CALL_MEDIA_END_LOST, "");
    assert_happened(w, "");
}

WORLD_TEST(the_media_fails)
{
    scene_answered(w);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_FAILED, "DTLS alert 40");
    assert_happened(w, "alice < stop media-failed (alice)\nbob < stop media-failed (alice)\n"
                       "media release\nended alice-bob media-failed by server\n");
}

WORLD_TEST(nothing_in_common)
{
    scene_starting(w);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_REFUSED, "PCMU here, Opus there");
    assert_happened(w, "alice < call-rejected no-common-codec \"PCMU here, Opus there\"\n"
                       "bob < stop no-common-codec \"PCMU here, Opus there\"\n"
                       "media release\nended alice-bob no-common-codec by server\n");
}

WORLD_TEST(the_backend_breaks)
{
    scene_starting(w);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_BROKEN, "errno 12");
    assert_happened(w, "alice < call-rejected server-error\nbob < stop server-error\n"
                       "media release\nended alice-bob server-error by server\n");
}

/* A page closes its connection, then sends stop: the order must not matter to anybody. */
WORLD_TEST(a_closed_leg_has_hung_up)
{
    scene_active(w);
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_REMOTE_CLOSED, "");
    assert_happened(w, "bob < stop hang-up\nmedia release\nended alice-bob hang-up by caller\n");
    stops(w, ALICE);
    assert_happened(w, "");
}

WORLD_TEST(media_events_of_no_call)
{
    scene_ringing(w);
    media_answers(w); /* nothing was started yet */
    media_ends(w, CALL_CALLER, CALL_MEDIA_END_LOST, "");
    w->call_id++;
    media_answers(w);
    media_finds(w, CALL_CALLER, "c");
    media_connects(w, CALL_CALLEE);
    assert_happened(w, "");
    assert_int_equal(call_n_calls(w->m), 1);
}

WORLD_TEST(answers_come_once)
{
    scene_answered(w);
    media_answers(w);
    assert_happened(w, "");
}

WORLD_TEST(shutdown_ends_every_call)
{
    scene_active(w);
    calls(w, CAROL, "dave");
    (void)happened(w);
    call_shutdown(w->m, w->now);
    assert_happened(w, "alice < stop server-shutdown\nbob < stop server-shutdown\n"
                       "media release\nended alice-bob server-shutdown by server\n"
                       "carol < call-rejected server-shutdown\ndave < stop server-shutdown\n"
                       "ended carol-dave server-shutdown by server\n");
    calls(w, ALICE, "bob");
    register_as(w, ALICE, "alice");
    register_as(w, ALICE, "alicia");
    assert_happened(w, "alice < call-rejected server-shutdown\nalice < registered\n"
                       "alice < register-rejected server-shutdown\n");
}

static void a_model_with_live_calls_can_be_freed(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, NULL);
    scene_starting(&w);
    media_finds(&w, CALL_CALLER, "held");
    calls(&w, CAROL, "dave");
    trickles(&w, CAROL, "kept", "");
    world_deinit(&w); /* the sanitizer sees what is lost */
    call_model_free(NULL);
}

static void quality_is_for_who_asks_in_a_running_call(void **state)
{
    static struct world world, *const w = &world;
    (void)state;
    world_init(w, NULL);
    asks_for_quality(w, NOBODY, 0);
    register_as(w, ALICE, "alice");
    register_as(w, BOB, "bob");
    asks_for_quality(w, ALICE, 0);
    calls(w, ALICE, "bob");
    (void)happened(w);
    asks_for_quality(w, ALICE, 0);
    accepts(w, BOB, "alice");
    media_answers(w);
    (void)happened(w);
    asks_for_quality(w, ALICE, 0); /* nothing is connected yet */
    assert_happened(w, "");
    media_connects(w, CALL_CALLER);
    media_connects(w, CALL_CALLEE);
    (void)happened(w);

    asks_for_quality(w, ALICE, w->call_id + 1); /* another call */
    assert_happened(w, "");
    asks_for_quality(w, ALICE, w->call_id);
    asks_for_quality(w, BOB, 0);
    assert_happened(w, "media quality caller 7 0\nmedia quality callee 7 0\n");
    struct call_media answer = {.type = CALL_MEDIA_QUALITY,
                                .call_id = w->call_id,
                                .leg = CALL_CALLEE,
                                .lines = {{"poor", "loss-up"}, {"good", NULL}}};
    call_media_event(w->m, w->now, &answer);
    assert_happened(w, "bob < quality you good, them poor\n");
    answer.leg = CALL_CALLER;
    call_media_event(w->m, w->now, &answer);
    assert_happened(w, "alice < quality you poor, them good\n");

    /* at most one a second, each for itself */
    w->now += CALL_QUALITY_INTERVAL - 1;
    asks_for_quality(w, ALICE, 0);
    assert_happened(w, "");
    w->now += 1;
    asks_for_quality(w, ALICE, 0);
    asks_for_quality(w, ALICE, 0);
    assert_happened(w, "media quality caller 7 0\n");

    /* an answer that comes too late */
    stops(w, BOB);
    (void)happened(w);
    call_media_event(w->m, w->now, &answer);
    assert_happened(w, "");
    world_deinit(w);
}

static void media_records(struct world *w, bool caller, bool callee)
{
    call_media_event(w->m, w->now,
                     &(struct call_media){.type = CALL_MEDIA_RECORDING,
                                          .call_id = w->call_id,
                                          .is_recorded = {caller, callee}});
}

static void both_are_told_what_is_recorded(void **state)
{
    static struct world world, *const w = &world;
    (void)state;
    world_init(w, &(struct call_config){.record = true});
    scene_starting(w);
    (void)happened(w);
    media_records(w, true, true); /* without an answer there is nothing to record */
    assert_happened(w, "");
    media_answers(w);
    (void)happened(w);
    media_records(w, true, true);
    assert_happened(w, "alice < recording you 1, them 1\nbob < recording you 1, them 1\n");
    media_records(w, false, true);
    assert_happened(w, "alice < recording you 0, them 1\nbob < recording you 1, them 0\n");
    media_connects(w, CALL_CALLER);
    media_connects(w, CALL_CALLEE);
    media_records(w, false, false);
    assert_happened(w, "alice < recording you 0, them 0\nbob < recording you 0, them 0\n");
    stops(w, ALICE);
    (void)happened(w);
    media_records(w, true, true);
    assert_happened(w, "");
    world_deinit(w);
}

/* What people would go on believing is not so: the call ends. */
static void what_is_recorded_cannot_be_told(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        static struct world world, *const w = &world;
        world_init(w, &(struct call_config){.record = true});
        scene_answered(w);
        (void)happened(w);
        mem_fail_at(n);
        media_records(w, false, false);
        mem_fail_at(0);
        assert_happened(w, "alice < stop server-error\nbob < stop server-error\nmedia release\n"
                           "ended alice-bob server-error by server\n");
        world_deinit(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_belongs_to_one_socket),
        cmocka_unit_test(an_empty_name_is_refused),
        cmocka_unit_test(registering_again_moves_the_name),
        cmocka_unit_test(the_name_stays_during_a_call),
        cmocka_unit_test(a_dead_socket_frees_its_name),
        cmocka_unit_test(users_and_calls_have_limits),
        cmocka_unit_test(a_whole_call),
        cmocka_unit_test(the_record_has_all_times),
        cmocka_unit_test(a_stranger_cannot_call),
        cmocka_unit_test(from_is_bound_to_the_socket),
        cmocka_unit_test(an_unknown_callee),
        cmocka_unit_test(calling_oneself),
        cmocka_unit_test(a_broken_offer_never_rings),
        cmocka_unit_test(a_second_call_of_the_same_user_changes_nothing),
        cmocka_unit_test(a_busy_user_is_left_alone),
        cmocka_unit_test(ringing_and_being_rung_is_busy),
        cmocka_unit_test(a_page_that_says_busy_itself),
        cmocka_unit_test(declining),
        cmocka_unit_test(only_the_one_who_was_called_can_answer),
        cmocka_unit_test(only_the_call_that_rings_can_be_answered),
        cmocka_unit_test(answering_twice),
        cmocka_unit_test(answering_somebody_unknown),
        cmocka_unit_test(answering_too_late),
        cmocka_unit_test(accepting_with_a_broken_offer),
        cmocka_unit_test(glare_joins_both_calls),
        cmocka_unit_test(glare_that_fails_rejects_both_callers),
        cmocka_unit_test(glare_with_a_broken_offer_leaves_the_ringing),
        cmocka_unit_test(calling_somebody_else_while_it_rings),
        cmocka_unit_test(the_caller_cancels),
        cmocka_unit_test(the_callee_stops_the_ringing),
        cmocka_unit_test(stop_ends_only_the_call_it_means),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(the_ring_timeout_is_a_setting),
        cmocka_unit_test(the_media_never_comes_up),
        cmocka_unit_test(the_backend_never_answers),
        cmocka_unit_test(the_caller_vanishes_while_it_rings),
        cmocka_unit_test(the_callee_vanishes_while_it_rings),
        cmocka_unit_test(one_vanishes_during_set_up),
        cmocka_unit_test(one_vanishes_during_the_call),
        cmocka_unit_test(stop_during_set_up),
        cmocka_unit_test(a_peer_dies_without_a_word),
        cmocka_unit_test(the_media_fails),
        cmocka_unit_test(nothing_in_common),
        cmocka_unit_test(the_backend_breaks),
        cmocka_unit_test(a_closed_leg_has_hung_up),
        cmocka_unit_test(media_events_of_no_call),
        cmocka_unit_test(answers_come_once),
        cmocka_unit_test(shutdown_ends_every_call),
        cmocka_unit_test(a_model_with_live_calls_can_be_freed),
        cmocka_unit_test(quality_is_for_who_asks_in_a_running_call),
        cmocka_unit_test(both_are_told_what_is_recorded),
        cmocka_unit_test(what_is_recorded_cannot_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
