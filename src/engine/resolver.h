/**
 * Names of STUN servers to addresses, off every thread that has something else to do: a name
 * server that is silent keeps getaddrinfo busy for half a minute.
 *
 * A thread of its own resolves at once and again every RESOLVER_INTERVAL. It is never waited for:
 * resolver_free leaves it to end by itself, which is why the two share a small block of memory.
 */
#ifndef ENGINE_RESOLVER_H
#define ENGINE_RESOLVER_H

#include <stddef.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "stun/mapping.h"

/** Names of one list. */
#define RESOLVER_NAMES 8

/** Between two looks; RESOLVER_RETRY when a name had no address. */
#define RESOLVER_INTERVAL_S 300
#define RESOLVER_RETRY_S    15

/** The port of "host" without one (RFC 8489 §18.6). */
#define RESOLVER_STUN_PORT 3478

/** Room for a host name (RFC 1035 §2.3.4), the zero included. */
#define RESOLVER_HOST_MAX 256

/** What came of it; given to on_resolved, which copies it. */
struct resolver_result {
    struct addr v4[STUN_MAPPING_SERVERS], v6[STUN_MAPPING_SERVERS];
    size_t n_v4, n_v6;
    char failed[RESOLVER_HOST_MAX]; /**< the first name without an address; empty = none */
    const char *why;                /**< of `failed`; static */
};

/**
 * A name server that fails for a moment takes nothing away: a family for which a failed look found
 * no address keeps those of the look before.
 */
void resolver_keep(const struct resolver_result *before, struct resolver_result *now);

/** On the resolver's thread, one call at a time, and none after resolver_free has returned. */
typedef void (*resolver_fn)(void *user, const struct resolver_result *result);

struct resolver;

/**
 * @param names "host:port", as addr_split takes them; copied. More than RESOLVER_NAMES are ignored
 * @return 0 or a negative errno
 */
MUST_CHECK int resolver_new(const char *const *names, size_t n, resolver_fn on_resolved, void *user,
                            struct resolver **ret);

/** Does not wait for a look-up that runs. NULL is legal. */
void resolver_free(struct resolver *r);

#endif
