/**
 * Opus in WebM (Matroska, RFC 9559), cluster by cluster. A cluster goes out each second, so a file
 * that was never ended plays up to its last cluster; at a proper end it gets its length, an index,
 * and so can be wound.
 */
#ifndef FILE_WEBM_H
#define FILE_WEBM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct file_webm_cue;

/** Embedded in its owner. Fields are private. */
struct file_webm {
    int fd;                     /**< borrowed */
    uint64_t written;           /**< bytes of the file */
    uint64_t end;               /**< of what was put [ticks] */
    uint64_t cluster_at;        /**< beginning of the open cluster [ms] */
    uint8_t *cluster;           /**< its blocks; owned */
    size_t len, cap;            /**< of it [bytes] */
    struct file_webm_cue *cues; /**< owned */
    size_t n_cues, cap_cues;
};

/**
 * Write all that stands before the first cluster.
 *
 * @param w         zeroed
 * @param began_us  when it begins, UTC [µs since 1970]; 0 = not told (file/date.h)
 *
 * @return 0, -ENOMEM, or of the file; then there is only deinit
 */
MUST_CHECK int file_webm_begin(struct file_webm *w, int fd, int64_t began_us);

/** The next packet; it lasts `duration` ticks of FILE_OPUS_RATE. @return as begin */
MUST_CHECK int file_webm_put(struct file_webm *w, const uint8_t *data, size_t len,
                             uint32_t duration);

/** What can go out goes out. @return as begin */
MUST_CHECK int file_webm_flush(struct file_webm *w);

/** Index and length. @param total  its length as it is heard [ticks] @return as begin */
MUST_CHECK int file_webm_end(struct file_webm *w, uint64_t total);

/** Legal on a zeroed one. */
void file_webm_deinit(struct file_webm *w);

#endif
