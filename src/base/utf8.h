/**
 * UTF-8 (RFC 3629): shortest forms only, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/**
 * Take the first character of *rest, which is not empty.
 *
 * @return false when it is none; *rest and *ret are then untouched
 */
bool utf8_take(struct str *rest, uint32_t *ret);

bool utf8_is_valid(struct str s);

/** Bytes at the beginning that are valid: all of a text, or what is left of one that was cut. */
size_t utf8_valid_prefix(struct str s);

/** Characters of a valid text. */
size_t utf8_length(struct str s);

#endif
