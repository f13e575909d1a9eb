/* UTF-8, one character at a time: see the header. */
#include "base/utf8.h"

bool utf8_take(struct str *rest, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t lead = (uint8_t)rest->p[0];
    size_t more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || rest->len <= more)
        return false;
    uint32_t c = more ? lead & (0x3fu >> more) : lead;
    for (size_t i = 1; i <= more; i++) {
        uint8_t next = (uint8_t)rest->p[i];
        if ((next & 0xc0) != 0x80)
            return false;
        c = c << 6 | (next & 0x3f);
    }
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    *rest = str_tail(*rest, more + 1);
    *ret = c;
    return true;
}

bool utf8_is_valid(struct str s)
{
    uint32_t c;
    while (s.len) {
        if (!utf8_take(&s, &c))
            return false;
    }
    return true;
}

size_t utf8_length(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    return n;
}

size_t utf8_valid_prefix(struct str s)
{
    struct str rest = s;
    uint32_t c;
    while (rest.len && utf8_take(&rest, &c))
        ;
    return s.len - rest.len;
}
