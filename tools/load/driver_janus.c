/* Janus' VideoCall plug-in over Janus' WebSocket API (Janus 1.x, core protocol and
 * janus_videocall.c as documented there).
 *
 *     open     create → session id, attach → handle id, register → "registered"
 *     call     "call" with the offer  → caller: "calling", callee: "incomingcall" with an offer
 *     accept   "accept" with the answer → caller: "accepted" with the answer
 *     hang up  "hangup" → both: "hangup"
 *
 * What a message is about is told by "janus" and, for the plug-in's, by
 * plugindata.data.result.event. The transaction is the name of the request: a user never has two of
 * a kind under way. */
#include <stdio.h>

#include "load/driver.h"

/* --- what a user says --- */

static void send_create(struct driver_session *s)
{
    driver_send(s, "", json_pack("{s:s, s:s}", "janus", "create", "transaction", "create"));
}

static void send_attach(struct driver_session *s)
{
    driver_send(s, "",
                json_pack("{s:s, s:s, s:I, s:s}", "janus", "attach", "transaction", "attach",
                          "session_id", s->session_id, "plugin", "janus.plugin.videocall"));
}

/* @param jsep NULL = none */
static void send_message(struct driver_session *s, json_t *body, json_t *jsep)
{
    driver_send(s, "",
                json_pack("{s:s, s:s, s:I, s:I, s:o, s:o*}", "janus", "message", "transaction",
                          "message", "session_id", s->session_id, "handle_id", s->handle_id, "body",
                          body, "jsep", jsep));
}

static void send_register(struct driver_session *s)
{
    send_message(s, json_pack("{s:s, s:s}", "request", "register", "username", s->name), NULL);
}

/* call_id is the name of the other, as long as there is a call. */
static void remember(struct driver_session *s, const char *other)
{
    (void)!str_copy(str_of(other), s->call_id, sizeof(s->call_id));
}

static void send_call(struct driver_session *s, const char *to, const char *offer)
{
    remember(s, to);
    send_message(s, json_pack("{s:s, s:s}", "request", "call", "username", to),
                 json_pack("{s:s, s:s}", "type", "offer", "sdp", offer));
}

static void send_accept(struct driver_session *s, const char *from, const char *answer)
{
    remember(s, from);
    send_message(s, json_pack("{s:s}", "request", "accept"),
                 json_pack("{s:s, s:s}", "type", "answer", "sdp", answer));
}

static void send_candidate(struct driver_session *s, const char *candidate, const char *ufrag)
{
    json_t *o = candidate[0] ? json_pack("{s:s, s:s, s:i}", "candidate", candidate, "sdpMid", "0",
                                         "sdpMLineIndex", 0)
                             : json_pack("{s:b}", "completed", 1);
    (void)ufrag;
    driver_send(s, "",
                json_pack("{s:s, s:s, s:I, s:I, s:o}", "janus", "trickle", "transaction", "trickle",
                          "session_id", s->session_id, "handle_id", s->handle_id, "candidate", o));
}

static void send_hang_up(struct driver_session *s)
{
    s->call_id[0] = '\0';
    send_message(s, json_pack("{s:s}", "request", "hangup"), NULL);
}

static void send_keep_alive(struct driver_session *s)
{
    if (s->session_id)
        driver_send(s, "",
                    json_pack("{s:s, s:s, s:I}", "janus", "keepalive", "transaction", "keepalive",
                              "session_id", s->session_id));
}

/* --- what the plug-in says --- */

static const struct driver_event nothing = {.type = DRIVER_NOTHING};

static struct driver_event on_registered(struct driver_session *s, const json_t *result)
{
    (void)s;
    (void)result;
    return (struct driver_event){.type = DRIVER_REGISTERED};
}

static struct driver_event on_calling(struct driver_session *s, const json_t *result)
{
    (void)s;
    (void)result;
    return (struct driver_event){.type = DRIVER_RINGING};
}

static struct str jsep_of(const struct driver_session *s)
{
    return str_of(driver_string(json_object_get(s->message, "jsep"), "sdp"));
}

static struct driver_event on_incoming(struct driver_session *s, const json_t *result)
{
    return (struct driver_event){.type = DRIVER_INCOMING,
                                 .from = str_of(driver_string(result, "username")),
                                 .text = jsep_of(s)};
}

/* The callee is told too, without SDP. */
static struct driver_event on_accepted(struct driver_session *s, const json_t *result)
{
    struct str answer = jsep_of(s);
    (void)result;
    return answer.len ? (struct driver_event){.type = DRIVER_ANSWER, .text = answer} : nothing;
}

/* Who hung up is told too, also again when the other closes its media. */
static struct driver_event on_hangup(struct driver_session *s, const json_t *result)
{
    if (!s->call_id[0])
        return nothing;
    s->call_id[0] = '\0';
    return (struct driver_event){.type = DRIVER_ENDED,
                                 .text = str_of(driver_string(result, "reason"))};
}

static const struct {
    const char *name;
    struct driver_event (*handler)(struct driver_session *s, const json_t *result);
} events[] = {
    {"registered", on_registered}, {"calling", on_calling}, {"incomingcall", on_incoming},
    {"accepted", on_accepted},     {"hangup", on_hangup},
};

/* --- what Janus says --- */

static struct driver_event on_event(struct driver_session *s)
{
    const json_t *data = json_object_get(json_object_get(s->message, "plugindata"), "data");
    const json_t *result = json_object_get(data, "result");
    const char *error = driver_string(data, "error");
    if (error[0]) {
        /* its words hold the name of the user; the code does not */
        (void)snprintf(s->text, sizeof(s->text), "VideoCall: error %d",
                       (int)json_integer_value(json_object_get(data, "error_code")));
        return (struct driver_event){.type = DRIVER_REFUSED, .text = str_of(s->text)};
    }
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        if (strcmp(driver_string(result, "event"), events[i].name) == 0)
            return events[i].handler(s, result);
    }
    return nothing;
}

static struct driver_event on_success(struct driver_session *s)
{
    const char *transaction = driver_string(s->message, "transaction");
    json_int_t id = json_integer_value(json_object_get(json_object_get(s->message, "data"), "id"));
    if (strcmp(transaction, "create") == 0) {
        s->session_id = id;
        send_attach(s);
    } else if (strcmp(transaction, "attach") == 0) {
        s->handle_id = id;
        send_register(s);
    }
    return nothing;
}

static struct driver_event on_trickle(struct driver_session *s)
{
    const json_t *candidate = json_object_get(s->message, "candidate");
    return (struct driver_event){.type = DRIVER_CANDIDATE,
                                 .text = str_of(driver_string(candidate, "candidate"))};
}

static struct driver_event on_error(struct driver_session *s)
{
    (void)snprintf(s->text, sizeof(s->text), "%s: %s", driver_string(s->message, "transaction"),
                   driver_string(json_object_get(s->message, "error"), "reason"));
    return (struct driver_event){.type = DRIVER_ERROR, .text = str_of(s->text)};
}

static struct driver_event on_timeout(struct driver_session *s)
{
    (void)s;
    return (struct driver_event){.type = DRIVER_ERROR, .text = STR("the session has timed out")};
}

/* The rest (ack, webrtcup, media, slowlink, hangup of a PeerConnection) tells nothing new. */
static const struct {
    const char *name;
    struct driver_event (*handler)(struct driver_session *s);
} messages[] = {
    {"event", on_event}, {"success", on_success}, {"trickle", on_trickle},
    {"error", on_error}, {"timeout", on_timeout},
};

static struct driver_event receive(struct driver_session *s, struct str message)
{
    driver_load(s, message);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        if (strcmp(driver_string(s->message, "janus"), messages[i].name) == 0)
            return messages[i].handler(s);
    }
    return nothing;
}

const struct driver driver_janus = {
    .name = "janus",
    .default_path = "/",
    .subprotocol = "janus-protocol",
    .open = send_create,
    .receive = receive,
    .call = send_call,
    .accept = send_accept,
    .candidate = send_candidate,
    .hang_up = send_hang_up,
    .keep_alive = send_keep_alive,
};
