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

#include "base/str.h"
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

/* Of connections that we open: ws_client tells its owner why one failed, and the owner says it
 * once, not with each attempt. */
static bool is_of_client(const char *line)
{
    static const char *const beginnings[] = {"SSL error: ", "lws_client_handshake: "};
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
        if (str_starts_with(str_of(line), str_of(beginnings[i])))
            return true;
    return false;
}

static void from_library(int level, const char *line)
{
    enum net_log_level ours = NET_LOG_DEBUG;
    if (is_of_client(line))
        ours = NET_LOG_DEBUG;
    else if (level & LLL_ERR)
        ours = NET_LOG_WARNING;
    else if (level & LLL_WARN)
        ours = NET_LOG_INFO;
    net_log(ours, "%.*s", (int)strcspn(line, "\n"), line);
}

void net_log_capture_library(void)
{
    lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, from_library);
}
