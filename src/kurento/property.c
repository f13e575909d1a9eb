/* Settings that are kept and given back: see the header. */
#include "kurento/property.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "kurento/private.h"

#define MAX_NAME  64
#define MAX_VALUE 1024

/* What a client reads before it wrote anything; what is not here is an empty string. */
static const struct {
    const char *name;
    int value;
} defaults[] = {
    {"stunServerPort", 3478},       {"iceTcp", 1},
    {"maxAudioRecvBandwidth", 0},   {"maxVideoRecvBandwidth", 0},
    {"minVideoRecvBandwidth", 0},   {"minVideoSendBandwidth", 100},
    {"maxVideoSendBandwidth", 500}, {"minOutputBitrate", 0},
    {"maxOutputBitrate", 0},        {"mtu", 1200},
};

/* "setTurnUrl" → "turnUrl" */
static const char *property_of(const struct kurento_operation *operation, char buf[MAX_NAME])
{
    size_t len = strlen(operation->name) - 3;
    if (len >= MAX_NAME)
        return "";
    memcpy(buf, operation->name + 3, len + 1);
    buf[0] = (char)tolower((unsigned char)buf[0]);
    return buf;
}

int kurento_property_set(const struct kurento_call *call, json_t **ret)
{
    char name[MAX_NAME];
    struct kurento_object *object = call->object;
    (void)ret;
    if (call->args[0].string.len > MAX_VALUE)
        return kurento_fail(call->fault, KURENTO_E_ARGUMENT, "'%s' has %zu bytes: %d at most",
                            call->operation->params[0].name, call->args[0].string.len, MAX_VALUE);
    if (!object->properties)
        object->properties = json_object();
    json_t *copy = json_deep_copy(call->args[0].json);
    return json_object_set_new(object->properties, property_of(call->operation, name), copy)
               ? -ENOMEM
               : 0;
}

int kurento_property_get(const struct kurento_call *call, json_t **ret)
{
    char buf[MAX_NAME];
    const char *name = property_of(call->operation, buf);
    *ret = json_incref(json_object_get(call->object->properties, name));
    for (size_t i = 0; i < ARRAY_LEN(defaults) && !*ret; i++) {
        if (strcmp(name, defaults[i].name) == 0)
            *ret = json_integer(defaults[i].value);
    }
    if (!*ret)
        *ret = json_string("");
    return 0;
}
