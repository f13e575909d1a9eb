/*
 * Commands from standard input, their answers on standard output. The end of input is the end of
 * commands, not of the relay: it may run in the background of a script.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "impair/command.h"
#include "impair/relay.h"

static void answer(struct impair_relay *r, struct str line)
{
    char buf[IMPAIR_STATS_TEXT_MAX];
    struct text text;
    struct impair_command command;

    line = str_trim(line);
    if (line.len == 0)
        return;
    text_init(&text, buf, sizeof(buf));
    text_printf(&text, "error: ");
    if (impair_command_parse(line, &command, &text)) {
        text_init(&text, buf, sizeof(buf));
        impair_relay_command(r, &command, &text);
    }
    (void)puts(buf);
    (void)fflush(stdout);
}

/*
 * A line that does not fit is cut to the size that the parser refuses as too long: `line` has room
 * for one character more than a command may have.
 */
static void take(struct impair_relay *r, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            answer(r, (struct str){r->line, r->line_len});
            r->line_len = 0;
        } else if (r->line_len < IMPAIR_COMMAND_MAX + 1) {
            r->line[r->line_len++] = bytes[i];
        }
    }
}

/* @return false = there is no more */
static bool read_some(struct impair_relay *r)
{
    char bytes[512];
    ssize_t n = read(r->commands.fd, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n > 0) {
        take(r, bytes, (size_t)n);
        return true;
    }
    answer(r, (struct str){r->line, r->line_len}); /* a last line without its end */
    r->line_len = 0;
    return false;
}

static void input_ready(struct impair_relay *r, struct impair_source *source)
{
    if (!read_some(r))
        (void)epoll_ctl(r->epoll, EPOLL_CTL_DEL, source->fd, NULL);
}

int impair_control_open(struct impair_relay *r)
{
    r->commands = (struct impair_source){.fd = STDIN_FILENO, .on_ready = input_ready};
    int err = impair_relay_watch(r, &r->commands);
    if (err == -EPERM) { /* a file, or /dev/null: always ready, and short */
        while (!r->must_end && read_some(r))
            ;
        return 0;
    }
    return err == -EBADF ? 0 : err; /* started without a standard input */
}
