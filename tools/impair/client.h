/**
 * A client of the relay: its lines, and its address towards the server.
 */
#ifndef IMPAIR_CLIENT_H
#define IMPAIR_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "impair/line.h"
#include "impair/relay.h"

/** What tells clients apart. No padding: hashed as bytes. */
struct impair_client_key {
    struct addr remote;
    uint16_t listener; /**< its place */
};

_Static_assert(sizeof(struct impair_client_key) == sizeof(struct addr) + 2, "hashed as bytes");

struct impair_upstream {
    struct impair_source source;
    struct impair_client *client; /**< borrowed; NULL = discarded */
    struct impair_upstream *next; /**< of the discarded */
};

/** Owner: relay->clients. */
struct impair_client {
    struct impair_client_key key;
    struct impair_listener *listener; /**< borrowed from the relay */
    struct impair_upstream *upstream; /**< owned; the server answers to it */
    /** Owned; the one before the last rebind, NULL = none. It stays open so that what the server
     * sends there vanishes without an ICMP error, as it does behind a NAT. */
    struct impair_upstream *old;
    struct impair_line lines[IMPAIR_N_DIRECTIONS];
    struct impair_alarm idle;
    mono_us used_at;  /**< last datagram from the client */
    size_t n_waiting; /**< packets that borrow it */
};

void impair_clients_init(struct impair_relay *r);

/** Frees all of them. Nothing may wait any more. */
void impair_clients_deinit(struct impair_relay *r);

/**
 * The client that sends from an address, made when it is new.
 *
 * @return NULL: too many, or no memory or descriptor; count and drop
 */
struct impair_client *impair_client_get(struct impair_relay *r, struct impair_listener *listener,
                                        const struct addr *remote);

/**
 * Give every client a new address towards the server.
 *
 * @param ip  NULL = only the port changes
 * @return 0, or the first negative errno; that client and those after it keep theirs
 */
MUST_CHECK int impair_clients_rebind(struct impair_relay *r, const struct addr *ip);

/** Free the sockets that a rebind or a long silence put aside. Not while events of epoll are being
 * handled. */
void impair_clients_free_discarded(struct impair_relay *r);

#endif
