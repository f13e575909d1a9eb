/* Key derivation. PRF(k, x) is the AES-CTR key stream that begins at block x * 2^16, so the whole
 * of it is: put the label into the salt, encrypt zeros. */
#include "rtpsec/kdf.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

/* RFC 3711 §4.3.1: key_id = <label> || r, r is 48 bits, and x = key_id XOR master_salt: aligned at
 * the right end of 112 bits, the label falls on byte 7. */
#define LABEL_AT 7

int rtpsec_kdf(const uint8_t *master_key, const uint8_t *master_salt, enum rtpsec_kdf_label label,
               uint8_t *ret, size_t len)
{
    assert(len > 0 && len <= RTPSEC_KDF_MAX_LEN);
    uint8_t iv[16] = {0};
    memcpy(iv, master_salt, RTPSEC_MAX_SALT_LEN);
    iv[LABEL_AT] ^= (uint8_t)label;

    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        return -ENOMEM;
    static const uint8_t zeros[RTPSEC_KDF_MAX_LEN];
    int out_len;
    int ok = EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, master_key, iv) &&
             EVP_EncryptUpdate(ctx, ret, &out_len, zeros, (int)len);
    EVP_CIPHER_CTX_free(ctx);
    return ok ? 0 : -EIO;
}
