/**
 * Sound of any rate into packets of Opus, 20 ms each. Private to src/play.
 *
 * Rates that Opus has are encoded as they are; others are resampled to the next higher one of it.
 */
#ifndef PLAY_ENCODER_H
#define PLAY_ENCODER_H

#include "play/reader.h"

#define PLAY_ENCODER_RATE_MIN 8000
#define PLAY_ENCODER_RATE_MAX 192000

struct play_encoder;

/**
 * @param rate      of what comes [Hz], PLAY_ENCODER_RATE_MIN … _MAX
 * @param channels  1 or 2
 * @return NULL = out of memory
 */
MUST_CHECK struct play_encoder *play_encoder_new(uint32_t rate, unsigned channels);

/** NULL is legal. */
void play_encoder_free(struct play_encoder *e);

/** What a decoder gives first, before the first sample [ticks]: the first packets' skip. */
uint16_t play_encoder_pre_skip(const struct play_encoder *e);

/**
 * As much as goes into the current packet.
 *
 * @param pcm  interleaved, -1 … 1; what is beyond is cut off
 * @param n    samples of each channel; NULL pcm = so much silence
 * @return samples that were used, fewer than n when the packet is full: take it
 */
MUST_CHECK size_t play_encoder_put(struct play_encoder *e, const float *pcm, size_t n);

/** Is a packet full? */
bool play_encoder_is_full(const struct play_encoder *e);

/**
 * Encode the full packet.
 *
 * @param ret  its data until the next call, len, duration, channels are set
 */
void play_encoder_take(struct play_encoder *e, struct play_packet *ret);

/** Forget the full packet. None was taken before: what follows is for a decoder that begins. */
void play_encoder_drop(struct play_encoder *e);

#endif
