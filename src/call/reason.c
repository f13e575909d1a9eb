/* The table of reasons, made from the one list in the header. */
#include "call/reason.h"

#include <stddef.h>

static const struct {
    const char *name, *before, *after;
} reasons[] = {
#define CALL_REASON_ROW(symbol, name, before, after) [CALL_REASON_##symbol] = {name, before, after},
    CALL_REASONS(CALL_REASON_ROW)
#undef CALL_REASON_ROW
};

const char *call_reason_name(enum call_reason reason)
{
    return reasons[reason].name;
}

const char *call_reason_before(enum call_reason reason)
{
    return reasons[reason].before;
}

const char *call_reason_after(enum call_reason reason)
{
    return reasons[reason].after;
}
