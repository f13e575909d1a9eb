/** A WebRTC endpoint of the media engine under the name of a WebRtcEndpoint. */
#ifndef KURENTO_WEBRTC_ENDPOINT_H
#define KURENTO_WEBRTC_ENDPOINT_H

#include "engine/engine.h"
#include "kurento/sdp_endpoint.h"

/** Candidates that may come before there is an offer to which they belong. */
#define KURENTO_MAX_EARLY_CANDIDATES 64

/** Bytes of one of them. */
#define KURENTO_MAX_EARLY_SIZE 1024

enum kurento_webrtc_state {
    KURENTO_WEBRTC_NEW,        /**< no offer yet */
    KURENTO_WEBRTC_OFFERED,    /**< an offer of ours waits for its answer */
    KURENTO_WEBRTC_NEGOTIATED, /**< an answer was given, or came */
    KURENTO_WEBRTC_CONNECTED,  /**< ICE and DTLS are through */
    KURENTO_WEBRTC_ENDED,      /**< failed, or the other side is gone */
};

/** Of the ICE component, in the order in which it goes through them. RO names: IceComponentState.
 */
enum kurento_ice {
    KURENTO_ICE_DISCONNECTED,
    KURENTO_ICE_GATHERING,
    KURENTO_ICE_CONNECTING,
    KURENTO_ICE_CONNECTED, /**< a pair works */
    KURENTO_ICE_READY,     /**< a pair is nominated */
    KURENTO_ICE_FAILED,
};

enum kurento_dtls {
    KURENTO_DTLS_NEW,
    KURENTO_DTLS_CONNECTING,
    KURENTO_DTLS_CONNECTED,
    KURENTO_DTLS_FAILED,
    KURENTO_DTLS_CLOSED,
};

struct kurento_webrtc_endpoint {
    struct kurento_sdp_endpoint sdp;
    enum kurento_webrtc_state state;
    enum engine_direction direction; /**< of the constructor */
    struct engine_offered *offered;  /**< owned; in OFFERED, NULL otherwise */
    bool has_gathered;
    json_t *early; /**< owned: candidates that came too early; NULL = none */
    size_t n_candidates;
    char (*candidates)[ENGINE_CANDIDATE_TEXT_MAX]; /**< owned: ours; NULL = none yet */
    char mid[ENGINE_MID_MAX];
    int mline_index;
    enum kurento_ice ice;
    enum kurento_dtls dtls;
    struct engine_path path; /**< valid when has_path: the pair in use */
    bool has_path;
};

static inline struct kurento_webrtc_endpoint *kurento_webrtc_endpoint_of(struct kurento_object *o)
{
    return CONTAINER_OF(o, struct kurento_webrtc_endpoint, sdp.element.object);
}

#endif
