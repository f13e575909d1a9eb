/* The course of a call on a media server, and all the ways in which it goes wrong there. */
#include "log/counters.h"
#include "unit/kms/bench.h"

#define UDP1 "candidate:1 1 UDP 2015364095 127.0.0.1 24001 typ host"
#define UDP2 "candidate:1 2 UDP 2015364094 127.0.0.1 17360 typ host"
#define TCP1 "candidate:3 1 TCP 1010828287 127.0.0.1 31672 typ host tcptype passive"

/* Up, and nothing of it in the transcript. */
static void begin(struct world *w)
{
    run(w, 0);
    assert_true(kms_server_info(w->k, 0).is_up);
    (void)happened(w);
}

static void begin_call(struct world *w)
{
    begin(w);
    calls(w, 7);
    settle(w);
    (void)happened(w);
}

static void begin_talk(struct world *w)
{
    begin_call(w);
    connects(w, 0, 1);
    settle(w);
    assert_happened(w, "call 7 caller connected\ncall 7 callee connected\n");
}

/* ---- as it should be ---- */

WORLD_TEST(the_steps_are_those_of_the_tutorial, 1)
{
    begin(w);
    calls(w, 7);
    trickles(w, 7, MEDIA_CALLER, "candidate:9 1 udp 1 192.0.2.1 5000 typ host");
    settle(w);
    assert_happened(w,
                    "0 < create MediaPipeline\n"
                    "0 < create WebRtcEndpoint\n"
                    "0 < create WebRtcEndpoint\n"
                    "0 < subscribe P1/E1 IceCandidateFound\n"
                    "0 < subscribe P1/E1 ConnectionStateChanged\n"
                    "0 < subscribe P1/E1 IceComponentStateChanged\n"
                    "0 < subscribe P1/E1 DtlsConnectionStateChange\n"
                    "0 < subscribe P1/E1 MediaFlowInStateChanged\n"
                    "0 < subscribe P1/E1 Error\n"
                    "0 < subscribe P1/E2 IceCandidateFound\n"
                    "0 < subscribe P1/E2 ConnectionStateChanged\n"
                    "0 < subscribe P1/E2 IceComponentStateChanged\n"
                    "0 < subscribe P1/E2 DtlsConnectionStateChange\n"
                    "0 < subscribe P1/E2 MediaFlowInStateChanged\n"
                    "0 < subscribe P1/E2 Error\n"
                    "0 < invoke P1/E1 connect P1/E2 AUDIO\n"
                    "0 < invoke P1/E1 processOffer A7\n"
                    "0 < invoke P1/E2 connect P1/E1 AUDIO\n"
                    "0 < invoke P1/E2 processOffer B7\n"
                    "0 < invoke P1/E1 gatherCandidates\n"
                    "0 < invoke P1/E1 addIceCandidate candidate:9 1 udp 1 192.0.2.1 5000 typ host\n"
                    "0 < invoke P1/E2 gatherCandidates\n"
                    "call 7 answered [v=0 answer to A7] [v=0 answer to B7]\n");
    assert_int_equal(kms_server_info(w->k, 0).n_calls, 1);
    connects(w, 0, 1);
    settle(w);
    assert_happened(w, "call 7 caller connected\ncall 7 callee connected\n");
    w->m->ops->release(w->m, 7);
    settle(w);
    assert_happened(w, "0 < release P1\n");
    assert_int_equal(kms_server_info(w->k, 0).n_calls, 0);
}

WORLD_TEST(candidates_are_told_once_and_of_component_1, 1)
{
    begin_call(w);
    static const char *const said[] = {
        UDP1, UDP2, UDP1, TCP1, "", "garbage", "candidate:1", TCP1, TCP1 "\r\na=sendrecv"};
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        tells_candidate(w, 0, "P1/E2", said[i]);
    tells_candidate(w, 0, "P1/E1", UDP1);
    settle(w);
    assert_happened(w, "call 7 candidate of callee " UDP1 " [0] 0\n"
                       "call 7 candidate of callee " TCP1 " [0] 0\n"
                       "call 7 candidate of caller " UDP1 " [0] 0\n");
}

WORLD_TEST(never_ending_candidates_end, 1)
{
    char text[80];
    begin_call(w);
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof(text), "candidate:%u 1 UDP 1 127.0.0.1 1 typ host", i);
        tells_candidate(w, 0, "P1/E1", text);
    }
    const char *all = happened(w);
    size_t n = 0;
    for (const char *at = all; (at = strstr(at, "\n")); at++)
        n++;
    assert_int_equal(n, KMS_MAX_CANDIDATES);
}

WORLD_TEST(candidates_of_a_page_wait_for_the_answers, 1)
{
    begin(w);
    calls(w, 7);
    for (unsigned i = 0; i < KMS_MAX_CANDIDATES + 5; i++)
        trickles(w, 7, MEDIA_CALLEE, "candidate:9 1 udp 1 192.0.2.1 5000 typ host");
    trickles(w, 7, MEDIA_CALLEE, "candidate:9 1 udp 1 c0ffee.local 5000 typ host");
    trickles(w, 7, MEDIA_CALLEE, "");
    trickles(w, 8, MEDIA_CALLEE, "of no call");
    unsigned before = w->servers[0].n_requests;
    settle(w);
    assert_int_equal(w->servers[0].n_requests - before, 2 + 12 + 4 + 2 + KMS_MAX_CANDIDATES);
    (void)happened(w);
    trickles(w, 7, MEDIA_CALLEE, TCP1);
    trickles(w, 7, MEDIA_CALLEE, "candidate:9 1 udp 1 C0FFEE.LOCAL 5000 typ host");
    trickles(w, 7, MEDIA_CALLEE, "candidate:9 1 udp 1 192.0.2.1 5000 typ host\na=sendrecv");
    assert_happened(w, "0 < invoke P1/E2 addIceCandidate " TCP1 "\n");
}

WORLD_TEST(nothing_is_told_before_all_that_is_needed_is_there, 1)
{
    begin(w);
    w->is_quiet = true;
    calls(w, 7);
    for (unsigned i = 0; i < 3; i++)
        assert_true(answers_one(w, 0)); /* the pipeline and both endpoints */
    while (json_array_size(w->servers[0].asked) > 1) {
        assert_true(answers(w, 0, json_array_size(w->servers[0].asked) - 1));
        assert_happened(w, "");
    }
    assert_true(answers_one(w, 0)); /* the first subscription */
    assert_happened(w, "call 7 answered [v=0 answer to A7] [v=0 answer to B7]\n");
}

WORLD_TEST(old_names_of_events_will_do, 1)
{
    w->servers[0].is_old = true;
    begin(w);
    calls(w, 7);
    settle(w);
    const char *all = happened(w);
    assert_non_null(strstr(all, "subscribe P1/E1 OnIceCandidate\n"));
    assert_non_null(strstr(all, "subscribe P1/E2 MediaFlowInStateChange\n"));
    assert_non_null(strstr(all, "call 7 answered"));
    tells(w, 0, "P1/E1", "OnIceCandidate",
          json_pack("{s:{s:s, s:s, s:i}}", "candidate", "candidate", UDP1, "sdpMid", "audio",
                    "sdpMLineIndex", 0));
    assert_happened(w, "call 7 candidate of caller " UDP1 " [audio] 0\n");
}

/* ---- later offers ---- */

WORLD_TEST(a_later_offer_is_answered_by_who_can, 1)
{
    begin_talk(w);
    assert_int_equal(w->m->ops->renegotiate(w->m, 7, MEDIA_CALLEE, STR("again")), 0);
    assert_true(w->m->ops->renegotiate(w->m, 7, MEDIA_CALLEE, STR("too soon")) < 0);
    assert_true(w->m->ops->renegotiate(w->m, 8, MEDIA_CALLEE, STR("of no call")) < 0);
    settle(w);
    assert_happened(w, "0 < invoke P1/E2 processOffer again\n"
                       "call 7 callee reanswered [v=0 answer to again]\n");
    w->servers[0].refused = "processOffer";
    w->servers[0].code = 40208;
    assert_int_equal(w->m->ops->renegotiate(w->m, 7, MEDIA_CALLEE, STR("third")), 0);
    settle(w);
    assert_happened(w,
                    "0 < invoke P1/E2 processOffer third\n"
                    "call 7 callee unchanged, refused: the media server takes no later offers\n");
    w->servers[0].code = 40205;
    assert_int_equal(w->m->ops->renegotiate(w->m, 7, MEDIA_CALLER, STR("bad")), 0);
    settle(w);
    assert_happened(w, "0 < invoke P1/E1 processOffer bad\n"
                       "call 7 caller unchanged, refused: Refused by the test\n");
}

/* The texts of servers go to pages: whatever their length, they are cut between characters. */
WORLD_TEST(texts_of_a_server_stay_utf8, 1)
{
    char words[400];
    begin_talk(w);
    w->is_quiet = true;
    w->servers[0].refused = "processOffer";
    w->servers[0].code = 40205;
    w->servers[0].words = words;
    for (size_t ascii = 0; ascii < 4; ascii++) {
        memset(words, 'a', ascii);
        for (size_t i = ascii; i < sizeof(words) - 4; i += 3)
            memcpy(words + i, "\xe2\x82\xac", 4);
        run(w, US_PER_S);
        assert_int_equal(w->m->ops->renegotiate(w->m, 7, MEDIA_CALLER, STR("again")), 0);
        settle(w);
        assert_non_null(strstr(happened(w), "call 7 caller unchanged, refused: "));
        calls(w, 100 + ascii);
        settle(w);
        assert_non_null(strstr(happened(w), "ended, refused of caller: "));
    }
}

/* ---- how media ends ---- */

WORLD_TEST(a_browser_that_closes_has_hung_up, 1)
{
    begin_talk(w);
    tells_dtls(w, 0, "P1/E2", "CLOSED");
    tells_ice(w, 0, "P1/E2", 1, "DISCONNECTED");
    settle(w);
    assert_happened(w,
                    "0 < release P1\n"
                    "call 7 ended, remote-closed of callee: the browser closed its connection\n");
}

WORLD_TEST(a_path_that_is_lost_ends_the_call_after_a_moment, 1)
{
    begin_talk(w);
    tells_ice(w, 0, "P1/E1", 2, "FAILED"); /* nobody is there: RTCP is multiplexed */
    run(w, 10 * US_PER_S);
    assert_happened(w, "");
    tells_ice(w, 0, "P1/E1", 1, "FAILED");
    tells_ice(w, 0, "P1/E1", 1, "CONNECTED"); /* a late candidate */
    run(w, 10 * US_PER_S);
    assert_happened(w, "");
    tells_ice(w, 0, "P1/E1", 1, "DISCONNECTED");
    tells_connection(w, 0, "P1/E1", "DISCONNECTED");
    run(w, KMS_ICE_GRACE - 1);
    assert_happened(w, "");
    run(w, 1);
    assert_happened(
        w, "0 < release P1\n"
           "call 7 ended, lost of caller: the network connection to the browser is lost\n");
}

WORLD_TEST(a_path_that_never_was_is_a_failure, 1)
{
    begin_call(w);
    tells_connection(w, 0, "P1/E2", "DISCONNECTED");
    tells_ice(w, 0, "P1/E2", 1, "DISCONNECTED"); /* before the checks: as it begins */
    run(w, 10 * US_PER_S);
    assert_happened(w, "");
    tells_ice(w, 0, "P1/E2", 1, "FAILED");
    run(w, KMS_ICE_GRACE);
    assert_happened(w,
                    "0 < release P1\n"
                    "call 7 ended, failed of callee: no network path to the browser was found\n");
}

WORLD_TEST(dtls_that_fails_and_errors_end_it_at_once, 1)
{
    begin_call(w);
    tells_dtls(w, 0, "P1/E1", "CONNECTING");
    tells_dtls(w, 0, "P1/E1", "FAILED");
    assert_happened(w,
                    "0 < release P1\n"
                    "call 7 ended, failed of caller: the encrypted connection could not be made\n");
    calls(w, 8);
    settle(w);
    (void)happened(w);
    tells(w, 0, "P2/E1", "Error",
          json_pack("{s:s, s:i}", "description", "no disk", "errorCode", 1));
    assert_happened(w,
                    "0 < release P2\n"
                    "call 8 ended, broken of caller: the media server reports an error: no disk\n");
}

/* ---- how the lines do ---- */

/* In the shape of a real one; `lost` of all that came, in both directions. */
static void has_stats(struct world *w, unsigned leg, int packets, int lost_up, int lost_down)
{
    struct fake *s = &w->servers[0];
    json_decref(s->stats[leg]);
    s->stats[leg] = json_pack("{s:{s:s, s:i, s:i, s:f}, s:{s:s, s:i, s:i, s:f, s:f}, s:{s:s}, s:n}",
                              "in", "type", "inboundrtp", "packetsReceived", packets - lost_up,
                              "packetsLost", lost_up, "jitter", 0.002, "out", "type", "outboundrtp",
                              "packetsSent", packets, "packetsLost", lost_down, "jitter", 0.002,
                              "roundTripTime", 0.03, "endpoint", "type", "endpoint", "nothing");
}

static void ask(struct world *w, enum media_leg leg)
{
    const struct media_hearing hearing = {.concealed_permille = 0, .jitter_buffer_ms = 40};
    w->m->ops->ask_quality(w->m, 7, leg, &hearing);
    settle(w);
}

WORLD_TEST(lines_are_judged_by_what_the_server_measured, 1)
{
    begin(w);
    w->is_quiet = true;
    ask(w, MEDIA_CALLER); /* of no call */
    calls(w, 7);
    ask(w, MEDIA_CALLER); /* before its answers */
    connects(w, 0, 1);
    (void)happened(w);
    has_stats(w, 0, 500, 0, 0);
    has_stats(w, 1, 500, 0, 0);
    run(w, 10 * US_PER_S);
    ask(w, MEDIA_CALLER);
    assert_happened(w, "call 7 quality for caller: good -, good -\n");
    /* The caller's line loses what it says: the callee's reports count that, too, and are not
     * believed. */
    for (int i = 2; i < 6; i++) {
        has_stats(w, 0, 500 * i, 60 * i, 0);
        has_stats(w, 1, 500 * i, 0, 60 * i);
        run(w, 10 * US_PER_S);
        ask(w, MEDIA_CALLEE);
    }
    const char *all = happened(w);
    assert_non_null(strstr(all, "quality for callee: poor loss-up, good -\n"));
    assert_null(strstr(all, "loss-down"));
    /* Nothing comes any more. */
    run(w, 30 * US_PER_S);
    ask(w, MEDIA_CALLEE);
    assert_non_null(strstr(happened(w), "silent"));
}

WORLD_TEST(figures_that_make_no_sense_do_no_harm, 1)
{
    static const char *const values[] = {
        "[]",
        "[1]",
        "{\"a\":1}",
        "{\"a\":{\"type\":7}}",
        "{\"a\":{\"type\":\"inboundrtp\"}}",
        "{\"a\":{\"type\":\"inboundrtp\",\"packetsReceived\":1e300,\"packetsLost\":-5,"
        "\"jitter\":1e18},\"b\":{\"type\":\"outboundrtp\",\"packetsSent\":\"x\","
        "\"packetsLost\":3999999999,\"roundTripTime\":-1}}",
    };
    begin_talk(w);
    w->is_quiet = true;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        json_decref(w->servers[0].stats[0]);
        w->servers[0].stats[0] = json_loads(values[i], 0, NULL);
        assert_non_null(w->servers[0].stats[0]);
        run(w, US_PER_S);
        ask(w, MEDIA_CALLER);
        assert_non_null(strstr(happened(w), "quality for caller: "));
    }
    w->servers[0].refused = "getStats";
    ask(w, MEDIA_CALLER);
    assert_happened(w, "");
}

/* ---- what a server refuses ---- */

WORLD_TEST(an_offer_that_is_refused_names_its_leg, 1)
{
    begin(w);
    w->servers[0].refused = "processOffer";
    w->servers[0].code = 40201;
    calls(w, 7);
    settle(w);
    const char *all = happened(w);
    assert_non_null(strstr(all, "0 < release P1\n"));
    assert_non_null(strstr(all, "call 7 ended, refused of caller: Refused by the test\n"));
    assert_int_equal(kms_server_info(w->k, 0).n_calls, 0);
}

/* Each request that a call cannot do without, refused by the only server. */
WORLD_TEST(any_other_refusal_ends_the_call_and_releases_what_was_made, 1)
{
    static const struct {
        const char *refused;
        bool is_made; /* there is a pipeline then */
    } cases[] = {
        {"MediaPipeline", false}, {"WebRtcEndpoint", true},         {"subscribe", true},
        {"connect", true},        {"ConnectionStateChanged", true}, {"gatherCandidates", true},
    };
    begin(w);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        w->servers[0].refused = cases[i].refused;
        w->servers[0].code = 40009;
        calls(w, 100 + i);
        settle(w);
        const char *all = happened(w);
        assert_non_null(strstr(all, "ended, broken"));
        assert_non_null(strstr(all, "Refused by the test"));
        assert_int_equal(strstr(all, "0 < release") != NULL, cases[i].is_made);
        assert_int_equal(kms_server_info(w->k, 0).n_calls, 0);
    }
    static const char *const harmless[] = {"Error", "MediaFlowInStateChanged", "addIceCandidate",
                                           "DtlsConnectionStateChange"};
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        w->servers[0].refused = harmless[i];
        calls(w, 200 + i);
        trickles(w, 200 + i, MEDIA_CALLER, UDP1);
        settle(w);
        const char *all = happened(w);
        assert_non_null(strstr(all, "answered"));
        assert_null(strstr(all, "ended"));
    }
}

/* ---- a server that makes no sense ---- */

WORLD_TEST(frames_that_make_no_sense_are_dropped, 1)
{
    static const char *const frames[] = {
        "",
        "no json",
        "[]",
        "5",
        "null",
        "{}",
        "{\"id\":1}",
        "{\"id\":\"1\",\"jsonrpc\":\"2.0\",\"result\":{}}",
        "{\"id\":99999,\"jsonrpc\":\"2.0\",\"result\":{\"value\":\"P9\"}}",
        "{\"id\":-1,\"result\":7}",
        "{\"id\":1e300,\"result\":7}",
        "{\"error\":{\"code\":-32600,\"message\":\"Invalid JSON-RPC request.\"},\"id\":null}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"onEvent\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"onEvent\",\"params\":{\"value\":[]}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"onEvent\",\"params\":{\"value\":{\"object\":\"P1/E1\","
        "\"type\":\"IceCandidateFound\",\"data\":\"text\"}}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"onEvent\",\"params\":{\"value\":{\"object\":\"P1/E1\","
        "\"type\":\"IceCandidateFound\",\"data\":{\"candidate\":[1]}}}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"onEvent\",\"params\":{\"value\":{\"object\":\"P1/E1\","
        "\"type\":\"Unheard\",\"data\":{}}}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"onEvent\",\"params\":{\"value\":{\"object\":\"P1\","
        "\"type\":\"ConnectionStateChanged\",\"data\":{\"newState\":\"CONNECTED\"}}}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"format\",\"params\":{},\"id\":1}",
        "{\"a\":\"\xff\xfe\"}",
    };
    uint64_t counted = counter_values[COUNTER_MEDIA_SERVER_BAD_FRAME];
    begin_talk(w);
    for (size_t i = 0; i < ARRAY_LEN(frames); i++)
        says(w, 0, frames[i]);
    run(w, 5 * US_PER_S);
    assert_happened(w, "");
    assert_true(kms_server_info(w->k, 0).bad_frames >= 8);
    counted = counter_values[COUNTER_MEDIA_SERVER_BAD_FRAME] - counted;
    assert_int_equal(counted, kms_server_info(w->k, 0).bad_frames);
    assert_int_equal(kms_server_info(w->k, 0).n_calls, 1);
}

/* Answers of the wrong type, to each step in turn. */
WORLD_TEST(answers_of_a_wrong_type_end_the_call, 1)
{
    static const char *const results[] = {
        "null",
        "7",
        "{}",
        "{\"value\":null}",
        "{\"value\":5}",
        "{\"value\":{\"a\":1}}",
        "{\"value\":\"\"}",
    };
    begin(w);
    w->is_quiet = true;
    for (unsigned answered = 0; answered < 19; answered++) {
        for (size_t i = 0; i < ARRAY_LEN(results); i++) {
            uint64_t id = 1000 + answered * 100 + i;
            calls(w, id);
            for (unsigned n = 0; n < answered; n++)
                assert_true(answers_one(w, 0));
            json_t *request = json_array_get(w->servers[0].asked, 0);
            char frame[256];
            (void)snprintf(frame, sizeof(frame), "{\"id\":%d,\"jsonrpc\":\"2.0\",\"result\":%s}",
                           (int)json_integer_value(json_object_get(request, "id")), results[i]);
            const char *operation = text_of(json_object_get(request, "params"), "operation");
            bool wants_value = strcmp(text_of(request, "method"), "create") == 0 ||
                               strcmp(operation, "processOffer") == 0;
            (void)json_array_remove(w->servers[0].asked, 0);
            says(w, 0, frame);
            settle(w);
            const char *all = happened(w);
            assert_int_equal(strstr(all, "ended, broken") != NULL, wants_value);
            assert_int_equal(strstr(all, "answered") != NULL, !wants_value);
            w->m->ops->release(w->m, id);
            settle(w);
            (void)happened(w);
            assert_int_equal(kms_server_info(w->k, 0).n_calls, 0);
        }
    }
}

WORLD_TEST(the_same_id_twice_is_refused, 1)
{
    begin(w);
    calls(w, 7);
    assert_true(answers_one(w, 0));
    assert_true(answers_one(w, 0));
    w->servers[0].n_endpoints = 0; /* the second endpoint is P1/E1 again */
    settle(w);
    assert_non_null(strstr(happened(w), "its answer makes no sense"));
}

/* ---- time-outs ---- */

/* A server that goes on answering pings, but leaves one request unanswered, at each step. */
WORLD_TEST(a_request_without_an_answer_ends_the_call, 1)
{
    begin(w);
    w->is_quiet = true;
    for (unsigned answered = 0; answered < 21; answered++) {
        uint64_t id = 1000 + answered;
        mono_us began = w->now;
        calls(w, id);
        for (unsigned n = 0; n < answered; n++)
            assert_true(answers_one(w, 0));
        (void)json_array_remove(w->servers[0].asked, 0);
        char all[4096] = "";
        while (!strstr(all, "ended") && w->now < began + 60 * US_PER_S) {
            run(w, US_PER_S);
            const char *more = happened(w);
            assert_true(strlen(all) + strlen(more) < sizeof(all));
            memcpy(all + strlen(all), more, strlen(more) + 1);
        }
        if (answered == 0) {
            assert_non_null(strstr(all, "does not answer"));
            assert_true(w->now - began <= KMS_DECIDE_LIMIT + US_PER_S);
        } else if (strstr(all, "ended")) {
            assert_non_null(strstr(all, "did not answer in time"));
            assert_true(w->now - began <= KMS_REQUEST_LIMIT + US_PER_S);
        } else {
            assert_non_null(strstr(all, "answered")); /* of a step that is not needed */
        }
        w->m->ops->release(w->m, id);
        settle(w);
        (void)happened(w);
        assert_int_equal(kms_server_info(w->k, 0).n_calls, 0);
    }
}

WORLD_TEST(a_call_given_up_before_its_pipeline_was_made_releases_it_then, 1)
{
    begin(w);
    calls(w, 7);
    w->m->ops->release(w->m, 7);
    assert_int_equal(kms_server_info(w->k, 0).n_calls, 0);
    settle(w);
    assert_happened(w, "0 < create MediaPipeline\n0 < release P1\n");
}

WORLD_TEST(released_at_every_step_nothing_is_left, 1)
{
    begin(w);
    for (unsigned answered = 0; answered < 24; answered++) {
        calls(w, 7);
        for (unsigned n = 0; n < answered; n++)
            (void)answers_one(w, 0);
        w->m->ops->release(w->m, 7);
        settle(w);
        const char *all = happened(w);
        assert_non_null(strstr(all, "0 < release P"));
        assert_null(strstr(all, "ended"));
    }
}

/* ---- memory ---- */

WORLD_TEST(without_memory_calls_end_and_nothing_leaks, 1)
{
    begin(w);
    w->is_quiet = true;
    for (unsigned fail_at = 1; fail_at < 80; fail_at++) {
        mem_fail_at(fail_at);
        int err = w->m->ops->start(w->m, fail_at, STR("A"), STR("B"), NULL);
        if (!err) {
            trickles(w, fail_at, MEDIA_CALLER, UDP1);
            settle(w);
            tells_candidate(w, 0, "P1/E1", UDP1);
            if (w->m->ops->renegotiate(w->m, fail_at, MEDIA_CALLER, STR("again")) == 0)
                settle(w);
            const struct media_hearing hearing = {-1, -1};
            w->m->ops->ask_quality(w->m, fail_at, MEDIA_CALLEE, &hearing);
            settle(w);
        }
        mem_fail_at(0);
        settle(w);
        w->m->ops->release(w->m, fail_at);
        settle(w);
        (void)happened(w);
        assert_int_equal(kms_server_info(w->k, 0).n_calls, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_are_those_of_the_tutorial),
        cmocka_unit_test(candidates_are_told_once_and_of_component_1),
        cmocka_unit_test(never_ending_candidates_end),
        cmocka_unit_test(candidates_of_a_page_wait_for_the_answers),
        cmocka_unit_test(nothing_is_told_before_all_that_is_needed_is_there),
        cmocka_unit_test(old_names_of_events_will_do),
        cmocka_unit_test(a_later_offer_is_answered_by_who_can),
        cmocka_unit_test(texts_of_a_server_stay_utf8),
        cmocka_unit_test(a_browser_that_closes_has_hung_up),
        cmocka_unit_test(a_path_that_is_lost_ends_the_call_after_a_moment),
        cmocka_unit_test(a_path_that_never_was_is_a_failure),
        cmocka_unit_test(dtls_that_fails_and_errors_end_it_at_once),
        cmocka_unit_test(lines_are_judged_by_what_the_server_measured),
        cmocka_unit_test(figures_that_make_no_sense_do_no_harm),
        cmocka_unit_test(an_offer_that_is_refused_names_its_leg),
        cmocka_unit_test(any_other_refusal_ends_the_call_and_releases_what_was_made),
        cmocka_unit_test(frames_that_make_no_sense_are_dropped),
        cmocka_unit_test(answers_of_a_wrong_type_end_the_call),
        cmocka_unit_test(the_same_id_twice_is_refused),
        cmocka_unit_test(a_request_without_an_answer_ends_the_call),
        cmocka_unit_test(a_call_given_up_before_its_pipeline_was_made_releases_it_then),
        cmocka_unit_test(released_at_every_step_nothing_is_left),
        cmocka_unit_test(without_memory_calls_end_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
