/**
 * Where the ciphers come from: OpenSSL's EVP everywhere, intel-ipsec-mb on x86-64.
 *
 * A provider belongs to one thread and serves all sessions of that thread. Sessions keep only
 * their keys; the scratch memory of the cipher library is here, so that it stays in the cache.
 */
#ifndef RTPSEC_PROVIDER_H
#define RTPSEC_PROVIDER_H

#include "base/compiler.h"

enum rtpsec_provider_kind {
    RTPSEC_PROVIDER_AUTO,     /**< ipsec-mb where it is built in, runs, and agrees with EVP */
    RTPSEC_PROVIDER_EVP,      /**< OpenSSL 3: the reference and the fallback */
    RTPSEC_PROVIDER_IPSEC_MB, /**< needs x86-64 with AES-NI, PCLMULQDQ and AVX */
};

struct rtpsec_provider;

/**
 * Owner: the worker thread that uses it; longer-lived than every session made with it.
 *
 * Before ipsec-mb is used it protects a set of packets next to EVP; every byte must be the same.
 * When not, AUTO takes EVP.
 *
 * @param kind     which implementation
 * @param ret_err  set on failure only, NULL = not wanted:
 *                 -ENOMEM   out of memory
 *                 -ENOTSUP  ipsec-mb was asked for and is not built in, the CPU lacks something,
 *                           or the self-test failed
 *                 -EIO      OpenSSL has no AES-GCM, AES-CTR or AES-ECB: broken installation
 *
 * @return NULL on failure
 */
MUST_CHECK struct rtpsec_provider *rtpsec_provider_new(enum rtpsec_provider_kind kind,
                                                       int *ret_err);

/** NULL is legal. */
void rtpsec_provider_free(struct rtpsec_provider *provider);

DEFINE_CLEANUP(struct rtpsec_provider *, rtpsec_provider_free)

/** What is really in use; never RTPSEC_PROVIDER_AUTO. */
enum rtpsec_provider_kind rtpsec_provider_kind(const struct rtpsec_provider *provider);

/** "evp" or "ipsec-mb", for the log. */
const char *rtpsec_provider_name(const struct rtpsec_provider *provider);

#endif
