/**
 * The payload of a test packet: valid Opus to whoever looks at its first byte, and proof of where
 * it came from and that no bit of it changed.
 *
 *      0  Opus TOC: 20 ms, mono, one frame
 *      1  side that sent it: 0 caller, 1 callee
 *      2  number of the call            (32 bits)
 *      6  round: how often this pair called before   (32 bits)
 *     10  sequence number, from 0       (32 bits)
 *     14  time of sending               (64 bits, µs, monotonic)
 *     22  filler that looks like compressed audio
 *     72  SipHash of everything before  (64 bits)
 *
 * Numbers are big endian. The key of the hash is drawn for each run: packets of another run that
 * hit the same port are told apart.
 */
#ifndef LOAD_PAYLOAD_H
#define LOAD_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/siphash.h"
#include "base/time.h"

/** 80 bytes each 20 ms are 32 kbit/s, what browsers use for speech. */
#define PAYLOAD_LEN 80

/** RFC 6716 §3.1: configuration 15 (hybrid, fullband, 20 ms), mono, one frame. */
#define PAYLOAD_TOC 0x78

struct payload {
    uint8_t side;
    uint32_t call;
    uint32_t round;
    uint32_t seq;
    mono_us sent_at;
};

enum payload_error {
    PAYLOAD_E_LENGTH = 1, /**< not PAYLOAD_LEN bytes */
    PAYLOAD_E_CHECKSUM,   /**< a bit changed, or not of this run */
};

/** @param buf  PAYLOAD_LEN bytes */
void payload_write(const struct payload *p, const struct siphash_key *key, uint8_t *buf);

/** @return 0, or a PAYLOAD_E_ code (*ret untouched): count it as corrupted */
MUST_CHECK int payload_read(const uint8_t *data, size_t len, const struct siphash_key *key,
                            struct payload *ret);

#endif
