/* The name rule, in one pass. */
#include "call/name.h"

#include "base/utf8.h"

int call_name_check(struct str name)
{
    size_t n_chars = 0;
    if (name.len == 0)
        return CALL_NAME_E_EMPTY;
    while (name.len) {
        uint32_t c;
        if (!utf8_take(&name, &c))
            return CALL_NAME_E_NOT_UTF8;
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            return CALL_NAME_E_CONTROL;
        if (++n_chars > CALL_NAME_MAX_CHARS)
            return CALL_NAME_E_TOO_LONG;
    }
    return 0;
}
