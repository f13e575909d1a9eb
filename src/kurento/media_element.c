/* Connections between elements: see the header. */
#include "kurento/media_element.h"

#include <errno.h>

#include "base/mem.h"
#include "kurento/dot.h"
#include "kurento/media_pipeline.h"
#include "kurento/private.h"
#include "kurento/property.h"
#include "kurento/stats.h"
#include "kurento/types.h"
#include "kurento/watch.h"

/* Elements that hand on to one another can form a ring, which is heard by nobody. */
#define MAX_HOPS 16

static struct kurento_media_pipeline *pipeline_of(const struct kurento_element *element)
{
    struct kurento_object *object = element->object.parent;
    while (object->parent)
        object = object->parent;
    return kurento_media_pipeline_of(object);
}

uint64_t kurento_element_pipeline(const struct kurento_element *element)
{
    return pipeline_of(element)->number;
}

unsigned kurento_element_new_endpoint(struct kurento_element *element)
{
    return pipeline_of(element)->next_endpoint++;
}

void kurento_element_init(struct kurento_element *element)
{
    list_init(&element->links_out);
    list_init(&element->questions);
    list_init(&element->outputs);
    list_init(&element->of_output);
}

/* --- what the engine is told --- */

/* Whose audio it should hear now; NULL = nobody's. */
static struct kurento_element *effective_source(const struct kurento_element *element)
{
    for (unsigned hops = 0; hops < MAX_HOPS && element; hops++) {
        const struct kurento_link *link = element->links_in[KURENTO_AUDIO];
        if (!link)
            return NULL;
        if (!link->source->hands_on)
            return link->source->is_live ? link->source : NULL;
        element = link->source->output_of;
    }
    return NULL;
}

static int hear(struct kurento_element *element, struct kurento_element *source)
{
    struct engine *engine = element->object.kurento->engine;
    uint64_t pipeline = kurento_element_pipeline(element);
    struct kurento_element *before = element->heard;
    int err = 0;
    if (before == source)
        return 0;
    element->heard = NULL; /* also when the engine fails: what was heard may be about to be freed */
    if (source)
        err = engine_connect(engine, pipeline, source->endpoint, element->endpoint);
    if (source && !err)
        element->heard = source;
    else if (before) {
        int end = engine_disconnect(engine, pipeline, before->endpoint, element->endpoint);
        err = err ? err : end;
    }
    kurento_flow_refresh(element);
    return err < 0 ? err : 0; /* unknown: its end was not told yet */
}

typedef int (*visit_fn)(struct kurento_element *element);

static int visit_hearers(struct kurento_element *element, visit_fn visit, unsigned hops);

/* What goes into one that hands on is heard wherever it comes out. */
static int visit_outputs(struct kurento_element *input, visit_fn visit, unsigned hops)
{
    int err = 0;
    LIST_FOREACH(node, &input->outputs) {
        int one = visit_hearers(CONTAINER_OF(node, struct kurento_element, of_output), visit, hops);
        err = err ? err : one;
    }
    return err;
}

/* Everybody who hears this element, directly or through those that hand on. */
static int visit_hearers(struct kurento_element *element, visit_fn visit, unsigned hops)
{
    int err = 0;
    LIST_FOREACH(node, &element->links_out) {
        const struct kurento_link *link = CONTAINER_OF(node, struct kurento_link, of_source);
        int one = 0;
        if (link->media != KURENTO_AUDIO)
            continue;
        if (!link->sink->hands_on)
            one = visit(link->sink);
        else if (hops < MAX_HOPS)
            one = visit_outputs(link->sink, visit, hops + 1);
        err = err ? err : one;
    }
    return err;
}

static int hear_now(struct kurento_element *element)
{
    if (element->is_live)
        return hear(element, effective_source(element));
    kurento_flow_refresh(element);
    return 0;
}

/* What goes into this element changed: it and all behind it hear whom they should. */
static int refresh(struct kurento_element *element)
{
    return element->hands_on ? visit_outputs(element, hear_now, 0) : hear_now(element);
}

const struct kurento_element *kurento_element_hears(const struct kurento_element *element)
{
    return element->may_listen && !element->is_live ? effective_source(element) : element->heard;
}

static int note_end_of_stream(struct kurento_element *element)
{
    if (element->on_end_of_stream)
        element->on_end_of_stream(&element->object);
    return 0;
}

void kurento_element_tell_end_of_stream(struct kurento_element *element)
{
    (void)visit_hearers(element, note_end_of_stream, 0);
}

static int note_flow(struct kurento_element *element)
{
    kurento_flow_refresh(element);
    return 0;
}

void kurento_element_tell_flow(struct kurento_element *element)
{
    (void)visit_hearers(element, note_flow, 0);
}

int kurento_element_hand_on(struct kurento_element *element, struct kurento_element *input)
{
    list_remove(&element->of_output);
    element->output_of = input;
    if (input)
        list_append(&input->outputs, &element->of_output);
    return visit_hearers(element, hear_now, 0);
}

int kurento_element_went_live(struct kurento_element *element, unsigned endpoint)
{
    element->endpoint = endpoint;
    element->is_live = true;
    int err = refresh(element);
    int sinks = visit_hearers(element, hear_now, 0);
    err = err ? err : sinks;
    if (err)
        kurento_element_went_away(element);
    return err;
}

void kurento_element_went_away(struct kurento_element *element)
{
    element->is_live = false;
    (void)visit_hearers(element, hear_now, 0); /* who still heard it would not hear its next one */
    engine_endpoint_release(element->object.kurento->engine, kurento_element_pipeline(element),
                            element->endpoint);
    element->heard = NULL;
    kurento_drop_questions(element);
    kurento_flow_refresh(element);
}

/* --- links --- */

static void emit_link(const struct kurento_link *link, const char *event)
{
    kurento_emit(&link->source->object, event,
                 json_pack("{s:s, s:s, s:s, s:s}", "mediaType", kurento_media_words[link->media],
                           "sink", link->sink->object.id, "sinkMediaDescription", "default",
                           "sourceMediaDescription", "default"));
}

static void unlink(struct kurento_link *link)
{
    link->sink->links_in[link->media] = NULL;
    list_remove(&link->of_source);
    emit_link(link, "ElementDisconnected");
    mem_free(link);
}

static int connect_one(struct kurento_element *source, struct kurento_element *sink,
                       enum kurento_media media)
{
    struct kurento_link *old = sink->links_in[media];
    if (old && old->source == source)
        return 0;
    struct kurento_link *link = mem_alloc(sizeof(*link));
    if (!link)
        return -ENOMEM;
    if (old)
        unlink(old);
    *link = (struct kurento_link){.source = source, .sink = sink, .media = media};
    list_append(&source->links_out, &link->of_source);
    sink->links_in[media] = link;
    emit_link(link, "ElementConnected");
    return media == KURENTO_AUDIO ? refresh(sink) : 0;
}

static int disconnect_one(struct kurento_element *source, struct kurento_element *sink,
                          enum kurento_media media)
{
    struct kurento_link *link = sink->links_in[media];
    if (!link || link->source != source)
        return 0;
    unlink(link);
    return media == KURENTO_AUDIO ? refresh(sink) : 0;
}

void kurento_element_deinit(struct kurento_element *element)
{
    bool was_live = element->is_live;
    if (was_live)
        kurento_element_tell_end_of_stream(element);
    element->is_live = false;
    kurento_drop_questions(element);
    while (!list_is_empty(&element->links_out)) {
        struct kurento_link *link =
            CONTAINER_OF(element->links_out.next, struct kurento_link, of_source);
        struct kurento_element *sink = link->sink;
        bool is_audio = link->media == KURENTO_AUDIO;
        unlink(link);
        int err = is_audio ? refresh(sink) : 0;
        (void)err; /* the engine's endpoint ends anyway */
    }
    for (unsigned media = 0; media < KURENTO_N_MEDIA; media++) {
        if (element->links_in[media])
            unlink(element->links_in[media]);
    }
    LIST_FOREACH(node, &element->outputs) {
        int err =
            kurento_element_hand_on(CONTAINER_OF(node, struct kurento_element, of_output), NULL);
        (void)err; /* likewise */
    }
    list_remove(&element->of_output);
    if (was_live)
        engine_endpoint_release(element->object.kurento->engine, kurento_element_pipeline(element),
                                element->endpoint);
}

/* --- operations --- */

/* Without a media type: all of them. */
static int for_media(const struct kurento_call *call,
                     int (*one)(struct kurento_element *, struct kurento_element *,
                                enum kurento_media))
{
    struct kurento_element *source = kurento_element_of(call->object);
    struct kurento_element *sink = kurento_element_of(call->args[0].object);
    int err = 0;
    if (pipeline_of(source) != pipeline_of(sink))
        return kurento_fail(call->fault, KURENTO_E_CONNECT, "Media elements do not share pipeline");
    if (call->args[1].is_given)
        return one(source, sink, (enum kurento_media)call->args[1].integer);
    for (unsigned media = 0; media < KURENTO_N_MEDIA && !err; media++)
        err = one(source, sink, (enum kurento_media)media);
    return err;
}

static int connect(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    return for_media(call, connect_one);
}

static int disconnect(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    return for_media(call, disconnect_one);
}

static json_t *connection_data(const struct kurento_link *link)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "__module__", "kurento", "__type__",
                     "ElementConnectionData", "sink", link->sink->object.id, "sinkDescription",
                     "default", "source", link->source->object.id, "sourceDescription", "default",
                     "type", kurento_media_words[link->media]);
}

static bool is_wanted(const struct kurento_call *call, enum kurento_media media)
{
    return !call->args[0].is_given || call->args[0].integer == (int64_t)media;
}

static int get_source_connections(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_element *element = kurento_element_of(call->object);
    *ret = json_array();
    for (unsigned media = 0; media < KURENTO_N_MEDIA; media++) {
        if (element->links_in[media] && is_wanted(call, (enum kurento_media)media))
            (void)json_array_append_new(*ret, connection_data(element->links_in[media]));
    }
    return 0;
}

static int get_sink_connections(const struct kurento_call *call, json_t **ret)
{
    *ret = json_array();
    LIST_FOREACH(node, &kurento_element_of(call->object)->links_out) {
        const struct kurento_link *link = CONTAINER_OF(node, struct kurento_link, of_source);
        if (is_wanted(call, link->media))
            (void)json_array_append_new(*ret, connection_data(link));
    }
    return 0;
}

/* Whom to ask about what flows into or out of an element; NULL = nothing can flow. */
static struct kurento_element *flow_in(struct kurento_element *element)
{
    return effective_source(element);
}

static struct kurento_element *flow_out(struct kurento_element *element)
{
    return element->hands_on ? effective_source(element) : element->is_live ? element : NULL;
}

static json_t *flow_answer(struct kurento_element *element, const struct engine_stats *stats)
{
    (void)element;
    return json_boolean(kurento_flows(stats));
}

static int no_data(const struct kurento_call *call, const char *what)
{
    return kurento_fail(call->fault, KURENTO_E_ARGUMENT, "Media type DATA is not supported for %s",
                        what);
}

static int is_flowing(const struct kurento_call *call, struct kurento_element *asked,
                      const char *what, json_t **ret)
{
    if (call->args[0].integer == KURENTO_DATA)
        return no_data(call, what);
    if (asked && call->args[0].integer == KURENTO_AUDIO)
        return kurento_ask(call, asked, flow_answer);
    *ret = json_false();
    return 0;
}

static int is_media_flowing_in(const struct kurento_call *call, json_t **ret)
{
    return is_flowing(call, flow_in(kurento_element_of(call->object)), "MediaFlowingIn", ret);
}

static int is_media_flowing_out(const struct kurento_call *call, json_t **ret)
{
    return is_flowing(call, flow_out(kurento_element_of(call->object)), "MediaFlowingOut", ret);
}

static int get_stats(const struct kurento_call *call, json_t **ret)
{
    struct kurento_element *element = kurento_element_of(call->object);
    if (call->args[0].is_given && call->args[0].integer != KURENTO_AUDIO)
        return 0;
    if (element->is_live)
        return kurento_ask(call, element, kurento_stats);
    if (!call->args[0].is_given)
        *ret = kurento_stats_empty(element);
    return 0; /* of one medium, before there is any: null */
}

static int is_media_transcoding(const struct kurento_call *call, json_t **ret)
{
    if (call->args[0].integer == KURENTO_DATA)
        return no_data(call, "MediaTranscoding");
    *ret = json_false(); /* a relay never does */
    return 0;
}

/* --- the row --- */

#define MEDIA_PARAM(optional)                                                                      \
    {                                                                                              \
        .name = "mediaType", .type = KURENTO_ENUM, .type_name = "MediaType",                       \
        .words = kurento_media_words, .is_optional = optional                                      \
    }

static const struct kurento_param connect_params[] = {
    {.name = "sink", .type = KURENTO_OBJECT, .type_name = "MediaElement"},
    MEDIA_PARAM(true),
    {.name = "sourceMediaDescription", .type = KURENTO_STRING, .is_optional = true},
    {.name = "sinkMediaDescription", .type = KURENTO_STRING, .is_optional = true},
};

static const struct kurento_param connections_params[] = {
    MEDIA_PARAM(true),
    {.name = "description", .type = KURENTO_STRING, .is_optional = true},
};

static const struct kurento_param flow_params[] = {
    MEDIA_PARAM(false),
    {.name = "sinkMediaDescription", .type = KURENTO_STRING, .is_optional = true},
};

static const struct kurento_param stats_params[] = {MEDIA_PARAM(true)};

static const struct kurento_param transcoding_params[] = {
    MEDIA_PARAM(false),
    {.name = "binName", .type = KURENTO_STRING, .is_optional = true},
};

static const struct kurento_param caps_param[] = {{.name = "caps", .type = KURENTO_COMPLEX}};

static const struct kurento_param bitrates[] = {
    {.name = "encoderBitrate", .type = KURENTO_INTEGER},
    {.name = "minEncoderBitrate", .type = KURENTO_INTEGER},
    {.name = "maxEncoderBitrate", .type = KURENTO_INTEGER},
};

/* Of Kurento 6. */
static const struct kurento_param bitrates_6[] = {
    {.name = "bitrate", .type = KURENTO_INTEGER},
    {.name = "minOutputBitrate", .type = KURENTO_INTEGER},
    {.name = "maxOutputBitrate", .type = KURENTO_INTEGER},
    {.name = "minOuputBitrate", .type = KURENTO_INTEGER},
    {.name = "maxOuputBitrate", .type = KURENTO_INTEGER},
};

static const struct kurento_operation operations[] = {
    {"connect", connect_params, ARRAY_LEN(connect_params), connect},
    {"disconnect", connect_params, ARRAY_LEN(connect_params), disconnect},
    {"getSourceConnections", connections_params, ARRAY_LEN(connections_params),
     get_source_connections},
    {"getSinkConnections", connections_params, ARRAY_LEN(connections_params), get_sink_connections},
    {"getStats", stats_params, ARRAY_LEN(stats_params), get_stats},
    {"isMediaFlowingIn", flow_params, ARRAY_LEN(flow_params), is_media_flowing_in},
    {"isMediaFlowingOut", flow_params, ARRAY_LEN(flow_params), is_media_flowing_out},
    {"isMediaTranscoding", transcoding_params, ARRAY_LEN(transcoding_params), is_media_transcoding},
    {"setAudioFormat", caps_param, 1, kurento_property_ignore},
    {"setVideoFormat", caps_param, 1, kurento_property_ignore},
    KURENTO_PROPERTY("EncoderBitrate", bitrates[0]),
    KURENTO_PROPERTY("MinEncoderBitrate", bitrates[1]),
    KURENTO_PROPERTY("MaxEncoderBitrate", bitrates[2]),
    {"setOutputBitrate", &bitrates_6[0], 1, kurento_property_set},
    KURENTO_PROPERTY("MinOutputBitrate", bitrates_6[1]),
    KURENTO_PROPERTY("MaxOutputBitrate", bitrates_6[2]),
    KURENTO_PROPERTY("MinOuputBitrate", bitrates_6[3]),
    KURENTO_PROPERTY("MaxOuputBitrate", bitrates_6[4]),
    {"getGstreamerDot", kurento_dot_params, 1, kurento_get_dot},
    {"dumpGstreamerDot", kurento_dot_params, 1, kurento_dump_dot},
};

static const char *const events[] = {
    "ElementConnected",         "ElementDisconnected",          "MediaFlowInStateChanged",
    "MediaFlowOutStateChanged", "MediaTranscodingStateChanged", NULL,
};

const struct kurento_type kurento_media_element_type = {
    .name = "MediaElement",
    .base = &kurento_media_object_type,
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
