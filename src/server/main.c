/* The program: reads the settings, then serves or prints; or mixes, which has no settings. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mix/command.h"
#include "server/options.h"
#include "server/server.h"

/* Exit status for a wrong command line, environment or file. */
#define EXIT_USAGE 2

int main(int argc, char *argv[])
{
    struct options_request request;
    int status = 0;

    if (argc > 1 && strcmp(argv[1], "mix") == 0)
        return mix_command(argc - 2, argv + 2);
    int err = options_load(argc, (const char *const *)argv, (const char *const *)environ, &request);
    if (err < 0) {
        (void)fprintf(stderr, "duet: %s\n", strerror(-err));
        return 1;
    }
    if (err == OPTIONS_E_REFUSED) {
        (void)fputs(request.text, stderr);
        status = EXIT_USAGE;
    } else if (request.action == OPTIONS_ACTION_PRINT) {
        status = fputs(request.text, stdout) == EOF || fflush(stdout) == EOF;
    } else {
        status = server_run(&request.options);
    }
    options_request_deinit(&request);
    return status;
}
