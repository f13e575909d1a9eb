/*
 * Who may come in: the listener, and what strangers may cost. Over a limit the oldest stranger
 * makes room, or the new one is turned away; out of descriptors nobody is accepted for a moment.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/socket.h"
#include "engine/tcp_private.h"
#include "log/counters.h"

#define BACKLOG 128

/* Accepted in one turn: enough for any crowd, too little to hold up the media. */
#define ACCEPTS_A_TURN 16

/* Out of descriptors or memory: accepting again at once would spin. */
#define ACCEPT_PAUSE (1 * US_PER_S)

/* What the kernel holds back behind our own queue: as little as it can, for delay's sake. */
#define SEND_BUFFER_BYTES 8192

/* --- the listener --- */

int tcp_listener_open(struct tcp *t, const struct addr *at, bool is_v6)
{
    const int one = 1, v6_only = !addr_is_any(at);
    struct sockaddr_storage sa;
    struct addr name = *at;
    if (is_v6 && addr_is_any(at)) /* 0.0.0.0 means IPv6 as well */
        memset(name.ip, 0, sizeof(name.ip));
    socklen_t len = socket_addr_to_sa(is_v6, &name, &sa);

    t->listen_fd =
        socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->listen_fd < 0)
        return -errno;
    if (setsockopt(t->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        (is_v6 && setsockopt(t->listen_fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only))) ||
        bind(t->listen_fd, (struct sockaddr *)&sa, len) || listen(t->listen_fd, BACKLOG))
        return -errno;
    t->bound = *at;
    t->bound.tcp = ADDR_TCP;
    return 0;
}

void tcp_listen_for(struct tcp *t, bool is_accepting)
{
    struct epoll_event event = {.events = is_accepting ? EPOLLIN : 0, .data.ptr = NULL};
    (void)epoll_ctl(t->epoll_fd, EPOLL_CTL_MOD, t->listen_fd, &event);
}

/* --- accepting --- */

void tcp_reset(int fd)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

/* One customer of a provider: an IPv4 address, or an IPv6 /64. */
static bool is_same_place(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, addr_is_v4(a) ? 16 : 8) == 0;
}

static bool is_crowded(const struct tcp *t, const struct addr *remote)
{
    unsigned n = 0;
    LIST_FOREACH(node, &t->unproven)
        n += is_same_place(&CONTAINER_OF(node, struct tcp_connection, age)->remote, remote);
    return n >= TCP_MAX_UNPROVEN_PER_ADDRESS;
}

/* A number that was free for as long as possible: somebody may still name its last owner. */
static uint16_t free_number(struct tcp *t)
{
    assert(t->n_connections < TCP_MAX_CONNECTIONS);
    while (t->connections[t->next_number])
        t->next_number = (t->next_number + 1) % TCP_MAX_CONNECTIONS;
    uint16_t number = (uint16_t)(t->next_number + 1);
    t->next_number = (t->next_number + 1) % TCP_MAX_CONNECTIONS;
    return number;
}

static bool read_addresses(int fd, struct addr *ret_local, struct addr *ret_remote)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    if (getpeername(fd, (struct sockaddr *)&sa, &len) ||
        !socket_addr_from_sa((struct sockaddr *)&sa, ret_remote))
        return false;
    len = sizeof(sa);
    return !getsockname(fd, (struct sockaddr *)&sa, &len) &&
           socket_addr_from_sa((struct sockaddr *)&sa, ret_local);
}

static void set_options(int fd)
{
    const int one = 1, bytes = SEND_BUFFER_BYTES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* @return NULL: over a limit, out of memory, or gone again */
static struct tcp_connection *connection_new(struct tcp *t, int fd, mono_us now)
{
    struct addr local, remote;
    if (!read_addresses(fd, &local, &remote) || t->n_connections == TCP_MAX_CONNECTIONS ||
        is_crowded(t, &remote))
        return NULL;
    if (t->n_unproven == TCP_MAX_UNPROVEN)
        tcp_close_unproven(t, CONTAINER_OF(t->unproven.next, struct tcp_connection, age));
    struct tcp_connection *c = mem_zalloc(sizeof(*c));
    if (!c)
        return NULL;
    local.tcp = ADDR_TCP;
    remote.tcp = free_number(t);
    c->fd = fd;
    c->local = local;
    c->remote = remote;
    c->heard_at = now;
    list_init(&c->age);
    list_init(&c->readable);
    list_init(&c->writable);
    return c;
}

static void add(struct tcp *t, int fd, mono_us now)
{
    struct tcp_connection *c = connection_new(t, fd, now);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (!c || epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
        counter_add(COUNTER_TCP_REFUSED);
        tcp_reset(fd);
        (void)close(fd);
        mem_free(c);
        return;
    }
    set_options(fd);
    t->connections[c->remote.tcp - 1] = c; /* now owned by tcp */
    t->n_connections++;
    t->n_unproven++;
    list_append(&t->unproven, &c->age);
    if (t->sweep_at == MONO_NEVER)
        t->sweep_at = now + TCP_SWEEP_INTERVAL;
}

void tcp_accept_all(struct tcp *t, mono_us now)
{
    for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(t->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            add(t, fd, now);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            counter_add(COUNTER_TCP_REFUSED);
            tcp_listen_for(t, false);
            t->accept_at = now + ACCEPT_PAUSE;
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else this one was gone again: the next */
    }
}
