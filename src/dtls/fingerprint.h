/**
 * Certificate fingerprint: what signaling promises about the certificate in the handshake.
 *
 * RFC 8122 §5 (a=fingerprint), RFC 8827 §6.5.
 */
#ifndef DTLS_FINGERPRINT_H
#define DTLS_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/compiler.h"

/**
 * Hash functions that are accepted. RFC 8122 §5 also names sha-1, md5 and md2; RFC 8827 §6.5
 * forbids MD5 and MD2, and nobody who speaks WebRTC has sent SHA-1 since 2014.
 */
enum dtls_hash {
    DTLS_HASH_SHA256,
    DTLS_HASH_SHA384,
    DTLS_HASH_SHA512,
};

/** Bytes of the longest digest (SHA-512). */
#define DTLS_FINGERPRINT_MAX 64

struct dtls_fingerprint {
    enum dtls_hash hash;
    uint8_t bytes[DTLS_FINGERPRINT_MAX]; /**< as many as the hash has are used */
};

/** Fingerprint of a certificate. @return 0, or -ENOMEM: OpenSSL could not (*ret untouched) */
MUST_CHECK int dtls_fingerprint_of(const X509 *cert, enum dtls_hash hash,
                                   struct dtls_fingerprint *ret);

/** Same hash and same bytes. */
bool dtls_fingerprint_equal(const struct dtls_fingerprint *a, const struct dtls_fingerprint *b);

#endif
