/**
 * The identification header of Opus (RFC 7845 §5.1), in Ogg and in Matroska alike. Private to
 * src/play.
 */
#ifndef PLAY_OPUS_HEAD_H
#define PLAY_OPUS_HEAD_H

#include "play/format.h"

/**
 * Read it into file->info: channels, gain_q8, pre_skip.
 *
 * @return 0, or PLAY_READER_E_UNSUPPORTED, PLAY_READER_E_BROKEN with their sentence
 */
MUST_CHECK int play_opus_head_parse(struct play_file *file, const uint8_t *data, size_t len);

#endif
