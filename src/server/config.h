/**
 * Settings being gathered: sources give (key, value) pairs, all that is wrong is kept in a report.
 *
 * The functions that read a source give 0 also when the source was wrong: `report` tells. So one
 * start shows every mistake of file, environment and command line.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "server/config_text.h"
#include "server/options.h"

/** Largest file that is read: every key with its comments takes 6 KiB. */
#define CONFIG_FILE_MAX ((size_t)64 * 1024)

/** Mistakes that are reported; the rest is counted. */
#define CONFIG_MISTAKES_MAX 20

/** Rows of options_table that fit into `given`. */
#define CONFIG_ROWS_MAX 64

struct config {
    struct options *options;     /**< borrowed */
    struct config_text report;   /**< a line for each mistake */
    unsigned n_mistakes;         /**< all of them, also those that `report` left out */
    bool given[CONFIG_ROWS_MAX]; /**< rows that the current source has set */
};

/** Where a value comes from, for the report. */
struct config_place {
    const char *source; /**< the file's name, "environment" or "--set" */
    unsigned line;      /**< 0 = none */
};

void config_init(struct config *c, struct options *options);
void config_deinit(struct config *c);

/** Note one mistake. */
PRINTF_LIKE(3, 4)
void config_mistake(struct config *c, struct config_place place, const char *format, ...);

/** Put every default in. @return 0 or -ENOMEM */
MUST_CHECK int config_set_defaults(struct config *c);

/** A new source begins: each key may be given once in it. */
void config_begin_source(struct config *c);

/** One value of a source. @return 0 or -ENOMEM */
MUST_CHECK int config_set(struct config *c, struct config_place place, struct str key,
                          struct str value);

/**
 * A YAML file: sections are maps, or dots in the key; lists are sequences or have commas.
 * Aliases, anchors, tags, a second document and anything but UTF-8 are refused.
 *
 * @param name of the file, for the report
 * @param text at most CONFIG_FILE_MAX bytes; more is a mistake
 * @return 0 or -ENOMEM
 */
MUST_CHECK int config_read_yaml(struct config *c, const char *name, struct str text);

/** The variables that begin with DUET_. @return 0 or -ENOMEM */
MUST_CHECK int config_read_environment(struct config *c, const char *const *env);

/** One "key=value" of --set; a later one for the same key wins. @return 0 or -ENOMEM */
MUST_CHECK int config_read_set(struct config *c, struct str assignment);

/** Rules between settings, once all sources are read. */
void config_check(struct config *c);

#endif
