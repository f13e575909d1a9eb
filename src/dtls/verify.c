/*
 * Certificate against fingerprints, inside the handshake: OpenSSL then sends the alert, and no
 * byte of keying material exists for a peer that is not the right one.
 */
#include "dtls/verify.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* RFC 8122 §5: one that matches is enough; a hash is computed once per promised fingerprint,
 * which is once, as browsers send one. */
static bool is_promised(const struct dtls_verify *verify, const X509 *cert)
{
    for (size_t i = 0; i < verify->n_fps; i++) {
        struct dtls_fingerprint actual;
        if (dtls_fingerprint_of(cert, verify->fps[i].hash, &actual))
            continue;
        if (dtls_fingerprint_equal(&actual, &verify->fps[i]))
            return true;
    }
    return false;
}

static int refuse(struct dtls_verify *verify, enum dtls_failure failure, X509_STORE_CTX *store,
                  int x509_error)
{
    verify->is_refused = true;
    verify->failure = failure;
    X509_STORE_CTX_set_error(store, x509_error);
    return 0;
}

int dtls_verify_callback(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct dtls_verify *verify = SSL_get_app_data(ssl);
    const X509 *cert = X509_STORE_CTX_get0_cert(store);
    (void)arg;
    /* The error codes are chosen for the alerts that OpenSSL makes of them. */
    if (!SSL_get_selected_srtp_profile(ssl)) /* handshake_failure */
        return refuse(verify, DTLS_FAILURE_NO_SRTP_PROFILE, store,
                      X509_V_ERR_APPLICATION_VERIFICATION);
    if (!cert || !is_promised(verify, cert)) /* bad_certificate, RFC 8122 §6.2 */
        return refuse(verify, DTLS_FAILURE_FINGERPRINT, store, X509_V_ERR_CERT_REJECTED);
    verify->is_accepted = true;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}
