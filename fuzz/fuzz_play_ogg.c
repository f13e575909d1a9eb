/* fuzz: duet_play duet_base */
/* Ogg Opus. The sums of pages are put right first: no fuzzer finds them. */
#include <ogg/ogg.h>

#include "play.h"

#define HEAD 27

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* @return length of the page there, 0 = none */
static size_t mend_page(uint8_t *p, size_t size)
{
    size_t body = 0;
    if (size < HEAD || memcmp(p, "OggS", 4) != 0 || size < HEAD + (size_t)p[HEAD - 1])
        return 0;
    size_t head = HEAD + (size_t)p[HEAD - 1];
    for (size_t i = HEAD; i < head; i++)
        body += p[i];
    if (size - head < body)
        return 0;
    ogg_page page = {p, (long)head, p + head, (long)body};
    ogg_page_checksum_set(&page);
    return head + body;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    play_read_twice(data, size);
    uint8_t *mended = malloc(size ? size : 1);
    if (!mended)
        return 0;
    memcpy(mended, data, size);
    for (size_t at = 0; at < size;) {
        size_t len = mend_page(mended + at, size - at);
        at += len ? len : 1;
    }
    play_read_twice(mended, size);
    free(mended);
    return 0;
}
