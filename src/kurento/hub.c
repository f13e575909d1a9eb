/*
 * Hubs: Dispatcher and DispatcherOneToMany, and the ports by which elements reach them.
 *
 *     element ── connect ──▶ HubPort ═ hub ═▶ HubPort ── connect ──▶ element
 *
 * A port hands on: what comes out of it is what goes into the port that the hub assigned to it. So
 * a hub costs a packet nothing. A Composite would have to mix, which a relay does not do.
 */
#include "kurento/dot.h"
#include "kurento/media_element.h"
#include "kurento/private.h"
#include "kurento/types.h"

struct hub {
    struct kurento_object object;
    struct kurento_element *source; /* DispatcherOneToMany: whom all hear; NULL = nobody */
};

static struct hub *hub_of(struct kurento_object *object)
{
    return CONTAINER_OF(object, struct hub, object);
}

/* --- HubPort --- */

static int init_port(const struct kurento_call *call)
{
    struct kurento_element *port = kurento_element_of(call->object);
    kurento_element_init(port);
    port->hands_on = true;
    return kurento_element_hand_on(port, hub_of(port->object.parent)->source);
}

static void deinit_port(struct kurento_object *object)
{
    struct kurento_element *port = kurento_element_of(object);
    struct hub *hub = hub_of(object->parent);
    if (hub->source == port)
        hub->source = NULL;
    kurento_element_deinit(port);
}

static const struct kurento_param hub_param[] = {
    {.name = "hub", .type = KURENTO_OBJECT, .type_name = "Hub"},
};

const struct kurento_type kurento_hub_port_type = {
    .name = "HubPort",
    .module = "core",
    .base = &kurento_media_element_type,
    .size = sizeof(struct kurento_element),
    .params = hub_param,
    .n_params = ARRAY_LEN(hub_param),
    .init = init_port,
    .deinit = deinit_port,
};

static const struct kurento_operation hub_operations[] = {
    {"getGstreamerDot", kurento_dot_params, 1, kurento_get_dot},
    {"dumpGstreamerDot", kurento_dot_params, 1, kurento_dump_dot},
};

const struct kurento_type kurento_hub_type = {
    .name = "Hub",
    .base = &kurento_media_object_type,
    .operations = hub_operations,
    .n_operations = ARRAY_LEN(hub_operations),
};

/* --- what both dispatchers need --- */

static const struct kurento_param pipeline_param[] = {KURENTO_PIPELINE_PARAM};

static int check_port(const struct kurento_call *call, const struct kurento_object *port)
{
    if (port->parent == call->object)
        return 0;
    return kurento_fail(call->fault, KURENTO_E_CONNECT, "HubPort '%.200s' is of another hub",
                        port->id);
}

/* --- Dispatcher: any port to any port --- */

static int connect_ports(const struct kurento_call *call, json_t **ret)
{
    struct kurento_object *source = call->args[0].object, *sink = call->args[1].object;
    (void)ret;
    int err = check_port(call, source);
    if (!err)
        err = check_port(call, sink);
    return err ? err
               : kurento_element_hand_on(kurento_element_of(sink), kurento_element_of(source));
}

static const struct kurento_param connect_params[] = {
    {.name = "source", .type = KURENTO_OBJECT, .type_name = "HubPort"},
    {.name = "sink", .type = KURENTO_OBJECT, .type_name = "HubPort"},
};

static const struct kurento_operation dispatcher_operations[] = {
    {"connect", connect_params, ARRAY_LEN(connect_params), connect_ports},
};

const struct kurento_type kurento_dispatcher_type = {
    .name = "Dispatcher",
    .module = "elements",
    .base = &kurento_hub_type,
    .size = sizeof(struct hub),
    .params = pipeline_param,
    .n_params = ARRAY_LEN(pipeline_param),
    .operations = dispatcher_operations,
    .n_operations = ARRAY_LEN(dispatcher_operations),
};

/* --- DispatcherOneToMany: one port to all others --- */

static int hand_to_all(struct hub *hub, struct kurento_element *source)
{
    int err = 0;
    hub->source = source;
    LIST_FOREACH(node, &hub->object.children) {
        struct kurento_element *port =
            kurento_element_of(CONTAINER_OF(node, struct kurento_object, siblings));
        int one = kurento_element_hand_on(port, port == source ? NULL : source);
        err = err ? err : one;
    }
    return err;
}

static int set_source(const struct kurento_call *call, json_t **ret)
{
    struct kurento_object *source = call->args[0].object;
    (void)ret;
    int err = check_port(call, source);
    return err ? err : hand_to_all(hub_of(call->object), kurento_element_of(source));
}

static int remove_source(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    return hand_to_all(hub_of(call->object), NULL);
}

static const struct kurento_param source_param[] = {
    {.name = "source", .type = KURENTO_OBJECT, .type_name = "HubPort"},
};

static const struct kurento_operation one_to_many_operations[] = {
    {"setSource", source_param, 1, set_source},
    {"removeSource", NULL, 0, remove_source},
};

const struct kurento_type kurento_dispatcher_one_to_many_type = {
    .name = "DispatcherOneToMany",
    .module = "elements",
    .base = &kurento_hub_type,
    .size = sizeof(struct hub),
    .params = pipeline_param,
    .n_params = ARRAY_LEN(pipeline_param),
    .operations = one_to_many_operations,
    .n_operations = ARRAY_LEN(one_to_many_operations),
};
