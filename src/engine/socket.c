/*
 * Batched UDP: recvmmsg and sendmmsg over arrays that are set up once. IPv6 sockets are dual
 * stack, and struct addr already holds IPv4 in mapped form, so that one code serves both; the
 * AF_INET case exists for an IPv4 listen address and for kernels without IPv6.
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

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int open_family(struct socket *s, const struct addr *listen, bool is_v6)
{
    union sockaddr_ip sa;
    int err = 0;

    s->is_v6 = is_v6;
    s->fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return -errno;
    if (is_v6)
        err = set_option(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, !s->is_wildcard);
    if (!err && s->is_wildcard)
        err = is_v6 ? set_option(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                    : set_option(s->fd, IPPROTO_IP, IP_PKTINFO, 1);
    /* More than net.core.rmem_max is cut by the kernel without an error: all the better. */
    (void)set_option(s->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
    (void)set_option(s->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);

    struct addr at = *listen;
    if (s->is_wildcard && is_v6)
        memset(at.ip, 0, sizeof(at.ip));
    socklen_t len = addr_to_sa(is_v6, &at, &sa);
    if (!err && bind(s->fd, &sa.sa, len))
        err = -errno;
    if (!err && getsockname(s->fd, &sa.sa, &len))
        err = -errno;
    if (err) {
        (void)close(s->fd);
        s->fd = -1;
        return err;
    }
    s->bound = *listen;
    s->bound.port = ntohs(is_v6 ? sa.v6.sin6_port : sa.v4.sin_port);
    return 0;
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
    *s = (struct socket){.fd = -1, .is_wildcard = addr_is_any(listen)};
    s->io = mem_zalloc_aligned(sizeof(*s->io));
    if (!s->io)
        return -ENOMEM;
    prepare(&s->io->rx);
    prepare(&s->io->tx);
    for (size_t i = 0; i < SOCKET_BATCH; i++) {
        /* One byte more than is accepted, so that a longer datagram is seen to be longer. */
        s->io->rx.iov[i] = (struct iovec){s->io->bytes[i], DGRAM_MAX + 1};
    }

    bool want_v6 = s->is_wildcard || !addr_is_v4(listen);
    int err = open_family(s, listen, want_v6);
    if (err == -EAFNOSUPPORT && s->is_wildcard && addr_is_v4(listen))
        err = open_family(s, listen, false);
    if (err)
        socket_close(s);
    return err;
}

void socket_close(struct socket *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    mem_free(s->io);
    s->io = NULL;
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

size_t socket_rx_batch(struct socket *s, struct dgram *ret)
{
    struct half *rx = &s->io->rx;
    for (size_t i = 0; i < SOCKET_BATCH; i++) {
        struct msghdr *msg = &rx->msgs[i].msg_hdr;
        msg->msg_namelen = sizeof(rx->names[i]);
        msg->msg_control = s->is_wildcard ? rx->control[i] : NULL;
        msg->msg_controllen = s->is_wildcard ? CONTROL_BYTES : 0;
    }
    int n = recvmmsg(s->fd, rx->msgs, SOCKET_BATCH, MSG_DONTWAIT, NULL);
    size_t n_ret = 0;
    for (int i = 0; i < n; i++) {
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
static void write_local(const struct socket *s, const struct addr *local, struct msghdr *msg,
                        uint8_t *control)
{
    if (!s->is_wildcard || addr_is_any(local)) {
        msg->msg_control = NULL;
        msg->msg_controllen = 0;
        return;
    }
    msg->msg_control = control;
    if (s->is_v6) {
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

void socket_tx_batch(struct socket *s, const struct dgram *dgrams, size_t n)
{
    struct half *tx = &s->io->tx;
    for (size_t i = 0; i < n; i++) {
        struct msghdr *msg = &tx->msgs[i].msg_hdr;
        tx->iov[i] = (struct iovec){dgrams[i].data, dgrams[i].len};
        msg->msg_namelen = addr_to_sa(s->is_v6, &dgrams[i].remote, &tx->names[i]);
        write_local(s, &dgrams[i].local, msg, tx->control[i]);
    }
    for (size_t sent = 0; sent < n;) {
        int done = sendmmsg(s->fd, tx->msgs + sent, (unsigned)(n - sent), MSG_DONTWAIT);
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
