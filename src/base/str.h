/**
 * String view: a borrowed run of characters without a terminating zero.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /**< borrowed; NULL only when len is 0 */
    size_t len;    /**< characters */
};

/** View of a string literal. */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

/** printf("%.*s", STR_FMT(s)) */
#define STR_FMT(s) (int)(s).len, ((s).p ? (s).p : "")

static inline struct str str_of(const char *cstr)
{
    return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/** Equal without regard to ASCII case. */
bool str_caseeq(struct str a, struct str b);

bool str_starts_with(struct str s, struct str prefix);

/** First `n` characters (all, when shorter). */
struct str str_head(struct str s, size_t n);

/** Everything after the first `n` characters (empty, when shorter). */
struct str str_tail(struct str s, size_t n);

/**
 * Take the part of *rest before `separator` and move *rest behind it.
 *
 * @return the part; the whole of *rest when the separator is missing (*rest is empty then)
 */
struct str str_take_until(struct str *rest, char separator);

/** Take the next word, where words stand between runs of spaces; empty = no more words. */
struct str str_take_word(struct str *rest);

/** Without spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);

/**
 * Parse an unsigned decimal: digits only, no sign, no spaces, the whole view.
 *
 * @return false when it is not one or when it is above max; *ret is then untouched
 */
bool str_to_u64(struct str s, uint64_t max, uint64_t *ret);

/**
 * Copy into a zero-terminated buffer.
 *
 * @return false when it does not fit (buffer untouched) or contains a zero byte
 */
bool str_copy(struct str s, char *buf, size_t size);

#endif
