/* fuzz: duet_engine */
/* A stream cut into reads of any size: the frames that come out are those that a naive parser of
 * the whole stream sees; what comes out, framed again, is read back the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct stream {
    const uint8_t *p;
    size_t len, at; /* of the naive parser */
};

/* @return as framing_in_next */
static int naive_next(struct stream *s, const uint8_t **ret, size_t *ret_len)
{
    while (s->len - s->at >= 2) {
        size_t len = (size_t)s->p[s->at] << 8 | s->p[s->at + 1];
        if (len > DGRAM_MAX)
            return FRAMING_E_TOO_LONG;
        if (s->len - s->at - 2 < len)
            return FRAMING_E_MORE;
        *ret = s->p + s->at + 2;
        *ret_len = len;
        s->at += 2 + len;
        if (len)
            return 0;
    }
    return FRAMING_E_MORE;
}

static void check_round_trip(struct framing_out *out, const uint8_t *frame, size_t len,
                             size_t write_len)
{
    static struct framing_in in;
    uint8_t copy[DGRAM_MAX];
    size_t copy_len, room, n;
    memset(&in, 0, sizeof(in));
    if (!framing_out_put(out, frame, len, 0))
        abort();
    for (;;) {
        const uint8_t *p = framing_out_peek(out, &n);
        if (n == 0)
            break;
        n = n < write_len ? n : write_len;
        uint8_t *to = framing_in_room(&in, &room);
        n = n < room ? n : room;
        memcpy(to, p, n);
        framing_in_added(&in, n);
        framing_out_sent(out, n);
    }
    if (framing_in_next(&in, copy, &copy_len) || copy_len != len || memcmp(copy, frame, len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct framing_in in;
    static struct framing_out out;
    if (size < 1)
        return 0;
    size_t step = 1u + data[0] * 8u;
    struct stream stream = {.p = data + 1, .len = size - 1};
    memset(&in, 0, sizeof(in));
    memset(&out, 0, sizeof(out));
    for (size_t at = 1; at < size;) {
        size_t room, len, expected_len = 0;
        const uint8_t *expected = NULL;
        uint8_t frame[DGRAM_MAX];
        uint8_t *to = framing_in_room(&in, &room);
        size_t n = size - at < step ? size - at : step;
        n = n < room ? n : room;
        if (n == 0)
            abort(); /* a reader that never gets further */
        memcpy(to, data + at, n);
        framing_in_added(&in, n);
        at += n;
        stream.len = at - 1;
        for (;;) {
            int r = framing_in_next(&in, frame, &len);
            if (r != naive_next(&stream, &expected, &expected_len))
                abort();
            if (r == FRAMING_E_TOO_LONG)
                return 0;
            if (r)
                break;
            if (len != expected_len || memcmp(frame, expected, len) != 0)
                abort();
            check_round_trip(&out, frame, len, step);
        }
    }
    return 0;
}
