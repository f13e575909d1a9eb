/** SdpEndpoint: what negotiates; its descriptions, and the types between it and MediaElement. */
#ifndef KURENTO_SDP_ENDPOINT_H
#define KURENTO_SDP_ENDPOINT_H

#include "kurento/media_element.h"

struct kurento_sdp_endpoint {
    struct kurento_element element;
    char *local, *remote; /**< owned; NULL = none yet */
};

static inline struct kurento_sdp_endpoint *kurento_sdp_endpoint_of(struct kurento_object *object)
{
    return CONTAINER_OF(object, struct kurento_sdp_endpoint, element.object);
}

/** What the getters tell from now on; an empty one is missing yet. @return 0 or -ENOMEM: what they
 * told before */
MUST_CHECK int kurento_sdp_endpoint_keep(struct kurento_sdp_endpoint *e, struct str local,
                                         struct str remote);

/**
 * The first negotiation is through: both descriptions are kept, the event is told, and connections
 * come true.
 *
 * @param number  its endpoint, which the engine has made
 * @return 0 or -ENOMEM: that endpoint is released
 */
MUST_CHECK int kurento_sdp_endpoint_negotiated(struct kurento_sdp_endpoint *e, unsigned number,
                                               struct str local, struct str remote);

/** Its media has ended by itself. */
void kurento_sdp_endpoint_terminated(struct kurento_sdp_endpoint *e);

/** Is it no description at all? @param what  "offer" @return 0 or KURENTO_E_SDP_PARSE */
MUST_CHECK int kurento_sdp_refuse_text(const struct kurento_call *call, struct str text,
                                       const char *what);

/** @return KURENTO_E_NEGOTIATED */
MUST_CHECK int kurento_sdp_already_negotiated(const struct kurento_call *call);

void kurento_sdp_endpoint_deinit(struct kurento_sdp_endpoint *e);

#endif
