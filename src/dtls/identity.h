/**
 * Who this server is in a handshake: a key and a self-signed certificate that live in memory only.
 *
 * ECDSA on P-256 (RFC 8827 §6.5 makes it mandatory; 35 us to make, against 190 ms for RSA-2048).
 * Made at start, gone at the end of the process, never on disk.
 */
#ifndef DTLS_IDENTITY_H
#define DTLS_IDENTITY_H

#include <stdint.h>

#include <openssl/types.h>

#include "base/compiler.h"
#include "dtls/fingerprint.h"

struct dtls_identity {
    EVP_PKEY *key;                       /**< owned */
    X509 *cert;                          /**< owned */
    struct dtls_fingerprint fingerprint; /**< SHA-256 of the certificate; RO after init */
};

/**
 * Make a key and its certificate.
 *
 * @param unix_s  wall-clock time [s since 1970], for the validity period (a day before to ten
 *                years after); WebRTC endpoints do not check it, RFC 8827 §6.5 asks for
 *                nothing but the fingerprint
 *
 * @return 0, or -ENOMEM: OpenSSL could not (memory or entropy)
 *
 * Randomness is OpenSSL's own generator, not a struct rng: a key must never be repeatable.
 * Afterwards the identity is read-only and may be shared by all threads.
 */
MUST_CHECK int dtls_identity_init(struct dtls_identity *id, int64_t unix_s);

/** Contexts made from it hold their own references. A zeroed struct is legal. */
void dtls_identity_deinit(struct dtls_identity *id);

#endif
