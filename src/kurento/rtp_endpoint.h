/** An endpoint of plain RTP of the media engine under the name of an RtpEndpoint. */
#ifndef KURENTO_RTP_ENDPOINT_H
#define KURENTO_RTP_ENDPOINT_H

#include "engine/engine.h"
#include "kurento/sdp_endpoint.h"

enum kurento_rtp_state {
    KURENTO_RTP_NEW,        /**< nothing was said yet */
    KURENTO_RTP_OFFERED,    /**< an offer of ours waits for its answer */
    KURENTO_RTP_NEGOTIATED, /**< an answer was given, or came */
    KURENTO_RTP_CONNECTED,  /**< where the other end is, is known */
    KURENTO_RTP_ENDED,      /**< it broke, on our side */
};

struct kurento_rtp_endpoint {
    struct kurento_sdp_endpoint sdp;
    enum kurento_rtp_state state;
    bool use_ipv6;                        /**< of the constructor; for offers of ours */
    bool is_encrypted;                    /**< of the constructor: SDES, with `sdes` */
    struct engine_sdes sdes;              /**< wiped */
    struct engine_plain_offered *offered; /**< owned; in OFFERED, NULL otherwise */
};

#endif
