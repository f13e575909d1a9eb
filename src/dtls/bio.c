/*
 * A source/sink BIO over plain memory that keeps record borders: a read gives one record, a write
 * is one or more whole records. OpenSSL writes a flight in pieces of the MTU the first time, but
 * message by message when it sends it again; the pieces are joined here, so that a repeated
 * flight is not five datagrams that can be lost one by one (RFC 6347 §4.1.1 allows it).
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

/* The datagram that takes len more bytes: the last waiting one or a new one; NULL = full. */
static struct dtls_bio_datagram *find_room(struct dtls_bio *bio, size_t len)
{
    struct dtls_bio_datagram *last = &bio->queue[(bio->head + bio->n - 1) % DTLS_BIO_QUEUE];
    if (bio->n > 0 && last->len + len <= DTLS_MTU)
        return last;
    if (bio->n == DTLS_BIO_QUEUE || len > DTLS_MTU)
        return NULL;
    struct dtls_bio_datagram *next = &bio->queue[(bio->head + bio->n++) % DTLS_BIO_QUEUE];
    next->len = 0;
    return next;
}

/* Always "sent": losing a datagram is what the retransmission timer is for. */
static int bio_write(BIO *b, const char *buf, int len)
{
    struct dtls_bio *bio = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (len <= 0)
        return len;
    struct dtls_bio_datagram *d = find_room(bio, (size_t)len);
    if (d) {
        memcpy(d->bytes + d->len, buf, (size_t)len);
        d->len += (size_t)len;
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
    bio->rto = mono_min(2 * bio->rto, DTLS_RTO_MAX);
    return dtls_bio_repeat(bio, ssl, now);
}

int dtls_bio_repeat(struct dtls_bio *bio, SSL *ssl, mono_us now)
{
    assert(bio->expiry);
    bio->now = now;
    *bio->expiry = (struct timeval){.tv_sec = 1}; /* one second past 1970: expired; 0 is "off" */
    return (int)DTLSv1_handle_timeout(ssl);
}
