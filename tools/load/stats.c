/* Errors are told apart by their text: there are few kinds in a run, and each is worth a line. */
#include "load/stats.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void stats_error(struct stats *s, const char *format, ...)
{
    char text[STATS_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    unsigned i = 0;
    while (i < s->n_errors && strcmp(s->errors[i].text, text) != 0)
        i++;
    if (i == STATS_MAX_ERRORS)
        i--;
    if (i == s->n_errors) {
        memcpy(s->errors[i].text, text, sizeof(text));
        s->n_errors++;
    }
    s->errors[i].n++;
}

bool stats_is_good(const struct stats *s)
{
    uint64_t bad = 0;
#define ADD(name, is_bad, words) bad += (is_bad) ? s->name : 0;
    STATS_COUNTERS(ADD)
#undef ADD
    return bad == 0 && s->n_errors == 0 && s->calls_tried > 0 && s->calls_ended == s->calls_tried;
}
