/* Two plain buffers with a start and an end. What is left moves to the front when the room behind
 * the end gets short, which is rare: most reads bring whole frames, most writes take all. */
#include "engine/framing.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

_Static_assert(FRAMING_IN_BYTES >= 2 * (FRAMING_HEADER_LEN + DGRAM_MAX),
               "a frame and room to read");
_Static_assert(FRAMING_OUT_BYTES <= UINT16_MAX && FRAMING_IN_BYTES <= UINT16_MAX, "16-bit places");

static void move_to_front(uint8_t *bytes, uint16_t *start, uint16_t *end)
{
    memmove(bytes, bytes + *start, (size_t)(*end - *start));
    *end = (uint16_t)(*end - *start);
    *start = 0;
}

uint8_t *framing_in_room(struct framing_in *f, size_t *ret_len)
{
    if (f->start == f->end)
        f->start = f->end = 0;
    else if (f->end > FRAMING_IN_BYTES / 2)
        move_to_front(f->bytes, &f->start, &f->end);
    *ret_len = (size_t)(FRAMING_IN_BYTES - f->end);
    return f->bytes + f->end;
}

void framing_in_added(struct framing_in *f, size_t n)
{
    assert(n <= (size_t)(FRAMING_IN_BYTES - f->end));
    f->end = (uint16_t)(f->end + n);
}

int framing_in_next(struct framing_in *f, uint8_t *data, size_t *ret_len)
{
    while (f->end - f->start >= FRAMING_HEADER_LEN) {
        size_t have = (size_t)(f->end - f->start) - FRAMING_HEADER_LEN;
        size_t len = get_be16(f->bytes + f->start);
        if (len > DGRAM_MAX)
            return FRAMING_E_TOO_LONG;
        if (len > have)
            return FRAMING_E_MORE;
        const uint8_t *frame = f->bytes + f->start + FRAMING_HEADER_LEN;
        f->start = (uint16_t)(f->start + FRAMING_HEADER_LEN + len);
        if (len == 0)
            continue;
        memcpy(data, frame, len);
        *ret_len = len;
        return 0;
    }
    return FRAMING_E_MORE;
}

bool framing_out_put(struct framing_out *f, const uint8_t *data, size_t len, size_t reserve)
{
    assert(len > 0 && len <= DGRAM_MAX);
    size_t used = (size_t)(f->end - f->start), need = FRAMING_HEADER_LEN + len;
    if (used + need + reserve > FRAMING_OUT_BYTES)
        return false;
    if (f->end + need > FRAMING_OUT_BYTES)
        move_to_front(f->bytes, &f->start, &f->end);
    put_be16(f->bytes + f->end, (uint16_t)len);
    memcpy(f->bytes + f->end + FRAMING_HEADER_LEN, data, len);
    f->end = (uint16_t)(f->end + need);
    return true;
}

const uint8_t *framing_out_peek(const struct framing_out *f, size_t *ret_len)
{
    *ret_len = (size_t)(f->end - f->start);
    return f->bytes + f->start;
}

void framing_out_sent(struct framing_out *f, size_t n)
{
    assert(n <= (size_t)(f->end - f->start));
    f->start = (uint16_t)(f->start + n);
    if (f->start == f->end)
        f->start = f->end = 0;
}
