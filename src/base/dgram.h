/**
 * A datagram on its way between a socket and a core.
 *
 * Input: the owner fills everything; the bytes are borrowed for the call, and a core may change
 * them in place (SRTP does). Output (x_poll_send): the owner provides `data` and `cap`, the core
 * fills the bytes, `len`, `local` and `remote`.
 */
#ifndef BASE_DGRAM_H
#define BASE_DGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/** Largest datagram that is received or made: Ethernet's payload; longer ones are dropped. */
#define DGRAM_MAX 1500

struct dgram {
    struct addr local;  /**< our address: where it arrived, or from which it must leave */
    struct addr remote; /**< their address */
    uint8_t *data;      /**< owned by who made the struct */
    size_t len;         /**< bytes of content */
    size_t cap;         /**< bytes of room at data */
};

#endif
