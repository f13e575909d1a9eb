/*
 * A P-256 key and a certificate signed with it. The certificate says nothing about us but its
 * random serial number: a name would let others recognise the server (RFC 8827 §6.5 and §9.3
 * on tracking), and nobody reads it.
 */
#include "dtls/identity.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define DAY_S ((int64_t)24 * 3600)

/* Some stacks are said to dislike a certificate that begins later than their own clock. */
#define VALID_BEFORE_S (1 * DAY_S)
#define VALID_AFTER_S  (3650 * DAY_S)

/* RFC 5280 §4.1.2.2: positive, at most 20 octets. */
static bool set_serial(X509 *cert)
{
    uint64_t serial;
    if (RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
        return false;
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1 | 1) == 1;
}

static bool set_validity(X509 *cert, int64_t unix_s)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(unix_s - VALID_BEFORE_S)) &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(unix_s + VALID_AFTER_S));
}

static bool set_name(X509 *cert)
{
    static const unsigned char name[] = "WebRTC"; /* what browsers write, too */
    X509_NAME *subject = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, subject) == 1;
}

static X509 *make_certificate(EVP_PKEY *key, int64_t unix_s)
{
    X509 *cert = X509_new();
    if (!cert)
        return NULL;
    if (X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(cert) ||
        !set_validity(cert, unix_s) || !set_name(cert) || X509_set_pubkey(cert, key) != 1 ||
        X509_sign(cert, key, EVP_sha256()) <= 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

int dtls_identity_init(struct dtls_identity *id, int64_t unix_s)
{
    *id = (struct dtls_identity){0};
    id->key = EVP_EC_gen("P-256");
    if (!id->key)
        goto broken;
    id->cert = make_certificate(id->key, unix_s);
    if (!id->cert || dtls_fingerprint_of(id->cert, DTLS_HASH_SHA256, &id->fingerprint))
        goto broken;
    return 0;

broken:
    ERR_clear_error();
    dtls_identity_deinit(id);
    return -ENOMEM;
}

void dtls_identity_deinit(struct dtls_identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
    *id = (struct dtls_identity){0};
}
