/**
 * Settings of media objects that clients write and read back: bandwidths of video, addresses of
 * STUN and TURN servers. A relay on one port for all has no use for most of them; an application
 * that sets them must not fail because of it.
 */
#ifndef KURENTO_PROPERTY_H
#define KURENTO_PROPERTY_H

#include "kurento/type.h"

/** Handlers of "setXxx" {"xxx": value} and of "getXxx". */
int kurento_property_set(const struct kurento_call *call, json_t **ret);
int kurento_property_get(const struct kurento_call *call, json_t **ret);

/** Handler of what has no meaning without video or an encoder: taken, and nothing follows. */
int kurento_property_ignore(const struct kurento_call *call, json_t **ret);

/** The two rows of a property. @param row of kurento_param, with its name */
#define KURENTO_PROPERTY(Name, row)                                                                \
    {"set" Name, &(row), 1, kurento_property_set},                                                 \
    {                                                                                              \
        "get" Name, NULL, 0, kurento_property_get                                                  \
    }

#endif
