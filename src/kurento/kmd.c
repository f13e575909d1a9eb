/*
 * Abstract types have no module of their own in the rows: they are all of "core". Methods that read
 * and write a property are described as methods, which is how they are called.
 */
#include "kurento/kmd.h"

#include "kurento/types.h"

static json_t *param_type(const struct kurento_param *param)
{
    switch (param->type) {
    case KURENTO_STRING:
        return json_string("String");
    case KURENTO_INTEGER:
        return json_string("int");
    case KURENTO_BOOLEAN:
        return json_string("boolean");
    case KURENTO_ENUM:
    case KURENTO_OBJECT:
        return json_string(param->type_name);
    case KURENTO_COMPLEX:
        return json_string("Object");
    }
    return NULL;
}

static json_t *params_of(const struct kurento_param *params, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "name", params[i].name,
                                                    "optional", params[i].is_optional, "type",
                                                    param_type(&params[i])));
    return list;
}

static json_t *methods_of(const struct kurento_type *type)
{
    json_t *list = json_array();
    for (size_t i = 0; i < type->n_operations; i++) {
        const struct kurento_operation *o = &type->operations[i];
        (void)json_array_append_new(list, json_pack("{s:s, s:o}", "name", o->name, "params",
                                                    params_of(o->params, o->n_params)));
    }
    return list;
}

static json_t *events_of(const struct kurento_type *type)
{
    json_t *list = json_array();
    for (size_t i = 0; type->events && type->events[i]; i++)
        (void)json_array_append_new(list, json_string(type->events[i]));
    return list;
}

static json_t *class_of(const struct kurento_type *type)
{
    json_t *class = json_pack("{s:s, s:b, s:o, s:o}", "name", type->name, "abstract", !type->size,
                              "methods", methods_of(type), "events", events_of(type));
    if (type->base)
        (void)json_object_set_new(class, "extends", json_string(type->base->name));
    if (type->size)
        (void)json_object_set_new(
            class, "constructor",
            json_pack("{s:o}", "params", params_of(type->params, type->n_params)));
    return class;
}

static bool is_in(const json_t *classes, const char *name)
{
    const json_t *class;
    size_t i;
    json_array_foreach(classes, i, class)
    {
        if (str_eq(str_of(json_string_value(json_object_get(class, "name"))), str_of(name)))
            return true;
    }
    return false;
}

/* What it is derived from first. */
static void put(json_t *classes, const struct kurento_type *type, struct str module)
{
    if (!type)
        return;
    put(classes, type->base, module);
    if (str_eq(str_of(type->module ? type->module : "core"), module) && !is_in(classes, type->name))
        (void)json_array_append_new(classes, class_of(type));
}

json_t *kurento_kmd(struct str module, const char *version)
{
    size_t n;
    const struct kurento_type *const *types = kurento_types(&n);
    json_t *classes = json_array();
    put(classes, &kurento_server_manager_type, module);
    for (size_t i = 0; i < n; i++)
        put(classes, types[i], module);
    return json_pack("{s:s%, s:s, s:o}", "name", module.p, module.len, "version", version,
                     "remoteClasses", classes);
}
