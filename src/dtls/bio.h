/**
 * Between OpenSSL and the core: one record in, datagrams out, and OpenSSL's retransmission timer
 * put under our clock.
 *
 * Time. OpenSSL 3.0 stores the expiry of its timer as wall-clock time in the SSL object, checks
 * it in DTLSv1_handle_timeout and before each read, and hands a pointer to the stored value to
 * the BIO (BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT) whenever it starts or stops the timer. So:
 *  - the timer callback asks for over an hour: OpenSSL never finds its timer expired by itself;
 *  - the BIO's control sees each start and stop, and keeps the real deadline on our clock;
 *  - when that has passed, the stored expiry is set to 1970 and DTLSv1_handle_timeout called:
 *    flights are sent again by OpenSSL's own means, with new record numbers.
 * From 3.2 on the pointer leads to a copy; dtls_context_new refuses such a library.
 */
#ifndef DTLS_BIO_H
#define DTLS_BIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include <openssl/bio.h>
#include <openssl/types.h>

#include "base/compiler.h"
#include "base/time.h"
#include "dtls/conn.h"

/** Datagrams that wait for poll_send: four flights of ours. More are lost, as in a network. */
#define DTLS_BIO_QUEUE 4

struct dtls_bio_datagram {
    size_t len;
    uint8_t bytes[DTLS_MTU];
};

/** Owned by the handshake. */
struct dtls_bio {
    const uint8_t *in; /**< borrowed: the record to be read next; NULL = none */
    size_t in_len;
    struct dtls_bio_datagram queue[DTLS_BIO_QUEUE]; /**< a ring */
    unsigned head, n;                               /**< first waiting, number waiting */
    struct timeval *expiry; /**< inside the SSL object; NULL = no timer was started yet */
    mono_us now;            /**< of the call that is being served */
    mono_us rto_first, rto; /**< first wait, current wait [µs] */
    mono_us deadline;       /**< when to send the flight again; MONO_NEVER = timer stopped */
};

/** @return NULL when out of memory. BIO_meth_free it after all its BIOs. */
BIO_METHOD *dtls_bio_method_new(void);

/** Put the BIO under an SSL object and its timer under our clock. @return 0 or -ENOMEM */
MUST_CHECK int dtls_bio_init(struct dtls_bio *bio, const BIO_METHOD *method, SSL *ssl);

/** Take the next datagram to send. @return false = none */
bool dtls_bio_pop(struct dtls_bio *bio, uint8_t *buf, size_t cap, size_t *ret_len);

/**
 * Send the flight again if it is time to.
 *
 * @return what DTLSv1_handle_timeout says: < 0 = OpenSSL gave up
 */
MUST_CHECK int dtls_bio_timeout(struct dtls_bio *bio, SSL *ssl, mono_us now);

/**
 * Send the flight again now, whatever the timer says; also the last one, which has none.
 *
 * @return as dtls_bio_timeout. OpenSSL gives up at the thirteenth time for the same flight
 */
MUST_CHECK int dtls_bio_repeat(struct dtls_bio *bio, SSL *ssl, mono_us now);

#endif
