/*
 * One function writes every reply; what differs by dialect and reason is a row of `wordings`. The
 * shape of the JSON is that of JSON.stringify: keys in insertion order, no spaces, UTF-8 as it is,
 * the solidus not escaped.
 */
#include "signal/reply.h"

#include <inttypes.h>

#include <jansson.h>

#include "base/text.h"
#include "base/utf8.h"
#include "call/name.h"

/* ---- an object being written ---- */

struct writer {
    json_t *object; /* owned; NULL = out of memory */
    bool failed;
};

static void put(struct writer *w, const char *key, json_t *value)
{
    if (json_object_set_new(w->object, key, value))
        w->failed = true;
}

static void put_str(struct writer *w, const char *key, struct str s)
{
    put(w, key, json_stringn(s.p ? s.p : "", s.len));
}

static void put_cstr(struct writer *w, const char *key, const char *cstr)
{
    put_str(w, key, str_of(cstr));
}

static char *finish(struct writer *w)
{
    char *text = w->failed ? NULL : json_dumps(w->object, JSON_COMPACT);
    json_decref(w->object);
    return text;
}

/* ---- words ---- */

/* Which message carries which reply. */
static const char *const ids[] = {
    [CALL_REPLY_REGISTERED] = "registerResponse",
    [CALL_REPLY_REGISTER_REJECTED] = "registerResponse",
    [CALL_REPLY_CALL_ACCEPTED] = "callResponse",
    [CALL_REPLY_CALL_REJECTED] = "callResponse",
    [CALL_REPLY_INCOMING] = "incomingCall",
    [CALL_REPLY_START] = "startCommunication",
    [CALL_REPLY_STOP] = "stopCommunication",
    [CALL_REPLY_CANDIDATE] = "iceCandidate",
    [CALL_REPLY_RINGING] = "ringing",
    [CALL_REPLY_QUALITY] = "quality",
    [CALL_REPLY_RECORDING] = "recording",
    [CALL_REPLY_REOFFER_ACCEPTED] = "reofferResponse",
    [CALL_REPLY_REOFFER_REJECTED] = "reofferResponse",
    [CALL_REPLY_PLAY_ACCEPTED] = "playResponse",
    [CALL_REPLY_PLAY_REJECTED] = "playResponse",
    [CALL_REPLY_PLAY_END] = "playEnd",
    [CALL_REPLY_ERROR] = "error",
};

#define ANY (-1)

/* How a dialect words a refusal or an end; the first row that fits counts. */
static const struct wording {
    enum call_reply_type type;
    int dialect;          /* enum signal_dialect or ANY */
    int reason;           /* enum call_reason or ANY */
    const char *response; /* value of `response`, up to the name; NULL = no such field */
    const char *after;    /* ... after the name; NULL = no name in it */
    const char *says;     /* the field that the reason's sentence stands in; NULL = none does */
} wordings[] = {
    {CALL_REPLY_REGISTER_REJECTED, SIGNAL_NODE, ANY, "rejected ", NULL, "message"},
    {CALL_REPLY_REGISTER_REJECTED, SIGNAL_JAVA, CALL_REASON_EMPTY_NAME, "rejected: empty user name",
     NULL, NULL},
    {CALL_REPLY_REGISTER_REJECTED, SIGNAL_JAVA, CALL_REASON_NAME_TAKEN, "rejected: user '",
     "' already registered", NULL},
    {CALL_REPLY_REGISTER_REJECTED, SIGNAL_JAVA, ANY, "rejected", NULL, "message"},
    {CALL_REPLY_CALL_REJECTED, SIGNAL_NODE, CALL_REASON_NOT_REGISTERED, "rejected: ", NULL,
     "message"},
    {CALL_REPLY_CALL_REJECTED, SIGNAL_JAVA, CALL_REASON_NOT_REGISTERED, "rejected: user '",
     "' is not registered", NULL},
    {CALL_REPLY_CALL_REJECTED, SIGNAL_JAVA, CALL_REASON_DECLINED, "rejected", NULL, NULL},
    {CALL_REPLY_CALL_REJECTED, SIGNAL_JAVA, CALL_REASON_DECLINED_BUSY, "rejected", NULL, NULL},
    {CALL_REPLY_CALL_REJECTED, ANY, ANY, "rejected", NULL, "message"},
    {CALL_REPLY_REOFFER_REJECTED, ANY, ANY, "rejected", NULL, "message"},
    {CALL_REPLY_STOP, SIGNAL_JAVA, CALL_REASON_HANG_UP, NULL, NULL, NULL},
    {CALL_REPLY_STOP, SIGNAL_JAVA, CALL_REASON_PEER_LOST, NULL, NULL, NULL},
    {CALL_REPLY_STOP, ANY, ANY, NULL, NULL, "message"},
    {CALL_REPLY_PLAY_REJECTED, ANY, ANY, "rejected", NULL, "error"},
    {CALL_REPLY_PLAY_END, ANY, CALL_REASON_PLAYED, NULL, NULL, NULL},
    {CALL_REPLY_PLAY_END, ANY, ANY, NULL, NULL, "message"},
    {CALL_REPLY_ERROR, ANY, ANY, NULL, NULL, "message"},
};

static const struct wording *find_wording(enum signal_dialect dialect,
                                          const struct call_reply *reply)
{
    for (size_t i = 0; i < ARRAY_LEN(wordings); i++) {
        const struct wording *w = &wordings[i];
        if (w->type == reply->type && (w->dialect == ANY || w->dialect == (int)dialect) &&
            (w->reason == ANY || w->reason == (int)reply->reason))
            return w;
    }
    return NULL;
}

/* before + name + after, or before alone when after is NULL. */
static void put_sentence(struct writer *w, const char *key, const char *before, struct str name,
                         const char *after)
{
    char buf[CALL_NAME_SIZE + 128];
    struct text t;
    text_init(&t, buf, sizeof(buf));
    text_put(&t, str_of(before));
    if (after) {
        text_put(&t, name);
        text_put(&t, str_of(after));
    }
    put_str(w, key, text_str(&t));
}

static void put_wording(struct writer *w, const struct wording *how, const struct call_reply *reply)
{
    if (how->response)
        put_sentence(w, "response", how->response, reply->name, how->after);
    if (!how->says)
        return;
    if (reply->text.len && utf8_is_valid(reply->text))
        put_str(w, how->says, reply->text);
    else
        put_sentence(w, how->says, call_reason_before(reply->reason), reply->name,
                     call_reason_after(reply->reason));
}

/* ---- parts ---- */

static void put_candidate(struct writer *w, enum signal_dialect dialect,
                          const struct call_candidate *c)
{
    struct writer inner = {.object = json_object()};
    put_str(&inner, "candidate", c->candidate);
    if (c->mid.len)
        put_str(&inner, "sdpMid", c->mid);
    if (c->mline_index >= 0)
        put(&inner, "sdpMLineIndex", json_integer(c->mline_index));
    if (dialect == SIGNAL_NODE) {
        /* kurento-client's marks, which the tutorial passes through; browsers ignore them */
        put_cstr(&inner, "__module__", "kurento");
        put_cstr(&inner, "__type__", "IceCandidate");
    }
    w->failed |= inner.failed;
    put(w, "candidate", inner.object);
}

static void put_line(struct writer *w, const char *key, const struct call_line *line)
{
    struct writer inner = {.object = json_object()};
    put_cstr(&inner, "line", line->grade);
    if (line->trouble)
        put_cstr(&inner, "trouble", line->trouble);
    w->failed |= inner.failed;
    put(w, key, inner.object);
}

static void put_call_id(struct writer *w, uint64_t call_id)
{
    char buf[17];
    struct text t;
    if (!call_id)
        return;
    text_init(&t, buf, sizeof(buf));
    text_printf(&t, "%016" PRIx64, call_id);
    put_str(w, "callId", text_str(&t));
}

static void put_body(struct writer *w, enum signal_dialect dialect, const struct call_reply *reply)
{
    const struct wording *how = find_wording(dialect, reply);
    if (how)
        put_wording(w, how, reply);
    switch (reply->type) {
    case CALL_REPLY_REGISTERED:
        put_cstr(w, "response", "accepted");
        break;
    case CALL_REPLY_CALL_ACCEPTED:
    case CALL_REPLY_REOFFER_ACCEPTED:
    case CALL_REPLY_PLAY_ACCEPTED:
        put_cstr(w, "response", "accepted");
        put_str(w, "sdpAnswer", reply->sdp);
        break;
    case CALL_REPLY_START:
        put_str(w, "sdpAnswer", reply->sdp);
        break;
    case CALL_REPLY_INCOMING:
        put_str(w, "from", reply->name);
        break;
    case CALL_REPLY_CANDIDATE:
        put_candidate(w, dialect, &reply->candidate);
        break;
    case CALL_REPLY_QUALITY:
        put_line(w, "you", &reply->you);
        put_line(w, "them", &reply->them);
        break;
    case CALL_REPLY_RECORDING:
        put(w, "you", json_boolean(reply->records_you));
        put(w, "them", json_boolean(reply->records_them));
        break;
    case CALL_REPLY_REGISTER_REJECTED:
    case CALL_REPLY_CALL_REJECTED:
    case CALL_REPLY_REOFFER_REJECTED:
    case CALL_REPLY_PLAY_REJECTED:
    case CALL_REPLY_PLAY_END:
    case CALL_REPLY_STOP:
    case CALL_REPLY_RINGING:
    case CALL_REPLY_ERROR:
        break;
    }
    /* extras; candidates come in numbers and belong to the only call there is */
    if (reply->type != CALL_REPLY_CANDIDATE)
        put_call_id(w, reply->call_id);
    if (reply->is_recorded)
        put(w, "recorded", json_true());
    if (how)
        put_cstr(w, "reason", call_reason_name(reply->reason));
    if (reply->field)
        put_cstr(w, "field", reply->field);
}

char *signal_reply_text(enum signal_dialect dialect, const struct call_reply *reply)
{
    struct writer w = {.object = json_object()};
    put_cstr(&w, "id", ids[reply->type]);
    put_body(&w, dialect, reply);
    return finish(&w);
}

char *signal_error_text(const char *message, const char *reason, const char *field)
{
    struct writer w = {.object = json_object()};
    put_cstr(&w, "id", "error");
    put_cstr(&w, "message", message);
    if (reason)
        put_cstr(&w, "reason", reason);
    if (field)
        put_cstr(&w, "field", field);
    return finish(&w);
}
