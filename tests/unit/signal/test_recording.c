/* Recorded calls: what pages are told, what the files are called, and who may hear them. */
#include "base/mem.h"
#include "call/name.h"
#include "signal/recording.h"
#include "unit/signal/harness.h"

#define CALL(from, to)                                                                             \
    "{\"id\":\"call\",\"from\":\"" from "\",\"to\":\"" to "\",\"sdpOffer\":\"A\"}"
#define ACCEPT(from)                                                                               \
    "{\"id\":\"incomingCallResponse\",\"from\":\"" from                                            \
    "\",\"callResponse\":\"accept\",\"sdpOffer\":\"B\"}"
#define PLAY(user) "{\"id\":\"play\",\"user\":\"" user "\",\"sdpOffer\":\"P\"}"
#define STOP_PLAY  "{\"id\":\"stopPlay\"}"
#define STOP       "{\"id\":\"stop\"}"
#define NONE(user)                                                                                 \
    "{\"id\":\"playResponse\",\"response\":\"rejected\",\"error\":\"No recording for user '" user  \
    "'. Please type a correct user in the 'Peer' field.\",\"reason\":\"no-recording\"}\n"

static void media_ends(struct world *w, enum media_end end)
{
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_ENDED, .end = end, .text = "because"});
}

static void connects(struct world *w)
{
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_CONNECTED, .leg = MEDIA_CALLER});
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_CONNECTED, .leg = MEDIA_CALLEE});
}

/* alice and bob had a call */
static void scene_recorded(struct world *w)
{
    scene_answered(w);
    connects(w);
    says(w, ALICE, STOP);
    (void)happened(w);
}

static void scene_playing(struct world *w)
{
    scene_recorded(w);
    says(w, ALICE, PLAY("bob"));
    media_answers(w);
    (void)happened(w);
}

RECORDED_TEST(both_sides_are_told, SIGNAL_NODE)
{
    everybody_registers(w);
    says(w, ALICE, "{\"id\":\"register\",\"name\":\"alice\",\"extras\":true}");
    (void)happened(w);
    says(w, ALICE, CALL("alice", "bob"));
    assert_happened(w, "bob < {\"id\":\"incomingCall\",\"from\":\"alice\",\"callId\":\"#\","
                       "\"recorded\":true}\n"
                       "alice < {\"id\":\"ringing\",\"callId\":\"#\",\"recorded\":true}\n");
    says(w, BOB, ACCEPT("alice"));
    assert_happened(w, "media start A | B\n"
                       "media records 2026-11-23_09-30-05-123-#-caller-alice.webm\n"
                       "media records 2026-11-23_09-30-05-123-#-callee-bob.webm\n");
    media_answers(w);
    assert_happened(w, "bob < {\"id\":\"startCommunication\","
                       "\"sdpAnswer\":\"v=0\\r\\ncallee/answer\",\"callId\":\"#\","
                       "\"recorded\":true}\n"
                       "alice < {\"id\":\"callResponse\",\"response\":\"accepted\","
                       "\"sdpAnswer\":\"v=0\\r\\ncaller/answer\",\"callId\":\"#\","
                       "\"recorded\":true}\n");
    says(w, ALICE, STOP);
    assert_happened(w, "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"remote user hanged out\",\"callId\":\"#\","
                       "\"reason\":\"hang-up\"}\n"
                       "media release\nended alice-bob hang-up\n");
}

RECORDED_TEST(it_is_played, SIGNAL_JAVA)
{
    scene_recorded(w);
    says(w, ALICE, PLAY("bob"));
    assert_happened(w, "media plays to P: 2026-11-23_09-30-05-123-#-callee-bob.webm\n");
    media_answers(w);
    assert_happened(w, "alice < {\"id\":\"playResponse\",\"response\":\"accepted\","
                       "\"sdpAnswer\":\"v=0\\r\\ncaller/answer\"}\n");
    says(w, ALICE, "{\"id\":\"onIceCandidate\",\"candidate\":{\"candidate\":\"candidate:1\"}}");
    assert_happened(w, "media candidate caller [candidate:1] [] -1 []\n");
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_CANDIDATE,
                                        .candidate = {STR("candidate:2"), STR("0"), 0, {0}}});
    assert_happened(w, "alice < {\"id\":\"iceCandidate\",\"candidate\":{\"candidate\":"
                       "\"candidate:2\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}}\n");
    media_says(w, &(struct media_event){.type = MEDIA_EVENT_CONNECTED});
    assert_happened(w, "");
    media_ends(w, MEDIA_END_PLAYED);
    assert_happened(w, "alice < {\"id\":\"playEnd\",\"reason\":\"played\"}\nmedia release\n");
    says(w, BOB, PLAY("bob"));
    assert_happened(w, "media plays to P: 2026-11-23_09-30-05-123-#-callee-bob.webm\n");
    says(w, BOB, STOP_PLAY);
    assert_happened(w, "media release\n");
    says(w, BOB, PLAY("alice"));
    assert_happened(w, "media plays to P: 2026-11-23_09-30-05-123-#-caller-alice.webm\n");
}

/* Whoever takes a name does not get what its last owner said, or heard. */
RECORDED_TEST(only_who_took_part_may_hear_it, SIGNAL_JAVA)
{
    scene_recorded(w);
    says(w, CAROL, PLAY("bob"));
    assert_happened(w, "carol < " NONE("bob"));
    says(w, NOBODY, PLAY("bob"));
    assert_happened(w, "nobody < " NONE("bob"));
    says(w, ALICE, PLAY("carol"));
    assert_happened(w, "alice < " NONE("carol"));
    says(w, ALICE, PLAY(""));
    assert_happened(w, "alice < " NONE(""));
    says(w, ALICE, PLAY("x' \\\"y"));
    assert_happened(w, "alice < " NONE("x' \\\"y"));

    says(w, CAROL, "{\"id\":\"register\",\"name\":\"carol 2\"}");
    signal_socket_closed(w->s, w->now, BOB);
    (void)happened(w);
    says(w, CAROL, "{\"id\":\"register\",\"name\":\"bob\"}");
    says(w, CAROL, PLAY("alice"));
    assert_happened(w, "carol < {\"id\":\"registerResponse\",\"response\":\"accepted\"}\n"
                       "carol < " NONE("alice"));
    assert_int_equal(signal_socket_opened(w->s, w->now, BOB, SIGNAL_JAVA), 0);
    says(w, BOB, "{\"id\":\"register\",\"name\":\"bob 2\"}");
    says(w, BOB, PLAY("alice"));
    assert_happened(w, "bob < {\"id\":\"registerResponse\",\"response\":\"accepted\"}\n"
                       "bob < " NONE("alice"));
    says(w, ALICE, PLAY("bob"));
    assert_happened(w, "media plays to P: 2026-11-23_09-30-05-123-#-callee-bob.webm\n");
}

WORLD_TEST(nothing_was_recorded, SIGNAL_JAVA)
{
    scene_recorded(w);
    says(w, ALICE, PLAY("bob"));
    assert_happened(w, "alice < " NONE("bob"));
}

RECORDED_TEST(refusals, SIGNAL_JAVA)
{
    scene_playing(w);
    says(w, ALICE, PLAY("bob"));
    assert_happened(w, "alice < {\"id\":\"playResponse\",\"response\":\"rejected\",\"error\":"
                       "\"you are listening to a recording: send stopPlay first\","
                       "\"reason\":\"playing\"}\n");
    says(w, ALICE, CALL("alice", "bob"));
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\",\"message\":"
                       "\"you are listening to a recording: send stopPlay first\","
                       "\"reason\":\"playing\"}\n");
    says(w, BOB, CALL("bob", "alice"));
    assert_happened(w, "bob < {\"id\":\"callResponse\",\"response\":\"rejected\",\"message\":"
                       "\"User alice is busy\",\"reason\":\"busy\"}\n");
    says(w, BOB, "{\"id\":\"play\",\"user\":\"alice\",\"sdpOffer\":\"bad\"}");
    assert_happened(w, "bob < {\"id\":\"playResponse\",\"response\":\"rejected\",\"error\":"
                       "\"the offer has no audio\",\"reason\":\"invalid-offer\"}\n");
    says(w, BOB, CALL("bob", "carol"));
    (void)happened(w);
    says(w, BOB, PLAY("alice"));
    assert_happened(w, "bob < {\"id\":\"playResponse\",\"response\":\"rejected\",\"error\":"
                       "\"you are in a call: send stop first\",\"reason\":\"in-call\"}\n");
    says(w, BOB, "{\"id\":\"play\",\"user\":\"alice\"}");
    assert_happened(w, "bob < {\"id\":\"error\",\"message\":\"play.sdpOffer is missing: a string "
                       "of 1 to 32768 bytes is needed\",\"reason\":\"bad-field\","
                       "\"field\":\"sdpOffer\"}\n");
    says(w, BOB, "{\"id\":\"play\",\"sdpOffer\":\"P\"}");
    assert_happened(w, "bob < {\"id\":\"error\",\"message\":\"play.user is missing: a string of 0 "
                       "to 64 characters without control characters is needed\","
                       "\"reason\":\"bad-field\",\"field\":\"user\"}\n");
}

RECORDED_TEST(other_ends, SIGNAL_JAVA)
{
    scene_playing(w);
    media_ends(w, MEDIA_END_UNREADABLE);
    assert_happened(w, "alice < {\"id\":\"playEnd\",\"message\":\"No recording for user 'bob'. "
                       "Please type a correct user in the 'Peer' field.\","
                       "\"reason\":\"no-recording\"}\n"
                       "media release\n");
    says(w, ALICE, PLAY("bob"));
    (void)happened(w);
    media_ends(w, MEDIA_END_UNREADABLE);
    assert_happened(w, "alice < " NONE("bob") "media release\n");
    says(w, ALICE, PLAY("bob"));
    (void)happened(w);
    signal_socket_closed(w->s, w->now, ALICE);
    assert_happened(w, "media release\n");
}

RECORDED_TEST(a_call_that_never_connects_hides_nothing, SIGNAL_JAVA)
{
    scene_recorded(w);
    says(w, BOB, CALL("bob", "alice"));
    says(w, ALICE, ACCEPT("bob"));
    media_answers(w);
    (void)happened(w);
    media_ends(w, MEDIA_END_FAILED);
    (void)happened(w);
    says(w, BOB, PLAY("alice"));
    assert_happened(w, "media plays to P: 2026-11-23_09-30-05-123-#-caller-alice.webm\n");
    says(w, ALICE, PLAY("bob"));
    assert_happened(w, "media plays to P: 2026-11-23_09-30-05-123-#-callee-bob.webm\n");
}

RECORDED_TEST(a_backend_that_cannot, SIGNAL_JAVA)
{
    scene_recorded(w);
    w->play_result = -ENOMEM;
    says(w, ALICE, PLAY("bob"));
    assert_happened(w, "media plays to P: 2026-11-23_09-30-05-123-#-callee-bob.webm\n"
                       "alice < {\"id\":\"playResponse\",\"response\":\"rejected\",\"error\":"
                       "\"the server could not go on with this call\","
                       "\"reason\":\"server-error\"}\n"
                       "media release\n");
}

RECORDED_TEST(the_node_tutorial_knows_no_play, SIGNAL_NODE)
{
    scene_recorded(w);
    says(w, ALICE, PLAY("bob"));
    says(w, ALICE, STOP_PLAY);
    assert_happened(w, "alice < {\"id\":\"error\",\"message\":"
                       "\"Invalid message [object Object]\"}\n"
                       "alice < {\"id\":\"error\",\"message\":"
                       "\"Invalid message [object Object]\"}\n");
}

/* ---- names of files ---- */

static void names_of_files(void **state)
{
    static const struct {
        const char *name, *file;
    } rows[] = {
        {"alice", "caller-alice.webm"},
        {"../../etc/passwd", "caller-______etc_passwd.webm"},
        {"/", "caller-_.webm"},
        {"-rf *; $(x) \"'`|&", "caller--rf______x_______.webm"},
        {"a\nb", "caller-a_b.webm"},
        {"%2e%2e%2f", "caller-_2e_2e_2f.webm"},
        {"Zoë 李\xe2\x80\xae.mbew", "caller-Zo_____mbew.webm"},
        {"Az09-_", "caller-Az09-_.webm"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct signal_recording_files files;
        const struct str names[CALL_LEGS] = {str_of(rows[i].name), STR("bob")};
        signal_recording_name(wall_clock(), 0xc0ffee, names, &files);
        static const char prefix[] = "2026-11-23_09-30-05-123-0000000000c0ffee-";
        assert_memory_equal(files.of[CALL_CALLER], prefix, sizeof(prefix) - 1);
        assert_string_equal(files.of[CALL_CALLER] + sizeof(prefix) - 1, rows[i].file);
        assert_string_equal(files.of[CALL_CALLEE] + sizeof(prefix) - 1, "callee-bob.webm");
    }
}

static void the_longest_name_fits(void **state)
{
    char name[CALL_NAME_SIZE] = "";
    struct signal_recording_files files;
    (void)state;
    for (int i = 0; i < CALL_NAME_MAX_CHARS; i++)
        memcpy(name + 4 * i, "😀", 5);
    const struct str names[CALL_LEGS] = {str_of(name), str_of(name)};
    signal_recording_name(wall_clock(), UINT64_MAX, names, &files);
    assert_int_equal(strlen(files.of[CALL_CALLEE]), SIGNAL_RECORDING_FILE_MAX - 1);
    signal_recording_name(0, 1, names, &files);
    assert_memory_equal(files.of[CALL_CALLER], "1970-01-01_00-00-00-000-", 24);
}

/* ---- what a connection may hear ---- */

static void the_newest_counts_and_the_oldest_goes(void **state)
{
    struct signal_recordings r;
    struct signal_recording_files files;
    (void)state;
    signal_recordings_init(&r);
    assert_int_equal(signal_recordings_find(&r, STR("bob")).len, 0);
    for (int i = 0; i <= SIGNAL_RECORDINGS_MAX; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "peer %d", i);
        const struct str names[CALL_LEGS] = {STR("alice"), str_of(name)};
        (void)snprintf(files.of[0], sizeof(files.of[0]), "alice-%d", i);
        (void)snprintf(files.of[1], sizeof(files.of[1]), "peer-%d", i);
        assert_int_equal(signal_recordings_add(&r, (uint64_t)i, names, &files), 0);
    }
    assert_int_equal(r.n, SIGNAL_RECORDINGS_MAX);
    assert_true(str_eq(signal_recordings_find(&r, STR("alice")), STR("alice-16")));
    assert_true(str_eq(signal_recordings_find(&r, STR("peer 1")), STR("peer-1")));
    assert_int_equal(signal_recordings_find(&r, STR("peer 0")).len, 0);
    signal_recordings_forget(&r, 0);
    signal_recordings_forget(&r, SIGNAL_RECORDINGS_MAX);
    assert_int_equal(r.n, SIGNAL_RECORDINGS_MAX - 1);
    assert_true(str_eq(signal_recordings_find(&r, STR("alice")), STR("alice-15")));
    signal_recordings_clear(&r);
    assert_int_equal(signal_recordings_find(&r, STR("alice")).len, 0);
}

/* A call is worth more than hearing it again: it goes on, and what was not kept is not found. */
RECORDED_TEST(memory_fails, SIGNAL_JAVA)
{
    unsigned n_not_found = 0;
    everybody_registers(w);
    for (unsigned n = 1; n <= 3; n++) {
        says(w, ALICE, CALL("alice", "bob"));
        (void)happened(w);
        mem_fail_at(n);
        says(w, BOB, ACCEPT("alice"));
        mem_fail_at(0);
        if (n > 1) { /* before: bob's socket paid for the lost message */
            assert_non_null(strstr(happened(w), "media start A | B\n"));
            media_answers(w);
            connects(w);
        }
        says(w, ALICE, STOP);
        says(w, ALICE, PLAY("bob"));
        n_not_found += strstr(happened(w), "no-recording") != NULL;
        says(w, ALICE, STOP_PLAY);
        signal_socket_closed(w->s, w->now, BOB);
        assert_int_equal(signal_socket_opened(w->s, w->now, BOB, SIGNAL_JAVA), 0);
        says(w, BOB, "{\"id\":\"register\",\"name\":\"bob\"}");
        (void)happened(w);
    }
    assert_int_equal(n_not_found, 2);
}

/* Who asked for extras only: another page would not know the message. */
static void told_what_is_recorded(struct world *w)
{
    everybody_registers(w);
    says(w, ALICE, "{\"id\":\"register\",\"name\":\"alice\",\"extras\":true}");
    says(w, ALICE, CALL("alice", "bob"));
    says(w, BOB, ACCEPT("alice"));
    media_answers(w);
    connects(w);
    (void)happened(w);
    struct media_event event = {.type = MEDIA_EVENT_RECORDING, .is_recorded = {true, true}};
    media_says(w, &event);
    assert_happened(w, "alice < {\"id\":\"recording\",\"you\":true,\"them\":true,"
                       "\"callId\":\"#\"}\n");
    event.is_recorded[MEDIA_CALLEE] = false;
    media_says(w, &event);
    assert_happened(w, "alice < {\"id\":\"recording\",\"you\":true,\"them\":false,"
                       "\"callId\":\"#\"}\n");
    says(w, BOB, "{\"id\":\"register\",\"name\":\"bob\",\"extras\":true}");
    event.is_recorded[MEDIA_CALLER] = false;
    (void)happened(w);
    media_says(w, &event);
    assert_happened(w, "alice < {\"id\":\"recording\",\"you\":false,\"them\":false,"
                       "\"callId\":\"#\"}\n"
                       "bob < {\"id\":\"recording\",\"you\":false,\"them\":false,"
                       "\"callId\":\"#\"}\n");
}

RECORDED_TEST(node_pages_are_told_what_is_recorded, SIGNAL_NODE)
{
    told_what_is_recorded(w);
}

RECORDED_TEST(java_pages_are_told_what_is_recorded, SIGNAL_JAVA)
{
    told_what_is_recorded(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_are_told),
        cmocka_unit_test(it_is_played),
        cmocka_unit_test(only_who_took_part_may_hear_it),
        cmocka_unit_test(nothing_was_recorded),
        cmocka_unit_test(node_pages_are_told_what_is_recorded),
        cmocka_unit_test(java_pages_are_told_what_is_recorded),
        cmocka_unit_test(refusals),
        cmocka_unit_test(other_ends),
        cmocka_unit_test(a_call_that_never_connects_hides_nothing),
        cmocka_unit_test(a_backend_that_cannot),
        cmocka_unit_test(the_node_tutorial_knows_no_play),
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(the_longest_name_fits),
        cmocka_unit_test(the_newest_counts_and_the_oldest_goes),
        cmocka_unit_test(memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
