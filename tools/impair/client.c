/*
 * Clients come with their first datagram and are forgotten after a silence, as the mappings of a
 * NAT are: so a relay that runs for days keeps no socket of a call that is long over.
 */
#include "impair/client.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "impair/udp.h"

/* Datagrams of one socket before the others get their turn. */
#define MAX_READS 64

static const void *key_of(const void *value, size_t *ret_len)
{
    const struct impair_client *client = value;
    *ret_len = sizeof(client->key);
    return &client->key;
}

static void upstream_ready(struct impair_relay *r, struct impair_source *source)
{
    struct impair_upstream *up = CONTAINER_OF(source, struct impair_upstream, source);
    struct impair_client *client = up->client;
    if (!client)
        return;
    for (int i = 0; i < MAX_READS; i++) {
        struct addr from;
        ssize_t n = impair_udp_receive(source->fd, r->buffer, sizeof(r->buffer), &from);
        if (n == -ECONNREFUSED)
            continue; /* an ICMP error of what was sent before: nobody there, yet */
        if (n < 0)
            return;
        if (client->upstream == up) {
            impair_relay_enter(r, client, IMPAIR_DOWN, r->buffer, (size_t)n);
        } else {
            r->stats.counts[IMPAIR_DOWN][IMPAIR_RECEIVED]++;
            r->stats.counts[IMPAIR_DOWN][IMPAIR_LOST_OLD_ADDRESS]++;
        }
    }
}

static void upstream_free(struct impair_upstream *up)
{
    if (!up)
        return;
    if (up->source.fd >= 0)
        (void)close(up->source.fd);
    mem_free(up);
}

/* An event of this turn may still name it. */
static void upstream_discard(struct impair_relay *r, struct impair_upstream *up)
{
    if (!up)
        return;
    up->client = NULL;
    up->next = r->discarded;
    r->discarded = up;
}

static int upstream_new(struct impair_relay *r, struct impair_client *client, const struct addr *ip,
                        struct impair_upstream **ret)
{
    struct impair_upstream *up = mem_zalloc(sizeof(*up));
    if (!up)
        return -ENOMEM;
    up->client = client;
    up->source.on_ready = upstream_ready;
    up->source.fd = impair_udp_connect(&client->listener->server, ip);
    int err = up->source.fd < 0 ? up->source.fd : impair_relay_watch(r, &up->source);
    if (err) {
        upstream_free(up);
        return err;
    }
    *ret = up;
    return 0;
}

static void client_free(struct impair_client *client)
{
    upstream_free(client->upstream);
    upstream_free(client->old);
    mem_free(client);
}

static void idle_due(struct impair_relay *r, struct impair_alarm *alarm)
{
    struct impair_client *client = CONTAINER_OF(alarm, struct impair_client, idle);
    mono_us at = client->used_at + r->options->idle;
    if (at > r->now || client->n_waiting) {
        timer_heap_set(&r->alarms, &alarm->timer, at > r->now ? at : r->now + US_PER_S);
        return;
    }
    void *removed = map_remove(&r->clients, &client->key, sizeof(client->key));
    assert(removed == client);
    (void)removed;
    upstream_discard(r, client->upstream);
    upstream_discard(r, client->old);
    mem_free(client);
}

static struct impair_client *client_new(struct impair_relay *r, struct impair_listener *listener,
                                        const struct impair_client_key *key)
{
    /* Idle alarms of all clients, the schedule, the end. */
    size_t n_alarms = r->clients.n + 1 + r->options->n_schedule + 1;
    if (r->clients.n >= IMPAIR_MAX_CLIENTS || timer_heap_reserve(&r->alarms, n_alarms))
        return NULL;
    struct impair_client *client = mem_zalloc(sizeof(*client));
    if (!client)
        return NULL;
    client->key = *key;
    client->listener = listener;
    client->idle.on_due = idle_due;
    if (upstream_new(r, client, NULL, &client->upstream) || map_insert(&r->clients, client)) {
        client_free(client);
        return NULL;
    }
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++)
        impair_line_init(&client->lines[i], rng_u64(&r->seeds));
    timer_heap_set(&r->alarms, &client->idle.timer, r->now + r->options->idle);
    r->stats.n_clients++;
    return client;
}

void impair_clients_init(struct impair_relay *r)
{
    map_init(&r->clients, key_of, &r->secret);
}

void impair_clients_deinit(struct impair_relay *r)
{
    size_t cursor = 0;
    struct impair_client *client;
    impair_clients_free_discarded(r);
    while ((client = map_next(&r->clients, &cursor)))
        client_free(client);
    map_deinit(&r->clients);
}

struct impair_client *impair_client_get(struct impair_relay *r, struct impair_listener *listener,
                                        const struct addr *remote)
{
    struct impair_client_key key = {*remote, (uint16_t)(listener - r->listeners)};
    struct impair_client *client = map_find(&r->clients, &key, sizeof(key));
    if (!client)
        client = client_new(r, listener, &key);
    if (client)
        client->used_at = r->now;
    return client;
}

int impair_clients_rebind(struct impair_relay *r, const struct addr *ip)
{
    size_t cursor = 0;
    struct impair_client *client;
    while ((client = map_next(&r->clients, &cursor))) {
        struct impair_upstream *fresh;
        int err = upstream_new(r, client, ip, &fresh);
        if (err)
            return err;
        upstream_discard(r, client->old);
        client->old = client->upstream;
        client->upstream = fresh;
        r->stats.n_rebinds++;
    }
    return 0;
}

void impair_clients_free_discarded(struct impair_relay *r)
{
    while (r->discarded) {
        struct impair_upstream *up = r->discarded;
        r->discarded = up->next;
        upstream_free(up);
    }
}
