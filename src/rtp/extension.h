/**
 * RTP header extensions (RFC 8285): reading the elements, and renumbering them in place.
 *
 *    one-byte form, profile 0xBEDE:   | ID 4 | len-1 4 | data … |   ID 1-14
 *    two-byte form, profile 0x100x:   | ID 8 | len 8   | data … |   ID 1-255
 *    a zero byte between elements is padding
 *
 * Two legs of a call number the same extension differently; what the receiving leg did not
 * negotiate must not reach it. The relay prepares a table once, and every packet goes through it.
 */
#ifndef RTP_EXTENSION_H
#define RTP_EXTENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "rtp/packet.h"

/** RFC 8285 §4.2: "a 16-bit value of 0xBEDE". */
#define RTP_EXTENSION_ONE_BYTE 0xBEDE

/** RFC 8285 §4.3: 0x100 and four "appbits", which are ignored. */
#define RTP_EXTENSION_TWO_BYTE      0x1000
#define RTP_EXTENSION_TWO_BYTE_MASK 0xfff0

/** Largest ID of the one-byte form: 15 is reserved (RFC 8285 §4.2). */
#define RTP_EXTENSION_ONE_BYTE_MAX_ID 14

/** One element. */
struct rtp_extension {
    uint8_t id;          /**< 1-14 or 1-255 */
    uint8_t len;         /**< bytes at data: 1-16 in the one-byte form, 0-255 in the other */
    const uint8_t *data; /**< borrowed from the packet */
};

/** A walk over the elements; ends at the first one that does not fit. */
struct rtp_extension_iter {
    const uint8_t *p, *end;
    bool two_byte;
};

/** Start a walk; over a packet without extension, or with a private profile, it is empty. */
struct rtp_extension_iter rtp_extensions(const uint8_t *data, const struct rtp_packet *packet);

/** @return false = no more elements (or only malformed ones); *ret is then untouched */
bool rtp_extension_next(struct rtp_extension_iter *it, struct rtp_extension *ret);

/** The first element with that id. @return false = none; *ret is then untouched */
bool rtp_extension_find(const uint8_t *data, const struct rtp_packet *packet, uint8_t id,
                        struct rtp_extension *ret);

/**
 * Rewrite the ids in place through a prepared table.
 *
 * An element goes to id map[id]; 0, or an id that the form of this packet cannot express, turns
 * the whole element into padding bytes. What cannot be understood (private profile, data after a
 * malformed element or after ID 15) is blanked too, and a private profile becomes 0xBEDE: after
 * the call nothing is left that the table did not let through. The packet keeps its length.
 *
 * @param data    the packet that `packet` was parsed from
 * @param packet  extension_profile is updated when it changes
 * @param map     target id by source id; map[0] is not looked at
 *
 * @return elements that are left
 */
unsigned rtp_extensions_translate(uint8_t *data, struct rtp_packet *packet, const uint8_t map[256]);

/** RFC 6464 §3: what the sender says about this packet's loudness. */
struct rtp_audio_level {
    uint8_t level_db; /**< below overload: 0 (loudest) to 127 (silence) [-dBov] */
    bool voice;       /**< V bit: the encoder believes that it holds speech */
};

/**
 * Read the client-to-mixer audio level.
 *
 * @param id  the id negotiated for urn:ietf:params:rtp-hdrext:ssrc-audio-level on this leg
 *
 * @return false = not in this packet; *ret is then untouched
 */
bool rtp_audio_level_read(const uint8_t *data, const struct rtp_packet *packet, uint8_t id,
                          struct rtp_audio_level *ret);

#endif
