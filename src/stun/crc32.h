/**
 * CRC-32 as FINGERPRINT uses it (RFC 8489 §14.7; ITU V.42 polynomial, reflected).
 */
#ifndef STUN_CRC32_H
#define STUN_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t stun_crc32(const uint8_t *data, size_t len);

#endif
