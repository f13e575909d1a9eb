/**
 * Where the bytes of a media file come from: a file of this machine, or a server. Each kind is a
 * struct that begins with a struct play_source, and a table.
 */
#ifndef PLAY_SOURCE_H
#define PLAY_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

/** Room for the sentence of an error, the zero included. */
#define PLAY_ERROR_MAX 256

/** What is wrong with what shall be played: for who has to tell them apart. */
enum play_trouble {
    PLAY_T_NOT_FOUND = 1, /**< no such file; 404 */
    PLAY_T_NOT_PERMITTED, /**< it leads out of the folder, to a host that is not named; 401, 403 */
    PLAY_T_NOT_MEDIA,     /**< there is something, but nothing that can be played */
    PLAY_T_UNREADABLE,    /**< disk, net or server failed */
    PLAY_T_NO_MEMORY,
};

/** Why a source cannot go on. */
struct play_error {
    enum play_trouble trouble;
    char text[PLAY_ERROR_MAX];
};

struct play_source;

/** Of `read`, besides a number of bytes. */
#define PLAY_SOURCE_WAIT   (-1) /**< nothing has come yet */
#define PLAY_SOURCE_FAILED (-2) /**< play_error says it */

struct play_source_ops {
    /** @return bytes, at most `size`; 0 = that was all; PLAY_SOURCE_… */
    ssize_t (*read)(struct play_source *s, void *buf, size_t size, struct play_error *error);

    void (*close)(struct play_source *s);
};

struct play_source {
    const struct play_source_ops *ops; /**< RO */
};

/** Fill an error; what is not printable ASCII becomes a question mark. @return PLAY_SOURCE_FAILED
 */
PRINTF_LIKE(3, 4)
int play_source_fail(struct play_error *error, enum play_trouble trouble, const char *format, ...);

/** By an errno. @return PLAY_SOURCE_FAILED */
int play_source_fail_errno(struct play_error *error, int negative_errno);

/**
 * A file. May block as long as the disk does.
 *
 * @param folder_fd  nothing outside of it is reached
 * @param path       of file_place_parse
 * @return NULL = *error says why
 */
MUST_CHECK struct play_source *play_file_open(int folder_fd, const char *path,
                                              struct play_error *error);

/** NULL is legal. */
static inline void play_source_close(struct play_source *s)
{
    if (s)
        s->ops->close(s);
}

#endif
