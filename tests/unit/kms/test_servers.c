/* Which server a call gets, and what becomes of calls when servers fall silent, go and come back.
 */
#include "unit/kms/bench.h"

#define N_CALLS(w, n) kms_server_info((w)->k, (n)).n_calls

static bool is_up(const struct world *w, unsigned n)
{
    return kms_server_info(w->k, n).is_up;
}

static void begin(struct world *w)
{
    run(w, 0);
    (void)happened(w);
    w->is_quiet = true;
}

/* `n` calls, from id on, that are connected. */
static void talk(struct world *w, uint64_t id, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        calls(w, id + i);
        settle(w);
    }
    (void)happened(w);
}

/* How long until `text` is told [µs]; fails after a minute. */
static mono_us time_until(struct world *w, const char *text)
{
    mono_us began = w->now;
    settle(w);
    while (!strstr(happened(w), text)) {
        assert_true(w->now < began + 60 * US_PER_S);
        run(w, 100 * US_PER_MS);
    }
    return w->now - began;
}

/* ---- the connection ---- */

WORLD_TEST(the_greeting_has_no_session_and_pings_follow, 1)
{
    run(w, 0);
    assert_happened(w, "0 < invoke manager_ServerManager getInfo\n");
    assert_true(is_up(w, 0));
    unsigned before = w->servers[0].n_requests;
    run(w, 60 * US_PER_S);
    assert_int_equal(w->servers[0].n_requests - before, 30);
    assert_true(is_up(w, 0));
    assert_happened(w, "");
}

WORLD_TEST(the_session_is_that_of_the_first_answer, 1)
{
    begin(w);
    calls(w, 7);
    const json_t *request = json_array_get(w->servers[0].asked, 0);
    assert_string_equal(text_of(json_object_get(request, "params"), "sessionId"), "session-0-1");
}

WORLD_TEST(a_server_that_is_not_there_is_tried_again, 1)
{
    w->servers[0].is_there = false;
    begin(w);
    run(w, 60 * US_PER_S);
    assert_false(is_up(w, 0));
    w->servers[0].is_there = true;
    run(w, KMS_RETRY_MAX);
    assert_true(is_up(w, 0));
}

WORLD_TEST(a_server_that_accepts_and_says_nothing_is_not_there, 1)
{
    w->servers[0].is_hung = true;
    begin(w);
    run(w, 20 * US_PER_S);
    assert_false(is_up(w, 0));
    w->servers[0].is_hung = false;
    run(w, KMS_CONNECT_LIMIT + KMS_RETRY_MAX);
    assert_true(is_up(w, 0));
}

WORLD_TEST(a_server_that_refuses_the_greeting_is_not_there, 1)
{
    w->servers[0].refused = "getInfo";
    begin(w);
    run(w, 20 * US_PER_S);
    assert_false(is_up(w, 0));
}

/* ---- who gets a call ---- */

WORLD_TEST(the_least_loaded_gets_it, 3)
{
    begin(w);
    talk(w, 1, 9);
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(N_CALLS(w, n), 3);
    for (uint64_t id = 1; id <= 9; id++)
        if (id % 3 == 2)
            w->m->ops->release(w->m, id);
    assert_int_equal(N_CALLS(w, 1), 0);
    talk(w, 10, 2);
    assert_int_equal(N_CALLS(w, 1), 2);
}

WORLD_TEST(one_that_is_down_gets_none, 2)
{
    w->servers[0].is_there = false;
    begin(w);
    talk(w, 1, 4);
    assert_int_equal(N_CALLS(w, 0), 0);
    assert_int_equal(N_CALLS(w, 1), 4);
    w->servers[0].is_there = true;
    run(w, KMS_RETRY_MAX);
    talk(w, 5, 4);
    assert_int_equal(N_CALLS(w, 0), 4);
}

WORLD_TEST(one_that_has_just_fallen_silent_is_passed_over_in_2_s, 2)
{
    begin(w);
    w->servers[0].is_hung = true;
    calls(w, 1);
    assert_true(time_until(w, "call 1 answered") <= KMS_FIRST_ANSWER_LIMIT + 100 * US_PER_MS);
    assert_int_equal(N_CALLS(w, 1), 1);
    calls(w, 2); /* although there are none on the other one */
    assert_int_equal(time_until(w, "call 2 answered"), 0);
}

WORLD_TEST(one_that_is_full_is_passed_over, 2)
{
    begin(w);
    w->servers[0].refused = "WebRtcEndpoint";
    w->servers[0].code = 40009;
    calls(w, 1);
    assert_int_equal(time_until(w, "call 1 answered"), 0);
    assert_int_equal(N_CALLS(w, 1), 1);
    unsigned before = w->servers[0].n_requests;
    calls(w, 2);
    settle(w);
    assert_int_equal(w->servers[0].n_requests, before); /* not asked again so soon */
    w->servers[0].refused = NULL;
    run(w, KMS_DOUBT);
    calls(w, 3);
    settle(w);
    assert_int_equal(N_CALLS(w, 0), 1);
}

WORLD_TEST(an_offer_that_one_refuses_is_not_shown_to_the_next, 2)
{
    begin(w);
    w->servers[0].refused = "processOffer";
    w->servers[0].code = 40201;
    unsigned before = w->servers[1].n_requests;
    calls(w, 1);
    assert_int_equal(time_until(w, "call 1 ended, refused of caller"), 0);
    assert_int_equal(w->servers[1].n_requests, before);
}

/* ---- nobody is there ---- */

WORLD_TEST(without_any_server_the_caller_is_told_in_5_s, 2)
{
    w->servers[0].is_there = w->servers[1].is_there = false;
    begin(w);
    run(w, 10 * US_PER_S);
    calls(w, 1);
    mono_us t = time_until(w, "call 1 ended, broken of caller: no media server answers");
    assert_true(t >= KMS_DECIDE_LIMIT && t <= 5 * US_PER_S);
}

WORLD_TEST(with_all_of_them_hung_the_caller_is_told_in_5_s, 3)
{
    begin(w);
    for (unsigned n = 0; n < 3; n++)
        w->servers[n].is_hung = true;
    calls(w, 1);
    assert_true(time_until(w, "call 1 ended, broken") <= 5 * US_PER_S);
}

WORLD_TEST(a_server_that_comes_while_a_call_waits_gets_it, 1)
{
    w->servers[0].is_there = false;
    begin(w);
    calls(w, 1);
    calls(w, 2);
    w->m->ops->release(w->m, 2);
    trickles(w, 1, MEDIA_CALLER, "candidate:9 1 udp 1 192.0.2.1 5000 typ host");
    run(w, US_PER_S);
    w->servers[0].is_there = true;
    assert_true(time_until(w, "call 1 answered") <= KMS_RETRY_MAX);
    assert_int_equal(N_CALLS(w, 0), 1);
}

/* ---- servers that go ---- */

WORLD_TEST(one_that_dies_ends_its_calls_in_10_s_and_no_others, 2)
{
    begin(w);
    talk(w, 1, 4);
    dies(w, 0);
    run(w, 10 * US_PER_S);
    const char *all = happened(w);
    assert_non_null(strstr(all, "call 1 ended, broken of caller: the media server is lost\n"));
    assert_non_null(strstr(all, "call 3 ended, broken of caller: the media server is lost\n"));
    assert_null(strstr(all, "call 2"));
    assert_null(strstr(all, "call 4"));
    assert_int_equal(N_CALLS(w, 0), 0);
    assert_int_equal(N_CALLS(w, 1), 2);
    talk(w, 5, 2);
    assert_int_equal(N_CALLS(w, 1), 4);
    w->servers[0].is_there = true;
    run(w, KMS_RETRY_MAX);
    talk(w, 7, 2);
    assert_int_equal(N_CALLS(w, 0), 2);
}

WORLD_TEST(one_that_hangs_ends_its_calls_in_10_s, 2)
{
    begin(w);
    talk(w, 1, 2);
    w->servers[0].is_hung = true;
    mono_us t = time_until(w, "call 1 ended, broken of caller: the media server is lost\n");
    assert_true(t <= 10 * US_PER_S);
    assert_int_equal(N_CALLS(w, 1), 1);
    assert_false(is_up(w, 0));
    /* It wakes up, and has never noticed: what it still holds for us goes with the session. */
    w->is_quiet = false;
    w->servers[0].is_hung = false;
    while (!is_up(w, 0))
        run(w, 100 * US_PER_MS);
    assert_non_null(strstr(happened(w), "0 < closeSession session-0-1\n"));
    talk(w, 3, 1); /* taken again, at once */
    assert_int_equal(N_CALLS(w, 0), 1);
}

/* It tells events as ever: that is no sign of life. */
WORLD_TEST(one_that_only_talks_is_hung, 1)
{
    begin(w);
    talk(w, 1, 1);
    w->servers[0].is_hung = true;
    for (unsigned i = 0; i < 100; i++) {
        if (w->servers[0].is_open)
            tells_ice(w, 0, "P1/E1", 1, "READY");
        run(w, 100 * US_PER_MS);
    }
    assert_non_null(strstr(happened(w), "call 1 ended, broken"));
}

WORLD_TEST(a_slow_one_is_not_lost, 1)
{
    begin(w);
    talk(w, 1, 1);
    for (unsigned i = 0; i < 10; i++) {
        w->servers[0].is_hung = true;
        run(w, 5 * US_PER_S);
        w->servers[0].is_hung = false;
        run(w, US_PER_S);
    }
    assert_true(is_up(w, 0));
    assert_int_equal(N_CALLS(w, 0), 1);
    assert_happened(w, "");
}

WORLD_TEST(a_slow_one_gets_a_call_when_there_is_no_other, 1)
{
    begin(w);
    w->servers[0].is_hung = true;
    calls(w, 1);
    run(w, KMS_DECIDE_LIMIT - US_PER_S);
    w->servers[0].is_hung = false;
    assert_int_equal(time_until(w, "call 1 answered"), 0);
}

/* The answers to our pings wait to be read while the time-outs are due already. */
WORLD_TEST(who_slept_does_not_blame_the_servers, 1)
{
    begin(w);
    talk(w, 1, 1);
    for (unsigned i = 0; i < 5; i++) {
        kms_timeout(w->k, kms_deadline(w->k)); /* a ping, and then we sleep */
        w->now = kms_deadline(w->k) + 60 * US_PER_S;
        kms_timeout(w->k, w->now);
        assert_true(kms_deadline(w->k) > w->now);
        run(w, US_PER_S);
    }
    assert_true(is_up(w, 0));
    assert_int_equal(N_CALLS(w, 0), 1);
    calls(w, 2);
    w->now += 60 * US_PER_S; /* its pipeline was made long ago */
    kms_timeout(w->k, w->now);
    settle(w);
    assert_non_null(strstr(happened(w), "call 2 answered"));
}

/* ---- connections that break and come back ---- */

WORLD_TEST(calls_go_on_when_only_the_connection_broke, 1)
{
    begin(w);
    talk(w, 1, 1);
    connects(w, 0, 1);
    (void)happened(w);
    w->is_quiet = false;
    breaks(w, 0);
    trickles(w, 1, MEDIA_CALLEE, "candidate:9 1 udp 1 192.0.2.1 5000 typ host");
    run(w, US_PER_S);
    assert_happened(w, "0 < connect session-0-1\n"
                       "0 < invoke P1/E2 addIceCandidate candidate:9 1 udp 1 192.0.2.1 5000 typ "
                       "host\n"
                       "0 < invoke P1/E1 getConnectionState\n"
                       "0 < invoke P1/E2 getConnectionState\n");
    run(w, 60 * US_PER_S);
    assert_int_equal(N_CALLS(w, 0), 1);
    w->m->ops->release(w->m, 1);
    settle(w);
    assert_happened(w, "0 < release P1\n");
}

/* At every step of the set-up: what had no answer is asked again under its old id. */
WORLD_TEST(a_call_is_set_up_across_a_broken_connection, 1)
{
    begin(w);
    for (unsigned answered = 0; answered < 21; answered++) {
        calls(w, 1);
        for (unsigned n = 0; n < answered; n++)
            assert_true(answers_one(w, 0));
        json_int_t id =
            json_integer_value(json_object_get(json_array_get(w->servers[0].asked, 0), "id"));
        breaks(w, 0);
        run(w, KMS_RETRY_MIN - 1);
        w->now++;
        kms_timeout(w->k, w->now);
        assert_true(w->servers[0].is_connecting);
        w->servers[0].is_connecting = false;
        w->servers[0].is_open = true;
        kms_opened(w->k, w->now, 0);
        assert_true(answers_one(w, 0)); /* connect */
        assert_true(json_integer_value(
                        json_object_get(json_array_get(w->servers[0].asked, 0), "id")) == id);
        run(w, US_PER_S);
        connects(w, 0, w->servers[0].n_pipelines);
        const char *all = happened(w);
        assert_non_null(strstr(all, "call 1 answered"));
        assert_non_null(strstr(all, "call 1 caller connected"));
        w->m->ops->release(w->m, 1);
        run(w, 5 * US_PER_S);
        (void)happened(w);
    }
}

WORLD_TEST(what_was_told_meanwhile_is_asked_for, 1)
{
    begin(w);
    talk(w, 1, 1);
    breaks(w, 0);
    run(w, US_PER_S); /* both have connected while nobody listened */
    assert_happened(w, "call 1 caller connected\ncall 1 callee connected\n");
}

/* 40007: its process is another one. */
WORLD_TEST(a_server_that_was_restarted_ends_its_calls_at_once, 1)
{
    begin(w);
    talk(w, 1, 2);
    dies(w, 0);
    w->servers[0].is_there = true;
    mono_us t = time_until(w, "call 2 ended, broken of caller: the media server is lost\n");
    assert_true(t <= 200 * US_PER_MS);
    assert_true(is_up(w, 0));
    talk(w, 3, 1);
    assert_int_equal(N_CALLS(w, 0), 1);
}

/* At every step: nothing stays behind, the caller hears of it, or another server has the call. */
WORLD_TEST(one_that_dies_while_a_call_is_set_up, 2)
{
    begin(w);
    for (unsigned answered = 0; answered < 22; answered++) {
        w->servers[0].is_there = true;
        run(w, KMS_DOUBT + KMS_RETRY_MAX);
        assert_true(is_up(w, 0));
        (void)happened(w);
        calls(w, 1);
        for (unsigned n = 0; n < answered; n++)
            assert_true(answers_one(w, 0));
        dies(w, 0);
        run(w, 10 * US_PER_S);
        const char *all = happened(w);
        assert_true(strstr(all, "call 1 ended, broken") || N_CALLS(w, 1) == 1);
        w->m->ops->release(w->m, 1);
        run(w, US_PER_S);
        (void)happened(w);
        assert_int_equal(N_CALLS(w, 0), 0);
        assert_int_equal(N_CALLS(w, 1), 0);
    }
}

WORLD_TEST(a_call_released_while_its_server_is_away_is_released_there_later, 1)
{
    begin(w);
    talk(w, 1, 2);
    w->is_quiet = false;
    breaks(w, 0);
    w->m->ops->release(w->m, 1);
    run(w, US_PER_S);
    const char *all = happened(w);
    assert_non_null(strstr(all, "0 < connect session-0-1\n0 < release P1\n"));
    /* Without any call of ours the session is closed instead. */
    breaks(w, 0);
    w->m->ops->release(w->m, 2);
    run(w, US_PER_S);
    assert_happened(w, "0 < closeSession session-0-1\n"
                       "0 < invoke manager_ServerManager getInfo\n");
    assert_true(is_up(w, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greeting_has_no_session_and_pings_follow),
        cmocka_unit_test(the_session_is_that_of_the_first_answer),
        cmocka_unit_test(a_server_that_is_not_there_is_tried_again),
        cmocka_unit_test(a_server_that_accepts_and_says_nothing_is_not_there),
        cmocka_unit_test(a_server_that_refuses_the_greeting_is_not_there),
        cmocka_unit_test(the_least_loaded_gets_it),
        cmocka_unit_test(one_that_is_down_gets_none),
        cmocka_unit_test(one_that_has_just_fallen_silent_is_passed_over_in_2_s),
        cmocka_unit_test(one_that_is_full_is_passed_over),
        cmocka_unit_test(an_offer_that_one_refuses_is_not_shown_to_the_next),
        cmocka_unit_test(without_any_server_the_caller_is_told_in_5_s),
        cmocka_unit_test(with_all_of_them_hung_the_caller_is_told_in_5_s),
        cmocka_unit_test(a_server_that_comes_while_a_call_waits_gets_it),
        cmocka_unit_test(one_that_dies_ends_its_calls_in_10_s_and_no_others),
        cmocka_unit_test(one_that_hangs_ends_its_calls_in_10_s),
        cmocka_unit_test(one_that_only_talks_is_hung),
        cmocka_unit_test(a_slow_one_is_not_lost),
        cmocka_unit_test(a_slow_one_gets_a_call_when_there_is_no_other),
        cmocka_unit_test(who_slept_does_not_blame_the_servers),
        cmocka_unit_test(calls_go_on_when_only_the_connection_broke),
        cmocka_unit_test(a_call_is_set_up_across_a_broken_connection),
        cmocka_unit_test(what_was_told_meanwhile_is_asked_for),
        cmocka_unit_test(a_server_that_was_restarted_ends_its_calls_at_once),
        cmocka_unit_test(one_that_dies_while_a_call_is_set_up),
        cmocka_unit_test(a_call_released_while_its_server_is_away_is_released_there_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
