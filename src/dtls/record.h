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

#endif
