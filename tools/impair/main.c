/* duet-impair: reads the command line, says "ready", relays, prints the counters. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "impair/options.h"
#include "impair/relay.h"

/* Exit status for a wrong command line. */
#define EXIT_USAGE 2

static void print_ready(const struct impair_relay *r)
{
    char text[ADDR_TEXT_MAX];
    for (unsigned i = 0; i < r->n_listeners; i++)
        (void)printf("%s%s", i ? "," : "ready listen=", addr_write(&r->listeners[i].bound, text));
    (void)puts("");
    (void)fflush(stdout);
}

static void print_stats(const struct impair_relay *r)
{
    char buf[IMPAIR_STATS_TEXT_MAX];
    struct text text;
    text_init(&text, buf, sizeof(buf));
    impair_relay_stats(r, &text);
    (void)puts(buf);
}

static void prepare_process(void)
{
    /* A reader of ours that is gone is no reason to end, nor is a terminal that belongs to
     * another job: reading commands from it then fails, and there are none. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGTTIN, SIG_IGN);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) { /* a descriptor for each client */
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int serve(const struct impair_options *options)
{
    char buf[256];
    struct text why;
    text_init(&why, buf, sizeof(buf));
    struct impair_relay *r = mem_zalloc(sizeof(*r));
    if (!r) {
        (void)fprintf(stderr, "duet-impair: out of memory\n");
        return 1;
    }
    int err = impair_relay_open(r, options, &why);
    if (!err) {
        print_ready(r);
        err = impair_control_open(r);
        if (!err)
            err = impair_relay_run(r);
        print_stats(r);
    }
    if (err)
        (void)fprintf(stderr, "duet-impair: %s\n", why.len ? buf : strerror(-err));
    impair_relay_close(r);
    mem_free(r);
    return err ? 1 : 0;
}

static int help(void)
{
    char buf[IMPAIR_HELP_TEXT_MAX];
    struct text text;
    text_init(&text, buf, sizeof(buf));
    impair_options_help(&text);
    return fputs(buf, stdout) == EOF || fflush(stdout) == EOF;
}

int main(int argc, char *argv[])
{
    static struct impair_options options;
    char buf[512];
    struct text why;
    text_init(&why, buf, sizeof(buf));
    switch (impair_options_parse(argc, (const char *const *)argv, &options, &why)) {
    case IMPAIR_OPTIONS_HELP:
        return help();
    case IMPAIR_OPTIONS_REFUSED:
        (void)fprintf(stderr, "duet-impair: %s\n", buf);
        return EXIT_USAGE;
    case IMPAIR_OPTIONS_OK:
        break;
    }
    prepare_process();
    return serve(&options);
}
