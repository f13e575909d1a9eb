/**
 * The UDP socket of a worker, read and written in batches.
 *
 * rx_batch and tx_batch are a seam: nothing above them knows that there are system calls behind.
 * On a wildcard address the local address of every datagram is learnt and kept (IP_PKTINFO), so
 * that an answer leaves from where the question arrived, also on a machine with many addresses.
 */
#ifndef ENGINE_SOCKET_H
#define ENGINE_SOCKET_H

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

struct socket {
    int fd;                  /**< owned; -1 = closed */
    bool is_v6;              /**< AF_INET6; IPv4 peers appear as mapped addresses */
    bool is_wildcard;        /**< bound to no particular address: use packet info */
    struct addr bound;       /**< with the real port */
    struct socket_batch *io; /**< owned */
};

/**
 * Open and bind.
 *
 * @param listen 0.0.0.0 or ::  = every address, of both families when the kernel has IPv6;
 *               a port of 0 lets the system choose
 * @return 0, or a negative errno (-EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOMEM, …)
 */
MUST_CHECK int socket_open(struct socket *s, const struct addr *listen);

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

#endif
