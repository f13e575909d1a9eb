/*
 * A file without a name, in the folder where it will have one: whatever ends the process, nothing
 * is left of it. Where the file system has none (NFS), one with a name that nobody else takes, then
 * a rename; and so for a moment, too, where a file is replaced, as a link cannot do that.
 */
#include "mix/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/str.h"

/* As recordings: the operator's umask takes away from it. */
#define FILE_MODE 0640

/* The file of a descriptor, as a path to link from. */
struct self {
    char path[32];
};

static struct self self_of(int fd)
{
    struct self self;
    (void)snprintf(self.path, sizeof(self.path), "/proc/self/fd/%d", fd);
    return self;
}

static int folder_len(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? (int)(slash - name + 1) : 0;
}

/* @return descriptor; -1 = there is no such thing here, or no way to link it later */
static int open_nameless(const char *name)
{
    char folder[PATH_MAX];
    int len = folder_len(name);
    if (!str_copy((struct str){len ? name : ".", len ? (size_t)len : 1}, folder, sizeof(folder)))
        return -1;
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
    if (fd < 0 || access(self_of(fd).path, F_OK) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* A name beside the other one that nobody has. */
static int make_temporary(struct mix_output *o)
{
    struct rng rng;
    rng_init_system(&rng);
    int n = snprintf(o->temporary, sizeof(o->temporary), "%.*s.duet-mix-%016" PRIx64,
                     folder_len(o->name), o->name, rng_u64(&rng));
    if (n > 0 && (size_t)n < sizeof(o->temporary))
        return 0;
    o->temporary[0] = 0;
    return -ENAMETOOLONG;
}

static int open_named(struct mix_output *o)
{
    int err = make_temporary(o);
    if (err)
        return err;
    o->fd = open(o->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);
    if (o->fd >= 0)
        return 0;
    err = -errno;
    o->temporary[0] = 0;
    return err;
}

int mix_output_open(struct mix_output *o, const char *name, bool may_replace)
{
    *o = (struct mix_output){.name = name, .fd = -1, .may_replace = may_replace};
    /* also a link that leads nowhere: it has the name */
    if (!may_replace && faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    o->fd = open_nameless(name);
    return o->fd >= 0 ? 0 : open_named(o);
}

static int link_as(int fd, const char *name)
{
    return linkat(AT_FDCWD, self_of(fd).path, AT_FDCWD, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

static int rename_temporary(const struct mix_output *o)
{
    if (o->may_replace)
        return rename(o->temporary, o->name) ? -errno : 0;
    int err = renameat2(AT_FDCWD, o->temporary, AT_FDCWD, o->name, RENAME_NOREPLACE);
    if (err && errno == EINVAL) /* not on this file system; it was not there when we began */
        err = rename(o->temporary, o->name);
    return err ? -errno : 0;
}

static int give_name(struct mix_output *o)
{
    if (*o->temporary)
        return rename_temporary(o);
    int err = link_as(o->fd, o->name);
    if (err != -EEXIST || !o->may_replace)
        return err;
    err = make_temporary(o);
    if (!err)
        err = link_as(o->fd, o->temporary);
    return err ? err : rename_temporary(o);
}

int mix_output_finish(struct mix_output *o)
{
    int err = fsync(o->fd) ? -errno : give_name(o);
    if (!err)
        o->temporary[0] = 0;
    return err;
}

void mix_output_close(struct mix_output *o)
{
    if (o->fd >= 0)
        (void)close(o->fd);
    if (o->temporary[0])
        (void)unlink(o->temporary);
    o->fd = -1;
    o->temporary[0] = 0;
}
