/*
 * A table from address to counts. An attacker chooses the addresses, hence the seeded map; it has
 * as many entries as there are open connections at most, and those are limited.
 */
#include "net/clients.h"

#include <assert.h>

#include "base/mem.h"

static const void *key_of(const void *value, size_t *ret_len)
{
    const struct net_client *client = value;
    *ret_len = sizeof(client->key);
    return client->key;
}

void net_clients_init(struct net_clients *clients, struct rng *rng)
{
    map_init(&clients->map, key_of, rng);
}

void net_clients_deinit(struct net_clients *clients)
{
    assert(clients->map.n == 0);
    map_deinit(&clients->map);
}

struct net_client *net_clients_add(struct net_clients *clients, const struct addr *addr)
{
    uint8_t key[16] = {0};
    memcpy(key, addr->ip, addr_is_v4(addr) ? 16 : 8);
    struct net_client *client = map_find(&clients->map, key, sizeof(key));
    if (!client) {
        client = mem_zalloc(sizeof(*client));
        if (!client)
            return NULL;
        memcpy(client->key, key, sizeof(key));
        if (map_insert(&clients->map, client) < 0) {
            mem_free(client);
            return NULL;
        }
    }
    client->connections++;
    return client;
}

void net_clients_remove(struct net_clients *clients, struct net_client *client)
{
    assert(client->connections > 0);
    if (--client->connections > 0)
        return;
    assert(client->sockets == 0);
    (void)map_remove(&clients->map, client->key, sizeof(client->key));
    mem_free(client);
}
