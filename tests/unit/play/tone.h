/* WAV files for tests: a tone of 440 Hz, 48 kHz, 16 bit, one channel. */
#ifndef TESTS_UNIT_PLAY_TONE_H
#define TESTS_UNIT_PLAY_TONE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TONE_HEAD 44

static inline void tone_put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/** @return the whole file: malloc'd, *ret_len bytes */
static inline uint8_t *tone_wav(unsigned ms, size_t *ret_len)
{
    uint32_t n = ms * 48;
    uint8_t *wav = calloc(1, TONE_HEAD + 2 * (size_t)n);
    memcpy(wav, "RIFF....WAVEfmt ", 16);
    tone_put32(wav + 4, 36 + 2 * n);
    tone_put32(wav + 16, 16);
    tone_put32(wav + 20, 1 | 1 << 16); /* PCM, one channel */
    tone_put32(wav + 24, 48000);
    tone_put32(wav + 28, 96000);
    tone_put32(wav + 32, 2 | 16 << 16);
    memcpy(wav + 36, "data", 4);
    tone_put32(wav + 40, 2 * n);
    for (uint32_t i = 0; i < n; i++) {
        int16_t v = (int16_t)(8000 * sin(2 * M_PI * 440 * i / 48000));
        wav[TONE_HEAD + 2 * i] = (uint8_t)v;
        wav[TONE_HEAD + 2 * i + 1] = (uint8_t)((uint16_t)v >> 8);
    }
    *ret_len = TONE_HEAD + 2 * (size_t)n;
    return wav;
}

static inline void tone_write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f))
        abort();
}

#endif
