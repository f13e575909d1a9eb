/**
 * a=crypto: keys of SRTP in the description itself (SDES, RFC 4568). They are as secret as the way
 * that the description takes.
 *
 *     a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20
 */
#ifndef SDP_CRYPTO_H
#define SDP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/text.h"

enum sdp_crypto_suite {
    SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80, /**< RFC 4568 §6.2: everybody has it */
    SDP_CRYPTO_AEAD_AES_128_GCM,        /**< RFC 7714 §14.3 */
    SDP_CRYPTO_N_SUITES,
};

/** Master key and salt, one behind the other: 30 or 28 bytes. */
#define SDP_CRYPTO_MAX_KEY 30

struct sdp_crypto {
    uint32_t tag; /**< 1 to 9 digits; an answer repeats that of the line that it takes */
    enum sdp_crypto_suite suite;
    uint8_t key[SDP_CRYPTO_MAX_KEY]; /**< sdp_crypto_key_len(suite) bytes; a secret */
};

/** Bytes of master key and salt. */
size_t sdp_crypto_key_len(enum sdp_crypto_suite suite);

/**
 * @param value  what stands behind "a=crypto:"
 * @return false = it cannot be used: another suite, a master key identifier, several keys, a
 *         session parameter that must be obeyed (RFC 4568 §6.3.7), or malformed. Look at the next
 *         line; *ret is untouched
 */
bool sdp_crypto_parse(struct str value, struct sdp_crypto *ret);

/** The whole line. */
void sdp_crypto_write(struct text *t, const struct sdp_crypto *c);

#endif
