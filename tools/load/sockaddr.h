/** struct addr to the socket API's form and back. */
#ifndef LOAD_SOCKADDR_H
#define LOAD_SOCKADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/addr.h"

/** @param is_v6 the socket is of AF_INET6: IPv4 becomes a mapped address. @return its length */
socklen_t sockaddr_of(const struct addr *a, bool is_v6, struct sockaddr_storage *ret);

/** @return false for a family that is not IP */
bool sockaddr_read(const struct sockaddr_storage *sa, struct addr *ret);

/** The address of this machine from which `remote` is reached. @return false = none */
bool sockaddr_local_for(const struct addr *remote, struct addr *ret);

/** The first address of an interface that is up and not the loopback. @return false = none */
bool sockaddr_first_interface(struct addr *ret);

#endif
