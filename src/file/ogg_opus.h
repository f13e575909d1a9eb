/**
 * Opus in Ogg (RFC 7845), page by page. A page goes out at least each second, so a file that was
 * never ended is whole up to its last page, and plays.
 */
#ifndef FILE_OGG_OPUS_H
#define FILE_OGG_OPUS_H

#include <ogg/ogg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** Embedded in its owner. Fields are private. */
struct file_ogg_opus {
    ogg_stream_state stream;
    int fd;           /**< borrowed */
    uint64_t paged;   /**< position up to which pages went out [ticks] */
    uint64_t end;     /**< of the packet that waits [ticks] */
    uint8_t *waiting; /**< the newest packet: it may be the one that ends the stream; owned */
    size_t len, cap;  /**< of it [bytes] */
    bool has_waiting;
    int64_t n_packets;
};

/**
 * Write the two headers.
 *
 * @param o       zeroed
 * @param serial  of the stream: any number, another one for each file
 * @param began_us  when it begins, UTC [µs since 1970]; 0 = not told (file/date.h)
 *
 * @return 0, -ENOMEM, or of the file; then there is only deinit
 */
MUST_CHECK int file_ogg_opus_begin(struct file_ogg_opus *o, int fd, uint32_t serial,
                                   int64_t began_us);

/** The next packet; it lasts `duration` ticks. @return as begin */
MUST_CHECK int file_ogg_opus_put(struct file_ogg_opus *o, const uint8_t *data, size_t len,
                                 uint32_t duration);

/** What can go out goes out. @return as begin */
MUST_CHECK int file_ogg_opus_flush(struct file_ogg_opus *o);

/**
 * End the stream; at least one packet was put.
 *
 * @param total  its length with the pre-skip [ticks], in the last packet: the rest is cut off
 * @return as begin
 */
MUST_CHECK int file_ogg_opus_end(struct file_ogg_opus *o, uint64_t total);

/** Legal on a zeroed one. */
void file_ogg_opus_deinit(struct file_ogg_opus *o);

#endif
