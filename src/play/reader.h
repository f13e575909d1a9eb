/**
 * A media file as packets of Opus: bytes in, in any pieces, packets out. Whether it is Ogg, WebM
 * (Matroska) or WAV is told by its first bytes, whatever its name; WAV is encoded in here.
 *
 *     for (;;) {
 *         int r = play_reader_poll(reader, &packet);
 *         if (r == 0)
 *             … the packet
 *         else if (r == PLAY_READER_HUNGRY)
 *             … play_reader_push what comes next, or play_reader_end
 *         else
 *             break;
 *     }
 *
 * Times are ticks of PLAY_RATE. Positions are those of a decoder that gets every packet: they count
 * from the first one on and go on over the parts of a chained file. What of it is to be heard says
 * `skip` and `trim`. Where one packet does not begin at the end of the one before, nothing was sent
 * in between: silence.
 *
 * No file, no thread, no clock. Memory is bounded: 300 KB, whatever the file says.
 */
#ifndef PLAY_READER_H
#define PLAY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** RFC 7587 §4.1: the clock of Opus [Hz], whatever it was sampled with. */
#define PLAY_RATE 48000

/** Most that a push may bring [bytes]. */
#define PLAY_READER_PUSH_MAX 16384

/**
 * RFC 7845 §6: "Demuxers SHOULD treat audio data packets as invalid (treat them as if they were
 * malformed Opus packets with an invalid TOC sequence) if they are larger than 61,440 octets per
 * Opus stream". Larger ones are left out.
 */
#define PLAY_PACKET_MAX 61440

/**
 * A longer pause between two packets [ticks] is no pause but a time that is wrong: what follows
 * begins where the packet before it ended. An hour.
 */
#define PLAY_PAUSE_MAX (UINT64_C(3600) * PLAY_RATE)

enum play_reader_result {
    PLAY_READER_HUNGRY = 1,    /**< push more, or end */
    PLAY_READER_OVER,          /**< nothing comes any more; is_cut says whether it was all */
    PLAY_READER_E_UNSUPPORTED, /**< nothing of it can be played: play_reader_error says why */
    PLAY_READER_E_BROKEN, /**< what came before is good, nothing follows: … says what it is */
};

enum play_format { PLAY_OGG, PLAY_WEBM, PLAY_WAV };

struct play_packet {
    const uint8_t *data; /**< Opus (RFC 6716), until the next call of the reader */
    size_t len;        /**< bytes, 1 … PLAY_PACKET_MAX; a single one is not audio, but its time */
    uint64_t position; /**< of its first sample; never before the end of the one before */
    uint32_t duration; /**< ticks, 120 … 5760: by its TOC */
    uint32_t skip;     /**< so much of its beginning is not to be heard; 0 … duration */
    uint32_t trim;     /**< so much of its end is not; skip + trim <= duration */
    uint8_t channels;  /**< of the stream: 1 or 2 */
    bool is_first;     /**< of the file, or of a part of it: a decoder begins anew */
};

/** What is known so far; all but duration and is_cut when the first packet came. */
struct play_info {
    enum play_format format;
    uint8_t channels;  /**< 1 or 2 */
    int16_t gain_q8;   /**< to be put on what was decoded: dB in 256ths (RFC 7845 §5.1) */
    uint16_t pre_skip; /**< ticks; packets have it as their skip */
    int64_t began_us;  /**< when the recording began, UTC [µs since 1970]; 0 = not told */
    uint64_t duration; /**< to be heard, pauses with it; 0 = not known before it is over */
    bool is_cut;       /**< with OVER: it ended before it said that it does */
};

struct play_reader;

/**
 * @param from  packets that end there or earlier are not given out, and not encoded: the way to
 *              wind forward. 0 = all; UINT64_MAX = none: only to learn how long it is
 * @return NULL = out of memory
 */
MUST_CHECK struct play_reader *play_reader_new(uint64_t from);

/** NULL is legal. */
void play_reader_free(struct play_reader *r);

/**
 * The next bytes of the file, after the last poll gave HUNGRY.
 *
 * @param data  copied
 * @param len   up to PLAY_READER_PUSH_MAX
 * @return 0 or -ENOMEM: only free is left
 */
MUST_CHECK int play_reader_push(struct play_reader *r, const void *data, size_t len);

/** No more bytes come. Poll on: there may be packets left. */
void play_reader_end(struct play_reader *r);

/**
 * The next packet.
 *
 * @return 0                         *ret is set
 *         enum play_reader_result   see there; the last three are final, and come again
 *         -ENOMEM                   only free is left
 *
 * OVER comes only when there was a packet: a file without one is BROKEN.
 */
MUST_CHECK int play_reader_poll(struct play_reader *r, struct play_packet *ret);

/** RO. */
const struct play_info *play_reader_info(const struct play_reader *r);

/** A sentence without a full stop, for who chose the file; "" when nothing is wrong. */
const char *play_reader_error(const struct play_reader *r);

#endif
