/* A file as a source, and the words for what the system says about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/place.h"
#include "play/source.h"

struct file {
    struct play_source source;
    int fd;
};

/* It may quote a file or a server, and goes into JSON. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            *text = '?';
    }
}

int play_source_fail(struct play_error *error, enum play_trouble trouble, const char *format, ...)
{
    va_list args;
    error->trouble = trouble;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    make_printable(error->text);
    return PLAY_SOURCE_FAILED;
}

int play_source_fail_errno(struct play_error *error, int negative_errno)
{
    switch (negative_errno) {
    case -ENOENT:
    case -ENOTDIR:
        return play_source_fail(error, PLAY_T_NOT_FOUND, "there is no such file");
    case -EXDEV:
        return play_source_fail(error, PLAY_T_NOT_PERMITTED, "it leads out of the folder");
    case -EACCES:
    case -EPERM:
        return play_source_fail(error, PLAY_T_NOT_PERMITTED, "the server may not read it");
    case -ENOTSUP:
        return play_source_fail(error, PLAY_T_NOT_MEDIA, "it is not an ordinary file");
    case -ENOMEM:
        return play_source_fail(error, PLAY_T_NO_MEMORY, "out of memory");
    default:
        return play_source_fail(error, PLAY_T_UNREADABLE, "%s", strerror(-negative_errno));
    }
}

static ssize_t read_file(struct play_source *s, void *buf, size_t size, struct play_error *error)
{
    ssize_t n;
    do
        n = read(CONTAINER_OF(s, struct file, source)->fd, buf, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? play_source_fail_errno(error, -errno) : n;
}

static void close_file(struct play_source *s)
{
    struct file *f = CONTAINER_OF(s, struct file, source);
    (void)close(f->fd);
    mem_free(f);
}

static const struct play_source_ops ops = {.read = read_file, .close = close_file};

struct play_source *play_file_open(int folder_fd, const char *path, struct play_error *error)
{
    int fd = file_place_open_to_read(folder_fd, path);
    if (fd < 0) {
        (void)play_source_fail_errno(error, fd);
        return NULL;
    }
    struct file *f = mem_zalloc(sizeof(*f));
    if (!f) {
        (void)close(fd);
        (void)play_source_fail_errno(error, -ENOMEM);
        return NULL;
    }
    *f = (struct file){.source = {&ops}, .fd = fd};
    return &f->source;
}
