/**
 * What the connections of a WebRtcEndpoint are like: ICE, DTLS, and what it takes for media. Each
 * change is an event, each state a property. Known from the engine's events, and from what was
 * asked of the endpoint.
 */
#ifndef KURENTO_WEBRTC_STATE_H
#define KURENTO_WEBRTC_STATE_H

#include "kurento/webrtc_endpoint.h"

/** Gathering begins; a connection that is there already is not told away by it. */
void kurento_webrtc_gathers(struct kurento_webrtc_endpoint *e);

/** Both sides' credentials are known: checks go out. After a restart of ICE, once more. */
void kurento_webrtc_connects(struct kurento_webrtc_endpoint *e);

/** For kurento_element.on_media. */
void kurento_webrtc_on_media(struct kurento_object *object, const struct engine_event *event);

/** Handlers. Before there is a state, the lists are empty. */
int kurento_webrtc_get_connection_state(const struct kurento_call *call, json_t **ret);
int kurento_webrtc_get_ice_connection_state(const struct kurento_call *call, json_t **ret);
int kurento_webrtc_get_dtls_connection_state(const struct kurento_call *call, json_t **ret);
int kurento_webrtc_get_ice_candidate_pairs(const struct kurento_call *call, json_t **ret);

#endif
