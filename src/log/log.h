/**
 * The log: one line an event on standard error, for whoever is on call at three in the morning.
 *
 *     2026-01-31T12:00:00.123Z info  media call=c12b692bca19380a leg=caller message…
 *
 * Levels by who must act: error = the operator, now; warning = somebody, soon; info = the life of
 * a call; debug = a developer. Messages say what happened and what follows from it. Never keys,
 * passwords or what people say. Control characters are escaped: text from outside cannot forge a
 * line. Any thread; each line is one write(2). Not for the packet path: that has counters.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/** X(symbol, name): one line adds a subsystem. */
#define LOG_SUBSYSTEMS(X)                                                                          \
    X(SERVER, "server")                                                                            \
    X(CONFIG, "config")                                                                            \
    X(NET, "net")                                                                                  \
    X(SIGNAL, "signal")                                                                            \
    X(KURENTO, "kurento")                                                                          \
    X(ENGINE, "engine")                                                                            \
    X(MEDIA, "media")                                                                              \
    X(RECORD, "record")                                                                            \
    X(PLAY, "play")

enum log_subsystem {
#define LOG_ENUM(symbol, name) LOG_##symbol,
    LOG_SUBSYSTEMS(LOG_ENUM)
#undef LOG_ENUM
};

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** Longest line; what is longer is cut and ends with "…". */
#define LOG_LINE_MAX 1024

/** Least important level that is written; info at start. Any thread. */
void log_set_level(enum log_level level);

bool log_is_on(enum log_level level);

/** Where lines go; standard error at start. The descriptor is borrowed. */
void log_set_fd(int fd);

PRINTF_LIKE(3, 4)
void log_write(enum log_subsystem subsystem, enum log_level level, const char *format, ...);

/** log_info(MEDIA, "call %u …", …): the arguments are evaluated only when the level is on. */
#define LOG_AT(subsystem, level, ...)                                                              \
    do {                                                                                           \
        if (log_is_on(level))                                                                      \
            log_write(LOG_##subsystem, level, __VA_ARGS__);                                        \
    } while (0)
#define log_error(subsystem, ...)   LOG_AT(subsystem, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(subsystem, ...) LOG_AT(subsystem, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(subsystem, ...)    LOG_AT(subsystem, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(subsystem, ...)   LOG_AT(subsystem, LOG_LEVEL_DEBUG, __VA_ARGS__)

/** The call and leg that this thread works on; written before each message. */
struct log_context {
    uint64_t call;   /**< 0 = none; written as on the wire: 16 hexadecimal digits */
    const char *leg; /**< static text; NULL = none */
};

/** @return the context before, for log_context_restore */
struct log_context log_context_enter(uint64_t call, const char *leg);
void log_context_restore(const struct log_context *before);

/** For the rest of the enclosing block; blocks nest. */
#define LOG_SCOPE(call, leg)             LOG_SCOPE_NUMBERED(call, leg, __COUNTER__)
#define LOG_SCOPE_NUMBERED(call, leg, n) LOG_SCOPE_NAMED(call, leg, n)
#define LOG_SCOPE_NAMED(call, leg, n)                                                              \
    struct log_context log_scope_##n __attribute__((cleanup(log_context_restore), unused)) =       \
        log_context_enter((call), (leg))

#endif
