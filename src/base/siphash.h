/**
 * SipHash-1-3 (Aumasson, Bernstein): a keyed hash for tables whose keys an attacker chooses.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t len);

#endif
