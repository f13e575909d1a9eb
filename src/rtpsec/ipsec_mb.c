/* The transforms on intel-ipsec-mb (x86-64).
 *
 * GCM goes through the direct calls: one packet, no queue. The library computes a tag when it
 * decrypts and leaves the comparison to the caller. AES-CM has no direct call; a burst of one job
 * is the synchronous way. SHA-1 comes from OpenSSL: the library's own is built for eight or
 * sixteen packets side by side, and is slower for one. */
#ifdef DUET_HAVE_IPSEC_MB

#include <errno.h>
#include <string.h>

#include <intel-ipsec-mb.h>

#include "base/mem.h"
#include "rtpsec/hmac_sha1.h"
#include "rtpsec/session.h"
#include "rtpsec/transform.h"

/* What AUTO may use: every x86-64 server CPU of the last ten years. */
#define NEEDED (IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AVX)

/* AES-128: eleven round keys. */
#define EXPANDED_LEN (11 * 16)

struct mb {
    IMB_MGR *mgr; /* owned */
    struct gcm_context_data gcm;
    IMB_JOB job; /* template of the burst of one */
    uint8_t unused_dec_key[EXPANDED_LEN] __attribute__((aligned(16)));
};

struct cm_key {
    uint8_t expanded[EXPANDED_LEN] __attribute__((aligned(16)));
    struct rtpsec_hmac hmac;
};

_Static_assert(sizeof(struct gcm_key_data) <= RTPSEC_KEY_ROOM, "the room is too small for GCM");
_Static_assert(sizeof(struct cm_key) <= RTPSEC_KEY_ROOM, "the room is too small for CM");

static int gcm_key_init(struct rtpsec_provider *p, void *key, const uint8_t *cipher,
                        const uint8_t *auth)
{
    struct mb *mb = p->mb;
    (void)auth;
    IMB_AES128_GCM_PRE(mb->mgr, cipher, (struct gcm_key_data *)key);
    return 0;
}

static int cm_key_init(struct rtpsec_provider *p, void *room, const uint8_t *cipher,
                       const uint8_t *auth)
{
    struct mb *mb = p->mb;
    struct cm_key *key = room;
    IMB_AES_KEYEXP_128(mb->mgr, cipher, key->expanded, mb->unused_dec_key);
    mem_wipe(mb->unused_dec_key, sizeof(mb->unused_dec_key));
    rtpsec_hmac_init(&key->hmac, auth);
    return 0;
}

static void key_deinit(void *key)
{
    (void)key; /* nothing but bytes, which the session wipes */
}

static int gcm_seal(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op)
{
    struct mb *mb = p->mb;
    IMB_AES128_GCM_ENC(mb->mgr, (const struct gcm_key_data *)key, &mb->gcm, op->text, op->text,
                       op->text_len, op->iv, op->aad, op->aad_len, op->tag, RTPSEC_GCM_TAG_LEN);
    return 0;
}

static int gcm_open(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op)
{
    struct mb *mb = p->mb;
    uint8_t tag[RTPSEC_GCM_TAG_LEN];
    IMB_AES128_GCM_DEC(mb->mgr, (const struct gcm_key_data *)key, &mb->gcm, op->text, op->text,
                       op->text_len, op->iv, op->aad, op->aad_len, tag, RTPSEC_GCM_TAG_LEN);
    if (rtpsec_tag_check(tag, op->tag, RTPSEC_GCM_TAG_LEN)) {
        mem_wipe(op->text, op->text_len);
        return RTPSEC_E_AUTH;
    }
    return 0;
}

static int ctr(struct mb *mb, const struct cm_key *key, const struct rtpsec_op *op)
{
    if (op->text_len == 0)
        return 0;
    IMB_JOB *job = &mb->job;
    job->enc_keys = key->expanded;
    job->dec_keys = key->expanded;
    job->src = op->text;
    job->dst = op->text;
    job->msg_len_to_cipher_in_bytes = op->text_len;
    job->iv = op->iv;
    unsigned done = IMB_SUBMIT_CIPHER_BURST_NOCHECK(mb->mgr, job, 1, IMB_CIPHER_CNTR,
                                                    IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
    return done == 1 && job->status == IMB_STATUS_COMPLETED ? 0 : -EIO;
}

static void cm_tag(const struct cm_key *key, const struct rtpsec_op *op, uint8_t *ret)
{
    size_t len = (size_t)(op->text - op->data) + op->text_len;
    rtpsec_hmac(&key->hmac, op->data, len, op->word, ret);
}

static int cm_seal(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op)
{
    uint8_t tag[RTPSEC_HMAC_LEN];
    int err = ctr(p->mb, key, op);
    if (err)
        return err;
    cm_tag(key, op, tag);
    memcpy(op->tag, tag, RTPSEC_SHA1_TAG_LEN);
    return 0;
}

static int cm_open(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op)
{
    uint8_t tag[RTPSEC_HMAC_LEN];
    cm_tag(key, op, tag);
    if (rtpsec_tag_check(tag, op->tag, RTPSEC_SHA1_TAG_LEN)) {
        mem_wipe(op->text, op->text_len);
        return RTPSEC_E_AUTH;
    }
    return ctr(p->mb, key, op);
}

static const struct rtpsec_transform gcm = {
    .name = "ipsec-mb",
    .profile = RTPSEC_AEAD_AES_128_GCM,
    .kind = RTPSEC_PROVIDER_IPSEC_MB,
    .tag_len = RTPSEC_GCM_TAG_LEN,
    .key_init = gcm_key_init,
    .key_deinit = key_deinit,
    .seal = gcm_seal,
    .open = gcm_open,
};

static const struct rtpsec_transform cm = {
    .name = "ipsec-mb",
    .profile = RTPSEC_AES_CM_128_HMAC_SHA1_80,
    .kind = RTPSEC_PROVIDER_IPSEC_MB,
    .tag_len = RTPSEC_SHA1_TAG_LEN,
    .key_init = cm_key_init,
    .key_deinit = key_deinit,
    .seal = cm_seal,
    .open = cm_open,
};

int rtpsec_ipsec_mb_init(struct rtpsec_provider *p)
{
    struct mb *mb = p->mb = mem_zalloc_aligned(sizeof(*mb));
    if (!mb)
        return -ENOMEM;
    mb->mgr = alloc_mb_mgr(0);
    if (!mb->mgr)
        return -ENOMEM;
    if ((mb->mgr->features & NEEDED) != NEEDED)
        return -ENOTSUP;
    IMB_ARCH arch;
    init_mb_mgr_auto(mb->mgr, &arch);
    if (imb_get_errno(mb->mgr))
        return -ENOTSUP;

    mb->job.cipher_mode = IMB_CIPHER_CNTR;
    mb->job.cipher_direction = IMB_DIR_ENCRYPT;
    mb->job.hash_alg = IMB_AUTH_NULL;
    mb->job.chain_order = IMB_ORDER_CIPHER_HASH;
    mb->job.key_len_in_bytes = IMB_KEY_128_BYTES;
    mb->job.iv_len_in_bytes = 16;
    p->kind = RTPSEC_PROVIDER_IPSEC_MB;
    p->gcm = &gcm;
    p->cm = &cm;
    return 0;
}

void rtpsec_ipsec_mb_deinit(struct rtpsec_provider *p)
{
    struct mb *mb = p->mb;
    if (!mb)
        return;
    if (mb->mgr)
        free_mb_mgr(mb->mgr);
    mem_wipe(mb, sizeof(*mb));
    mem_free(mb);
}

#else
/* ISO C wants a declaration in every file. */
struct rtpsec_ipsec_mb_is_not_built_in;
#endif
