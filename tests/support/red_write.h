/**
 * What a client that speaks RED (RFC 2198) sends. The server only reads it: it passes payloads on,
 * or opens them.
 */
#ifndef TESTS_RED_WRITE_H
#define TESTS_RED_WRITE_H

#include <assert.h>

#include "rtp/red.h"

/** Can a redundant block be expressed in the bits that there are? */
static inline bool red_fits(const struct rtp_red_block *b)
{
    return b->offset <= RTP_RED_MAX_OFFSET && b->len <= RTP_RED_MAX_LEN;
}

/**
 * Append a RED payload. What does not fit sets w->failed, and nothing is appended.
 *
 * @param blocks  the primary last (its offset is not looked at); none of them in w's buffer
 * @param n       1 … RTP_RED_MAX_BLOCKS; 1 = primary alone, which costs one byte
 *
 * Redundant blocks that do not satisfy red_fits are left out.
 */
static inline void red_write(struct bytes_writer *w, const struct rtp_red_block *blocks, unsigned n)
{
    assert(n > 0 && n <= RTP_RED_MAX_BLOCKS);
    const struct rtp_red_block *primary = &blocks[n - 1];
    size_t len = 1 + primary->len;
    for (unsigned i = 0; i + 1 < n; i++)
        len += red_fits(&blocks[i]) ? 4 + blocks[i].len : 0;

    uint8_t *whole = bytes_reserve(w, len);
    if (!whole)
        return;
    struct bytes_writer out = bytes_writer(whole, len);
    for (unsigned i = 0; i + 1 < n; i++) {
        if (!red_fits(&blocks[i]))
            continue;
        bytes_put8(&out, 0x80 | blocks[i].pt);
        bytes_put16(&out, (uint16_t)((size_t)blocks[i].offset << 2 | blocks[i].len >> 8));
        bytes_put8(&out, (uint8_t)blocks[i].len);
    }
    bytes_put8(&out, primary->pt & 0x7f);
    for (unsigned i = 0; i < n; i++) {
        if (i + 1 == n || red_fits(&blocks[i]))
            bytes_put(&out, blocks[i].data, blocks[i].len);
    }
}

#endif
