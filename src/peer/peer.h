/**
 * One WebRTC peer: ICE, DTLS, SRTP and RTP over one path, after its offer was answered.
 *
 * Datagrams and time in, datagrams and events out; no socket, thread or clock. There are two ways
 * in. Everything that is rare goes through peer_input and the polls (STUN, DTLS, RTCP). RTP goes
 * through peer_receive_rtp and peer_send_rtp, which work in place and call nothing back: they are
 * the packet path.
 *
 *     datagram ─ RFC 7983 ─┬ 0..3     STUN  → ice
 *                          ├ 20..63   DTLS  → dtls, from addresses that ICE validated
 *                          └ 128..191 RTCP  → rtpsec → report;   RTP → peer_receive_rtp
 */
#ifndef PEER_PEER_H
#define PEER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/rng.h"
#include "base/time.h"
#include "dtls/conn.h"
#include "dtls/context.h"
#include "ice/agent.h"
#include "peer/feedback.h"
#include "peer/loss.h"
#include "peer/measure.h"
#include "peer/params.h"
#include "peer/repair.h"
#include "rtp/packet.h"
#include "rtp/recv_stats.h"
#include "rtp/report.h"
#include "rtpsec/session.h"

/** Drop reasons and outcomes; each: drop and count. */
enum peer_error {
    PEER_E_PROTOCOL = 1, /**< no protocol of ours in the first byte */
    PEER_E_STUN,         /**< malformed, or not authentic */
    PEER_E_NO_CONSENT,   /**< DTLS from an address that ICE has not validated */
    PEER_E_NO_KEYS,      /**< media before the DTLS handshake is through */
    PEER_E_AUTH,         /**< SRTP or SRTCP that does not authenticate */
    PEER_E_REPLAY,       /**< seen before */
    PEER_E_MALFORMED,    /**< RTP or RTCP that breaks its own rules */
    PEER_E_DIRECTION,    /**< media against the negotiated direction */
    PEER_E_NO_PATH,      /**< sending: no path, or no keys yet */
    PEER_E_FEEDBACK, /**< RTCP that we have no use for; what else was in its datagram was taken */
    PEER_E_SOURCE,   /**< plain RTP or RTCP that is not, or not yet, the other end's */
};

/** What the peers of one worker share; RO after init, outlives them. */
struct peer_env {
    struct rtpsec_provider *srtp;
    struct dtls_context *dtls;
    struct rng *rng;
    uint64_t ntp_offset; /**< NTP time at monotonic time 0 */
    bool ice_lite;
};

/** Our own side of a peer, as its answer told the other. Borrowed for the call. */
struct peer_local {
    bool is_offerer; /**< we sent the offer: we begin in the controlling role (RFC 8445 §6.1.1) */
    struct str ufrag, pwd;
    struct str cname;
    const struct ice_candidate *candidates; /**< local candidates */
    size_t n_candidates;
};

/** One way only; see the table in peer.c. */
enum peer_state {
    PEER_CHECKING,  /**< looking for a path */
    PEER_SECURING,  /**< a path is valid, DTLS runs */
    PEER_CONNECTED, /**< media may flow */
    PEER_ENDED,
};

enum peer_end {
    PEER_END_ICE_FAILED,
    PEER_END_DTLS_FAILED,
    PEER_END_CONSENT_LOST,
    PEER_END_REMOTE_CLOSED, /**< authenticated close_notify */
    PEER_END_BROKEN,        /**< out of memory or the like, on this side */
};

enum peer_event_type {
    PEER_EVENT_VALIDATED,   /**< route datagrams from `remote` to this peer */
    PEER_EVENT_INVALIDATED, /**< no longer */
    PEER_EVENT_PATH,        /**< peer_path is another one, or is nominated now */
    PEER_EVENT_CONNECTED,
    PEER_EVENT_ENDED, /**< once; nothing is sent from now on */
};

struct peer_event {
    enum peer_event_type type;
    struct addr remote;     /**< VALIDATED, INVALIDATED */
    enum peer_end end;      /**< ENDED */
    enum dtls_failure dtls; /**< ENDED with PEER_END_DTLS_FAILED */
};

/** The pair of candidates in use. */
struct peer_path {
    struct ice_candidate local, remote; /**< as ice_agent_selected_pair */
    bool is_nominated;                  /**< ICE is through: a better pair will not come */
};

/**
 * A path that changes again is told after this time at the earliest: who moves with every packet
 * costs his own line, not our signaling. Found by what a person reads: ten changes a second are
 * one to him.
 */
#define PEER_PATH_INTERVAL (100 * US_PER_MS)

/** Events that can wait between two drains; what is more waits inside `ice`. */
#define PEER_MAX_EVENTS 8

/** A datagram that came too early, kept until ICE has validated its address. */
struct peer_held;

/** Embedded in its relay, which owns it. Hot members first. Fields are private. */
struct peer {
    /* the packet path */
    struct rtpsec_rx rx;
    struct rtpsec_tx tx;
    _Alignas(CACHE_LINE) const struct peer_env *env;
    enum peer_state state;
    bool has_path, may_send, may_receive, has_source;
    uint8_t n_codecs;
    uint8_t red_pt; /**< of what both sides send; 0 = none */
    struct addr path_local, path_remote;
    uint32_t local_ssrc;
    struct rtp_recv_stats source; /**< valid when has_source: what we receive now */
    struct peer_measure measure;
    struct rtp_report report;
    struct peer_repair repair;
    struct peer_feedback feedback;
    uint8_t ext_send[PEER_N_EXT], ext_recv[PEER_N_EXT];
    struct peer_codec codecs[PEER_MAX_CODECS];

    /* the rest */
    struct ice_agent ice;
    struct dtls_conn dtls;
    bool has_dtls, is_dtls_client;
    bool has_bye;                          /**< an RTCP BYE waits to be polled */
    struct addr dtls_local, dtls_remote;   /**< where DTLS last came from, until there is a path */
    struct dtls_fingerprint *fingerprints; /**< owned, until DTLS begins */
    uint8_t n_fingerprints;
    struct peer_held *held;              /**< owned; NULL = none */
    mono_us now;                         /**< of the last input, timeout or API call */
    mono_us path_told_at;                /**< last PEER_EVENT_PATH */
    bool path_is_news;                   /**< another one is due */
    struct peer_loss loss_up, loss_down; /**< of this leg, before repair */
    uint8_t onward_loss;                 /**< of the line that its packets go on over [1/256] */
    uint8_t n_events;
    struct peer_event events[PEER_MAX_EVENTS];
};

/**
 * @param params  of peer/negotiate.h; its candidates are read now, while their text is there
 * @param env     borrowed until deinit
 * @param p       aligned to a cache line
 *
 * @return 0
 *         ICE_E_CREDENTIALS, ICE_E_UNSUPPORTED  refuse the offer (see ice_agent_set_remote)
 *         -ENOMEM   nothing to deinit
 */
MUST_CHECK int peer_init(struct peer *p, mono_us now, const struct peer_params *params,
                         const struct peer_local *local, const struct peer_env *env);

/** Wipes the keys. Legal on a zeroed struct. */
void peer_deinit(struct peer *p);

/**
 * Begin our transaction ids with this number, so that the owner of many peers on one port finds
 * the one that an answer is for. The other 64 bits stay random. Before the first poll.
 */
void peer_set_transaction_tag(struct peer *p, uint32_t tag);

/** A candidate that was trickled. @return as ice_agent_add_remote */
MUST_CHECK int peer_add_candidate(struct peer *p, mono_us now, const struct ice_candidate *c,
                                  struct str ufrag);

/**
 * Take over what a later offer of this leg and our answer to it agreed on: codecs, header
 * extensions, directions, feedback. SSRC, numbering, keys and the DTLS connection stay.
 *
 * @param params  of negotiate_answer with `before`. Its candidates are read now
 * @param ufrag, pwd  ours from now on: ICE restarts (RFC 8445 §9), the path in use serves until
 *                    the new one is nominated, and also when that never comes. Empty = no restart;
 *                    the offer has new credentials if and only if these are not empty
 *
 * @return 0
 *         ICE_E_CREDENTIALS, ICE_E_UNSUPPORTED  as ice_agent_set_remote; nothing changed
 *         -ENOMEM                               close the peer
 */
MUST_CHECK int peer_renegotiate(struct peer *p, mono_us now, const struct peer_params *params,
                                struct str ufrag, struct str pwd);

/** @return 0 or -ENOMEM: close the peer */
MUST_CHECK int peer_end_of_candidates(struct peer *p, mono_us now);

/** The connection behind a remote TCP address is closed: see ice_agent_disconnected. */
void peer_disconnected(struct peer *p, mono_us now, const struct addr *local,
                       const struct addr *remote);

/** @return false: none, or one from before an ICE restart; ret is untouched */
bool peer_path(const struct peer *p, struct peer_path *ret);

/** As ice_agent_awaits. */
bool peer_awaits(const struct peer *p, const uint8_t *id);

/**
 * Feed one datagram that is not RTP.
 *
 * @return 0, or a PEER_E_ code: drop and count. What breaks on our side is PEER_END_BROKEN
 */
MUST_CHECK int peer_input(struct peer *p, mono_us now, const struct dgram *d);

/** The time of peer_deadline has come; earlier calls do no harm. */
void peer_timeout(struct peer *p, mono_us now);

/** @param ret `data` with at least DGRAM_MAX of `cap` is the caller's */
bool peer_poll_send(struct peer *p, struct dgram *ret);

bool peer_poll_event(struct peer *p, struct peer_event *ret);

mono_us peer_deadline(const struct peer *p);

/**
 * Say goodbye: RTCP BYE and DTLS close_notify wait to be polled, nothing else is sent or accepted
 * afterwards. No event comes of it.
 */
void peer_close(struct peer *p, mono_us now);

/**
 * The share of what the client is sent that does not come at once [1/256]: what it asked for again,
 * over the last seconds.
 */
uint8_t peer_loss_down(struct peer *p);

/**
 * What the client sends is lost further on, too: the reports to it tell both lines (peer/loss.h).
 *
 * @param share  peer_loss_down of who hears it; the worst, if they are many
 */
static inline void peer_set_onward_loss(struct peer *p, uint8_t share)
{
    p->onward_loss = share;
}

/**
 * Packet path, in: authenticate and decrypt in place, parse, account.
 *
 * @param d    from an address routed to this peer; `len` shrinks by the tag
 * @param ret  filled on success only
 *
 * @return 0, or a PEER_E_ code: drop and count
 */
MUST_CHECK int peer_receive_rtp(struct peer *p, mono_us now, struct dgram *d,
                                struct rtp_packet *ret);

/**
 * Packet path, out: encrypt in place, address, account.
 *
 * @param d       plain RTP with our SSRC; room for RTPSEC_RTP_OVERHEAD behind it. `len`, `local`
 *                and `remote` are set
 * @param packet  of the plain packet
 *
 * @return 0, or a PEER_E_ code: drop and count
 */
MUST_CHECK int peer_send_rtp(struct peer *p, mono_us now, struct dgram *d,
                             const struct rtp_packet *packet);

/** RFC 7983 §7: "[20..63] -> forward to DTLS". */
static inline bool peer_is_dtls(const uint8_t *data, size_t len)
{
    return len > 0 && data[0] >= 20 && data[0] <= 63;
}

/** Is there a path, are there keys, and does the leg want to receive? */
static inline bool peer_may_send(const struct peer *p)
{
    return p->state == PEER_CONNECTED && p->has_path && p->may_send;
}

/**
 * Packet path: when the peer wants its timeout because of the packet that just came, which may be
 * earlier than peer_deadline said before it.
 */
static inline mono_us peer_rtp_due(const struct peer *p)
{
    mono_us at = peer_feedback_due(&p->feedback);
    return p->repair.nack.missing ? mono_min(at, peer_repair_deadline(&p->repair)) : at;
}

/** Redundancy brought what was missing: `seq` is not asked for any more. */
static inline void peer_recovered(struct peer *p, uint16_t seq, mono_us now)
{
    rtp_nack_repaired(&p->repair.nack, seq, now);
}

/** Codec of a payload type of this leg; NULL = not negotiated. */
static inline const struct peer_codec *peer_codec_of(const struct peer *p, uint8_t pt)
{
    for (unsigned i = 0; i < p->n_codecs; i++) {
        if (p->codecs[i].pt == pt)
            return &p->codecs[i];
    }
    return NULL;
}

/** "checking", "securing", … */
const char *peer_state_name(enum peer_state state);

#endif
