/*
 * One table of decisions for every TLS connection. An idle WebSocket costs what its SSL object
 * costs: with buffers released between records that is a third of OpenSSL's default.
 */
#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "net/server.h"

/** RFC 9325 §4.2: forward secrecy and AEAD only; ECDSA first: its handshake costs less than half.
 */
#define TLS12_CIPHERS                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"   \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384"

#define TLS13_CIPHERS "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"

/** Not const: OpenSSL's macro casts that away. It only reads. */
static char groups[] = "X25519:P-256:P-384";

static int explain(const char *key, const char *path, const char *what, char *ret)
{
    unsigned long error = ERR_peek_error(); /* the first one is the cause */
    const char *reason =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
    snprintf(ret, NET_ERROR_MAX, "%s: %.300s %s%s%s.", key, path, what, reason ? ": " : "",
             reason ? reason : "");
    ERR_clear_error();
    return NET_E_CONFIG;
}

/** Never ask on the terminal, which is what OpenSSL does by default for an encrypted key. */
static int no_password(char *buf, int size, int is_write, void *user)
{
    (void)buf, (void)size, (void)is_write, (void)user;
    return -1;
}

static int load_pair(SSL_CTX *ctx, const char *cert, const char *key, char *ret_error)
{
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return explain("tls.cert", cert, "cannot be read as a PEM certificate", ret_error);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return explain("tls.key", key, "cannot be used as the certificate's PEM private key",
                       ret_error);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return explain("tls.key", key, "does not belong to tls.cert", ret_error);
    return 0;
}

int net_tls_setup(SSL_CTX *ctx, const char *cert, const char *key, char *ret_error)
{
    if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) ||
        !SSL_CTX_set_ciphersuites(ctx, TLS13_CIPHERS) || !SSL_CTX_set1_groups_list(ctx, groups))
        return -ENOMEM;
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    /* Stateless tickets stay on: a page that comes back saves a signature. A cache of our own would
     * only be memory that strangers fill. */
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return load_pair(ctx, cert, key, ret_error);
}

int net_tls_check(const char *cert, const char *key, char *ret_error)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        return -ENOMEM;
    int r = net_tls_setup(ctx, cert, key, ret_error);
    SSL_CTX_free(ctx);
    return r;
}

void net_tls_fingerprint(const SSL_CTX *ctx, char *ret)
{
    unsigned char hash[32];
    unsigned len = 0;
    const X509 *cert = SSL_CTX_get0_certificate(ctx);
    ret[0] = 0;
    if (!cert || X509_digest(cert, EVP_sha256(), hash, &len) != 1)
        return;
    for (unsigned i = 0; i < len; i++)
        snprintf(ret + 3 * i, NET_FINGERPRINT_MAX - 3 * i, "%02X%s", hash[i],
                 i + 1 < len ? ":" : "");
}
