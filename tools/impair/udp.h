/**
 * UDP sockets by struct addr: non-blocking, closed on exec.
 */
#ifndef IMPAIR_UDP_H
#define IMPAIR_UDP_H

#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/compiler.h"

/**
 * A socket bound to an address.
 *
 * @param bound  in: where; a port of 0 lets the system choose. Out: with the real port
 * @return descriptor, or a negative errno
 */
MUST_CHECK int impair_udp_bind(struct addr *bound);

/**
 * A socket that talks to one address only.
 *
 * @param from  local address, NULL = the kernel chooses; its port is a new one in any case
 * @return descriptor, or a negative errno
 */
MUST_CHECK int impair_udp_connect(const struct addr *to, const struct addr *from);

/** @return bytes, or a negative errno (-EAGAIN: nothing there) */
MUST_CHECK ssize_t impair_udp_receive(int fd, void *buf, size_t cap, struct addr *ret_from);

/** @param to  NULL on a connected socket. @return 0 or a negative errno */
MUST_CHECK int impair_udp_send(int fd, const struct addr *to, const void *data, size_t len);

#endif
