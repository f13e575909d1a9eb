/*
 * The command line: a row for each option of the program; an option that is no row is one of the
 * line's parameters, for both directions or, with "up-" or "down-" before it, for one.
 */
#include "impair/options.h"

/* How long a mapping lives: RFC 4787 REQ-5 recommends five minutes to a NAT. */
#define DEFAULT_IDLE (300 * US_PER_S)
#define MAX_TIME     (24 * 3600 * US_PER_S)

/* Longer than any argument that is right, short enough to be shown. */
#define MAX_ARGUMENT 200

typedef bool (*option_fn)(struct impair_options *o, struct str value, struct text *why);

static bool add_addr(struct addr *list, unsigned *n, struct str value, struct text *why)
{
    struct addr addr;
    if (!addr_parse(value, &addr)) {
        text_printf(why, "\"%.*s\" is not IP:PORT, like 127.0.0.1:5000 or [::1]:5000",
                    STR_FMT(value));
        return false;
    }
    if (*n >= IMPAIR_MAX_LISTENERS) {
        text_printf(why, "more than %d of them", IMPAIR_MAX_LISTENERS);
        return false;
    }
    list[(*n)++] = addr;
    return true;
}

static bool set_listen(struct impair_options *o, struct str value, struct text *why)
{
    if (!add_addr(o->listen, &o->n_listen, value, why))
        return false;
    /* A client drops an answer from another address than it asked. */
    if (addr_is_any(&o->listen[o->n_listen - 1])) {
        text_printf(why, "\"%.*s\" is every address; name the one that clients are to use",
                    STR_FMT(value));
        return false;
    }
    return true;
}

static bool set_server(struct impair_options *o, struct str value, struct text *why)
{
    if (!add_addr(o->server, &o->n_server, value, why))
        return false;
    if (!addr_is_unicast(&o->server[o->n_server - 1])) {
        text_printf(why, "\"%.*s\" is not an address and port to send to", STR_FMT(value));
        return false;
    }
    return true;
}

static bool set_seed(struct impair_options *o, struct str value, struct text *why)
{
    if (str_to_u64(value, UINT64_MAX, &o->seed))
        return true;
    text_printf(why, "\"%.*s\" is not a whole number", STR_FMT(value));
    return false;
}

static bool parse_time(struct str value, mono_us min, mono_us *ret, struct text *why)
{
    int64_t time;
    if (impair_value_parse(value, IMPAIR_UNIT_TIME, &time) && time >= min && time <= MAX_TIME) {
        *ret = time;
        return true;
    }
    text_printf(why, "\"%.*s\" is not a time from ", STR_FMT(value));
    impair_value_write(min, IMPAIR_UNIT_TIME, why);
    text_printf(why, " to a day, like 500ms or 30s");
    return false;
}

static bool set_idle(struct impair_options *o, struct str value, struct text *why)
{
    return parse_time(value, US_PER_S, &o->idle, why);
}

static bool set_duration(struct impair_options *o, struct str value, struct text *why)
{
    return parse_time(value, US_PER_MS, &o->duration, why);
}

static bool add_schedule(struct impair_options *o, struct str value, struct text *why)
{
    if (o->n_schedule >= IMPAIR_MAX_SCHEDULE) {
        text_printf(why, "more than %d of them", IMPAIR_MAX_SCHEDULE);
        return false;
    }
    struct impair_scheduled *s = &o->schedule[o->n_schedule++];
    return parse_time(str_take_word(&value), 0, &s->after, why) &&
           impair_command_parse(value, &s->command, why);
}

static const struct option_row {
    const char *name;
    option_fn set;
    const char *value;
    const char *help;
} rows[] = {
    {"listen", set_listen, "IP:PORT", "where clients send to; may be given many times"},
    {"server", set_server, "IP:PORT", "the server; one for all, or one for each --listen"},
    {"seed", set_seed, "NUMBER", "the same seed, the same luck for the n-th client (1)"},
    {"at", add_schedule, "'TIME COMMAND'", "run a command later; may be given many times"},
    {"duration", set_duration, "TIME", "end by itself"},
    {"idle", set_idle, "TIME", "forget a client that is silent for so long (300s)"},
};

static const struct option_row *find_row(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_eq(name, str_of(rows[i].name)))
            return &rows[i];
    }
    return NULL;
}

/* "loss", "up-loss", "down-loss". @return false = no such parameter */
static bool find_param(struct str name, bool *directions, enum impair_param *ret)
{
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++) {
        struct str rest = name;
        struct str first = str_take_until(&rest, '-');
        directions[i] = str_eq(first, str_of(impair_direction_names[i]));
        if (directions[i])
            return impair_param_find(rest, ret);
    }
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++)
        directions[i] = true;
    return impair_param_find(name, ret);
}

static bool set_param(struct impair_options *o, struct str name, struct str value, struct text *why)
{
    bool directions[IMPAIR_N_DIRECTIONS] = {false};
    enum impair_param param;
    int64_t number;
    if (!find_param(name, directions, &param)) {
        text_printf(why, "there is no such option; --help lists them");
        return false;
    }
    if (!impair_param_parse(param, value, &number, why))
        return false;
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++) {
        if (directions[i])
            o->conditions[i].values[param] = number;
    }
    return true;
}

/* What only the whole command line can tell. */
static bool complete(struct impair_options *o, struct text *why)
{
    if (o->n_listen == 0) {
        text_printf(why, "--listen is missing: where are clients to send to?");
        return false;
    }
    if (o->n_server == 0) {
        text_printf(why, "--server is missing: where is it to be sent on?");
        return false;
    }
    if (o->n_server == 1) {
        while (o->n_server < o->n_listen)
            o->server[o->n_server++] = o->server[0];
    }
    if (o->n_server != o->n_listen) {
        text_printf(why, "%u --listen and %u --server: give one server for all, or one for each",
                    o->n_listen, o->n_server);
        return false;
    }
    return true;
}

enum impair_options_result impair_options_parse(int argc, const char *const *argv,
                                                struct impair_options *ret, struct text *why)
{
    *ret = (struct impair_options){.seed = 1, .idle = DEFAULT_IDLE};
    for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++)
        impair_conditions_init(&ret->conditions[i]);

    for (int i = 1; i < argc; i++) {
        struct str value = str_of(argv[i]);
        if (str_eq(value, STR("--help")))
            return IMPAIR_OPTIONS_HELP;
        if (value.len > MAX_ARGUMENT || (i + 1 < argc && strlen(argv[i + 1]) > MAX_ARGUMENT)) {
            text_printf(why, "an argument is longer than %d characters", MAX_ARGUMENT);
            return IMPAIR_OPTIONS_REFUSED;
        }
        if (!str_starts_with(value, STR("--"))) {
            text_printf(why, "\"%s\" is not an option", argv[i]);
            return IMPAIR_OPTIONS_REFUSED;
        }
        value = str_tail(value, 2);
        bool has_value = memchr(value.p, '=', value.len) != NULL;
        struct str name = str_take_until(&value, '=');
        text_printf(why, "--%.*s: ", STR_FMT(name));
        if (!has_value && i + 1 >= argc) {
            text_printf(why, "its value is missing");
            return IMPAIR_OPTIONS_REFUSED;
        }
        if (!has_value)
            value = str_of(argv[++i]);
        const struct option_row *row = find_row(name);
        if (!(row ? row->set(ret, value, why) : set_param(ret, name, value, why)))
            return IMPAIR_OPTIONS_REFUSED;
        text_init(why, why->buf, why->cap);
    }
    return complete(ret, why) ? IMPAIR_OPTIONS_OK : IMPAIR_OPTIONS_REFUSED;
}

static const char *unit_word(enum impair_unit unit)
{
    switch (unit) {
    case IMPAIR_UNIT_SHARE:
        return "PERCENT";
    case IMPAIR_UNIT_TIME:
        return "MS";
    case IMPAIR_UNIT_RATE:
        return "KBIT";
    case IMPAIR_UNIT_SWITCH:
        return "on|off";
    }
    return "";
}

static void help_row(struct text *ret, const char *name, const char *value, const char *help)
{
    char left[40];
    struct text t;
    text_init(&t, left, sizeof(left));
    text_printf(&t, "--%s %s", name, value);
    text_printf(ret, "  %-24s %s", left, help);
}

void impair_options_help(struct text *ret)
{
    text_printf(ret, "duet-impair: a bad line between UDP clients and a server\n\n"
                     "usage: duet-impair --listen IP:PORT --server IP:PORT [OPTION VALUE]...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        help_row(ret, rows[i].name, rows[i].value, rows[i].help);
        text_printf(ret, "\n");
    }
    text_printf(ret, "\nThe line, for both directions; --up-... is client to server alone,\n"
                     "--down-... server to client:\n\n");
    for (size_t i = 0; i < IMPAIR_N_PARAMS; i++) {
        const struct impair_param_row *row = &impair_param_rows[i];
        help_row(ret, row->name, unit_word(row->unit), row->help);
        text_printf(ret, " (");
        impair_value_write(row->initial, row->unit, ret);
        text_printf(ret, ")\n");
    }
    text_printf(ret,
                "\nEach client has a line of its own, and an address of its own towards the\n"
                "server. When everything listens, one line is printed: ready listen=IP:PORT,...\n"
                "\nCommands, one a line on standard input, each answered by a line \"ok\" or\n"
                "\"error: ...\"; also for --at:\n\n"
                "  [up|down] PARAMETER VALUE  change the line: loss 10, up delay 50ms\n"
                "  [up|down] blackout TIME    lose everything from now on, for so long\n"
                "  [up|down] clear            a perfect line again\n"
                "  rebind [IP]                every client gets a new address towards the\n"
                "                             server, and its old one is heard no more\n"
                "  stats                      the counters, as one line of JSON\n"
                "  quit                       end, as SIGINT and SIGTERM do: the counters are\n"
                "                             printed last\n");
}
