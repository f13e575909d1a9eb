/**
 * Datagrams in a byte stream: each goes behind its length in two bytes (RFC 4571 §2, as RFC 6544
 * §10.1 wants it for ICE). Sans-IO: the bytes come from and go to whoever reads and writes the
 * connection. Both directions have a fixed room; nothing is allocated.
 */
#ifndef ENGINE_FRAMING_H
#define ENGINE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"

#define FRAMING_HEADER_LEN 2

/** Two and a half frames of the largest size: a read brings more than the rest of one. */
#define FRAMING_IN_BYTES 4096

/** Close to a second of Opus: who reads more slowly than that hears gaps rather than the past. */
#define FRAMING_OUT_BYTES 8192

enum framing_error {
    FRAMING_E_MORE = 1, /**< no whole frame is there yet: read more */
    FRAMING_E_TOO_LONG, /**< a frame above DGRAM_MAX: nobody's datagram, close the connection */
};

/** What has been read and not yet been taken. All zero = empty. */
struct framing_in {
    uint16_t start, end; /**< in bytes[] */
    uint8_t bytes[FRAMING_IN_BYTES];
};

/** What has been framed and not yet been written. All zero = empty. */
struct framing_out {
    uint16_t start, end;
    uint8_t bytes[FRAMING_OUT_BYTES];
};

/**
 * Where to put the next bytes of the stream. After FRAMING_E_MORE there is always room.
 *
 * @param ret_len bytes of room
 */
uint8_t *framing_in_room(struct framing_in *f, size_t *ret_len);

/** So many bytes were put there. */
void framing_in_added(struct framing_in *f, size_t n);

/**
 * Take the next whole frame. Empty ones are skipped: RFC 4571 §2 calls them null packets, which
 * MUST be ignored.
 *
 * @param data room for DGRAM_MAX bytes
 * @return 0, FRAMING_E_MORE, FRAMING_E_TOO_LONG (for good)
 */
MUST_CHECK int framing_in_next(struct framing_in *f, uint8_t *data, size_t *ret_len);

/**
 * Append a frame, whole or not at all.
 *
 * @param len     1 to DGRAM_MAX
 * @param reserve bytes that must stay free behind it
 * @return false: there is no room
 */
bool framing_out_put(struct framing_out *f, const uint8_t *data, size_t len, size_t reserve);

/** The bytes to write next; valid until the next call. @param ret_len 0 = none */
const uint8_t *framing_out_peek(const struct framing_out *f, size_t *ret_len);

/** So many of them were written; any number, also in the middle of a frame. */
void framing_out_sent(struct framing_out *f, size_t n);

#endif
