/**
 * What a handshake is for: the master keys and salts of SRTP (RFC 5764 §4.2).
 */
#ifndef DTLS_SRTP_KEYS_H
#define DTLS_SRTP_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/compiler.h"

/** IANA DTLS-SRTP protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2). */
enum dtls_srtp_profile {
    DTLS_SRTP_AES128_CM_SHA1_80 = 0x0001,
    DTLS_SRTP_AEAD_AES_128_GCM = 0x0007,
};

/** Exported keying material at its longest: two keys of 16 and two salts of 14. */
#define DTLS_SRTP_MATERIAL_MAX 60

/** The bytes, and where in them each one is. Not to be moved. */
struct dtls_srtp_keys {
    enum dtls_srtp_profile profile;
    bool is_client;           /**< our role */
    uint8_t key_len;          /**< 16 */
    uint8_t salt_len;         /**< 14 (CM), 12 (GCM) */
    size_t material_len;      /**< 60 (CM), 56 (GCM) */
    const uint8_t *local_key; /**< into material: protect with these two */
    const uint8_t *local_salt;
    const uint8_t *remote_key; /**< into material: unprotect with these two */
    const uint8_t *remote_salt;
    /** client key, server key, client salt, server salt; as the exporter gives it */
    uint8_t material[DTLS_SRTP_MATERIAL_MAX];
};

/**
 * Export them from a finished handshake (RFC 5705, RFC 5764 §4.2).
 *
 * @param ret  the caller wipes it (mem_wipe) when it has been used, and after a failure
 *
 * @return false: no profile was agreed, which dtls_verify does not let happen, or out of memory
 */
MUST_CHECK bool dtls_srtp_keys_export(SSL *ssl, bool is_client, struct dtls_srtp_keys *ret);

#endif
