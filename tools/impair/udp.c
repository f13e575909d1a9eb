/* The socket API, kept in one file. */
#include "impair/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A burst of many calls between two turns of the loop. */
#define BUFFER_BYTES (1024 * 1024)

union sockaddr_ip {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t to_sockaddr(const struct addr *addr, union sockaddr_ip *ret)
{
    if (addr_is_v4(addr)) {
        ret->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(addr->port)};
        memcpy(&ret->v4.sin_addr, addr->ip + 12, 4);
        return sizeof(ret->v4);
    }
    ret->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    memcpy(&ret->v6.sin6_addr, addr->ip, sizeof(addr->ip));
    return sizeof(ret->v6);
}

static struct addr from_sockaddr(const union sockaddr_ip *sa)
{
    if (sa->sa.sa_family == AF_INET) {
        const uint8_t *ip = (const uint8_t *)&sa->v4.sin_addr;
        return addr_v4(ip[0], ip[1], ip[2], ip[3], ntohs(sa->v4.sin_port));
    }
    struct addr addr = {.port = ntohs(sa->v6.sin6_port)};
    memcpy(addr.ip, &sa->v6.sin6_addr, sizeof(addr.ip));
    return addr;
}

static int open_udp(const struct addr *like)
{
    int family = addr_is_v4(like) ? AF_INET : AF_INET6;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Cut to net.core.rmem_max without an error. */
    int bytes = BUFFER_BYTES;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return fd;
}

/* @return the descriptor, or the error that just happened, with the descriptor closed */
static int unless_failed(int fd, int result)
{
    if (!result)
        return fd;
    int err = -errno;
    (void)close(fd);
    return err;
}

int impair_udp_bind(struct addr *bound)
{
    union sockaddr_ip sa;
    int fd = open_udp(bound);
    if (fd < 0)
        return fd;
    socklen_t len = to_sockaddr(bound, &sa);
    fd = unless_failed(fd, bind(fd, &sa.sa, len) || getsockname(fd, &sa.sa, &len));
    if (fd >= 0)
        *bound = from_sockaddr(&sa);
    return fd;
}

int impair_udp_connect(const struct addr *to, const struct addr *from)
{
    union sockaddr_ip sa;
    if (from && addr_is_v4(from) != addr_is_v4(to))
        return -EAFNOSUPPORT;
    int fd = open_udp(to);
    if (fd < 0)
        return fd;
    if (from) {
        struct addr any_port = *from;
        any_port.port = 0;
        socklen_t len = to_sockaddr(&any_port, &sa);
        fd = unless_failed(fd, bind(fd, &sa.sa, len));
        if (fd < 0)
            return fd;
    }
    socklen_t len = to_sockaddr(to, &sa);
    return unless_failed(fd, connect(fd, &sa.sa, len));
}

ssize_t impair_udp_receive(int fd, void *buf, size_t cap, struct addr *ret_from)
{
    union sockaddr_ip sa = {.sa.sa_family = AF_INET};
    socklen_t len = sizeof(sa);
    ssize_t n = recvfrom(fd, buf, cap, 0, &sa.sa, &len);
    if (n < 0)
        return -errno;
    *ret_from = from_sockaddr(&sa);
    return n;
}

int impair_udp_send(int fd, const struct addr *to, const void *data, size_t len)
{
    union sockaddr_ip sa;
    socklen_t sa_len = to ? to_sockaddr(to, &sa) : 0;
    /* A connected socket reports the ICMP error of an earlier datagram by refusing this one: once
     * told, it sends. */
    for (int i = 0; i < 2; i++) {
        if (sendto(fd, data, len, 0, to ? &sa.sa : NULL, sa_len) >= 0)
            return 0;
        if (errno != ECONNREFUSED)
            break;
    }
    return -errno;
}
