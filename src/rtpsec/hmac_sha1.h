/**
 * HMAC-SHA1 (RFC 2104) with the two key blocks hashed once: what a packet costs is its own blocks
 * and one more.
 */
#ifndef RTPSEC_HMAC_SHA1_H
#define RTPSEC_HMAC_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define RTPSEC_HMAC_KEY_LEN 20 /**< RFC 3711 §8.2: n_a = 160 bits */
#define RTPSEC_HMAC_LEN     20

/** SHA-1 states after the inner and the outer key block. A secret like the key. */
struct rtpsec_hmac {
    uint32_t inner[5];
    uint32_t outer[5];
};

/** @param key RTPSEC_HMAC_KEY_LEN bytes */
void rtpsec_hmac_init(struct rtpsec_hmac *h, const uint8_t *key);

/**
 * HMAC of data followed by a 32-bit word (RFC 3711 §4.2: "M = Authenticated Portion || ROC").
 *
 * @param word  in network order
 * @param ret   RTPSEC_HMAC_LEN bytes
 */
void rtpsec_hmac(const struct rtpsec_hmac *h, const uint8_t *data, size_t len,
                 const uint8_t word[4], uint8_t *ret);

#endif
