/* A later offer in a call: who may make one, when, how often, and what becomes of it. */
#include <errno.h>

#include "base/mem.h"
#include "unit/call/harness.h"

WORLD_TEST(each_side_is_answered_by_its_own_leg)
{
    scene_active(w);
    reoffers(w, ALICE, "A2");
    assert_happened(w, "media reoffer caller A2\n");
    reoffers(w, BOB, "B2");
    assert_happened(w, "media reoffer callee B2\n");
    media_reanswers(w, CALL_CALLEE);
    assert_happened(w, "bob < reoffer-accepted again-callee\n");
    media_reanswers(w, CALL_CALLER);
    assert_happened(w, "alice < reoffer-accepted again-caller\n");
    media_reanswers(w, CALL_CALLER); /* nobody asked */
    assert_happened(w, "");
    reoffers(w, ALICE, "A3");
    assert_happened(w, "media reoffer caller A3\n");
}

WORLD_TEST(a_refused_one_leaves_the_call_as_it_is)
{
    scene_active(w);
    reoffers(w, ALICE, "A2");
    media_refuses(w, CALL_CALLER, CALL_MEDIA_END_REFUSED);
    assert_happened(w, "media reoffer caller A2\n"
                       "alice < reoffer-rejected invalid-offer \"because\"\n");
    reoffers(w, ALICE, "A3");
    media_refuses(w, CALL_CALLER, CALL_MEDIA_END_BROKEN);
    assert_happened(w, "media reoffer caller A3\n"
                       "alice < reoffer-rejected server-error \"because\"\n");
    input(w, ALICE,
          &(struct call_msg){.type = CALL_MSG_REOFFER, .offer = STR("A4"), .offer_error = "bad"});
    assert_happened(w, "alice < reoffer-rejected invalid-offer \"bad\"\n");
    assert_int_equal(call_n_calls(w->m), 1);
}

WORLD_TEST(one_at_a_time)
{
    scene_active(w);
    reoffers(w, ALICE, "A2");
    reoffers(w, ALICE, "A3");
    assert_happened(w, "media reoffer caller A2\n"
                       "alice < reoffer-rejected offer-pending\n");
    media_reanswers(w, CALL_CALLER);
    assert_happened(w, "alice < reoffer-accepted again-caller\n");
}

WORLD_TEST(there_must_be_a_call)
{
    reoffers(w, DAVE, "D");
    assert_happened(w, "dave < reoffer-rejected register-first\n");
    everybody_registers(w);
    reoffers(w, ALICE, "A");
    assert_happened(w, "alice < reoffer-rejected not-in-call\n");
    calls(w, ALICE, "bob");
    (void)happened(w);
    reoffers(w, ALICE, "A2");
    reoffers(w, BOB, "B2");
    assert_happened(w, "alice < reoffer-rejected offer-pending\n"
                       "bob < reoffer-rejected not-in-call\n");
    accepts(w, BOB, "alice");
    (void)happened(w);
    reoffers(w, ALICE, "A2");
    reoffers(w, BOB, "B2");
    assert_happened(w, "alice < reoffer-rejected offer-pending\n"
                       "bob < reoffer-rejected offer-pending\n");
    media_answers(w);
    (void)happened(w);
    reoffers(w, ALICE, "A2"); /* while the two connect */
    assert_happened(w, "media reoffer caller A2\n");
}

WORLD_TEST(of_this_call)
{
    scene_active(w);
    struct call_msg msg = {.type = CALL_MSG_REOFFER, .offer = STR("A2"), .call_id = 1};
    input(w, ALICE, &msg);
    assert_happened(w, "alice < reoffer-rejected not-in-call\n");
    msg.call_id = w->call_id;
    input(w, ALICE, &msg);
    assert_happened(w, "media reoffer caller A2\n");
}

WORLD_TEST(ten_at_once_then_one_a_second)
{
    scene_active(w);
    for (int i = 0; i < CALL_OFFER_BURST; i++) {
        reoffers(w, ALICE, "A");
        media_reanswers(w, CALL_CALLER);
        (void)happened(w);
    }
    reoffers(w, ALICE, "A");
    assert_happened(w, "alice < reoffer-rejected too-many-offers\n");
    reoffers(w, BOB, "B"); /* his own account */
    assert_happened(w, "media reoffer callee B\n");
    w->now += CALL_OFFER_INTERVAL;
    reoffers(w, ALICE, "A");
    media_reanswers(w, CALL_CALLER);
    reoffers(w, ALICE, "A");
    assert_happened(w, "media reoffer caller A\n"
                       "alice < reoffer-accepted again-caller\n"
                       "alice < reoffer-rejected too-many-offers\n");
    w->now += 60 * US_PER_S; /* what is not used is not saved beyond ten */
    for (int i = 0; i < CALL_OFFER_BURST; i++) {
        reoffers(w, ALICE, "A");
        media_reanswers(w, CALL_CALLER);
        (void)happened(w);
    }
    reoffers(w, ALICE, "A");
    assert_happened(w, "alice < reoffer-rejected too-many-offers\n");
}

WORLD_TEST(candidates_follow_their_offer_and_are_counted_anew)
{
    scene_active(w);
    for (int i = 0; i < CALL_MAX_CANDIDATES; i++)
        trickles(w, ALICE, "old", "");
    (void)happened(w);
    trickles(w, ALICE, "old", "");
    assert_happened(w, "alice < error too-many-candidates field=candidate\n");
    reoffers(w, ALICE, "A2");
    trickles(w, ALICE, "new", "U2");
    assert_happened(w, "media reoffer caller A2\nmedia candidate caller new\n");
}

WORLD_TEST(the_end_comes_first)
{
    scene_active(w);
    reoffers(w, ALICE, "A2");
    stops(w, BOB);
    assert_happened(w, "media reoffer caller A2\n"
                       "alice < stop hang-up\n"
                       "media release\n"
                       "ended alice-bob hang-up by callee\n");
    media_reanswers(w, CALL_CALLER);
    assert_happened(w, "");
}

WORLD_TEST(without_memory)
{
    scene_active(w);
    mem_fail_at(1);
    assert_int_equal(call_input(w->m, w->now, ALICE,
                                &(struct call_msg){.type = CALL_MSG_REOFFER, .offer = STR("A2")}),
                     -ENOMEM);
    mem_fail_at(0);
    assert_happened(w, "");
    reoffers(w, ALICE, "A2");
    assert_happened(w, "media reoffer caller A2\n");
    mem_fail_at(1);
    media_reanswers(w, CALL_CALLER); /* the page would wait for its answer for ever */
    mem_fail_at(0);
    assert_happened(w, "alice < stop server-error\n"
                       "bob < stop server-error\n"
                       "media release\n"
                       "ended alice-bob server-error by server\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_side_is_answered_by_its_own_leg),
        cmocka_unit_test(a_refused_one_leaves_the_call_as_it_is),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(there_must_be_a_call),
        cmocka_unit_test(of_this_call),
        cmocka_unit_test(ten_at_once_then_one_a_second),
        cmocka_unit_test(candidates_follow_their_offer_and_are_counted_anew),
        cmocka_unit_test(the_end_comes_first),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
