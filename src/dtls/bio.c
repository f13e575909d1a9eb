/*
 * A source/sink BIO over plain memory that keeps datagram borders: a read gives one record, a
 * write is one datagram. OpenSSL collects a flight in a buffer of its own and flushes it in
 * pieces of the MTU, so a write is what belongs into one datagram.
 */
#include "dtls/bio.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

/* [µs] Longer than any handshake: 71 minutes. */
#define NEVER_EXPIRES UINT_MAX

static int bio_read(BIO *b, char *buf, int size)
{
    struct dtls_bio *bio = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (!bio->in) {
        BIO_set_retry_read(b);
        return -1;
    }
    /* Like recv(): what does not fit is lost. OpenSSL asks for the largest record. */
    size_t n = bio->in_len < (size_t)size ? bio->in_len : (size_t)size;
    memcpy(buf, bio->in, n);
    bio->in = NULL;
    return (int)n;
}

/* Always "sent": losing a datagram is what the retransmission timer is for. */
static int bio_write(BIO *b, const char *buf, int len)
{
    struct dtls_bio *bio = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (bio->n < DTLS_BIO_QUEUE && len > 0 && len <= DTLS_MTU) {
        struct dtls_bio_datagram *slot = &bio->queue[(bio->head + bio->n++) % DTLS_BIO_QUEUE];
        slot->len = (size_t)len;
        memcpy(slot->bytes, buf, slot->len);
    }
    return len;
}

static void on_timer_changed(struct dtls_bio *bio, struct timeval *expiry)
{
    bio->expiry = expiry;
    if (expiry->tv_sec == 0 && expiry->tv_usec == 0) {
        bio->deadline = MONO_NEVER;
        bio->rto = bio->rto_first; /* RFC 6347 §4.2.4.1: a new flight starts anew */
    } else {
        bio->deadline = bio->now + bio->rto;
    }
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)num;
    switch (cmd) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return DTLS_MTU;
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        on_timer_changed(BIO_get_data(b), ptr);
        return 1;
    default:
        return 0;
    }
}

BIO_METHOD *dtls_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dtls datagram");
    if (!method)
        return NULL;
    if (BIO_meth_set_read(method, bio_read) != 1 || BIO_meth_set_write(method, bio_write) != 1 ||
        BIO_meth_set_ctrl(method, bio_ctrl) != 1) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

static unsigned timer_duration(SSL *ssl, unsigned previous)
{
    (void)ssl;
    (void)previous;
    return NEVER_EXPIRES;
}

int dtls_bio_init(struct dtls_bio *bio, const BIO_METHOD *method, SSL *ssl)
{
    BIO *b = BIO_new(method);
    if (!b)
        return -ENOMEM;
    bio->deadline = MONO_NEVER;
    bio->rto = bio->rto_first = DTLS_RTO_INITIAL;
    BIO_set_data(b, bio);
    BIO_set_init(b, 1);
    SSL_set_bio(ssl, b, b); /* now owned by the SSL object */
    DTLS_set_timer_cb(ssl, timer_duration);
    return 0;
}

bool dtls_bio_pop(struct dtls_bio *bio, uint8_t *buf, size_t cap, size_t *ret_len)
{
    if (bio->n == 0)
        return false;
    const struct dtls_bio_datagram *slot = &bio->queue[bio->head];
    assert(cap >= slot->len);
    memcpy(buf, slot->bytes, slot->len);
    *ret_len = slot->len;
    bio->head = (bio->head + 1) % DTLS_BIO_QUEUE;
    bio->n--;
    return true;
}

int dtls_bio_timeout(struct dtls_bio *bio, SSL *ssl, mono_us now)
{
    if (now < bio->deadline)
        return 0;
    bio->now = now;
    bio->rto = mono_min(2 * bio->rto, DTLS_RTO_MAX);
    *bio->expiry = (struct timeval){.tv_sec = 1}; /* one second past 1970: expired; 0 is "off" */
    return (int)DTLSv1_handle_timeout(ssl);
}
