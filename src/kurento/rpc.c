/* The envelope: see the header. */
#include "kurento/rpc.h"

#include "base/text.h"
#include "base/utf8.h"

static int refuse(struct kurento_request *ret, struct kurento_fault *fault)
{
    kurento_request_free(ret);
    return kurento_fail(fault, KURENTO_E_REQUEST, "Invalid JSON-RPC request.");
}

int kurento_request_of(json_t *json, struct kurento_request *ret, struct kurento_fault *fault)
{
    *ret = (struct kurento_request){.root = json_incref(json)};
    struct str version = kurento_member(json, "jsonrpc");
    ret->method = kurento_member(json, "method");
    ret->params = json_object_get(json, "params");
    ret->id = json_object_get(json, "id");
    if (json_is_null(ret->id))
        ret->id = NULL;
    if (json_is_null(ret->params))
        ret->params = NULL;
    if (!str_eq(version, STR("2.0")) || !ret->method.len ||
        ret->method.len > KURENTO_RPC_MAX_METHOD || (ret->params && !json_is_object(ret->params)) ||
        (ret->id && !json_is_string(ret->id) && !json_is_number(ret->id)))
        return refuse(ret, fault);
    return 0;
}

int kurento_request_read(struct str frame, struct kurento_request *ret, struct kurento_fault *fault)
{
    *ret = (struct kurento_request){0};
    json_t *json = json_loadb(frame.p, frame.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return kurento_fail(fault, KURENTO_E_PARSE, "Parse error.");
    int err = kurento_request_of(json, ret, fault);
    json_decref(json);
    return err;
}

void kurento_request_free(struct kurento_request *request)
{
    json_decref(request->root);
    *request = (struct kurento_request){0};
}

static json_t *or_null(json_t *json)
{
    return json ? json : json_null();
}

json_t *kurento_response(json_t *id, json_t *result)
{
    return json_pack("{s:o, s:s, s:o}", "id", id ? json_incref(id) : json_null(), "jsonrpc", "2.0",
                     "result", or_null(result));
}

json_t *kurento_quoting(const char *text)
{
    char buf[3 * KURENTO_TEXT_MAX];
    struct text t;
    uint32_t c;
    text_init(&t, buf, sizeof(buf));
    for (struct str rest = str_of(text), before; rest.len;) {
        before = rest;
        if (utf8_take(&rest, &c)) {
            text_put(&t, str_head(before, before.len - rest.len));
        } else {
            text_put(&t, STR("\xef\xbf\xbd"));
            rest = str_tail(rest, 1);
        }
    }
    return json_stringn(t.buf, t.len);
}

json_t *kurento_error_response(json_t *id, const struct kurento_fault *fault, json_t *data)
{
    const char *type = kurento_error_type(fault->error);
    json_t *error = json_pack("{s:i, s:o}", "code", kurento_error_code(fault->error), "message",
                              kurento_quoting(fault->text));
    if (!data && type)
        data = json_pack("{s:s}", "type", type);
    if (data && json_object_set_new(error, "data", data)) {
        json_decref(error);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:s}", "error", error, "id", id ? json_incref(id) : json_null(),
                     "jsonrpc", "2.0");
}

json_t *kurento_notification(json_t *value)
{
    return json_pack("{s:s, s:s, s:{s:o}}", "jsonrpc", "2.0", "method", "onEvent", "params",
                     "value", value);
}

char *kurento_rpc_text(const json_t *message)
{
    return message ? json_dumps(message, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
}

struct str kurento_member(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return json_is_string(member)
               ? (struct str){json_string_value(member), json_string_length(member)}
               : (struct str){0};
}
