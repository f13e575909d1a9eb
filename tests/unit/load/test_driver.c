/* What each driver makes of what its server sends. Nothing is sent: the WebSocket is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/driver.h"

struct row {
    const char *message;
    enum driver_event_type type;
    const char *text, *from;
    bool is_for_partner;
};

static struct ws closed[2];
static struct driver_session users[2];

static void begin(const struct driver *driver)
{
    static const char *const names[] = {"alice", "bob"};
    memset(closed, 0, sizeof(closed));
    for (unsigned i = 0; i < 2; i++) {
        users[i] =
            (struct driver_session){.driver = driver, .ws = &closed[i], .partner = &users[1 - i]};
        memcpy(users[i].name, names[i], strlen(names[i]) + 1);
    }
}

static void end(void)
{
    for (unsigned i = 0; i < 2; i++)
        driver_session_deinit(&users[i]);
}

static void expect(struct str is, const char *should)
{
    assert_true(str_eq(is, str_of(should ? should : "")));
}

static void check(const struct driver *driver, const struct row *rows, size_t n)
{
    begin(driver);
    for (size_t i = 0; i < n; i++) {
        struct driver_event event = driver->receive(&users[0], str_of(rows[i].message));
        assert_int_equal(event.type, rows[i].type);
        expect(event.text, rows[i].text);
        expect(event.from, rows[i].from);
        assert_int_equal(event.is_for_partner, rows[i].is_for_partner);
    }
    end();
}

static void one2one(void **state)
{
    static const struct row rows[] = {
        {"{\"id\":\"registerResponse\",\"response\":\"accepted\"}", DRIVER_REGISTERED, 0, 0, 0},
        {"{\"id\":\"registerResponse\",\"response\":\"rejected\",\"message\":\"no\"}",
         DRIVER_REFUSED, "registerResponse: rejected, no", 0, 0},
        {"{\"id\":\"incomingCall\",\"from\":\"bob\",\"callId\":\"7\"}", DRIVER_INCOMING, 0, "bob",
         0},
        {"{\"id\":\"callResponse\",\"response\":\"accepted\",\"sdpAnswer\":\"v=0\"}", DRIVER_ANSWER,
         "v=0", 0, 0},
        {"{\"id\":\"iceCandidate\",\"candidate\":{\"candidate\":\"c\"}}", DRIVER_CANDIDATE, "c", 0,
         0},
        {"{\"id\":\"recording\",\"you\":true,\"them\":false,\"callId\":\"7\"}", DRIVER_NOTHING, 0,
         0, 0},
        {"{\"id\":\"stopCommunication\",\"reason\":\"hang-up\"}", DRIVER_ENDED,
         "stopCommunication: hang-up", 0, 0},
        {"[]", DRIVER_ERROR, "the server sent an unknown message", 0, 0},
        {"", DRIVER_ERROR, "the server sent an unknown message", 0, 0},
    };
    (void)state;
    check(&driver_one2one, rows, ARRAY_LEN(rows));
}

#define PLUGIN(result) "{\"janus\":\"event\",\"plugindata\":{\"data\":{\"result\":{" result "}}}}"
#define PLUGIN_SDP(result)                                                                         \
    "{\"janus\":\"event\",\"plugindata\":{\"data\":{\"result\":{" result                           \
    "}}},\"jsep\":{\"sdp\":\"v=0\"}}"

static void janus(void **state)
{
    static const struct row rows[] = {
        {"{\"janus\":\"ack\"}", DRIVER_NOTHING, 0, 0, 0},
        {PLUGIN("\"event\":\"registered\""), DRIVER_REGISTERED, 0, 0, 0},
        {PLUGIN("\"event\":\"calling\""), DRIVER_RINGING, 0, 0, 0},
        {PLUGIN_SDP("\"event\":\"incomingcall\",\"username\":\"bob\""), DRIVER_INCOMING, "v=0",
         "bob", 0},
        {PLUGIN_SDP("\"event\":\"accepted\""), DRIVER_ANSWER, "v=0", 0, 0},
        {PLUGIN("\"event\":\"accepted\""), DRIVER_NOTHING, 0, 0, 0},
        {"{\"janus\":\"event\",\"plugindata\":{\"data\":{\"error_code\":476,\"error\":\"taken\"}}}",
         DRIVER_REFUSED, "VideoCall: error 476", 0, 0},
        {"{\"janus\":\"error\",\"transaction\":\"attach\",\"error\":{\"reason\":\"r\"}}",
         DRIVER_ERROR, "attach: r", 0, 0},
        {"{\"janus\":\"trickle\",\"candidate\":{\"completed\":true}}", DRIVER_CANDIDATE, 0, 0, 0},
        {"", DRIVER_NOTHING, 0, 0, 0},
    };
    (void)state;
    check(&driver_janus, rows, ARRAY_LEN(rows));
}

static void janus_tells_its_numbers(void **state)
{
    (void)state;
    begin(&driver_janus);
    driver_janus.receive(&users[0], STR("{\"janus\":\"success\",\"transaction\":\"create\","
                                        "\"data\":{\"id\":9007199254740991}}"));
    driver_janus.receive(
        &users[0], STR("{\"janus\":\"success\",\"transaction\":\"attach\",\"data\":{\"id\":5}}"));
    assert_int_equal(users[0].session_id, 9007199254740991);
    assert_int_equal(users[0].handle_id, 5);
    end();
}

static void janus_tells_the_end_once(void **state)
{
    const struct str hangup = STR(PLUGIN("\"event\":\"hangup\",\"reason\":\"x\""));
    (void)state;
    begin(&driver_janus);
    driver_janus.call(&users[0], "bob", "v=0");
    driver_janus.accept(&users[1], "alice", "v=0");
    driver_janus.hang_up(&users[1]);
    assert_int_equal(driver_janus.receive(&users[0], hangup).type, DRIVER_ENDED);
    assert_int_equal(driver_janus.receive(&users[0], hangup).type, DRIVER_NOTHING);
    assert_int_equal(driver_janus.receive(&users[1], hangup).type, DRIVER_NOTHING);
    end();
}

static void rtpengine(void **state)
{
    static const struct row rows[] = {
        {"ping/alice/0 {\"result\":\"pong\"}", DRIVER_REGISTERED, 0, 0, 0},
        {"offer/alice/1 {\"result\":\"ok\",\"sdp\":\"v=0\"}", DRIVER_INCOMING, "v=0", "alice", 1},
        {"answer/alice/2 {\"result\":\"ok\",\"sdp\":\"v=0\"}", DRIVER_ANSWER, "v=0", 0, 1},
        {"answer/alice/2 {\"result\":\"error\",\"error-reason\":\"r\"}", DRIVER_ERROR, "answer: r",
         0, 0},
        {"delete/alice/3 {\"result\":\"ok\"}", DRIVER_ENDED, "deleted", 0, 1},
        {"delete/alice/3 ", DRIVER_ENDED, "deleted", 0, 1},
        {"nonsense", DRIVER_ERROR, "rtpengine sent an unknown message", 0, 0},
        {"", DRIVER_ERROR, "rtpengine sent an unknown message", 0, 0},
    };
    (void)state;
    check(&driver_rtpengine, rows, ARRAY_LEN(rows));
}

static void rtpengine_has_one_call_for_both(void **state)
{
    (void)state;
    begin(&driver_rtpengine);
    driver_rtpengine.call(&users[0], "bob", "v=0");
    assert_string_not_equal(users[0].call_id, "");
    assert_string_equal(users[0].call_id, users[1].call_id);
    driver_rtpengine.hang_up(&users[1]);
    assert_string_equal(users[0].call_id, "");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one2one),
        cmocka_unit_test(janus),
        cmocka_unit_test(janus_tells_its_numbers),
        cmocka_unit_test(janus_tells_the_end_once),
        cmocka_unit_test(rtpengine),
        cmocka_unit_test(rtpengine_has_one_call_for_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
