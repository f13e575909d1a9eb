/*
 * Ports of plain RTP. A set is an epoll set, level-triggered: a socket that is read but not emptied
 * stands behind all others the next time, so that nobody is starved.
 */
#include "engine/plain_pair.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/socket.h"
#include "log/counters.h"

/* --- a pair --- */

void plain_pair_init_off(struct plain_pair *p)
{
    *p = (struct plain_pair){.rtp.fd = -1, .rtcp.fd = -1};
}

static int mark(int fd, bool is_v6, unsigned dscp)
{
    int value = (int)dscp << 2; /* RFC 2474 §3: the lower two bits are ECN's */
    int err = is_v6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value))
                    : setsockopt(fd, IPPROTO_IP, IP_TOS, &value, sizeof(value));
    return err ? -errno : 0;
}

static int bind_to(int fd, bool is_v6, const struct addr *at)
{
    const int one = 1;
    struct sockaddr_storage sa;
    socklen_t len = socket_addr_to_sa(is_v6, at, &sa);
    if (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
        return -errno;
    return bind(fd, (const struct sockaddr *)&sa, len) ? -errno : 0;
}

static int open_one(struct plain_socket *s, bool is_v6, const struct addr *at, unsigned dscp)
{
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = bind_to(fd, is_v6, at);
    if (!err && dscp)
        err = mark(fd, is_v6, dscp);
    if (err) {
        (void)close(fd);
        return err;
    }
    s->fd = fd;
    s->local = *at;
    return 0;
}

int plain_pair_open(struct plain_pair *p, const struct addr *at, unsigned dscp)
{
    struct addr above = *at;
    above.port++;
    plain_pair_init_off(p);
    p->is_v6 = !addr_is_v4(at);
    int err = open_one(&p->rtp, p->is_v6, at, dscp);
    if (!err)
        err = open_one(&p->rtcp, p->is_v6, &above, dscp);
    if (err)
        plain_pair_close(p);
    return err;
}

static void close_one(struct plain_socket *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

void plain_pair_close(struct plain_pair *p)
{
    close_one(&p->rtp);
    close_one(&p->rtcp);
}

void plain_pair_send(const struct plain_pair *p, const struct dgram *d)
{
    const struct plain_socket *from = d->local.port == p->rtcp.local.port ? &p->rtcp : &p->rtp;
    struct sockaddr_storage sa;
    if (addr_is_v4(&d->remote) == p->is_v6) {
        counter_add(COUNTER_SEND_FAILED);
        return;
    }
    socklen_t len = socket_addr_to_sa(p->is_v6, &d->remote, &sa);
    if (sendto(from->fd, d->data, d->len, MSG_DONTWAIT, (const struct sockaddr *)&sa, len) < 0)
        counter_add(COUNTER_SEND_FAILED);
}

/* --- a set --- */

struct plain_batch {
    struct epoll_event events[SOCKET_BATCH];
    struct mmsghdr msgs[SOCKET_BATCH];
    struct iovec iov[SOCKET_BATCH];
    struct sockaddr_in6 names[SOCKET_BATCH];
    _Alignas(CACHE_LINE) uint8_t bytes[SOCKET_BATCH][DGRAM_MAX + SOCKET_TAIL_ROOM];
};

void plain_set_init(struct plain_set *s)
{
    *s = (struct plain_set){.epoll_fd = -1};
}

void plain_set_deinit(struct plain_set *s)
{
    if (s->epoll_fd >= 0)
        (void)close(s->epoll_fd);
    mem_free(s->io);
    plain_set_init(s);
}

static int open_set(struct plain_set *s)
{
    if (!s->io)
        s->io = mem_zalloc_aligned(sizeof(*s->io));
    if (!s->io)
        return -ENOMEM;
    for (size_t i = 0; i < SOCKET_BATCH; i++) {
        /* One byte more than is accepted, so that a longer datagram is seen to be longer. */
        s->io->iov[i] = (struct iovec){s->io->bytes[i], DGRAM_MAX + 1};
        s->io->msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &s->io->names[i], .msg_iov = &s->io->iov[i], .msg_iovlen = 1};
    }
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return s->epoll_fd < 0 ? -errno : 0;
}

static int add_one(struct plain_set *s, struct plain_socket *one, struct pipeline_endpoint *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, one->fd, &event))
        return -errno;
    one->owner = owner;
    return 0;
}

int plain_set_add(struct plain_set *s, struct plain_pair *p, struct pipeline_endpoint *owner)
{
    int err = s->epoll_fd < 0 ? open_set(s) : 0;
    if (!err)
        err = add_one(s, &p->rtp, owner);
    if (err)
        return err;
    s->n++;
    err = add_one(s, &p->rtcp, owner);
    if (err)
        plain_set_remove(s, p);
    return err;
}

void plain_set_remove(struct plain_set *s, struct plain_pair *p)
{
    if (!p->rtp.owner)
        return;
    (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, p->rtp.fd, NULL);
    if (p->rtcp.owner)
        (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, p->rtcp.fd, NULL);
    p->rtp.owner = p->rtcp.owner = NULL;
    s->n--;
}

/* @return messages received into msgs[first] and on */
static size_t receive(struct plain_batch *io, int fd, size_t first)
{
    size_t room = SOCKET_BATCH - first;
    for (size_t i = first; i < SOCKET_BATCH; i++)
        io->msgs[i].msg_hdr.msg_namelen = sizeof(io->names[i]);
    int n =
        recvmmsg(fd, io->msgs + first, (unsigned)(room < PLAIN_SET_SHARE ? room : PLAIN_SET_SHARE),
                 MSG_DONTWAIT, NULL);
    return n > 0 ? (size_t)n : 0;
}

/* @return false = it is longer than anything that is accepted */
static bool take(struct plain_batch *io, size_t i, const struct plain_socket *at, struct dgram *ret)
{
    ret->data = io->bytes[i];
    ret->len = io->msgs[i].msg_len;
    ret->cap = sizeof(io->bytes[i]);
    ret->local = at->local;
    if (ret->len > DGRAM_MAX) {
        counter_add(COUNTER_DROP_TRUNCATED);
        return false;
    }
    return socket_addr_from_sa((const struct sockaddr *)(const void *)&io->names[i], &ret->remote);
}

size_t plain_set_rx_batch(struct plain_set *s, struct dgram *ret, struct pipeline_endpoint **owners)
{
    struct plain_batch *io = s->io;
    size_t n = 0, n_ret = 0;
    if (s->n == 0)
        return 0;
    int n_events = epoll_wait(s->epoll_fd, io->events, SOCKET_BATCH, 0);
    for (int i = 0; i < n_events && n < SOCKET_BATCH; i++) {
        const struct plain_socket *at = io->events[i].data.ptr;
        size_t end = n + receive(io, at->fd, n);
        for (; n < end; n++) {
            if (take(io, n, at, &ret[n_ret]))
                owners[n_ret++] = at->owner;
        }
    }
    return n_ret;
}
