/* The counters as JSON. */
#include "impair/stats.h"

const char *const impair_direction_names[IMPAIR_N_DIRECTIONS] = {
    [IMPAIR_UP] = "up",
    [IMPAIR_DOWN] = "down",
};

static const char *const keys[IMPAIR_N_COUNTERS] = {
#define X(name, key) [IMPAIR_##name] = key,
    IMPAIR_COUNTERS(X)
#undef X
};

static void write_direction(const uint64_t *counts, struct text *ret)
{
    for (size_t i = 0; i < IMPAIR_N_COUNTERS; i++)
        text_printf(ret, "%s\"%s\":%llu", i ? "," : "", keys[i], (unsigned long long)counts[i]);
}

void impair_stats_write(const struct impair_stats *s, mono_us elapsed, struct text *ret)
{
    text_printf(ret, "{\"seconds\":%lld.%03d,\"clients\":%llu,\"rebinds\":%llu",
                (long long)(elapsed / US_PER_S), (int)(elapsed % US_PER_S / US_PER_MS),
                (unsigned long long)s->n_clients, (unsigned long long)s->n_rebinds);
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++) {
        text_printf(ret, ",\"%s\":{", impair_direction_names[i]);
        write_direction(s->counts[i], ret);
        text_printf(ret, "}");
    }
    text_printf(ret, "}");
}
