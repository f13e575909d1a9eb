/*
 * The SSL_CTX: every choice that is the same for all handshakes, as two tables of text and a list
 * of calls. What the system's openssl.cnf says is overridden where WebRTC fixes it.
 */
#include "dtls/context.h"

#include <errno.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "dtls/bio.h"
#include "dtls/context_private.h"
#include "dtls/record.h"
#include "dtls/verify.h"

/*
 * RFC 8827 §6.5: ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 is mandatory, ciphers without forward
 * secrecy must not be negotiated. RSA suites are for peers whose certificate is RSA when they are
 * the server (Kurento by default); ours is ECDSA. AEAD only: close_alert.c opens nothing else.
 */
static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

/* Handshake 0.44-0.51 ms with X25519, 0.53 ms with P-256. Not const: OpenSSL's macro casts. */
static char groups[] = "X25519:P-256";

/* In our order of preference: GCM costs a third less per packet. */
static const char srtp_profiles[] = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

static bool configure(SSL_CTX *ssl_ctx, const struct dtls_identity *id)
{
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_security_level(ssl_ctx, 2);
    /* OpenSSL's default of 100 KB is what a stranger could make us buffer. */
    SSL_CTX_set_max_cert_list(ssl_ctx, DTLS_MESSAGE_MAX);
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, dtls_verify_callback, NULL);
    return SSL_CTX_set_min_proto_version(ssl_ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl_ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl_ctx, ciphers) == 1 &&
           SSL_CTX_set1_groups_list(ssl_ctx, groups) == 1 &&
           SSL_CTX_set_tlsext_use_srtp(ssl_ctx, srtp_profiles) == 0 && /* 0 = done, here only */
           SSL_CTX_use_certificate(ssl_ctx, id->cert) == 1 &&
           SSL_CTX_use_PrivateKey(ssl_ctx, id->key) == 1;
}

/* libssl.so.3 is 3.0 to 3.x: what we were built with does not tell what is loaded. */
static bool is_timer_reachable(void)
{
    return OPENSSL_version_major() == 3 && OPENSSL_version_minor() < 2;
}

int dtls_context_new(const struct dtls_identity *id, struct dtls_context **ret)
{
    if (!is_timer_reachable())
        return -ENOTSUP;
    struct dtls_context *ctx = mem_zalloc(sizeof(*ctx));
    if (!ctx)
        return -ENOMEM;
    ctx->ssl_ctx = SSL_CTX_new(DTLS_method());
    ctx->bio_method = dtls_bio_method_new();
    if (!ctx->ssl_ctx || !ctx->bio_method || !configure(ctx->ssl_ctx, id)) {
        ERR_clear_error();
        dtls_context_free(ctx);
        return -ENOMEM;
    }
    *ret = ctx;
    return 0;
}

void dtls_context_free(struct dtls_context *ctx)
{
    if (!ctx)
        return;
    SSL_CTX_free(ctx->ssl_ctx);
    BIO_meth_free(ctx->bio_method);
    mem_free(ctx);
}
