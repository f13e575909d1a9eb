/* Questions to the worker, and the look at what flows: see the header. */
#include "kurento/watch.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "kurento/media_pipeline.h"

/* Of the regular look; requests count up from the next. */
#define TAG_WATCH 0

/* --- questions --- */

int kurento_ask(const struct kurento_call *call, struct kurento_element *asked,
                json_t *(*answer)(struct kurento_element *asked, const struct engine_stats *stats))
{
    struct kurento *k = call->kurento;
    struct kurento_question *q = mem_zalloc(sizeof(*q));
    int err = -ENOMEM;
    if (!q)
        return err;
    q->later = kurento_put_off(call, &err);
    if (q->later) {
        do
            q->tag = ++k->last_tag;
        while (q->tag == TAG_WATCH);
        q->answer = answer;
        list_append(&asked->questions, &q->questions);
        err = engine_snapshot(k->engine, kurento_element_pipeline(asked), asked->endpoint, q->tag);
    }
    if (!err)
        return KURENTO_PUT_OFF;
    if (q->later) {
        list_remove(&q->questions);
        kurento_forget_later(q->later);
    }
    mem_free(q);
    return err < 0 ? err
                   : kurento_fail(call->fault, KURENTO_E_UNEXPECTED, "the endpoint has ended");
}

static void finish(struct kurento *k, struct kurento_question *q, json_t *value,
                   const struct kurento_fault *fault)
{
    list_remove(&q->questions);
    kurento_answer_later(k, q->later,
                         fault   ? (int)fault->error
                         : value ? 0
                                 : -ENOMEM,
                         value, fault);
    mem_free(q);
}

void kurento_drop_questions(struct kurento_element *element)
{
    struct kurento_fault fault;
    (void)kurento_fail(&fault, KURENTO_E_NO_OBJECT, "Object '%.200s' not found",
                       element->object.id);
    LIST_FOREACH(node, &element->questions)
        finish(element->object.kurento, CONTAINER_OF(node, struct kurento_question, questions),
               NULL, &fault);
}

static void answer_question(struct kurento_element *asked, unsigned tag,
                            const struct engine_stats *stats)
{
    LIST_FOREACH(node, &asked->questions) {
        struct kurento_question *q = CONTAINER_OF(node, struct kurento_question, questions);
        if (q->tag != tag)
            continue;
        finish(asked->object.kurento, q, q->answer(asked, stats), NULL);
        return;
    }
}

/* --- flow --- */

bool kurento_flows(const struct engine_stats *stats)
{
    const struct peer_figures *media = &stats->media;
    return media->up.packets && media->at - media->up.heard_at < KURENTO_FLOW_TIMEOUT;
}

static void emit_flow(struct kurento_element *element, const char *event, bool flows)
{
    kurento_emit(&element->object, event,
                 json_pack("{s:s, s:s, s:s}", "mediaType", kurento_media_words[KURENTO_AUDIO],
                           "padName", "default", "state", flows ? "FLOWING" : "NOT_FLOWING"));
}

void kurento_flow_refresh(struct kurento_element *element)
{
    const struct kurento_element *source = kurento_element_hears(element);
    bool flows = source && source->flows_out;
    if (flows == element->flows_in)
        return;
    element->flows_in = flows;
    emit_flow(element, "MediaFlowInStateChanged", flows);
}

static void set_flows_out(struct kurento_element *element, bool flows)
{
    if (flows == element->flows_out)
        return;
    element->flows_out = flows;
    emit_flow(element, "MediaFlowOutStateChanged", flows);
    kurento_emit(&element->object, "MediaStateChanged",
                 json_pack("{s:s, s:s}", "newState", flows ? "CONNECTED" : "DISCONNECTED",
                           "oldState", flows ? "DISCONNECTED" : "CONNECTED"));
    kurento_element_tell_flow(element);
}

void kurento_snapshot(struct kurento_element *element, unsigned tag,
                      const struct engine_stats *stats)
{
    if (tag == TAG_WATCH)
        set_flows_out(element, kurento_flows(stats));
    else
        answer_question(element, tag, stats);
}

/* --- the regular look --- */

bool kurento_is_flow_event(const char *event)
{
    return strncmp(event, "MediaFlow", 9) == 0 || strcmp(event, "MediaStateChanged") == 0;
}

static bool is_watched(const struct kurento_object *object)
{
    LIST_FOREACH(node, &object->subscriptions) {
        if (kurento_is_flow_event(CONTAINER_OF(node, struct kurento_subscription, of_object)->type))
            return true;
    }
    return false;
}

static bool is_pipeline_watched(const struct kurento_media_pipeline *pipeline)
{
    LIST_FOREACH(node, &pipeline->object.children) {
        if (is_watched(CONTAINER_OF(node, struct kurento_object, siblings)))
            return true;
    }
    return false;
}

static void look_at(struct kurento_media_pipeline *pipeline)
{
    LIST_FOREACH(node, &pipeline->object.children) {
        struct kurento_object *object = CONTAINER_OF(node, struct kurento_object, siblings);
        if (!kurento_type_is(object->type, "MediaElement"))
            continue;
        const struct kurento_element *element = kurento_element_of(object);
        int ignored = element->is_live ? engine_snapshot(object->kurento->engine, pipeline->number,
                                                         element->endpoint, TAG_WATCH)
                                       : 0;
        (void)ignored; /* the next look comes soon */
    }
}

void kurento_watch(struct kurento *k)
{
    size_t cursor = 0;
    for (struct kurento_media_pipeline *p; (p = map_next(&k->pipelines, &cursor));) {
        if (is_pipeline_watched(p))
            look_at(p);
    }
}
