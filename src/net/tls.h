/**
 * What the HTTPS listener speaks: TLS 1.2 and 1.3 with forward secrecy, and little memory.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <openssl/ssl.h>

#include "base/compiler.h"

/** "AB:CD:…" of a SHA-256, the zero included. */
#define NET_FINGERPRINT_MAX 96

/**
 * Set versions, ciphers, curves and memory behaviour, and load the pair.
 *
 * @param cert      PEM: the server's certificate, then those that lead to its root
 * @param key       PEM; may be the same file
 * @param ret_error NET_ERROR_MAX bytes, filled on failure
 *
 * @return 0, NET_E_CONFIG (unreadable, or they do not belong together), or -ENOMEM
 */
MUST_CHECK int net_tls_setup(SSL_CTX *ctx, const char *cert, const char *key, char *ret_error);

/** Try the pair without keeping anything: the same results. */
MUST_CHECK int net_tls_check(const char *cert, const char *key, char *ret_error);

/** Fingerprint of the context's certificate. @param ret NET_FINGERPRINT_MAX bytes */
void net_tls_fingerprint(const SSL_CTX *ctx, char *ret);

#endif
