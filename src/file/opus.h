/**
 * What is to be known of Opus in files: how long a packet lasts, and what stands there for a packet
 * that never came. Nothing is decoded.
 */
#ifndef FILE_OPUS_H
#define FILE_OPUS_H

#include <stddef.h>
#include <stdint.h>

/** RFC 7587 §4.1: the RTP clock of Opus [Hz], whatever it was sampled with; and that of files. */
#define FILE_OPUS_RATE 48000

/** RFC 6716 §3.2.5, R5: "the audio duration contained within a packet MUST NOT exceed 120 ms". */
#define FILE_OPUS_MAX_DURATION 5760

/** The shortest frame, 2.5 ms: what a gap is filled up to [ticks of FILE_OPUS_RATE]. */
#define FILE_OPUS_GRAIN 120

/**
 * What a decoder gives first belongs to before the first packet [ticks]: RFC 7845 §4.2, pre-skip.
 * Which encoder it was nobody says; libopus looks ahead by 6.5 ms, and every browser has that.
 */
#define FILE_OPUS_PRE_SKIP 312

/** RFC 7845 §5.1, family 0. */
#define FILE_OPUS_HEAD_LEN 19

/**
 * How long a packet lasts, by its first bytes (RFC 6716 §3.1); its frames are not looked at.
 *
 * @return ticks of FILE_OPUS_RATE, 120 … FILE_OPUS_MAX_DURATION; 0 = not a packet of Opus
 */
uint32_t file_opus_duration(const uint8_t *data, size_t len);

/**
 * The next packet that fills a gap: one byte, a TOC without a frame, for which a decoder conceals
 * (RFC 7845 §4.1). At most 20 ms long, in the mode of the packet before where that goes.
 *
 * @param before  TOC of the packet before
 * @param gap     still to be filled [ticks of FILE_OPUS_RATE]
 * @param ret     the packet; set when the result is not 0
 *
 * @return its duration [ticks]; 0 = the gap is shorter than FILE_OPUS_GRAIN
 */
uint32_t file_opus_conceal(uint8_t before, uint64_t gap, uint8_t *ret);

/** A packet of silence [ticks, bytes]. */
#define FILE_OPUS_SILENCE     960
#define FILE_OPUS_SILENCE_LEN 3

/** 20 ms of silence, to which a decoder fades. @param before  TOC of the packet before */
void file_opus_silence(uint8_t before, uint8_t ret[FILE_OPUS_SILENCE_LEN]);

/**
 * The identification header (RFC 7845 §5.1); Matroska keeps the same bytes as CodecPrivate.
 *
 * Two channels: a decoder makes two of one, and loses none of two.
 */
void file_opus_head(uint8_t ret[FILE_OPUS_HEAD_LEN]);

#endif
