/* The name rule: one pass over the UTF-8 of RFC 3629, counting characters. */
#include "call/name.h"

#include <stdbool.h>
#include <stdint.h>

/* RFC 3629 §4: shortest form only, no surrogates, nothing above U+10FFFF. */
static bool take_char(struct str *rest, uint32_t *ret)
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

int call_name_check(struct str name)
{
    size_t n_chars = 0;
    if (name.len == 0)
        return CALL_NAME_E_EMPTY;
    while (name.len) {
        uint32_t c;
        if (!take_char(&name, &c))
            return CALL_NAME_E_NOT_UTF8;
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            return CALL_NAME_E_CONTROL;
        if (++n_chars > CALL_NAME_MAX_CHARS)
            return CALL_NAME_E_TOO_LONG;
    }
    return 0;
}
