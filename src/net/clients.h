/**
 * How much of the server each address holds: connections, and WebSockets among them.
 */
#ifndef NET_CLIENTS_H
#define NET_CLIENTS_H

#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/map.h"

/** One address (IPv4) or one /64 (IPv6: a single customer owns that many addresses). */
struct net_client {
    uint8_t key[16];      /**< the address, the low half zero for IPv6 */
    unsigned connections; /**< TCP connections open; the entry lives while it is not 0 */
    unsigned sockets;     /**< WebSockets among them */
};

struct net_clients {
    struct map map; /**< of struct net_client, owned */
};

void net_clients_init(struct net_clients *clients, struct rng *rng);

/** Every connection must have been removed. */
void net_clients_deinit(struct net_clients *clients);

/** Count one more connection of this address. @return its entry, NULL = out of memory */
struct net_client *net_clients_add(struct net_clients *clients, const struct addr *addr);

/** Count one connection less; frees the entry with the last one. */
void net_clients_remove(struct net_clients *clients, struct net_client *client);

#endif
