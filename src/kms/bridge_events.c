/*
 * What the endpoints of a bridge tell, and what becomes of it. As in bridge.c: after something that
 * may end the call there is nothing but `return`.
 */
#include "base/mem.h"
#include "kms/bridge.h"
#include "log/log.h"

void kms_bridge_went_on(struct kms_bridge *b, mono_us now, unsigned leg)
{
    const struct media_event event = {.type = MEDIA_EVENT_CONNECTED, .leg = leg};
    b->legs[leg].trouble_at = MONO_NEVER;
    if (b->legs[leg].is_connected)
        return;
    b->legs[leg].is_connected = true;
    b->legs[leg].memory.connected_at = now;
    (void)kms_call_tell(b->call, now, &event, NULL); /* without memory the call has ended */
}

void kms_bridge_has_no_path(struct kms_bridge *b, mono_us now, unsigned leg)
{
    if (b->legs[leg].trouble_at == MONO_NEVER)
        b->legs[leg].trouble_at = now;
}

static void on_candidate(struct kms_bridge *b, mono_us now, unsigned leg, const json_t *data)
{
    const json_t *candidate = json_object_get(data, "candidate");
    const json_t *index = json_object_get(candidate, "sdpMLineIndex");
    struct str text = kms_member(candidate, "candidate"), mid = kms_member(candidate, "sdpMid");
    const struct map *hashes = &b->server->objects; /* it has a secret key */
    uint64_t hash = map_hash(hashes, text.p, text.len) ^ map_hash(hashes, mid.p, mid.len);
    if (!b->is_answered || mid.len > KMS_ID_MAX ||
        !kms_candidates_take(&b->legs[leg].local, text, hash))
        return;
    char *texts[MEDIA_LEGS] = {mem_strdup(text), mem_strdup(mid)};
    json_int_t line = json_is_integer(index) ? json_integer_value(index) : 0;
    const struct media_event event = {
        .type = MEDIA_EVENT_CANDIDATE,
        .leg = leg,
        .candidate = {.candidate = str_of(texts[0]),
                      .mid = str_of(texts[1]),
                      .mline_index = line >= 0 && line < 1000 ? (int)line : 0},
    };
    if (texts[0] && texts[1]) {
        (void)kms_call_tell(b->call, now, &event, texts); /* as above */
        return;
    }
    mem_free(texts[0]);
    mem_free(texts[1]);
}

static void on_connection(struct kms_bridge *b, mono_us now, unsigned leg, const json_t *data)
{
    struct str state = kms_member(data, "newState");
    if (str_eq(state, STR("CONNECTED")))
        kms_bridge_went_on(b, now, leg);
    else if (str_eq(state, STR("DISCONNECTED")) && b->legs[leg].is_connected)
        kms_bridge_has_no_path(b, now, leg);
}

/* Component 2 fails as a rule: RTCP is multiplexed, nobody answers there. */
static void on_ice(struct kms_bridge *b, mono_us now, unsigned leg, const json_t *data)
{
    struct str state = kms_member(data, "state");
    if (json_integer_value(json_object_get(data, "componentId")) != 1)
        return;
    if (str_eq(state, STR("FAILED")) ||
        (str_eq(state, STR("DISCONNECTED")) && b->legs[leg].is_connected))
        kms_bridge_has_no_path(b, now, leg);
    else
        b->legs[leg].trouble_at = MONO_NEVER;
}

static void on_dtls(struct kms_bridge *b, mono_us now, unsigned leg, const json_t *data)
{
    struct str state = kms_member(data, "state");
    if (str_eq(state, STR("FAILED")))
        kms_call_end(b->call, now, MEDIA_END_FAILED, leg,
                     "the encrypted connection could not be made");
    else if (str_eq(state, STR("CLOSED")))
        kms_call_end(b->call, now, MEDIA_END_REMOTE_CLOSED, leg,
                     "the browser closed its connection");
}

static void on_flow(struct kms_bridge *b, mono_us now, unsigned leg, const json_t *data)
{
    (void)b, (void)now, (void)leg;
    log_debug(MEDIA, "from the browser: %.*s %.*s",
              STR_FMT(str_head(kms_member(data, "mediaType"), 16)),
              STR_FMT(str_head(kms_member(data, "state"), 16)));
}

static void on_error(struct kms_bridge *b, mono_us now, unsigned leg, const json_t *data)
{
    struct str text = kms_member(data, "description");
    kms_call_end(b->call, now, MEDIA_END_BROKEN, leg, "the media server reports an error: %.*s",
                 STR_FMT(str_head(text, MEDIA_ERROR_MAX)));
}

const struct kms_subscription kms_subscriptions[KMS_N_SUBSCRIPTIONS] = {
    {"IceCandidateFound", "OnIceCandidate", true, on_candidate},
    {"ConnectionStateChanged", NULL, true, on_connection},
    {"IceComponentStateChanged", "OnIceComponentStateChanged", false, on_ice},
    {"DtlsConnectionStateChange", NULL, false, on_dtls},
    {"MediaFlowInStateChanged", "MediaFlowInStateChange", false, on_flow},
    {"Error", NULL, false, on_error},
};

static bool is_named(const struct kms_subscription *row, struct str event)
{
    return str_eq(event, str_of(row->name)) ||
           (row->old_name && str_eq(event, str_of(row->old_name)));
}

void kms_bridge_event(struct kms_server *s, mono_us now, const struct kms_heard *heard)
{
    struct kms *k = s->kms;
    const struct kms_object *object = map_find(&s->objects, heard->object.p, heard->object.len);
    struct kms_bridge *b = object ? object->bridge : NULL;
    if (!b || !b->call || object == &b->pipeline)
        return;
    unsigned leg = object == &b->legs[MEDIA_CALLER].endpoint ? MEDIA_CALLER : MEDIA_CALLEE;
    uint64_t number = b->number;
    LOG_SCOPE(b->call->id, kms_leg_name(leg));
    for (unsigned i = 0; i < KMS_N_SUBSCRIPTIONS; i++) {
        if (is_named(&kms_subscriptions[i], heard->event)) {
            kms_subscriptions[i].handler(b, now, leg, heard->data);
            break;
        }
    }
    b = kms_bridge_find(k, number);
    if (b && b->call)
        kms_call_rearm(b->call);
}
