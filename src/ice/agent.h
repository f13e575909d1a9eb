/**
 * ICE agent (RFC 8445) with trickle (RFC 8838), consent (RFC 7675) and patience (RFC 8863).
 *
 * One component (rtcp-mux), sans-IO: the agent owns no socket and finds no addresses. Many
 * agents share one port: the owner looks up the agent of a datagram (stun_peek_username for the
 * first one, the remote address later) and hands in STUN only.
 *
 * TCP (RFC 6544) is a property of addresses here: a connection is a remote address with a number
 * (struct addr.tcp), and pairs with local addresses of TCP only. Who opens, accepts and frames is
 * the owner; the agent opens none, so that its own TCP candidates are passive ones.
 *
 * After each call that takes `now` the owner drains ice_agent_poll_send and
 * ice_agent_poll_event, then re-arms its timer from ice_agent_deadline. One thread at a time.
 * Which RFC clauses are kept and which are not: docs/rfc/ice.md.
 */
#ifndef ICE_AGENT_H
#define ICE_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/dgram.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "ice/candidate.h"
#include "ice/consent.h"
#include "ice/credentials.h"
#include "ice/pairs.h"

/**
 * Pacing of ordinary checks. RFC 8445 §14.2: "ICE agents SHOULD use a default Ta value, 50 ms".
 * The first check after a pause of Ta, and every triggered check, goes out at once.
 */
#define ICE_TA (50 * US_PER_MS)

/**
 * No failure earlier than this after checking began. RFC 8863 §4: "The RECOMMENDED duration for
 * the PAC timer is equal to the agent's connectivity check transaction timeout, including all
 * retransmissions. When using default values … this amounts to 39.5 seconds".
 */
#define ICE_PATIENCE (39500 * US_PER_MS)

/**
 * As controlling: how long a valid pair waits for a better one before it is nominated. Three Ta:
 * a better pair that works has been checked by then in the usual two-address case.
 */
#define ICE_NOMINATION_PATIENCE (150 * US_PER_MS)

/**
 * After a nomination: how long better pairs may still take over by priority. Then the unused
 * pairs are freed, and any nomination of the controlling side counts, whatever its priority.
 */
#define ICE_SETTLE (5 * US_PER_S)

/**
 * Changes of our role by conflict in one generation. A peer needs one, or two when both sides drew
 * the same tie-breaker; each begins our checks anew. A peer that goes on claiming our role is only
 * told so: it must not keep us sending to addresses that it named and that may be others'.
 */
#define ICE_MAX_ROLE_SWITCHES 4

/** Sendings of a check to where only media came from: its source may be forged, and what we send
 * goes to whoever is there. Its own checks make it a pair like another. */
#define ICE_HEARSAY_SENDS 2

/** A valid pair that is not in use is forgotten when the peer was not heard on it for so long.
 * Chrome keeps spare paths warm with a check every 25 s; twice that and a bit. */
#define ICE_UNUSED_EXPIRY (60 * US_PER_S)

/** As controlled, before settling: a nominated path that was silent this long gives way to a worse
 * one. Browsers check the path in use at least every 2.5 s. */
#define ICE_SILENCE (3 * US_PER_S)

/** Bytes that the `cap` of a polled datagram must have at least. */
#define ICE_SEND_CAP 700

enum ice_state {
    ICE_NEW,       /**< no remote credentials yet */
    ICE_CHECKING,  /**< looking for a path; after a restart the old path may still be in use */
    ICE_CONNECTED, /**< a path works; not yet nominated */
    ICE_COMPLETED, /**< a path is nominated */
    ICE_FAILED,    /**< no path found, or consent lost. Only a restart leads out of it */
};

enum ice_event_type {
    ICE_EVENT_STATE,        /**< `state` is the new one */
    ICE_EVENT_VALIDATED,    /**< this pair may send us DTLS and media from now on */
    ICE_EVENT_INVALIDATED,  /**< this pair may no longer: forget its address */
    ICE_EVENT_SELECTED,     /**< send on this path from now on; may come again any time */
    ICE_EVENT_CONSENT_LOST, /**< stop sending. ICE_FAILED follows unless a restart is under way */
};

struct ice_event {
    enum ice_event_type type;
    enum ice_state state; /**< STATE */
    struct addr local;    /**< all but STATE: the base, fit for dgram.local */
    struct addr remote;   /**< all but STATE */
    struct addr mapped;   /**< VALIDATED: local as the peer sees it; all zero on a lite agent */
};

struct ice_config {
    bool lite;        /**< answer checks only (RFC 8445 §2.5); then always controlled */
    bool controlling; /**< initial role; an answerer is controlled. Overridden by lite sides */
    struct str ufrag; /**< 4-256 ice-chars, copied */
    struct str pwd;   /**< 22-256 ice-chars, copied */
};

/** Answers waiting to be polled; the owner drains after each datagram, so one is the rule. */
#define ICE_MAX_ANSWERS 2

/** An answer to a check; text is made when it is polled. */
struct ice_answer {
    struct addr local, remote;
    uint8_t id[STUN_ID_LEN];
    uint16_t code; /**< enum stun_code; 0 = success */
    bool is_old;   /**< authenticated by the credentials before the restart */
    uint8_t n_unknown;
    uint16_t unknown[STUN_MAX_UNKNOWN];
};

/**
 * Fields are private; embed it and use the functions. Owner: the peer. Heap behind it: see
 * ice_agent_heap.
 */
struct ice_agent {
    struct rng *rng; /**< borrowed */
    uint64_t tie_breaker;
    uint32_t transaction_tag; /**< how our transaction ids begin */
    bool lite;                /**< RO after init */
    bool remote_lite;         /**< of the current generation */
    bool is_controlling;      /**< current role */
    uint8_t n_role_switches;  /**< of the current generation, of ICE_MAX_ROLE_SWITCHES */
    bool local_is_fresh;      /**< the current generation has local credentials of its own */
    enum ice_state state;

    /* credentials; owned. old_ ones live from a restart until the new path has settled */
    struct ice_credentials *local, *remote, *old_local, *old_remote;

    struct ice_pairs pairs; /**< candidates and pairs of the current generation */
    mono_us next_check_at;  /**< not before this: pacing of ordinary checks */
    mono_us fail_at;        /**< patience ends; MONO_NEVER = checking has not begun */
    mono_us nominate_at;    /**< controlling: patience ends; MONO_NEVER = no valid pair yet */
    mono_us sweep_at;       /**< forget what is unused; MONO_NEVER = nothing to forget */
    bool is_settled;        /**< ICE_SETTLE has passed since the first nomination */

    /* the path in use; its consent */
    bool has_path;
    bool path_is_old; /**< it stems from before the restart */
    bool path_is_nominated;
    bool consent_send; /**< a consent check waits to be polled */
    bool has_last;     /**< last_ is set: the path before the restart, valid until we settle */
    struct addr path_local, path_remote;
    struct addr last_local, last_remote;
    struct ice_consent consent;

    uint8_t n_answers;
    struct ice_answer answers[ICE_MAX_ANSWERS];

    struct ice_event *events; /**< owned; NULL when there are none */
    uint16_t n_events, events_read, events_cap;
};

/**
 * @param config borrowed for the call
 * @param rng    borrowed until deinit: transaction identifiers, tie-breaker, consent jitter
 *
 * @return 0
 *         ICE_E_CREDENTIALS  refuse the call: the caller's own credentials are unfit
 *         -ENOMEM            nothing to deinit
 */
MUST_CHECK int ice_agent_init(struct ice_agent *a, const struct ice_config *config,
                              struct rng *rng);

/** Frees everything; legal on an agent that was zeroed or whose init failed. */
void ice_agent_deinit(struct ice_agent *a);

/**
 * Add a local candidate; before or after the remote ones. Local candidates survive a restart.
 * Checks that this makes possible are due at once: see ice_agent_deadline.
 *
 * @param c copied. Its base, from which datagrams leave, is `addr` for a host candidate whose
 *          `related` is zero, and `related` otherwise (server-reflexive, or an external address
 *          in front of a 1:1 NAT)
 *
 * @return 0              also for one that is known already
 *         ICE_E_ADDRESS  not a unicast address, or a TCP candidate whose base lacks ADDR_TCP
 *         ICE_E_LIMIT    more than ICE_MAX_LOCAL
 *         -ENOMEM        close the peer
 */
MUST_CHECK int ice_agent_add_local(struct ice_agent *a, const struct ice_candidate *c);

/**
 * Begin our transaction ids with this number (random unless set), so that the owner of many
 * agents on one port finds the one that an answer is for. The other 64 bits stay random. Before
 * the first datagram is polled; checks may have begun, their ids are changed, too.
 */
void ice_agent_set_transaction_tag(struct ice_agent *a, uint32_t tag);

/**
 * Set the remote credentials of an offer or answer. The first time checking starts. The same
 * ufrag and password again change nothing. Others are an ICE restart (RFC 8445 §9): a new
 * generation without remote candidates; the path in use goes on until the new generation has a
 * nominated pair. Call ice_agent_restart before or after, in the same breath, for the new local
 * credentials.
 *
 * @param remote_lite the peer said a=ice-lite: we take the controlling role
 *
 * @return 0
 *         ICE_E_CREDENTIALS  refuse the offer (RFC 8839 §5.4)
 *         ICE_E_UNSUPPORTED  both sides are lite: nobody would ask for consent; refuse the offer
 *         -ENOMEM            close the peer
 */
MUST_CHECK int ice_agent_set_remote(struct ice_agent *a, mono_us now, struct str ufrag,
                                    struct str pwd, bool remote_lite);

/**
 * Give the current generation new local credentials; when it has its own already, this begins a
 * new generation (see ice_agent_set_remote).
 *
 * @return 0, ICE_E_CREDENTIALS (nothing changed), -ENOMEM (close the peer)
 */
MUST_CHECK int ice_agent_restart(struct ice_agent *a, mono_us now, struct str ufrag,
                                 struct str pwd);

/**
 * Add a remote candidate; before or after ice_agent_set_remote. Once a path is nominated, more
 * candidates change nothing (the peer's own checks still do).
 *
 * @param c     copied. A TCP candidate without a connection (addr.tcp = 0) makes no pair: an
 *              active peer will connect, and becomes peer-reflexive by its first check
 * @param ufrag the generation it belongs to; empty = the current one
 *
 * @return 0                  also for one that is known already, and for an active TCP candidate
 *         ICE_E_UNSUPPORTED  another component, or TCP to which we would have to connect: ignore
 *         ICE_E_ADDRESS      not a unicast address, or loopback while we have no such candidate
 *         ICE_E_GENERATION   of other credentials: ignore
 *         ICE_E_LIMIT        more than ICE_MAX_REMOTE_CANDIDATES: ignore
 *         -ENOMEM            close the peer
 */
MUST_CHECK int ice_agent_add_remote(struct ice_agent *a, mono_us now, const struct ice_candidate *c,
                                    struct str ufrag);

/**
 * No more remote candidates of this generation will come (RFC 8838 §14). Nothing is decided by
 * it: nomination does not wait for candidates, and failure waits for ICE_PATIENCE anyway, because
 * the peer's checks may still show a way (RFC 8863 §3). It is here so that signaling has one
 * place to deliver it. @return 0 or -ENOMEM
 */
MUST_CHECK int ice_agent_end_of_candidates(struct ice_agent *a, mono_us now);

/**
 * Did a request of ours that is not answered yet have this transaction id (12 bytes)? What says no
 * would be ICE_E_NOT_OURS; asking is cheap.
 */
bool ice_agent_awaits(const struct ice_agent *a, const uint8_t *id);

/**
 * Feed one received STUN datagram (stun_is_message).
 *
 * @param now arrival [µs, monotonic]; must not go back
 * @param d   borrowed for the call; `local` is the address it was sent to
 *
 * @return 0                consumed
 *         ICE_E_MALFORMED  broken: drop and count
 *         ICE_E_NOT_OURS   unknown ufrag, address or transaction, or not authentic: drop, count.
 *                          Nothing is answered and nothing changed
 *         ICE_E_LIMIT      authentic, but from one address too many: drop and count
 *         -ENOMEM          agent unusable: close the peer
 */
MUST_CHECK int ice_agent_input(struct ice_agent *a, mono_us now, const struct dgram *d);

/**
 * Authentic media, the newest of its stream, came on this pair, and it is not the selected one: the
 * path follows it when the peer controls and the pair has answered a check of ours lately; when it
 * has not, or was never heard of, that check is sent now. Not for packets that are merely late:
 * they would lead back to where the peer was.
 *
 * @return 0, or -ENOMEM: close the peer
 */
MUST_CHECK int ice_agent_heard_media(struct ice_agent *a, mono_us now, const struct addr *local,
                                     const struct addr *remote);

/**
 * The connection behind a remote TCP address is closed: its pair is over. If it was the path, a
 * pair that was answered lately takes its place; else the path stays without effect until the
 * peer connects again or consent runs out (RFC 6544 §7.3).
 *
 * @return 0, also when there is no such pair; -ENOMEM: close the peer
 */
MUST_CHECK int ice_agent_disconnected(struct ice_agent *a, mono_us now, const struct addr *local,
                                      const struct addr *remote);

/** The time of ice_agent_deadline has come; earlier calls do no harm. @return 0 or -ENOMEM */
MUST_CHECK int ice_agent_timeout(struct ice_agent *a, mono_us now);

/**
 * Take the next datagram to send. Leaves from ret->local, which is a base of the local
 * candidates or the address where the answered check arrived.
 *
 * @param ret `data` and `cap` (at least ICE_SEND_CAP) are the caller's
 * @return false: nothing to send
 */
bool ice_agent_poll_send(struct ice_agent *a, struct dgram *ret);

/** Take the next event, oldest first. @return false: none */
bool ice_agent_poll_event(struct ice_agent *a, struct ice_event *ret);

/** When ice_agent_timeout must be called at the latest; MONO_NEVER = not at all. */
mono_us ice_agent_deadline(const struct ice_agent *a);

/** May this pair send us DTLS and media? The selected path, and each pair whose check worked. */
bool ice_agent_is_valid(const struct ice_agent *a, const struct addr *local,
                        const struct addr *remote);

/** The path to send on. @return false: none; *ret_ values untouched */
bool ice_agent_selected(const struct ice_agent *a, struct addr *ret_local, struct addr *ret_remote);

/**
 * The selected path as candidates, for who tells people of it: component 1, no related address,
 * `addr.tcp` zero. Foundations are not kept, and are "1".
 *
 * @return false: there is no path, or it is one from before a restart; *ret_ values untouched
 */
bool ice_agent_selected_pair(const struct ice_agent *a, struct ice_candidate *ret_local,
                             struct ice_candidate *ret_remote);

/** Bytes of heap held besides sizeof(struct ice_agent), without the allocator's own overhead. */
size_t ice_agent_heap(const struct ice_agent *a);

#endif
