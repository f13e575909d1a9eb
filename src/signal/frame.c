/*
 * The way in: frame → rate → JSON → row of the method table → call model. Whatever is wrong with a
 * message is told to its page, and changes nothing.
 */
#include <jansson.h>

#include "base/text.h"
#include "signal/methods.h"
#include "signal/private.h"
#include "signal/reply.h"

static void send_error(struct signal *s, mono_us now, struct signal_socket *sock,
                       const char *message, const char *reason, const char *field)
{
    s->stats.frames_refused++;
    signal_socket_send(s, now, sock, signal_error_text(message, reason, field));
}

static void send_invalid(struct signal *s, mono_us now, struct signal_socket *sock,
                         const char *what)
{
    char buf[SIGNAL_MESSAGE_MAX];
    struct text t;
    text_init(&t, buf, sizeof(buf));
    text_printf(&t, "Invalid message: %s", what);
    send_error(s, now, sock, buf, "bad-message", NULL);
}

/* The parser's own text quotes the frame and may cut a character in two, so it is not passed on. */
static void refuse_json(struct signal *s, mono_us now, struct signal_socket *sock,
                        const json_error_t *error)
{
    char buf[SIGNAL_MESSAGE_MAX];
    struct text t;
    text_init(&t, buf, sizeof(buf));
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        signal_socket_give_up(s, now, sock);
        return;
    case json_error_duplicate_key:
        text_printf(&t, "a field is given twice, before byte %d", error->position);
        break;
    case json_error_invalid_utf8:
        text_printf(&t, "not UTF-8 at byte %d", error->position);
        break;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        text_printf(&t, "a string has the character U+0000, before byte %d", error->position);
        break;
    case json_error_stack_overflow:
        text_printf(&t, "nested too deep at byte %d", error->position);
        break;
    default: /* the parser's codes, not ours: syntax errors of all kinds */
        text_printf(&t, "not JSON at byte %d", error->position);
        break;
    }
    send_invalid(s, now, sock, buf);
}

static void refuse_unknown(struct signal *s, mono_us now, struct signal_socket *sock)
{
    /* To the letter: the Node tutorial prints the object, the Java tutorials have no default. */
    if (sock->dialect == SIGNAL_NODE)
        send_error(s, now, sock, "Invalid message [object Object]", NULL, NULL);
    else
        s->stats.frames_refused++;
}

static void run_method(struct signal *s, mono_us now, struct signal_socket *sock,
                       const struct signal_method *method, const json_t *object)
{
    struct signal_request request = SIGNAL_REQUEST_EMPTY;
    struct signal_fault fault;
    struct call_msg msg;
    char offer_error[MEDIA_ERROR_MAX];
    if (signal_request_read(method->id, method->fields, method->n_fields, object, &request,
                            &fault)) {
        send_error(s, now, sock, fault.message, "bad-field", fault.field);
        return;
    }
    const struct signal_field *missing = method->handler(&request, s->media, offer_error, &msg);
    if (missing) {
        signal_request_missing(method->id, missing, &fault);
        send_error(s, now, sock, fault.message, "bad-field", fault.field);
        return;
    }
    if (msg.type == CALL_MSG_REGISTER)
        sock->has_extras = request.extras;
    else if (msg.type == CALL_MSG_PLAY)
        msg.recording = signal_recordings_find(&sock->recordings, msg.name);
    if (call_input(s->model, now, sock->id, &msg))
        signal_socket_give_up(s, now, sock);
}

static void run_object(struct signal *s, mono_us now, struct signal_socket *sock,
                       const json_t *object)
{
    if (!json_is_object(object)) {
        send_invalid(s, now, sock, "an object is needed");
        return;
    }
    const json_t *id = json_object_get(object, "id");
    if (!json_is_string(id)) {
        send_invalid(s, now, sock, "the field id is missing or no string");
        return;
    }
    const struct signal_method *method = signal_method_find(
        sock->dialect, (struct str){json_string_value(id), json_string_length(id)});
    if (method)
        run_method(s, now, sock, method, object);
    else
        refuse_unknown(s, now, sock);
}

static bool is_within_rate(struct signal *s, mono_us now, struct signal_socket *sock)
{
    char buf[SIGNAL_MESSAGE_MAX];
    struct text t;
    switch (signal_rate_take(&sock->rate, now)) {
    case SIGNAL_RATE_PASS:
        return true;
    case SIGNAL_RATE_DROP:
        s->stats.frames_dropped++;
        return false;
    case SIGNAL_RATE_TELL:
        break;
    }
    s->stats.frames_dropped++;
    text_init(&t, buf, sizeof(buf));
    text_printf(&t,
                "too many messages: %d a second and %d at once are the limit, "
                "the next ones are dropped until %d could be sent again",
                SIGNAL_RATE_PER_S, SIGNAL_RATE_BURST, SIGNAL_RATE_RESUME);
    signal_socket_send(s, now, sock, signal_error_text(buf, "rate-limit", NULL));
    return false;
}

void signal_frame_take(struct signal *s, mono_us now, struct signal_socket *sock, struct str text)
{
    json_error_t error;
    s->stats.frames++;
    if (!is_within_rate(s, now, sock))
        return;
    json_t *object = json_loadb(text.p ? text.p : "", text.len,
                                JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!object) {
        refuse_json(s, now, sock, &error);
        return;
    }
    run_object(s, now, sock, object);
    json_decref(object);
}
