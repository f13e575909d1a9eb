/**
 * One end of plain RTP: no ICE, no DTLS (RTP/AVP, RTP/AVPF). SIP gateways, ffmpeg, GStreamer and
 * the like speak it. Or of SRTP with keys from the description (SDES: RTP/SAVP, RTP/SAVPF).
 *
 *     RTP  ─▶ latch: is it the other end? ─▶ probation of a new SSRC ─▶ account ─▶ to who hears it
 *     RTCP ─▶ same host, well-formed     ─▶ reports, BYE, NACK
 *
 * Each has ports of its own, because nothing in a packet tells whose it is. The other end's address
 * is that of its description, or learnt by the rules of peer/latch.h; SRTP proves itself. RTP and
 * RTCP have a port each, or share one (RFC 5761).
 *
 * The same verbs as struct peer, without a handshake.
 */
#ifndef PEER_PLAIN_H
#define PEER_PLAIN_H

#include "peer/figures.h"
#include "peer/latch.h"
#include "peer/peer.h"

/** Keys of SRTP, master key and salt one behind the other. Secrets. */
struct plain_keys {
    enum rtpsec_profile profile;                          /**< RTPSEC_NONE = nothing is encrypted */
    uint8_t local[RTPSEC_KEY_LEN + RTPSEC_MAX_SALT_LEN];  /**< of what we send */
    uint8_t remote[RTPSEC_KEY_LEN + RTPSEC_MAX_SALT_LEN]; /**< of what we receive */
};

/** What was agreed on: peer/plain_sdp.h. */
struct plain_params {
    struct peer_params media; /**< codecs, directions, SSRCs, NACK; the rest is not used */
    struct addr rtp, rtcp;    /**< the other end's, as for latch_init; rtcp not when is_muxed */
    bool is_muxed;            /**< RTCP on the port of RTP, both ways */
    struct plain_keys keys;
};

/** Our side. */
struct plain_local {
    struct addr rtp, rtcp; /**< our ports: what is sent bears one of them as `local` */
    struct str cname;
};

struct plain_srtp; /* sessions of both directions; private */

/** Embedded in its relay, which owns it. Hot members first. Fields are private. */
struct plain {
    struct plain_srtp *srtp;    /**< owned; NULL = nothing is encrypted */
    const struct peer_env *env; /**< borrowed */
    struct latch latch;         /**< of RTP */
    bool is_closed, may_send, may_receive, has_source, is_muxed;
    bool is_connected; /**< said so */
    bool has_event, has_bye;
    bool strips; /**< no header extension was agreed: none is sent */
    uint8_t n_codecs, n_ssrcs;
    uint32_t ssrcs[PEER_MAX_SSRCS]; /**< that the other end announced */
    struct peer_codec codecs[PEER_MAX_CODECS];
    struct rtp_recv_stats source; /**< valid when has_source: what we receive now */
    struct rtp_recv_stats next;   /**< an SSRC on probation; started = there is one */
    struct peer_measure measure;
    struct rtp_report report;
    struct peer_repair repair;
    struct peer_feedback feedback;
    uint8_t ext_send[PEER_N_EXT], ext_recv[PEER_N_EXT];
    struct plain_local local;
    struct addr rtcp_named;  /**< port 0 = none */
    struct addr rtcp_remote; /**< where RTCP goes; port 0 = not known */
    mono_us now;
    struct peer_loss loss_down;
};

/** @param env  borrowed until deinit; dtls is not used @return 0; -ENOMEM, -EIO: nothing to deinit
 */
MUST_CHECK int plain_init(struct plain *p, mono_us now, const struct plain_params *params,
                          const struct plain_local *local, const struct peer_env *env);

void plain_deinit(struct plain *p);

/**
 * A later description of the other end: hold, another address, other codecs, another key of its.
 * Whether it is encrypted, and our key, stay.
 *
 * @return 0; -ENOMEM, -EIO: close it
 */
MUST_CHECK int plain_renegotiate(struct plain *p, mono_us now, const struct plain_params *params);

/** Anything but RTP, from either port. @return 0, or a PEER_E_ code: drop and count */
int plain_input(struct plain *p, mono_us now, struct dgram *d);

void plain_timeout(struct plain *p, mono_us now);

/** RTCP and what is sent again. @param ret `data` with at least DGRAM_MAX of `cap` */
bool plain_poll_send(struct plain *p, struct dgram *ret);

/** PEER_EVENT_CONNECTED, once: the other end's address is known. */
bool plain_poll_event(struct plain *p, struct peer_event *ret);

mono_us plain_deadline(const struct plain *p);

/** Say goodbye (BYE waits to be polled); nothing else is sent or accepted afterwards. */
void plain_close(struct plain *p, mono_us now);

/**
 * Packet path, in.
 *
 * @param d    decrypted in place, where it is encrypted
 * @param ret  filled on success only
 * @return 0, or a PEER_E_ code: drop and count
 */
MUST_CHECK int plain_receive_rtp(struct plain *p, mono_us now, struct dgram *d,
                                 struct rtp_packet *ret);

/**
 * Packet path, out: address, account.
 *
 * @param d  with our SSRC; room for RTPSEC_RTP_OVERHEAD behind it. `local` and `remote` are set;
 * `data` and `len` change where the other end knows no header extensions
 *
 * @return 0, or a PEER_E_ code: drop and count
 */
MUST_CHECK int plain_send_rtp(struct plain *p, mono_us now, struct dgram *d,
                              const struct rtp_packet *packet);

/** Is its address known, and does it want to receive? */
static inline bool plain_may_send(const struct plain *p)
{
    return !p->is_closed && p->may_send && p->latch.current.port;
}

/** Packet path: as peer_rtp_due. */
static inline mono_us plain_rtp_due(const struct plain *p)
{
    return p->has_event             ? p->now
           : p->repair.nack.missing ? peer_repair_deadline(&p->repair)
                                    : MONO_NEVER;
}

/** Of what it is sent, the share that does not arrive, as it reports [1/256]. */
uint8_t plain_loss_down(struct plain *p);

void plain_figures(const struct plain *p, mono_us now, struct peer_figures *ret);

#endif
