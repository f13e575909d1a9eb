/* Text that grows by doubling. The pieces are small; a document is a few kilobytes. */
#include "server/config_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

void config_text_deinit(struct config_text *t)
{
    mem_free(t->p);
    *t = (struct config_text){0};
}

/** Room for n more characters and the zero. */
static bool reserve(struct config_text *t, size_t n)
{
    if (t->failed)
        return false;
    size_t cap = t->cap ? t->cap : 256;
    while (cap - t->len <= n)
        cap *= 2;
    if (cap == t->cap)
        return true;
    char *p = mem_realloc(t->p, cap);
    if (!p) {
        t->failed = true;
        return false;
    }
    t->p = p;
    t->cap = cap;
    t->p[t->len] = '\0';
    return true;
}

void config_text_put(struct config_text *t, struct str s)
{
    if (!reserve(t, s.len))
        return;
    if (s.len)
        memcpy(t->p + t->len, s.p, s.len);
    t->len += s.len;
    t->p[t->len] = '\0';
}

void config_text_printf(struct config_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !reserve(t, (size_t)n))
        return;
    va_start(args, format);
    (void)vsnprintf(t->p + t->len, (size_t)n + 1, format, args);
    va_end(args);
    t->len += (size_t)n;
}

/** Characters of a UTF-8 text: every byte but the continuation bytes. */
static size_t columns(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

void config_text_wrap(struct config_text *t, const char *indent, size_t width, struct str words)
{
    size_t used = 0; /* columns of the current line; 0 = not begun */
    for (struct str word; (word = str_take_word(&words)).len;) {
        if (used && used + 1 + columns(word) > width) {
            config_text_put(t, STR("\n"));
            used = 0;
        }
        struct str before = used ? STR(" ") : str_of(indent);
        config_text_put(t, before);
        config_text_put(t, word);
        used += columns(before) + columns(word);
    }
    config_text_put(t, STR("\n"));
}

int config_text_take(struct config_text *t, char **ret_text)
{
    if (!reserve(t, 0) || t->failed)
        return -ENOMEM;
    *ret_text = t->p; /* now owned by the caller */
    *t = (struct config_text){0};
    return 0;
}
