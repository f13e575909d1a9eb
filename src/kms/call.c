/*
 * The course of a call, and which server it gets. One that waits for a server is in `waiting`; one
 * that has one has a bridge (bridge.c). It ends once, whatever happens to its bridge afterwards.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "kms/bridge.h"
#include "kms/private.h"
#include "log/log.h"

static void forget_offers(struct kms_call *c)
{
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        mem_free(c->offers[leg]);
        c->offers[leg] = NULL;
        json_decref(c->early[leg]);
        c->early[leg] = NULL;
    }
}

void kms_call_free(struct kms_call *c)
{
    forget_offers(c);
    list_remove(&c->waiting);
    list_remove(&c->end.queue);
    timer_heap_set(&c->kms->timers, &c->timer, MONO_NEVER);
    mem_free(c);
}

struct kms_call *kms_call_new(struct kms *k, mono_us now, uint64_t id,
                              const struct str offers[MEDIA_LEGS])
{
    struct kms_call *c = mem_zalloc(sizeof(*c));
    if (!c)
        return NULL;
    c->kms = k;
    c->id = id;
    c->decide_by = now + KMS_DECIDE_LIMIT;
    list_init(&c->waiting);
    list_init(&c->end.queue);
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        c->offers[leg] = mem_strdup(offers[leg]);
        c->early[leg] = json_array();
        if (!c->offers[leg] || !c->early[leg]) {
            kms_call_free(c);
            return NULL;
        }
    }
    return c;
}

void kms_call_rearm(struct kms_call *c)
{
    mono_us at = MONO_NEVER;
    if (c->bridge)
        at = kms_bridge_deadline(c->bridge);
    else if (!c->is_ended)
        at = c->decide_by;
    timer_heap_set(&c->kms->timers, &c->timer, at);
}

/* Cut between two characters: the text goes into JSON. */
PRINTF_LIKE(2, 0) static void write_end(struct kms_call *c, const char *format, va_list ap)
{
    int n = vsnprintf(c->end_text, sizeof(c->end_text), format, ap);
    if (n < 0)
        c->end_text[0] = '\0';
    c->end_text[utf8_valid_prefix(str_of(c->end_text))] = '\0';
}

static void end(struct kms_call *c, mono_us now, enum media_end how, enum media_leg leg)
{
    LOG_SCOPE(c->id, NULL);
    log_debug(MEDIA, "media ended: %s", c->end_text);
    if (c->bridge)
        kms_bridge_abandon(c->bridge, now);
    list_remove(&c->waiting);
    forget_offers(c);
    c->is_ended = true;
    c->end.event = (struct media_event){
        .type = MEDIA_EVENT_ENDED, .call_id = c->id, .leg = leg, .end = how, .text = c->end_text};
    kms_notice_queue(c->kms, &c->end);
    kms_call_rearm(c);
}

void kms_call_end(struct kms_call *c, mono_us now, enum media_end how, enum media_leg leg,
                  const char *format, ...)
{
    va_list ap;
    if (c->is_ended)
        return;
    va_start(ap, format);
    write_end(c, format, ap);
    va_end(ap);
    end(c, now, how, leg);
}

/* --- which server --- */

static bool is_tried(const struct kms_call *c, const struct kms_server *s)
{
    return c->tried & (UINT32_C(1) << s->number);
}

static bool are_all_tried(const struct kms_call *c)
{
    return c->tried == (UINT32_C(1) << c->kms->n_servers) - 1;
}

/* Those that answer before those that may not; then the one with the fewest of our calls. */
static bool is_better(const struct kms_server *a, const struct kms_server *b, mono_us now)
{
    bool a_is_doubtful = kms_server_is_doubtful(a, now);
    if (a_is_doubtful != kms_server_is_doubtful(b, now))
        return !a_is_doubtful;
    return a->load < b->load;
}

static struct kms_server *choose(const struct kms_call *c, mono_us now)
{
    struct kms *k = c->kms;
    struct kms_server *best = NULL;
    for (size_t i = 0; i < k->n_servers; i++) {
        struct kms_server *s = &k->servers[i];
        if (s->state == KMS_UP && !is_tried(c, s) && (!best || is_better(s, best, now)))
            best = s;
    }
    return best;
}

bool kms_call_has_other_server(const struct kms_call *c, mono_us now)
{
    return choose(c, now) != NULL;
}

/* @return false: there is none at the moment */
static bool place(struct kms_call *c, mono_us now)
{
    struct kms_server *s = choose(c, now);
    if (!s)
        return false;
    c->tried |= UINT32_C(1) << s->number;
    if (kms_bridge_begin(c, now, s)) {
        kms_call_end(c, now, MEDIA_END_BROKEN, MEDIA_CALLER, "out of memory");
        return true;
    }
    LOG_SCOPE(c->id, NULL);
    log_info(MEDIA, "goes to media server %s", s->name);
    list_remove(&c->waiting);
    kms_call_rearm(c);
    return true;
}

void kms_place_waiting(struct kms *k, mono_us now)
{
    LIST_FOREACH(node, &k->waiting)
        (void)place(CONTAINER_OF(node, struct kms_call, waiting), now);
}

void kms_call_move(struct kms_call *c, mono_us now, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    write_end(c, format, ap);
    va_end(ap);
    if (c->bridge) {
        kms_server_doubt(c->bridge->server, now);
        kms_bridge_abandon(c->bridge, now);
    }
    LOG_SCOPE(c->id, NULL);
    if (now < c->decide_by && place(c, now))
        return;
    if (now < c->decide_by && !are_all_tried(c)) {
        log_debug(MEDIA, "waits for another media server: %s", c->end_text);
        list_append(&c->kms->waiting, &c->waiting);
        kms_call_rearm(c);
        return;
    }
    end(c, now, MEDIA_END_BROKEN, MEDIA_CALLER);
}

/* --- time --- */

void kms_call_timeout(struct kms_call *c, mono_us now)
{
    if (c->bridge)
        kms_bridge_timeout(c->bridge, now);
    else if (!c->is_ended)
        end(c, now, MEDIA_END_BROKEN, MEDIA_CALLER); /* for the reason that it waits */
}
