/**
 * A recording as sound: one of the two people of a call, sample by sample, in time. What was not
 * sent is silence.
 */
#ifndef MIX_LEG_H
#define MIX_LEG_H

#include "play/reader.h"

struct mix_leg;

/**
 * Read a recording up to its first packet.
 *
 * @param fd   open for reading, at its beginning; borrowed
 * @param ret  owned by the caller, also when this failed: mix_leg_error says why
 *
 * @return 0; PLAY_READER_E_UNSUPPORTED, PLAY_READER_E_BROKEN: it cannot be heard; -ENOMEM, when
 *         *ret is NULL; or the negative errno of read(2)
 */
MUST_CHECK int mix_leg_new(int fd, struct mix_leg **ret);

/** NULL is legal. */
void mix_leg_free(struct mix_leg *l);

/** When it began, UTC [µs since 1970]; 0 = not told. */
int64_t mix_leg_began(const struct mix_leg *l);

/** What is wrong with the file; "" = nothing so far. Good until free. */
const char *mix_leg_error(const struct mix_leg *l);

/** It ended without an end: the file was cut off. After its last sample. */
bool mix_leg_is_cut(const struct mix_leg *l);

/**
 * What is heard next.
 *
 * @param ret    both channels of a stereo recording together, 48 kHz, -1 … 1
 * @param n      samples that are wanted
 * @param ret_n  samples that there are; less than n: it is over. A file that is broken from here on
 *               (mix_leg_error) is over, too
 *
 * @return 0, -ENOMEM, or the negative errno of read(2)
 */
MUST_CHECK int mix_leg_read(struct mix_leg *l, float *ret, size_t n, size_t *ret_n);

#endif
