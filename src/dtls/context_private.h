/** What is in a context: for conn.c, and for tests that play a peer of another make. */
#ifndef DTLS_CONTEXT_PRIVATE_H
#define DTLS_CONTEXT_PRIVATE_H

#include <openssl/bio.h>
#include <openssl/types.h>

struct dtls_context {
    SSL_CTX *ssl_ctx;       /**< owned */
    BIO_METHOD *bio_method; /**< owned; used by the BIOs of all connections */
};

#endif
