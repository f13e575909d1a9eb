/**
 * Private to the module: what the reader and the writer of messages share.
 */
#ifndef STUN_WIRE_H
#define STUN_WIRE_H

#include <stdint.h>

#include "base/compiler.h"
#include "stun/message.h"

/** RFC 8489 §14.7: the CRC is XORed with "STUN" in ASCII. */
#define STUN_FINGERPRINT_XOR UINT32_C(0x5354554E)

#define STUN_ATTR_HEADER_LEN 4
#define STUN_HMAC_LEN        20
#define STUN_INTEGRITY_LEN   (STUN_ATTR_HEADER_LEN + STUN_HMAC_LEN)
#define STUN_FINGERPRINT_LEN (STUN_ATTR_HEADER_LEN + 4)

/** RFC 8489 §14.1 */
enum { STUN_FAMILY_V4 = 0x01, STUN_FAMILY_V6 = 0x02 };

/**
 * HMAC-SHA1 over the first `at` bytes of a message, with the length field that it has when
 * MESSAGE-INTEGRITY at offset `at` is its last attribute (RFC 8489 §14.5).
 *
 * @param at at most DGRAM_MAX
 * @return 0, or -ENOMEM
 */
MUST_CHECK int stun_hmac(const uint8_t *message, size_t at, struct str key,
                         uint8_t ret[STUN_HMAC_LEN]);

/** RFC 8489 §14.2: XOR an address with the cookie and, for IPv6, the identifier; own inverse. */
struct addr stun_xor_addr(const struct addr *a, const uint8_t *id);

#endif
