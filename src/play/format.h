/**
 * What a format of files is to the reader, and what the reader keeps for it. Private to src/play.
 *
 * A format tells its own time: positions as they stand in the file, from whatever beginning. The
 * reader makes one line of them.
 */
#ifndef PLAY_FORMAT_H
#define PLAY_FORMAT_H

#include "play/input.h"
#include "play/reader.h"

/** Room for the sentence of an error, the zero included. */
#define PLAY_ERROR_MAX 160

/** The file that is read: the reader's, lent to the format. */
struct play_file {
    struct play_input in;
    struct play_info info;
    uint64_t from;  /**< RO: packets that end there or earlier need no data */
    uint32_t slack; /**< a hole that is smaller is inaccuracy of the format's clock [ticks] */
    char error[PLAY_ERROR_MAX];
};

struct play_format_ops {
    /** The file's first bytes, PLAY_MAGIC_LEN of them. */
    bool (*is)(const uint8_t *head);

    /** @return NULL = out of memory */
    void *(*new)(void);

    void (*free)(void *format);

    /**
     * As play_reader_poll. What makes HUNGRY at the end of the file is told by in.is_end.
     * Positions are the file's own; is_first: they have nothing to do with those before.
     */
    int (*poll)(void *format, struct play_file *file, struct play_packet *ret);
};

#define PLAY_MAGIC_LEN 12

extern const struct play_format_ops play_ogg, play_webm, play_wav;

/** Note why. @return result */
PRINTF_LIKE(3, 4) int play_fail(struct play_file *file, int result, const char *format, ...);

#endif
