/**
 * What a user may be called: 1 to 64 characters of UTF-8 without control characters, compared
 * byte for byte, so case matters (as in the tutorial).
 */
#ifndef CALL_NAME_H
#define CALL_NAME_H

#include <stddef.h>

#include "base/str.h"

#define CALL_NAME_MAX_CHARS 64

/** Room for the longest name in UTF-8, the zero included. */
#define CALL_NAME_SIZE (CALL_NAME_MAX_CHARS * 4 + 1)

enum call_name_error {
    CALL_NAME_E_EMPTY = 1,
    CALL_NAME_E_TOO_LONG,
    CALL_NAME_E_NOT_UTF8,
    CALL_NAME_E_CONTROL, /**< U+0000-001F, U+007F-009F: they spoil logs and terminals */
};

/** @return 0 or enum call_name_error: refuse the name, say which */
int call_name_check(struct str name);

#endif
