/* Parameters by rows: see the header. The sentences are those of Kurento's generated code. */
#include "kurento/param.h"

#include <assert.h>

#include "kurento/object.h"
#include "kurento/rpc.h"

const char *const kurento_media_words[] = {"AUDIO", "VIDEO", "DATA", NULL};

static const char *wanted(enum kurento_param_type type)
{
    switch (type) {
    case KURENTO_STRING:
    case KURENTO_OBJECT:
    case KURENTO_ENUM:
        return "a string";
    case KURENTO_INTEGER:
        return "an integer";
    case KURENTO_BOOLEAN:
        return "a boolean";
    case KURENTO_COMPLEX:
        return "an object";
    }
    return "";
}

static int refuse_type(const struct kurento_param *param, struct kurento_fault *fault)
{
    return kurento_fail(fault, KURENTO_E_MARSHALL, "'%s' parameter should be %s", param->name,
                        wanted(param->type));
}

static int read_integer(const struct kurento_param *param, const json_t *json,
                        struct kurento_value *ret, struct kurento_fault *fault)
{
    if (!json_is_integer(json))
        return refuse_type(param, fault);
    ret->integer = json_integer_value(json);
    if ((param->min || param->max) && (ret->integer < param->min || ret->integer > param->max))
        return kurento_fail(fault, KURENTO_E_MARSHALL,
                            "'%s' parameter is %lld: %lld to %lld is needed", param->name,
                            (long long)ret->integer, (long long)param->min, (long long)param->max);
    return 0;
}

static int read_enum(const struct kurento_param *param, struct kurento_value *ret,
                     struct kurento_fault *fault)
{
    for (int i = 0; param->words[i]; i++) {
        if (str_eq(ret->string, str_of(param->words[i]))) {
            ret->integer = i;
            return 0;
        }
    }
    return kurento_fail(fault, KURENTO_E_MARSHALL, "Invalid value for '%s'", param->type_name);
}

static int read_object(const struct kurento_param *param, const struct kurento_objects *objects,
                       struct kurento_value *ret, struct kurento_fault *fault)
{
    ret->object = kurento_objects_find(objects, ret->string);
    if (!ret->object)
        return kurento_fail(fault, KURENTO_E_NO_OBJECT, "Object '%.*s' not found",
                            STR_FMT(str_head(ret->string, 200)));
    if (!kurento_type_is(ret->object->type, param->type_name))
        return kurento_fail(fault, KURENTO_E_MARSHALL, "'%s' parameter is a %s: a %s is needed",
                            param->name, ret->object->type->name, param->type_name);
    return 0;
}

static int read_one(const struct kurento_param *param, const json_t *json,
                    const struct kurento_objects *objects, struct kurento_value *ret,
                    struct kurento_fault *fault)
{
    ret->is_given = true;
    ret->json = json;
    switch (param->type) {
    case KURENTO_INTEGER:
        return read_integer(param, json, ret, fault);
    case KURENTO_BOOLEAN:
        ret->boolean = json_is_true(json);
        return json_is_boolean(json) ? 0 : refuse_type(param, fault);
    case KURENTO_COMPLEX:
        return json_is_object(json) ? 0 : refuse_type(param, fault);
    case KURENTO_STRING:
    case KURENTO_ENUM:
    case KURENTO_OBJECT:
        break;
    }
    /* kurento-client 7.3.0 writes out the whole object where it forgets to take its id. */
    if (param->type == KURENTO_OBJECT && json_is_object(json))
        json = json_object_get(json, "id");
    if (!json_is_string(json))
        return refuse_type(param, fault);
    ret->string = (struct str){json_string_value(json), json_string_length(json)};
    if (param->type == KURENTO_ENUM)
        return read_enum(param, ret, fault);
    return param->type == KURENTO_OBJECT ? read_object(param, objects, ret, fault) : 0;
}

int kurento_params_read(const struct kurento_param *params, size_t n, const json_t *json,
                        const struct kurento_objects *objects, struct kurento_value *ret,
                        struct kurento_fault *fault)
{
    assert(n <= KURENTO_MAX_PARAMS);
    for (size_t i = 0; i < n; i++) {
        const json_t *member = json_object_get(json, params[i].name);
        ret[i] = (struct kurento_value){0};
        /* Clients leave an optional argument out, or send null for it. */
        if (params[i].is_optional && (!member || json_is_null(member)))
            continue;
        int err = member ? read_one(&params[i], member, objects, &ret[i], fault)
                         : refuse_type(&params[i], fault);
        if (err)
            return err;
    }
    return 0;
}
