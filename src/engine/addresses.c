/*
 * Which addresses stand for this machine: those of its interfaces, looked up again while the server
 * runs, and what STUN servers see of its ports. The look from outside belongs to the workers
 * (engine/outside.h); here it is begun, and logged.
 */
#include <errno.h>

#include "base/mem.h"
#include "engine/engine_private.h"
#include "engine/interfaces.h"
#include "log/log.h"

/* getifaddrs takes a tenth of a millisecond: not for each of many calls that begin at once. */
#define LIST_INTERVAL (5 * US_PER_S)

static bool is_same(const struct engine *e, const struct addr *addrs, size_t n)
{
    if (n != e->n_addrs)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!addr_equal(&addrs[i], &e->addrs[i]))
            return false;
    }
    return true;
}

static void take(struct engine *e, const struct addr *addrs, size_t n)
{
    char text[ADDR_TEXT_MAX];
    bool is_first = e->addrs_at == MONO_NEVER;
    if (is_same(e, addrs, n))
        return;
    e->n_addrs = n;
    for (size_t i = 0; i < n; i++) {
        e->addrs[i] = addrs[i];
        if (!is_first)
            log_info(ENGINE, "the addresses of this machine have changed, %zu of %zu: %s", i + 1, n,
                     addr_write_ip(&addrs[i], text));
    }
}

int engine_list_addresses(struct engine *e, mono_us now)
{
    struct addr addrs[ENGINE_MAX_ADDRESSES];

    if (!e->is_wildcard || (e->addrs_at != MONO_NEVER && now - e->addrs_at < LIST_INTERVAL))
        return 0;
    int n = interfaces_list(socket_has_v6(&e->workers[0].socket), e->rules, e->n_rules, addrs,
                            ENGINE_MAX_ADDRESSES);
    if (n <= 0)
        return n < 0 ? n : -EADDRNOTAVAIL;
    take(e, addrs, (size_t)n);
    e->addrs_at = now;
    return 0;
}

/* --- from outside --- */

/* On the resolver's thread. */
static void on_resolved(void *user, const struct resolver_result *result)
{
    struct engine *e = user;
    const struct socket *port = &e->workers[0].socket; /* they are all alike */
    struct resolver_result usable = *result;
    if (!socket_has_v6(port))
        usable.n_v6 = 0;
    if (!addr_is_any(&port->bound) && !addr_is_v4(&port->bound))
        usable.n_v4 = 0;
    if (result->failed[0])
        log_warning(ENGINE, "media.stun: %s has no address (%s), asking again in %d s",
                    result->failed, result->why, RESOLVER_RETRY_S);
    for (unsigned i = 0; i < e->n_workers; i++)
        worker_set_stun(&e->workers[i], &usable);
}

int engine_start_stun(struct engine *e, const struct engine_config *config)
{
    e->external_auto = config->external_auto;
    e->has_stun = config->n_stun > 0;
    if (!e->has_stun)
        return 0;
    return resolver_new(config->stun, config->n_stun, on_resolved, e, &e->resolver);
}

bool engine_knows_outside(const struct engine *e)
{
    for (unsigned i = 0; i < e->n_workers && e->has_stun; i++) {
        if (outside_generation(&e->workers[i].outside) == 0)
            return false;
    }
    return true;
}

static void tell(const struct engine *e, struct worker *w)
{
    char text[ADDR_TEXT_MAX];
    struct addr local, mapped;
    uint16_t port = w->socket.bound.port;
    bool is_known = false;

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        if (!outside_get(&w->outside, is_v6, &local, &mapped))
            continue;
        is_known = true;
        log_info(ENGINE, "media port %u is %s outside", port, addr_write(&mapped, text));
        if (e->external_auto && mapped.port != port)
            log_warning(ENGINE,
                        "media.external_ip=auto wants a 1:1 NAT, and this one makes port %u of %u: "
                        "browsers may not get through; set media.stun alone",
                        mapped.port, port);
    }
    if (!is_known)
        log_warning(ENGINE,
                    "media.stun: no server answers port %u, offering the machine's own addresses",
                    port);
}

void engine_tell_outside(struct engine *e)
{
    for (unsigned i = 0; i < e->n_workers && e->has_stun; i++) {
        unsigned generation = outside_generation(&e->workers[i].outside);
        if (generation == e->outside_told[i])
            continue;
        e->outside_told[i] = generation;
        tell(e, &e->workers[i]);
    }
}
