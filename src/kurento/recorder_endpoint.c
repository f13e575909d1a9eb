/*
 * RecorderEndpoint: a tap of the engine, a ring, a recording; all three come with `record` and go
 * with the stop.
 *
 *     asked for    carried out by the writer           then told
 *     record       RECORDER_STARTED, RECORDER_RESUMED  UriEndpointStateChanged START, Recording
 *     pause        RECORDER_PAUSED                     UriEndpointStateChanged PAUSE, Paused
 *     stop         RECORDER_CLOSED                     UriEndpointStateChanged STOP,  Stopped
 *     (trouble)    RECORDER_FAILED                     Error, and it stops by itself
 *
 * The answer to an operation comes at once, but for stopAndWait: that the file is whole, or that
 * the disk stands still (Error). A record while the file is being closed begins when it is.
 */
#include "kurento/recorder_endpoint.h"

#include <errno.h>

#include "base/mem.h"
#include "kurento/private.h"
#include "kurento/types.h"
#include "log/log.h"

/* Somebody who asked with stopAndWait, or with release. */
struct wait {
    struct list waits;   /* of the endpoint, or kurento.releases */
    struct list by_time; /* kurento.recorder_waits: all are patient for as long */
    mono_us until;
    struct kurento_recorder_endpoint *endpoint; /* of stopAndWait; NULL = of release */
    struct kurento_later *later;
    uint64_t n_released; /* of release: what has to be whole */
};

static struct kurento_recorder_endpoint *self(struct kurento_object *object)
{
    return CONTAINER_OF(object, struct kurento_recorder_endpoint, uri.element.object);
}

static struct kurento_object *object_of(struct kurento_recorder_endpoint *e)
{
    return &e->uri.element.object;
}

/* --- trouble --- */

/* Of GStreamer's resource errors, which is what applications know: number and name. */
struct trouble {
    int code;
    const char *type;
};

static struct trouble trouble_of(int error, bool was_open)
{
    if (error == -ENOSPC || error == -EDQUOT)
        return (struct trouble){14, "RESOURCE_ERROR_NO_SPACE_LEFT"};
    if (was_open)
        return (struct trouble){10, "RESOURCE_ERROR_WRITE"};
    return (struct trouble){6, "RESOURCE_ERROR_OPEN"};
}

static void emit_error(struct kurento_recorder_endpoint *e, int error, const char *text)
{
    const struct trouble trouble = trouble_of(error, e->is_open);
    kurento_emit(object_of(e), "Error",
                 json_pack("{s:o, s:i, s:s}", "description", kurento_quoting(text), "errorCode",
                           trouble.code, "type", trouble.type));
}

/* --- what is asked for --- */

static int start_recording(struct kurento_recorder_endpoint *e, struct packet_ring *ring)
{
    struct kurento *k = object_of(e)->kurento;
    const struct recorder_order order = {
        .front = RECORDER_PIPELINES,
        .format = e->format,
        .uri = str_of(e->uri.uri),
        .ring = ring,
        .user = e,
    };
    return recorder_start(k->recorder, k->now, &order, &e->recording);
}

/* Tap first: what cannot be recorded is released again without having been heard of. */
static int begin_with(struct kurento_recorder_endpoint *e, struct packet_ring *ring)
{
    struct kurento_element *element = &e->uri.element;
    struct engine *engine = element->object.kurento->engine;
    uint64_t pipeline = kurento_element_pipeline(element);
    unsigned number = kurento_element_new_endpoint(element);
    int err = engine_endpoint_tap(engine, pipeline, number, ring);
    if (err)
        return err < 0 ? err : -ESTALE;
    err = start_recording(e, ring);
    if (err) {
        engine_endpoint_release(engine, pipeline, number);
        return err;
    }
    err = kurento_element_went_live(element, number);
    if (err) {
        recording_forget(e->recording, element->object.kurento->now);
        e->recording = NULL;
    }
    return err;
}

/* @return 0, RECORDER_E_FULL, or a negative errno: nothing has begun */
static int begin(struct kurento_recorder_endpoint *e)
{
    struct packet_ring *ring = packet_ring_new(RECORDER_RING);
    if (!ring)
        return -ENOMEM;
    e->is_open = e->is_closing = e->is_late = false;
    int err = begin_with(e, ring);
    packet_ring_unref(ring); /* tap and recording have theirs */
    return err;
}

static void end(struct kurento_recorder_endpoint *e)
{
    e->uri.state = KURENTO_URI_STOP;
    if (!e->recording || e->is_closing)
        return;
    kurento_element_went_away(&e->uri.element);
    recording_stop(e->recording, object_of(e)->kurento->now);
    e->is_closing = true;
}

static int record(const struct kurento_call *call, json_t **ret)
{
    struct kurento_recorder_endpoint *e = self(call->object);
    int err = 0;
    (void)ret;
    if (!e->recording)
        err = begin(e);
    else if (!e->is_closing && e->uri.state == KURENTO_URI_PAUSE)
        err = recording_resume(e->recording, call->now);
    if (err == RECORDER_E_FULL)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES,
                            "as many recordings as recording.max_files allows are being made");
    if (!err)
        e->uri.state = KURENTO_URI_START;
    return err;
}

static int pause_recording(const struct kurento_call *call, json_t **ret)
{
    struct kurento_recorder_endpoint *e = self(call->object);
    (void)ret;
    if (!e->recording || e->is_closing || e->uri.state != KURENTO_URI_START)
        return 0;
    int err = recording_pause(e->recording, call->now);
    if (!err)
        e->uri.state = KURENTO_URI_PAUSE;
    return err;
}

static int stop(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    end(self(call->object));
    return 0;
}

static struct wait *put_off(const struct kurento_call *call, struct list *waits, int *err)
{
    *err = -ENOMEM;
    struct wait *wait = mem_zalloc(sizeof(*wait));
    if (wait)
        wait->later = kurento_put_off(call, err);
    if (!wait || !wait->later) {
        mem_free(wait);
        return NULL;
    }
    wait->until = call->now + KURENTO_RECORDER_PATIENCE;
    list_append(waits, &wait->waits);
    list_append(&call->kurento->recorder_waits, &wait->by_time);
    return wait;
}

static void wait_free(struct wait *wait)
{
    list_remove(&wait->waits);
    list_remove(&wait->by_time);
    mem_free(wait);
}

static int stop_and_wait(const struct kurento_call *call, json_t **ret)
{
    struct kurento_recorder_endpoint *e = self(call->object);
    int err;
    if (!e->recording)
        return stop(call, ret);
    struct wait *wait = put_off(call, &e->waits, &err);
    if (!wait)
        return err;
    wait->endpoint = e;
    end(e);
    return KURENTO_PUT_OFF;
}

static void on_end_of_stream(struct kurento_object *object)
{
    struct kurento_recorder_endpoint *e = self(object);
    if (e->stops_at_end)
        end(e);
}

/* --- who waits --- */

static void answer_wait(struct kurento *k, struct wait *wait, int err,
                        const struct kurento_fault *fault)
{
    struct kurento_later *later = wait->later;
    wait_free(wait);
    kurento_answer_later(k, later, err, NULL, fault);
}

static void answer_waits(struct kurento_recorder_endpoint *e, int err,
                         const struct kurento_fault *fault)
{
    LIST_FOREACH(node, &e->waits)
        answer_wait(object_of(e)->kurento, CONTAINER_OF(node, struct wait, waits), err, fault);
}

/* Once for each stop. GStreamer's number for what cannot be closed. */
static void tell_late(struct kurento_recorder_endpoint *e)
{
    if (e->is_late)
        return;
    e->is_late = true;
    kurento_emit(object_of(e), "Error",
                 json_pack("{s:s, s:i, s:s}", "description",
                           "the disk does not answer: the file is not whole yet, and Stopped comes "
                           "when it is",
                           "errorCode", 8, "type", "RESOURCE_ERROR_CLOSE"));
}

/* Of a release only the log can tell: the object that would have is gone. */
static void give_up(struct kurento *k, struct wait *wait)
{
    if (wait->endpoint)
        tell_late(wait->endpoint);
    else
        log_warning(KURENTO, "a release is answered before the files that it ended are whole: the "
                             "disk does not answer");
    answer_wait(k, wait, 0, NULL);
}

static struct wait *first_wait(const struct kurento *k)
{
    return list_is_empty(&k->recorder_waits)
               ? NULL
               : CONTAINER_OF(k->recorder_waits.next, struct wait, by_time);
}

mono_us kurento_recorder_deadline(const struct kurento *k)
{
    const struct wait *wait = first_wait(k);
    return wait ? wait->until : MONO_NEVER;
}

void kurento_recorder_timeout(struct kurento *k, mono_us now)
{
    for (struct wait *wait; (wait = first_wait(k)) && wait->until <= now;)
        give_up(k, wait);
}

/* --- what the writer says --- */

static void tell(struct kurento_recorder_endpoint *e, enum kurento_uri_state state,
                 const char *event)
{
    kurento_uri_endpoint_tell(&e->uri, state);
    kurento_emit(object_of(e), event, json_object());
}

static void closed(struct kurento_recorder_endpoint *e)
{
    e->recording = NULL;
    tell(e, KURENTO_URI_STOP, "Stopped");
    answer_waits(e, 0, NULL);
    int err = e->uri.state == KURENTO_URI_START ? begin(e) : 0; /* asked for meanwhile */
    if (!err)
        return;
    e->uri.state = KURENTO_URI_STOP;
    emit_error(e, err < 0 ? err : -EMFILE, "cannot record again");
}

static void on_event(struct kurento_recorder_endpoint *e, const struct recorder_event *event)
{
    switch (event->type) {
    case RECORDER_STARTED:
        e->is_open = true;
        tell(e, KURENTO_URI_START, "Recording");
        break;
    case RECORDER_RESUMED:
        tell(e, KURENTO_URI_START, "Recording");
        break;
    case RECORDER_PAUSED:
        tell(e, KURENTO_URI_PAUSE, "Paused");
        break;
    case RECORDER_FAILED:
        emit_error(e, event->error, event->text);
        if (!e->is_closing)
            end(e);
        break;
    case RECORDER_CLOSED:
        closed(e);
        break;
    }
}

static void answer_releases(struct kurento *k)
{
    LIST_FOREACH(node, &k->releases) {
        struct wait *wait = CONTAINER_OF(node, struct wait, waits);
        if (!recorder_are_whole(k->recorder, RECORDER_PIPELINES, wait->n_released))
            return;
        answer_wait(k, wait, 0, NULL);
    }
}

void kurento_recorder_ready(struct kurento *k)
{
    struct recorder_event event;
    while (k->recorder && recorder_poll_event(k->recorder, RECORDER_PIPELINES, &event))
        on_event(event.user, &event);
    answer_releases(k);
}

/* --- released while it records --- */

uint64_t kurento_recorder_n_released(const struct kurento *k)
{
    return k->recorder ? recorder_n_forgotten(k->recorder, RECORDER_PIPELINES) : 0;
}

/* What cannot be put off is answered at once: the files become whole all the same. */
int kurento_recorder_wait(const struct kurento_call *call, uint64_t before)
{
    struct kurento *k = call->kurento;
    uint64_t now = kurento_recorder_n_released(k);
    int err;
    struct wait *wait = now == before || call->is_inside ? NULL : put_off(call, &k->releases, &err);
    if (!wait)
        return 0;
    wait->n_released = now;
    wait->later->has_no_value = true;
    return KURENTO_PUT_OFF;
}

void kurento_recorder_drop(struct kurento *k)
{
    LIST_FOREACH(node, &k->releases) {
        struct wait *wait = CONTAINER_OF(node, struct wait, waits);
        kurento_forget_later(wait->later);
        wait_free(wait);
    }
}

/* --- life --- */

enum profile {
    WEBM,
    MKV,
    MP4,
    WEBM_VIDEO_ONLY,
    WEBM_AUDIO_ONLY,
    MKV_VIDEO_ONLY,
    MKV_AUDIO_ONLY,
    MP4_VIDEO_ONLY,
    MP4_AUDIO_ONLY,
    JPEG_VIDEO_ONLY,
    KURENTO_SPLIT_RECORDER,
    FLV,
};

/* By enum profile. */
static const char *const profile_words[] = {
    "WEBM",
    "MKV",
    "MP4",
    "WEBM_VIDEO_ONLY",
    "WEBM_AUDIO_ONLY",
    "MKV_VIDEO_ONLY",
    "MKV_AUDIO_ONLY",
    "MP4_VIDEO_ONLY",
    "MP4_AUDIO_ONLY",
    "JPEG_VIDEO_ONLY",
    "KURENTO_SPLIT_RECORDER",
    "FLV",
    NULL,
};

/* Of profiles with video the audio is recorded: applications leave the default as it is. */
static bool can_be_recorded(int64_t profile)
{
    return profile == WEBM || profile == MKV || profile == WEBM_AUDIO_ONLY ||
           profile == MKV_AUDIO_ONLY;
}

static bool ends_with(struct str s, struct str end)
{
    return s.len >= end.len && str_caseeq(str_tail(s, s.len - end.len), end);
}

/* WebM is Matroska, so one of them does for all profiles; Ogg has none, only endings. */
static enum record_format format_of(struct str uri)
{
    static const struct str ogg[] = {{".ogg", 4}, {".oga", 4}, {".opus", 5}};
    for (size_t i = 0; i < ARRAY_LEN(ogg); i++) {
        if (ends_with(uri, ogg[i]))
            return RECORD_OGG;
    }
    return RECORD_WEBM;
}

static int check(const struct kurento_call *call, struct str uri, int64_t profile)
{
    char error[RECORDER_ERROR_MAX];
    if (!call->kurento->recorder)
        return kurento_fail(call->fault, KURENTO_E_FACTORY,
                            "this server does not record: its setting recording.dir is empty");
    if (!can_be_recorded(profile))
        return kurento_fail(call->fault, KURENTO_E_ARGUMENT,
                            "%s cannot be recorded here: audio in WebM, Matroska or Ogg can",
                            profile_words[profile]);
    if (!recorder_check(call->kurento->recorder, uri, error))
        return kurento_fail(call->fault, KURENTO_E_ARGUMENT, "'%.*s': %.100s",
                            STR_FMT(str_head(uri, 100)), error);
    return 0;
}

static int init(const struct kurento_call *call)
{
    struct kurento_recorder_endpoint *e = self(call->object);
    struct str uri = call->args[1].string;
    int err = check(call, uri, call->args[2].integer);
    if (err)
        return err;
    e->format = format_of(uri);
    e->stops_at_end = call->args[3].boolean;
    e->uri.element.may_listen = true;
    e->uri.element.on_end_of_stream = on_end_of_stream;
    list_init(&e->waits);
    return kurento_uri_endpoint_init(&e->uri, uri);
}

/* Nobody is there to be told, but the file becomes whole. */
static void deinit(struct kurento_object *object)
{
    struct kurento_recorder_endpoint *e = self(object);
    struct kurento_fault fault;
    kurento_element_deinit(&e->uri.element);
    if (e->recording)
        recording_forget(e->recording, object->kurento->now);
    (void)kurento_fail(&fault, KURENTO_E_NO_OBJECT, "Object '%.200s' not found", object->id);
    answer_waits(e, KURENTO_E_NO_OBJECT, &fault);
    kurento_uri_endpoint_deinit(&e->uri);
}

/* --- the row --- */

static const struct kurento_param params[] = {
    KURENTO_PIPELINE_PARAM,
    {.name = "uri", .type = KURENTO_STRING},
    {.name = "mediaProfile",
     .type = KURENTO_ENUM,
     .type_name = "MediaProfileSpecType",
     .words = profile_words,
     .is_optional = true},
    {.name = "stopOnEndOfStream", .type = KURENTO_BOOLEAN, .is_optional = true},
};

static const struct kurento_operation operations[] = {
    {"record", NULL, 0, record},
    {"pause", NULL, 0, pause_recording},
    {"stop", NULL, 0, stop},
    {"stopAndWait", NULL, 0, stop_and_wait},
};

static const char *const events[] = {"Recording", "Paused", "Stopped", NULL};

const struct kurento_type kurento_recorder_endpoint_type = {
    .name = "RecorderEndpoint",
    .module = "elements",
    .base = &kurento_uri_endpoint_type,
    .size = sizeof(struct kurento_recorder_endpoint),
    .params = params,
    .n_params = ARRAY_LEN(params),
    .init = init,
    .deinit = deinit,
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
