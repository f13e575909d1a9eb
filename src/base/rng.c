/* Randomness: the kernel's for the server, splitmix64 for repeatable tests. */
#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void fill_system(struct rng *rng, void *buf, size_t len)
{
    uint8_t *p = buf;
    (void)rng;
    while (len) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            abort(); /* no entropy source: nothing secret could be made */
        p += n;
        len -= (size_t)n;
    }
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void fill_seeded(struct rng *rng, void *buf, size_t len)
{
    uint8_t *p = buf;
    while (len) {
        uint64_t value = splitmix64(&rng->state);
        size_t n = len < sizeof(value) ? len : sizeof(value);
        memcpy(p, &value, n);
        p += n;
        len -= n;
    }
}

void rng_init_system(struct rng *rng)
{
    *rng = (struct rng){.fill = fill_system};
}

void rng_init_seeded(struct rng *rng, uint64_t seed)
{
    *rng = (struct rng){.fill = fill_seeded, .state = seed};
}

uint32_t rng_u32(struct rng *rng)
{
    uint32_t v;
    rng_fill(rng, &v, sizeof(v));
    return v;
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t v;
    rng_fill(rng, &v, sizeof(v));
    return v;
}

uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    assert(bound > 0);
    /* Reject the short last lap, so that every value is equally likely. */
    uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
    uint32_t v;
    do {
        v = rng_u32(rng);
    } while (v >= limit);
    return v % bound;
}

void rng_ice_chars(struct rng *rng, char *buf, size_t len)
{
    static const char alphabet[65] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    rng_fill(rng, buf, len);
    for (size_t i = 0; i < len; i++)
        buf[i] = alphabet[(unsigned char)buf[i] & 63];
    buf[len] = 0;
}
