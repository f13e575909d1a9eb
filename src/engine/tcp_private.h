/** What tcp.c and tcp_accept.c share: a connection. */
#ifndef ENGINE_TCP_PRIVATE_H
#define ENGINE_TCP_PRIVATE_H

#include "engine/framing.h"
#include "engine/tcp.h"

/** How often idle connections are looked for. */
#define TCP_SWEEP_INTERVAL (10 * US_PER_S)

struct tcp_connection {
    int fd;               /**< owned; -1 = closed, waits in tcp.closed */
    bool is_proven;       /**< else it stands in tcp.unproven */
    bool wants_write;     /**< EPOLLOUT is asked for */
    struct addr local;    /**< `tcp` = ADDR_TCP */
    struct addr remote;   /**< `tcp` = its number */
    mono_us heard_at;     /**< accepted, or the last whole frame that had an owner */
    struct list age;      /**< in tcp.unproven or tcp.closed */
    struct list readable; /**< in tcp.readable */
    struct list writable; /**< in tcp.writable */
    struct framing_in in;
    struct framing_out out;
};

/** Open and bind listen_fd. @return 0, or a negative errno: listen_fd may be open all the same */
MUST_CHECK int tcp_listener_open(struct tcp *t, const struct addr *at, bool is_v6);

/** Is somebody who knocks told by epoll_fd? */
void tcp_listen_for(struct tcp *t, bool is_accepting);

/** Take in who waits, and make room by closing unproven ones. */
void tcp_accept_all(struct tcp *t, mono_us now);

/** Close one that proved nothing; nobody is told. Frees it. */
void tcp_close_unproven(struct tcp *t, struct tcp_connection *c);

/** Have it closed without FIN_WAIT and TIME_WAIT: strangers leave nothing behind in the kernel. */
void tcp_reset(int fd);

#endif
