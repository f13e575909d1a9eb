/*
 * An alert record of epoch 1, opened and sealed by hand.
 *
 *     0      1        3       5            11       13
 *     | 0x15 | fe fd  | epoch | number(48) | length | fragment …
 *
 *     fragment, AES-GCM:  explicit nonce (8) | encrypted level, description (2) | tag (16)
 *     fragment, ChaCha20:                      encrypted level, description (2) | tag (16)
 *
 * Our own record number starts at 2^40: OpenSSL has used the first few for the Finished message
 * and its repeats, nobody gets to 2^40 by counting, and a receiver's window only moves up. The
 * explicit nonce need not be the record number (RFC 5288 §3); a random one meets none of the
 * handful that OpenSSL has made, which also start at a random place.
 */
#include "dtls/close_alert.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/bytes.h"
#include "base/mem.h"

#define HEADER_LEN         13
#define EXPLICIT_NONCE_LEN 8
#define NONCE_LEN          12
#define TAG_LEN            16
#define ALERT_LEN          2
#define RECORD_ALERT       21
#define VERSION_DTLS_1_2   0xfefd
#define EPOCH              UINT64_C(1)
#define OUR_RECORD_NUMBER  (UINT64_C(1) << 40)

static const struct {
    const EVP_CIPHER *(*evp)(void);
    size_t key_len, iv_len;    /* of the key block */
    size_t explicit_nonce_len; /* in each record */
} ciphers[] = {
    [DTLS_CLOSE_ALERT_AES_128_GCM] = {EVP_aes_128_gcm, 16, 4, EXPLICIT_NONCE_LEN},
    [DTLS_CLOSE_ALERT_AES_256_GCM] = {EVP_aes_256_gcm, 32, 4, EXPLICIT_NONCE_LEN},
    [DTLS_CLOSE_ALERT_CHACHA20_POLY1305] = {EVP_chacha20_poly1305, 32, 12, 0},
};

static bool find_cipher(const SSL *ssl, enum dtls_close_alert_cipher *ret)
{
    switch (SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(ssl))) {
    case NID_aes_128_gcm:
        *ret = DTLS_CLOSE_ALERT_AES_128_GCM;
        return true;
    case NID_aes_256_gcm:
        *ret = DTLS_CLOSE_ALERT_AES_256_GCM;
        return true;
    case NID_chacha20_poly1305:
        *ret = DTLS_CLOSE_ALERT_CHACHA20_POLY1305;
        return true;
    default:
        return false;
    }
}

/* RFC 5246 §6.3: key_block = PRF(master_secret, "key expansion", server_random + client_random) */
static bool derive_key_block(const SSL *ssl, uint8_t *block, size_t len)
{
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t random[2 * SSL3_RANDOM_SIZE];
    char label[] = "key expansion";
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    size_t master_len = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));
    (void)SSL_get_server_random(ssl, random, SSL3_RANDOM_SIZE);
    (void)SSL_get_client_random(ssl, random + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);

    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                         (char *)(uintptr_t)EVP_MD_get0_name(md), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof(label) - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, random, sizeof(random)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = ctx && EVP_KDF_derive(ctx, block, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    mem_wipe(master, sizeof(master));
    return ok;
}

int dtls_close_alert_init(struct dtls_close_alert *ca, const SSL *ssl, bool is_client)
{
    uint8_t block[2 * (sizeof(ca->local.key) + sizeof(ca->local.iv))];
    struct dtls_close_alert made = {0};
    if (!find_cipher(ssl, &made.cipher))
        return DTLS_CLOSE_ALERT_E_CIPHER;
    size_t key_len = ciphers[made.cipher].key_len;
    size_t iv_len = ciphers[made.cipher].iv_len;
    if (!derive_key_block(ssl, block, 2 * (key_len + iv_len))) {
        ERR_clear_error();
        return -ENOMEM;
    }
    /* AEAD ciphers have no MAC keys: client key, server key, client IV, server IV. */
    struct dtls_close_alert_keys *client = is_client ? &made.local : &made.remote;
    struct dtls_close_alert_keys *server = is_client ? &made.remote : &made.local;
    memcpy(client->key, block, key_len);
    memcpy(server->key, block + key_len, key_len);
    memcpy(client->iv, block + 2 * key_len, iv_len);
    memcpy(server->iv, block + 2 * key_len + iv_len, iv_len);
    *ca = made;
    mem_wipe(block, sizeof(block));
    mem_wipe(&made, sizeof(made));
    return 0;
}

void dtls_close_alert_deinit(struct dtls_close_alert *ca)
{
    mem_wipe(ca, sizeof(*ca));
}

/* GCM: the salt, then the record's explicit part. ChaCha20 (RFC 7905 §2): IV xor record number. */
static void make_nonce(uint8_t nonce[NONCE_LEN], enum dtls_close_alert_cipher cipher,
                       const struct dtls_close_alert_keys *keys, uint64_t epoch_and_number,
                       const uint8_t *explicit_nonce)
{
    size_t iv_len = ciphers[cipher].iv_len;
    memcpy(nonce, keys->iv, iv_len);
    if (ciphers[cipher].explicit_nonce_len) {
        memcpy(nonce + iv_len, explicit_nonce, EXPLICIT_NONCE_LEN);
        return;
    }
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] ^= (uint8_t)(epoch_and_number >> (56 - 8 * i));
}

/* RFC 5246 §6.2.3.3: epoch and number, type, version, length of the plaintext. */
static void make_aad(uint8_t aad[HEADER_LEN], uint64_t epoch_and_number)
{
    put_be64(aad, epoch_and_number);
    aad[8] = RECORD_ALERT;
    put_be16(aad + 9, VERSION_DTLS_1_2);
    put_be16(aad + 11, ALERT_LEN);
}

/* Seal (tag is written) or open (tag is checked) the two bytes of an alert. */
static bool run_aead(enum dtls_close_alert_cipher cipher, bool is_seal, const uint8_t *key,
                     const uint8_t *nonce, const uint8_t *aad, const uint8_t in[ALERT_LEN],
                     uint8_t out[ALERT_LEN], uint8_t tag[TAG_LEN])
{
    uint8_t rest[16];
    int len = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx &&
              EVP_CipherInit_ex(ctx, ciphers[cipher].evp(), NULL, key, nonce, is_seal) == 1 &&
              (is_seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1) &&
              EVP_CipherUpdate(ctx, NULL, &len, aad, HEADER_LEN) == 1 &&
              EVP_CipherUpdate(ctx, out, &len, in, ALERT_LEN) == 1 &&
              EVP_CipherFinal_ex(ctx, rest, &len) == 1 &&
              (!is_seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

int dtls_close_alert_open(struct dtls_close_alert *ca, const uint8_t *record, size_t len)
{
    uint8_t nonce[NONCE_LEN];
    uint8_t aad[HEADER_LEN];
    uint8_t tag[TAG_LEN];
    uint8_t alert[ALERT_LEN];
    size_t explicit_len = ciphers[ca->cipher].explicit_nonce_len;
    size_t fragment_len = explicit_len + ALERT_LEN + TAG_LEN;

    if (len != HEADER_LEN + fragment_len || record[0] != RECORD_ALERT ||
        get_be16(record + 1) != VERSION_DTLS_1_2 || get_be16(record + 11) != fragment_len)
        return DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC;
    uint64_t epoch_and_number = get_be64(record + 3);
    uint64_t number = epoch_and_number & ((UINT64_C(1) << 48) - 1);
    if (epoch_and_number >> 48 != EPOCH || number < ca->next_number)
        return DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC;

    const uint8_t *in = record + HEADER_LEN + explicit_len;
    make_nonce(nonce, ca->cipher, &ca->remote, epoch_and_number, record + HEADER_LEN);
    make_aad(aad, epoch_and_number);
    memcpy(tag, in + ALERT_LEN, TAG_LEN);
    if (!run_aead(ca->cipher, false, ca->remote.key, nonce, aad, in, alert, tag))
        return DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC;
    ca->next_number = number + 1;
    return alert[1] == SSL3_AD_CLOSE_NOTIFY ? 0 : DTLS_CLOSE_ALERT_E_OTHER;
}

int dtls_close_alert_seal(const struct dtls_close_alert *ca, uint8_t *buf, size_t *ret_len)
{
    static const uint8_t close_notify[ALERT_LEN] = {SSL3_AL_WARNING, SSL3_AD_CLOSE_NOTIFY};
    uint64_t epoch_and_number = EPOCH << 48 | OUR_RECORD_NUMBER;
    uint8_t nonce[NONCE_LEN];
    uint8_t aad[HEADER_LEN];
    size_t explicit_len = ciphers[ca->cipher].explicit_nonce_len;
    size_t fragment_len = explicit_len + ALERT_LEN + TAG_LEN;
    uint8_t *out = buf + HEADER_LEN + explicit_len;

    buf[0] = RECORD_ALERT;
    put_be16(buf + 1, VERSION_DTLS_1_2);
    put_be64(buf + 3, epoch_and_number);
    put_be16(buf + 11, (uint16_t)fragment_len);
    if (explicit_len && RAND_bytes(buf + HEADER_LEN, (int)explicit_len) != 1)
        goto broken;
    make_nonce(nonce, ca->cipher, &ca->local, epoch_and_number, buf + HEADER_LEN);
    make_aad(aad, epoch_and_number);
    if (!run_aead(ca->cipher, true, ca->local.key, nonce, aad, close_notify, out, out + ALERT_LEN))
        goto broken;
    *ret_len = HEADER_LEN + fragment_len;
    return 0;

broken:
    ERR_clear_error();
    return -ENOMEM;
}
