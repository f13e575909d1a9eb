/**
 * What one peer is configured with once its offer has been answered: the outcome of
 * peer/negotiate.h, without any SDP in it.
 */
#ifndef PEER_PARAMS_H
#define PEER_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sdp/attr.h"

#define PEER_MAX_CODECS       10 /**< all that is known, telephone-event at four clocks */
#define PEER_MAX_FINGERPRINTS 4
#define PEER_MAX_SSRCS        8
#define PEER_MAX_CANDIDATES   64
#define PEER_MAX_MID          64
#define PEER_MAX_ICE_TEXT     256 /**< RFC 8839 §5.4: ufrag and password */

/** Codecs that can be relayed. Adding one = a value here and a row in negotiate.c. */
enum codec_id {
    CODEC_OPUS,
    CODEC_PCMU,
    CODEC_PCMA,
    CODEC_G722,
    CODEC_CN,              /**< comfort noise, RFC 3389; goes along with a codec of its clock */
    CODEC_TELEPHONE_EVENT, /**< RFC 4733; goes along with a codec, never alone */
};

/**
 * One codec of a leg. The same codec has the same place in both legs of a call, and
 * (id, clock_rate) is its identity: payload types are translated by it.
 */
struct peer_codec {
    enum codec_id id;
    uint8_t pt;          /**< of this leg, both directions; 0..63 or 96..127 (RFC 5761 §4) */
    uint8_t channels;    /**< of the RTP clock's format; Opus always 2 */
    uint32_t clock_rate; /**< Hz of the RTP timestamp; G.722: 8000 (RFC 3551 §4.5.2) */
};

/** RTP header extensions that we know. Adding one = a value here and a row in negotiate_read.c. */
enum peer_ext {
    PEER_EXT_AUDIO_LEVEL,  /**< RFC 6464 */
    PEER_EXT_TRANSPORT_CC, /**< transport-wide sequence number; received, never sent */
    PEER_N_EXT,
};

/** RTCP extended reports (RFC 3611 §5.1) that a leg was asked for. */
enum peer_xr {
    PEER_XR_REFERENCE, /**< rcvr-rtt: its reference time is answered */
    PEER_XR_SUMMARY,   /**< stat-summary */
    PEER_XR_VOIP,      /**< voip-metrics */
    PEER_N_XR,
};

/** What this leg asks to be sent (RFC 7587 §6.1; defaults where it says nothing). */
struct peer_opus {
    uint32_t max_playback_rate_hz; /**< 8000..48000 */
    uint32_t max_bitrate_bps;      /**< 0 = not given */
    bool stereo;
    bool inband_fec;
    bool dtx;
    bool cbr;
};

/**
 * About 2 KB. Everything is a copy, except the candidates: views into the text of the offer,
 * to be parsed (ice/candidate.h) while that is there.
 */
struct peer_params {
    struct peer_codec codecs[PEER_MAX_CODECS]; /**< in order of preference; [0] is real audio */
    unsigned n_codecs;                         /**< at least 1 */
    uint8_t red_pt;                            /**< RED that carries codecs[0]; 0 = not agreed */
    struct peer_opus opus;                     /**< only when an Opus is among the codecs */
    unsigned ptime_ms;                         /**< asked for by this leg; 0 = not given */
    unsigned max_ptime_ms;                     /**< 0 = not given */

    uint8_t ext_send[PEER_N_EXT]; /**< id (1..14) that we send it with; 0 = do not send */
    uint8_t ext_recv[PEER_N_EXT]; /**< id (1..14) that it may come with; 0 = not agreed */

    bool may_send;          /**< we may send media to this leg */
    bool may_receive;       /**< this leg may send media to us */
    bool reduced_size_rtcp; /**< RFC 5506 agreed */
    bool nack;              /**< generic NACK (RFC 4585 §6.2.1) answered, both directions */
    bool remb;              /**< REMB agreed; transport-cc is when ext_recv has its id */
    bool xr[PEER_N_XR];
    uint32_t local_ssrc;            /**< of what we send */
    uint32_t ssrcs[PEER_MAX_SSRCS]; /**< announced by this leg, in its order; a hint only */
    unsigned n_ssrcs;

    char remote_ufrag[PEER_MAX_ICE_TEXT + 1];
    char remote_pwd[PEER_MAX_ICE_TEXT + 1];
    bool remote_lite;    /**< RFC 8445 §2.5: we are controlling then */
    bool remote_trickle; /**< RFC 8838: candidates of ours may come after the answer */
    struct str candidates[PEER_MAX_CANDIDATES]; /**< "candidate:..."; borrowed from the offer */
    unsigned n_candidates;
    bool remote_end_of_candidates; /**< no more will be trickled */

    bool dtls_client; /**< we send the ClientHello */
    /** The certificate must match one; at least 1. */
    struct sdp_fingerprint fingerprints[PEER_MAX_FINGERPRINTS];
    unsigned n_fingerprints;

    char mid[PEER_MAX_MID + 1]; /**< of the audio line; empty = it has none */
    unsigned mline_index;       /**< of the audio line, counted from 0 */
};

#endif
