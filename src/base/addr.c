/* Transport addresses: see the header. inet_pton and inet_ntop are used as text codecs only. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool addr_is_v4(const struct addr *a)
{
    return memcmp(a->ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool addr_is_any(const struct addr *a)
{
    static const uint8_t zero[16];
    if (addr_is_v4(a))
        return memcmp(a->ip + 12, zero, 4) == 0;
    return memcmp(a->ip, zero, 16) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    if (addr_is_v4(a))
        return a->ip[12] == 127;
    return memcmp(a->ip, one, 16) == 0;
}

bool addr_is_link_local(const struct addr *a)
{
    if (addr_is_v4(a))
        return a->ip[12] == 169 && a->ip[13] == 254;
    return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

bool addr_is_unicast(const struct addr *a)
{
    if (a->port == 0)
        return false;
    if (addr_is_v4(a)) /* 0.0.0.0/8 is "this network"; 224/4 multicast; 240/4 reserved, broadcast */
        return a->ip[12] != 0 && a->ip[12] < 224;
    return a->ip[0] != 0xff && !addr_is_any(a);
}

struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
    struct addr ret = {.port = port};
    memcpy(ret.ip, v4_prefix, sizeof(v4_prefix));
    ret.ip[12] = a;
    ret.ip[13] = b;
    ret.ip[14] = c;
    ret.ip[15] = d;
    return ret;
}

bool addr_parse_ip(struct str text, uint16_t port, struct addr *ret)
{
    char buf[INET6_ADDRSTRLEN + 1];
    struct addr a = {.port = port};

    if (!str_copy(text, buf, sizeof(buf)))
        return false;
    if (inet_pton(AF_INET, buf, a.ip + 12) == 1)
        memcpy(a.ip, v4_prefix, sizeof(v4_prefix));
    else if (inet_pton(AF_INET6, buf, a.ip) != 1)
        return false;
    *ret = a;
    return true;
}

bool addr_parse(struct str text, struct addr *ret)
{
    struct str ip;
    uint64_t port;

    if (text.len && text.p[0] == '[') {
        text = str_tail(text, 1);
        ip = str_take_until(&text, ']');
        if (text.len == 0 || text.p[0] != ':')
            return false;
        text = str_tail(text, 1);
    } else {
        ip = str_take_until(&text, ':');
    }
    if (!str_to_u64(text, UINT16_MAX, &port))
        return false;
    return addr_parse_ip(ip, (uint16_t)port, ret);
}

bool addr_split(struct str text, uint16_t fallback_port, struct str *ret_host, uint16_t *ret_port)
{
    bool is_bracketed = str_starts_with(text, STR("["));
    struct str inner = str_tail(text, is_bracketed);
    const char *end = inner.len ? memchr(inner.p, is_bracketed ? ']' : ':', inner.len) : NULL;
    struct str host = end ? str_head(inner, (size_t)(end - inner.p)) : inner;
    struct str rest = str_tail(inner, host.len + (is_bracketed ? 1 : 0)); /* "" or ":port" */
    uint64_t port = fallback_port;

    if (host.len == 0 || (is_bracketed && !end))
        return false;
    if (rest.len && (rest.p[0] != ':' || !str_to_u64(str_tail(rest, 1), UINT16_MAX, &port)))
        return false;
    if (port == 0)
        return false;
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return true;
}

const char *addr_write_ip(const struct addr *a, char *buf)
{
    bool is_v4 = addr_is_v4(a);
    if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? a->ip + 12 : a->ip, buf, ADDR_TEXT_MAX))
        buf[0] = 0;
    return buf;
}

const char *addr_write(const struct addr *a, char *buf)
{
    char ip[ADDR_TEXT_MAX];
    (void)addr_write_ip(a, ip);
    (void)snprintf(buf, ADDR_TEXT_MAX, addr_is_v4(a) ? "%.45s:%u" : "[%.45s]:%u", ip, a->port);
    return buf;
}
