/**
 * The command line.
 */
#ifndef IMPAIR_OPTIONS_H
#define IMPAIR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "base/time.h"
#include "impair/command.h"
#include "impair/params.h"

#define IMPAIR_MAX_LISTENERS 64
#define IMPAIR_MAX_SCHEDULE  64

/** A command for later. */
struct impair_scheduled {
    mono_us after; /**< since the start */
    struct impair_command command;
};

struct impair_options {
    struct addr listen[IMPAIR_MAX_LISTENERS]; /**< a port of 0: the system chooses */
    unsigned n_listen;                        /**< at least 1 */
    struct addr server[IMPAIR_MAX_LISTENERS]; /**< [i] is behind listen[i]; filled up when one */
    unsigned n_server;                        /**< as many as n_listen */
    struct impair_conditions conditions[IMPAIR_N_DIRECTIONS];
    struct impair_scheduled schedule[IMPAIR_MAX_SCHEDULE];
    unsigned n_schedule;
    uint64_t seed;
    mono_us idle;     /**< a client that is silent for so long is forgotten */
    mono_us duration; /**< ends by itself; 0 = does not */
};

enum impair_options_result {
    IMPAIR_OPTIONS_OK = 0,
    IMPAIR_OPTIONS_HELP,    /**< print impair_options_help and end with 0 */
    IMPAIR_OPTIONS_REFUSED, /**< `why` names the option and what it wants */
};

/** @param argv  argc strings, the program's name first */
enum impair_options_result impair_options_parse(int argc, const char *const *argv,
                                                struct impair_options *ret, struct text *why);

/** Room that impair_options_help needs. */
#define IMPAIR_HELP_TEXT_MAX 6144

void impair_options_help(struct text *ret);

#endif
