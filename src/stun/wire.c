/* The two transforms of STUN that are the same in both directions. */
#include "stun/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/dgram.h"

int stun_hmac(const uint8_t *message, size_t at, struct str key, uint8_t ret[STUN_HMAC_LEN])
{
    /* A copy, because the length field differs from the one on the wire and a received datagram
     * is not ours to change. */
    uint8_t copy[DGRAM_MAX];
    unsigned len = STUN_HMAC_LEN;

    assert(at >= STUN_HEADER_LEN && at <= sizeof(copy));
    memcpy(copy, message, at);
    put_be16(copy + 2, (uint16_t)(at - STUN_HEADER_LEN + STUN_INTEGRITY_LEN));
    if (!HMAC(EVP_sha1(), key.p, (int)key.len, copy, at, ret, &len))
        return -ENOMEM;
    assert(len == STUN_HMAC_LEN);
    return 0;
}

struct addr stun_xor_addr(const struct addr *a, const uint8_t *id)
{
    struct addr ret = *a;
    uint8_t *v4 = ret.ip + sizeof(ret.ip) - 4;

    if (addr_is_v4(a)) {
        put_be32(v4, get_be32(v4) ^ STUN_MAGIC_COOKIE);
    } else {
        put_be32(ret.ip, get_be32(ret.ip) ^ STUN_MAGIC_COOKIE);
        for (size_t i = 0; i < STUN_ID_LEN; i++)
            ret.ip[4 + i] ^= id[i];
    }
    ret.port ^= (uint16_t)(STUN_MAGIC_COOKIE >> 16);
    return ret;
}
