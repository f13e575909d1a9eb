/* A voice for the tests of recording: a tone through libopus, and what became of it. */
#ifndef TESTS_UNIT_RECORD_TONE_H
#define TESTS_UNIT_RECORD_TONE_H

#include <math.h>
#include <opus/opus.h>
#include <stdint.h>

#include "file/opus.h"

#define TONE_HZ    440
#define TONE_FRAME 960 /* 20 ms */

/* A packet of the tone, or of silence; n counts them. @return its length; 1 or 2 = DTX, not sent */
static inline size_t tone_encode(OpusEncoder *encoder, unsigned n, int is_on, uint8_t *ret,
                                 size_t cap)
{
    int16_t pcm[TONE_FRAME];
    for (unsigned i = 0; i < TONE_FRAME; i++) {
        double at = (double)(n * TONE_FRAME + i) / FILE_OPUS_RATE;
        pcm[i] = is_on ? (int16_t)(8000 * sin(2 * M_PI * TONE_HZ * at)) : 0;
    }
    int len = opus_encode(encoder, pcm, TONE_FRAME, ret, (opus_int32)cap);
    return len < 0 ? 0 : (size_t)len;
}

/* The share of the energy of n stereo samples that is the tone, 0 … 1; silence has none. */
static inline double tone_share(const int16_t *pcm, size_t n)
{
    double re = 0, im = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        double angle = 2 * M_PI * TONE_HZ * (double)i / FILE_OPUS_RATE, x = pcm[2 * i];
        re += x * cos(angle);
        im += x * sin(angle);
        all += x * x;
    }
    return all < (double)n ? 0 : 2 * (re * re + im * im) / ((double)n * all);
}

/* Root of the mean square of n stereo samples. */
static inline double tone_level(const int16_t *pcm, size_t n)
{
    double all = 0;
    for (size_t i = 0; i < n; i++)
        all += (double)pcm[2 * i] * pcm[2 * i];
    return sqrt(all / (double)n);
}

#endif
