/**
 * A listening TCP socket on the loop.
 *
 * The HTTP library could listen by itself; this is ours because its own listener gives no usable
 * error text, spins when descriptors run out, and passes descriptors on to child processes.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/addr.h"
#include "base/compiler.h"
#include "net/loop.h"

struct net_listener;

/** @param fd non-blocking, close-on-exec, TCP_NODELAY set; now the callee's */
typedef void (*net_accept_fn)(void *user, int fd, const struct addr *remote,
                              const struct addr *local);

/**
 * Bind and listen.
 *
 * @param key       name of the setting ("http.listen"), for the error text
 * @param listen    "a.b.c.d:port", or "[v6]:port"; "[::]" takes both families. Port 0: the system
 *                  chooses
 * @param ret_error NET_ERROR_MAX bytes, filled on failure
 *
 * @return 0, NET_E_CONFIG (not an address, in use, not ours, not permitted), or a negative errno
 */
MUST_CHECK int net_listener_new(struct net_loop *loop, const char *key, const char *listen,
                                net_accept_fn handler, void *user, struct net_listener **ret,
                                char *ret_error);

/** Where it really listens. */
const struct addr *net_listener_addr(const struct net_listener *listener);

/** Closes the socket at once. NULL is legal. */
void net_listener_free(struct net_listener *listener);

#endif
