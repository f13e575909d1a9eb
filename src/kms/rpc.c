/* JSON-RPC, the asking side: see the header. */
#include "kms/rpc.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const void *id_of(const void *value, size_t *ret_len)
{
    const struct kms_request *request = value;
    *ret_len = sizeof(request->id);
    return &request->id;
}

void kms_rpc_init(struct kms_rpc *rpc, struct rng *rng)
{
    *rpc = (struct kms_rpc){0};
    list_init(&rpc->waiting);
    map_init(&rpc->by_id, id_of, rng);
}

void kms_rpc_deinit(struct kms_rpc *rpc)
{
    kms_rpc_forget(rpc);
    map_deinit(&rpc->by_id);
}

struct str kms_member(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return json_is_string(member)
               ? (struct str){json_string_value(member), json_string_length(member)}
               : (struct str){0};
}

/* --- asking --- */

/* @param params taken */
static char *write_request(const struct kms_rpc *rpc, const char *method, json_t *params)
{
    if (!params)
        return NULL;
    if (rpc->session[0] && json_object_set_new(params, "sessionId", json_string(rpc->session))) {
        json_decref(params);
        return NULL;
    }
    json_t *request = json_pack("{s:s, s:s, s:o, s:I}", "jsonrpc", "2.0", "method", method,
                                "params", params, "id", (json_int_t)rpc->last_id + 1);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return text;
}

int kms_rpc_ask(struct kms_rpc *rpc, mono_us now, const char *method, json_t *params,
                struct kms_tag tag, struct str *ret_text)
{
    char *text = write_request(rpc, method, params);
    struct kms_request *request = text ? mem_zalloc(sizeof(*request)) : NULL;
    if (!request) {
        free(text);
        return -ENOMEM;
    }
    *request = (struct kms_request){
        .id = rpc->last_id + 1, .due = now + KMS_REQUEST_LIMIT, .tag = tag, .text = text};
    if (map_insert(&rpc->by_id, request)) {
        free(text);
        mem_free(request);
        return -ENOMEM;
    }
    rpc->last_id++;
    list_init(&request->waiting);
    list_append(&rpc->waiting, &request->waiting);
    *ret_text = str_of(text);
    return 0;
}

static void free_request(struct kms_rpc *rpc, struct kms_request *request)
{
    (void)map_remove(&rpc->by_id, &request->id, sizeof(request->id));
    list_remove(&request->waiting);
    free(request->text);
    mem_free(request);
}

static struct kms_request *oldest(const struct kms_rpc *rpc)
{
    return list_is_empty(&rpc->waiting)
               ? NULL
               : CONTAINER_OF(rpc->waiting.next, struct kms_request, waiting);
}

bool kms_rpc_overdue(struct kms_rpc *rpc, mono_us now, struct kms_tag *ret)
{
    struct kms_request *request = oldest(rpc);
    if (!request || request->due > now)
        return false;
    *ret = request->tag;
    free_request(rpc, request);
    return true;
}

mono_us kms_rpc_deadline(const struct kms_rpc *rpc)
{
    const struct kms_request *request = oldest(rpc);
    return request ? request->due : MONO_NEVER;
}

void kms_rpc_forget(struct kms_rpc *rpc)
{
    for (struct kms_request *request; (request = oldest(rpc));)
        free_request(rpc, request);
}

/* --- hearing --- */

/* A server may change it (it adopts what it is told); one that cannot be kept is none. */
static void note_session(struct kms_rpc *rpc, const json_t *result)
{
    struct str session = kms_member(result, "sessionId");
    if (session.len)
        (void)str_copy(session, rpc->session, sizeof(rpc->session));
}

static void read_error(const json_t *error, struct kms_answer *ret)
{
    const json_t *code = json_object_get(error, "code");
    json_int_t number = json_is_integer(code) ? json_integer_value(code) : 0;
    ret->kind = KMS_ANSWER_REFUSED;
    ret->code = number >= INT_MIN && number <= INT_MAX ? (int)number : 0;
    ret->message = kms_member(error, "message");
}

static void read_answer(struct kms_rpc *rpc, const json_t *id, struct kms_heard *ret)
{
    const json_t *result = json_object_get(ret->root, "result");
    const json_t *error = json_object_get(ret->root, "error");
    uint64_t number = (uint64_t)json_integer_value(id);
    struct kms_request *request = map_find(&rpc->by_id, &number, sizeof(number));
    ret->type = KMS_HEARD_STRAY;
    if (!request || !json_is_integer(id))
        return;
    ret->type = KMS_HEARD_ANSWER;
    ret->tag = request->tag;
    free_request(rpc, request);
    if (!result && !error) {
        ret->answer = (struct kms_answer){.kind = KMS_ANSWER_REFUSED};
    } else if (error) {
        read_error(error, &ret->answer);
    } else {
        note_session(rpc, result);
        ret->answer =
            (struct kms_answer){.kind = KMS_ANSWER_OK, .value = json_object_get(result, "value")};
    }
}

static void read_event(struct kms_heard *ret)
{
    const json_t *value = json_object_get(json_object_get(ret->root, "params"), "value");
    ret->object = kms_member(value, "object");
    ret->event = kms_member(value, "type");
    ret->data = json_object_get(value, "data");
    ret->type = ret->object.len && ret->event.len && json_is_object(ret->data) ? KMS_HEARD_EVENT
                                                                               : KMS_HEARD_BAD;
}

void kms_rpc_hear(struct kms_rpc *rpc, struct str text, struct kms_heard *ret)
{
    *ret = (struct kms_heard){.type = KMS_HEARD_BAD};
    ret->root = json_loadb(text.p ? text.p : "", text.len, 0, NULL);
    if (!json_is_object(ret->root))
        return;
    const json_t *id = json_object_get(ret->root, "id");
    struct str method = kms_member(ret->root, "method");
    if (str_eq(method, STR("onEvent")))
        read_event(ret);
    else if (method.len)
        ret->type = KMS_HEARD_STRAY; /* requests of a server are none of Kurento's */
    else if (id)
        read_answer(rpc, id, ret);
}

void kms_heard_free(struct kms_heard *heard)
{
    json_decref(heard->root);
    *heard = (struct kms_heard){.type = KMS_HEARD_BAD};
}
