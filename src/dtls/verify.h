/**
 * The only check of a peer's certificate: is it one that signaling promised?
 *
 * RFC 8827 §6.5, RFC 8122 §6.2, RFC 5763 §5. Names, dates and issuers of a self-signed
 * certificate mean nothing and are not looked at. OpenSSL itself checks that the peer has the
 * certificate's key.
 */
#ifndef DTLS_VERIFY_H
#define DTLS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "dtls/conn.h"

/** What one handshake expects and found; the SSL object's app data. */
struct dtls_verify {
    struct dtls_fingerprint fps[DTLS_MAX_FINGERPRINTS]; /**< RO after init */
    size_t n_fps;
    bool is_accepted;          /**< the callback said yes */
    bool is_refused;           /**< the callback said no */
    enum dtls_failure failure; /**< why */
};

/**
 * For SSL_CTX_set_cert_verify_callback. Runs when the peer's certificate has arrived; by then
 * both hellos are done, so that a missing SRTP profile is refused in the same place.
 *
 * @return 1 = go on; 0 = OpenSSL sends bad_certificate or handshake_failure
 */
int dtls_verify_callback(X509_STORE_CTX *store, void *arg);

#endif
