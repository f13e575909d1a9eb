/* Addresses of the machine, from getifaddrs: see the header. */
#include "engine/interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "engine/socket.h"

struct collector {
    const struct interface_rule *rules;
    size_t n_rules;
    struct addr *addrs;
    size_t n, max;
};

static void add(struct collector *c, const struct addr *addr)
{
    for (size_t i = 0; i < c->n; i++) {
        if (addr_ip_equal(&c->addrs[i], addr))
            return;
    }
    if (c->n < c->max)
        c->addrs[c->n++] = *addr;
}

static void collect(struct collector *c, const struct ifaddrs *all, int family, bool loopback)
{
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP))
            continue;
        struct addr addr;
        if (!socket_addr_from_sa(i->ifa_addr, &addr))
            continue;
        addr.port = 0;
        if (addr_is_loopback(&addr) != loopback || addr_is_any(&addr))
            continue;
        if (addr_is_link_local(&addr) ||
            !interface_rules_pass(c->rules, c->n_rules, i->ifa_name, &addr))
            continue;
        add(c, &addr);
    }
}

int interfaces_list(bool with_v6, const struct interface_rule *rules, size_t n_rules,
                    struct addr *ret, size_t max)
{
    struct collector c = {.rules = rules, .n_rules = n_rules, .addrs = ret, .max = max};
    struct ifaddrs *all;

    if (getifaddrs(&all))
        return -errno;
    collect(&c, all, AF_INET, false);
    if (with_v6)
        collect(&c, all, AF_INET6, false);
    if (c.n == 0) {
        collect(&c, all, AF_INET, true);
        if (with_v6)
            collect(&c, all, AF_INET6, true);
    }
    freeifaddrs(all);
    return (int)c.n;
}
