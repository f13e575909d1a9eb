/**
 * SRTP profiles and the sizes of their master keys (RFC 5764 §4.1.2, RFC 7714 §14.2). The keys
 * themselves come from the DTLS handshake, sorted by direction (dtls/conn.h).
 */
#ifndef RTPSEC_KEYS_H
#define RTPSEC_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** Values are IANA's "DTLS-SRTP Protection Profiles", as they stand in the use_srtp extension. */
enum rtpsec_profile {
    RTPSEC_NONE = 0,
    RTPSEC_AES_CM_128_HMAC_SHA1_80 = 0x0001, /**< RFC 5764: every WebRTC endpoint has it */
    RTPSEC_AEAD_AES_128_GCM = 0x0007,        /**< RFC 7714: preferred, a third cheaper */
};

/** Both profiles use AES-128. */
#define RTPSEC_KEY_LEN 16

/** Salt of AES-CM: 112 bits (RFC 3711 §8.2). The largest of all profiles. */
#define RTPSEC_MAX_SALT_LEN 14

/** Bytes of master salt: 14 or 12; 0 = not a profile of ours. */
size_t rtpsec_salt_len(enum rtpsec_profile profile);

#endif
