/* Bounded text building: see the header. */
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void text_init(struct text *t, char *buf, size_t cap)
{
    assert(cap > 0);
    *t = (struct text){.buf = buf, .cap = cap};
    buf[0] = 0;
}

void text_printf(struct text *t, const char *format, ...)
{
    if (t->failed)
        return;
    va_list args;
    va_start(args, format);
    size_t room = t->cap - t->len;
    int n = vsnprintf(t->buf + t->len, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room) {
        t->buf[t->len] = 0;
        t->failed = true;
        return;
    }
    t->len += (size_t)n;
}

void text_put(struct text *t, struct str s)
{
    if (t->failed)
        return;
    if (t->cap - t->len <= s.len) {
        t->failed = true;
        return;
    }
    if (s.len)
        memcpy(t->buf + t->len, s.p, s.len);
    t->len += s.len;
    t->buf[t->len] = 0;
}
