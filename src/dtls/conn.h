/**
 * One DTLS-SRTP association: handshake, exported keys, authenticated end. Sans-IO.
 *
 * RFC 6347 (DTLS 1.2), RFC 5764 (use_srtp), RFC 5763 and 8842 (roles, when to start),
 * RFC 8827 §6.5. Clause by clause: docs/rfc/dtls.md.
 *
 *     NEW ── start / first datagram ──> HANDSHAKE ──> CONNECTED ── close ──> CLOSED
 *                                          └──> FAILED
 *
 * What the owner must see to:
 * - Only datagrams from an address that ICE has validated may come in, and dtls_conn_start is
 *   called only when ICE has such a pair (RFC 8842 §6). This replaces the cookie exchange.
 * - After each call drain dtls_conn_poll_send and dtls_conn_poll_event, then re-arm from
 *   dtls_conn_deadline.
 *
 * What may end it: before CONNECTED a failed or too slow handshake; afterwards an authenticated
 * close_notify and nothing else. Consent (RFC 7675) is what ends a call whose peer is gone.
 *
 * Time. OpenSSL 3.0 runs its retransmission timer on the wall clock. Here it never expires by
 * itself: the library is given an endless duration, reports through the BIO when it starts and
 * stops its timer, and is told that it has expired when `now` says so. No clock is read for
 * anything that this header promises, so a test in virtual time loses flights as it likes.
 *
 * Cost: 75 KB of heap during the handshake. The client gives it back when it is connected, the
 * server DTLS_LINGER later (it may have to send its last flight again); then none is left.
 */
#ifndef DTLS_CONN_H
#define DTLS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/time.h"
#include "dtls/close_alert.h"
#include "dtls/context.h"
#include "dtls/fingerprint.h"
#include "dtls/srtp_keys.h"

/** Fingerprints of one SDP description that are compared; browsers send one. */
#define DTLS_MAX_FINGERPRINTS 4

/** Largest datagram made: fits the IPv6 minimum of 1280 bytes with room for IP, UDP and TURN. */
#define DTLS_MTU 1200

/**
 * First wait for an answer. RFC 6347 §4.2.4.1 says one second, "unless the application knows
 * better": ICE has just shown that the path works and people wait for this handshake; browsers
 * start at 50 ms. A flight sent too early costs 1 KB.
 */
#define DTLS_RTO_INITIAL (100 * US_PER_MS)
/** Waits double up to here, instead of RFC 6347's 60 s: a loss must not cost a call's beginning. */
#define DTLS_RTO_MAX (3 * US_PER_S)

/** From the start to CONNECTED. A flight and ten repeats of it at the waits above. */
#define DTLS_HANDSHAKE_TIMEOUT (20 * US_PER_S)

/**
 * A fatal alert in the clear can be anybody's, so that it proves nothing: the handshake is given
 * up only if the peer then sends no handshake message for this long.
 */
#define DTLS_ALERT_GRACE (2 * US_PER_S)

/** How long the server keeps its last flight. The client's waits between repeats end at 3 s to
 * 60 s, by implementation; after 30 s without media nobody is waiting any more. */
#define DTLS_LINGER (30 * US_PER_S)

enum dtls_failure {
    DTLS_FAILURE_FINGERPRINT,     /**< certificate is not one that signaling promised */
    DTLS_FAILURE_NO_SRTP_PROFILE, /**< no use_srtp, or no profile in common */
    DTLS_FAILURE_HANDSHAKE,       /**< no version, cipher or certificate; broken messages */
    DTLS_FAILURE_PEER_ALERT,      /**< the peer gave up (and fell silent) */
    DTLS_FAILURE_TIMEOUT,         /**< DTLS_HANDSHAKE_TIMEOUT passed */
    DTLS_FAILURE_MEMORY,          /**< OpenSSL ran out of memory */
};

/** Words for a log line; constant storage. */
const char *dtls_failure_text(enum dtls_failure failure);

enum dtls_event_type {
    DTLS_EVENT_CONNECTED, /**< once; keys */
    DTLS_EVENT_FAILED,    /**< once, the end; failure. An alert may be waiting in poll_send */
    DTLS_EVENT_CLOSED,    /**< once, the end: authenticated close_notify of the peer */
};

struct dtls_event {
    enum dtls_event_type type;
    /** CONNECTED; borrowed, wiped by the next dtls_conn_poll_event or dtls_conn_deinit */
    const struct dtls_srtp_keys *keys;
    enum dtls_failure failure; /**< FAILED */
    const char *detail;        /**< FAILED: OpenSSL's words or NULL; constant storage */
};

enum dtls_state {
    DTLS_STATE_NEW,
    DTLS_STATE_HANDSHAKE,
    DTLS_STATE_CONNECTED,
    DTLS_STATE_FAILED,
    DTLS_STATE_CLOSED,
};

enum dtls_conn_error {
    DTLS_CONN_E_IGNORED = 1, /**< nothing in the datagram was of use: drop and count */
};

struct dtls_handshake;

/** Owned by the peer, which must not move it. All fields are private; 0.5 KB. */
struct dtls_conn {
    enum dtls_state state;
    bool is_client;                      /**< RO after init */
    bool is_event_pending;               /**< the one event of `state` has not been polled yet */
    bool is_keys_borrowed;               /**< `keys` was given out: wipe at the next poll */
    enum dtls_failure failure;           /**< of FAILED */
    const char *detail;                  /**< of FAILED; constant storage or NULL */
    struct dtls_handshake *handshake;    /**< owned; NULL when its 75 KB are given back */
    mono_us linger_until;                /**< when that is; MONO_NEVER before CONNECTED */
    struct dtls_srtp_keys keys;          /**< wiped when the owner has seen them */
    struct dtls_close_alert close_alert; /**< from CONNECTED on */
    uint8_t last_words[DTLS_CLOSE_ALERT_MAX]; /**< our close_notify, waiting for poll_send */
    size_t last_words_len;                    /**< bytes, 0 = none */
};

/**
 * @param is_client  RFC 5763 §5: true for a=setup:active on our side
 * @param ctx        must outlive the connection
 * @param fps        what the peer's SDP promised; copied; any one of them must match
 * @param n_fps      1…DTLS_MAX_FINGERPRINTS; none or more is a bug of the caller
 *
 * @return 0, or -ENOMEM: nothing is held, dtls_conn_deinit is legal
 */
MUST_CHECK int dtls_conn_init(struct dtls_conn *conn, struct dtls_context *ctx, bool is_client,
                              const struct dtls_fingerprint *fps, size_t n_fps);

/** Wipes keys, frees all. Sends nothing: dtls_conn_close does. A zeroed struct is legal. */
void dtls_conn_deinit(struct dtls_conn *conn);

/**
 * ICE has a pair: the client sends its hello, the server begins to count its time. A second call
 * does nothing. A server may also be started by the first datagram; a client that was not
 * started ignores what comes in.
 */
void dtls_conn_start(struct dtls_conn *conn, mono_us now);

/**
 * Feed one received datagram (RFC 7983: first byte 20…63).
 *
 * @param data  borrowed for the call
 *
 * @return 0                    something in it was used, or given to OpenSSL, which does not tell
 *         DTLS_CONN_E_IGNORED  malformed, forged, repeated or out of place: drop and count
 *
 * Failures are events, not results. About 0.3 ms of CPU for a flight of the handshake.
 */
int dtls_conn_input(struct dtls_conn *conn, mono_us now, const uint8_t *data, size_t len);

/** To be called at dtls_conn_deadline or later; harmless before. */
void dtls_conn_timeout(struct dtls_conn *conn, mono_us now);

/** MONO_NEVER = nothing to wait for. */
mono_us dtls_conn_deadline(const struct dtls_conn *conn);

/**
 * @param dgram  data and cap (>= DTLS_MTU) are the caller's, data and len are filled; the
 *               addresses are not touched: they are the ICE pair's
 *
 * @return false = nothing more to send
 */
bool dtls_conn_poll_send(struct dtls_conn *conn, struct dgram *dgram);

/** @return false = nothing happened */
bool dtls_conn_poll_event(struct dtls_conn *conn, struct dtls_event *ret);

/**
 * End it. When connected one close_notify is queued, also after the linger time; before that
 * nothing is, since an alert in the clear would prove nothing to the peer. No event follows.
 */
void dtls_conn_close(struct dtls_conn *conn, mono_us now);

#endif
