/*
 * A path is checked by what it may contain, not by what it may not: then there is no clever
 * spelling of ".." to be thought of. Folder and program use the same check and the same types.
 */
#include "net/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/server.h"
#include "net/web_files.h"

#define INDEX "index.html"

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"}, /* RFC 9239 */
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".wav", "audio/wav"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
};

static const char *type_of(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].ending, ending) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

static bool is_segment(struct str segment)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-_.~@+";
    if (segment.len == 0 || segment.p[0] == '.')
        return false;
    for (size_t i = 0; i < segment.len; i++) {
        if (!memchr(allowed, segment.p[i], sizeof(allowed) - 1))
            return false;
    }
    return true;
}

/** "/" + segments → ret, with the index of a folder. @return false: not a path we serve */
static bool normalize(struct str path, char ret[NET_PATH_MAX])
{
    if (path.len == 0 || path.p[0] != '/' || path.len + sizeof(INDEX) > NET_PATH_MAX)
        return false;
    bool is_folder = path.p[path.len - 1] == '/';
    struct str rest = {path.p + 1, path.len - 1 - (is_folder && path.len > 1)};
    while (rest.len > 0) {
        bool more = memchr(rest.p, '/', rest.len) != NULL;
        struct str segment = str_take_until(&rest, '/');
        if (!is_segment(segment) || (more && rest.len == 0))
            return false;
    }
    snprintf(ret, NET_PATH_MAX, "%.*s%s", STR_FMT(path), is_folder ? INDEX : "");
    return true;
}

int net_files_init(struct net_files *files, const char *web_root, char *ret_error)
{
    files->root = -1;
    if (!web_root || !web_root[0])
        return 0;
    files->root = open(web_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->root >= 0)
        return 0;
    snprintf(ret_error, NET_ERROR_MAX,
             "http.web_root: cannot open the folder %.300s: %s. Leave the setting out to serve the "
             "page inside the program.",
             web_root, strerror(errno));
    return NET_E_CONFIG;
}

void net_files_deinit(struct net_files *files)
{
    if (files->root >= 0)
        close(files->root);
    files->root = -1;
}

static int open_embedded(const char *path, struct net_file *ret)
{
    for (size_t i = 0; i < net_n_web_files; i++) {
        const struct net_web_file *file = &net_web_files[i];
        if (strcmp(file->path, path) != 0)
            continue;
        *ret = (struct net_file){
            .type = type_of(path), .data = file->data, .fd = -1, .len = file->len};
        snprintf(ret->etag, sizeof(ret->etag), "%s", file->etag);
        return 0;
    }
    return NET_FILES_E_NONE;
}

static int open_in_folder(int root, const char *path, struct net_file *ret)
{
    /* O_NONBLOCK: opening a FIFO must not stop the loop. */
    int fd = openat(root, path + 1, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : NET_FILES_E_NONE;
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return NET_FILES_E_NONE;
    }
    *ret = (struct net_file){.type = type_of(path), .fd = fd, .len = (size_t)st.st_size};
    snprintf(ret->etag, sizeof(ret->etag), "\"%" PRIx64 "-%" PRIx64 ".%lx\"", (uint64_t)st.st_size,
             (uint64_t)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
    return 0;
}

int net_files_open(const struct net_files *files, struct str path, struct net_file *ret)
{
    char normal[NET_PATH_MAX];
    if (!normalize(path, normal))
        return NET_FILES_E_NONE;
    return files->root < 0 ? open_embedded(normal, ret) : open_in_folder(files->root, normal, ret);
}
