/* Plain conversions, and two questions to the kernel about its addresses. */
#include "load/sockaddr.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

socklen_t sockaddr_of(const struct addr *a, bool is_v6, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (is_v6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(a->port);
        memcpy(&v6->sin6_addr, a->ip, sizeof(a->ip));
        return sizeof(*v6);
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(a->port);
    memcpy(&v4->sin_addr, a->ip + 12, 4);
    return sizeof(*v4);
}

bool sockaddr_read(const struct sockaddr_storage *sa, struct addr *ret)
{
    if (sa->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
        memcpy(ret->ip, &v6->sin6_addr, sizeof(ret->ip));
        ret->port = ntohs(v6->sin6_port);
        ret->tcp = 0;
        return true;
    }
    if (sa->ss_family != AF_INET)
        return false;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
    uint8_t ip[4];
    memcpy(ip, &v4->sin_addr, sizeof(ip));
    *ret = addr_v4(ip[0], ip[1], ip[2], ip[3], ntohs(v4->sin_port));
    return true;
}

bool sockaddr_local_for(const struct addr *remote, struct addr *ret)
{
    struct sockaddr_storage sa;
    bool is_v6 = !addr_is_v4(remote);
    socklen_t len = sockaddr_of(remote, is_v6, &sa);
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool ok = connect(fd, (struct sockaddr *)&sa, len) == 0;
    len = sizeof(sa);
    ok = ok && getsockname(fd, (struct sockaddr *)&sa, &len) == 0 && sockaddr_read(&sa, ret);
    (void)close(fd);
    return ok;
}

bool sockaddr_first_interface(struct addr *ret)
{
    struct ifaddrs *list;
    bool found = false;
    if (getifaddrs(&list))
        return false;
    for (struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
        struct sockaddr_storage sa = {0};
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
            (i->ifa_flags & IFF_LOOPBACK))
            continue;
        memcpy(&sa, i->ifa_addr, sizeof(struct sockaddr_in));
        found = sockaddr_read(&sa, ret);
    }
    freeifaddrs(list);
    return found;
}
