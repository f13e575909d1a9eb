/* The transforms on OpenSSL's EVP interface: reference and fallback.
 *
 * Each key has a context of its own, in which only the IV is set for a packet: setting the key too
 * costs 400 ns more. A context is about 1 KB of heap, allocated when the session is made. */
#include <errno.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "rtpsec/hmac_sha1.h"
#include "rtpsec/session.h"
#include "rtpsec/transform.h"

/* What stands in RTPSEC_KEY_ROOM. */
struct evp_key {
    EVP_CIPHER_CTX *ctx; /* owned */
    struct rtpsec_hmac hmac;
};

_Static_assert(sizeof(struct evp_key) <= RTPSEC_KEY_ROOM, "the room in a session is too small");

static int key_init(void *room, const EVP_CIPHER *cipher, const uint8_t *cipher_key)
{
    struct evp_key *key = room;
    key->ctx = EVP_CIPHER_CTX_new();
    if (!key->ctx)
        return -ENOMEM;
    return EVP_CipherInit_ex(key->ctx, cipher, NULL, cipher_key, NULL, 1) ? 0 : -EIO;
}

static void key_deinit(void *room)
{
    struct evp_key *key = room;
    EVP_CIPHER_CTX_free(key->ctx);
    key->ctx = NULL;
}

static int gcm_key_init(struct rtpsec_provider *p, void *room, const uint8_t *cipher,
                        const uint8_t *auth)
{
    (void)auth;
    return key_init(room, p->evp_gcm, cipher);
}

static int cm_key_init(struct rtpsec_provider *p, void *room, const uint8_t *cipher,
                       const uint8_t *auth)
{
    struct evp_key *key = room;
    rtpsec_hmac_init(&key->hmac, auth);
    return key_init(room, p->evp_ctr, cipher);
}

static int gcm_seal(struct rtpsec_provider *p, void *room, const struct rtpsec_op *op)
{
    struct evp_key *key = room;
    int n;
    (void)p;
    int ok = EVP_CipherInit_ex(key->ctx, NULL, NULL, NULL, op->iv, 1) &&
             EVP_CipherUpdate(key->ctx, NULL, &n, op->aad, (int)op->aad_len) &&
             EVP_CipherUpdate(key->ctx, op->text, &n, op->text, (int)op->text_len) &&
             EVP_CipherFinal_ex(key->ctx, op->text + n, &n) &&
             EVP_CIPHER_CTX_ctrl(key->ctx, EVP_CTRL_AEAD_GET_TAG, RTPSEC_GCM_TAG_LEN, op->tag);
    return ok ? 0 : -EIO;
}

static int gcm_open(struct rtpsec_provider *p, void *room, const struct rtpsec_op *op)
{
    struct evp_key *key = room;
    int n;
    (void)p;
    if (!EVP_CipherInit_ex(key->ctx, NULL, NULL, NULL, op->iv, 0) ||
        !EVP_CIPHER_CTX_ctrl(key->ctx, EVP_CTRL_AEAD_SET_TAG, RTPSEC_GCM_TAG_LEN, op->tag) ||
        !EVP_CipherUpdate(key->ctx, NULL, &n, op->aad, (int)op->aad_len) ||
        !EVP_CipherUpdate(key->ctx, op->text, &n, op->text, (int)op->text_len))
        return -EIO;
    if (!EVP_CipherFinal_ex(key->ctx, op->text + n, &n)) {
        mem_wipe(op->text, op->text_len);
        return RTPSEC_E_AUTH;
    }
    return 0;
}

static int ctr(struct evp_key *key, const struct rtpsec_op *op)
{
    int n;
    int ok = EVP_CipherInit_ex(key->ctx, NULL, NULL, NULL, op->iv, 1) &&
             EVP_CipherUpdate(key->ctx, op->text, &n, op->text, (int)op->text_len);
    return ok ? 0 : -EIO;
}

static void cm_tag(const struct evp_key *key, const struct rtpsec_op *op, uint8_t *ret)
{
    size_t len = (size_t)(op->text - op->data) + op->text_len;
    rtpsec_hmac(&key->hmac, op->data, len, op->word, ret);
}

static int cm_seal(struct rtpsec_provider *p, void *room, const struct rtpsec_op *op)
{
    uint8_t tag[RTPSEC_HMAC_LEN];
    (void)p;
    int err = ctr(room, op);
    if (err)
        return err;
    cm_tag(room, op, tag);
    memcpy(op->tag, tag, RTPSEC_SHA1_TAG_LEN);
    return 0;
}

static int cm_open(struct rtpsec_provider *p, void *room, const struct rtpsec_op *op)
{
    uint8_t tag[RTPSEC_HMAC_LEN];
    (void)p;
    cm_tag(room, op, tag);
    if (rtpsec_tag_check(tag, op->tag, RTPSEC_SHA1_TAG_LEN)) {
        mem_wipe(op->text, op->text_len);
        return RTPSEC_E_AUTH;
    }
    return ctr(room, op);
}

static const struct rtpsec_transform gcm = {
    .name = "evp",
    .profile = RTPSEC_AEAD_AES_128_GCM,
    .kind = RTPSEC_PROVIDER_EVP,
    .tag_len = RTPSEC_GCM_TAG_LEN,
    .key_init = gcm_key_init,
    .key_deinit = key_deinit,
    .seal = gcm_seal,
    .open = gcm_open,
};

static const struct rtpsec_transform cm = {
    .name = "evp",
    .profile = RTPSEC_AES_CM_128_HMAC_SHA1_80,
    .kind = RTPSEC_PROVIDER_EVP,
    .tag_len = RTPSEC_SHA1_TAG_LEN,
    .key_init = cm_key_init,
    .key_deinit = key_deinit,
    .seal = cm_seal,
    .open = cm_open,
};

int rtpsec_evp_init(struct rtpsec_provider *p)
{
    p->kind = RTPSEC_PROVIDER_EVP;
    p->gcm = &gcm;
    p->cm = &cm;
    p->evp_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    p->evp_ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    return p->evp_gcm && p->evp_ctr ? 0 : -EIO;
}

void rtpsec_evp_deinit(struct rtpsec_provider *p)
{
    EVP_CIPHER_free(p->evp_gcm);
    EVP_CIPHER_free(p->evp_ctr);
}
