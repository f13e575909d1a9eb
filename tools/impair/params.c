/*
 * Values are whole numbers of a small unit (millionths, µs, bit/s), read from decimals without the
 * C library's locale, so that nothing is rounded on its way from the command line to a decision.
 */
#include "impair/params.h"

const struct impair_param_row impair_param_rows[IMPAIR_N_PARAMS] = {
#define X(name, text, unit, min, max, initial, help)                                               \
    [IMPAIR_##name] = {text, IMPAIR_UNIT_##unit, min, max, initial, help},
    IMPAIR_PARAMS(X)
#undef X
};

/* How many kept units one written unit is. The first of a kind is what a bare number means, and
 * what a value is printed in. */
static const struct suffix {
    enum impair_unit unit;
    struct str text;
    int64_t scale;
} suffixes[] = {
    {IMPAIR_UNIT_SHARE, {"%", 1}, IMPAIR_SHARE_ONE / 100},
    {IMPAIR_UNIT_TIME, {"ms", 2}, US_PER_MS},
    {IMPAIR_UNIT_TIME, {"s", 1}, US_PER_S},
    {IMPAIR_UNIT_TIME, {"us", 2}, 1},
    {IMPAIR_UNIT_RATE, {"kbit", 4}, 1000},
    {IMPAIR_UNIT_RATE, {"mbit", 4}, 1000000},
};

/* A switch has words instead. */
static const struct str switch_words[] = {{"off", 3}, {"on", 2}};

/* Far above every range, and far from overflow when scaled. */
#define MAX_WHOLE 1000000000

void impair_conditions_init(struct impair_conditions *c)
{
    *c = (struct impair_conditions){.blackout_until = 0};
    for (size_t i = 0; i < IMPAIR_N_PARAMS; i++)
        c->values[i] = impair_param_rows[i].initial;
}

bool impair_param_find(struct str name, enum impair_param *ret)
{
    for (size_t i = 0; i < IMPAIR_N_PARAMS; i++) {
        if (str_eq(name, str_of(impair_param_rows[i].name))) {
            *ret = (enum impair_param)i;
            return true;
        }
    }
    return false;
}

static const struct suffix *find_suffix(enum impair_unit unit, struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (suffixes[i].unit == unit && (text.len == 0 || str_eq(text, suffixes[i].text)))
            return &suffixes[i];
    }
    return NULL;
}

static struct str take_digits(struct str *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    struct str digits = str_head(*rest, n);
    *rest = str_tail(*rest, n);
    return digits;
}

/* Digits behind the point, times the scale; false when something is left below the kept unit. */
static bool add_fraction(struct str digits, int64_t scale, int64_t *value)
{
    for (size_t i = 0; i < digits.len; i++) {
        int64_t digit = digits.p[i] - '0';
        if (digit != 0 && scale < 10)
            return false;
        scale /= 10;
        *value += digit * scale;
    }
    return true;
}

static bool parse_switch(struct str text, int64_t *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(switch_words); i++) {
        if (str_eq(text, switch_words[i])) {
            *ret = (int64_t)i;
            return true;
        }
    }
    return false;
}

bool impair_value_parse(struct str text, enum impair_unit unit, int64_t *ret)
{
    if (unit == IMPAIR_UNIT_SWITCH)
        return parse_switch(text, ret);

    uint64_t whole;
    if (!str_to_u64(take_digits(&text), MAX_WHOLE, &whole))
        return false;
    struct str fraction = {0};
    if (str_starts_with(text, STR("."))) {
        text = str_tail(text, 1);
        fraction = take_digits(&text);
        if (fraction.len == 0)
            return false;
    }
    const struct suffix *suffix = find_suffix(unit, text);
    if (!suffix)
        return false;
    int64_t value = (int64_t)whole * suffix->scale;
    if (!add_fraction(fraction, suffix->scale, &value))
        return false;
    *ret = value;
    return true;
}

void impair_value_write(int64_t value, enum impair_unit unit, struct text *ret)
{
    if (unit == IMPAIR_UNIT_SWITCH) {
        text_put(ret, switch_words[value != 0]);
        return;
    }
    const struct suffix *suffix = find_suffix(unit, (struct str){0});
    text_printf(ret, "%lld", (long long)(value / suffix->scale));
    int64_t rest = value % suffix->scale;
    if (rest)
        text_printf(ret, ".");
    for (int64_t place = suffix->scale / 10; rest; place /= 10) { /* scales are powers of ten */
        text_printf(ret, "%d", (int)(rest / place));
        rest %= place;
    }
    text_printf(ret, " %.*s", STR_FMT(suffix->text));
}

bool impair_param_parse(enum impair_param param, struct str text, int64_t *ret, struct text *why)
{
    const struct impair_param_row *row = &impair_param_rows[param];
    int64_t value;
    if (impair_value_parse(text, row->unit, &value) && value >= row->min && value <= row->max) {
        *ret = value;
        return true;
    }
    text_printf(why, "\"%.*s\" is not ", STR_FMT(text));
    if (row->unit == IMPAIR_UNIT_SWITCH) {
        text_printf(why, "on or off");
        return false;
    }
    impair_value_write(row->min, row->unit, why);
    text_printf(why, " to ");
    impair_value_write(row->max, row->unit, why);
    return false;
}
