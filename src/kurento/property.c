/* Settings that are kept and given back: see the header. */
#include "kurento/property.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "kurento/private.h"

#define MAX_NAME  64
#define MAX_VALUE 1024

/* What a client reads before it wrote anything, as JSON; what is not here is an empty string. */
static const struct {
    const char *name, *json;
} defaults[] = {
    {"stunServerPort", "3478"},
    {"iceTcp", "true"},
    {"mtu", "1200"},
    {"maxAudioRecvBandwidth", "0"},
    {"maxVideoRecvBandwidth", "0"},
    {"minVideoRecvBandwidth", "0"},
    {"minVideoSendBandwidth", "100"},
    {"maxVideoSendBandwidth", "500"},
    {"encoderBitrate", "300000"},
    {"minEncoderBitrate", "0"},
    {"maxEncoderBitrate", "0"},
    {"outputBitrate", "300000"},
    {"minOutputBitrate", "0"},
    {"maxOutputBitrate", "0"},
    {"minOuputBitrate", "0"}, /* as Kurento 6 spelt it */
    {"maxOuputBitrate", "0"},
    {"rembParams",
     "{\"__module__\":\"kurento\",\"__type__\":\"RembParams\",\"decrementFactor\":0.5,"
     "\"exponentialFactor\":0.04,\"linealFactorGrade\":30.0,\"linealFactorMin\":50,"
     "\"packetsRecvIntervalTop\":100,\"rembOnConnect\":300000,\"thresholdFactor\":0.8,"
     "\"upLosses\":12}"},
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

static json_t *value_of(const struct kurento_object *object, const char *name)
{
    json_t *value = json_incref(json_object_get(object->properties, name));
    for (size_t i = 0; i < ARRAY_LEN(defaults) && !value; i++) {
        if (strcmp(name, defaults[i].name) == 0)
            value = json_loads(defaults[i].json, JSON_DECODE_ANY, NULL);
    }
    return value ? value : json_string("");
}

/* Of a complex value those members change that are given; it has no others than its default. */
static json_t *changed(const struct kurento_call *call, const char *name)
{
    const struct kurento_value *given = &call->args[0];
    if (!json_is_object(given->json))
        return json_deep_copy(given->json);
    json_t *before = value_of(call->object, name), *value = json_deep_copy(before);
    json_decref(before);
    (void)json_object_update_existing(value, (json_t *)(uintptr_t)given->json);
    return value;
}

int kurento_property_set(const struct kurento_call *call, json_t **ret)
{
    char buf[MAX_NAME];
    const char *name = property_of(call->operation, buf);
    struct kurento_object *object = call->object;
    size_t size = json_dumpb(call->args[0].json, NULL, 0, JSON_ENCODE_ANY);
    (void)ret;
    if (size > MAX_VALUE)
        return kurento_fail(call->fault, KURENTO_E_ARGUMENT, "'%s' has %zu bytes: %d at most",
                            call->operation->params[0].name, size, MAX_VALUE);
    if (!object->properties)
        object->properties = json_object();
    return json_object_set_new(object->properties, name, changed(call, name)) ? -ENOMEM : 0;
}

int kurento_property_get(const struct kurento_call *call, json_t **ret)
{
    char buf[MAX_NAME];
    *ret = value_of(call->object, property_of(call->operation, buf));
    return 0;
}

int kurento_property_ignore(const struct kurento_call *call, json_t **ret)
{
    (void)call;
    (void)ret;
    return 0;
}
