/*
 * Until the program sets its own receiver, warnings and errors go to standard error.
 *
 * The library calls "error" what any client can cause by sending nonsense. For an operator that is
 * no error, so its levels are moved down by one.
 */
#include "net/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libwebsockets.h>

#include "net/server.h"

static void to_stderr(int level, const char *line)
{
    if (level <= NET_LOG_WARNING)
        fprintf(stderr, "net: %s\n", line);
}

static void (*receiver)(int level, const char *line) = to_stderr;

void net_set_log(void (*log)(int level, const char *line))
{
    receiver = log ? log : to_stderr;
}

void net_log(enum net_log_level level, const char *format, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    if (n >= 0)
        receiver((int)level, line);
}

static void from_library(int level, const char *line)
{
    enum net_log_level ours = NET_LOG_DEBUG;
    if (level & LLL_ERR)
        ours = NET_LOG_WARNING;
    else if (level & LLL_WARN)
        ours = NET_LOG_INFO;
    net_log(ours, "%.*s", (int)strcspn(line, "\n"), line);
}

void net_log_capture_library(void)
{
    lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, from_library);
}
