/* Frames that are no messages, floods, extras, and what happens when something breaks. */
#include <stdlib.h>

#include <jansson.h>

#include "base/mem.h"
#include "signal/rate.h"
#include "signal/reply.h"
#include "unit/signal/harness.h"

#define BAD(text)                                                                                  \
    "carol < {\"id\":\"error\",\"message\":\"Invalid message: " text                               \
    "\",\"reason\":\"bad-message\"}\n"

WORLD_TEST(frames_that_are_no_message, SIGNAL_NODE)
{
    const struct {
        struct str frame;
        const char *answer;
    } rows[] = {
        {STR(""), BAD("not JSON at byte 0")},
        {STR("{"), BAD("not JSON at byte 1")},
        {STR("{\"id\":\"stop\"} x"), BAD("not JSON at byte 15")},
        {STR("[]"), BAD("an object is needed")},
        {STR("7"), BAD("an object is needed")},
        {STR("null"), BAD("an object is needed")},
        {STR("\"stop\""), BAD("an object is needed")},
        {STR("{}"), BAD("the field id is missing or no string")},
        {STR("{\"id\":7}"), BAD("the field id is missing or no string")},
        {STR("{\"id\":null}"), BAD("the field id is missing or no string")},
        {STR("{\"id\":\"stop\",\"id\":\"stop\"}"), BAD("a field is given twice, before byte 17")},
        {STR("{\"id\":\"st\\u0000op\"}"), BAD("a string has the character U+0000, before byte 18")},
        {STR("{\"id\":\"stop\",\"\\u0000\":1}"), NULL},
        {STR("{\"id\":\"register\",\"name\":\"a\0b\"}"), NULL},
        {STR("{\"id\":\"register\",\"name\":\"a\xff\"}"), NULL},
        {STR("{\"id\":\"register\",\"name\":\"\xed\xa0\x80\"}"), NULL},
        {STR("{\"id\":\"register\",\"name\":\"\\ud800\"}"), NULL},
        {STR("{\"id\":\"register\",\"name\":1e999}"), NULL},
        {STR("{\"id\":\"register\",\"name\":99999999999999999999}"), NULL},
    };
    scene_answered(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        signal_frame(w->s, w->now, CAROL, rows[i].frame);
        const char *answer = happened(w);
        if (rows[i].answer)
            assert_string_equal(answer, rows[i].answer);
        else
            assert_non_null(strstr(answer, "\"Invalid message: "));
    }
    signal_frame(w->s, w->now, CAROL, (struct str){NULL, 0});
    assert_happened(w, BAD("not JSON at byte 0"));
    assert_int_equal(signal_get_stats(w->s).calls, 1);
}

WORLD_TEST(deep_nesting, SIGNAL_NODE)
{
    static char frame[65536];
    scene_answered(w);
    memset(frame, '[', sizeof(frame) - 1);
    says(w, CAROL, frame);
    assert_non_null(strstr(happened(w), "Invalid message: nested too deep at byte 20"));
    for (size_t i = 0; i + 5 < sizeof(frame); i += 5)
        memcpy(frame + i, "{\"a\":", 5);
    says(w, CAROL, frame);
    assert_non_null(strstr(happened(w), "Invalid message: nested too deep"));
}

WORLD_TEST(unknown_sockets_are_ignored, SIGNAL_NODE)
{
    signal_frame(w->s, w->now, 99, STR("{\"id\":\"register\",\"name\":\"x\"}"));
    signal_socket_closed(w->s, w->now, 99);
    assert_happened(w, "");
}

WORLD_TEST(ringing_is_an_extra, SIGNAL_NODE)
{
    scene_ringing(w); /* alice, an old page, heard nothing */
    says(w, ALICE, "{\"id\":\"stop\"}");
    says(w, ALICE, "{\"id\":\"register\",\"name\":\"alice\",\"extras\":true}");
    (void)happened(w);
    says(w, ALICE, "{\"id\":\"call\",\"to\":\"bob\",\"sdpOffer\":\"A\"}");
    assert_happened(w, "bob < {\"id\":\"incomingCall\",\"from\":\"alice\",\"callId\":\"#\"}\n"
                       "alice < {\"id\":\"ringing\",\"callId\":\"#\"}\n");
    says(w, ALICE, "{\"id\":\"call\",\"to\":\"carol\",\"sdpOffer\":\"A\"}");
    assert_happened(w, "alice < {\"id\":\"error\",\"message\":\"you are in a call: send stop "
                       "first\",\"reason\":\"in-call\"}\n");
}

WORLD_TEST(a_wrong_from_names_the_field, SIGNAL_NODE)
{
    everybody_registers(w);
    says(w, ALICE, "{\"id\":\"call\",\"from\":\"bob\",\"to\":\"carol\",\"sdpOffer\":\"A\"}");
    assert_happened(w, "alice < {\"id\":\"error\",\"message\":\"from is not the name that this "
                       "connection registered: alice\",\"reason\":\"wrong-from\","
                       "\"field\":\"from\"}\n");
}

WORLD_TEST(call_ids_bind_stop_and_response, SIGNAL_NODE)
{
    char frame[256];
    scene_ringing(w);
    says(w, BOB, "{\"id\":\"stop\",\"callId\":\"0123456789abcdef\"}");
    assert_happened(w, "");
    (void)snprintf(frame, sizeof(frame),
                   "{\"id\":\"incomingCallResponse\",\"from\":\"alice\",\"callId\":\"%s\","
                   "\"callResponse\":\"accept\",\"sdpOffer\":\"B\"}",
                   w->call_id_text);
    says(w, BOB, frame);
    assert_happened(w, "media start A | B\n");
    (void)snprintf(frame, sizeof(frame), "{\"id\":\"stop\",\"callId\":\"%s\"}", w->call_id_text);
    says(w, BOB, frame);
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"remote user hanged out\",\"callId\":\"#\","
                       "\"reason\":\"hang-up\"}\n"
                       "media release\nended alice-bob hang-up\n");
}

/* ---- floods ---- */

WORLD_TEST(a_flood_gets_one_answer, SIGNAL_NODE)
{
    scene_answered(w);
    w->now += 60 * US_PER_S;
    for (int i = 0; i < SIGNAL_RATE_BURST; i++)
        says(w, CAROL, "{\"id\":\"stop\"}");
    assert_happened(w, "");
    for (int i = 0; i < 1000; i++)
        says(w, CAROL, "{\"id\":\"nonsense\"}");
    assert_happened(w, "carol < {\"id\":\"error\",\"message\":\"too many messages: 50 a second and "
                       "200 at once are the limit, the next ones are dropped until 50 could be "
                       "sent again\",\"reason\":\"rate-limit\"}\n");
    assert_int_equal(signal_get_stats(w->s).frames_dropped, 1000);
    says(w, ALICE, "{\"id\":\"stop\"}"); /* others are heard */
    assert_non_null(strstr(happened(w), "bob < {\"id\":\"stopCommunication\""));
    w->now += US_PER_S - 1;
    says(w, CAROL, "{\"id\":\"nonsense\"}");
    assert_happened(w, "");
    w->now += 1;
    says(w, CAROL, "{\"id\":\"nonsense\"}");
    assert_happened(w, "carol < {\"id\":\"error\",\"message\":"
                       "\"Invalid message [object Object]\"}\n");
}

static void the_bucket_lets_the_rate_through(void **state)
{
    struct signal_rate r;
    mono_us now = 5;
    (void)state;
    signal_rate_init(&r, now);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(signal_rate_take(&r, now), SIGNAL_RATE_PASS);
        now += US_PER_S / SIGNAL_RATE_PER_S;
    }
    now = INT64_MAX - 1; /* no overflow */
    for (int i = 0; i < SIGNAL_RATE_BURST; i++)
        assert_int_equal(signal_rate_take(&r, now), SIGNAL_RATE_PASS);
    assert_int_equal(signal_rate_take(&r, now), SIGNAL_RATE_TELL);
    assert_int_equal(signal_rate_take(&r, now), SIGNAL_RATE_DROP);
}

/* ---- when something breaks ---- */

WORLD_TEST(the_backend_cannot_start, SIGNAL_NODE)
{
    scene_ringing(w);
    w->start_result = -EMFILE;
    says(w, BOB,
         "{\"id\":\"incomingCallResponse\",\"from\":\"alice\",\"callResponse\":\"accept\","
         "\"sdpOffer\":\"B\"}");
    assert_happened(w, "media start A | B\n"
                       "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"the server could not go on with this call\","
                       "\"callId\":\"#\",\"reason\":\"server-error\"}\n"
                       "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"the server could not go on with this call\","
                       "\"callId\":\"#\",\"reason\":\"server-error\"}\n"
                       "media release\nended alice-bob server-error\n");
}

WORLD_TEST(shutdown_tells_everybody, SIGNAL_NODE)
{
    scene_answered(w);
    signal_shutdown(w->s, w->now);
    assert_happened(w, "alice < {\"id\":\"stopCommunication\","
                       "\"message\":\"the server is shutting down\",\"callId\":\"#\","
                       "\"reason\":\"server-shutdown\"}\n"
                       "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"the server is shutting down\",\"callId\":\"#\","
                       "\"reason\":\"server-shutdown\"}\n"
                       "media release\nended alice-bob server-shutdown\n");
    says(w, CAROL, "{\"id\":\"call\",\"to\":\"dave\",\"sdpOffer\":\"A\"}");
    assert_happened(w, "carol < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"the server is shutting down\","
                       "\"reason\":\"server-shutdown\"}\n");
}

WORLD_TEST(a_text_that_is_not_utf8_is_not_passed_on, SIGNAL_NODE)
{
    scene_answered(w);
    media_says(w, &(struct media_event){
                      .type = MEDIA_EVENT_ENDED, .end = MEDIA_END_REFUSED, .text = "cut \xe2\x82"});
    assert_non_null(strstr(happened(w), "\"the two browsers have no audio codec in common\""));
}

/* A whole call in which the n-th allocation fails: whoever it hits is disconnected, nobody else,
 * and nothing is lost. (Reading is left to jansson's own allocator: 2.14 does not survive a failing
 * one in nested objects.) */
static void memory_fails_at_every_allocation(void **state)
{
    static struct world w;
    unsigned n_allocations = 1;
    (void)state;
    for (unsigned n = 1; n <= n_allocations; n++) {
        world_init(&w, SIGNAL_NODE, false);
        mem_fail_at(n);
        scene_ringing(&w);
        says(&w, ALICE, "{\"id\":\"onIceCandidate\",\"candidate\":{\"candidate\":\"c\"}}");
        says(&w, CAROL, "{\"id\":\"call\",\"to\":\"bob\",\"sdpOffer\":\"A\"}");
        says(&w, CAROL, "{\"id\":7}");
        says(&w, BOB,
             "{\"id\":\"incomingCallResponse\",\"from\":\"alice\",\"callResponse\":\"accept\","
             "\"sdpOffer\":\"B\"}");
        media_answers(&w);
        media_says(&w, &(struct media_event){.type = MEDIA_EVENT_CANDIDATE,
                                             .candidate = {.candidate = STR("l")}});
        says(&w, BOB, "{\"id\":\"stop\"}");
        n_allocations = n_allocations > mem_count() ? n_allocations : mem_count();
        mem_fail_at(0);
        assert_int_equal(signal_get_stats(w.s).calls, 0);
        assert_true(signal_get_stats(w.s).sockets >= N_PERSONS - 1);
        assert_true(signal_get_stats(w.s).users <= signal_get_stats(w.s).sockets);
        (void)happened(&w);
        world_deinit(&w);
    }
    assert_true(n_allocations > 20);
}

static void writing_without_memory(void **state)
{
    const struct call_reply candidate = {
        .type = CALL_REPLY_CANDIDATE,
        .candidate = {.candidate = STR("c"), .mid = STR("0")},
    };
    const struct call_reply stop = {
        .type = CALL_REPLY_STOP, .call_id = 1, .reason = CALL_REASON_CANCELLED, .name = STR("a")};
    const struct call_reply *const replies[] = {&candidate, &stop};
    (void)state;
    json_set_alloc_funcs(mem_alloc, mem_free);
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        unsigned n = 0;
        char *text = NULL;
        while (!text) {
            mem_fail_at(++n);
            text = signal_reply_text(SIGNAL_NODE, replies[i]);
        }
        assert_true(n > 8);
        free(text);
    }
    mem_fail_at(0);
    json_set_alloc_funcs(malloc, free);
}

static void opening_without_memory(void **state)
{
    static struct world w;
    const struct signal_transport transport = {transport_send, transport_close, &w};
    (void)state;
    world_init(&w, SIGNAL_NODE, false);
    mem_fail_at(1);
    assert_int_equal(signal_socket_opened(w.s, w.now, 100, SIGNAL_NODE), -ENOMEM);
    assert_int_equal(signal_get_stats(w.s).sockets, N_PERSONS);
    for (unsigned n = 1; n <= 2; n++) {
        mem_fail_at(n);
        assert_null(signal_new(&(struct signal_config){0}, &transport, &w.media, &w.rng));
    }
    mem_fail_at(0);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_are_no_message),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(unknown_sockets_are_ignored),
        cmocka_unit_test(ringing_is_an_extra),
        cmocka_unit_test(a_wrong_from_names_the_field),
        cmocka_unit_test(call_ids_bind_stop_and_response),
        cmocka_unit_test(a_flood_gets_one_answer),
        cmocka_unit_test(the_bucket_lets_the_rate_through),
        cmocka_unit_test(the_backend_cannot_start),
        cmocka_unit_test(shutdown_tells_everybody),
        cmocka_unit_test(a_text_that_is_not_utf8_is_not_passed_on),
        cmocka_unit_test(memory_fails_at_every_allocation),
        cmocka_unit_test(writing_without_memory),
        cmocka_unit_test(opening_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
