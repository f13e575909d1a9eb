/* String views: see the header. Nothing here depends on the locale. */
#include "base/str.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool str_caseeq(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_head(s, prefix.len), prefix);
}

struct str str_head(struct str s, size_t n)
{
    return (struct str){s.p, n < s.len ? n : s.len};
}

struct str str_tail(struct str s, size_t n)
{
    if (n >= s.len)
        return (struct str){s.p ? s.p + s.len : NULL, 0};
    return (struct str){s.p + n, s.len - n};
}

struct str str_take_until(struct str *rest, char separator)
{
    const char *found = rest->len ? memchr(rest->p, separator, rest->len) : NULL;
    if (!found) {
        struct str all = *rest;
        *rest = str_tail(*rest, rest->len);
        return all;
    }
    struct str part = str_head(*rest, (size_t)(found - rest->p));
    *rest = str_tail(*rest, part.len + 1);
    return part;
}

struct str str_take_word(struct str *rest)
{
    size_t start = 0;
    while (start < rest->len && is_space(rest->p[start]))
        start++;
    size_t end = start;
    while (end < rest->len && !is_space(rest->p[end]))
        end++;
    struct str word = str_tail(str_head(*rest, end), start);
    *rest = str_tail(*rest, end);
    return word;
}

struct str str_trim(struct str s)
{
    while (s.len && is_space(s.p[0]))
        s = str_tail(s, 1);
    while (s.len && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool str_to_u64(struct str s, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *ret = value;
    return true;
}

bool str_copy(struct str s, char *buf, size_t size)
{
    if (s.len >= size || (s.len && memchr(s.p, 0, s.len)))
        return false;
    if (s.len)
        memcpy(buf, s.p, s.len);
    buf[s.len] = 0;
    return true;
}
