/*
 * Frames in, answers out, and the lives of connections, sessions and objects.
 *
 *     frame ─ rpc.c ─ answered before? ─ method.c ─ answer ─ remembered, sent
 *
 * Releasing works from the leaves to the root: an object's children go before it does, and
 * whoever held it or listened to it is unhooked first.
 */
#include "kurento/kurento.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kurento/media_element.h"
#include "kurento/media_pipeline.h"
#include "kurento/player_endpoint.h"
#include "kurento/private.h"
#include "kurento/recorder_endpoint.h"
#include "kurento/types.h"
#include "kurento/watch.h"
#include "log/log.h"

/* RFC 6455 §7.4.1: the server met an unexpected condition. */
#define CLOSE_INTERNAL_ERROR 1011

static const void *conn_key(const void *value, size_t *ret_len)
{
    const struct kurento_conn *conn = value;
    *ret_len = sizeof(conn->socket);
    return &conn->socket;
}

static struct kurento_conn *find_conn(const struct kurento *k, uint64_t socket)
{
    return map_find(&k->conns, &socket, sizeof(socket));
}

int64_t kurento_wall_ms(const struct kurento *k)
{
    return (k->now + k->config.wall_offset) / US_PER_MS;
}

/* --- objects --- */

static int new_object(struct kurento *k, const struct kurento_type *type,
                      struct kurento_object *parent, const char *id, struct kurento_object **ret)
{
    *ret = kurento_object_new(&k->objects, type, parent, id);
    if (!*ret)
        return -ENOMEM;
    (*ret)->kurento = k;
    (*ret)->created_s = kurento_wall_ms(k) / 1000;
    return 0;
}

static void unhook(struct kurento_object *object)
{
    kurento_object_drop_refs(object);
    LIST_FOREACH(node, &object->subscriptions)
        kurento_subscription_free(CONTAINER_OF(node, struct kurento_subscription, of_object));
}

int kurento_create(struct kurento *k, struct kurento_session *session,
                   const struct kurento_type *type, const json_t *params,
                   struct kurento_object **ret, struct kurento_fault *fault)
{
    struct kurento_value args[KURENTO_MAX_PARAMS];
    int err = kurento_params_read(type->params, type->n_params, params, &k->objects, args, fault);
    if (err)
        return err;
    if (k->objects.by_id.n >= KURENTO_MAX_OBJECTS)
        return kurento_fail(fault, KURENTO_E_RESOURCES, "%d media objects are alive: no more",
                            KURENTO_MAX_OBJECTS);
    struct kurento_object *parent = type->n_params ? args[0].object : NULL;
    struct kurento_object *object;
    err = new_object(k, type, parent, NULL, &object);
    if (err)
        return err;
    const struct kurento_call call = {.kurento = k,
                                      .session = session,
                                      .object = object,
                                      .args = args,
                                      .now = k->now,
                                      .fault = fault};
    err = kurento_session_hold(session, object);
    if (!err && type->init)
        err = type->init(&call);
    if (err) {
        unhook(object);
        kurento_object_free(&k->objects, object);
        return err;
    }
    kurento_emit(k->manager, "ObjectCreated", json_pack("{s:s}", "object", object->id));
    *ret = object;
    return 0;
}

void kurento_release(struct kurento *k, struct kurento_object *object)
{
    while (!list_is_empty(&object->children))
        kurento_release(k, CONTAINER_OF(object->children.prev, struct kurento_object, siblings));
    if (object->type->deinit)
        object->type->deinit(object);
    unhook(object);
    if (object != k->manager)
        kurento_emit(k->manager, "ObjectDestroyed", json_pack("{s:s}", "objectId", object->id));
    kurento_object_free(&k->objects, object);
}

/* --- sessions --- */

void kurento_bind(struct kurento_conn *conn, struct kurento_session *session)
{
    if (conn->session && conn->session != session && conn->session->conn == conn)
        conn->session->conn = NULL;
    conn->session = session;
    conn->offered[0] = 0;
    session->conn = conn;
    session->was_away = false;
}

static struct str new_session_id(struct kurento *k, struct kurento_conn *conn)
{
    if (!conn->offered[0])
        kurento_uuid(k->rng, conn->offered);
    return str_of(conn->offered);
}

int kurento_session_of(struct kurento *k, struct kurento_conn *conn, const json_t *params,
                       struct kurento_session **ret, struct kurento_fault *fault)
{
    struct str id = kurento_member(params, "sessionId");
    struct kurento_session *session =
        id.len ? kurento_session_find(&k->sessions, id) : conn->session;
    if (id.len > KURENTO_SESSION_ID_MAX)
        return kurento_fail(fault, KURENTO_E_SERVER, "'sessionId' has %zu characters: %d at most",
                            id.len, KURENTO_SESSION_ID_MAX);
    if (!session && k->sessions.by_id.n >= KURENTO_MAX_SESSIONS)
        return kurento_fail(fault, KURENTO_E_RESOURCES, "%d sessions are alive: no more",
                            KURENTO_MAX_SESSIONS);
    if (!session)
        session = kurento_session_new(&k->sessions, id.len ? id : new_session_id(k, conn));
    if (!session)
        return -ENOMEM;
    kurento_bind(conn, session);
    *ret = session;
    return 0;
}

/* The object that nobody holds any more, and what of its children nobody else holds either: a
 * child that is held holds its parents, so the whole branch is free. */
static void drop_refs(struct kurento *k, struct kurento_session *session)
{
    while (!list_is_empty(&session->refs)) {
        struct kurento_ref *ref = CONTAINER_OF(session->refs.prev, struct kurento_ref, of_session);
        struct kurento_object *object = ref->object;
        if (kurento_session_let_go(session, object))
            kurento_release(k, object);
    }
}

void kurento_end_session(struct kurento *k, struct kurento_session *session)
{
    size_t cursor = 0;
    LIST_FOREACH(node, &session->subscriptions)
        kurento_subscription_free(CONTAINER_OF(node, struct kurento_subscription, of_session));
    drop_refs(k, session);
    for (struct kurento_conn *conn; (conn = map_next(&k->conns, &cursor));) {
        if (conn->session == session)
            conn->session = NULL;
    }
    kurento_session_free(&k->sessions, session);
}

/* Who is without connection for the second time goes. */
static void collect(struct kurento *k)
{
    LIST_FOREACH(node, &k->sessions.all) {
        struct kurento_session *session = CONTAINER_OF(node, struct kurento_session, of_all);
        if (!session->conn && session->was_away)
            kurento_end_session(k, session);
        else
            session->was_away = !session->conn;
    }
}

/* --- answers --- */

static json_t *refusal(json_t *id, int err, const struct kurento_fault *fault)
{
    struct kurento_fault internal;
    if (err > 0)
        return kurento_error_response(id, fault, NULL);
    (void)kurento_fail(&internal, KURENTO_E_INTERNAL, "Internal error: %s", strerror(-err));
    return kurento_error_response(id, &internal, NULL);
}

json_t *kurento_answer(json_t *id, int err, json_t *result, const struct kurento_fault *fault)
{
    struct kurento_fault ignored;
    if (err)
        return refusal(id, err, fault);
    if (id)
        return kurento_response(id, result);
    (void)kurento_fail(&ignored, KURENTO_E_SERVER,
                       "Ignoring response because of a notification request");
    return kurento_error_response(NULL, &ignored, result);
}

void kurento_send_answer(struct kurento *k, uint64_t socket, struct kurento_session *session,
                         const json_t *id, json_t *answer)
{
    char *text = kurento_rpc_text(answer);
    k->stats.requests++;
    if (json_object_get(answer, "error"))
        k->stats.refused++;
    json_decref(answer);
    if (!text) {
        k->transport.close(k->transport.user, socket, CLOSE_INTERNAL_ERROR, "out of memory");
        return;
    }
    char *key = session && id ? json_dumps(id, JSON_ENCODE_ANY) : NULL;
    if (key)
        kurento_session_remember(session, k->now, str_of(key), str_of(text));
    free(key);
    k->transport.send(k->transport.user, socket, str_of(text));
    free(text);
}

/* @return 0, or KURENTO_E_RESOURCES */
static int check_room(const struct kurento_call *call)
{
    if (json_string_length(call->request_id) > KURENTO_WAITING_ID_MAX)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES,
                            "an id of more than %d bytes is not kept for a later answer",
                            KURENTO_WAITING_ID_MAX);
    if (call->kurento->n_waiting >= KURENTO_MAX_WAITING)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES, "%d answers are outstanding: no more",
                            KURENTO_MAX_WAITING);
    return 0;
}

struct kurento_later *kurento_put_off(const struct kurento_call *call, int *err)
{
    if (call->is_inside) {
        *err = kurento_fail(call->fault, KURENTO_E_NOT_IMPLEMENTED,
                            "an operation that waits cannot be part of a transaction");
        return NULL;
    }
    *err = check_room(call);
    if (*err)
        return NULL;
    struct kurento_later *later = mem_zalloc(sizeof(*later));
    *err = -ENOMEM;
    if (!later)
        return NULL;
    later->session_id = mem_strdup(str_of(call->session->id));
    if (!later->session_id) {
        mem_free(later);
        return NULL;
    }
    later->socket = call->socket;
    later->id = json_incref(call->request_id);
    later->kurento = call->kurento;
    list_append(&call->kurento->waiting, &later->waiting);
    call->kurento->n_waiting++;
    *err = 0;
    return later;
}

void kurento_forget_later(struct kurento_later *later)
{
    list_remove(&later->waiting);
    later->kurento->n_waiting--;
    json_decref(later->id);
    mem_free(later->session_id);
    mem_free(later);
}

void kurento_answer_later(struct kurento *k, struct kurento_later *later, int err, json_t *value,
                          const struct kurento_fault *fault)
{
    json_t *result = err ? NULL : json_pack("{s:s}", "sessionId", later->session_id);
    if (err || later->has_no_value)
        json_decref(value);
    else
        (void)json_object_set_new(result, "value", value ? value : json_null());
    kurento_send_answer(k, later->socket,
                        kurento_session_find(&k->sessions, str_of(later->session_id)), later->id,
                        kurento_answer(later->id, err, result, fault));
    kurento_forget_later(later);
}

/* --- frames --- */

/* A repeated request: the client did not hear the answer, what it asked for was done. */
static bool answer_again(struct kurento *k, struct kurento_conn *conn,
                         const struct kurento_request *request)
{
    struct str id = kurento_member(request->params, "sessionId");
    struct kurento_session *session =
        id.len ? kurento_session_find(&k->sessions, id) : conn->session;
    char *key = session && request->id ? json_dumps(request->id, JSON_ENCODE_ANY) : NULL;
    struct str answer =
        key ? kurento_session_answer(session, k->now, str_of(key)) : (struct str){0};
    free(key);
    if (!answer.len)
        return false;
    k->transport.send(k->transport.user, conn->socket, answer);
    return true;
}

static void run_request(struct kurento *k, struct kurento_conn *conn,
                        const struct kurento_request *request)
{
    json_t *answer = NULL;
    if (answer_again(k, conn, request))
        return;
    int err = kurento_method_run(k, conn, request, false, &answer);
    if (err != KURENTO_PUT_OFF)
        kurento_send_answer(k, conn->socket, conn->session, request->id, answer);
}

void kurento_frame(struct kurento *k, mono_us now, uint64_t socket, struct str text)
{
    struct kurento_conn *conn = find_conn(k, socket);
    struct kurento_request request;
    struct kurento_fault fault;

    k->now = now;
    if (!conn)
        return;
    int err = kurento_request_read(text, &request, &fault);
    if (err) {
        kurento_send_answer(k, socket, NULL, NULL, refusal(NULL, err, &fault));
        return;
    }
    run_request(k, conn, &request);
    kurento_request_free(&request);
}

/* --- sockets and time --- */

int kurento_socket_opened(struct kurento *k, uint64_t socket)
{
    struct kurento_conn *conn = mem_zalloc(sizeof(*conn));
    if (!conn)
        return -ENOMEM;
    conn->socket = socket;
    int err = map_insert(&k->conns, conn);
    if (err)
        mem_free(conn);
    return err;
}

void kurento_socket_closed(struct kurento *k, mono_us now, uint64_t socket)
{
    struct kurento_conn *conn = map_remove(&k->conns, &socket, sizeof(socket));
    k->now = now;
    if (!conn)
        return;
    if (conn->session && conn->session->conn == conn)
        conn->session->conn = NULL;
    log_info(KURENTO,
             "socket %" PRIu64 ": the application is gone, what it made stays for a while; "
             "sessions now %zu, objects %zu",
             socket, k->sessions.by_id.n, k->objects.by_id.n);
    mem_free(conn);
}

static void pass_on(struct kurento *k, const struct engine_event *event)
{
    struct kurento_media_pipeline *pipeline =
        map_find(&k->pipelines, &event->pipeline, sizeof(event->pipeline));
    if (!pipeline)
        return;
    LIST_FOREACH(node, &pipeline->object.children) {
        struct kurento_object *object = CONTAINER_OF(node, struct kurento_object, siblings);
        if (!kurento_type_is(object->type, "MediaElement"))
            continue;
        struct kurento_element *element = kurento_element_of(object);
        if (!element->is_live || element->endpoint != event->endpoint)
            continue;
        if (event->type == ENGINE_EVENT_SNAPSHOT)
            kurento_snapshot(element, event->tag, event->stats);
        else if (element->on_media)
            element->on_media(object, event);
        return;
    }
}

void kurento_media_ready(struct kurento *k, mono_us now)
{
    struct engine_event event;
    k->now = now;
    while (engine_poll_event(k->engine, ENGINE_PIPELINES, &event)) {
        if (event.type != ENGINE_EVENT_GONE)
            pass_on(k, &event);
    }
    kurento_recorder_ready(k);
    kurento_player_ready(k);
}

void kurento_timeout(struct kurento *k, mono_us now)
{
    k->now = now;
    kurento_measurements_timeout(k, now);
    kurento_recorder_timeout(k, now);
    if (now >= k->watch_at) {
        kurento_watch(k);
        k->watch_at = now + KURENTO_WATCH_INTERVAL;
    }
    if (now >= k->collect_at) {
        collect(k);
        k->collect_at = now + k->config.collector_period;
    }
}

mono_us kurento_deadline(const struct kurento *k)
{
    mono_us at = mono_min(k->collect_at, kurento_measurements_deadline(k));
    at = mono_min(at, kurento_recorder_deadline(k));
    return k->n_flow_subscriptions ? mono_min(at, k->watch_at) : at;
}

struct kurento_stats kurento_get_stats(const struct kurento *k)
{
    struct kurento_stats stats = k->stats;
    stats.sockets = k->conns.n;
    stats.sessions = k->sessions.by_id.n;
    stats.objects = k->objects.by_id.n;
    LIST_FOREACH(node, &k->objects.roots)
        stats.pipelines++;
    stats.pipelines -= stats.pipelines ? 1 : 0; /* ServerManager is a root, too */
    return stats;
}

struct kurento *kurento_new(const struct kurento_config *config,
                            const struct kurento_transport *transport, struct engine *engine,
                            struct recorder *recorder, struct player *player, struct rng *rng,
                            mono_us now)
{
    struct kurento *k = mem_zalloc(sizeof(*k));
    if (!k)
        return NULL;
    k->config = *config;
    k->transport = *transport;
    k->engine = engine;
    k->recorder = recorder;
    k->player = player;
    k->rng = rng;
    k->now = now;
    k->collect_at = now + config->collector_period;
    list_init(&k->waiting);
    list_init(&k->releases);
    list_init(&k->recorder_waits);
    list_init(&k->measurements);
    map_init(&k->conns, conn_key, rng);
    map_init(&k->pipelines, kurento_media_pipeline_key, rng);
    kurento_objects_init(&k->objects, rng);
    kurento_sessions_init(&k->sessions, rng);
    kurento_uuid(rng, k->server_id);
    if (new_object(k, &kurento_server_manager_type, NULL, KURENTO_MANAGER_ID, &k->manager)) {
        kurento_free(k);
        return NULL;
    }
    return k;
}

static void send_nothing(void *user, uint64_t socket, struct str text)
{
    (void)user;
    (void)socket;
    (void)text;
}

static void close_nothing(void *user, uint64_t socket, int code, const char *reason)
{
    (void)user;
    (void)socket;
    (void)code;
    (void)reason;
}

void kurento_free(struct kurento *k)
{
    size_t cursor = 0;
    if (!k)
        return;
    k->transport = (struct kurento_transport){send_nothing, close_nothing, NULL};
    LIST_FOREACH(node, &k->sessions.all)
        kurento_end_session(k, CONTAINER_OF(node, struct kurento_session, of_all));
    while (!list_is_empty(&k->objects.roots)) /* the manager is the first of them, and goes last */
        kurento_release(k, CONTAINER_OF(k->objects.roots.prev, struct kurento_object, siblings));
    kurento_measurements_drop(k);
    kurento_recorder_drop(k);
    for (struct kurento_conn *conn; (conn = map_next(&k->conns, &cursor));)
        mem_free(conn);
    map_deinit(&k->conns);
    map_deinit(&k->pipelines);
    assert(list_is_empty(&k->waiting));
    kurento_sessions_deinit(&k->sessions);
    kurento_objects_deinit(&k->objects);
    mem_free(k);
}
