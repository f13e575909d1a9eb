/**
 * What can be wrong with one direction of a line: the table of parameters, and their values.
 *
 * The command line, the commands on standard input, their help and their ranges all come from the
 * one list below. A new parameter is one line here and its effect in line.c.
 */
#ifndef IMPAIR_PARAMS_H
#define IMPAIR_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"
#include "base/text.h"
#include "base/time.h"

/** How a value is written, and what it is kept in. */
enum impair_unit {
    IMPAIR_UNIT_SHARE,  /**< "5", "0.5%"; kept in millionths */
    IMPAIR_UNIT_TIME,   /**< "20", "20ms", "1.5s"; kept in µs */
    IMPAIR_UNIT_RATE,   /**< "64", "64kbit", "1mbit"; kept in bit/s */
    IMPAIR_UNIT_SWITCH, /**< "on", "off"; kept as 1, 0 */
};

#define IMPAIR_SHARE_ONE 1000000 /**< 100 % */

/** No single wait is longer, so that a mistyped unit does not fill the memory. */
#define IMPAIR_MAX_WAIT (10 * US_PER_S)

/* X(name, text, unit, minimum, maximum, default, help) */
#define IMPAIR_PARAMS(X)                                                                           \
    X(LOSS, "loss", SHARE, 0, IMPAIR_SHARE_ONE, 0, "packets lost, each by itself")                 \
    X(BURST_P, "burst-p", SHARE, 0, IMPAIR_SHARE_ONE, 0,                                           \
      "chance that a packet begins a burst of loss (Gilbert-Elliott p)")                           \
    X(BURST_R, "burst-r", SHARE, 100, IMPAIR_SHARE_ONE, IMPAIR_SHARE_ONE,                          \
      "chance that a burst is over at the next packet (r): mean length 1/r")                       \
    X(DELAY, "delay", TIME, 0, IMPAIR_MAX_WAIT, 0, "every packet waits this long")                 \
    X(JITTER, "jitter", TIME, 0, IMPAIR_MAX_WAIT, 0, "and up to this much longer, evenly spread")  \
    X(KEEP_ORDER, "keep-order", SWITCH, 0, 1, 1, "jitter lets no packet overtake another")         \
    X(REORDER, "reorder", SHARE, 0, IMPAIR_SHARE_ONE, 0,                                           \
      "packets held back: others overtake them")                                                   \
    X(REORDER_BY, "reorder-by", TIME, 0, IMPAIR_MAX_WAIT, 30 * US_PER_MS, "for how long")          \
    X(DUPLICATE, "duplicate", SHARE, 0, IMPAIR_SHARE_ONE, 0, "packets that arrive twice")          \
    X(RATE, "rate", RATE, 0, 1000000000, 0, "bandwidth, IP and UDP headers counted; 0 = no limit") \
    X(QUEUE, "queue", TIME, 0, IMPAIR_MAX_WAIT, 200 * US_PER_MS,                                   \
      "longest wait for the bandwidth; what would wait longer is lost")

enum impair_param {
#define X(name, ...) IMPAIR_##name,
    IMPAIR_PARAMS(X)
#undef X
        IMPAIR_N_PARAMS,
};

struct impair_param_row {
    const char *name;
    enum impair_unit unit;
    int64_t min, max, initial; /**< as kept */
    const char *help;
};

extern const struct impair_param_row impair_param_rows[IMPAIR_N_PARAMS];

/** How one direction is at the moment. */
struct impair_conditions {
    int64_t values[IMPAIR_N_PARAMS]; /**< as kept, in the row's range */
    mono_us blackout_until;          /**< everything is lost before that */
};

/** A perfect line. */
void impair_conditions_init(struct impair_conditions *c);

/** @return false = no parameter of that name */
bool impair_param_find(struct str name, enum impair_param *ret);

/**
 * Read a value, its unit optional.
 *
 * @return false when it is not one, or finer than is kept; *ret is then untouched
 */
bool impair_value_parse(struct str text, enum impair_unit unit, int64_t *ret);

/**
 * Read a value of a parameter.
 *
 * @param why  when it is refused: a sentence with the range, without the name
 * @return false = refused
 */
bool impair_param_parse(enum impair_param param, struct str text, int64_t *ret, struct text *why);

/** A value as it would be typed: "5 %", "20 ms", "on". */
void impair_value_write(int64_t value, enum impair_unit unit, struct text *ret);

#endif
