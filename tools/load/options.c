/* One table: parser and help come from it. */
#include "load/options.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, NUMBER, WHOLE, TEXT };

static const struct {
    const char *name;
    enum kind kind;
    size_t offset;
    double min, max, number; /**< default, NUMBER and WHOLE */
    const char *text;        /**< default, TEXT */
    const char *value;       /**< word for the help */
    const char *help;
} table[] = {
#define AT(field) offsetof(struct options, field)
    {"--url", TEXT, AT(url), 0, 0, 0, "ws://127.0.0.1:8080", "URL",
     "the server: ws:// or wss://, the path is the driver's when it is left out"},
    {"--calls", WHOLE, AT(calls), 1, 20000, 1, NULL, "N",
     "calls at the same time; each has two users"},
    {"--rate", NUMBER, AT(rate), 0.1, 10000, 50, NULL, "N", "calls placed a second"},
    {"--hold", NUMBER, AT(hold_s), 0, 86400, 5, NULL, "SECONDS",
     "how long they talk, once all calls are up"},
    {"--rounds", WHOLE, AT(rounds), 1, 100000, 1, NULL, "N",
     "make the calls, hold them and hang up so many times"},
    {"--churn", NUMBER, AT(churn), 0, 10000, 0, NULL, "N",
     "in place of rounds: place N calls a second for --duration, each held for --hold (with as "
     "many pairs of users as that takes, or --calls)"},
    {"--duration", NUMBER, AT(duration_s), 1, 86400, 30, NULL, "SECONDS", "of --churn"},
    {"--no-media", FLAG, AT(no_media), 0, 0, 0, NULL, "",
     "signaling only: no ICE, no audio (the server gives such a call up after its set-up "
     "time-out)"},
    {"--server-pid", WHOLE, AT(server_pid), 0, 4194304, 0, NULL, "PID",
     "read the server's CPU time, memory, threads and descriptors from /proc"},
    {"--json", TEXT, AT(json), 0, 0, 0, "", "FILE", "write the results there too"},
    {"--insecure", FLAG, AT(insecure), 0, 0, 0, NULL, "", "wss: take any certificate"},
    {"--local-ip", TEXT, AT(local_ip), 0, 0, 0, "", "IP",
     "address of the users' candidates (default: the one that reaches the server)"},
    {"--driver", TEXT, AT(driver), 0, 0, 0, "one2one", "NAME",
     "protocol of the server: one2one (Duet), janus (its VideoCall), rtpengine (ng)"},
    {"--demo", FLAG, AT(demo), 0, 0, 0, NULL, "",
     "show one call step by step: alice calls bob and talks for --hold"},
    {"--quiet", FLAG, AT(quiet), 0, 0, 0, NULL, "", "no progress lines"},
    {"--help", FLAG, AT(help), 0, 0, 0, NULL, "", "this text"},
#undef AT
};

static void *field(struct options *o, size_t row)
{
    return (char *)o + table[row].offset;
}

static void set_defaults(struct options *o)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        switch (table[i].kind) {
        case FLAG:
            *(bool *)field(o, i) = false;
            break;
        case NUMBER:
        case WHOLE:
            *(double *)field(o, i) = table[i].number;
            break;
        case TEXT:
            *(const char **)field(o, i) = table[i].text;
            break;
        }
    }
}

static bool set_number(struct options *o, size_t row, const char *value)
{
    char *end;
    errno = 0;
    double n = strtod(value, &end);
    bool is_whole = table[row].kind == WHOLE;
    if (end == value || *end || errno || !(n >= table[row].min && n <= table[row].max) ||
        (is_whole && n != floor(n))) {
        (void)fprintf(stderr, "duet-load: %s %s: a %snumber from %g to %.0f is needed\n",
                      table[row].name, value, is_whole ? "whole " : "", table[row].min,
                      table[row].max);
        return false;
    }
    *(double *)field(o, row) = n;
    return true;
}

/* @return arguments used, 0 = a mistake, which was told */
static int take(struct options *o, int n, char **argv)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        size_t len = strlen(table[i].name);
        if (strncmp(argv[0], table[i].name, len) != 0 || (argv[0][len] && argv[0][len] != '='))
            continue;
        if (table[i].kind == FLAG && !argv[0][len]) {
            *(bool *)field(o, i) = true;
            return 1;
        }
        int used = argv[0][len] ? 1 : 2;
        if (table[i].kind == FLAG || used > n) {
            (void)fprintf(stderr, "duet-load: %s takes %s value\n", table[i].name,
                          table[i].kind == FLAG ? "no" : "a");
            return 0;
        }
        const char *value = argv[0][len] ? argv[0] + len + 1 : argv[1];
        if (table[i].kind != TEXT)
            return set_number(o, i, value) ? used : 0;
        *(const char **)field(o, i) = value;
        return used;
    }
    (void)fprintf(stderr, "duet-load: there is no option %s (see --help)\n", argv[0]);
    return 0;
}

bool options_parse(struct options *ret, int argc, char **argv)
{
    set_defaults(ret);
    for (int i = 1, used; i < argc; i += used) {
        used = take(ret, argc - i, argv + i);
        if (used == 0)
            return false;
    }
    return true;
}

void options_print_help(void)
{
    (void)printf(
        "duet-load: plays both users of many calls against a running server\n\n"
        "    duet-load --url ws://127.0.0.1:8080 --calls 100 --server-pid $(pidof duet)\n\n");
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char name[40], standard[40] = "";
        (void)snprintf(name, sizeof(name), "%s %s", table[i].name, table[i].value);
        if (table[i].kind == NUMBER || table[i].kind == WHOLE)
            (void)snprintf(standard, sizeof(standard), " (%g)", table[i].number);
        else if (table[i].kind == TEXT && table[i].text[0])
            (void)snprintf(standard, sizeof(standard), " (%s)", table[i].text);
        (void)printf("  %-20s %s%s\n", name, table[i].help, standard);
    }
    (void)printf("\nExit status: 0 every call worked and no packet was lost or damaged, 1 not so, "
                 "2 it could not begin.\n");
}
