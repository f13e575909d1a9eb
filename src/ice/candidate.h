/**
 * ICE candidates: the text of SDP and trickle messages (RFC 8839 §5.1, RFC 6544 §4.5) to a struct
 * and back, and the priority formulas (RFC 8445 §5.1.2).
 */
#ifndef ICE_CANDIDATE_H
#define ICE_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/str.h"

/** What the functions of this module answer besides 0 and negative errno. */
enum ice_error {
    ICE_E_SYNTAX = 1,   /**< not a candidate: count it; a strict caller tells the sender */
    ICE_E_UNRESOLVABLE, /**< a host name, as browsers hide addresses behind mDNS: ignore it */
    ICE_E_UNSUPPORTED,  /**< another component, another transport: ignore it */
    ICE_E_ADDRESS,      /**< multicast, unspecified, port 0, loopback from afar: ignore it */
    ICE_E_LIMIT,        /**< more than this agent remembers: ignore it */
    ICE_E_GENERATION,   /**< belongs to other credentials than the current ones: ignore it */
    ICE_E_CREDENTIALS,  /**< ufrag or password too short, too long or with foreign characters */
    ICE_E_NOT_OURS,     /**< STUN for nobody here, or not authentic: drop and count */
    ICE_E_MALFORMED,    /**< broken STUN: drop and count */
};

enum ice_type { ICE_HOST, ICE_SRFLX, ICE_PRFLX, ICE_RELAY };

enum ice_transport { ICE_UDP, ICE_TCP };

/** RFC 6544 §4.5; ICE_TCP_NONE for UDP. */
enum ice_tcptype { ICE_TCP_NONE, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE, ICE_TCP_SO };

/** RFC 8839 §5.1: foundation = 1*32ice-char. */
#define ICE_FOUNDATION_MAX 32

/** Room for ice_candidate_write, the zero included. */
#define ICE_CANDIDATE_TEXT_MAX 256

struct ice_candidate {
    enum ice_type type;
    enum ice_transport transport;
    enum ice_tcptype tcptype;
    uint16_t component;                      /**< 1-256; 1 = RTP, the only one with rtcp-mux */
    uint32_t priority;                       /**< 1 - 2^31-1 */
    char foundation[ICE_FOUNDATION_MAX + 1]; /**< zero-terminated */
    struct addr addr;                        /**< transport address */
    struct addr related; /**< raddr/rport; all zero = absent. Of a local candidate: its base */
};

/**
 * Parse the value of an a=candidate line, with or without leading "a=" and "candidate:".
 *
 * Words are told apart without regard to case. Unknown extensions (generation, ufrag,
 * network-cost, …) are skipped; see ice_candidate_ufrag. Syntax is checked before meaning, so a
 * candidate of another component with a broken port is ICE_E_SYNTAX. `addr.tcp` is zero also for
 * a TCP candidate: there is no connection yet.
 *
 * @param text not empty: an empty one means "end of candidates" and is the caller's to tell
 * @param ret  set on 0 only
 *
 * @return 0                   a UDP or TCP candidate of component 1 with a unicast address
 *         ICE_E_SYNTAX        not a candidate
 *         ICE_E_UNRESOLVABLE  its address is a name (".local" or other): ignore, do not wait
 *         ICE_E_UNSUPPORTED   another component, transport or type, TCP without tcptype: ignore
 *         ICE_E_ADDRESS       not a unicast address, or port 0: ignore
 */
MUST_CHECK int ice_candidate_parse(struct str text, struct ice_candidate *ret);

/**
 * The `ufrag` extension of a candidate line (browsers add it to trickled candidates): which
 * generation it belongs to.
 *
 * @return borrowed from text; empty = none
 */
struct str ice_candidate_ufrag(struct str text);

/**
 * Write "candidate:1 1 UDP 2015363327 192.0.2.5 45678 typ host", the form that libnice and
 * Kurento Media Server use: transport in capitals, no "a=", raddr/rport where related is set.
 * An address is written as it is; hiding a base from the world is the caller's decision (leave
 * `related` zero, or set it to 0.0.0.0 port 9).
 *
 * @param buf ICE_CANDIDATE_TEXT_MAX bytes, zero-terminated on return
 * @return characters written, without the zero
 */
size_t ice_candidate_write(const struct ice_candidate *c, char *buf);

/**
 * RFC 8445 §5.1.2.1 for component 1: 2^24 type preference + 2^8 local preference + 255.
 *
 * @param local_preference 0-65535; 65535 when there is one address only
 */
uint32_t ice_candidate_priority(enum ice_type type, uint16_t local_preference);

/** Largest other_preference of ice_candidate_tcp_priority: 13 bits. */
#define ICE_OTHER_PREFERENCE_MAX 8191

/**
 * The same for TCP (RFC 6544 §4.2): a type preference below that of each UDP type, and local
 * preference = 2^13 direction preference + other preference.
 *
 * @param other_preference 0 - ICE_OTHER_PREFERENCE_MAX
 */
uint32_t ice_candidate_tcp_priority(enum ice_type type, enum ice_tcptype tcptype,
                                    uint16_t other_preference);

/** RFC 8445 §6.1.2.3: 2^32 MIN(G,D) + 2 MAX(G,D) + (G>D); G is the controlling side's. */
uint64_t ice_pair_priority(uint32_t controlling, uint32_t controlled);

#endif
