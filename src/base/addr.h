/**
 * Transport address: IP, port and transport, without the socket API.
 *
 * IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), so that one comparison
 * serves both families. There are no padding bytes: the struct may be hashed and compared whole.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

/** `tcp` of an address of ours: it stands for all connections accepted there. */
#define ADDR_TCP 1

struct addr {
    uint8_t ip[16]; /**< network order; ::ffff:a.b.c.d for IPv4 */
    uint16_t port;  /**< host order */
    uint16_t tcp;   /**< 0 = UDP. TCP: ADDR_TCP of ours; of theirs the number of the connection,
                         given by who owns its socket: to it and no other one a datagram goes */
};

_Static_assert(sizeof(struct addr) == 20, "struct addr is hashed as bytes");

/** Room for addr_write with brackets and port, the zero included. */
#define ADDR_TEXT_MAX 64

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool addr_ip_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool addr_is_v4(const struct addr *a);

/** 0.0.0.0 or :: */
bool addr_is_any(const struct addr *a);

/** 127.0.0.0/8 or ::1 */
bool addr_is_loopback(const struct addr *a);

/** 169.254.0.0/16 or fe80::/10 */
bool addr_is_link_local(const struct addr *a);

/**
 * Usable as the remote end of a media path: not the unspecified address, not multicast, not
 * broadcast, and with a port (coturn CVE-2020-26262 shows what happens otherwise).
 */
bool addr_is_unicast(const struct addr *a);

struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);

/**
 * Parse a numeric IPv4 or IPv6 address without port, brackets or zone.
 *
 * @return false when it is not one; *ret is then untouched
 */
bool addr_parse_ip(struct str text, uint16_t port, struct addr *ret);

/** Parse "a.b.c.d:port" or "[v6]:port". */
bool addr_parse(struct str text, struct addr *ret);

/**
 * Split "host:port", "host", "[v6]:port" or "[v6]"; the host may be a name and is not judged.
 *
 * @param fallback_port when there is none
 * @return false: no host, or a port that is none or 0
 */
bool addr_split(struct str text, uint16_t fallback_port, struct str *ret_host, uint16_t *ret_port);

/** The IP alone ("192.0.2.1", "2001:db8::1"). @param buf ADDR_TEXT_MAX bytes. @return buf */
const char *addr_write_ip(const struct addr *a, char *buf);

/** With the port ("192.0.2.1:5000", "[2001:db8::1]:5000"). @param buf ADDR_TEXT_MAX. @return buf */
const char *addr_write(const struct addr *a, char *buf);

#endif
