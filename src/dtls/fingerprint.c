/*
 * Fingerprints: a table of hashes, and the text form of RFC 8122 §5. A certificate is public, so
 * nothing here needs constant time.
 */
#include "dtls/fingerprint.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

static const struct {
    const char *name;
    size_t len;
    const EVP_MD *(*md)(void);
} hashes[] = {
    [DTLS_HASH_SHA256] = {"sha-256", 32, EVP_sha256},
    [DTLS_HASH_SHA384] = {"sha-384", 48, EVP_sha384},
    [DTLS_HASH_SHA512] = {"sha-512", 64, EVP_sha512},
};

size_t dtls_hash_len(enum dtls_hash hash)
{
    return hashes[hash].len;
}

const char *dtls_hash_name(enum dtls_hash hash)
{
    return hashes[hash].name;
}

bool dtls_hash_find(struct str name, enum dtls_hash *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        if (str_caseeq(name, str_of(hashes[i].name))) {
            *ret = (enum dtls_hash)i;
            return true;
        }
    }
    return false;
}

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
    return a->hash == b->hash && memcmp(a->bytes, b->bytes, dtls_hash_len(a->hash)) == 0;
}

/* -1 = not a hexadecimal digit */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Exactly len pairs of digits with a colon between them. */
static bool parse_digits(struct str s, uint8_t *bytes, size_t len)
{
    if (s.len != 3 * len - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char *p = s.p + 3 * i;
        int high = digit(p[0]);
        int low = digit(p[1]);
        if (high < 0 || low < 0 || (i + 1 < len && p[2] != ':'))
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

int dtls_fingerprint_parse(struct str value, struct dtls_fingerprint *ret)
{
    struct dtls_fingerprint fp = {0};
    struct str name = str_take_word(&value);
    struct str digits = str_take_word(&value);
    if (name.len == 0 || digits.len == 0 || str_trim(value).len != 0)
        return DTLS_FINGERPRINT_E_MALFORMED;
    if (!dtls_hash_find(name, &fp.hash))
        return DTLS_FINGERPRINT_E_UNKNOWN_HASH;
    if (!parse_digits(digits, fp.bytes, dtls_hash_len(fp.hash)))
        return DTLS_FINGERPRINT_E_MALFORMED;
    *ret = fp;
    return 0;
}

void dtls_fingerprint_write(const struct dtls_fingerprint *fp, struct text *text)
{
    text_printf(text, "%s", dtls_hash_name(fp->hash));
    for (size_t i = 0; i < dtls_hash_len(fp->hash); i++)
        text_printf(text, "%c%02X", i ? ':' : ' ', fp->bytes[i]);
}
