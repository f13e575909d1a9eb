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
#include "base/str.h"
#include "base/text.h"

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

/** Room for "sha-512 " and 64 pairs of digits with colons, the zero included. */
#define DTLS_FINGERPRINT_TEXT_MAX 200

struct dtls_fingerprint {
    enum dtls_hash hash;
    uint8_t bytes[DTLS_FINGERPRINT_MAX]; /**< the first dtls_hash_len(hash) are used */
};

enum dtls_fingerprint_error {
    DTLS_FINGERPRINT_E_UNKNOWN_HASH = 1, /**< a hash that is not accepted here: skip the line */
    DTLS_FINGERPRINT_E_MALFORMED,        /**< not a fingerprint: refuse the SDP */
};

/** Digest length [bytes]. */
size_t dtls_hash_len(enum dtls_hash hash);

/** The name in SDP ("sha-256"); constant storage. */
const char *dtls_hash_name(enum dtls_hash hash);

/** Look a hash up by its SDP name, in any case. @return false = not accepted, *ret untouched */
bool dtls_hash_find(struct str name, enum dtls_hash *ret);

/** Hash the certificate as it was sent (its DER form). @return 0 or -ENOMEM */
MUST_CHECK int dtls_fingerprint_of(const X509 *cert, enum dtls_hash hash,
                                   struct dtls_fingerprint *ret);

/** Same hash and same bytes. */
bool dtls_fingerprint_equal(const struct dtls_fingerprint *a, const struct dtls_fingerprint *b);

/**
 * Parse the value of a=fingerprint: "sha-256 4A:AD:B9:…", digits in either case.
 *
 * @return 0, DTLS_FINGERPRINT_E_UNKNOWN_HASH or DTLS_FINGERPRINT_E_MALFORMED (*ret untouched)
 */
MUST_CHECK int dtls_fingerprint_parse(struct str value, struct dtls_fingerprint *ret);

/** Append the value of a=fingerprint, digits in upper case (RFC 8122 §5). */
void dtls_fingerprint_write(const struct dtls_fingerprint *fp, struct text *text);

#endif
