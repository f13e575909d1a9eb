/*
 * Open addressing with linear probing, at most half full, deletion by shifting back: short runs,
 * no tombstones, and a miss usually costs one cache line. Values are touched only when the whole
 * 64-bit hash agrees.
 */
#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_SLOTS 16

void map_init(struct map *m, map_key_fn key_of, struct rng *rng)
{
    *m = (struct map){.key_of = key_of};
    rng_fill(rng, &m->key, sizeof(m->key));
}

void map_deinit(struct map *m)
{
    mem_free(m->slots);
    m->slots = NULL;
    m->n_slots = m->n = 0;
}

static bool has_key(const struct map *m, const void *value, const void *key, size_t len)
{
    size_t own_len;
    const void *own = m->key_of(value, &own_len);
    return own_len == len && memcmp(own, key, len) == 0;
}

/* Index of the slot with this key, or of the free slot where the probe ended. */
static size_t probe(const struct map *m, uint64_t hash, const void *key, size_t len)
{
    size_t mask = m->n_slots - 1;
    size_t i = hash & mask;
    while (m->slots[i].value) {
        if (m->slots[i].hash == hash && has_key(m, m->slots[i].value, key, len))
            break;
        i = (i + 1) & mask;
    }
    return i;
}

void *map_find_hashed(const struct map *m, uint64_t hash, const void *key, size_t len)
{
    return m->n_slots ? m->slots[probe(m, hash, key, len)].value : NULL;
}

void *map_find(const struct map *m, const void *key, size_t len)
{
    return m->n_slots ? map_find_hashed(m, map_hash(m, key, len), key, len) : NULL;
}

static int grow(struct map *m)
{
    size_t n_slots = m->n_slots ? m->n_slots * 2 : FIRST_SLOTS;
    struct map_slot *slots = mem_zalloc(n_slots * sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < m->n_slots; i++) {
        if (!m->slots[i].value)
            continue;
        size_t to = m->slots[i].hash & (n_slots - 1);
        while (slots[to].value)
            to = (to + 1) & (n_slots - 1);
        slots[to] = m->slots[i];
    }
    mem_free(m->slots);
    m->slots = slots;
    m->n_slots = n_slots;
    return 0;
}

int map_insert(struct map *m, void *value)
{
    if ((m->n + 1) * 2 > m->n_slots) {
        int err = grow(m);
        if (err)
            return err;
    }
    size_t len;
    const void *key = m->key_of(value, &len);
    uint64_t hash = map_hash(m, key, len);
    size_t i = probe(m, hash, key, len);
    assert(!m->slots[i].value);
    m->slots[i] = (struct map_slot){.hash = hash, .value = value};
    m->n++;
    return 0;
}

void *map_remove(struct map *m, const void *key, size_t len)
{
    if (m->n_slots == 0)
        return NULL;
    size_t mask = m->n_slots - 1;
    size_t hole = probe(m, map_hash(m, key, len), key, len);
    void *value = m->slots[hole].value;
    if (!value)
        return NULL;
    /* Close the hole: whatever was pushed past it by probing moves back into it. */
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    m->n--;
    return value;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->n_slots) {
        void *value = m->slots[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}
