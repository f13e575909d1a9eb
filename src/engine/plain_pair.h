/**
 * The two sockets of one endpoint of plain RTP, and the set in which a worker reads those of all of
 * its endpoints.
 *
 *     control thread   plain_pair_open ── with the endpoint ──▶ worker   plain_set_add … _remove
 *                                                                        plain_set_rx_batch
 *
 * An endpoint writes its datagrams itself, one system call each: they leave from different ports,
 * so there is nothing to be put together.
 */
#ifndef ENGINE_PLAIN_PAIR_H
#define ENGINE_PLAIN_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/dgram.h"

struct pipeline_endpoint;
struct plain_batch; /* what recvmmsg wants; private */

/** Datagrams of one socket in one batch: who floods his port gets no more of a turn. */
#define PLAIN_SET_SHARE 8

/** One port. Private. */
struct plain_socket {
    int fd; /**< owned; -1 = closed */
    struct addr local;
    struct pipeline_endpoint *owner;
};

struct plain_pair {
    bool is_v6;
    struct plain_socket rtp, rtcp;
};

/** The state of one that is not open. */
void plain_pair_init_off(struct plain_pair *p);

/**
 * Open RTP at this address and port, and RTCP at the port above it.
 *
 * @param dscp  0..SOCKET_MAX_DSCP
 * @return 0, or a negative errno (-EADDRINUSE, …): it is closed
 */
MUST_CHECK int plain_pair_open(struct plain_pair *p, const struct addr *at, unsigned dscp);

/** Legal on a closed one. */
void plain_pair_close(struct plain_pair *p);

/** To d->remote, from the socket whose port is that of d->local. Refused ones are counted. */
void plain_pair_send(const struct plain_pair *p, const struct dgram *d);

/** Owner: the worker. Fields are private but for epoll_fd and n. */
struct plain_set {
    int epoll_fd; /**< owned; readable when a datagram is there; -1 = nobody was ever added */
    size_t n;     /**< pairs */
    struct plain_batch *io; /**< owned */
};

/** Takes nothing: most workers never have such an endpoint. */
void plain_set_init(struct plain_set *s);

void plain_set_deinit(struct plain_set *s);

/** @return 0 or a negative errno */
MUST_CHECK int plain_set_add(struct plain_set *s, struct plain_pair *p,
                             struct pipeline_endpoint *owner);

/** Legal for one that is not in it. */
void plain_set_remove(struct plain_set *s, struct plain_pair *p);

/**
 * Receive what is there, without waiting; from each socket PLAIN_SET_SHARE at most.
 *
 * @param ret     up to SOCKET_BATCH datagrams; their bytes live in the set until the next call and
 *                may be changed and lengthened in place up to `cap`
 * @param owners  of the i-th datagram
 * @return number of datagrams; SOCKET_BATCH = there may be more
 */
size_t plain_set_rx_batch(struct plain_set *s, struct dgram *ret,
                          struct pipeline_endpoint **owners);

#endif
