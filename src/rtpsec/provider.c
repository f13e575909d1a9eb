/* Choosing an implementation. Assembly that was written for another CPU than this one must not be
 * found out by a caller who hears noise: ipsec-mb is held against EVP before it is used. */
#include "rtpsec/provider.h"

#include <errno.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "rtpsec/transform.h"

static void deinit(struct rtpsec_provider *p)
{
#ifdef DUET_HAVE_IPSEC_MB
    rtpsec_ipsec_mb_deinit(p);
#endif
    rtpsec_evp_deinit(p);
    mem_free(p);
}

static int make_evp(struct rtpsec_provider **ret)
{
    struct rtpsec_provider *p = mem_zalloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    int err = rtpsec_evp_init(p);
    if (err) {
        deinit(p);
        return err;
    }
    *ret = p;
    return 0;
}

static int make_ipsec_mb(struct rtpsec_provider **ret)
{
#ifdef DUET_HAVE_IPSEC_MB
    _cleanup_(rtpsec_provider_freep) struct rtpsec_provider *reference = NULL;
    _cleanup_(rtpsec_provider_freep) struct rtpsec_provider *p = mem_zalloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    int err = rtpsec_ipsec_mb_init(p);
    if (err)
        return err;
    err = make_evp(&reference);
    if (err)
        return err;
    err = rtpsec_self_test(p, reference);
    if (err)
        return err;
    *ret = p;
    p = NULL; /* now owned by the caller */
    return 0;
#else
    (void)ret;
    return -ENOTSUP;
#endif
}

static int make_auto(struct rtpsec_provider **ret)
{
    int err = make_ipsec_mb(ret);
    return err == -ENOTSUP ? make_evp(ret) : err;
}

struct rtpsec_provider *rtpsec_provider_new(enum rtpsec_provider_kind kind, int *ret_err)
{
    struct rtpsec_provider *p = NULL;
    int err = 0;
    switch (kind) {
    case RTPSEC_PROVIDER_AUTO:
        err = make_auto(&p);
        break;
    case RTPSEC_PROVIDER_EVP:
        err = make_evp(&p);
        break;
    case RTPSEC_PROVIDER_IPSEC_MB:
        err = make_ipsec_mb(&p);
        break;
    }
    if (err && ret_err)
        *ret_err = err;
    return p;
}

void rtpsec_provider_free(struct rtpsec_provider *provider)
{
    if (provider)
        deinit(provider);
}

enum rtpsec_provider_kind rtpsec_provider_kind(const struct rtpsec_provider *provider)
{
    return provider->kind;
}

const char *rtpsec_provider_name(const struct rtpsec_provider *provider)
{
    return provider->gcm->name;
}

const struct rtpsec_transform *rtpsec_transform_find(const struct rtpsec_provider *p,
                                                     enum rtpsec_profile profile)
{
    switch (profile) {
    case RTPSEC_AEAD_AES_128_GCM:
        return p->gcm;
    case RTPSEC_AES_CM_128_HMAC_SHA1_80:
        return p->cm;
    case RTPSEC_NONE:
        break;
    }
    return NULL;
}

int rtpsec_tag_check(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len);
}
