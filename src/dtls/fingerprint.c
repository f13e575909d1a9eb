/*
 * Fingerprints as bytes; their text form in SDP is sdp/attr.h's. A certificate is public, so
 * nothing here needs constant time.
 */
#include "dtls/fingerprint.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

static const struct {
    size_t len;
    const EVP_MD *(*md)(void);
} hashes[] = {
    [DTLS_HASH_SHA256] = {32, EVP_sha256},
    [DTLS_HASH_SHA384] = {48, EVP_sha384},
    [DTLS_HASH_SHA512] = {64, EVP_sha512},
};

int dtls_fingerprint_of(const X509 *cert, enum dtls_hash hash, struct dtls_fingerprint *ret)
{
    struct dtls_fingerprint fp = {.hash = hash};
    unsigned len = 0;
    if (X509_digest(cert, hashes[hash].md(), fp.bytes, &len) != 1 || len != hashes[hash].len)
        return -ENOMEM;
    *ret = fp;
    return 0;
}

bool dtls_fingerprint_equal(const struct dtls_fingerprint *a, const struct dtls_fingerprint *b)
{
    return a->hash == b->hash && memcmp(a->bytes, b->bytes, hashes[a->hash].len) == 0;
}
