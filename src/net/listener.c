/*
 * Accepting connections: a bounded number each time the socket is ready, so that a storm of them
 * does not starve the open ones, and a pause when the system is out of descriptors. The kernel
 * reports a waiting connection again and again; without the pause the loop would spin at full load
 * until somebody hangs up.
 */
#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "base/mem.h"
#include "net/log.h"
#include "net/loop_uv.h"
#include "net/server.h"

/** Connections taken in one round. */
#define ACCEPT_BATCH 32

/** Pause when out of descriptors or memory: long enough to cost nothing, short for a person. */
#define ACCEPT_PAUSE (200 * US_PER_MS)

/** Connections the kernel holds for us; it takes net.core.somaxconn when that is smaller. */
#define BACKLOG 1024

struct net_listener {
    uv_poll_t uv;
    int fd;
    struct addr addr; /**< RO after init */
    net_accept_fn handler;
    void *user;
    struct net_timer *pause; /**< armed while accepting rests */
    const char *key;         /**< RO after init; a literal */
};

static struct addr addr_of(const struct sockaddr_storage *from)
{
    struct addr a = {.port = 0};
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)from;
        memcpy(a.ip, &in6->sin6_addr, sizeof(a.ip));
        a.port = ntohs(in6->sin6_port);
    } else if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;
        const uint8_t *ip = (const uint8_t *)&in->sin_addr;
        a = addr_v4(ip[0], ip[1], ip[2], ip[3], ntohs(in->sin_port));
    }
    return a;
}

static socklen_t sockaddr_of(const struct addr *a, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (addr_is_v4(a)) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->ip + 12, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ret;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    memcpy(&in6->sin6_addr, a->ip, 16);
    return sizeof(*in6);
}

static int enable(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/** @return the descriptor, or a negative errno */
static int open_socket(const struct addr *at)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_of(at, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* A restarted server must not wait for the old connections' TIME_WAIT. */
    int r = enable(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (r == 0 && sa.ss_family == AF_INET6)
        r = enable(fd, IPPROTO_IPV6, IPV6_V6ONLY, !addr_is_any(at));
    if (r == 0 && (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, BACKLOG) < 0))
        r = -errno;
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

/** What the operator reads: the setting, the address, what is wrong, what to do. */
static int explain(int error, const char *key, const char *listen, char *ret)
{
    const struct {
        int error;
        const char *text;
    } known[] = {
        {-EADDRINUSE, "is already in use. Stop the program that listens there (ss -ltnp shows it), "
                      "or choose another port; 0 lets the system choose"},
        {-EADDRNOTAVAIL, "is not an address of this machine. Use one that `ip addr` shows, or "
                         "0.0.0.0 or [::] for all of them"},
        {-EACCES, "may not be opened by this user. Choose a port from 1024 on, or allow it with "
                  "CAP_NET_BIND_SERVICE"},
        {-EAFNOSUPPORT, "cannot be used: this machine has no IPv6. Use an IPv4 address"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].error == error) {
            snprintf(ret, NET_ERROR_MAX, "%s: %s %s.", key, listen, known[i].text);
            return NET_E_CONFIG;
        }
    }
    snprintf(ret, NET_ERROR_MAX, "%s: cannot listen on %s: %s.", key, listen, strerror(-error));
    return error;
}

static void on_ready(uv_poll_t *handle, int status, int events);

static void rest(struct net_listener *listener, int error)
{
    net_log(NET_LOG_ERROR,
            "%s: cannot accept connections: %s; trying again every %d ms. Raise the limit of open "
            "files (ulimit -n, LimitNOFILE) or lower http.max_sockets.",
            listener->key, strerror(error), (int)(ACCEPT_PAUSE / US_PER_MS));
    (void)uv_poll_stop(&listener->uv);
    net_timer_set(listener->pause, net_loop_now() + ACCEPT_PAUSE);
}

static void on_pause_over(void *user, mono_us now)
{
    struct net_listener *listener = user;
    (void)now;
    (void)uv_poll_start(&listener->uv, UV_READABLE, on_ready);
}

/** @return false when there is nothing more to accept in this round */
static bool accept_one(struct net_listener *listener)
{
    struct sockaddr_storage from, to;
    socklen_t from_len = sizeof(from), to_len = sizeof(to);
    int fd =
        accept4(listener->fd, (struct sockaddr *)&from, &from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            rest(listener, errno);
        /* accept(2): errors of the waiting connection itself are to be treated like EAGAIN */
        return errno == ECONNABORTED || errno == EINTR;
    }
    if (getsockname(fd, (struct sockaddr *)&to, &to_len) < 0) {
        close(fd);
        return true;
    }
    /* Small messages in both directions: waiting to fill segments only adds delay. */
    (void)enable(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    struct addr remote = addr_of(&from), local = addr_of(&to);
    listener->handler(listener->user, fd, &remote, &local);
    return true;
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct net_listener *listener = CONTAINER_OF(handle, struct net_listener, uv);
    (void)events;
    if (status < 0)
        return;
    for (int i = 0; i < ACCEPT_BATCH && accept_one(listener); i++) {
    }
}

static int watch(struct net_loop *loop, struct net_listener *listener)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    if (getsockname(listener->fd, (struct sockaddr *)&sa, &len) < 0)
        return -errno;
    listener->addr = addr_of(&sa);
    int r = net_timer_new(loop, on_pause_over, listener, &listener->pause);
    if (r < 0)
        return r;
    r = uv_poll_init(net_loop_uv(loop), &listener->uv, listener->fd);
    if (r < 0) {
        net_timer_free(listener->pause);
        return r;
    }
    (void)uv_poll_start(&listener->uv, UV_READABLE, on_ready);
    return 0;
}

int net_listener_new(struct net_loop *loop, const char *key, const char *listen,
                     net_accept_fn handler, void *user, struct net_listener **ret, char *ret_error)
{
    struct addr at;
    if (!addr_parse(str_of(listen), &at)) {
        snprintf(ret_error, NET_ERROR_MAX,
                 "%s: \"%.100s\" is not an address and port like 127.0.0.1:8080 or [::]:8080.", key,
                 listen);
        return NET_E_CONFIG;
    }
    int fd = open_socket(&at);
    if (fd < 0)
        return explain(fd, key, listen, ret_error);

    struct net_listener *listener = mem_zalloc(sizeof(*listener));
    int r = -ENOMEM;
    if (listener) {
        *listener = (struct net_listener){.fd = fd, .handler = handler, .user = user, .key = key};
        r = watch(loop, listener);
    }
    if (r < 0) {
        close(fd);
        mem_free(listener);
        return explain(r, key, listen, ret_error);
    }
    *ret = listener;
    return 0;
}

const struct addr *net_listener_addr(const struct net_listener *listener)
{
    return &listener->addr;
}

static void free_listener(uv_handle_t *handle)
{
    mem_free(CONTAINER_OF((uv_poll_t *)handle, struct net_listener, uv));
}

void net_listener_free(struct net_listener *listener)
{
    if (!listener)
        return;
    (void)uv_poll_stop(&listener->uv);
    close(listener->fd);
    net_timer_free(listener->pause);
    uv_close((uv_handle_t *)&listener->uv, free_listener);
}
