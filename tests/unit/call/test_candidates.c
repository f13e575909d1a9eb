/* Candidates come when they like: before the offer, before the answer, after the call, too many. */
#include <stdio.h>

#include "call/kept.h"
#include "unit/call/harness.h"

WORLD_TEST(candidates_wait_for_both_offers)
{
    everybody_registers(w);
    trickles(w, ALICE, "a0", "Ualice"); /* before its own offer */
    calls(w, ALICE, "bob");
    (void)happened(w);
    trickles(w, ALICE, "a1", "Ualice");
    trickles(w, BOB, "b0", "Ubob"); /* before the accept */
    trickles(w, ALICE, "a2", "");
    trickles(w, BOB, "", "Ubob"); /* end of candidates */
    assert_happened(w, "");
    accepts(w, BOB, "alice");
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n"
                       "media candidate caller a0\nmedia candidate caller a1\n"
                       "media candidate caller a2\n"
                       "media candidate callee b0\nmedia candidate callee \n");
    trickles(w, BOB, "b1", "Ubob");
    trickles(w, ALICE, "a3", "Ualice");
    assert_happened(w, "media candidate callee b1\nmedia candidate caller a3\n");
}

WORLD_TEST(candidates_belong_to_the_offer_of_their_ufrag)
{
    everybody_registers(w);
    trickles(w, ALICE, "stale", "Uold");
    calls(w, ALICE, "bob");
    trickles(w, ALICE, "stale", "Uold");
    trickles(w, ALICE, "a", "Ualice");
    trickles(w, BOB, "stale", "Uold");
    trickles(w, BOB, "b", "Ubob");
    (void)happened(w);
    accepts(w, BOB, "alice");
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n"
                       "media candidate caller a\nmedia candidate callee b\n");
}

WORLD_TEST(candidates_die_with_their_call)
{
    scene_ringing(w);
    trickles(w, ALICE, "old", "");
    trickles(w, BOB, "early", "");
    stops(w, ALICE);
    calls(w, ALICE, "bob");
    (void)happened(w);
    accepts(w, BOB, "alice");
    /* bob made no offer in the call that was cancelled: his may belong to the one he makes now */
    assert_happened(w, "media start a=ice-ufrag:Ualice a=ice-ufrag:Ubob\n"
                       "media candidate callee early\n");
}

WORLD_TEST(sixty_four_candidates_a_side)
{
    char name[16];
    scene_ringing(w);
    for (int i = 0; i < CALL_MAX_CANDIDATES; i++) {
        (void)snprintf(name, sizeof(name), "a%d", i);
        trickles(w, ALICE, name, "Ualice");
    }
    assert_happened(w, "");
    trickles(w, ALICE, "x", "Ualice");
    trickles(w, ALICE, "x", "Ualice");
    assert_happened(w, "alice < error too-many-candidates field=candidate\n");
    accepts(w, BOB, "alice");
    assert_null(strstr(happened(w), "candidate caller x"));
    trickles(w, ALICE, "x", "Ualice");
    trickles(w, BOB, "b", "Ubob");
    assert_happened(w, "media candidate callee b\n");
    stops(w, ALICE);
    calls(w, ALICE, "bob");
    (void)happened(w);
    for (int i = 0; i <= CALL_MAX_CANDIDATES; i++)
        trickles(w, ALICE, "a", "Ualice");
    assert_happened(w, "alice < error too-many-candidates field=candidate\n");
}

WORLD_TEST(an_idle_page_may_trickle_for_ever)
{
    char name[16];
    everybody_registers(w);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof(name), "a%d", i);
        trickles(w, ALICE, name, "");
    }
    assert_happened(w, "");
    calls(w, ALICE, "bob");
    (void)happened(w);
    accepts(w, BOB, "alice");
    const char *text = happened(w);
    assert_null(strstr(text, "caller a135\n"));
    assert_non_null(strstr(text, "caller a136\n")); /* the newest 64 */
    assert_non_null(strstr(text, "caller a199\n"));
}

WORLD_TEST(local_candidates_come_after_the_answer)
{
    scene_starting(w);
    media_finds(w, CALL_CALLER, "s1");
    media_finds(w, CALL_CALLEE, "s2");
    media_finds(w, CALL_CALLER, "s3");
    assert_happened(w, "");
    media_answers(w);
    assert_happened(w, "bob < start answer-callee\nalice < call-accepted answer-caller\n"
                       "alice < candidate s1\nalice < candidate s3\nbob < candidate s2\n");
    media_finds(w, CALL_CALLEE, "s4");
    assert_happened(w, "bob < candidate s4\n");
}

static void an_offer_owns_its_ufrags(void **state)
{
    static const struct {
        const char *offer, *ufrag;
        bool owns;
    } rows[] = {
        {"v=0\r\na=ice-ufrag:abcd\r\na=x\r\n", "abcd", true},
        {"v=0\r\na=ice-ufrag:abcd\r\na=x\r\n", "abce", false},
        {"v=0\r\na=ice-ufrag:abcd\r\na=x\r\n", "abc", false},
        {"v=0\r\na=ice-ufrag:abcd\r\na=x\r\n", "", true},
        {"a=ice-ufrag:one1\na=ice-ufrag:two2\n", "two2", true},
        {"a=ice-ufrag:last", "last", true},
        {"v=0\r\n", "abcd", true}, /* names none: the sdp module will have its say */
        {"", "abcd", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(call_offer_owns(str_of(rows[i].offer), str_of(rows[i].ufrag)),
                         rows[i].owns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_wait_for_both_offers),
        cmocka_unit_test(candidates_belong_to_the_offer_of_their_ufrag),
        cmocka_unit_test(candidates_die_with_their_call),
        cmocka_unit_test(sixty_four_candidates_a_side),
        cmocka_unit_test(an_idle_page_may_trickle_for_ever),
        cmocka_unit_test(local_candidates_come_after_the_answer),
        cmocka_unit_test(an_offer_owns_its_ufrags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
