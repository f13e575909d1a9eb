/* rtpengine over its ng control protocol, as JSON on the WebSocket of --listen-http.
 *
 * rtpengine is a media proxy: it knows no users and rings nobody. A SIP proxy asks it to rewrite
 * the caller's offer, carries the result to the callee, and the same with the answer on the way
 * back. This driver is that SIP proxy: what rtpengine gives for one user it hands to the other
 * (is_for_partner). So the set-up times of rtpengine are without any signaling between users.
 *
 *     open     ping
 *     call     offer:  the caller's offer → the offer for the callee
 *     accept   answer: the callee's answer → the answer for the caller
 *     hang up  delete
 *
 * A message is "COOKIE JSON"; the reply has the same cookie, which is the command's name and what
 * makes it unique. */
#include <stdio.h>

#include "load/driver.h"

#define COOKIE_MAX (DRIVER_NAME_MAX + 40)

/* @param message owned from now on */
static void send_command(struct driver_session *s, const char *command, json_t *message)
{
    char cookie[COOKIE_MAX];
    (void)snprintf(cookie, sizeof(cookie), "%s/%s/%u ", command, s->name, s->n_commands++);
    if (message)
        (void)json_object_set_new(message, "command", json_string(command));
    driver_send(s, cookie, message);
}

/* How rtpengine shall treat either side: as WebRTC, keys by DTLS, one port for RTP and RTCP. */
static json_t *describe(struct driver_session *s, const char *from, const char *sdp)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:[s], s:[s], s:[s]}", "call-id", s->call_id,
                     "from-tag", from, "sdp", sdp, "transport-protocol", "UDP/TLS/RTP/SAVPF", "ICE",
                     "force", "SDES", "off", "rtcp-mux", "require", "flags", "generate-mid",
                     "replace", "origin");
}

static void send_ping(struct driver_session *s)
{
    send_command(s, "ping", json_object());
}

static void send_offer(struct driver_session *s, const char *to, const char *offer)
{
    (void)to;
    (void)snprintf(s->call_id, sizeof(s->call_id), "%s/%u", s->name, s->n_commands);
    memcpy(s->partner->call_id, s->call_id, sizeof(s->call_id));
    send_command(s, "offer", describe(s, s->name, offer));
}

static void send_answer(struct driver_session *s, const char *from, const char *answer)
{
    json_t *message = describe(s, from, answer);
    if (message)
        (void)json_object_set_new(message, "to-tag", json_string(s->name));
    send_command(s, "answer", message);
}

/* At once: without the delay rtpengine keeps a call for 30 s. */
static void send_delete(struct driver_session *s)
{
    if (s->call_id[0])
        send_command(s, "delete",
                     json_pack("{s:s, s:s, s:i}", "call-id", s->call_id, "from-tag", s->name,
                               "delete delay", 0));
    s->call_id[0] = s->partner->call_id[0] = '\0';
}

/* --- replies --- */

static struct driver_event on_ping(struct driver_session *s)
{
    (void)s;
    return (struct driver_event){.type = DRIVER_REGISTERED};
}

static struct driver_event on_offer(struct driver_session *s)
{
    return (struct driver_event){.type = DRIVER_INCOMING,
                                 .from = str_of(s->name),
                                 .text = str_of(driver_string(s->message, "sdp")),
                                 .is_for_partner = true};
}

static struct driver_event on_answer(struct driver_session *s)
{
    return (struct driver_event){.type = DRIVER_ANSWER,
                                 .text = str_of(driver_string(s->message, "sdp")),
                                 .is_for_partner = true};
}

static struct driver_event on_delete(struct driver_session *s)
{
    (void)s;
    return (struct driver_event){
        .type = DRIVER_ENDED, .text = STR("deleted"), .is_for_partner = true};
}

static const struct {
    const char *command;
    struct driver_event (*handler)(struct driver_session *s);
} replies[] = {
    {"ping", on_ping},
    {"offer", on_offer},
    {"answer", on_answer},
    {"delete", on_delete},
};

static struct driver_event receive(struct driver_session *s, struct str message)
{
    struct str cookie = str_take_until(&message, ' ');
    struct str command = str_take_until(&cookie, '/');
    driver_load(s, message);
    const char *result = driver_string(s->message, "result");
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        if (!str_eq(command, str_of(replies[i].command)))
            continue;
        if (strcmp(result, "error") != 0)
            return replies[i].handler(s);
        (void)snprintf(s->text, sizeof(s->text), "%s: %s", replies[i].command,
                       driver_string(s->message, "error-reason"));
        return (struct driver_event){DRIVER_ERROR, .text = str_of(s->text)};
    }
    return (struct driver_event){DRIVER_ERROR, .text = STR("rtpengine sent an unknown message")};
}

const struct driver driver_rtpengine = {
    .name = "rtpengine",
    .default_path = "/ng",
    .subprotocol = "ng.rtpengine.com",
    .open = send_ping,
    .receive = receive,
    .call = send_offer,
    .accept = send_answer,
    .hang_up = send_delete,
};
