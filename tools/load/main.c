/* duet-load: plays both users of many calls against a running server. See docs/howto/load-test.md.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "load/report.h"

/** What a call takes besides its hold: set-up, silence, the end [s]. */
#define SPARE_S 2

static volatile bool stop;

static void on_signal(int signo)
{
    (void)signo;
    stop = true;
}

static int load(const struct options *options)
{
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return 1;
    int status = run_init(run, options);
    if (!status) {
        run_all(run, &stop);
        report_print(run);
        status = stats_is_good(&run->stats) && !stop ? 0 : 1;
        if (options->json[0] && !report_write_json(run, options->json))
            status = 1;
    }
    run_deinit(run);
    mem_free(run);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!options_parse(&options, argc, argv))
        return 2;
    if (options.help) {
        options_print_help();
        return 0;
    }
    if (options.demo)
        options.calls = options.rounds = 1;
    if (options.churn > 0 && options.calls < 2)
        options.calls = ceil(options.churn * (options.hold_s + SPARE_S)) + 1;
    const struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* TLS writes without MSG_NOSIGNAL */
    return load(&options);
}
