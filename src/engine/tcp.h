/**
 * ICE over TCP (RFC 6544): the listener and the connections of a worker, beside its UDP socket and
 * with the same seam: datagrams in by batch, datagrams out.
 *
 * A connection has a number, which stands in struct addr.tcp of its remote address: so a datagram
 * goes to the very connection it is meant for or nowhere, also when its port was used again.
 *
 *     accepted ─ first authentic check (tcp_proven) ─► proven ─ closed by either side ─► told
 *        └ TCP_PROVE_LIMIT, a frame that is not STUN, a limit ─► reset, nobody is told
 *
 * Strangers cost at most TCP_MAX_UNPROVEN connections of about 12 KB. All memory of a connection
 * is taken when it is accepted. Never blocks; one thread, the worker's.
 */
#ifndef ENGINE_TCP_H
#define ENGINE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/dgram.h"
#include "base/list.h"
#include "base/time.h"

/** Connections of one worker; more are refused. Numbers are 1 to this. */
#define TCP_MAX_CONNECTIONS 4096

/** Connections without an authentic check; the oldest one makes room for a new one. */
#define TCP_MAX_UNPROVEN 512

/** The same from one address (IPv6: one /64): an office behind one router after a restart. */
#define TCP_MAX_UNPROVEN_PER_ADDRESS 64

/** Browsers send their first check with the connection's first round trip. */
#define TCP_PROVE_LIMIT (10 * US_PER_S)

/** Without a whole frame that was somebody's (tcp_heard) for so long a connection is dead: the path
 * in use has checks every few seconds, libwebrtc keeps spare ones warm every 25 s. */
#define TCP_IDLE_LIMIT (60 * US_PER_S)

struct tcp_connection; /* private */

/** Owner: the worker. Fields are private but for epoll_fd and bound. */
struct tcp {
    int listen_fd;     /**< owned; -1 = off: nothing is accepted, every call is legal */
    int epoll_fd;      /**< owned; readable when tcp_rx_batch has something to do; -1 = off */
    struct addr bound; /**< RO after open; `tcp` = ADDR_TCP */
    struct tcp_connection **connections; /**< owned, by number - 1; NULL = free */
    size_t n_connections, n_unproven;
    size_t next_number;   /**< where the search for a free one begins */
    struct list unproven; /**< oldest first */
    struct list readable; /**< bytes were read that may hold whole frames */
    struct list writable; /**< frames wait for tcp_flush */
    struct list closed;   /**< wait for tcp_poll_closed */
    mono_us sweep_at;     /**< look for idle ones; MONO_NEVER = there are no connections */
    mono_us accept_at;    /**< try to accept again; MONO_NEVER = descriptors did not run out */
    uint8_t *bytes;       /**< owned: the datagrams of a batch */
};

/**
 * Listen.
 *
 * @param at    address and port of the worker's UDP socket; 0.0.0.0 and :: = every address
 * @param is_v6 an IPv6 address, or a wildcard on a machine that has IPv6: then of both families
 * @return 0, or a negative errno (-EADDRINUSE, …): tcp_close is legal and not needed
 */
MUST_CHECK int tcp_open(struct tcp *t, const struct addr *at, bool is_v6);

static inline bool tcp_is_open(const struct tcp *t)
{
    return t->listen_fd >= 0;
}

/** Legal on one that is closed, or switched off. */
void tcp_close(struct tcp *t);

/** The state of one that is not used. */
void tcp_init_off(struct tcp *t);

/**
 * Accept who knocks, read what is there.
 *
 * @param ret room for `max` datagrams; their bytes live until the next call and may be changed
 *            and lengthened in place up to `cap`
 * @return number of datagrams
 */
size_t tcp_rx_batch(struct tcp *t, mono_us now, struct dgram *ret, size_t max);

/**
 * Queue a datagram for the connection of its remote address; tcp_flush writes it. What has no room
 * or no connection is dropped and counted. Media leave room for checks and handshakes, so that
 * a slow reader loses sound but not its path.
 */
void tcp_send(struct tcp *t, const struct dgram *d);

/** Write what is queued, as far as the kernel takes it; the rest goes when it takes more. */
void tcp_flush(struct tcp *t);

/** An authentic check came from here. */
void tcp_proven(struct tcp *t, const struct addr *remote);

/** What came from here has an owner. Frames of nobody keep no connection: whoever was in a call
 * once cannot hold on to places for longer than TCP_IDLE_LIMIT. */
void tcp_heard(struct tcp *t, const struct addr *remote, mono_us now);

/** The owner of this address is gone: write what is queued, close, tell nothing. */
void tcp_release(struct tcp *t, const struct addr *remote);

/** Take a proven connection that was closed since. @return false: none */
bool tcp_poll_closed(struct tcp *t, struct addr *ret_local, struct addr *ret_remote);

/** Close who is late; earlier calls do no harm. Drain tcp_poll_closed afterwards. */
void tcp_timeout(struct tcp *t, mono_us now);

/** When tcp_timeout or tcp_rx_batch has work that needs no readable descriptor; MONO_NEVER = never.
 */
mono_us tcp_deadline(const struct tcp *t);

#endif
