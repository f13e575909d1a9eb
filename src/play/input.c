/* A buffer that moves what is left to its front when there is no room, and grows up to one unit. */
#include "play/input.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "play/reader.h"

void play_input_deinit(struct play_input *in)
{
    mem_free(in->buf);
    *in = (struct play_input){0};
}

static int make_room(struct play_input *in, size_t len)
{
    if (in->start + in->len + len <= in->cap)
        return 0;
    if (in->len)
        memmove(in->buf, in->buf + in->start, in->len);
    in->start = 0;
    if (in->len + len <= in->cap)
        return 0;
    size_t cap = in->len + PLAY_READER_PUSH_MAX;
    uint8_t *bigger = mem_realloc(in->buf, cap);
    if (!bigger)
        return -ENOMEM;
    in->buf = bigger;
    in->cap = cap;
    return 0;
}

int play_input_push(struct play_input *in, const uint8_t *data, size_t len)
{
    assert(len <= PLAY_READER_PUSH_MAX && in->len < PLAY_UNIT_MAX && !in->is_end);
    size_t unwanted = in->gap < len ? (size_t)in->gap : len;
    in->gap -= unwanted;
    in->at += unwanted;
    if (len == unwanted)
        return 0;
    int err = make_room(in, len - unwanted);
    if (err)
        return err;
    memcpy(in->buf + in->start + in->len, data + unwanted, len - unwanted);
    in->len += len - unwanted;
    return 0;
}

void play_input_skip(struct play_input *in, uint64_t n)
{
    size_t here = n < in->len ? (size_t)n : in->len;
    in->start += here;
    in->len -= here;
    in->at += here;
    in->gap += n - here;
}
