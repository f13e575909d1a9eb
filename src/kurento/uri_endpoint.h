/**
 * UriEndpoint: what goes into a file, or comes out of one. The types derived from it know how:
 * record or play, pause and stop are rows of theirs.
 */
#ifndef KURENTO_URI_ENDPOINT_H
#define KURENTO_URI_ENDPOINT_H

#include "kurento/media_element.h"

enum kurento_uri_state { KURENTO_URI_STOP, KURENTO_URI_START, KURENTO_URI_PAUSE };

struct kurento_uri_endpoint {
    struct kurento_element element;
    char *uri;                    /**< owned, RO: as it was given */
    enum kurento_uri_state state; /**< as it was asked for, which getState tells */
};

static inline struct kurento_uri_endpoint *kurento_uri_endpoint_of(struct kurento_object *object)
{
    return CONTAINER_OF(object, struct kurento_uri_endpoint, element.object);
}

/** First thing in a constructor; makes the element, too. @return 0 or -ENOMEM */
MUST_CHECK int kurento_uri_endpoint_init(struct kurento_uri_endpoint *e, struct str uri);

/** Behind kurento_element_deinit; legal when init failed. */
void kurento_uri_endpoint_deinit(struct kurento_uri_endpoint *e);

/** UriEndpointStateChanged: it is so far. */
void kurento_uri_endpoint_tell(struct kurento_uri_endpoint *e, enum kurento_uri_state state);

#endif
