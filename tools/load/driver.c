/* The list of drivers, and what they share. */
#include "load/driver.h"

#include <stdlib.h>

#include "base/mem.h"

static const struct driver *const drivers[] = {&driver_one2one, &driver_janus, &driver_rtpengine};

const struct driver *driver_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    }
    return NULL;
}

void driver_session_deinit(struct driver_session *s)
{
    json_decref(s->message);
    s->message = NULL;
}

void driver_send(struct driver_session *s, const char *prefix, json_t *message)
{
    size_t prefix_len = strlen(prefix);
    char *json = message ? json_dumps(message, JSON_COMPACT) : NULL;
    char *text = json ? mem_alloc(prefix_len + strlen(json) + 1) : NULL;
    if (text) {
        memcpy(text, prefix, prefix_len);
        memcpy(text + prefix_len, json, strlen(json) + 1);
        ws_send(s->ws, str_of(text));
    }
    mem_free(text);
    free(json);
    json_decref(message);
}

void driver_load(struct driver_session *s, struct str text)
{
    json_decref(s->message);
    s->message = json_loadb(text.p, text.len, 0, NULL);
}

const char *driver_string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}
