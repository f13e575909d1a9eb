/**
 * STUN messages (RFC 8489): the codec for what ICE needs of them.
 *
 * Reading copies nothing: struct stun_message points into the datagram. Writing fills a borrowed
 * buffer and closes it with MESSAGE-INTEGRITY (HMAC-SHA1) and FINGERPRINT.
 */
#ifndef STUN_MESSAGE_H
#define STUN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/str.h"

/** RFC 8489 §5: header of 20 bytes; the cookie stands at byte 4. */
#define STUN_HEADER_LEN   20
#define STUN_MAGIC_COOKIE UINT32_C(0x2112A442)
#define STUN_ID_LEN       12

/** Comprehension-required attributes that we do not know are remembered up to this number. */
#define STUN_MAX_UNKNOWN 8

/** What a datagram is not, or has not; all of them: drop and count. */
enum stun_error {
    STUN_E_NOT_STUN = 1, /**< no STUN header: some other protocol */
    STUN_E_MALFORMED,    /**< STUN, but an attribute breaks its own length or place */
    STUN_E_FINGERPRINT,  /**< FINGERPRINT is there and wrong */
    STUN_E_INTEGRITY,    /**< MESSAGE-INTEGRITY is missing or wrong */
    STUN_E_SPACE,        /**< the message does not fit the buffer given for it */
};

/** RFC 8489 §5: the two class bits. */
enum stun_class {
    STUN_REQUEST = 0,
    STUN_INDICATION = 1,
    STUN_SUCCESS = 2,
    STUN_ERROR = 3,
};

#define STUN_METHOD_BINDING 0x001

enum stun_attribute {
    STUN_ATTR_MAPPED_ADDRESS = 0x0001,
    STUN_ATTR_USERNAME = 0x0006,
    STUN_ATTR_MESSAGE_INTEGRITY = 0x0008,
    STUN_ATTR_ERROR_CODE = 0x0009,
    STUN_ATTR_UNKNOWN_ATTRIBUTES = 0x000A,
    STUN_ATTR_REALM = 0x0014,
    STUN_ATTR_NONCE = 0x0015,
    STUN_ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_ATTR_PRIORITY = 0x0024,
    STUN_ATTR_USE_CANDIDATE = 0x0025,
    STUN_ATTR_SOFTWARE = 0x8022,
    STUN_ATTR_FINGERPRINT = 0x8028,
    STUN_ATTR_ICE_CONTROLLED = 0x8029,
    STUN_ATTR_ICE_CONTROLLING = 0x802A,
};

/** The error codes that we send or act upon. */
enum stun_code {
    STUN_CODE_BAD_REQUEST = 400,
    STUN_CODE_UNKNOWN_ATTRIBUTE = 420,
    STUN_CODE_ROLE_CONFLICT = 487, /**< RFC 8445 §7.3.1.1 */
};

/** One received message. Views point into the datagram; an empty view = attribute absent. */
struct stun_message {
    const uint8_t *data; /**< borrowed, the whole message */
    size_t len;          /**< bytes, header included */
    enum stun_class class;
    uint16_t method;   /**< 12 bits */
    const uint8_t *id; /**< STUN_ID_LEN bytes */

    struct str username;
    struct str realm;
    struct str nonce;
    struct str software;
    struct str reason;                  /**< of ERROR-CODE */
    uint16_t error_code;                /**< 300-699; 0 = absent */
    bool has_mapped;                    /**< XOR-MAPPED-ADDRESS is there */
    bool has_priority;                  /**< PRIORITY is there */
    bool use_candidate;                 /**< USE-CANDIDATE is there */
    bool is_controlling;                /**< ICE-CONTROLLING is there */
    bool is_controlled;                 /**< ICE-CONTROLLED is there */
    bool has_fingerprint;               /**< FINGERPRINT is there, and right */
    struct addr mapped;                 /**< XOR-MAPPED-ADDRESS, decoded */
    uint32_t priority;                  /**< PRIORITY */
    uint64_t tie_breaker;               /**< of ICE-CONTROLLING or ICE-CONTROLLED */
    uint16_t integrity_at;              /**< offset of MESSAGE-INTEGRITY; 0 = absent */
    uint8_t n_unknown;                  /**< entries of `unknown` */
    uint16_t unknown[STUN_MAX_UNKNOWN]; /**< comprehension-required types that we do not know */
};

/**
 * Is this datagram STUN? Cheap enough for every packet of a shared port.
 *
 * First byte 0..3 (RFC 7983 §7), magic cookie, and a length field that is a multiple of four and
 * ends exactly at the end of the datagram. Says nothing about the attributes.
 */
bool stun_is_message(const uint8_t *data, size_t len);

/**
 * Find the USERNAME of a Binding request without looking at anything else.
 *
 * For the demultiplexer of a shared port: what stands before the ':' is our ufrag (RFC 8445
 * §7.2.2). Nothing is authenticated here.
 *
 * @param ret the part before ':', borrowed from data; untouched on failure
 * @return false: not a Binding request, no USERNAME, or none with a ':'
 */
bool stun_peek_username(const uint8_t *data, size_t len, struct str *ret);

/**
 * Parse a datagram.
 *
 * Of an attribute that comes twice the first counts (RFC 8489 §14). What follows
 * MESSAGE-INTEGRITY, except FINGERPRINT, is ignored (§14.5). FINGERPRINT must be last and, when
 * present, right (§14.7). Integrity is *not* checked: see stun_check_integrity.
 *
 * @param data borrowed as long as *ret is used
 * @param len  more than DGRAM_MAX is STUN_E_MALFORMED
 *
 * @return 0
 *         STUN_E_NOT_STUN, STUN_E_MALFORMED, STUN_E_FINGERPRINT: drop and count
 */
MUST_CHECK int stun_parse(const uint8_t *data, size_t len, struct stun_message *ret);

/**
 * Check MESSAGE-INTEGRITY in constant time.
 *
 * @param key the password of short-term credentials, or MD5(user:realm:password) of long-term
 *            ones (RFC 8489 §9.1.1, §9.2.2)
 *
 * @return 0
 *         STUN_E_INTEGRITY: missing or wrong; treat the message as never received
 */
MUST_CHECK int stun_check_integrity(const struct stun_message *m, struct str key);

/** A message under construction; fields are private to the stun_write_ functions. */
struct stun_writer {
    struct bytes_writer w;
};

/**
 * Begin a message.
 *
 * @param id STUN_ID_LEN bytes, copied
 */
struct stun_writer stun_write_start(void *buf, size_t cap, enum stun_class class, uint16_t method,
                                    const uint8_t *id);

/* Attributes. What does not fit is remembered and told by stun_write_end. */
void stun_write_username(struct stun_writer *s, struct str username);
void stun_write_priority(struct stun_writer *s, uint32_t priority);
void stun_write_use_candidate(struct stun_writer *s);
/** @param is_controlling selects ICE-CONTROLLING or ICE-CONTROLLED */
void stun_write_role(struct stun_writer *s, bool is_controlling, uint64_t tie_breaker);
void stun_write_mapped(struct stun_writer *s, const struct addr *mapped);
/** The reason phrase is the RFC's. */
void stun_write_error(struct stun_writer *s, enum stun_code code);
/** @param n at most STUN_MAX_UNKNOWN */
void stun_write_unknown(struct stun_writer *s, const uint16_t *types, size_t n);

/**
 * Close the message: MESSAGE-INTEGRITY (unless key is empty), FINGERPRINT, length.
 *
 * @param ret_len bytes of the whole message
 * @return 0
 *         STUN_E_SPACE  cap was too small: the buffer holds nothing useful
 *         -ENOMEM       the crypto library ran out of memory
 */
MUST_CHECK int stun_write_end(struct stun_writer *s, struct str key, size_t *ret_len);

#endif
