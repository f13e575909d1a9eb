/**
 * Session keys from a master key (RFC 3711 §4.3, with AES-128 in counter mode as the PRF; RFC 7714
 * §11 uses the same one). The key derivation rate is 0: derived once.
 */
#ifndef RTPSEC_KDF_H
#define RTPSEC_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "rtpsec/keys.h"

/** RFC 3711 §4.3.1 and §4.3.2. */
enum rtpsec_kdf_label {
    RTPSEC_KDF_RTP_KEY = 0,
    RTPSEC_KDF_RTP_AUTH = 1,
    RTPSEC_KDF_RTP_SALT = 2,
    RTPSEC_KDF_RTCP_KEY = 3,
    RTPSEC_KDF_RTCP_AUTH = 4,
    RTPSEC_KDF_RTCP_SALT = 5,
};

/** Longest output: the authentication key of RFC 3711's own test vector [bytes]. */
#define RTPSEC_KDF_MAX_LEN 96

/**
 * @param master_salt  RTPSEC_MAX_SALT_LEN bytes, a shorter salt padded with zeros on the right
 * @param len          1 … RTPSEC_KDF_MAX_LEN
 * @param ret          len bytes, set on success only
 *
 * @return 0, -ENOMEM, or -EIO: OpenSSL failed
 */
MUST_CHECK int rtpsec_kdf(const uint8_t *master_key, const uint8_t *master_salt,
                          enum rtpsec_kdf_label label, uint8_t *ret, size_t len);

#endif
