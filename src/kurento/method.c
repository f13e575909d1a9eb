/*
 * The methods of the protocol: 13 rows. Each handler makes a `result`; the session's id is added to
 * it here, because clients take their session from every answer.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "kurento/private.h"
#include "kurento/recorder_endpoint.h"

/* Of a transaction: they bound what one frame can make the server do. Writing a megabyte of answers
 * takes a tenth of a second. */
#define MAX_OPERATIONS 1000
#define MAX_ANSWERS    (4 * 1024 * 1024) /* bytes; as much as a frame may have */

/* One request on its way. */
struct context {
    struct kurento *k;
    struct kurento_conn *conn;
    struct kurento_session *session; /* NULL for rows without NEEDS_SESSION */
    const struct kurento_request *request;
    bool is_inside;
    size_t answered; /* of a transaction: bytes of the answers so far */
    struct kurento_fault *fault;
};

enum { NEEDS_SESSION = 1, NEEDS_PARAMS = 2, NEEDS_OBJECT = 4, NOT_INSIDE = 8 };

struct method {
    const char *name;
    unsigned flags;
    int (*handler)(struct context *c, json_t **ret);
};

static int need(struct context *c, const char *name, struct str *ret)
{
    *ret = kurento_member(c->request->params, name);
    if (!ret->len)
        return kurento_fail(c->fault, KURENTO_E_SERVER, "'%s' parameter is required", name);
    return 0;
}

static int no_object(struct context *c, struct str id)
{
    return kurento_fail(c->fault, KURENTO_E_NO_OBJECT, "Object '%.*s' not found",
                        STR_FMT(str_head(id, 200)));
}

/* Naming an object joins the session to those that hold it. */
static int find_object(struct context *c, struct kurento_object **ret)
{
    struct str id;
    int err = need(c, "object", &id);
    if (err)
        return err;
    *ret = kurento_objects_find(&c->k->objects, id);
    if (!*ret)
        return no_object(c, id);
    return *ret == c->k->manager ? 0 : kurento_session_hold(c->session, *ret);
}

static json_t *with_value(json_t *value)
{
    return json_pack("{s:o}", "value", value ? value : json_null());
}

/* --- connection and session --- */

static int on_ping(struct context *c, json_t **ret)
{
    *ret = with_value(json_string("pong"));
    if (c->conn->session)
        (void)json_object_set_new(*ret, "sessionId", json_string(c->conn->session->id));
    return 0;
}

static int no_session(struct context *c)
{
    return kurento_fail(c->fault, KURENTO_E_SESSION, "Invalid session");
}

/* Without an id: one is offered, and begins when something is made with it. */
static int on_connect(struct context *c, json_t **ret)
{
    struct str id = kurento_member(c->request->params, "sessionId");
    if (id.len) {
        struct kurento_session *session = kurento_session_find(&c->k->sessions, id);
        if (!session)
            return no_session(c);
        kurento_bind(c->conn, session);
    } else if (!c->conn->session && !c->conn->offered[0]) {
        kurento_uuid(c->k->rng, c->conn->offered);
    }
    *ret = json_pack("{s:s, s:s}", "serverId", c->k->server_id, "sessionId",
                     c->conn->session ? c->conn->session->id : c->conn->offered);
    return 0;
}

static int on_keep_alive(struct context *c, json_t **ret)
{
    struct str id = kurento_member(c->request->params, "sessionId");
    struct kurento_session *session =
        id.len ? kurento_session_find(&c->k->sessions, id) : c->conn->session;
    if (!session)
        return no_session(c);
    session->was_away = false; /* also when another connection has its events */
    *ret = json_pack("{s:s}", "sessionId", session->id);
    return 0;
}

static int on_close_session(struct context *c, json_t **ret)
{
    struct str id = kurento_member(c->request->params, "sessionId");
    struct kurento_session *session =
        id.len ? kurento_session_find(&c->k->sessions, id) : c->conn->session;
    if (session)
        kurento_end_session(c->k, session);
    *ret = json_null();
    return 0;
}

/* --- objects --- */

static int on_create(struct context *c, json_t **ret)
{
    struct str name;
    struct kurento_object *object;
    int err = need(c, "type", &name);
    if (err)
        return err;
    const struct kurento_type *type = kurento_type_find(name);
    if (!type)
        return kurento_fail(c->fault, KURENTO_E_FACTORY, "Factory '%.*s' not found",
                            STR_FMT(str_head(name, 100)));
    err =
        kurento_create(c->k, c->session, type,
                       json_object_get(c->request->params, "constructorParams"), &object, c->fault);
    if (err)
        return err;
    *ret = with_value(json_string(object->id));
    return 0;
}

static int on_describe(struct context *c, json_t **ret)
{
    struct kurento_object *object;
    int err = find_object(c, &object);
    if (err)
        return err;
    json_t *hierarchy = json_array();
    for (const struct kurento_type *t = object->type->base; t; t = t->base)
        (void)json_array_append_new(hierarchy, json_sprintf("kurento.%s", t->name));
    *ret = json_pack("{s:o, s:o, s:s}", "hierarchy", hierarchy, "qualifiedType",
                     json_sprintf("kurento.%s", object->type->name), "type", object->type->name);
    return 0;
}

static struct kurento_call call_of(const struct context *c)
{
    return (struct kurento_call){
        .kurento = c->k,
        .session = c->session,
        .now = c->k->now,
        .fault = c->fault,
        .socket = c->conn->socket,
        .request_id = c->request->id,
        .is_inside = c->is_inside,
    };
}

static int invoke(struct context *c, struct kurento_object *object,
                  const struct kurento_operation *operation, const json_t *params, json_t **ret)
{
    struct kurento_value args[KURENTO_MAX_PARAMS];
    struct kurento_call call = call_of(c);
    call.object = object;
    call.operation = operation;
    call.args = args;
    bool wants = false;
    for (size_t i = 0; i < operation->n_params; i++)
        wants |= !operation->params[i].is_optional;
    if (wants && !params)
        return kurento_fail(c->fault, KURENTO_E_MARSHALL, "'operationParams' is required");
    int err = kurento_params_read(operation->params, operation->n_params, params, &c->k->objects,
                                  args, c->fault);
    return err ? err : operation->handler(&call, ret);
}

static int on_invoke(struct context *c, json_t **ret)
{
    struct kurento_object *object;
    struct str name;
    json_t *value = NULL;
    int err = find_object(c, &object);
    if (!err)
        err = need(c, "operation", &name);
    if (err)
        return err;
    const json_t *params = json_object_get(c->request->params, "operationParams");
    const struct kurento_operation *operation = kurento_type_operation(object->type, name);
    if (!operation)
        return kurento_fail(c->fault, KURENTO_E_TRANSACTION,
                            "Method '%.*s' with %zu parameters not found",
                            STR_FMT(str_head(name, 100)), json_object_size(params));
    err = invoke(c, object, operation, params, &value);
    if (err)
        return err;
    *ret = with_value(value);
    return 0;
}

static int on_release(struct context *c, json_t **ret)
{
    struct str id;
    int err = need(c, "object", &id);
    if (err)
        return err;
    struct kurento_object *object = kurento_objects_find(&c->k->objects, id);
    const struct kurento_call call = call_of(c);
    uint64_t before = kurento_recorder_n_released(c->k);
    if (object && object != c->k->manager)
        kurento_release(c->k, object); /* unknown: released before, which is what is wanted */
    err = kurento_recorder_wait(&call, before);
    if (!err)
        *ret = json_object();
    return err;
}

static int on_ref(struct context *c, json_t **ret)
{
    struct kurento_object *object;
    *ret = json_object();
    return find_object(c, &object);
}

static int on_unref(struct context *c, json_t **ret)
{
    struct str id;
    int err = need(c, "object", &id);
    if (err)
        return err;
    struct kurento_object *object = kurento_objects_find(&c->k->objects, id);
    if (object && kurento_session_let_go(c->session, object))
        kurento_release(c->k, object);
    *ret = json_object();
    return 0;
}

/* --- events --- */

static int on_subscribe(struct context *c, json_t **ret)
{
    struct kurento_object *object;
    struct str name;
    const char *as;
    int err = find_object(c, &object);
    if (!err)
        err = need(c, "type", &name);
    if (err)
        return err;
    const char *event = kurento_event_find(object->type, name, &as);
    if (!event)
        return kurento_fail(c->fault, KURENTO_E_EVENT, "Event '%.*s' not supported",
                            STR_FMT(str_head(name, 100)));
    if (object->n_subscriptions >= KURENTO_MAX_SUBSCRIPTIONS)
        return kurento_fail(c->fault, KURENTO_E_RESOURCES, "%d subscriptions to an object at most",
                            KURENTO_MAX_SUBSCRIPTIONS);
    const struct kurento_subscription *subscription =
        kurento_subscribe(c->k->rng, c->session, object, event, as);
    if (!subscription)
        return -ENOMEM;
    *ret = with_value(json_string(subscription->id));
    return 0;
}

static int on_unsubscribe(struct context *c, json_t **ret)
{
    struct kurento_object *object =
        kurento_objects_find(&c->k->objects, kurento_member(c->request->params, "object"));
    struct kurento_subscription *subscription =
        object
            ? kurento_subscription_find(object, kurento_member(c->request->params, "subscription"))
            : NULL;
    if (subscription)
        kurento_subscription_free(subscription);
    *ret = json_object(); /* clients unsubscribe from what they released */
    return 0;
}

/* --- transaction --- */

static const json_t *value_of(const json_t *answers, struct str number)
{
    uint64_t n;
    if (!str_to_u64(number, MAX_OPERATIONS, &n))
        return NULL;
    return json_object_get(json_object_get(json_array_get(answers, (size_t)n), "result"), "value");
}

/* Put the values of earlier operations in the place of "newref:N", wherever it stands. */
static json_t *resolve(const json_t *json, const json_t *answers, bool *failed)
{
    static const struct str newref = {"newref:", 7};
    const char *key;
    json_t *member, *copy;
    size_t i;

    if (json_is_string(json)) {
        struct str s = {json_string_value(json), json_string_length(json)};
        if (!str_starts_with(s, newref))
            return json_incref((json_t *)(uintptr_t)json);
        const json_t *value = value_of(answers, str_tail(s, newref.len));
        *failed |= !value;
        return json_copy((json_t *)(uintptr_t)value); /* its place may get a member more */
    }
    if (json_is_object(json)) {
        copy = json_object();
        json_object_foreach((json_t *)(uintptr_t)json, key, member)
        {
            if (json_object_set_new(copy, key, resolve(member, answers, failed)))
                *failed = true;
        }
        return copy;
    }
    if (json_is_array(json)) {
        copy = json_array();
        json_array_foreach(json, i, member)
        {
            if (json_array_append_new(copy, resolve(member, answers, failed)))
                *failed = true;
        }
        return copy;
    }
    return json_incref((json_t *)(uintptr_t)json);
}

/* The inner requests speak for the session of the outer one unless they name another. */
static void inherit_session(struct context *c, json_t *params)
{
    if (!kurento_member(params, "sessionId").len)
        (void)json_object_set_new(params, "sessionId", json_string(c->session->id));
}

static int refuse_more(const struct kurento_request *request, json_t **ret)
{
    struct kurento_fault fault;
    int err = kurento_fail(
        &fault, KURENTO_E_RESOURCES,
        "the answers of the transaction have more than %d bytes: no more is done", MAX_ANSWERS);
    *ret = kurento_answer(request->id, err, NULL, &fault);
    return *ret ? 0 : -ENOMEM;
}

static int run_inner(struct context *c, const json_t *operation, json_t *answers)
{
    struct kurento_request request;
    bool failed = false;
    json_t *answer = NULL;
    json_t *resolved = resolve(operation, answers, &failed);
    if (failed || !resolved) {
        json_decref(resolved);
        return kurento_fail(c->fault, KURENTO_E_NEWREF,
                            "newref: names no earlier operation with a value");
    }
    inherit_session(c, json_object_get(resolved, "params"));
    int err = kurento_request_of(resolved, &request, c->fault);
    json_decref(resolved);
    if (err)
        return kurento_fail(c->fault, KURENTO_E_TRANSACTION, "Operation %zu is no request",
                            json_array_size(answers));
    err = c->answered > MAX_ANSWERS ? refuse_more(&request, &answer)
                                    : kurento_method_run(c->k, c->conn, &request, true, &answer);
    kurento_request_free(&request);
    c->answered += json_dumpb(answer, NULL, 0, 0);
    if (!err && json_array_append_new(answers, answer))
        err = -ENOMEM;
    return err;
}

static int on_transaction(struct context *c, json_t **ret)
{
    const json_t *operations = json_object_get(c->request->params, "operations");
    const json_t *operation;
    size_t i;
    int err = 0;

    if (!json_is_array(operations))
        return kurento_fail(c->fault, KURENTO_E_SERVER, "'operations' parameter is required");
    if (json_array_size(operations) > MAX_OPERATIONS)
        return kurento_fail(c->fault, KURENTO_E_TRANSACTION,
                            "%zu operations: %d at most can be in a transaction",
                            json_array_size(operations), MAX_OPERATIONS);
    json_t *answers = json_array();
    json_array_foreach(operations, i, operation)
    {
        err = run_inner(c, operation, answers);
        if (err || json_object_get(json_array_get(answers, i), "error"))
            break;
    }
    if (err) {
        json_decref(answers);
        return err;
    }
    *ret = with_value(answers);
    return 0;
}

/* --- the table --- */

static const struct method methods[] = {
    {"ping", 0, on_ping},
    {"connect", 0, on_connect},
    {"keepAlive", 0, on_keep_alive},
    {"closeSession", NOT_INSIDE, on_close_session},
    {"create", NEEDS_SESSION | NEEDS_PARAMS, on_create},
    {"invoke", NEEDS_SESSION | NEEDS_PARAMS, on_invoke},
    {"describe", NEEDS_SESSION | NEEDS_PARAMS, on_describe},
    {"subscribe", NEEDS_SESSION | NEEDS_PARAMS, on_subscribe},
    {"unsubscribe", NEEDS_SESSION | NEEDS_PARAMS, on_unsubscribe},
    {"release", NEEDS_SESSION | NEEDS_PARAMS, on_release},
    {"ref", NEEDS_SESSION | NEEDS_PARAMS, on_ref},
    {"unref", NEEDS_SESSION | NEEDS_PARAMS, on_unref},
    {"transaction", NEEDS_SESSION | NEEDS_PARAMS | NOT_INSIDE, on_transaction},
};

static const struct method *find_method(struct str name, bool is_inside)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (str_eq(name, str_of(methods[i].name)))
            return is_inside && methods[i].flags & NOT_INSIDE ? NULL : &methods[i];
    }
    return NULL;
}

static int run(struct context *c, json_t **ret)
{
    const struct method *method = find_method(c->request->method, c->is_inside);
    int err = 0;
    if (!method)
        return kurento_fail(c->fault, KURENTO_E_METHOD, "Method not found.");
    if (method->flags & NEEDS_PARAMS && !c->request->params)
        return kurento_fail(c->fault, KURENTO_E_PARAMS, "'params' is required");
    if (method->flags & NEEDS_SESSION)
        err = kurento_session_of(c->k, c->conn, c->request->params, &c->session, c->fault);
    if (!err)
        err = method->handler(c, ret);
    if (!err && c->session)
        (void)json_object_set_new(*ret, "sessionId", json_string(c->session->id));
    return err;
}

int kurento_method_run(struct kurento *k, struct kurento_conn *conn,
                       const struct kurento_request *request, bool is_inside, json_t **ret)
{
    struct kurento_fault fault = {0};
    struct context c = {
        .k = k, .conn = conn, .request = request, .is_inside = is_inside, .fault = &fault};
    json_t *result = NULL;
    int err = run(&c, &result);
    if (err == KURENTO_PUT_OFF)
        return err;
    if (err) {
        json_decref(result);
        result = NULL;
    }
    *ret = kurento_answer(request->id, err, result, &fault);
    return *ret ? 0 : -ENOMEM;
}
