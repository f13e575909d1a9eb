/**
 * Offer and answer of plain RTP: RTP/AVP and RTP/AVPF (RFC 3264, RFC 3551, RFC 4585), and of SRTP
 * with keys in the description: RTP/SAVP and RTP/SAVPF with a=crypto (SDES, RFC 4568). Pure, like
 * peer/negotiate.h, whose codecs, directions and errors are the same; what differs is the
 * transport: real addresses and ports in place of ICE and DTLS.
 *
 *     m=audio 41000 RTP/AVP 0 101     c=IN IP4 192.0.2.7     a=rtcp:41001 or a=rtcp-mux
 */
#ifndef PEER_PLAIN_SDP_H
#define PEER_PLAIN_SDP_H

#include "peer/negotiate.h"
#include "peer/plain.h"
#include "sdp/crypto.h"

/** Our side of a description. Borrowed for the call. */
struct plain_side {
    struct addr addr;                /**< written in c= and m=: address and port of RTP */
    uint16_t rtcp_port;              /**< on the same address */
    uint32_t ssrc;                   /**< of what we send */
    struct str cname;                /**< RTCP CNAME; token */
    uint8_t key[SDP_CRYPTO_MAX_KEY]; /**< ours, for what we send encrypted; a secret */
    bool must_encrypt;        /**< offer SAVP, refuse AVP; otherwise as is offered, and offer AVP */
    uint64_t session_id;      /**< o= line, < 2^63 */
    uint64_t session_version; /**< one more with each description */
    bool never_sends, never_receives; /**< one way only, whatever is offered; not both */
};

/**
 * Where does an offer want its media? For choosing an address of ours before it is answered.
 *
 * @param ret_rtp  0.0.0.0 or :: = it does not say
 * @return 0, or a NEGOTIATE_E_ code: refuse the offer with err
 */
MUST_CHECK int plain_sdp_remote(const struct sdp *offer, struct addr *ret_rtp,
                                struct negotiate_error *err);

/**
 * Answer an offer: take its first plain audio line, refuse every other line.
 *
 * @param ret     what to configure a struct plain with
 * @param answer  the text is appended
 * @param err     NULL = not wanted; set when a positive code comes back
 *
 * @return 0
 *         NEGOTIATE_E_ADDRESS    no c= line with an address, or one that cannot be sent to
 *         NEGOTIATE_E_TOO_LONG   give more room or refuse the offer
 *         another NEGOTIATE_E_   refuse the offer with err
 *
 * On failure *ret and *answer are as before.
 */
MUST_CHECK int plain_sdp_answer(const struct sdp *offer, const struct plain_side *side,
                                struct plain_params *ret, struct text *answer,
                                struct negotiate_error *err);

/** Offer everything that can be relayed. @return 0, or NEGOTIATE_E_TOO_LONG: *offer is as before */
MUST_CHECK int plain_sdp_offer(const struct plain_side *side, struct text *offer);

/**
 * Read the answer to an offer of ours.
 *
 * @param offer  what plain_sdp_offer wrote with the same `side`
 * @return 0, or a NEGOTIATE_E_ code: refuse the answer with err; the offer still stands
 */
MUST_CHECK int plain_sdp_accept(const struct sdp *offer, const struct sdp *answer,
                                const struct plain_side *side, struct plain_params *ret,
                                struct negotiate_error *err);

#endif
