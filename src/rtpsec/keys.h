/**
 * SRTP profiles, and the master keys that a DTLS handshake gives (RFC 5764 §4.1.2, §4.2; RFC 7714
 * §14.2).
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

/** Client and server write keys and salts of the largest profile. */
#define RTPSEC_MAX_MATERIAL_LEN (2 * (RTPSEC_KEY_LEN + RTPSEC_MAX_SALT_LEN))

/** Name of the exporter (RFC 5764 §4.2); no context value. */
#define RTPSEC_EXPORTER_LABEL "EXTRACTOR-dtls_srtp"

/** Master key and salt of one direction. */
struct rtpsec_master {
    uint8_t key[RTPSEC_KEY_LEN];
    uint8_t salt[RTPSEC_MAX_SALT_LEN]; /**< rtpsec_salt_len() bytes of it are used */
};

/** Both directions of a session. Wipe after use (rtpsec_keys_wipe). */
struct rtpsec_keys {
    enum rtpsec_profile profile;
    struct rtpsec_master client; /**< what the DTLS client sends with */
    struct rtpsec_master server; /**< what the DTLS server sends with */
};

/** Bytes of master salt: 14 or 12; 0 = not a profile of ours. */
size_t rtpsec_salt_len(enum rtpsec_profile profile);

/** Bytes to export from the DTLS connection: 60 or 56; 0 = not a profile of ours. */
size_t rtpsec_material_len(enum rtpsec_profile profile);

/**
 * Split exported keying material.
 *
 * RFC 5764 §4.2: client_write_SRTP_master_key, server_write_SRTP_master_key,
 * client_write_SRTP_master_salt, server_write_SRTP_master_salt, without gaps.
 *
 * @param profile   what DTLS negotiated
 * @param material  len bytes from the exporter; the caller wipes them
 * @param ret       filled on success only
 *
 * @return 0, or -EINVAL: unknown profile or another length than rtpsec_material_len()
 */
MUST_CHECK int rtpsec_keys_split(enum rtpsec_profile profile, const uint8_t *material, size_t len,
                                 struct rtpsec_keys *ret);

void rtpsec_keys_wipe(struct rtpsec_keys *keys);

#endif
