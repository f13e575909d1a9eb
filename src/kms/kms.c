/*
 * The two faces of it all: struct media_ops for the signaling, frames and time for the owner. What
 * is to be told is queued, in order, and polled; the end of a call has its notice inside the call.
 */
#include "kms/kms.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "engine/engine.h"
#include "kms/bridge.h"
#include "kms/private.h"
#include "log/log.h"

static struct kms *self(struct media *m)
{
    return CONTAINER_OF(m, struct kms, media);
}

static mono_us now_of(const struct kms *k)
{
    return k->transport.now(k->transport.user);
}

/* --- notices --- */

static void free_notice(struct kms_notice *notice)
{
    list_remove(&notice->queue);
    for (unsigned i = 0; i < MEDIA_LEGS; i++)
        mem_free(notice->texts[i]);
    mem_free(notice);
}

void kms_notice_queue(struct kms *k, struct kms_notice *notice)
{
    if (list_is_empty(&k->notices))
        k->media.wake(k->media.wake_user);
    list_append(&k->notices, &notice->queue);
}

static bool is_end(const struct kms_notice *notice)
{
    return notice->event.type == MEDIA_EVENT_ENDED;
}

int kms_call_tell(struct kms_call *c, mono_us now, const struct media_event *event, char **texts)
{
    struct kms_notice *notice = mem_zalloc(sizeof(*notice));
    if (!notice) {
        for (unsigned i = 0; texts && i < MEDIA_LEGS; i++)
            mem_free(texts[i]);
        kms_call_end(c, now, MEDIA_END_BROKEN, MEDIA_CALLER, "out of memory");
        return -ENOMEM;
    }
    notice->event = *event;
    notice->event.call_id = c->id;
    if (texts)
        memcpy(notice->texts, texts, sizeof(notice->texts));
    list_init(&notice->queue);
    kms_notice_queue(c->kms, notice);
    return 0;
}

static bool poll_event(struct media *m, struct media_event *ret)
{
    struct kms *k = self(m);
    if (k->polled)
        free_notice(k->polled);
    k->polled = NULL;
    struct list *node = list_pop(&k->notices);
    if (!node)
        return false;
    struct kms_notice *notice = CONTAINER_OF(node, struct kms_notice, queue);
    *ret = notice->event;
    if (!is_end(notice))
        k->polled = notice;
    return true;
}

/* --- struct media_ops --- */

static struct kms_call *find(struct kms *k, uint64_t id)
{
    return map_find(&k->calls, &id, sizeof(id));
}

static bool check_offer(struct media *m, struct str offer, char *error)
{
    (void)m;
    _Static_assert(MEDIA_ERROR_MAX == ENGINE_ERROR_MAX, "one buffer serves both");
    return engine_check_offer(offer, error);
}

/* Nothing is recorded: the files would be on the other server, where nobody looks for them. */
static int start(struct media *m, uint64_t call_id, struct str caller_offer,
                 struct str callee_offer, const struct str files[MEDIA_LEGS])
{
    struct kms *k = self(m);
    mono_us now = now_of(k);
    assert(!files && "refused with the settings");
    if (timer_heap_reserve(&k->timers, k->calls.n + 1))
        return -ENOMEM;
    struct kms_call *c =
        kms_call_new(k, now, call_id, (const struct str[]){caller_offer, callee_offer});
    if (!c)
        return -ENOMEM;
    if (map_insert(&k->calls, c)) {
        kms_call_free(c);
        return -ENOMEM;
    }
    kms_call_move(c, now, "no media server answers");
    return 0;
}

static int renegotiate(struct media *m, uint64_t call_id, enum media_leg leg, struct str offer)
{
    struct kms *k = self(m);
    const struct kms_call *c = find(k, call_id);
    return c && c->bridge ? kms_bridge_offer_again(c->bridge, now_of(k), leg, offer) : -ENOENT;
}

static json_t *candidate_json(const struct media_candidate *c)
{
    json_t *json = json_pack("{s:s, s:s, s:s%, s:s%, s:i}", "__module__", "kurento", "__type__",
                             "IceCandidate", "candidate", c->candidate.p, c->candidate.len,
                             "sdpMid", c->mid.p ? c->mid.p : "", c->mid.len, "sdpMLineIndex",
                             c->mline_index < 0 ? 0 : c->mline_index);
    /* Not Kurento's, which ignores it: Duet tells the generations of ICE by it. */
    if (json && c->ufrag.len)
        (void)json_object_set_new(json, "usernameFragment", json_stringn(c->ufrag.p, c->ufrag.len));
    return json;
}

static void add_candidate(struct media *m, uint64_t call_id, enum media_leg leg,
                          const struct media_candidate *candidate)
{
    struct kms *k = self(m);
    struct kms_call *c = find(k, call_id);
    if (!c || c->is_ended || !kms_candidate_is_of_use(candidate->candidate))
        return;
    json_t *json = candidate_json(candidate);
    if (c->bridge && c->bridge->is_answered)
        kms_bridge_add_candidate(c->bridge, now_of(k), leg, json);
    else if (json_array_size(c->early[leg]) >= KMS_MAX_CANDIDATES)
        json_decref(json);
    else if (json_array_append_new(c->early[leg], json))
        log_debug(MEDIA, "out of memory, dropping a candidate");
}

static void ask_quality(struct media *m, uint64_t call_id, enum media_leg leg,
                        const struct media_hearing *hearing)
{
    struct kms *k = self(m);
    const struct kms_call *c = find(k, call_id);
    if (c && c->bridge)
        kms_bridge_ask_quality(c->bridge, now_of(k), leg, hearing);
}

static void drop_notices(struct kms *k, uint64_t call_id)
{
    LIST_FOREACH(node, &k->notices) {
        struct kms_notice *notice = CONTAINER_OF(node, struct kms_notice, queue);
        if (notice->event.call_id == call_id && !is_end(notice))
            free_notice(notice);
    }
}

static void release(struct media *m, uint64_t call_id)
{
    struct kms *k = self(m);
    struct kms_call *c = map_remove(&k->calls, &call_id, sizeof(call_id));
    if (!c)
        return;
    if (c->bridge)
        kms_bridge_abandon(c->bridge, now_of(k));
    drop_notices(k, call_id);
    media_quality_forget(&k->quality, call_id);
    kms_call_free(c);
}

static void free_media(struct media *m)
{
    struct kms *k = self(m);
    size_t cursor = 0;
    for (size_t i = 0; i < k->n_servers; i++)
        kms_server_deinit(&k->servers[i]);
    for (struct list *node; (node = list_pop(&k->notices));) {
        struct kms_notice *notice = CONTAINER_OF(node, struct kms_notice, queue);
        if (!is_end(notice))
            free_notice(notice);
    }
    if (k->polled)
        free_notice(k->polled);
    for (struct kms_call *c; (c = map_next(&k->calls, &cursor));)
        kms_call_free(c);
    map_deinit(&k->calls);
    map_deinit(&k->bridges);
    media_quality_deinit(&k->quality);
    timer_heap_deinit(&k->timers);
    mem_free(k);
}

static const struct media_ops ops = {
    .check_offer = check_offer,
    .start = start,
    .renegotiate = renegotiate,
    .add_candidate = add_candidate,
    .ask_quality = ask_quality,
    .release = release,
    .poll_event = poll_event,
    .free = free_media,
};

/* --- the owner's side --- */

static const void *call_key(const void *value, size_t *ret_len)
{
    const struct kms_call *c = value;
    *ret_len = sizeof(c->id);
    return &c->id;
}

static const void *bridge_key(const void *value, size_t *ret_len)
{
    const struct kms_bridge *b = value;
    *ret_len = sizeof(b->number);
    return &b->number;
}

struct kms *kms_new(const struct kms_config *config, const struct kms_transport *transport,
                    struct rng *rng)
{
    assert(config->n_servers >= 1 && config->n_servers <= KMS_MAX_SERVERS);
    struct kms *k = mem_zalloc(sizeof(*k));
    if (!k)
        return NULL;
    k->media = (struct media){.ops = &ops, .wake = config->wake, .wake_user = config->wake_user};
    k->has_waited = true;
    k->transport = *transport;
    k->n_servers = config->n_servers;
    for (unsigned i = 0; i < k->n_servers; i++)
        kms_server_init(&k->servers[i], k, i, config->names[i], rng);
    map_init(&k->calls, call_key, rng);
    map_init(&k->bridges, bridge_key, rng);
    media_quality_init(&k->quality, rng);
    timer_heap_init(&k->timers);
    list_init(&k->waiting);
    list_init(&k->notices);
    return k;
}

struct media *kms_media(struct kms *k)
{
    return &k->media;
}

void kms_opened(struct kms *k, mono_us now, unsigned server)
{
    kms_server_opened(&k->servers[server], now);
}

void kms_frame(struct kms *k, mono_us now, unsigned server, struct str text)
{
    kms_server_frame(&k->servers[server], now, text);
}

void kms_closed(struct kms *k, mono_us now, unsigned server, const char *why)
{
    kms_server_closed(&k->servers[server], now, why);
}

static mono_us earliest(const struct kms *k)
{
    mono_us at = timer_heap_next(&k->timers);
    for (size_t i = 0; i < k->n_servers; i++) {
        mono_us server_at = kms_server_deadline(&k->servers[i]);
        at = server_at < at ? server_at : at;
    }
    return at;
}

/* A process that was stopped, or starved, must not blame its servers for it: their answers are
 * there, and only unread. */
static bool must_wait(struct kms *k, mono_us now)
{
    if (!k->has_waited && now - earliest(k) > KMS_LATE) {
        k->has_waited = true;
        k->not_before = now + KMS_CATCHUP;
    }
    return now < k->not_before;
}

void kms_timeout(struct kms *k, mono_us now)
{
    if (must_wait(k, now))
        return;
    k->has_waited = false;
    for (size_t i = 0; i < k->n_servers; i++)
        kms_server_timeout(&k->servers[i], now);
    for (struct timer *t; (t = timer_heap_pop(&k->timers, now));)
        kms_call_timeout(CONTAINER_OF(t, struct kms_call, timer), now);
}

mono_us kms_deadline(const struct kms *k)
{
    mono_us at = earliest(k);
    return at < k->not_before ? k->not_before : at;
}

struct kms_server_info kms_server_info(const struct kms *k, unsigned server)
{
    const struct kms_server *s = &k->servers[server];
    return (struct kms_server_info){
        .is_up = s->state == KMS_UP, .n_calls = s->load, .bad_frames = s->bad_frames};
}
