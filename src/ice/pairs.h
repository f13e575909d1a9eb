/**
 * Candidates and pairs of one generation: the checklist of RFC 8445 §6.1.2 for one component.
 *
 * Local candidates with the same base are one entry here: pairs are made of bases, because that
 * is where datagrams leave (RFC 8445 §6.1.2.4 prunes the rest). Knows priorities, states and
 * limits; knows nothing of time, roles in conflict, or messages.
 */
#ifndef ICE_PAIRS_H
#define ICE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/time.h"
#include "ice/candidate.h"
#include "stun/transaction.h"

/** Local candidates: two families, a few networks, UDP and TCP, and what a NAT makes of them. */
#define ICE_MAX_LOCAL 18

/** Remote candidates by signaling; a browser with many networks sends about twenty. */
#define ICE_MAX_REMOTE_CANDIDATES 64

/** Remote addresses that were learnt from authentic checks, besides. */
#define ICE_MAX_PRFLX 16

/** RFC 8445 §6.1.2.5 recommends 100 pairs; the worst ones beyond it are not made. */
#define ICE_MAX_PAIRS 100

struct ice_local {
    struct addr addr; /**< as the peer knows it */
    struct addr base; /**< from where datagrams leave */
    uint32_t priority;
};

struct ice_remote {
    struct addr addr;
    uint8_t type; /**< enum ice_type */
    uint32_t priority;
    uint32_t tag; /**< of its ufrag (ice_pairs_tag); 0 = any */
};

enum ice_pair_state {
    ICE_PAIR_WAITING,
    ICE_PAIR_IN_PROGRESS,
    ICE_PAIR_SUCCEEDED,
    ICE_PAIR_FAILED,
};

struct ice_pair {
    uint64_t priority;          /**< RFC 8445 §6.1.2.3; higher goes first */
    struct stun_transaction tx; /**< of the check that runs */
    mono_us heard_at;           /**< last authentic request or answer; 0 = never */
    mono_us answered_at;        /**< last authentic answer to a check; 0 = never */
    uint8_t local;              /**< index: the first entry with this base */
    uint8_t remote;             /**< index */
    uint8_t state;              /**< enum ice_pair_state */
    bool is_triggered;          /**< its check is due at once (RFC 8445 §6.1.4.1) */
    bool is_valid;              /**< in the valid list (RFC 8445 §7.2.5.3.2) */
    bool is_nominated;
    bool peer_nominates; /**< the peer's check had USE-CANDIDATE; counts once the pair is valid */
    bool tx_nominates;   /**< our running check has USE-CANDIDATE */
    bool must_send;      /**< the check waits to be polled */
    bool is_hearsay;     /**< only media came from there: neither a check nor an answer */
};

struct ice_pairs {
    struct ice_local *locals;   /**< owned */
    struct ice_remote *remotes; /**< owned */
    struct ice_pair *pairs;     /**< owned, in no order */
    uint8_t n_locals, n_remotes, n_prflx, n_pairs;
    uint8_t remotes_cap, pairs_cap;
    bool is_controlling; /**< for the priorities */
};

/**
 * Room for what a browser with one or two addresses brings. Made with the agent, where all its
 * memory is made: on another thread these small arrays would each keep a page from being given
 * back when the handshakes around them are over (15 KB a call, measured).
 */
#define ICE_USUAL_REMOTES 4
#define ICE_USUAL_PAIRS   4

/** Make that room in an empty list. @return 0 or -ENOMEM: ice_pairs_deinit is needed */
MUST_CHECK int ice_pairs_reserve(struct ice_pairs *p);

/** All zero is an empty list. Frees everything. */
void ice_pairs_deinit(struct ice_pairs *p);

/** Forget remote candidates and pairs, keep the local candidates: a restart. */
void ice_pairs_clear(struct ice_pairs *p);

/** A short tag of a ufrag, never 0 for one that is not empty. Not secret, not unique. */
uint32_t ice_pairs_tag(struct str ufrag);

/** @return 0 (also when known), ICE_E_LIMIT, -ENOMEM */
MUST_CHECK int ice_pairs_add_local(struct ice_pairs *p, const struct addr *addr,
                                   const struct addr *base, uint32_t priority);

/**
 * Remote candidate by signaling: make its pairs. One that was peer-reflexive so far becomes
 * what signaling says and keeps its pairs (RFC 8838 §11).
 *
 * @return 0 (also when known), ICE_E_ADDRESS, ICE_E_LIMIT, -ENOMEM
 */
MUST_CHECK int ice_pairs_add_remote(struct ice_pairs *p, const struct addr *addr,
                                    enum ice_type type, uint32_t priority, uint32_t tag);

/**
 * The pair on which an authentic check came, made when it is new, with a peer-reflexive remote
 * candidate where needed (RFC 8445 §7.3.1.3, §7.3.1.4).
 *
 * @param base a base of the local candidates, of the transport of `remote`; anything else is
 *             ICE_E_ADDRESS
 * @return 0, ICE_E_ADDRESS, ICE_E_LIMIT, -ENOMEM
 */
MUST_CHECK int ice_pairs_learn(struct ice_pairs *p, const struct addr *base,
                               const struct addr *remote, uint32_t priority, uint32_t tag,
                               struct ice_pair **ret);

/** Remote candidates of other ufrags than this one go, with their pairs. */
void ice_pairs_keep_tag(struct ice_pairs *p, uint32_t tag);

/** The role changed: all priorities anew. */
void ice_pairs_set_role(struct ice_pairs *p, bool is_controlling);

/** Is there a local candidate with this base? */
bool ice_pairs_has_base(const struct ice_pairs *p, const struct addr *base);

/** May datagrams go to this remote address at all? Unicast; loopback only if we have one, too. */
bool ice_pairs_accepts(const struct ice_pairs *p, const struct addr *remote);

/** NULL = none */
struct ice_pair *ice_pairs_find(const struct ice_pairs *p, const struct addr *base,
                                const struct addr *remote);
struct ice_pair *ice_pairs_find_transaction(const struct ice_pairs *p, const uint8_t *id);

/** Best of those waiting; NULL = none. */
struct ice_pair *ice_pairs_next_waiting(const struct ice_pairs *p);

/** Best of the valid ones; NULL = none. */
struct ice_pair *ice_pairs_best_valid(const struct ice_pairs *p);

const struct addr *ice_pair_local(const struct ice_pairs *p, const struct ice_pair *pair);
const struct addr *ice_pair_remote(const struct ice_pairs *p, const struct ice_pair *pair);

/** Take one pair out; the last one moves to its place. */
void ice_pairs_remove(struct ice_pairs *p, struct ice_pair *pair);

/** Forget remote candidates without pairs and give memory back. */
void ice_pairs_compact(struct ice_pairs *p);

/** Bytes of heap. */
size_t ice_pairs_heap(const struct ice_pairs *p);

#endif
