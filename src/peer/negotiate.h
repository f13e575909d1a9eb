/**
 * Offer and answer: which audio line, which codecs, which answer. Pure: text and structs only.
 *
 * Both people of a call send an offer and we answer both (RFC 9429, audio only).
 * A relay does not transcode, so the two offers are compared before either is answered:
 *
 *     sdp_parse(a), sdp_parse(b)
 *     negotiate_common(a, b, &set_a)       what a may use, given b
 *     negotiate_common(b, a, &set_b)       the same codecs at the same places
 *     negotiate_answer(a, &set_a, ...)     answer and peer_params of leg a
 *     negotiate_answer(b, &set_b, ...)
 *
 * Or we offer, and read what comes back:
 *
 *     negotiate_offer(local, ...)
 *     negotiate_accept(offer, answer, local, &set, ...)   peer_params of the leg
 *
 * A later offer of one leg, in the call, changes that leg only: the codecs stay those of the call.
 *
 *     negotiate_again(a2, b, &set_a, &set_a2)   set_a with the wishes that b has by now
 *     negotiate_is_restart(a2, a)               new ufrag and password of ours are needed
 *     negotiate_answer(a2, &set_a2, ...)        with local.before = a
 */
#ifndef PEER_NEGOTIATE_H
#define PEER_NEGOTIATE_H

#include "base/text.h"
#include "peer/params.h"
#include "sdp/sdp.h"

enum {
    NEGOTIATE_E_NO_AUDIO = 1, /**< no m=audio that is wanted (port 0 means unwanted) */
    NEGOTIATE_E_PROTO,        /**< its audio is not DTLS-SRTP with feedback (SAVPF) */
    NEGOTIATE_E_ICE,          /**< ICE credentials missing or malformed */
    NEGOTIATE_E_FINGERPRINT,  /**< no usable certificate fingerprint, or a malformed one */
    NEGOTIATE_E_SETUP,        /**< a=setup is holdconn or unknown */
    NEGOTIATE_E_RTCP_MUX,     /**< RTP and RTCP on one port is not offered */
    NEGOTIATE_E_NO_CODEC,     /**< no codec that can be relayed */
    NEGOTIATE_E_MID,          /**< a=mid that is not a token or longer than PEER_MAX_MID */
    NEGOTIATE_E_BUNDLE,       /**< audio is bundle-only, behind a line that cannot be accepted */
    NEGOTIATE_E_TOO_LONG,     /**< the answer does not fit into its buffer */
    NEGOTIATE_E_CHANGE,       /**< a later offer changes what stays as it is for a whole call */
    NEGOTIATE_E_ANSWER,       /**< an answer to our offer says what was not offered */
    NEGOTIATE_E_ADDRESS,      /**< plain RTP: no address that could be sent to */
    NEGOTIATE_E_CRYPTO,       /**< SDES: no a=crypto that can be used */
};

/** a=mid of the audio line of our offers, as Kurento has it. */
#define NEGOTIATE_MID "audio0"

/** Room for an answer to any browser's offer. The length depends on the offer's m= lines. */
#define NEGOTIATE_ANSWER_MAX 16384

/** Room for negotiate_error_write, the zero included. */
#define NEGOTIATE_ERROR_MAX 160

/** Why an offer, or an answer, was refused, for a person. */
struct negotiate_error {
    unsigned line;         /**< of it, 1-based; 0 = as a whole */
    const char *attribute; /**< "a=fingerprint", "m=audio"; static */
    const char *text;      /**< plain sentence without a full stop; static */
};

/** Codec of a set, with the wishes that its answer carries. */
struct codec {
    enum codec_id id;
    uint32_t clock_rate; /**< Hz */
    struct str fmtp;     /**< what the receiver behind us asks for; borrowed from its offer */
};

/** The codecs of one answer, in order of preference. */
struct codec_set {
    struct codec codecs[PEER_MAX_CODECS];
    unsigned n;            /**< [0] is never telephone-event */
    unsigned ptime_ms;     /**< asked for by the receiver behind us; 0 = not given */
    unsigned max_ptime_ms; /**< 0 = not given */
};

/** What an answer of ours settled; a later offer of the same leg is held to it. Borrowed. */
struct negotiate_before {
    const struct sdp *offer; /**< the last one that was answered */
    bool dtls_client;        /**< our role in the DTLS connection, of the first answer's params */
};

/** Our side of one leg. All borrowed for the call. */
struct negotiate_local {
    struct str ufrag;             /**< 4..256 ice-chars */
    struct str pwd;               /**< 22..256 ice-chars */
    uint8_t fingerprint[32];      /**< SHA-256 of our certificate */
    uint32_t ssrc;                /**< of what we send to this leg */
    struct str cname;             /**< RTCP CNAME; token */
    struct str msid;              /**< id of our stream and track; token; empty = no a=msid */
    uint64_t session_id;          /**< o= line, < 2^63 (RFC 9429 §5.2.1) */
    uint64_t session_version;     /**< one more with each answer (RFC 3264 §8) */
    const struct str *candidates; /**< "candidate:..." to embed; may be NULL */
    size_t n_candidates;
    bool end_of_candidates;                /**< those are all */
    bool ice_lite;                         /**< we only answer checks */
    bool red;                              /**< take RED (RFC 2198) when it is offered, offer it */
    bool never_sends, never_receives;      /**< one way only, whatever is offered; not both */
    const struct negotiate_before *before; /**< NULL = this is the leg's first offer */
};

/**
 * Can this offer be answered at all, whoever is at the other end?
 *
 * @param err  NULL = not wanted; set when a positive code comes back
 * @return 0, or a NEGOTIATE_E_ code: refuse the offer with err
 */
MUST_CHECK int negotiate_check(const struct sdp *offer, struct negotiate_error *err);

/**
 * The codecs that both legs have, for the answer to `offer`: Opus, then PCMU, PCMA, G.722, then
 * comfort noise for those that have none of their own, then telephone-event in the clock rates that
 * both have. Swapping the arguments gives the same
 * codecs in the same order; only the wishes (fmtp, ptime) are those of `other`.
 *
 * @return 0
 *         NEGOTIATE_E_NO_AUDIO, NEGOTIATE_E_PROTO  one of the offers; negotiate_check tells which
 *         NEGOTIATE_E_NO_CODEC                     nothing real in common (telephone-event, CN and
 * RED alone are not)
 *
 * *ret borrows from the text of `other`.
 */
MUST_CHECK int negotiate_common(const struct sdp *offer, const struct sdp *other,
                                struct codec_set *ret);

/** The codecs of one offer, when nobody is behind us yet; its wishes are echoed. */
MUST_CHECK int negotiate_own(const struct sdp *offer, struct codec_set *ret);

/**
 * The codecs of a later offer's answer: those that the call has, at their places. Two legs that
 * talk cannot lose one, because the other leg may be sending it at this moment, and cannot gain
 * one, because the other leg was not told of it.
 *
 * @param other  the last answered offer of the other leg
 * @param kept   of the call; only ids and clock rates are looked at
 *
 * @return 0
 *         NEGOTIATE_E_NO_CODEC   a codec of the call is not offered any more: refuse the offer
 *         another NEGOTIATE_E_   as negotiate_check
 *
 * *ret borrows from the text of `other`.
 */
MUST_CHECK int negotiate_again(const struct sdp *offer, const struct sdp *other,
                               const struct codec_set *kept, struct codec_set *ret);

/** Does this offer restart ICE (RFC 8839 §4.4.1.1.1: its ufrag or password is another one)? */
bool negotiate_is_restart(const struct sdp *offer, const struct sdp *before);

/**
 * Answer an offer: take the first usable audio line, refuse every other line. (One exception: when
 * the audio is bundle-only, the line that carries the transport is accepted as inactive.)
 *
 * @param set     of negotiate_common or negotiate_own with this offer
 * @param ret     what to configure the peer with; its candidates borrow from the offer's text
 * @param answer  the text is appended; give NEGOTIATE_ANSWER_MAX bytes
 * @param err     NULL = not wanted; set when a positive code comes back
 *
 * @return 0
 *         NEGOTIATE_E_TOO_LONG   give more room or refuse the offer
 *         another NEGOTIATE_E_   refuse the offer with err
 *
 * On failure *ret and *answer are as before. RFC 9429 §5.3, RFC 3264 §6,
 * RFC 8843 §7.3. We differ: docs/rfc/sdp.md
 */
MUST_CHECK int negotiate_answer(const struct sdp *offer, const struct codec_set *set,
                                const struct negotiate_local *local, struct peer_params *ret,
                                struct text *answer, struct negotiate_error *err);

/**
 * Write an offer: one audio line with everything that can be relayed (RFC 9429 §5.2.1). The leg may
 * take the DTLS role that it wants.
 *
 * @param local  `before` is not looked at
 * @param offer  the text is appended; give NEGOTIATE_ANSWER_MAX bytes
 * @return 0
 *         NEGOTIATE_E_TOO_LONG   give more room; *offer is as before
 */
MUST_CHECK int negotiate_offer(const struct negotiate_local *local, struct text *offer);

/**
 * Read the answer to an offer of ours.
 *
 * @param offer    what negotiate_offer wrote with the same `local`
 * @param ret_set  the codecs that were taken, in our order; borrows from the text of the answer
 * @param ret      what to configure the peer with; its candidates borrow from the answer's text
 * @param err      NULL = not wanted; set when a positive code comes back
 *
 * @return 0, or a NEGOTIATE_E_ code: refuse the answer with err; the offer still stands
 *
 * RFC 3264 §6, RFC 9429 §5.11. We differ: docs/rfc/sdp.md#we-offer
 */
MUST_CHECK int negotiate_accept(const struct sdp *offer, const struct sdp *answer,
                                const struct negotiate_local *local, struct codec_set *ret_set,
                                struct peer_params *ret, struct negotiate_error *err);

/** "line 12, a=fingerprint: ..." @param buf NEGOTIATE_ERROR_MAX bytes @return buf */
const char *negotiate_error_write(const struct negotiate_error *err, char *buf);

#endif
