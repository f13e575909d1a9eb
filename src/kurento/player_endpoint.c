/*
 * PlayerEndpoint: an endpoint of the engine that lives as long as it does, and for each reading of
 * its media a feed from the player's thread to that endpoint.
 *
 *     asked for     state    told
 *     play          START    UriEndpointStateChanged START
 *     pause         PAUSE    UriEndpointStateChanged PAUSE; what was read ahead is kept
 *     stop          STOP     UriEndpointStateChanged STOP; the next play is from the beginning
 *     setPosition   stays    nothing; a new reading, from there
 *
 *     happens       state    told
 *     the end       STOP     EndOfStream, UriEndpointStateChanged STOP
 *     trouble       STOP     Error, UriEndpointStateChanged STOP
 *     … later       stays    Error; what was read is heard, then comes the end
 */
#include "kurento/player_endpoint.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "kurento/private.h"
#include "kurento/types.h"

/* Positions of clients are milliseconds. */
#define TICKS_PER_MS (PACKET_FEED_RATE / 1000)
#define MAX_POSITION (PACKET_FEED_MAX_POSITION / TICKS_PER_MS - 1)

/** Somebody who asked with getVideoInfo. */
struct wait {
    struct list waits;
    struct kurento_later *later;
};

static struct kurento_player_endpoint *self(struct kurento_object *object)
{
    return CONTAINER_OF(object, struct kurento_player_endpoint, uri.element.object);
}

static struct kurento_object *object_of(struct kurento_player_endpoint *e)
{
    return &e->uri.element.object;
}

static void set_state(struct kurento_player_endpoint *e, enum kurento_uri_state state)
{
    if (e->uri.state == state)
        return;
    e->uri.state = state;
    kurento_uri_endpoint_tell(&e->uri, state);
}

/* --- what is asked for --- */

/* Let go of what is played; the engine is told by who calls this. */
static void forget(struct kurento_player_endpoint *e)
{
    playing_stop(e->playing);
    packet_feed_unref(e->feed);
    e->playing = NULL;
    e->feed = NULL;
}

/* @return 0, ENGINE_E_UNKNOWN, or -ENOMEM */
static int tell_engine(struct kurento_player_endpoint *e, struct packet_feed *feed, unsigned run)
{
    struct kurento_element *element = &e->uri.element;
    struct engine *engine = element->object.kurento->engine;
    return engine_play(engine, kurento_element_pipeline(element), element->endpoint, feed, run);
}

static int hold(struct kurento_player_endpoint *e, bool is_paused)
{
    struct kurento_element *element = &e->uri.element;
    struct engine *engine = element->object.kurento->engine;
    return engine_play_pause(engine, kurento_element_pipeline(element), element->endpoint,
                             is_paused);
}

static int begin_with(struct kurento_player_endpoint *e, int64_t from, struct packet_feed *feed)
{
    struct playing *playing;
    const struct player_order order = {
        .front = PLAYER_PIPELINES,
        .uri = str_of(e->uri.uri),
        .from = from,
        .feed = feed,
        .user = e,
    };
    int err = player_start(object_of(e)->kurento->player, &order, &playing);
    if (err)
        return err;
    err = tell_engine(e, feed, e->run + 1);
    if (err) {
        playing_stop(playing);
        return err > 0 ? -ESTALE : err;
    }
    forget(e);
    e->run++;
    e->playing = playing;
    e->feed = packet_feed_ref(feed);
    return 0;
}

/**
 * Play from there, in place of what is played.
 *
 * @param from  ticks
 * @return 0, PLAYER_E_FULL, or a negative errno: everything is as before
 */
static int begin(struct kurento_player_endpoint *e, int64_t from)
{
    struct packet_feed *feed = packet_feed_new(from);
    if (!feed)
        return -ENOMEM;
    int err = begin_with(e, from, feed);
    packet_feed_unref(feed); /* who reads and who plays have theirs */
    return err;
}

static void end(struct kurento_player_endpoint *e)
{
    if (e->playing) {
        int ignored = tell_engine(e, NULL, 0);
        (void)ignored; /* it plays what was read ahead, then: two seconds */
        e->run++;
    }
    forget(e);
    set_state(e, KURENTO_URI_STOP);
}

static int refuse(const struct kurento_call *call, int err)
{
    if (err == PLAYER_E_FULL)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES,
                            "as many files as player.max_files allows are being played");
    return err;
}

static int play(const struct kurento_call *call, json_t **ret)
{
    struct kurento_player_endpoint *e = self(call->object);
    int err = 0;
    (void)ret;
    if (e->uri.state == KURENTO_URI_STOP)
        err = begin(e, 0);
    else if (e->uri.state == KURENTO_URI_PAUSE)
        err = hold(e, false);
    if (err)
        return refuse(call, err);
    set_state(e, KURENTO_URI_START);
    return 0;
}

static int pause_playing(const struct kurento_call *call, json_t **ret)
{
    struct kurento_player_endpoint *e = self(call->object);
    (void)ret;
    if (e->uri.state != KURENTO_URI_START)
        return 0;
    int err = hold(e, true);
    if (!err)
        set_state(e, KURENTO_URI_PAUSE);
    return err;
}

static int stop(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    end(self(call->object));
    return 0;
}

static int get_position(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_player_endpoint *e = self(call->object);
    *ret = json_integer(e->feed ? packet_feed_position(e->feed) / TICKS_PER_MS : 0);
    return 0;
}

static int set_position(const struct kurento_call *call, json_t **ret)
{
    struct kurento_player_endpoint *e = self(call->object);
    int64_t ms = call->args[0].integer;
    (void)ret;
    if (!e->playing)
        return kurento_fail(call->fault, KURENTO_E_SEEK, "Seek fails: nothing is being played");
    if (ms < 0 || ms > MAX_POSITION)
        return kurento_fail(call->fault, KURENTO_E_SEEK, "Seek fails: no such position");
    int err = begin(e, ms * TICKS_PER_MS);
    if (!err && e->uri.state == KURENTO_URI_PAUSE)
        err = hold(e, true);
    return refuse(call, err);
}

/* --- how long it is --- */

/* @param duration  ticks; 0 = nobody knows */
static json_t *video_info(bool is_seekable, int64_t duration)
{
    json_int_t ms = duration / TICKS_PER_MS;
    return json_pack("{s:s, s:s, s:b, s:i, s:I, s:I}", "__module__", "kurento", "__type__",
                     "VideoInfo", "isSeekable", is_seekable, "seekableInit", 0, "seekableEnd", ms,
                     "duration", ms);
}

static int measure(struct kurento_player_endpoint *e)
{
    const struct player_order order = {
        .front = PLAYER_PIPELINES, .uri = str_of(e->uri.uri), .user = e};
    return player_start(object_of(e)->kurento->player, &order, &e->measuring);
}

static int get_video_info(const struct kurento_call *call, json_t **ret)
{
    struct kurento_player_endpoint *e = self(call->object);
    int err = 0;
    if (!player_is_file(str_of(e->uri.uri))) { /* not to be fetched whole for that */
        *ret = video_info(true, 0);
        return 0;
    }
    struct wait *wait = mem_zalloc(sizeof(*wait));
    if (!wait)
        return -ENOMEM;
    if (!e->measuring)
        err = measure(e);
    if (!err)
        wait->later = kurento_put_off(call, &err);
    if (err) {
        mem_free(wait);
        return refuse(call, err);
    }
    list_append(&e->waits, &wait->waits);
    return KURENTO_PUT_OFF;
}

/* @param info  taken; with fault NULL = out of memory */
static void answer_waits(struct kurento_player_endpoint *e, json_t *info,
                         const struct kurento_fault *fault)
{
    int err = fault ? (int)fault->error : info ? 0 : -ENOMEM;
    playing_stop(e->measuring);
    e->measuring = NULL;
    for (struct list *node; (node = list_pop(&e->waits));) {
        struct wait *wait = CONTAINER_OF(node, struct wait, waits);
        kurento_answer_later(object_of(e)->kurento, wait->later, err, json_incref(info), fault);
        mem_free(wait);
    }
    json_decref(info);
}

/* --- what engine and player say --- */

static void on_media(struct kurento_object *object, const struct engine_event *event)
{
    struct kurento_player_endpoint *e = self(object);
    if (event->type != ENGINE_EVENT_PLAYED || event->tag != e->run || !e->playing)
        return;
    forget(e);
    kurento_emit(object, "EndOfStream", json_object());
    set_state(e, KURENTO_URI_STOP);
    kurento_element_tell_end_of_stream(&e->uri.element);
}

/* Number and types as a real server has them; it says no more than "Invalid URI". */
static void emit_error(struct kurento_player_endpoint *e, const struct play_error *error)
{
    static const struct {
        const char *type, *text;
    } of_trouble[] = {
        [PLAY_T_NOT_FOUND] = {"INVALID_URI", "Invalid URI"},
        [PLAY_T_NOT_PERMITTED] = {"INVALID_URI", "Invalid URI"},
        [PLAY_T_NOT_MEDIA] = {"INVALID_MEDIA", "Invalid Media"},
        [PLAY_T_UNREADABLE] = {"UNEXPECTED_ELEMENT_ERROR", "Cannot be read"},
        [PLAY_T_NO_MEMORY] = {"UNEXPECTED_ELEMENT_ERROR", "Cannot be read"},
    };
    char text[KURENTO_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%s: %.200s", of_trouble[error->trouble].text, error->text);
    kurento_emit(object_of(e), "Error",
                 json_pack("{s:o, s:i, s:s}", "description", kurento_quoting(text), "errorCode", 0,
                           "type", of_trouble[error->trouble].type));
}

static void failed(struct kurento_player_endpoint *e, const struct player_event *event)
{
    emit_error(e, event->error);
    if (!event->has_begun)
        end(e);
}

static void on_event(struct kurento_player_endpoint *e, const struct player_event *event)
{
    bool is_measured = event->type == PLAYER_MEASURED;
    if (event->playing == e->measuring)
        answer_waits(e, video_info(is_measured, event->duration), NULL);
    else
        failed(e, event);
}

void kurento_player_ready(struct kurento *k)
{
    struct player_event event;
    while (k->player && player_poll_event(k->player, PLAYER_PIPELINES, &event))
        on_event(event.user, &event);
}

/* --- life --- */

static int check(const struct kurento_call *call, struct str uri)
{
    struct play_error error;
    if (!call->kurento->player)
        return kurento_fail(call->fault, KURENTO_E_FACTORY,
                            "this server does not play: its settings player.dir and player.http "
                            "are empty");
    if (!player_check(call->kurento->player, PLAYER_PIPELINES, uri, &error))
        return kurento_fail(call->fault, KURENTO_E_ARGUMENT, "'%.*s': %.120s",
                            STR_FMT(str_head(uri, 100)), error.text);
    return 0;
}

static int go_live(struct kurento_element *element)
{
    struct engine *engine = element->object.kurento->engine;
    uint64_t pipeline = kurento_element_pipeline(element);
    unsigned number = kurento_element_new_endpoint(element);
    int err = engine_endpoint_player(engine, pipeline, number);
    if (err)
        return err < 0 ? err : -ESTALE;
    return kurento_element_went_live(element, number); /* nobody hears it yet */
}

static int init(const struct kurento_call *call)
{
    struct kurento_player_endpoint *e = self(call->object);
    int err = check(call, call->args[1].string);
    if (err)
        return err;
    e->uri.element.on_media = on_media;
    list_init(&e->waits);
    err = kurento_uri_endpoint_init(&e->uri, call->args[1].string);
    if (!err)
        err = go_live(&e->uri.element);
    if (err)
        kurento_uri_endpoint_deinit(&e->uri);
    return err;
}

static void deinit(struct kurento_object *object)
{
    struct kurento_player_endpoint *e = self(object);
    struct kurento_fault fault;
    forget(e);
    kurento_element_deinit(&e->uri.element);
    (void)kurento_fail(&fault, KURENTO_E_NO_OBJECT, "Object '%.200s' not found", object->id);
    answer_waits(e, NULL, &fault);
    kurento_uri_endpoint_deinit(&e->uri);
}

/* --- the row --- */

static const struct kurento_param params[] = {
    KURENTO_PIPELINE_PARAM,
    {.name = "uri", .type = KURENTO_STRING},
    {.name = "useEncodedMedia", .type = KURENTO_BOOLEAN, .is_optional = true},
    {.name = "networkCache", .type = KURENTO_INTEGER, .is_optional = true},
};

static const struct kurento_param position_params[] = {
    {.name = "position", .type = KURENTO_INTEGER},
};

static const struct kurento_operation operations[] = {
    {"play", NULL, 0, play},
    {"pause", NULL, 0, pause_playing},
    {"stop", NULL, 0, stop},
    {"getPosition", NULL, 0, get_position},
    {"setPosition", position_params, ARRAY_LEN(position_params), set_position},
    {"getVideoInfo", NULL, 0, get_video_info},
};

static const char *const events[] = {"EndOfStream", NULL};

const struct kurento_type kurento_player_endpoint_type = {
    .name = "PlayerEndpoint",
    .module = "elements",
    .base = &kurento_uri_endpoint_type,
    .size = sizeof(struct kurento_player_endpoint),
    .params = params,
    .n_params = ARRAY_LEN(params),
    .init = init,
    .deinit = deinit,
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
