/*
 * Batched UDP: recvmmsg and sendmmsg over arrays that are set up once. A wildcard port is an
 * AF_INET and an AF_INET6 socket on the same number: IPv4 through a dual-stack socket costs a
 * tenth more CPU a packet (mapped addresses are translated at each crossing of the kernel's
 * border, and the lookup passes two families). struct addr holds IPv4 in mapped form, so nothing
 * above sees the difference.
 */
#include "engine/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/counters.h"

/* Bursts of a whole worker between two turns of its loop: 4 MB is 30 ms at 1 Mpps of calls. */
#define SOCKET_BUFFER_BYTES (4 * 1024 * 1024)

/* Chosen ports are rarely taken on the other family alone: the second attempt is for luck. */
#define SOCKET_PORT_TRIES 16

#define CONTROL_BYTES CMSG_SPACE(sizeof(struct in6_pktinfo))

union sockaddr_ip {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct half {
    struct mmsghdr msgs[SOCKET_BATCH];
    struct iovec iov[SOCKET_BATCH];
    union sockaddr_ip names[SOCKET_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[SOCKET_BATCH][CONTROL_BYTES];
};

struct socket_batch {
    struct half rx, tx;
    _Alignas(CACHE_LINE) uint8_t bytes[SOCKET_BATCH][DGRAM_MAX + SOCKET_TAIL_ROOM];
};

bool socket_addr_from_sa(const struct sockaddr *sa, struct addr *ret)
{
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        const uint8_t *ip = (const uint8_t *)&in.sin_addr;
        *ret = addr_v4(ip[0], ip[1], ip[2], ip[3], ntohs(in.sin_port));
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        memcpy(ret->ip, &in6.sin6_addr, sizeof(ret->ip));
        ret->port = ntohs(in6.sin6_port);
        ret->tcp = 0;
        return true;
    }
    return false;
}

static socklen_t addr_to_sa(bool is_v6, const struct addr *addr, union sockaddr_ip *ret)
{
    if (is_v6) {
        ret->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
        memcpy(&ret->v6.sin6_addr, addr->ip, sizeof(addr->ip));
        return sizeof(ret->v6);
    }
    ret->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(addr->port)};
    memcpy(&ret->v4.sin_addr, addr->ip + 12, 4);
    return sizeof(ret->v4);
}

socklen_t socket_addr_to_sa(bool is_v6, const struct addr *addr, struct sockaddr_storage *ret)
{
    union sockaddr_ip sa;
    socklen_t len = addr_to_sa(is_v6, addr, &sa);
    memcpy(ret, &sa, len);
    return len;
}

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int configure(int fd, bool is_v6, bool is_wildcard)
{
    int err = 0;
    if (is_v6)
        err = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (!err && is_wildcard)
        err = is_v6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                    : set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    /* More than net.core.rmem_max is cut by the kernel without an error: all the better. */
    (void)set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
    (void)set_option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);
    return err;
}

/* @param port in: wanted, 0 = any; out: the real one */
static int bind_to(int fd, bool is_v6, const struct addr *listen, bool is_wildcard, uint16_t *port)
{
    union sockaddr_ip sa;
    struct addr at = *listen;
    if (is_wildcard && is_v6)
        memset(at.ip, 0, sizeof(at.ip));
    at.port = *port;
    socklen_t len = addr_to_sa(is_v6, &at, &sa);
    if (bind(fd, &sa.sa, len) || getsockname(fd, &sa.sa, &len))
        return -errno;
    *port = ntohs(is_v6 ? sa.v6.sin6_port : sa.v4.sin_port);
    return 0;
}

static int open_family(struct socket *s, const struct addr *listen, bool is_v6, uint16_t *port)
{
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = configure(fd, is_v6, s->is_wildcard);
    if (!err)
        err = bind_to(fd, is_v6, listen, s->is_wildcard, port);
    if (err) {
        (void)close(fd);
        return err;
    }
    s->families[s->n_families++] = (struct socket_family){.fd = fd, .is_v6 = is_v6};
    return 0;
}

static void close_families(struct socket *s)
{
    while (s->n_families > 0)
        (void)close(s->families[--s->n_families].fd);
}

/* Is this family missing from the machine, or switched off? */
static bool is_absent(int err)
{
    return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL;
}

static int open_both(struct socket *s, const struct addr *listen, uint16_t *port)
{
    int err = open_family(s, listen, false, port);
    if (err && !is_absent(err))
        return err;
    err = open_family(s, listen, true, port);
    if (is_absent(err) && s->n_families > 0)
        err = 0;
    if (err)
        close_families(s);
    return err;
}

/* A port that the system chose for IPv4 may be somebody's on IPv6: then another one will do. */
static int open_wildcard(struct socket *s, const struct addr *listen, uint16_t *port)
{
    int err = -EADDRINUSE;
    for (int i = 0; i < SOCKET_PORT_TRIES && err == -EADDRINUSE; i++) {
        *port = listen->port;
        err = open_both(s, listen, port);
        if (listen->port)
            break;
    }
    return err;
}

static void prepare(struct half *half)
{
    for (size_t i = 0; i < SOCKET_BATCH; i++) {
        half->msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &half->names[i],
            .msg_iov = &half->iov[i],
            .msg_iovlen = 1,
        };
    }
}

int socket_open(struct socket *s, const struct addr *listen)
{
    *s = (struct socket){.is_wildcard = addr_is_any(listen), .bound = *listen};
    s->io = mem_zalloc_aligned(sizeof(*s->io));
    if (!s->io)
        return -ENOMEM;
    prepare(&s->io->rx);
    prepare(&s->io->tx);
    for (size_t i = 0; i < SOCKET_BATCH; i++) {
        /* One byte more than is accepted, so that a longer datagram is seen to be longer. */
        s->io->rx.iov[i] = (struct iovec){s->io->bytes[i], DGRAM_MAX + 1};
    }
    int err = s->is_wildcard ? open_wildcard(s, listen, &s->bound.port)
                             : open_family(s, listen, !addr_is_v4(listen), &s->bound.port);
    if (err)
        socket_close(s);
    return err;
}

void socket_close(struct socket *s)
{
    close_families(s);
    mem_free(s->io);
    s->io = NULL;
}

/* RFC 2474 §3: DSCP are the upper six bits of what was TOS; the lower two are ECN's. */
int socket_set_dscp(struct socket *s, unsigned dscp)
{
    int err = 0;
    for (unsigned i = 0; i < s->n_families && !err; i++) {
        const struct socket_family *f = &s->families[i];
        err = f->is_v6 ? set_option(f->fd, IPPROTO_IPV6, IPV6_TCLASS, (int)dscp << 2)
                       : set_option(f->fd, IPPROTO_IP, IP_TOS, (int)dscp << 2);
    }
    return err;
}

bool socket_has_v6(const struct socket *s)
{
    for (unsigned i = 0; i < s->n_families; i++) {
        if (s->families[i].is_v6)
            return true;
    }
    return false;
}

nfds_t socket_poll_fds(const struct socket *s, struct pollfd *ret)
{
    for (unsigned i = 0; i < s->n_families; i++)
        ret[i] = (struct pollfd){.fd = s->families[i].fd, .events = POLLIN};
    return s->n_families;
}

/* The address on which a datagram arrived. */
static void read_local(const struct socket *s, struct msghdr *msg, struct addr *ret)
{
    *ret = s->bound;
    if (!s->is_wildcard)
        return;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            memcpy(ret->ip, &info.ipi6_addr, sizeof(ret->ip));
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            const uint8_t *ip = (const uint8_t *)&info.ipi_addr;
            *ret = addr_v4(ip[0], ip[1], ip[2], ip[3], s->bound.port);
        }
    }
}

/* @return messages received into msgs[first] and on */
static size_t receive(struct socket *s, const struct socket_family *f, size_t first)
{
    struct mmsghdr *msgs = s->io->rx.msgs;
    for (size_t i = first; i < SOCKET_BATCH; i++) {
        struct msghdr *msg = &msgs[i].msg_hdr;
        msg->msg_namelen = sizeof(s->io->rx.names[i]);
        msg->msg_control = s->is_wildcard ? s->io->rx.control[i] : NULL;
        msg->msg_controllen = s->is_wildcard ? CONTROL_BYTES : 0;
    }
    int n = recvmmsg(f->fd, msgs + first, (unsigned)(SOCKET_BATCH - first), MSG_DONTWAIT, NULL);
    return n > 0 ? (size_t)n : 0;
}

static size_t receive_all(struct socket *s)
{
    size_t n = 0;
    for (unsigned i = 0; i < s->n_families && n < SOCKET_BATCH; i++)
        n += receive(s, &s->families[(s->first + i) % s->n_families], n);
    /* Full: then the other family comes first, and neither can starve the other. */
    if (n == SOCKET_BATCH)
        s->first = (s->first + 1) % s->n_families;
    return n;
}

size_t socket_rx_batch(struct socket *s, struct dgram *ret)
{
    struct half *rx = &s->io->rx;
    size_t n = receive_all(s);
    size_t n_ret = 0;
    for (size_t i = 0; i < n; i++) {
        struct dgram *d = &ret[n_ret];
        d->data = s->io->bytes[i];
        d->len = rx->msgs[i].msg_len;
        d->cap = sizeof(s->io->bytes[i]);
        if (d->len > DGRAM_MAX) {
            counter_add(COUNTER_DROP_TRUNCATED);
            continue;
        }
        if (!socket_addr_from_sa(&rx->names[i].sa, &d->remote))
            continue;
        read_local(s, &rx->msgs[i].msg_hdr, &d->local);
        n_ret++;
    }
    return n_ret;
}

/* Ask the kernel to send from the given address; the route still chooses the interface. */
static void write_local(const struct socket *s, bool is_v6, const struct addr *local,
                        struct msghdr *msg, uint8_t *control)
{
    if (!s->is_wildcard || addr_is_any(local)) {
        msg->msg_control = NULL;
        msg->msg_controllen = 0;
        return;
    }
    msg->msg_control = control;
    if (is_v6) {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, local->ip, sizeof(local->ip));
        msg->msg_controllen = CMSG_SPACE(sizeof(info));
        struct cmsghdr *c = CMSG_FIRSTHDR(msg);
        *c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
    } else {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->ip + 12, 4);
        msg->msg_controllen = CMSG_SPACE(sizeof(info));
        struct cmsghdr *c = CMSG_FIRSTHDR(msg);
        *c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
    }
}

/* Those of one family into msgs[0] and on. @return how many */
static size_t collect(struct socket *s, bool is_v6, const struct dgram *dgrams, size_t n)
{
    struct half *tx = &s->io->tx;
    size_t n_ret = 0;
    for (size_t i = 0; i < n; i++) {
        const struct dgram *d = &dgrams[i];
        if (addr_is_v4(&d->remote) == is_v6)
            continue;
        struct msghdr *msg = &tx->msgs[n_ret].msg_hdr;
        tx->iov[n_ret] = (struct iovec){d->data, d->len};
        msg->msg_namelen = addr_to_sa(is_v6, &d->remote, &tx->names[n_ret]);
        write_local(s, is_v6, &d->local, msg, tx->control[n_ret]);
        n_ret++;
    }
    return n_ret;
}

static void send_all(int fd, struct mmsghdr *msgs, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        int done = sendmmsg(fd, msgs + sent, (unsigned)(n - sent), MSG_DONTWAIT);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            /* The first of the rest was refused (no route, full buffer, ICMP): skip that one. */
            counter_add(COUNTER_SEND_FAILED);
            done = 1;
        }
        sent += (size_t)done;
    }
}

void socket_tx_batch(struct socket *s, const struct dgram *dgrams, size_t n)
{
    size_t n_left = n;
    for (unsigned i = 0; i < s->n_families && n_left > 0; i++) {
        const struct socket_family *f = &s->families[i];
        size_t n_mine = collect(s, f->is_v6, dgrams, n);
        send_all(f->fd, s->io->tx.msgs, n_mine);
        n_left -= n_mine;
    }
    /* of a family that this port does not have */
    if (n_left > 0)
        counter_add_n(COUNTER_SEND_FAILED, n_left);
}
