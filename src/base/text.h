/**
 * Text written piece by piece into a borrowed buffer; always zero-terminated.
 * What does not fit sets `failed` and is left out whole: check once at the end.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

struct text {
    char *buf;   /**< borrowed */
    size_t len;  /**< characters written, without the zero */
    size_t cap;  /**< bytes of room, the zero included */
    bool failed; /**< something did not fit */
};

/** @param cap at least 1 */
void text_init(struct text *t, char *buf, size_t cap);

PRINTF_LIKE(2, 3) void text_printf(struct text *t, const char *format, ...);

void text_put(struct text *t, struct str s);

static inline struct str text_str(const struct text *t)
{
    return (struct str){t->buf, t->len};
}

#endif
