/*
 * One server: connecting, greeting, pings, and what becomes of its calls when it goes.
 *
 * Only answers count as signs of life: a server that still tells events but answers nothing is no
 * use to anybody.
 */
#include "kms/server.h"

#include <string.h>

#include "kms/bridge.h"
#include "kms/private.h"
#include "log/counters.h"
#include "log/log.h"

/* Steps of the connection's own requests (tag.bridge is 0). */
enum { STEP_PING, STEP_INFO, STEP_RESUME, STEP_CLOSE };

static const void *object_id(const void *value, size_t *ret_len)
{
    const struct kms_object *object = value;
    *ret_len = strlen(object->id);
    return object->id;
}

void kms_server_init(struct kms_server *s, struct kms *k, unsigned number, const char *name,
                     struct rng *rng)
{
    *s = (struct kms_server){
        .kms = k, .number = number, .name = name, .lose_at = MONO_NEVER, .retry = KMS_RETRY_MIN};
    kms_rpc_init(&s->rpc, rng);
    map_init(&s->objects, object_id, rng);
    list_init(&s->bridges);
}

void kms_server_deinit(struct kms_server *s)
{
    while (!list_is_empty(&s->bridges))
        kms_bridge_free(CONTAINER_OF(s->bridges.next, struct kms_bridge, siblings));
    map_deinit(&s->objects);
    kms_rpc_deinit(&s->rpc);
}

/* --- asking --- */

static void put(struct kms_server *s, struct str text)
{
    const struct kms_transport *t = &s->kms->transport;
    t->send(t->user, s->number, text);
}

/* Of the connection itself: sent whatever the state. Without memory the next ping says more. */
static void ask_own(struct kms_server *s, mono_us now, const char *method, json_t *params,
                    uint8_t step)
{
    struct str text;
    if (!kms_rpc_ask(&s->rpc, now, method, params, (struct kms_tag){.step = step}, &text))
        put(s, text);
}

int kms_server_ask(struct kms_server *s, mono_us now, const char *method, json_t *params,
                   struct kms_tag tag)
{
    struct str text;
    int err = kms_rpc_ask(&s->rpc, now, method, params, tag, &text);
    if (!err && s->state == KMS_UP)
        put(s, text);
    return err;
}

void kms_server_doubt(struct kms_server *s, mono_us now)
{
    s->doubted_until = now + KMS_DOUBT;
}

bool kms_server_is_doubtful(const struct kms_server *s, mono_us now)
{
    return s->missed > 0 || s->doubted_until > now;
}

/* What was there is not ours any more: its calls end or move on, nothing is waited for. */
static void lose(struct kms_server *s, mono_us now)
{
    if (s->load)
        log_warning(MEDIA, "media server %s is lost, ending %zu calls", s->name, s->load);
    s->lose_at = MONO_NEVER;
    kms_rpc_forget(&s->rpc);
    while (!list_is_empty(&s->bridges))
        kms_bridge_lost(CONTAINER_OF(s->bridges.next, struct kms_bridge, siblings), now);
}

/* --- coming up --- */

static void connect_now(struct kms_server *s, mono_us now)
{
    const struct kms_transport *t = &s->kms->transport;
    s->state = KMS_CONNECTING;
    s->at = now + KMS_CONNECT_LIMIT;
    t->connect(t->user, s->number);
}

static void greet(struct kms_server *s, mono_us now)
{
    s->state = KMS_GREETING;
    s->at = now + KMS_CONNECT_LIMIT;
    if (s->load > 0 && s->rpc.session[0]) {
        ask_own(s, now, "connect", json_object(), STEP_RESUME);
        return;
    }
    lose(s, now);
    if (s->rpc.session[0]) /* of calls that ended without it: nothing of them is to stay there */
        ask_own(s, now, "closeSession", json_object(), STEP_CLOSE);
    s->rpc.session[0] = '\0';
    ask_own(s, now, "invoke",
            json_pack("{s:s, s:s}", "object", "manager_ServerManager", "operation", "getInfo"),
            STEP_INFO);
}

void kms_server_opened(struct kms_server *s, mono_us now)
{
    if (s->state == KMS_CONNECTING)
        greet(s, now);
}

/* In the order in which it was sent: the server remembers what it has answered already. */
static void send_again(struct kms_server *s)
{
    LIST_FOREACH(node, &s->rpc.waiting)
        put(s, str_of(CONTAINER_OF(node, struct kms_request, waiting)->text));
}

static void come_up(struct kms_server *s, mono_us now)
{
    s->state = KMS_UP;
    s->at = now + KMS_PING_INTERVAL;
    s->lose_at = MONO_NEVER;
    s->missed = 0;
    s->is_told = false;
    s->has_heard = true;
}

static void on_info(struct kms_server *s, mono_us now, const struct kms_answer *answer)
{
    struct str type = kms_member(answer->value, "type");
    struct str version = kms_member(answer->value, "version");
    come_up(s, now);
    log_info(MEDIA, "media server %s is there: %.*s %.*s", s->name, STR_FMT(str_head(type, 32)),
             STR_FMT(str_head(version, 32)));
    kms_place_waiting(s->kms, now);
}

static void on_resumed(struct kms_server *s, mono_us now)
{
    come_up(s, now);
    log_info(MEDIA, "media server %s is back, %zu calls go on", s->name, s->load);
    send_again(s);
    LIST_FOREACH(node, &s->bridges)
        kms_bridge_resumed(CONTAINER_OF(node, struct kms_bridge, siblings), now);
    kms_place_waiting(s->kms, now);
}

/* --- going down --- */

static void go_down(struct kms_server *s, mono_us now, const char *why)
{
    if (!s->is_told)
        log_warning(MEDIA, "media server %s is not there: %s; trying again", s->name, why);
    s->is_told = true;
    if (s->state == KMS_UP)
        s->lose_at = now + KMS_RESUME_LIMIT;
    s->state = KMS_DOWN;
    s->at = now + s->retry;
    s->retry = 2 * s->retry < KMS_RETRY_MAX ? 2 * s->retry : KMS_RETRY_MAX;
    if (!s->load)
        lose(s, now);
}

static void cut(struct kms_server *s, mono_us now, const char *why)
{
    const struct kms_transport *t = &s->kms->transport;
    t->close(t->user, s->number);
    go_down(s, now, why);
}

void kms_server_closed(struct kms_server *s, mono_us now, const char *why)
{
    if (s->state != KMS_DOWN)
        go_down(s, now, why);
}

/* --- answers --- */

static void on_greeted(struct kms_server *s, mono_us now, uint8_t step,
                       const struct kms_answer *answer)
{
    if (s->state != KMS_GREETING)
        return;
    if (answer->kind == KMS_ANSWER_OK && step == STEP_INFO) {
        on_info(s, now, answer);
    } else if (answer->kind == KMS_ANSWER_OK) {
        on_resumed(s, now);
    } else if (step == STEP_RESUME) { /* it has started anew: 40007 */
        lose(s, now);
        greet(s, now);
    } else {
        cut(s, now, "it refuses to say what it is");
    }
}

static void on_answer(struct kms_server *s, mono_us now, const struct kms_heard *heard)
{
    s->has_heard = true;
    s->missed = 0;
    if (heard->tag.bridge)
        kms_bridge_answer(s, now, heard->tag, &heard->answer);
    else if (heard->tag.step == STEP_INFO || heard->tag.step == STEP_RESUME)
        on_greeted(s, now, heard->tag.step, &heard->answer);
}

static void on_bad_frame(struct kms_server *s, struct str text)
{
    counter_add(COUNTER_MEDIA_SERVER_BAD_FRAME);
    if (s->bad_frames++ == 0)
        log_warning(MEDIA, "media server %s sends what makes no sense, dropping: %.*s", s->name,
                    STR_FMT(str_head(text, 100)));
}

void kms_server_frame(struct kms_server *s, mono_us now, struct str text)
{
    struct kms_heard heard;
    if (s->state != KMS_GREETING && s->state != KMS_UP)
        return;
    kms_rpc_hear(&s->rpc, text, &heard);
    switch (heard.type) {
    case KMS_HEARD_ANSWER:
        on_answer(s, now, &heard);
        break;
    case KMS_HEARD_EVENT:
        kms_bridge_event(s, now, &heard);
        break;
    case KMS_HEARD_STRAY:
        break;
    case KMS_HEARD_BAD:
        on_bad_frame(s, text);
        break;
    }
    kms_heard_free(&heard);
}

/* --- time --- */

static void ping(struct kms_server *s, mono_us now)
{
    s->missed = s->has_heard ? 0 : s->missed + 1;
    if (s->has_heard) /* it stays: not one that ends every connection as soon as it is made */
        s->retry = KMS_RETRY_MIN;
    s->has_heard = false;
    s->at = now + KMS_PING_INTERVAL;
    if (s->missed >= KMS_MAX_MISSED_PINGS) {
        cut(s, now, "it does not answer");
        lose(s, now);
        return;
    }
    ask_own(s, now, "ping", json_object(), STEP_PING);
}

static void on_time(struct kms_server *s, mono_us now)
{
    switch (s->state) {
    case KMS_DOWN:
        connect_now(s, now);
        break;
    case KMS_CONNECTING:
        cut(s, now, "connecting takes too long");
        break;
    case KMS_GREETING:
        cut(s, now, "it does not answer");
        break;
    case KMS_UP:
        ping(s, now);
        break;
    }
}

static void drop_overdue(struct kms_server *s, mono_us now)
{
    const struct kms_answer none = {.kind = KMS_ANSWER_NONE,
                                    .message = STR("the media server did not answer in time")};
    struct kms_tag tag;
    while (kms_rpc_overdue(&s->rpc, now, &tag))
        if (tag.bridge)
            kms_bridge_answer(s, now, tag, &none);
}

void kms_server_timeout(struct kms_server *s, mono_us now)
{
    if (now >= s->at)
        on_time(s, now);
    if (now >= s->lose_at)
        lose(s, now);
    drop_overdue(s, now);
}

mono_us kms_server_deadline(const struct kms_server *s)
{
    mono_us at = kms_rpc_deadline(&s->rpc);
    at = s->at < at ? s->at : at;
    return s->lose_at < at ? s->lose_at : at;
}
