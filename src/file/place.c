/*
 * A URI becomes a path by text alone; openat2(2) with RESOLVE_BENEATH then follows it without ever
 * leaving the folder, also when links or folders are exchanged while it looks.
 */
#include "file/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The operator's umask takes away from it. */
#define FILE_MODE 0640

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* @return its length; 0 = malformed, too long, or with a zero byte */
static size_t percent_decode(struct str s, char buf[FILE_PATH_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c == '%') {
            if (s.len - i < 3 || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
                return 0;
            c = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
            i += 2;
        }
        if (c == '\0' || len == FILE_PATH_MAX - 1)
            return 0;
        buf[len++] = c;
    }
    return len;
}

static bool has_scheme(struct str uri)
{
    for (size_t i = 0; i + 2 < uri.len && uri.p[i] != '/'; i++) {
        if (memcmp(uri.p + i, "://", 3) == 0)
            return true;
    }
    return false;
}

/* The path of a URI, as text. @return as file_place_parse */
static int path_of(struct str uri, char *buf, struct str *ret)
{
    if (str_caseeq(str_head(uri, 7), STR("file://"))) {
        struct str path = str_tail(uri, 7);
        if (str_starts_with(path, STR("localhost/")))
            path = str_tail(path, 9);
        *ret = (struct str){buf, percent_decode(path, buf)};
        return str_starts_with(path, STR("/")) && ret->len ? 0 : FILE_E_URI;
    }
    if (has_scheme(uri))
        return FILE_E_SCHEME;
    *ret = uri;
    return 0;
}

static struct str without_slashes(struct str s)
{
    while (str_starts_with(s, STR("/")))
        s = str_tail(s, 1);
    return s;
}

int file_place_parse(struct str uri, struct str folder, char *ret)
{
    char buf[FILE_PATH_MAX];
    struct str path;
    int err = path_of(uri, buf, &path);
    if (err)
        return err;
    while (folder.len && folder.p[folder.len - 1] == '/')
        folder.len--;
    if (str_starts_with(path, STR("/"))) {
        if (!str_starts_with(path, folder) ||
            !str_starts_with(str_tail(path, folder.len), STR("/")))
            return FILE_E_OUTSIDE;
        path = without_slashes(str_tail(path, folder.len));
    }
    if (path.len == 0 || path.p[path.len - 1] == '/' || !str_copy(path, ret, FILE_PATH_MAX))
        return FILE_E_URI;
    return 0;
}

const char *file_place_error_text(int err)
{
    switch (err) {
    case FILE_E_SCHEME:
        return "only file:// URIs can be recorded to";
    case FILE_E_URI:
        return "the URI names no file";
    case FILE_E_OUTSIDE:
    case -EXDEV:
        return "the file is not below recording.dir";
    case -EBUSY:
        return "another recording goes to this file";
    case -ENOTSUP:
        return "it is not an ordinary file";
    default:
        return strerror(-err);
    }
}

static int check_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st))
        return -errno;
    return S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
}

/* Make sure that it is a file and nobody else's, then empty it. */
static int take(int fd)
{
    int err = check_file(fd);
    if (err)
        return err;
    if (flock(fd, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return ftruncate(fd, 0) ? -errno : 0;
}

/* @return descriptor, or a negative errno */
static int open_beneath(int folder_fd, const char *path, uint64_t flags, uint64_t mode)
{
    struct open_how how = {
        /* not to wait for the other end of a FIFO */
        .flags = flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, folder_fd, path, &how, sizeof(how));
    return fd >= 0 ? fd : errno == ENXIO ? -ENOTSUP : -errno;
}

static int close_with(int fd, int err)
{
    if (!err)
        return fd;
    (void)close(fd);
    return err;
}

int file_place_open(int folder_fd, const char *path)
{
    int fd = open_beneath(folder_fd, path, O_WRONLY | O_CREAT, FILE_MODE);
    return fd < 0 ? fd : close_with(fd, take(fd));
}

int file_place_open_to_read(int folder_fd, const char *path)
{
    int fd = open_beneath(folder_fd, path, O_RDONLY, 0);
    return fd < 0 ? fd : close_with(fd, check_file(fd));
}
