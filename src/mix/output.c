/* A temporary file in the same folder, then a rename: see the header. */
#include "mix/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As recordings: the operator's umask takes away from it. */
#define FILE_MODE 0640

static int folder_len(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? (int)(slash - name + 1) : 0;
}

int mix_output_open(struct mix_output *o, const char *name, bool may_replace)
{
    *o = (struct mix_output){.name = name, .fd = -1, .may_replace = may_replace};
    /* also a link that leads nowhere: it has the name */
    if (!may_replace && faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    int n = snprintf(o->temporary, sizeof(o->temporary), "%.*s.duet-mix-XXXXXX", folder_len(name),
                     name);
    if (n < 0 || (size_t)n >= sizeof(o->temporary)) {
        o->temporary[0] = 0;
        return -ENAMETOOLONG;
    }
    o->fd = mkostemp(o->temporary, O_CLOEXEC);
    if (o->fd >= 0)
        return 0;
    int err = errno;
    o->temporary[0] = 0;
    return -err;
}

/* mkostemp gives it to its owner alone. */
static int give_mode(int fd)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return fchmod(fd, FILE_MODE & ~mask);
}

static int give_name(const struct mix_output *o)
{
    if (o->may_replace)
        return rename(o->temporary, o->name);
    int err = renameat2(AT_FDCWD, o->temporary, AT_FDCWD, o->name, RENAME_NOREPLACE);
    if (err && errno == EINVAL) /* not on this file system; it was not there when we began */
        err = rename(o->temporary, o->name);
    return err;
}

int mix_output_finish(struct mix_output *o)
{
    if (give_mode(o->fd) || fsync(o->fd) || give_name(o))
        return -errno;
    o->temporary[0] = 0;
    return 0;
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
