/* The list of what can be created, and the walk up from a type to what it is derived from. */
#include "kurento/types.h"

#include "base/str.h"

static const struct kurento_type *const types[] = {
    &kurento_hub_port_type,
    &kurento_media_pipeline_type,
    &kurento_pass_through_type,
    &kurento_dispatcher_type,
    &kurento_dispatcher_one_to_many_type,
    &kurento_webrtc_endpoint_type,
    &kurento_rtp_endpoint_type,
    &kurento_player_endpoint_type,
    &kurento_recorder_endpoint_type,
};

const struct kurento_type *const *kurento_types(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(types);
    return types;
}

const struct kurento_type *kurento_type_find(struct str name)
{
    static const struct str prefix = {"kurento.", 8};
    if (str_starts_with(name, prefix))
        name = str_tail(name, prefix.len);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_eq(name, str_of(types[i]->name)))
            return types[i];
    }
    return NULL;
}

bool kurento_type_is(const struct kurento_type *type, const char *name)
{
    for (; type; type = type->base) {
        if (str_eq(str_of(type->name), str_of(name)))
            return true;
    }
    return false;
}

const struct kurento_operation *kurento_type_operation(const struct kurento_type *type,
                                                       struct str name)
{
    for (; type; type = type->base) {
        for (size_t i = 0; i < type->n_operations; i++) {
            if (str_eq(name, str_of(type->operations[i].name)))
                return &type->operations[i];
        }
    }
    return NULL;
}
