/**
 * DTLS 1.2 record header (RFC 6347 §4.1): enough to decide who may see a record.
 */
#ifndef DTLS_RECORD_H
#define DTLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define DTLS_RECORD_HEADER_LEN 13

enum dtls_content_type {
    DTLS_CONTENT_CHANGE_CIPHER_SPEC = 20,
    DTLS_CONTENT_ALERT = 21,
    DTLS_CONTENT_HANDSHAKE = 22,
    DTLS_CONTENT_APPLICATION_DATA = 23,
};

struct dtls_record {
    uint8_t type;           /**< enum dtls_content_type, or anything else */
    uint16_t epoch;         /**< 0 = in the clear */
    const uint8_t *bytes;   /**< borrowed: the whole record, header included */
    size_t len;             /**< bytes */
    const uint8_t *content; /**< borrowed: behind the header */
    size_t content_len;     /**< bytes */
};

/**
 * Take the next record off a datagram.
 *
 * @return false at the end and at the first thing that is not a DTLS 1.x record (what follows
 *         it in the datagram cannot be found)
 */
static inline bool dtls_record_next(struct bytes_reader *datagram, struct dtls_record *ret)
{
    const uint8_t *header = bytes_skip(datagram, DTLS_RECORD_HEADER_LEN);
    if (!header || header[1] != 0xfe) /* major version, RFC 6347 §4.1 */
        return false;
    size_t content_len = get_be16(header + 11);
    const uint8_t *content = bytes_skip(datagram, content_len);
    if (!content)
        return false;
    *ret = (struct dtls_record){
        .type = header[0],
        .epoch = get_be16(header + 3),
        .bytes = header,
        .len = DTLS_RECORD_HEADER_LEN + content_len,
        .content = content,
        .content_len = content_len,
    };
    return true;
}

/** Handshake messages may be this long [bytes]; a certificate is 0.4 KB (ECDSA) to 1 KB (RSA). */
#define DTLS_MESSAGE_MAX 8192

/**
 * Is the content of a record in the clear well-formed as far as its headers say? OpenSSL ends
 * the handshake over one that is not, which anybody can send; RFC 6347 §4.1.2.7 wants it dropped.
 *
 * handshake (§4.2.2): whole fragments, each inside its message, nothing left over
 * change_cipher_spec (RFC 5246 §7.1): one byte, 1
 */
static inline bool dtls_record_is_well_formed(const struct dtls_record *record)
{
    if (record->type == DTLS_CONTENT_CHANGE_CIPHER_SPEC)
        return record->content_len == 1 && record->content[0] == 1;
    struct bytes_reader r = bytes_reader(record->content, record->content_len);
    do {
        uint32_t message_len = bytes_get32(&r) & 0xffffff; /* type, length */
        (void)bytes_get16(&r);                             /* message number */
        uint32_t offset = (uint32_t)bytes_get8(&r) << 16 | bytes_get16(&r);
        uint32_t len = (uint32_t)bytes_get8(&r) << 16 | bytes_get16(&r);
        (void)bytes_skip(&r, len);
        if (r.failed || message_len > DTLS_MESSAGE_MAX || offset + len > message_len)
            return false;
    } while (r.left > 0);
    return true;
}

#endif
