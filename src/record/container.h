/**
 * A recording's file, of whatever format: pieces of time in, a playable file out.
 *
 * A gap becomes the last packet once more, then packets that ask for concealment, and silence where
 * nobody was there for a while, so that every decoder, not only one that looks at positions, gives
 * the right length. They come in steps of 2.5 ms; what is over goes into the next gap and at the
 * end is cut off, so nothing stands more than 2.5 ms early, however long it is.
 */
#ifndef RECORD_CONTAINER_H
#define RECORD_CONTAINER_H

#include "file/ogg_opus.h"
#include "file/webm.h"
#include "record/timeline.h"

/**
 * In a longer gap the source is not there: what a decoder makes up goes on as loud as the noise
 * behind the last words, so after a moment silence takes its place. In a silence of DTX a packet
 * comes every 400 ms, and one of them may be lost.
 */
#define RECORD_MAX_CONCEALED (FILE_OPUS_RATE * 1)

/** What is made up of such a gap all the same: the fall of the last sound [ticks]. */
#define RECORD_FADE (FILE_OPUS_RATE / 10)

/**
 * Longest packet that is repeated [bytes]; 200 kbit/s in frames of 20 ms. A packet that only asks
 * for concealment is enough for libopus; FFmpeg's own decoder, by which many will listen, decodes
 * noughts in its place and needs several frames to find back: of 10 % lost a tenth of the sound was
 * quieter by 6 dB and more, with the repetition a fortieth, of libopus' a twentieth and a fortieth.
 */
#define RECORD_MAX_REPEATED 512

enum record_format { RECORD_OGG, RECORD_WEBM };

/** Embedded in its owner. Fields are private. */
struct record_container {
    enum record_format format;
    union {
        struct file_ogg_opus ogg;
        struct file_webm webm;
    };
    uint64_t position; /**< end of what was put into the file [ticks] */
    uint64_t end;      /**< end of the last piece [ticks]; position or less than a grain more */
    uint8_t toc;       /**< of the last packet */
    uint32_t last_duration;
    size_t last_len; /**< 0 = nothing can be repeated */
    uint8_t last[RECORD_MAX_REPEATED];
};

/**
 * Write what stands at the beginning of the file.
 *
 * @param fd      empty, open for writing; borrowed
 * @param serial  another one for each file
 * @param began_us  when it begins, UTC [µs since 1970]; 0 = not told (file/date.h)
 *
 * @return 0, -ENOMEM, or the negative errno of writing; then there is only deinit
 */
MUST_CHECK int record_container_begin(struct record_container *c, enum record_format format, int fd,
                                      uint32_t serial, int64_t began_us);

/** The next piece: it begins where the last one ended. @return as begin */
MUST_CHECK int record_container_put(struct record_container *c, const struct record_piece *piece);

/** Bring into the file what can stand there already. @return as begin */
MUST_CHECK int record_container_flush(struct record_container *c);

/** Make the file whole. @return as begin */
MUST_CHECK int record_container_end(struct record_container *c);

/** Legal after a begin that failed. */
void record_container_deinit(struct record_container *c);

#endif
