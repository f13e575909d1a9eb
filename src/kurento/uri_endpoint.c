/* UriEndpoint: see the header. */
#include "kurento/uri_endpoint.h"

#include <errno.h>

#include "base/mem.h"
#include "kurento/private.h"
#include "kurento/types.h"

static const char *const state_words[] = {
    [KURENTO_URI_STOP] = "STOP",
    [KURENTO_URI_START] = "START",
    [KURENTO_URI_PAUSE] = "PAUSE",
};

int kurento_uri_endpoint_init(struct kurento_uri_endpoint *e, struct str uri)
{
    kurento_element_init(&e->element);
    e->uri = mem_strdup(uri);
    return e->uri ? 0 : -ENOMEM;
}

void kurento_uri_endpoint_deinit(struct kurento_uri_endpoint *e)
{
    mem_free(e->uri);
    e->uri = NULL;
}

void kurento_uri_endpoint_tell(struct kurento_uri_endpoint *e, enum kurento_uri_state state)
{
    kurento_emit(&e->element.object, "UriEndpointStateChanged",
                 json_pack("{s:s}", "state", state_words[state]));
}

/* --- the row --- */

static int get_uri(const struct kurento_call *call, json_t **ret)
{
    *ret = json_string(kurento_uri_endpoint_of(call->object)->uri);
    return 0;
}

static int get_state(const struct kurento_call *call, json_t **ret)
{
    *ret = json_string(state_words[kurento_uri_endpoint_of(call->object)->state]);
    return 0;
}

static const struct kurento_operation operations[] = {
    {"getUri", NULL, 0, get_uri},
    {"getState", NULL, 0, get_state},
};

static const char *const events[] = {"UriEndpointStateChanged", NULL};

const struct kurento_type kurento_uri_endpoint_type = {
    .name = "UriEndpoint",
    .base = &kurento_endpoint_type,
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
