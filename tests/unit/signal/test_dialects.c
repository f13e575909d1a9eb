/*
 * Every frame that the server sends, byte for byte, in both dialects. The tutorials' part of each
 * frame is the text up to the extras.
 */
#include "unit/signal/harness.h"

#define REGISTER(name) "{\"id\":\"register\",\"name\":\"" name "\"}"
#define CALL(from, to)                                                                             \
    "{\"id\":\"call\",\"from\":\"" from "\",\"to\":\"" to "\",\"sdpOffer\":\"A\"}"
#define ACCEPT(from)                                                                               \
    "{\"id\":\"incomingCallResponse\",\"from\":\"" from                                            \
    "\",\"callResponse\":\"accept\",\"sdpOffer\":\"B\"}"
#define REJECT(from, why)                                                                          \
    "{\"id\":\"incomingCallResponse\",\"from\":\"" from                                            \
    "\",\"callResponse\":\"reject\",\"message\":\"" why "\"}"
#define STOP "{\"id\":\"stop\"}"

static const struct media_event a_candidate = {
    .type = MEDIA_EVENT_CANDIDATE,
    .leg = MEDIA_CALLEE,
    .candidate = {.mline_index = 0},
};

static void media_finds(struct world *w)
{
    struct media_event event = a_candidate;
    event.candidate.candidate = STR("candidate:1 1 UDP 2015363327 127.0.0.1 45678 typ host");
    event.candidate.mid = STR("0");
    media_says(w, &event);
}

static void media_ends(struct world *w, enum media_leg leg, enum media_end end, const char *text)
{
    media_says(
        w, &(struct media_event){.type = MEDIA_EVENT_ENDED, .leg = leg, .end = end, .text = text});
}

/* ---- Node, /one2one ---- */

WORLD_TEST(node_register, SIGNAL_NODE)
{
    says(w, ALICE, REGISTER("alice"));
    assert_happened(w, "alice < {\"id\":\"registerResponse\",\"response\":\"accepted\"}\n");
    says(w, BOB, REGISTER(""));
    assert_happened(w, "bob < {\"id\":\"registerResponse\",\"response\":\"rejected \","
                       "\"message\":\"empty user name\",\"reason\":\"empty-name\"}\n");
    says(w, BOB, REGISTER("alice"));
    assert_happened(w, "bob < {\"id\":\"registerResponse\",\"response\":\"rejected \","
                       "\"message\":\"User alice is already registered\","
                       "\"reason\":\"name-taken\"}\n");
}

WORLD_TEST(node_call, SIGNAL_NODE)
{
    everybody_registers(w);
    says(w, ALICE, CALL("alice", "bob"));
    assert_happened(w, "bob < {\"id\":\"incomingCall\",\"from\":\"alice\",\"callId\":\"#\"}\n");
    says(w, BOB, ACCEPT("alice"));
    assert_happened(w, "media start A | B\n");
    media_answers(w);
    assert_happened(w, "bob < {\"id\":\"startCommunication\","
                       "\"sdpAnswer\":\"v=0\\r\\ncallee/answer\",\"callId\":\"#\"}\n"
                       "alice < {\"id\":\"callResponse\",\"response\":\"accepted\","
                       "\"sdpAnswer\":\"v=0\\r\\ncaller/answer\",\"callId\":\"#\"}\n");
    media_finds(w);
    assert_happened(
        w, "bob < {\"id\":\"iceCandidate\",\"candidate\":{\"candidate\":"
           "\"candidate:1 1 UDP 2015363327 127.0.0.1 45678 typ host\",\"sdpMid\":\"0\","
           "\"sdpMLineIndex\":0,\"__module__\":\"kurento\",\"__type__\":\"IceCandidate\"}}\n");
    says(w, ALICE, STOP);
    assert_happened(w, "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"remote user hanged out\",\"callId\":\"#\","
                       "\"reason\":\"hang-up\"}\n"
                       "media release\nended alice-bob hang-up\n");
}

WORLD_TEST(node_refusals, SIGNAL_NODE)
{
    everybody_registers(w);
    says(w, ALICE, CALL("alice", "nobody"));
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected: \","
                       "\"message\":\"User nobody is not registered\","
                       "\"reason\":\"not-registered\"}\n");
    says(w, ALICE, CALL("alice", "bob"));
    (void)happened(w);
    says(w, CAROL, CALL("carol", "bob"));
    assert_happened(w, "carol < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"User bob is busy\",\"reason\":\"busy\"}\n");
    says(w, BOB, REJECT("alice", "user declined"));
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"user declined\",\"callId\":\"#\","
                       "\"reason\":\"declined\"}\n"
                       "ended alice-bob declined\n");
    says(w, ALICE, CALL("alice", "bob"));
    (void)happened(w);
    says(w, BOB, REJECT("alice", "bussy"));
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"user declined\",\"callId\":\"#\",\"reason\":\"busy\"}\n"
                       "ended alice-bob busy\n");
    says(w, BOB, ACCEPT("ghost"));
    assert_happened(w, "bob < {\"id\":\"stopCommunication\",\"message\":\"unknown from = ghost\","
                       "\"reason\":\"unknown-from\"}\n");
}

WORLD_TEST(node_unknown_id, SIGNAL_NODE)
{
    says(w, ALICE, "{\"id\":\"play\",\"user\":\"bob\"}");
    assert_happened(w, "alice < {\"id\":\"error\",\"message\":"
                       "\"Invalid message [object Object]\"}\n");
}

WORLD_TEST(node_other_ends, SIGNAL_NODE)
{
    scene_ringing(w);
    says(w, ALICE, STOP);
    assert_happened(w, "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"User alice cancelled the call\",\"callId\":\"#\","
                       "\"reason\":\"cancelled\"}\n"
                       "ended alice-bob cancelled\n");
    says(w, ALICE, CALL("alice", "bob"));
    (void)happened(w);
    w->now += 60 * US_PER_S;
    assert_true(signal_deadline(w->s) == w->now);
    signal_timeout(w->s, w->now);
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"User bob did not answer\",\"callId\":\"#\","
                       "\"reason\":\"no-answer\"}\n"
                       "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"User bob did not answer\",\"callId\":\"#\","
                       "\"reason\":\"no-answer\"}\n"
                       "ended alice-bob no-answer\n");
    says(w, ALICE, CALL("alice", "bob"));
    says(w, BOB, ACCEPT("alice"));
    (void)happened(w);
    media_ends(w, MEDIA_CALLER, MEDIA_END_REFUSED, "no codec in common: PCMU, opus");
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"no codec in common: PCMU, opus\",\"callId\":\"#\","
                       "\"reason\":\"no-common-codec\"}\n"
                       "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"no codec in common: PCMU, opus\",\"callId\":\"#\","
                       "\"reason\":\"no-common-codec\"}\n"
                       "media release\nended alice-bob no-common-codec\n");
    says(w, ALICE, CALL("alice", "bob"));
    says(w, BOB, ACCEPT("alice"));
    media_answers(w);
    (void)happened(w);
    media_ends(w, MEDIA_CALLEE, MEDIA_END_LOST, NULL);
    assert_happened(w, "alice < {\"id\":\"stopCommunication\","
                       "\"message\":\"the audio connection of bob was lost\",\"callId\":\"#\","
                       "\"reason\":\"media-lost\"}\n"
                       "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"the audio connection of bob was lost\",\"callId\":\"#\","
                       "\"reason\":\"media-lost\"}\n"
                       "media release\nended alice-bob media-lost\n");
}

WORLD_TEST(node_partner_is_gone, SIGNAL_NODE)
{
    scene_answered(w);
    signal_socket_closed(w->s, w->now, ALICE);
    assert_happened(w, "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"remote user hanged out\",\"callId\":\"#\","
                       "\"reason\":\"peer-lost\"}\n"
                       "media release\nended alice-bob peer-lost\n");
}

/* ---- Java, /call ---- */

WORLD_TEST(java_register, SIGNAL_JAVA)
{
    says(w, ALICE, REGISTER("alice"));
    assert_happened(w, "alice < {\"id\":\"registerResponse\",\"response\":\"accepted\"}\n");
    says(w, BOB, REGISTER(""));
    assert_happened(w, "bob < {\"id\":\"registerResponse\","
                       "\"response\":\"rejected: empty user name\",\"reason\":\"empty-name\"}\n");
    says(w, BOB, REGISTER("alice"));
    assert_happened(w, "bob < {\"id\":\"registerResponse\","
                       "\"response\":\"rejected: user 'alice' already registered\","
                       "\"reason\":\"name-taken\"}\n");
}

WORLD_TEST(java_call, SIGNAL_JAVA)
{
    everybody_registers(w);
    says(w, ALICE, CALL("alice", "bob"));
    assert_happened(w, "bob < {\"id\":\"incomingCall\",\"from\":\"alice\",\"callId\":\"#\"}\n");
    says(w, BOB, ACCEPT("alice"));
    media_answers(w);
    assert_happened(w, "media start A | B\n"
                       "bob < {\"id\":\"startCommunication\","
                       "\"sdpAnswer\":\"v=0\\r\\ncallee/answer\",\"callId\":\"#\"}\n"
                       "alice < {\"id\":\"callResponse\",\"response\":\"accepted\","
                       "\"sdpAnswer\":\"v=0\\r\\ncaller/answer\",\"callId\":\"#\"}\n");
    media_finds(w);
    assert_happened(w, "bob < {\"id\":\"iceCandidate\",\"candidate\":{\"candidate\":"
                       "\"candidate:1 1 UDP 2015363327 127.0.0.1 45678 typ host\","
                       "\"sdpMid\":\"0\",\"sdpMLineIndex\":0}}\n");
    says(w, BOB, STOP);
    assert_happened(w, "alice < {\"id\":\"stopCommunication\",\"callId\":\"#\","
                       "\"reason\":\"hang-up\"}\n"
                       "media release\nended alice-bob hang-up\n");
}

WORLD_TEST(java_refusals, SIGNAL_JAVA)
{
    everybody_registers(w);
    says(w, ALICE, CALL("alice", "nobody"));
    assert_happened(w, "alice < {\"id\":\"callResponse\","
                       "\"response\":\"rejected: user 'nobody' is not registered\","
                       "\"reason\":\"not-registered\"}\n");
    says(w, ALICE, CALL("alice", "bob"));
    (void)happened(w);
    says(w, CAROL, CALL("carol", "bob"));
    assert_happened(w, "carol < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"User bob is busy\",\"reason\":\"busy\"}\n");
    says(w, BOB, REJECT("alice", "user declined"));
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"callId\":\"#\",\"reason\":\"declined\"}\n"
                       "ended alice-bob declined\n");
    says(w, ALICE, CALL("alice", "bob"));
    says(w, ALICE, STOP);
    (void)happened(w);
    says(w, BOB, "{\"id\":\"presenter\",\"user\":\"bob\"}");
    assert_happened(w, "");
    says(w, BOB, "no json");
    assert_happened(w, "bob < {\"id\":\"error\",\"message\":"
                       "\"Invalid message: not JSON at byte 2\",\"reason\":\"bad-message\"}\n");
}

/* ---- what only pages that ask for it get ---- */

static void connects(struct world *w)
{
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_CONNECTED, .leg = MEDIA_CALLER});
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_CONNECTED, .leg = MEDIA_CALLEE});
}

static void quality_in(struct world *w)
{
    scene_answered(w);
    connects(w);
    assert_happened(w, "");
    says(w, BOB, "{\"id\":\"quality\",\"concealed\":12,\"jitterBuffer\":null}");
    says(w, ALICE, "{\"id\":\"quality\"}");
    assert_happened(w, "media quality callee 12 -1\nmedia quality caller -1 -1\n");
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_QUALITY,
                                        .leg = MEDIA_CALLEE,
                                        .lines = {{"poor", "loss-up"}, {"good", NULL}}});
    assert_happened(w, "bob < {\"id\":\"quality\",\"you\":{\"line\":\"good\"},"
                       "\"them\":{\"line\":\"poor\",\"trouble\":\"loss-up\"},"
                       "\"callId\":\"#\"}\n");
}

WORLD_TEST(node_quality, SIGNAL_NODE)
{
    quality_in(w);
}

WORLD_TEST(java_quality, SIGNAL_JAVA)
{
    quality_in(w);
}

/* ---- between dialects ---- */

WORLD_TEST(pages_of_both_dialects_call_each_other, SIGNAL_NODE)
{
    everybody_registers(w);
    signal_socket_closed(w->s, w->now, BOB);
    assert_int_equal(signal_socket_opened(w->s, w->now, BOB, SIGNAL_JAVA), 0);
    says(w, BOB, REGISTER("bob"));
    says(w, ALICE, CALL("alice", "bob"));
    says(w, BOB, ACCEPT("alice"));
    media_answers(w);
    (void)happened(w);
    says(w, ALICE, STOP);
    assert_happened(w, "bob < {\"id\":\"stopCommunication\",\"callId\":\"#\","
                       "\"reason\":\"hang-up\"}\n"
                       "media release\nended alice-bob hang-up\n");
}

/* JSON.stringify leaves these as they are, and so do we. */
WORLD_TEST(names_are_written_as_they_were_read, SIGNAL_NODE)
{
    everybody_registers(w);
    says(w, ALICE, REGISTER("a/b <\\u00e9\xe2\x82\xac> \\\"q\\\""));
    (void)happened(w);
    says(w, ALICE, "{\"id\":\"call\",\"to\":\"bob\",\"sdpOffer\":\"A\"}");
    assert_happened(w, "bob < {\"id\":\"incomingCall\","
                       "\"from\":\"a/b <\xc3\xa9\xe2\x82\xac> \\\"q\\\"\",\"callId\":\"#\"}\n");
}

/* ---- a later offer, in both dialects ---- */

static void reoffer(struct world *w)
{
    scene_answered(w);
    says(w, ALICE, "{\"id\":\"reoffer\",\"sdpOffer\":\"A2\"}");
    assert_happened(w, "media reoffer caller A2\n");
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_REANSWERED,
                                        .leg = MEDIA_CALLER,
                                        .answer = {STR("v=0\r\nagain"), STR("")}});
    assert_happened(w, "alice < {\"id\":\"reofferResponse\",\"response\":\"accepted\","
                       "\"sdpAnswer\":\"v=0\\r\\nagain\",\"callId\":\"#\"}\n");
    says(w, BOB, "{\"id\":\"reoffer\",\"sdpOffer\":\"B2\"}");
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_UNCHANGED,
                                        .leg = MEDIA_CALLEE,
                                        .end = MEDIA_END_REFUSED,
                                        .text = "line 7, a=fingerprint: no"});
    assert_happened(w, "media reoffer callee B2\n"
                       "bob < {\"id\":\"reofferResponse\",\"response\":\"rejected\","
                       "\"message\":\"line 7, a=fingerprint: no\",\"callId\":\"#\","
                       "\"reason\":\"invalid-offer\"}\n");
    w->renegotiate_result = -ENOMEM;
    says(w, BOB, "{\"id\":\"reoffer\",\"sdpOffer\":\"B3\"}");
    assert_happened(w, "media reoffer callee B3\n"
                       "bob < {\"id\":\"reofferResponse\",\"response\":\"rejected\","
                       "\"message\":\"the media backend could not take the offer\","
                       "\"callId\":\"#\",\"reason\":\"server-error\"}\n");
    says(w, CAROL, "{\"id\":\"reoffer\",\"sdpOffer\":\"C\"}");
    assert_happened(w, "carol < {\"id\":\"reofferResponse\",\"response\":\"rejected\","
                       "\"message\":\"there is no call here that an offer could change\","
                       "\"reason\":\"not-in-call\"}\n");
}

WORLD_TEST(node_reoffer, SIGNAL_NODE)
{
    reoffer(w);
}

WORLD_TEST(java_reoffer, SIGNAL_JAVA)
{
    reoffer(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_register),
        cmocka_unit_test(node_call),
        cmocka_unit_test(node_refusals),
        cmocka_unit_test(node_unknown_id),
        cmocka_unit_test(node_other_ends),
        cmocka_unit_test(node_partner_is_gone),
        cmocka_unit_test(java_register),
        cmocka_unit_test(java_call),
        cmocka_unit_test(java_refusals),
        cmocka_unit_test(node_quality),
        cmocka_unit_test(java_quality),
        cmocka_unit_test(pages_of_both_dialects_call_each_other),
        cmocka_unit_test(names_are_written_as_they_were_read),
        cmocka_unit_test(node_reoffer),
        cmocka_unit_test(java_reoffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
