/**
 * Hash map from a byte string to a pointer. Keys live in the values: the map stores the hash
 * and the value only. Seeded SipHash: who chooses the keys cannot choose the collisions.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "base/siphash.h"

/** The key of a stored value: borrowed bytes inside it, unchanged while it is in the map. */
typedef const void *(*map_key_fn)(const void *value, size_t *ret_len);

struct map_slot {
    uint64_t hash;
    void *value; /**< NULL = free slot */
};

struct map {
    struct map_slot *slots; /**< owned; NULL until the first insert */
    size_t n_slots;         /**< power of two, or 0 */
    size_t n;               /**< values stored */
    map_key_fn key_of;      /**< RO after init */
    struct siphash_key key; /**< RO after init */
};

void map_init(struct map *m, map_key_fn key_of, struct rng *rng);

/** Frees the table, not the values. */
void map_deinit(struct map *m);

/** The hash that the _hashed variants take: compute once, prefetch, look up later. */
static inline uint64_t map_hash(const struct map *m, const void *key, size_t len)
{
    return siphash13(&m->key, key, len);
}

static inline void map_prefetch(const struct map *m, uint64_t hash)
{
    if (m->n_slots)
        __builtin_prefetch(&m->slots[hash & (m->n_slots - 1)]);
}

/** NULL = none. */
void *map_find(const struct map *m, const void *key, size_t len);
void *map_find_hashed(const struct map *m, uint64_t hash, const void *key, size_t len);

/**
 * Add a value whose key must not be in the map yet (a bug otherwise).
 *
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int map_insert(struct map *m, void *value);

/** @return the value that was removed, NULL = none */
void *map_remove(struct map *m, const void *key, size_t len);

/** Any value, in table order; start with *cursor = 0; NULL = end. No change to the map meanwhile.
 */
void *map_next(const struct map *m, size_t *cursor);

#endif
