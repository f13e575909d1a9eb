/**
 * Media servers that are scripts, in virtual time: each takes requests like a Kurento Media
 * Server 7.3 and answers in its shapes, when the test lets it. What is asked and what is told is
 * written down, one line each, for a test to compare as text.
 *
 * Ids are short here: pipelines "P1", endpoints "P1/E1" and "P1/E2"; on server 1 "Q1" and so on.
 */
#ifndef TESTS_UNIT_KMS_BENCH_H
#define TESTS_UNIT_KMS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "kms/kms.h"

#define BENCH_SERVERS 3

struct fake {
    bool is_there;      /* accepts connections */
    bool is_hung;       /* accepts them, and says nothing */
    bool is_connecting; /* kms asked for one */
    bool is_open;
    json_t *asked;       /* array: requests without an answer */
    json_t *stats[2];    /* getStats of both endpoints; NULL = null */
    const char *refused; /* method or operation that is refused … */
    int code;            /* … with this */
    const char *words;   /* NULL = "Refused by the test" */
    bool is_old;         /* version 6: knows only the old names of events */
    char session[40];    /* "" = none yet */
    unsigned n_sessions; /* since it was started */
    unsigned n_pipelines, n_endpoints;
    unsigned n_requests; /* since the start of the test */
};

struct world {
    struct kms *k;
    struct media *m;
    struct rng rng;
    mono_us now;
    bool is_woken;
    bool is_quiet; /* requests are not written down */
    struct fake servers[BENCH_SERVERS];
    struct text t;
    char transcript[65536];
};

/* ---- the servers ---- */

static inline const char *text_of(const json_t *object, const char *name)
{
    const char *s = json_string_value(json_object_get(object, name));
    return s ? s : "";
}

static inline void say(struct world *w, unsigned n, json_t *message)
{
    assert_non_null(message);
    char *text = json_dumps(message, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(message);
    assert_non_null(text);
    if (w->servers[n].is_open)
        kms_frame(w->k, w->now, n, str_of(text));
    free(text);
}

static inline void says(struct world *w, unsigned n, const char *text)
{
    kms_frame(w->k, w->now, n, str_of(text));
}

/* An event as it is on the wire. @param data members of its own, taken */
static inline void tells(struct world *w, unsigned n, const char *object, const char *type,
                         json_t *data)
{
    (void)json_object_set_new(data, "source", json_string(object));
    (void)json_object_set_new(data, "tags", json_array());
    (void)json_object_set_new(data, "timestampMillis", json_string("1795374647842"));
    (void)json_object_set_new(data, "type", json_string(type));
    say(w, n,
        json_pack("{s:s, s:s, s:{s:{s:o, s:s, s:s}}}", "jsonrpc", "2.0", "method", "onEvent",
                  "params", "value", "data", data, "object", object, "type", type));
}

static inline void tells_candidate(struct world *w, unsigned n, const char *object,
                                   const char *candidate)
{
    tells(w, n, object, "IceCandidateFound",
          json_pack("{s:{s:s, s:s, s:s, s:i, s:s}}", "candidate", "__module__", "kurento",
                    "__type__", "IceCandidate", "candidate", candidate, "sdpMLineIndex", 0,
                    "sdpMid", "0"));
}

static inline void tells_connection(struct world *w, unsigned n, const char *object,
                                    const char *state)
{
    tells(w, n, object, "ConnectionStateChanged",
          json_pack("{s:s, s:s}", "newState", state, "oldState", "?"));
}

static inline void tells_ice(struct world *w, unsigned n, const char *object, int component,
                             const char *state)
{
    tells(w, n, object, "IceComponentStateChanged",
          json_pack("{s:i, s:s, s:i}", "componentId", component, "state", state, "streamId", 1));
}

static inline void tells_dtls(struct world *w, unsigned n, const char *object, const char *state)
{
    tells(w, n, object, "DtlsConnectionStateChange",
          json_pack("{s:s, s:s, s:s, s:s}", "componentId", "1", "connectionId", "0", "state", state,
                    "streamId", "1"));
}

static inline void fill_name(char *buf, size_t size, unsigned n, unsigned number)
{
    (void)snprintf(buf, size, "%c%u", "PQR"[n], number);
}

static inline json_t *made(struct fake *s, unsigned n, const json_t *params)
{
    char id[64];
    if (strcmp(text_of(params, "type"), "MediaPipeline") == 0) {
        s->n_endpoints = 0;
        fill_name(id, sizeof(id), n, ++s->n_pipelines);
    } else {
        (void)snprintf(id, sizeof(id), "%s/E%u",
                       text_of(json_object_get(params, "constructorParams"), "mediaPipeline"),
                       ++s->n_endpoints);
    }
    return json_string(id);
}

static inline json_t *value_of(struct fake *s, unsigned n, const char *method,
                               const char *operation, const json_t *params)
{
    char text[256];
    const json_t *args = json_object_get(params, "operationParams");
    if (strcmp(method, "create") == 0)
        return made(s, n, params);
    if (strcmp(method, "ping") == 0)
        return json_string("pong");
    if (strcmp(method, "subscribe") == 0)
        return json_string("3bb95973-2415-448f-a826-5e44f5774052");
    if (strcmp(operation, "getInfo") == 0)
        return json_pack("{s:s, s:s}", "type", "KMS", "version", "7.3.1");
    if (strcmp(operation, "getConnectionState") == 0)
        return json_string("CONNECTED");
    if (strcmp(operation, "getStats") == 0) {
        json_t *stats = s->stats[strstr(text_of(params, "object"), "/E2") != NULL];
        return stats ? json_incref(stats) : json_null();
    }
    if (strcmp(operation, "processOffer") != 0)
        return json_null();
    (void)snprintf(text, sizeof(text), "v=0 answer to %s", text_of(args, "offer"));
    return json_string(text);
}

static inline bool is_session_ok(const struct fake *s, const char *method, const json_t *params)
{
    return strcmp(method, "connect") != 0 ||
           (s->session[0] && strcmp(text_of(params, "sessionId"), s->session) == 0);
}

static inline json_t *refusal(const json_t *id, int code, const char *message)
{
    return json_pack("{s:{s:i, s:{s:s}, s:s}, s:O, s:s}", "error", "code", code, "data", "type",
                     "X", "message", message, "id", id, "jsonrpc", "2.0");
}

static inline bool is_known_event(const struct fake *s, const char *type)
{
    bool is_new = strcmp(type, "IceCandidateFound") == 0 ||
                  strcmp(type, "IceComponentStateChanged") == 0 ||
                  strcmp(type, "MediaFlowInStateChanged") == 0;
    bool is_old = strcmp(type, "OnIceCandidate") == 0 ||
                  strcmp(type, "OnIceComponentStateChanged") == 0 ||
                  strcmp(type, "MediaFlowInStateChange") == 0;
    return s->is_old ? !is_new : !is_old;
}

static inline json_t *answer_to(struct world *w, unsigned n, const json_t *request)
{
    struct fake *s = &w->servers[n];
    const char *method = text_of(request, "method");
    const json_t *params = json_object_get(request, "params");
    const char *operation = text_of(params, "operation");
    const json_t *id = json_object_get(request, "id");
    if (s->refused && (strcmp(s->refused, method) == 0 || strcmp(s->refused, operation) == 0 ||
                       strcmp(s->refused, text_of(params, "type")) == 0))
        return refusal(id, s->code, s->words ? s->words : "Refused by the test");
    if (strcmp(method, "subscribe") == 0 && !is_known_event(s, text_of(params, "type")))
        return refusal(id, 40106, "Event not supported");
    if (!is_session_ok(s, method, params))
        return refusal(id, 40007, "Invalid session");
    if (strcmp(method, "closeSession") == 0)
        return json_pack("{s:O, s:s, s:n}", "id", id, "jsonrpc", "2.0", "result");
    if (!s->session[0])
        (void)snprintf(s->session, sizeof(s->session), "session-%u-%u", n, ++s->n_sessions);
    json_t *result = json_pack("{s:s}", "sessionId", s->session);
    if (strcmp(method, "release") != 0 && strcmp(method, "connect") != 0)
        (void)json_object_set_new(result, "value", value_of(s, n, method, operation, params));
    return json_pack("{s:O, s:s, s:o}", "id", id, "jsonrpc", "2.0", "result", result);
}

/* Answer the i-th of the requests without an answer. @return false: there is none */
static inline bool answers(struct world *w, unsigned n, size_t i)
{
    struct fake *s = &w->servers[n];
    if (!s->is_open || s->is_hung || json_array_size(s->asked) <= i)
        return false;
    json_t *answer = answer_to(w, n, json_array_get(s->asked, i));
    (void)json_array_remove(s->asked, i);
    say(w, n, answer);
    return true;
}

/* In order, as a real one does. */
static inline bool answers_one(struct world *w, unsigned n)
{
    return answers(w, n, 0);
}

/* ---- transport ---- */

static inline void do_connect(void *user, unsigned n)
{
    struct world *w = user;
    assert_false(w->servers[n].is_connecting || w->servers[n].is_open);
    w->servers[n].is_connecting = true;
}

static inline void write_request(struct world *w, unsigned n, const json_t *request)
{
    const char *method = text_of(request, "method");
    const json_t *params = json_object_get(request, "params");
    const char *operation = text_of(params, "operation");
    const json_t *args = json_object_get(params, "operationParams");
    text_printf(&w->t, "%u < %s", n, method);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"object", "type", "operation"};
        if (text_of(params, names[i])[0])
            text_printf(&w->t, " %s", text_of(params, names[i]));
    }
    if (strcmp(operation, "connect") == 0)
        text_printf(&w->t, " %s %s", text_of(args, "sink"), text_of(args, "mediaType"));
    if (strcmp(operation, "processOffer") == 0)
        text_printf(&w->t, " %s", text_of(args, "offer"));
    if (strcmp(operation, "addIceCandidate") == 0)
        text_printf(&w->t, " %s", text_of(json_object_get(args, "candidate"), "candidate"));
    if (strcmp(method, "connect") == 0 || strcmp(method, "closeSession") == 0)
        text_printf(&w->t, " %s", text_of(params, "sessionId"));
    text_put(&w->t, STR("\n"));
}

static inline void do_send(void *user, unsigned n, struct str text)
{
    struct world *w = user;
    struct fake *s = &w->servers[n];
    json_t *request = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(request);
    assert_string_equal(text_of(request, "jsonrpc"), "2.0");
    assert_true(json_is_integer(json_object_get(request, "id")));
    if (s->is_open) {
        s->n_requests++;
        if (!w->is_quiet && strcmp(text_of(request, "method"), "ping") != 0)
            write_request(w, n, request);
        assert_int_equal(json_array_append(s->asked, request), 0);
    }
    json_decref(request);
}

static inline void do_close(void *user, unsigned n)
{
    struct world *w = user;
    struct fake *s = &w->servers[n];
    s->is_connecting = s->is_open = false;
    (void)json_array_clear(s->asked);
}

static inline mono_us get_now(void *user)
{
    const struct world *w = user;
    return w->now;
}

static inline void do_wake(void *user)
{
    struct world *w = user;
    w->is_woken = true;
}

/* ---- what is told ---- */

static inline void write_event(struct world *w, const struct media_event *e)
{
    static const char *const ends[] = {"failed", "lost", "remote-closed", "refused", "broken"};
    const char *leg = e->leg == MEDIA_CALLER ? "caller" : "callee";
    assert_true(!e->text || utf8_is_valid(str_of(e->text)));
    text_printf(&w->t, "call %u ", (unsigned)e->call_id);
    switch (e->type) {
    case MEDIA_EVENT_ANSWERED:
        text_printf(&w->t, "answered [%.*s] [%.*s]\n", STR_FMT(e->answer[0]),
                    STR_FMT(e->answer[1]));
        break;
    case MEDIA_EVENT_CANDIDATE:
        text_printf(&w->t, "candidate of %s %.*s [%.*s] %d\n", leg, STR_FMT(e->candidate.candidate),
                    STR_FMT(e->candidate.mid), e->candidate.mline_index);
        break;
    case MEDIA_EVENT_CONNECTED:
        text_printf(&w->t, "%s connected\n", leg);
        break;
    case MEDIA_EVENT_REANSWERED:
        text_printf(&w->t, "%s reanswered [%.*s]\n", leg, STR_FMT(e->answer[e->leg]));
        break;
    case MEDIA_EVENT_UNCHANGED:
        text_printf(&w->t, "%s unchanged, %s: %s\n", leg, ends[e->end], e->text);
        break;
    case MEDIA_EVENT_ENDED:
        text_printf(&w->t, "ended, %s of %s: %s\n", ends[e->end], leg, e->text);
        break;
    case MEDIA_EVENT_QUALITY:
        text_printf(&w->t, "quality for %s: %s %s, %s %s\n", leg, e->lines[0].grade,
                    e->lines[0].trouble ? e->lines[0].trouble : "-", e->lines[1].grade,
                    e->lines[1].trouble ? e->lines[1].trouble : "-");
        break;
    case MEDIA_EVENT_RECORDING:
        fail(); /* nothing is recorded by this backend */
    }
}

/* Like signal: a call that ended is released. */
static inline void drain(struct world *w)
{
    struct media_event e;
    w->is_woken = false;
    while (w->m->ops->poll_event(w->m, &e)) {
        write_event(w, &e);
        if (e.type == MEDIA_EVENT_ENDED)
            w->m->ops->release(w->m, e.call_id);
    }
}

static inline const char *happened(struct world *w)
{
    static char copy[sizeof(w->transcript)];
    if (w->is_woken)
        drain(w);
    assert_false(w->t.failed);
    memcpy(copy, w->transcript, w->t.len + 1);
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    return copy;
}

#define assert_happened(w, text) assert_string_equal(happened(w), text)

/* ---- time ---- */

/* What servers do that are there: accept, refuse, answer. @return false: nothing was to be done */
static inline bool step(struct world *w)
{
    bool did = false;
    for (unsigned n = 0; n < BENCH_SERVERS; n++) {
        struct fake *s = &w->servers[n];
        if (s->is_connecting) {
            s->is_connecting = false;
            s->is_open = s->is_there;
            did = true;
            if (s->is_there)
                kms_opened(w->k, w->now, n);
            else
                kms_closed(w->k, w->now, n, "refused");
        }
        did = answers_one(w, n) || did;
    }
    if (w->is_woken) {
        drain(w);
        did = true;
    }
    return did;
}

static inline void settle(struct world *w)
{
    while (step(w))
        ;
}

static inline void run(struct world *w, mono_us duration)
{
    mono_us until = w->now + duration;
    settle(w);
    for (mono_us at; (at = kms_deadline(w->k)) <= until;) {
        w->now = at > w->now ? at : w->now;
        kms_timeout(w->k, w->now);
        settle(w);
    }
    w->now = until;
}

/* The process dies: its connection too, and all that it knew. */
static inline void dies(struct world *w, unsigned n)
{
    struct fake *s = &w->servers[n];
    s->is_there = false;
    s->session[0] = '\0';
    (void)json_array_clear(s->asked);
    if (s->is_open) {
        s->is_open = false;
        kms_closed(w->k, w->now, n, "gone");
    }
}

/* Only the connection breaks. */
static inline void breaks(struct world *w, unsigned n)
{
    struct fake *s = &w->servers[n];
    s->is_open = false;
    (void)json_array_clear(s->asked);
    kms_closed(w->k, w->now, n, "broken");
}

/* ---- the world ---- */

static inline void world_init(struct world *w, unsigned n_servers)
{
    static const char *const names[] = {"ws://one", "ws://two", "ws://three"};
    memset(w, 0, sizeof(*w));
    w->now = 1000 * US_PER_S;
    rng_init_seeded(&w->rng, 3);
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    for (unsigned n = 0; n < BENCH_SERVERS; n++) {
        w->servers[n].is_there = true;
        w->servers[n].asked = json_array();
    }
    const struct kms_config config = {
        .names = names, .n_servers = n_servers, .wake = do_wake, .wake_user = w};
    const struct kms_transport transport = {do_connect, do_send, do_close, get_now, w};
    w->k = kms_new(&config, &transport, &w->rng);
    assert_non_null(w->k);
    w->m = kms_media(w->k);
}

static inline void world_deinit(struct world *w)
{
    w->m->ops->free(w->m);
    for (unsigned n = 0; n < BENCH_SERVERS; n++) {
        json_decref(w->servers[n].asked);
        json_decref(w->servers[n].stats[0]);
        json_decref(w->servers[n].stats[1]);
    }
}

static inline void calls(struct world *w, uint64_t id)
{
    char a[32], b[32];
    (void)snprintf(a, sizeof(a), "A%u", (unsigned)id);
    (void)snprintf(b, sizeof(b), "B%u", (unsigned)id);
    assert_int_equal(w->m->ops->start(w->m, id, str_of(a), str_of(b), NULL), 0);
}

static inline void trickles(struct world *w, uint64_t id, enum media_leg leg, const char *candidate)
{
    const struct media_candidate c = {
        .candidate = str_of(candidate), .mid = STR("0"), .mline_index = 0};
    w->m->ops->add_candidate(w->m, id, leg, &c);
}

/* Both legs of the call on pipeline `p` of server n are through. */
static inline void connects(struct world *w, unsigned n, unsigned p)
{
    char id[32];
    for (unsigned leg = 1; leg <= 2; leg++) {
        (void)snprintf(id, sizeof(id), "%c%u/E%u", "PQR"[n], p, leg);
        tells_connection(w, n, id, "CONNECTED");
    }
}

#define WORLD_TEST(name, n_servers)                                                                \
    static void name##_in(struct world *w);                                                        \
    static void name(void **state)                                                                 \
    {                                                                                              \
        static struct world w;                                                                     \
        (void)state;                                                                               \
        world_init(&w, n_servers);                                                                 \
        name##_in(&w);                                                                             \
        world_deinit(&w);                                                                          \
    }                                                                                              \
    static void name##_in(struct world *w)

#endif
