/* HMAC-SHA1 on OpenSSL's low-level SHA-1, which uses the CPU's SHA instructions. The EVP_MAC way
 * costs 300 ns a packet more and 1.5 KB a key: it cannot copy ten words of state without
 * allocating. Deprecated since OpenSSL 3.0 but not gone; this is the one file that uses it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "rtpsec/hmac_sha1.h"

#include <string.h>

#include <openssl/sha.h>

#include "base/mem.h"

static void load(SHA_CTX *c, const uint32_t h[5])
{
    /* not cleared: the buffer behind num = 0 is not read */
    c->h0 = h[0];
    c->h1 = h[1];
    c->h2 = h[2];
    c->h3 = h[3];
    c->h4 = h[4];
    c->Nl = SHA_CBLOCK * 8;
    c->Nh = 0;
    c->num = 0;
}

static void key_block(const uint8_t *key, uint8_t pad, uint32_t ret[5])
{
    uint8_t block[SHA_CBLOCK];
    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < RTPSEC_HMAC_KEY_LEN; i++)
        block[i] ^= key[i];
    SHA_CTX c;
    (void)SHA1_Init(&c);
    SHA1_Transform(&c, block);
    ret[0] = c.h0;
    ret[1] = c.h1;
    ret[2] = c.h2;
    ret[3] = c.h3;
    ret[4] = c.h4;
    mem_wipe(block, sizeof(block));
    mem_wipe(&c, sizeof(c));
}

void rtpsec_hmac_init(struct rtpsec_hmac *h, const uint8_t *key)
{
    key_block(key, 0x36, h->inner);
    key_block(key, 0x5c, h->outer);
}

/* The low-level functions cannot fail for lengths below 2^61. */
void rtpsec_hmac(const struct rtpsec_hmac *h, const uint8_t *data, size_t len,
                 const uint8_t word[4], uint8_t *ret)
{
    SHA_CTX c;
    uint8_t digest[SHA_DIGEST_LENGTH];
    load(&c, h->inner);
    (void)SHA1_Update(&c, data, len);
    (void)SHA1_Update(&c, word, 4);
    (void)SHA1_Final(digest, &c);
    load(&c, h->outer);
    (void)SHA1_Update(&c, digest, sizeof(digest));
    (void)SHA1_Final(ret, &c);
}
