/**
 * The cipher table (private to rtpsec): what a session needs of a cipher library, twice three
 * functions. The framing decides about bytes and indices, a transform only encrypts and
 * authenticates; so both implementations can be held against each other.
 */
#ifndef RTPSEC_TRANSFORM_H
#define RTPSEC_TRANSFORM_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "rtpsec/keys.h"
#include "rtpsec/provider.h"

/** RFC 7714 §13.2 and RFC 3711 §5.2. */
#define RTPSEC_GCM_TAG_LEN  16
#define RTPSEC_SHA1_TAG_LEN 10

#define RTPSEC_GCM_IV_LEN 12

/**
 * One packet to transform, in place.
 *
 *    AEAD:      aad is authenticated, text is authenticated and encrypted
 *    CM + HMAC: text is encrypted; data … end of text, then `word`, is authenticated
 */
struct rtpsec_op {
    uint8_t *data; /**< the packet from its first byte */
    uint8_t *text; /**< the encrypted portion, inside data */
    size_t text_len;
    const uint8_t *aad; /**< AEAD only */
    size_t aad_len;
    uint8_t *tag;    /**< seal: written; open: compared. tag_len bytes, may lie behind text */
    uint8_t iv[16];  /**< 12 bytes nonce with GCM, the first counter block with CM */
    uint8_t word[4]; /**< ROC, or E flag and SRTCP index, in network order */
};

struct rtpsec_transform {
    const char *name;
    enum rtpsec_profile profile;
    enum rtpsec_provider_kind kind;
    uint8_t tag_len;

    /**
     * Expand a session key.
     *
     * @param key   RTPSEC_KEY_ROOM bytes, aligned to a cache line; key_deinit releases what they
     *              hold, the caller wipes them
     * @param auth  HMAC key of 20 bytes; not looked at by AEAD
     *
     * @return 0, -ENOMEM, -EIO
     */
    int (*key_init)(struct rtpsec_provider *p, void *key, const uint8_t *cipher,
                    const uint8_t *auth);
    void (*key_deinit)(void *key);

    /** @return 0, -EIO: the library failed */
    int (*seal)(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op);

    /** @return 0, RTPSEC_E_AUTH: the text is then zeroed; -EIO */
    int (*open)(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op);
};

/** The state of all implementations; a provider uses the part that it needs. */
struct rtpsec_provider {
    enum rtpsec_provider_kind kind;
    const struct rtpsec_transform *gcm;
    const struct rtpsec_transform *cm;
    struct evp_cipher_st *evp_gcm; /**< fetched once: a fetch takes a lock */
    struct evp_cipher_st *evp_ctr;
    void *mb; /**< ipsec-mb's manager and scratch memory; NULL with EVP */
};

/** NULL = unknown profile. */
const struct rtpsec_transform *rtpsec_transform_find(const struct rtpsec_provider *p,
                                                     enum rtpsec_profile profile);

/** Equal? In time that depends on len alone. */
int rtpsec_tag_check(const uint8_t *a, const uint8_t *b, size_t len);

/* The implementations fill a zeroed provider; 0 or the errors of rtpsec_provider_new. On failure
 * the matching _deinit is legal. */
MUST_CHECK int rtpsec_evp_init(struct rtpsec_provider *p);
void rtpsec_evp_deinit(struct rtpsec_provider *p);

#ifdef DUET_HAVE_IPSEC_MB
MUST_CHECK int rtpsec_ipsec_mb_init(struct rtpsec_provider *p);
void rtpsec_ipsec_mb_deinit(struct rtpsec_provider *p);
#endif

/**
 * Do two providers make the same bytes of the same packets, and do both refuse a damaged one?
 *
 * @return 0, -ENOTSUP: they differ; -ENOMEM, -EIO
 */
MUST_CHECK int rtpsec_self_test(struct rtpsec_provider *a, struct rtpsec_provider *b);

#endif
