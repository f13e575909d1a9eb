/** Base64 (RFC 4648 §4) of short things: keys. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/** Longest that is read [bytes]. */
#define BASE64_MAX 64

/**
 * With its padding or without.
 *
 * @param ret  room for `len` bytes, at most BASE64_MAX; set on success only
 * @return false = no base64, or not of exactly `len` bytes
 */
bool base64_read(struct str text, uint8_t *ret, size_t len);

void base64_write(struct text *t, const uint8_t *bytes, size_t len);

#endif
