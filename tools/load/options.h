/**
 * What was asked for on the command line.
 */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct options {
    const char *url;
    const char *driver;
    const char *local_ip; /**< empty = found out */
    const char *json;     /**< file; empty = none */
    double calls;
    double rate; /**< calls a second */
    double hold_s;
    double rounds;
    double churn; /**< calls a second; 0 = rounds */
    double duration_s;
    double server_pid; /**< 0 = unknown */
    bool no_media, quiet, insecure, demo, help;
};

/** @return false: the mistake was told on standard error */
MUST_CHECK bool options_parse(struct options *ret, int argc, char **argv);

/** To standard output. */
void options_print_help(void);

#endif
