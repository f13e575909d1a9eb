/**
 * What all handshakes of one thread have in common: certificate, ciphers, SRTP profiles.
 *
 * DTLS 1.2 only (RFC 8827 §6.5). Key exchange X25519, P-256. AEAD ciphers only; as server our
 * own order counts, in the hello and in use_srtp: AEAD_AES_128_GCM wherever the client has it.
 * No tickets, no session cache, no renegotiation. Both sides must show a certificate.
 */
#ifndef DTLS_CONTEXT_H
#define DTLS_CONTEXT_H

#include "base/compiler.h"
#include "dtls/identity.h"

struct dtls_context;

/**
 * @param id  only read; the context holds references of its own
 *
 * @return 0
 *         -ENOMEM   OpenSSL could not make it
 *         -ENOTSUP  the OpenSSL that is loaded is not 3.0 or 3.1: see bio.h, "time"
 *
 * Connections of one context may live on several threads as far as OpenSSL is concerned, but
 * they then share the cache line of its reference count: make one a worker (13 KB, 0.15 ms).
 */
MUST_CHECK int dtls_context_new(const struct dtls_identity *id, struct dtls_context **ret);

/** Its connections must be gone: they use its BIO method. NULL is legal. */
void dtls_context_free(struct dtls_context *ctx);

DEFINE_CLEANUP(struct dtls_context *, dtls_context_free)

#endif
