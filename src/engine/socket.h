/**
 * The UDP port of a worker, read and written in batches.
 *
 * rx_batch and tx_batch are a seam: nothing above them knows that there are system calls behind,
 * nor that a wildcard port is two sockets, one for each family. On a wildcard address the local
 * address of every datagram is learnt and kept (IP_PKTINFO), so that an answer leaves from where
 * the question arrived, also on a machine with many addresses.
 */
#ifndef ENGINE_SOCKET_H
#define ENGINE_SOCKET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/dgram.h"

#define SOCKET_BATCH 64

/** Room behind a received datagram for what protect adds (SRTP tag, SRTCP index). */
#define SOCKET_TAIL_ROOM 64

struct socket_batch; /* the arrays that recvmmsg and sendmmsg want; private */

/** IPv4 and IPv6. */
#define SOCKET_FAMILIES 2

/** One family of a port. Private. */
struct socket_family {
    int fd;     /**< owned */
    bool is_v6; /**< AF_INET6, with IPV6_V6ONLY */
};

/** Fields are private but for `bound`. */
struct socket {
    struct socket_family families[SOCKET_FAMILIES];
    unsigned n_families;     /**< 0 = closed */
    unsigned first;          /**< the family that is read first the next time */
    bool is_wildcard;        /**< bound to no particular address: use packet info */
    struct addr bound;       /**< public: with the real port */
    struct socket_batch *io; /**< owned */
};

/**
 * Open and bind.
 *
 * @param listen 0.0.0.0 or ::  = every address, of both families when the kernel has IPv6;
 *               a port of 0 lets the system choose, the same one for both families
 * @return 0, or a negative errno (-EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOMEM, …)
 */
MUST_CHECK int socket_open(struct socket *s, const struct addr *listen);

/** Largest DSCP (RFC 2474 §3: six bits). */
#define SOCKET_MAX_DSCP 63

/**
 * Mark everything that is sent from now on with a differentiated services code point.
 *
 * @param dscp 0..SOCKET_MAX_DSCP; 0 = best effort. 46 = expedited forwarding (RFC 3246), which
 *             RFC 8837 §5 recommends for interactive audio
 * @return 0, or a negative errno
 */
MUST_CHECK int socket_set_dscp(struct socket *s, unsigned dscp);

/** Can it reach IPv6 peers? */
bool socket_has_v6(const struct socket *s);

/**
 * What to wait on until a datagram is there.
 *
 * @param ret room for SOCKET_FAMILIES
 * @return number of entries
 */
nfds_t socket_poll_fds(const struct socket *s, struct pollfd *ret);

/** Legal on a closed one. */
void socket_close(struct socket *s);

/**
 * Receive what is there, without waiting.
 *
 * @param ret up to SOCKET_BATCH datagrams; their bytes live in the socket until the next call and
 *            may be changed and lengthened in place up to `cap`
 * @return number of datagrams, 0 = nothing there
 */
size_t socket_rx_batch(struct socket *s, struct dgram *ret);

/**
 * Send up to SOCKET_BATCH datagrams. What the kernel refuses is dropped and counted: a datagram
 * has no other fate on the network either.
 */
void socket_tx_batch(struct socket *s, const struct dgram *dgrams, size_t n);

/** @return false for a family that is not IP */
bool socket_addr_from_sa(const struct sockaddr *sa, struct addr *ret);

/** @param is_v6  the socket's family, and the address's @return length of *ret */
socklen_t socket_addr_to_sa(bool is_v6, const struct addr *addr, struct sockaddr_storage *ret);

#endif
