/**
 * Source of randomness, given to a core at init so that a test is repeatable to the byte.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    void (*fill)(struct rng *rng, void *buf, size_t len);
    uint64_t state; /**< of a seeded generator */
};

/** The kernel's generator, fit for keys. Aborts the process when the kernel has none. */
void rng_init_system(struct rng *rng);

/** Repeatable sequence for tests and fuzzing; never for a running server. */
void rng_init_seeded(struct rng *rng, uint64_t seed);

static inline void rng_fill(struct rng *rng, void *buf, size_t len)
{
    rng->fill(rng, buf, len);
}

uint32_t rng_u32(struct rng *rng);
uint64_t rng_u64(struct rng *rng);

/** Uniform in [0, bound); bound > 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);

/**
 * Random ice-char string (RFC 8839 §5.4: letters, digits, '+', '/'), 6 bits a character.
 *
 * @param len characters; buf has room for len + 1
 */
void rng_ice_chars(struct rng *rng, char *buf, size_t len);

#endif
