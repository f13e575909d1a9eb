/**
 * The commands that standard input and `--at` understand, one a line:
 *
 *     [up|down] PARAMETER VALUE     loss 10, up delay 50ms
 *     [up|down] blackout TIME       lose everything from now on, for so long
 *     [up|down] clear               back to a perfect line
 *     rebind [IP]                   every client gets a new address, as the server sees it
 *     stats, quit
 */
#ifndef IMPAIR_COMMAND_H
#define IMPAIR_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/text.h"
#include "impair/params.h"
#include "impair/stats.h"

enum impair_command_type {
    IMPAIR_COMMAND_SET,
    IMPAIR_COMMAND_BLACKOUT,
    IMPAIR_COMMAND_CLEAR,
    IMPAIR_COMMAND_REBIND,
    IMPAIR_COMMAND_STATS,
    IMPAIR_COMMAND_QUIT,
};

/** Longest line, its end not counted. */
#define IMPAIR_COMMAND_MAX 120

/** Longest blackout: an hour. */
#define IMPAIR_MAX_BLACKOUT (3600 * US_PER_S)

struct impair_command {
    enum impair_command_type type;
    bool directions[IMPAIR_N_DIRECTIONS]; /**< which are meant */
    enum impair_param param;              /**< SET */
    int64_t value;                        /**< SET: as kept; BLACKOUT: µs */
    bool has_ip;                          /**< REBIND: to that address, else the kernel chooses */
    struct addr ip;                       /**< port 0 */
};

/**
 * @param why  when it is refused: a sentence; else undefined
 * @return false = refused; *ret is then undefined
 */
bool impair_command_parse(struct str line, struct impair_command *ret, struct text *why);

#endif
