/* Words to struct: a table of the verbs, and the parameters' own table for the rest. */
#include "impair/command.h"

enum argument { ARGUMENT_NONE, ARGUMENT_TIME, ARGUMENT_MAYBE_IP };

static const struct verb {
    const char *name;
    enum impair_command_type type;
    enum argument argument;
    bool may_have_direction;
} verbs[] = {
    {"blackout", IMPAIR_COMMAND_BLACKOUT, ARGUMENT_TIME, true},
    {"clear", IMPAIR_COMMAND_CLEAR, ARGUMENT_NONE, true},
    {"rebind", IMPAIR_COMMAND_REBIND, ARGUMENT_MAYBE_IP, false},
    {"stats", IMPAIR_COMMAND_STATS, ARGUMENT_NONE, false},
    {"quit", IMPAIR_COMMAND_QUIT, ARGUMENT_NONE, false},
};

static const struct verb *find_verb(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (str_eq(name, str_of(verbs[i].name)))
            return &verbs[i];
    }
    return NULL;
}

/* "up", "down", or neither: both are meant, and the word was not a direction. */
static bool take_direction(struct str *word, struct str *rest, struct impair_command *ret)
{
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++) {
        if (str_eq(*word, str_of(impair_direction_names[i]))) {
            ret->directions[i] = true;
            *word = str_take_word(rest);
            return true;
        }
    }
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++)
        ret->directions[i] = true;
    return false;
}

static bool parse_argument(const struct verb *verb, struct str word, struct impair_command *ret,
                           struct text *why)
{
    switch (verb->argument) {
    case ARGUMENT_NONE:
        if (word.len == 0)
            return true;
        text_printf(why, "%s takes nothing more", verb->name);
        return false;
    case ARGUMENT_TIME:
        if (impair_value_parse(word, IMPAIR_UNIT_TIME, &ret->value) &&
            ret->value <= IMPAIR_MAX_BLACKOUT)
            return true;
        text_printf(why, "%s: \"%.*s\" is not a time of an hour or less, like 2s or 500ms",
                    verb->name, STR_FMT(word));
        return false;
    case ARGUMENT_MAYBE_IP:
        ret->has_ip = word.len > 0;
        if (!ret->has_ip || addr_parse_ip(word, 0, &ret->ip))
            return true;
        text_printf(why, "%s: \"%.*s\" is not an IP address", verb->name, STR_FMT(word));
        return false;
    }
    return false;
}

bool impair_command_parse(struct str line, struct impair_command *ret, struct text *why)
{
    *ret = (struct impair_command){.type = IMPAIR_COMMAND_SET};
    if (line.len > IMPAIR_COMMAND_MAX) {
        text_printf(why, "longer than %d characters", IMPAIR_COMMAND_MAX);
        return false;
    }
    struct str word = str_take_word(&line);
    bool has_direction = take_direction(&word, &line, ret);
    struct str argument = str_take_word(&line);

    if (str_trim(line).len > 0) {
        text_printf(why, "\"%.*s\" is too much", STR_FMT(str_trim(line)));
        return false;
    }
    if (impair_param_find(word, &ret->param)) {
        text_printf(why, "%.*s: ", STR_FMT(word));
        return impair_param_parse(ret->param, argument, &ret->value, why);
    }

    const struct verb *verb = find_verb(word);
    if (!verb) {
        text_printf(why, "there is no command or parameter \"%.*s\"", STR_FMT(word));
        return false;
    }
    if (has_direction && !verb->may_have_direction) {
        text_printf(why, "%s has no direction", verb->name);
        return false;
    }
    ret->type = verb->type;
    return parse_argument(verb, argument, ret, why);
}
