/*
 * The script of a call on a server. One row a step says how an answer is taken; a request that
 * fails before the answers are out makes the call move to another server, later it ends the call.
 *
 * Whatever ends or moves a call lets go of its bridge, which may be freed then: after such a call
 * there is nothing but `return`.
 */
#include "kms/bridge.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "log/log.h"

enum step {
    STEP_PIPELINE,
    STEP_ENDPOINT,
    STEP_SUBSCRIBE, /* detail: row of subscriptions, and whether under its old name */
    STEP_CONNECT,
    STEP_OFFER,
    STEP_GATHER,
    STEP_CANDIDATE,
    STEP_OFFER_AGAIN,
    STEP_STATE,
    STEP_STATS, /* detail: who asked */
    STEP_RELEASE,
    N_STEPS
};

#define OLD_NAME 0x80

/* Codes of Kurento. */
enum {
    CODE_NO_EVENT = 40106,
    CODE_SDP_FIRST = 40200,
    CODE_NEGOTIATED = 40208,
    CODE_SDP_LAST = 40299,
};

/* --- asking --- */

static int ask(struct kms_bridge *b, mono_us now, const char *method, json_t *params,
               enum step step, unsigned leg, unsigned detail)
{
    const struct kms_tag tag = {
        .bridge = b->number, .step = (uint8_t)step, .leg = (uint8_t)leg, .detail = (uint8_t)detail};
    return kms_server_ask(b->server, now, method, params, tag);
}

/* One that must succeed before the answers are told. */
static int need(struct kms_bridge *b, mono_us now, const char *method, json_t *params,
                enum step step, unsigned leg, unsigned detail)
{
    int err = ask(b, now, method, params, step, leg, detail);
    b->n_needed += err == 0;
    return err;
}

/* @param params of the operation, taken; NULL = none */
static json_t *invoke(const struct kms_object *object, const char *operation, json_t *params)
{
    return json_pack("{s:s, s:s, s:o*}", "object", object->id, "operation", operation,
                     "operationParams", params);
}

/* --- subscriptions --- */

_Static_assert(KMS_N_SUBSCRIPTIONS < OLD_NAME, "a row fits the detail of a tag");

static int subscribe(struct kms_bridge *b, mono_us now, unsigned leg, unsigned detail)
{
    const struct kms_subscription *row = &kms_subscriptions[detail & ~(unsigned)OLD_NAME];
    json_t *params = json_pack("{s:s, s:s}", "object", b->legs[leg].endpoint.id, "type",
                               detail & OLD_NAME ? row->old_name : row->name);
    return row->is_needed ? need(b, now, "subscribe", params, STEP_SUBSCRIBE, leg, detail)
                          : ask(b, now, "subscribe", params, STEP_SUBSCRIBE, leg, detail);
}

/* --- the steps --- */

int kms_bridge_begin(struct kms_call *c, mono_us now, struct kms_server *s)
{
    struct kms_bridge *b = mem_zalloc(sizeof(*b));
    if (!b)
        return -ENOMEM;
    b->number = ++c->kms->last_bridge;
    b->server = s;
    b->call = c;
    b->first_by = now + KMS_FIRST_ANSWER_LIMIT;
    b->pipeline.bridge = b;
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        b->legs[leg].endpoint.bridge = b;
        b->legs[leg].trouble_at = MONO_NEVER;
    }
    list_init(&b->siblings);
    if (map_insert(&c->kms->bridges, b)) {
        mem_free(b);
        return -ENOMEM;
    }
    list_append(&s->bridges, &b->siblings);
    if (need(b, now, "create", json_pack("{s:s, s:{}}", "type", "MediaPipeline", "properties"),
             STEP_PIPELINE, 0, 0)) {
        b->call = NULL;
        kms_bridge_free(b);
        return -ENOMEM;
    }
    s->load++;
    c->bridge = b;
    return 0;
}

/* @return 0, -ENOMEM, KMS_E_ANSWER */
enum { KMS_E_ANSWER = 1 };

static int take_id(struct kms_bridge *b, struct kms_object *object, const json_t *value)
{
    const char *id = json_string_value(value);
    size_t len = json_string_length(value);
    struct map *objects = &b->server->objects;
    if (!id || !len || len > KMS_ID_MAX || strlen(id) != len || object->id ||
        map_find(objects, id, len))
        return KMS_E_ANSWER;
    object->id = mem_strdup((struct str){id, len});
    if (!object->id)
        return -ENOMEM;
    if (map_insert(objects, object)) {
        mem_free(object->id);
        object->id = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int on_pipeline(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                       const json_t *value)
{
    (void)tag;
    int err = take_id(b, &b->pipeline, value);
    b->first_by = MONO_NEVER;
    for (unsigned leg = 0; !err && leg < MEDIA_LEGS; leg++)
        err = need(b, now, "create",
                   json_pack("{s:s, s:{s:s}, s:{}}", "type", "WebRtcEndpoint", "constructorParams",
                             "mediaPipeline", b->pipeline.id, "properties"),
                   STEP_ENDPOINT, leg, 0);
    return err;
}

static int negotiate(struct kms_bridge *b, mono_us now, unsigned leg)
{
    const struct kms_object *me = &b->legs[leg].endpoint, *other = &b->legs[1 - leg].endpoint;
    int err = need(
        b, now, "invoke",
        invoke(me, "connect", json_pack("{s:s, s:s}", "sink", other->id, "mediaType", "AUDIO")),
        STEP_CONNECT, leg, 0);
    if (!err)
        err = need(b, now, "invoke",
                   invoke(me, "processOffer", json_pack("{s:s}", "offer", b->call->offers[leg])),
                   STEP_OFFER, leg, 0);
    return err;
}

static int on_endpoint(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                       const json_t *value)
{
    int err = take_id(b, &b->legs[tag->leg].endpoint, value);
    for (unsigned i = 0; !err && i < KMS_N_SUBSCRIPTIONS; i++)
        err = subscribe(b, now, tag->leg, i);
    if (err || !b->legs[1 - tag->leg].endpoint.id)
        return err;
    for (unsigned leg = 0; !err && leg < MEDIA_LEGS; leg++)
        err = negotiate(b, now, leg);
    return err;
}

static int on_offer(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                    const json_t *value)
{
    struct kms_bridge_leg *leg = &b->legs[tag->leg];
    struct str answer = {json_string_value(value), json_string_length(value)};
    (void)now;
    if (leg->answer || !str_starts_with(answer, STR("v=")))
        return KMS_E_ANSWER;
    leg->answer = mem_strdup(answer);
    return leg->answer ? 0 : -ENOMEM;
}

static int on_done(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                   const json_t *value)
{
    (void)b, (void)now, (void)tag, (void)value;
    return 0;
}

static int on_offer_again(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                          const json_t *value)
{
    struct str answer = {json_string_value(value), json_string_length(value)};
    char *texts[MEDIA_LEGS] = {NULL};
    struct media_event event = {.type = MEDIA_EVENT_REANSWERED, .leg = tag->leg};
    if (!str_starts_with(answer, STR("v=")))
        return KMS_E_ANSWER;
    b->legs[tag->leg].is_offering = false;
    texts[tag->leg] = mem_strdup(answer);
    if (!texts[tag->leg])
        return -ENOMEM;
    event.answer[tag->leg] = str_of(texts[tag->leg]);
    (void)kms_call_tell(b->call, now, &event, texts); /* without memory the call has ended */
    return 0;
}

static int on_state(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                    const json_t *value)
{
    struct str state = {json_string_value(value), json_string_length(value)};
    if (str_eq(state, STR("CONNECTED")))
        kms_bridge_went_on(b, now, tag->leg);
    else if (b->legs[tag->leg].is_connected)
        kms_bridge_has_no_path(b, now, tag->leg);
    return 0;
}

static int on_stats(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                    const json_t *value)
{
    kms_bridge_stats(b, now, tag->leg, tag->detail, value);
    return 0;
}

static const struct {
    const char *what; /* for texts */
    bool is_needed;
    int (*handler)(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                   const json_t *value);
} steps[N_STEPS] = {
    [STEP_PIPELINE] = {"a pipeline", true, on_pipeline},
    [STEP_ENDPOINT] = {"an endpoint", true, on_endpoint},
    [STEP_SUBSCRIBE] = {"events", false, on_done},
    [STEP_CONNECT] = {"connecting both sides", true, on_done},
    [STEP_OFFER] = {"an answer", true, on_offer},
    [STEP_GATHER] = {"its candidates", true, on_done},
    [STEP_CANDIDATE] = {"taking a candidate", false, on_done},
    [STEP_OFFER_AGAIN] = {"an answer to a later offer", false, on_offer_again},
    [STEP_STATE] = {"a state", false, on_state},
    [STEP_STATS] = {"figures", false, on_stats},
    [STEP_RELEASE] = {"releasing", false, on_done},
};

static bool is_needed(const struct kms_tag *tag)
{
    if (tag->step == STEP_SUBSCRIBE)
        return kms_subscriptions[tag->detail & ~(unsigned)OLD_NAME].is_needed;
    return steps[tag->step].is_needed;
}

/* --- the answers of both --- */

static void gather(struct kms_bridge *b, mono_us now)
{
    struct kms_call *c = b->call;
    int err = 0;
    for (unsigned leg = 0; !err && leg < MEDIA_LEGS; leg++) {
        json_t *candidate;
        size_t i;
        err = ask(b, now, "invoke", invoke(&b->legs[leg].endpoint, "gatherCandidates", NULL),
                  STEP_GATHER, leg, 0);
        json_array_foreach(c->early[leg], i, candidate)
        {
            kms_bridge_add_candidate(b, now, leg, json_incref(candidate));
        }
        json_decref(c->early[leg]);
        c->early[leg] = NULL;
    }
    if (err)
        kms_call_end(c, now, MEDIA_END_BROKEN, MEDIA_CALLER, "out of memory");
}

static void tell_answers(struct kms_bridge *b, mono_us now)
{
    char *texts[MEDIA_LEGS];
    struct media_event event = {.type = MEDIA_EVENT_ANSWERED};
    b->is_answered = true;
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        texts[leg] = b->legs[leg].answer;
        event.answer[leg] = str_of(texts[leg]);
        b->legs[leg].answer = NULL; /* now owned by the notice */
        mem_free(b->call->offers[leg]);
        b->call->offers[leg] = NULL;
    }
    if (!kms_call_tell(b->call, now, &event, texts))
        gather(b, now);
}

/* --- what goes wrong --- */

/* 402xx of an offer is about the offer: no other server would take it. */
static bool is_refused_offer(const struct kms_tag *tag, const struct kms_answer *answer)
{
    return (tag->step == STEP_OFFER || tag->step == STEP_OFFER_AGAIN) &&
           answer->kind == KMS_ANSWER_REFUSED && answer->code >= CODE_SDP_FIRST &&
           answer->code <= CODE_SDP_LAST;
}

/* Cut between two characters: the text goes into JSON. */
static struct str shortened(struct str text)
{
    text = str_head(text, MEDIA_ERROR_MAX - 1);
    return str_head(text, utf8_valid_prefix(text));
}

static void tell_unchanged(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                           const struct kms_answer *answer)
{
    bool is_refused = is_refused_offer(tag, answer);
    char *texts[MEDIA_LEGS] = {NULL};
    struct media_event event = {.type = MEDIA_EVENT_UNCHANGED,
                                .leg = tag->leg,
                                .end = is_refused ? MEDIA_END_REFUSED : MEDIA_END_BROKEN};
    b->legs[tag->leg].is_offering = false;
    if (answer->code == CODE_NEGOTIATED)
        event.text = "the media server takes no later offers";
    else
        event.text = texts[0] = mem_strdup(shortened(answer->message));
    (void)kms_call_tell(b->call, now, &event, texts); /* without memory the call has ended */
}

static void fail(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                 const struct kms_answer *answer)
{
    struct str message = str_head(answer->message, MEDIA_ERROR_MAX);
    const char *what = steps[tag->step].what;
    if (is_refused_offer(tag, answer))
        kms_call_end(b->call, now, MEDIA_END_REFUSED, tag->leg, "%.*s", STR_FMT(message));
    else if (b->is_answered)
        kms_call_end(b->call, now, MEDIA_END_BROKEN, tag->leg, "the media server refused %s: %.*s",
                     what, STR_FMT(message));
    else
        kms_call_move(b->call, now, "the media server refused %s: %.*s", what, STR_FMT(message));
}

static void on_refused(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                       const struct kms_answer *answer)
{
    if (tag->step == STEP_SUBSCRIBE && answer->code == CODE_NO_EVENT && !(tag->detail & OLD_NAME) &&
        kms_subscriptions[tag->detail].old_name &&
        !subscribe(b, now, tag->leg, tag->detail | OLD_NAME)) {
        b->n_needed -= is_needed(tag); /* the new one counts in its place */
        return;
    }
    LOG_SCOPE(b->call->id, kms_leg_name(tag->leg));
    if (tag->step == STEP_OFFER_AGAIN)
        tell_unchanged(b, now, tag, answer);
    else if (is_needed(tag))
        fail(b, now, tag, answer);
    else
        log_debug(MEDIA, "media server %s refused %s: %.*s", b->server->name, steps[tag->step].what,
                  STR_FMT(str_head(answer->message, 200)));
}

static void on_taken(struct kms_bridge *b, mono_us now, const struct kms_tag *tag, int err)
{
    const struct kms_answer nonsense = {.kind = KMS_ANSWER_REFUSED,
                                        .message = STR("its answer makes no sense")};
    const struct kms_answer no_memory = {.kind = KMS_ANSWER_REFUSED,
                                         .message = STR("out of memory")};
    if (err) {
        on_refused(b, now, tag, err == KMS_E_ANSWER ? &nonsense : &no_memory);
        return;
    }
    if (!b->is_answered && b->n_needed == 0 && b->legs[0].answer && b->legs[1].answer)
        tell_answers(b, now);
}

/* Nobody is interested any more; what it made is to go. */
static void on_abandoned(struct kms_bridge *b, mono_us now, const struct kms_tag *tag,
                         const struct kms_answer *answer)
{
    if (tag->step != STEP_PIPELINE)
        return;
    if (answer->kind == KMS_ANSWER_OK && take_id(b, &b->pipeline, answer->value) == 0)
        kms_bridge_abandon(b, now);
    else
        kms_bridge_free(b);
}

struct kms_bridge *kms_bridge_find(const struct kms *k, uint64_t number)
{
    return map_find(&k->bridges, &number, sizeof(number));
}

void kms_bridge_answer(struct kms_server *s, mono_us now, struct kms_tag tag,
                       const struct kms_answer *answer)
{
    struct kms *k = s->kms;
    struct kms_bridge *b = kms_bridge_find(k, tag.bridge);
    if (!b)
        return;
    if (!b->call) {
        on_abandoned(b, now, &tag, answer);
        return;
    }
    if (answer->kind != KMS_ANSWER_OK) {
        on_refused(b, now, &tag, answer);
    } else {
        b->n_needed -= is_needed(&tag) && !b->is_answered;
        int err = steps[tag.step].handler(b, now, &tag, answer->value);
        b = kms_bridge_find(k, tag.bridge); /* a handler may have ended the call */
        if (b && b->call)
            on_taken(b, now, &tag, err);
    }
    b = kms_bridge_find(k, tag.bridge);
    if (b && b->call)
        kms_call_rearm(b->call);
}

/* --- what is asked for once the answers are out --- */

void kms_bridge_add_candidate(struct kms_bridge *b, mono_us now, enum media_leg leg,
                              json_t *candidate)
{
    json_t *params = candidate ? json_pack("{s:o}", "candidate", candidate) : NULL;
    if (!params || ask(b, now, "invoke", invoke(&b->legs[leg].endpoint, "addIceCandidate", params),
                       STEP_CANDIDATE, leg, 0))
        log_debug(MEDIA, "out of memory, dropping a candidate");
}

int kms_bridge_offer_again(struct kms_bridge *b, mono_us now, enum media_leg leg, struct str offer)
{
    if (!b->is_answered || b->legs[leg].is_offering)
        return -EBUSY;
    int err = ask(b, now, "invoke",
                  invoke(&b->legs[leg].endpoint, "processOffer",
                         json_pack("{s:s%}", "offer", offer.p, offer.len)),
                  STEP_OFFER_AGAIN, leg, 0);
    b->legs[leg].is_offering = err == 0;
    return err;
}

int kms_bridge_ask_stats(struct kms_bridge *b, mono_us now, unsigned leg, unsigned asker)
{
    return ask(b, now, "invoke",
               invoke(&b->legs[leg].endpoint, "getStats", json_pack("{s:s}", "mediaType", "AUDIO")),
               STEP_STATS, leg, asker);
}

/* What was told while nobody listened. */
void kms_bridge_resumed(struct kms_bridge *b, mono_us now)
{
    for (unsigned leg = 0; b->call && b->is_answered && leg < MEDIA_LEGS; leg++)
        if (ask(b, now, "invoke", invoke(&b->legs[leg].endpoint, "getConnectionState", NULL),
                STEP_STATE, leg, 0))
            log_debug(MEDIA, "out of memory, a state stays unknown");
}

int kms_bridge_ask_release(struct kms_bridge *b, mono_us now)
{
    return ask(b, now, "release", json_pack("{s:s}", "object", b->pipeline.id), STEP_RELEASE, 0, 0);
}
