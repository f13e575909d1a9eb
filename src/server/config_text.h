/**
 * Text on the heap that grows: error reports and generated documents.
 * What does not fit into memory sets `failed`: check once at the end.
 */
#ifndef SERVER_CONFIG_TEXT_H
#define SERVER_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

struct config_text {
    char *p;     /**< owned, zero-terminated; NULL while empty */
    size_t len;  /**< characters, without the zero */
    size_t cap;  /**< bytes of room at p */
    bool failed; /**< out of memory: p is incomplete */
};

void config_text_deinit(struct config_text *t);

void config_text_put(struct config_text *t, struct str s);

PRINTF_LIKE(2, 3) void config_text_printf(struct config_text *t, const char *format, ...);

/**
 * Put words, broken into lines of at most `width` characters (UTF-8 counted as characters), each
 * line behind `indent`, and a newline at the end.
 */
void config_text_wrap(struct config_text *t, const char *indent, size_t width, struct str words);

/**
 * Take the text out; the struct is empty afterwards.
 *
 * @param ret_text the caller's to mem_free; never NULL
 * @return 0, or -ENOMEM
 */
MUST_CHECK int config_text_take(struct config_text *t, char **ret_text);

#endif
