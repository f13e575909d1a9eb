/* The log: see the header. A line is put together on the stack and written at once. */
#include "log/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/utf8.h"

static const char *const subsystem_names[] = {
#define LOG_NAME(symbol, name) [LOG_##symbol] = (name),
    LOG_SUBSYSTEMS(LOG_NAME)
#undef LOG_NAME
};

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static atomic_int least = LOG_LEVEL_INFO;
static atomic_int out = STDERR_FILENO;
static _Thread_local struct log_context context;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&least, (int)level, memory_order_relaxed);
}

bool log_is_on(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&least, memory_order_relaxed);
}

void log_set_fd(int fd)
{
    atomic_store_explicit(&out, fd, memory_order_relaxed);
}

struct log_context log_context_enter(uint64_t call, const char *leg)
{
    struct log_context before = context;
    context = (struct log_context){call, leg};
    return before;
}

void log_context_restore(const struct log_context *before)
{
    context = *before;
}

static void put_prefix(struct text *t, enum log_subsystem subsystem, enum log_level level)
{
    struct timespec now;
    struct tm utc;
    char date[32];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &utc) ||
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        date[0] = 0;
    text_printf(t, "%s.%03ldZ %-7s %s ", date, now.tv_nsec / 1000000, level_names[level],
                subsystem_names[subsystem]);
    if (context.call)
        text_printf(t, "call=%016llx ", (unsigned long long)context.call);
    if (context.leg)
        text_printf(t, "leg=%s ", context.leg);
}

/* C0, DEL and C1: a terminal obeys U+009B like ESC [. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Control characters from outside must not begin a new line or talk to a terminal, and what is
 * not UTF-8 must not upset whoever reads the log. */
static bool put_escaped(struct text *t, struct str message)
{
    while (message.len > 0) {
        struct str before = message;
        uint32_t c;
        if (t->cap - t->len < sizeof("\\x00\\x00") + sizeof("…\n"))
            return false;
        if (!utf8_take(&message, &c)) {
            text_printf(t, "\\x%02x", (unsigned char)*message.p);
            message = str_tail(message, 1);
        } else if (is_control(c)) {
            text_printf(t, "\\x%02x", (unsigned)c);
        } else {
            text_put(t, str_head(before, before.len - message.len));
        }
    }
    return true;
}

void log_write(enum log_subsystem subsystem, enum log_level level, const char *format, ...)
{
    char message[LOG_LINE_MAX], line[LOG_LINE_MAX];
    struct text t;
    va_list args;
    int saved_errno = errno; /* so that a line between a call and its check changes nothing */

    if (!log_is_on(level))
        return;
    va_start(args, format);
    int n = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (n < 0)
        return;
    text_init(&t, line, sizeof(line));
    put_prefix(&t, subsystem, level);
    bool is_whole = put_escaped(&t, str_of(message)) && (size_t)n < sizeof(message);
    text_put(&t, is_whole ? STR("\n") : STR("…\n"));
    ssize_t written = write(atomic_load_explicit(&out, memory_order_relaxed), t.buf, t.len);
    (void)written; /* nobody is left to be told */
    errno = saved_errno;
}
