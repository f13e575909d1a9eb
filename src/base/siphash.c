/* SipHash with one compression and three finalisation rounds, after the published algorithm. */
#include "base/siphash.h"

#include <string.h>

static inline uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t v[4] = {
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
    uint64_t last = (uint64_t)len << 56;

    while (len >= 8) {
        uint64_t m;
        memcpy(&m, p, 8); /* little endian machines only, as everywhere in this hash's users */
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
        p += 8;
        len -= 8;
    }
    unsigned shift = 0;
    if (len & 4) { /* an address ends so: it is hashed for each packet */
        uint32_t half;
        memcpy(&half, p, 4);
        last |= half;
        p += 4;
        len -= 4;
        shift = 32;
    }
    for (size_t i = 0; i < len; i++)
        last |= (uint64_t)p[i] << (shift + 8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
