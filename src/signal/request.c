/*
 * The reader walks the rows, not the JSON: fields that no row names are never looked at, so pages
 * may send more than we know.
 */
#include "signal/request.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "call/name.h"

/* One reading of one message. */
struct reader {
    const char *id;
    struct signal_request *request;
    struct signal_fault *fault;
};

/* ---- saying what is wrong ---- */

static void describe(struct text *t, const struct signal_field *field)
{
    unsigned least = field->flags & SIGNAL_MAY_BE_EMPTY ? 0 : 1;
    switch (field->type) {
    case SIGNAL_STRING:
        text_printf(t, "a string of %u to %zu bytes", least, field->max);
        break;
    case SIGNAL_NAME:
        text_printf(t, "a string of %u to %zu characters without control characters", least,
                    field->max);
        break;
    case SIGNAL_CALL_ID:
        text_put(t, STR("a string of 16 hexadecimal digits"));
        break;
    case SIGNAL_INTEGER:
        text_printf(t, "an integer from 0 to %zu", field->max);
        break;
    case SIGNAL_BOOLEAN:
        text_put(t, STR("true or false"));
        break;
    case SIGNAL_OBJECT:
        text_put(t, STR("an object"));
        break;
    }
    if (field->flags & SIGNAL_NULLABLE)
        text_put(t, STR(" or null"));
}

static int fault(const struct reader *r, const char *parent, const struct signal_field *field,
                 const char *wrong)
{
    struct text t;
    text_init(&t, r->fault->field, sizeof(r->fault->field));
    text_printf(&t, "%s%s%s", parent ? parent : "", parent ? "." : "", field->name);
    text_init(&t, r->fault->message, sizeof(r->fault->message));
    text_printf(&t, "%s.%s %s: ", r->id, r->fault->field, wrong);
    describe(&t, field);
    text_put(&t, STR(" is needed"));
    return SIGNAL_E_FIELD;
}

static const char *is_a(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "is an object";
    case JSON_ARRAY:
        return "is an array";
    case JSON_STRING:
        return "is a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "is a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "is a boolean";
    case JSON_NULL:
        return "is null";
    }
    return "is of unknown type";
}

/* ---- one value ---- */

static struct str string_of(const json_t *value)
{
    return (struct str){json_string_value(value), json_string_length(value)};
}

static const char *read_string(const struct signal_field *field, struct str s, struct str *ret)
{
    size_t len = field->type == SIGNAL_NAME ? utf8_length(s) : s.len;
    if (len == 0 && !(field->flags & SIGNAL_MAY_BE_EMPTY))
        return "is empty";
    if (len > field->max)
        return "is too long";
    *ret = s;
    return NULL;
}

static const char *read_name(const struct signal_field *field, struct str s, struct str *ret)
{
    const char *wrong = read_string(field, s, ret);
    if (!wrong && s.len && call_name_check(s))
        return "has a control character";
    return wrong;
}

static const char *read_call_id(struct str s, uint64_t *ret)
{
    uint64_t id = 0;
    if (s.len != 16)
        return "is not a call id";
    for (size_t i = 0; i < s.len; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = memchr(digits, s.p[i], sizeof(digits) - 1);
        if (!digit)
            return "is not a call id";
        id = id << 4 | ((uint64_t)(digit - digits) & 15);
    }
    if (!id)
        return "is not a call id";
    *ret = id;
    return NULL;
}

static const char *read_integer(const struct signal_field *field, json_int_t value, int *ret)
{
    if (value < 0 || (uint64_t)value > field->max)
        return "is out of range";
    *ret = (int)value;
    return NULL;
}

static json_type json_type_of(enum signal_type type, const json_t *value)
{
    switch (type) {
    case SIGNAL_STRING:
    case SIGNAL_NAME:
    case SIGNAL_CALL_ID:
        return JSON_STRING;
    case SIGNAL_INTEGER:
        return JSON_INTEGER;
    case SIGNAL_BOOLEAN:
        return json_is_true(value) ? JSON_TRUE : JSON_FALSE;
    case SIGNAL_OBJECT:
        return JSON_OBJECT;
    }
    return JSON_NULL;
}

/* @return what is wrong with a value of the right type; NULL = nothing */
static const char *read_value(const struct signal_field *field, const json_t *value, void *to)
{
    switch (field->type) {
    case SIGNAL_STRING:
        return read_string(field, string_of(value), to);
    case SIGNAL_NAME:
        return read_name(field, string_of(value), to);
    case SIGNAL_CALL_ID:
        return read_call_id(string_of(value), to);
    case SIGNAL_INTEGER:
        return read_integer(field, json_integer_value(value), to);
    case SIGNAL_BOOLEAN:
        *(bool *)to = json_is_true(value);
        return NULL;
    case SIGNAL_OBJECT:
        return NULL;
    }
    return NULL;
}

/* ---- the rows ---- */

static int read_field(const struct reader *r, const char *parent, const struct signal_field *field,
                      const json_t *value)
{
    if (!value)
        return field->flags & SIGNAL_OPTIONAL ? 0 : fault(r, parent, field, "is missing");
    if (json_is_null(value) && field->flags & SIGNAL_NULLABLE)
        return 0;
    if (json_typeof(value) != json_type_of(field->type, value))
        return fault(r, parent, field, is_a(value));
    const char *wrong = read_value(field, value, (char *)r->request + field->offset);
    return wrong ? fault(r, parent, field, wrong) : 0;
}

static int read_fields(const struct reader *r, const char *parent,
                       const struct signal_field *fields, size_t n_fields, const json_t *object)
{
    for (size_t i = 0; i < n_fields; i++) {
        const struct signal_field *field = &fields[i];
        const json_t *value = json_object_get(object, field->name);
        int err = read_field(r, parent, field, value);
        if (!err && value && field->type == SIGNAL_OBJECT)
            err = read_fields(r, field->name, field->fields, field->n_fields, value);
        if (err)
            return err;
    }
    return 0;
}

int signal_request_read(const char *id, const struct signal_field *fields, size_t n_fields,
                        const json_t *object, struct signal_request *ret,
                        struct signal_fault *fault_ret)
{
    struct reader r = {.id = id, .request = ret, .fault = fault_ret};
    return read_fields(&r, NULL, fields, n_fields, object);
}

void signal_request_missing(const char *id, const struct signal_field *field,
                            struct signal_fault *fault_ret)
{
    struct reader r = {.id = id, .fault = fault_ret};
    (void)fault(&r, NULL, field, "is missing");
}
