/* The worker's part is two stun_mappings; the rest is copying in and out under the mutex. */
#include "engine/outside.h"

#include <string.h>

enum { V4, V6 };

int outside_init(struct outside *o, uint32_t tag, struct rng *rng)
{
    *o = (struct outside){.has_servers = false};
    int err = pthread_mutex_init(&o->mutex, NULL);
    if (err)
        return -err;
    for (unsigned i = 0; i < OUTSIDE_FAMILIES; i++)
        stun_mapping_init(&o->mappings[i], tag, rng);
    return 0;
}

void outside_deinit(struct outside *o)
{
    (void)pthread_mutex_destroy(&o->mutex);
}

/* --- any thread --- */

void outside_set_servers(struct outside *o, const struct resolver_result *servers)
{
    (void)pthread_mutex_lock(&o->mutex);
    memcpy(o->servers[V4], servers->v4, sizeof(servers->v4));
    memcpy(o->servers[V6], servers->v6, sizeof(servers->v6));
    o->n_servers[V4] = servers->n_v4;
    o->n_servers[V6] = servers->n_v6;
    (void)pthread_mutex_unlock(&o->mutex);
    atomic_store(&o->has_servers, true);
}

bool outside_get(struct outside *o, bool is_v6, struct addr *ret_local, struct addr *ret_mapped)
{
    (void)pthread_mutex_lock(&o->mutex);
    const struct stun_mapping_event result = o->results[is_v6];
    (void)pthread_mutex_unlock(&o->mutex);
    if (!result.is_known)
        return false;
    *ret_local = result.local;
    *ret_mapped = result.mapped;
    return true;
}

unsigned outside_generation(const struct outside *o)
{
    return atomic_load(&o->generation);
}

/* --- the worker's thread --- */

bool outside_input(struct outside *o, mono_us now, const struct dgram *d)
{
    for (unsigned i = 0; i < OUTSIDE_FAMILIES; i++) {
        if (stun_mapping_input(&o->mappings[i], now, d) == 0)
            return true;
    }
    return false;
}

/* @return true: there is nobody to ask, which is an answer, too */
static bool take_servers(struct outside *o, mono_us now)
{
    struct addr servers[OUTSIDE_FAMILIES][STUN_MAPPING_SERVERS];
    size_t n[OUTSIDE_FAMILIES];

    if (!atomic_exchange(&o->has_servers, false))
        return false;
    (void)pthread_mutex_lock(&o->mutex);
    memcpy(servers, o->servers, sizeof(servers));
    memcpy(n, o->n_servers, sizeof(n));
    (void)pthread_mutex_unlock(&o->mutex);
    for (unsigned i = 0; i < OUTSIDE_FAMILIES; i++)
        stun_mapping_set_servers(&o->mappings[i], now, servers[i], n[i]);
    return n[V4] + n[V6] == 0;
}

bool outside_run(struct outside *o, mono_us now)
{
    struct stun_mapping_event event;
    bool is_news = take_servers(o, now);

    for (unsigned i = 0; i < OUTSIDE_FAMILIES; i++) {
        stun_mapping_timeout(&o->mappings[i], now);
        if (!stun_mapping_poll_event(&o->mappings[i], &event))
            continue;
        (void)pthread_mutex_lock(&o->mutex);
        o->results[i] = event;
        (void)pthread_mutex_unlock(&o->mutex);
        is_news = true;
    }
    if (is_news)
        atomic_fetch_add(&o->generation, 1);
    return is_news;
}

bool outside_poll_send(struct outside *o, struct dgram *ret)
{
    return stun_mapping_poll_send(&o->mappings[V4], ret) ||
           stun_mapping_poll_send(&o->mappings[V6], ret);
}

mono_us outside_deadline(const struct outside *o)
{
    if (atomic_load_explicit(&o->has_servers, memory_order_relaxed))
        return 0;
    return mono_min(stun_mapping_deadline(&o->mappings[V4]),
                    stun_mapping_deadline(&o->mappings[V6]));
}
