/*
 * How long a bridge lives: what it waits for in vain, a server that is lost, a call that has left.
 * As in bridge.c: after something that may end or move the call there is nothing but `return`.
 */
#include <string.h>

#include "base/mem.h"
#include "kms/bridge.h"
#include "log/log.h"

/* --- time --- */

mono_us kms_bridge_deadline(const struct kms_bridge *b)
{
    mono_us at = b->first_by;
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        mono_us trouble_at = b->legs[leg].trouble_at;
        if (trouble_at != MONO_NEVER && trouble_at + KMS_ICE_GRACE < at)
            at = trouble_at + KMS_ICE_GRACE;
    }
    return at;
}

/* A slow server is better than none. */
static void on_silence(struct kms_bridge *b, mono_us now)
{
    struct kms_call *c = b->call;
    if (now < c->decide_by && !kms_call_has_other_server(c, now)) {
        b->first_by = c->decide_by;
        kms_call_rearm(c);
        return;
    }
    kms_call_move(c, now, "the media server does not answer");
}

void kms_bridge_timeout(struct kms_bridge *b, mono_us now)
{
    if (now >= b->first_by) {
        on_silence(b, now);
        return;
    }
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        const struct kms_bridge_leg *l = &b->legs[leg];
        if (l->trouble_at == MONO_NEVER || now < l->trouble_at + KMS_ICE_GRACE)
            continue;
        kms_call_end(b->call, now, l->is_connected ? MEDIA_END_LOST : MEDIA_END_FAILED, leg,
                     l->is_connected ? "the network connection to the browser is lost"
                                     : "no network path to the browser was found");
        return;
    }
}

/* --- the end --- */

static void forget_object(struct kms_bridge *b, struct kms_object *object)
{
    if (object->id)
        (void)map_remove(&b->server->objects, object->id, strlen(object->id));
    mem_free(object->id);
    object->id = NULL;
}

static void leave_call(struct kms_bridge *b)
{
    if (!b->call)
        return;
    b->call->bridge = NULL;
    b->server->load--;
    b->call = NULL;
}

void kms_bridge_free(struct kms_bridge *b)
{
    leave_call(b);
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        forget_object(b, &b->legs[leg].endpoint);
        mem_free(b->legs[leg].answer);
    }
    forget_object(b, &b->pipeline);
    list_remove(&b->siblings);
    (void)map_remove(&b->server->kms->bridges, &b->number, sizeof(b->number));
    mem_free(b);
}

void kms_bridge_abandon(struct kms_bridge *b, mono_us now)
{
    leave_call(b);
    if (!b->pipeline.id)
        return; /* to be released when it is known */
    if (kms_bridge_ask_release(b, now))
        log_debug(MEDIA, "out of memory, a pipeline stays until its session ends");
    kms_bridge_free(b);
}

void kms_bridge_lost(struct kms_bridge *b, mono_us now)
{
    struct kms_call *c = b->call;
    bool is_answered = b->is_answered;
    kms_bridge_free(b);
    if (c && is_answered)
        kms_call_end(c, now, MEDIA_END_BROKEN, MEDIA_CALLER, "the media server is lost");
    else if (c)
        kms_call_move(c, now, "the media server is lost");
}
