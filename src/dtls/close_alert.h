/**
 * close_notify after the handshake, without an SSL object.
 *
 * From CONNECTED on an association needs DTLS for one thing only: to hear and to say, with
 * authentication, that it is over. The write keys of both sides are derived once (TLS 1.2 key
 * block, RFC 5246 §6.3) and kept in 100 bytes, so that the SSL object's 75 KB need not be, and
 * nothing that is wrong in a record can reach OpenSSL's state machine.
 *
 * RFC 6347 §4.1 (records), RFC 5246 §7.2.1 (alerts), RFC 5288 (AES-GCM), RFC 7905 (ChaCha20).
 */
#ifndef DTLS_CLOSE_ALERT_H
#define DTLS_CLOSE_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/compiler.h"

/** Record header 13, explicit nonce 8, alert 2, tag 16: the longest alert record. */
#define DTLS_CLOSE_ALERT_MAX 39

enum dtls_close_alert_cipher {
    DTLS_CLOSE_ALERT_AES_128_GCM,
    DTLS_CLOSE_ALERT_AES_256_GCM,
    DTLS_CLOSE_ALERT_CHACHA20_POLY1305,
};

/** One direction. */
struct dtls_close_alert_keys {
    uint8_t key[32]; /**< 16 or 32 bytes used */
    uint8_t iv[12];  /**< GCM: 4 bytes used (salt), ChaCha20: 12 */
};

struct dtls_close_alert {
    enum dtls_close_alert_cipher cipher; /**< RO after init */
    struct dtls_close_alert_keys local;  /**< we seal with */
    struct dtls_close_alert_keys remote; /**< the peer seals with */
    uint64_t next_number;                /**< lowest 48-bit record number that is still new */
};

enum dtls_close_alert_error {
    DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC = 1, /**< forged, replayed or not an alert of epoch 1: drop */
    DTLS_CLOSE_ALERT_E_OTHER,  /**< an authentic alert, but not close_notify: no effect */
    DTLS_CLOSE_ALERT_E_CIPHER, /**< the cipher suite is not one of the three above */
};

/**
 * Derive the keys from a finished handshake.
 *
 * @param is_client  our role
 *
 * @return 0, DTLS_CLOSE_ALERT_E_CIPHER (a bug: dtls_context offers no other), or -ENOMEM
 */
MUST_CHECK int dtls_close_alert_init(struct dtls_close_alert *ca, const SSL *ssl, bool is_client);

/** Wipes the keys. */
void dtls_close_alert_deinit(struct dtls_close_alert *ca);

/**
 * Open one whole record.
 *
 * @param record  header included; nothing may follow
 *
 * @return 0                            the peer's close_notify
 *         DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC, DTLS_CLOSE_ALERT_E_OTHER
 */
MUST_CHECK int dtls_close_alert_open(struct dtls_close_alert *ca, const uint8_t *record,
                                     size_t len);

/**
 * Make our close_notify. Not more than once for a set of keys.
 *
 * @param buf  DTLS_CLOSE_ALERT_MAX bytes
 *
 * @return 0 (*ret_len set) or -ENOMEM
 */
MUST_CHECK int dtls_close_alert_seal(const struct dtls_close_alert *ca, uint8_t *buf,
                                     size_t *ret_len);

#endif
