/**
 * The client's side of RFC 6455 as bytes: the opening handshake, frames out (masked) and in.
 */
#ifndef LOAD_WS_FRAME_H
#define LOAD_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum ws_error {
    WS_E_MORE = 1, /**< not complete yet: read on */
    WS_E_PROTOCOL, /**< against RFC 6455: close */
    WS_E_TOO_LONG, /**< longer than WS_MESSAGE_MAX: close */
    WS_E_REFUSED,  /**< the handshake was answered with something other than 101 */
};

/** Longest message taken from the server [bytes]. */
#define WS_MESSAGE_MAX (256 * 1024)

/** What a frame adds in front of its payload at most [bytes]. */
#define WS_HEADER_MAX 14

/** Sec-WebSocket-Key and Sec-WebSocket-Accept as text, with the zero. */
#define WS_KEY_TEXT    25
#define WS_ACCEPT_TEXT 29

/** A frame of the server. */
struct ws_frame {
    bool is_final;
    enum ws_opcode opcode;
    const uint8_t *payload; /**< borrowed */
    size_t payload_len;
    size_t frame_len; /**< header and payload: what to skip */
};

/**
 * Write one whole message as a masked frame.
 *
 * @param mask  four random bytes (RFC 6455 §5.3)
 * @param buf   payload.len + WS_HEADER_MAX bytes
 * @return bytes written
 */
size_t ws_frame_write(enum ws_opcode opcode, struct str payload, const uint8_t mask[4],
                      uint8_t *buf);

/** @return 0, WS_E_MORE, WS_E_PROTOCOL, WS_E_TOO_LONG; *ret set on 0 only */
MUST_CHECK int ws_frame_parse(const uint8_t *data, size_t len, struct ws_frame *ret);

/** @param ret WS_KEY_TEXT bytes */
void ws_key_write(const uint8_t random[16], char *ret);

/** What the server must answer to a key (RFC 6455 §4.2.2). @param ret WS_ACCEPT_TEXT bytes */
void ws_accept_write(const char *key, char *ret);

/**
 * Read the answer to the opening handshake.
 *
 * @param ret_len     bytes of the answer; frames may follow behind
 * @param ret_status  HTTP status, also with WS_E_REFUSED
 * @return 0, WS_E_MORE, WS_E_REFUSED, WS_E_PROTOCOL
 */
MUST_CHECK int ws_response_parse(struct str data, const char *key, size_t *ret_len,
                                 unsigned *ret_status);

#endif
