/* The browser protocol of docs/protocol.md, Node dialect: what a page sends and gets. */
#include <stdio.h>

#include "load/driver.h"

static void send_register(struct driver_session *s)
{
    driver_send(s, "",
                json_pack("{s:s, s:s, s:b}", "id", "register", "name", s->name, "extras", 1));
}

static void send_call(struct driver_session *s, const char *to, const char *offer)
{
    s->call_id[0] = '\0';
    driver_send(s, "",
                json_pack("{s:s, s:s, s:s, s:s}", "id", "call", "from", s->name, "to", to,
                          "sdpOffer", offer));
}

static void send_accept(struct driver_session *s, const char *from, const char *offer)
{
    driver_send(s, "",
                json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", "incomingCallResponse", "from", from,
                          "callResponse", "accept", "sdpOffer", offer, "callId", s->call_id));
}

static void send_candidate(struct driver_session *s, const char *candidate, const char *ufrag)
{
    driver_send(s, "",
                json_pack("{s:s, s:{s:s, s:s, s:i, s:s}}", "id", "onIceCandidate", "candidate",
                          "candidate", candidate, "sdpMid", "0", "sdpMLineIndex", 0,
                          "usernameFragment", ufrag));
}

static void send_stop(struct driver_session *s)
{
    if (s->call_id[0])
        driver_send(s, "", json_pack("{s:s, s:s}", "id", "stop", "callId", s->call_id));
    else
        driver_send(s, "", json_pack("{s:s}", "id", "stop"));
}

/* --- what the server says --- */

static const char *field(const struct driver_session *s, const char *name)
{
    return driver_string(s->message, name);
}

static bool is_accepted(const struct driver_session *s)
{
    return strcmp(field(s, "response"), "accepted") == 0;
}

/* "<id>: <reason or response>, <message>" without names of users, so that equal errors are equal.
 */
static struct str explain(struct driver_session *s)
{
    const char *reason = field(s, "reason");
    int len = snprintf(s->text, sizeof(s->text), "%s: %s%s%s", field(s, "id"),
                       reason[0] ? reason : field(s, "response"), reason[0] ? "" : ", ",
                       reason[0] ? "" : field(s, "message"));
    return str_head(str_of(s->text), (size_t)(len < 0 ? 0 : len));
}

static void take_call_id(struct driver_session *s)
{
    (void)!str_copy(str_of(field(s, "callId")), s->call_id, sizeof(s->call_id));
}

static struct driver_event on_register_response(struct driver_session *s)
{
    return is_accepted(s) ? (struct driver_event){.type = DRIVER_REGISTERED}
                          : (struct driver_event){.type = DRIVER_REFUSED, .text = explain(s)};
}

static struct driver_event on_incoming(struct driver_session *s)
{
    take_call_id(s);
    return (struct driver_event){.type = DRIVER_INCOMING, .from = str_of(field(s, "from"))};
}

static struct driver_event on_ringing(struct driver_session *s)
{
    take_call_id(s);
    return (struct driver_event){.type = DRIVER_RINGING};
}

static struct driver_event on_call_response(struct driver_session *s)
{
    if (!is_accepted(s))
        return (struct driver_event){.type = DRIVER_REFUSED, .text = explain(s)};
    take_call_id(s);
    return (struct driver_event){.type = DRIVER_ANSWER, .text = str_of(field(s, "sdpAnswer"))};
}

static struct driver_event on_start(struct driver_session *s)
{
    return (struct driver_event){.type = DRIVER_ANSWER, .text = str_of(field(s, "sdpAnswer"))};
}

static struct driver_event on_candidate(struct driver_session *s)
{
    const json_t *candidate = json_object_get(s->message, "candidate");
    return (struct driver_event){.type = DRIVER_CANDIDATE,
                                 .text = str_of(driver_string(candidate, "candidate"))};
}

/* Whether the call is recorded makes no difference to a load. */
static struct driver_event on_recording(struct driver_session *s)
{
    (void)s;
    return (struct driver_event){.type = DRIVER_NOTHING};
}

static struct driver_event on_stop(struct driver_session *s)
{
    return (struct driver_event){.type = DRIVER_ENDED, .text = explain(s)};
}

static struct driver_event on_error(struct driver_session *s)
{
    return (struct driver_event){.type = DRIVER_ERROR, .text = explain(s)};
}

static const struct {
    const char *id;
    struct driver_event (*handler)(struct driver_session *s);
} messages[] = {
    {"registerResponse", on_register_response},
    {"incomingCall", on_incoming},
    {"ringing", on_ringing},
    {"callResponse", on_call_response},
    {"startCommunication", on_start},
    {"iceCandidate", on_candidate},
    {"recording", on_recording},
    {"stopCommunication", on_stop},
    {"error", on_error},
};

static struct driver_event receive(struct driver_session *s, struct str message)
{
    driver_load(s, message);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        if (strcmp(field(s, "id"), messages[i].id) == 0)
            return messages[i].handler(s);
    }
    return (struct driver_event){DRIVER_ERROR, .text = STR("the server sent an unknown message")};
}

const struct driver driver_one2one = {
    .name = "one2one",
    .default_path = "/one2one",
    .open = send_register,
    .receive = receive,
    .call = send_call,
    .accept = send_accept,
    .candidate = send_candidate,
    .hang_up = send_stop,
};
