/**
 * The bytes of a file as they come: what was pushed and is not used up yet. Private to src/play.
 */
#ifndef PLAY_INPUT_H
#define PLAY_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * Largest thing that is waited for until it is there as a whole [bytes]: an element of Matroska
 * with a packet of PLAY_PACKET_MAX in it.
 */
#define PLAY_UNIT_MAX 65536

/** Embedded in its owner; zeroed is empty. */
struct play_input {
    uint8_t *buf; /**< owned */
    size_t cap;   /**< of it [bytes] */
    size_t start; /**< first byte that is not used up */
    size_t len;   /**< bytes from there */
    uint64_t at;  /**< where in the file that byte stood */
    uint64_t gap; /**< bytes still to come that nobody wants */
    bool is_end;  /**< no more comes */
};

void play_input_deinit(struct play_input *in);

/** @return 0 or -ENOMEM */
MUST_CHECK int play_input_push(struct play_input *in, const uint8_t *data, size_t len);

/** The next `n` bytes; NULL = they are not there yet. @param n  up to PLAY_UNIT_MAX */
static inline const uint8_t *play_input_peek(const struct play_input *in, size_t n)
{
    return in->len >= n ? in->buf + in->start : NULL;
}

/** Go over bytes, whether they are there or not. */
void play_input_skip(struct play_input *in, uint64_t n);

#endif
