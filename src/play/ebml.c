/* Heads and contents of elements: see the header. */
#include "play/ebml.h"

#include <string.h>

unsigned play_ebml_vint_len(uint8_t first)
{
    return first ? (unsigned)__builtin_clz(first) - 23 : 0;
}

uint64_t play_ebml_number(struct bytes_reader *r, size_t len)
{
    uint64_t v = 0;
    if (len > 8)
        r->failed = true;
    while (len-- && !r->failed)
        v = v << 8 | bytes_get8(r);
    return v;
}

int64_t play_ebml_signed(struct bytes_reader *r, size_t len)
{
    uint64_t v = play_ebml_number(r, len);
    unsigned unused = len && len <= 8 ? (unsigned)(64 - 8 * len) : 0;
    return (int64_t)(v << unused) >> unused;
}

double play_ebml_float(struct bytes_reader *r)
{
    float single;
    double value = 0;
    size_t len = r->left;
    uint64_t bits = play_ebml_number(r, len);
    uint32_t low = (uint32_t)bits;
    if (len == 8) {
        memcpy(&value, &bits, 8);
    } else if (len == 4) {
        memcpy(&single, &low, 4);
        value = (double)single;
    }
    return value;
}

struct str play_ebml_text(const struct bytes_reader *r)
{
    return (struct str){(const char *)r->p, strnlen((const char *)r->p, r->left)};
}

uint64_t play_ebml_vint(struct bytes_reader *r)
{
    unsigned len = r->left ? play_ebml_vint_len(r->p[0]) : 0;
    if (!len)
        r->failed = true;
    return play_ebml_number(r, len) & ((UINT64_C(1) << (7 * len)) - 1);
}

/* "all bits set to one": not known. */
static uint64_t get_size(struct bytes_reader *r)
{
    unsigned len = r->left ? play_ebml_vint_len(r->p[0]) : 0;
    uint64_t size = play_ebml_vint(r);
    return len && size == (UINT64_C(1) << (7 * len)) - 1 ? PLAY_EBML_UNKNOWN : size;
}

bool play_ebml_head(struct bytes_reader *r, struct play_ebml_element *ret)
{
    const uint8_t *start = r->p;
    unsigned id_len = r->left ? play_ebml_vint_len(r->p[0]) : 0;
    if (id_len < 1 || id_len > 4)
        r->failed = true;
    ret->id = (uint32_t)play_ebml_number(r, id_len);
    ret->size = get_size(r);
    ret->head = (size_t)(r->p - start);
    return !r->failed;
}

bool play_ebml_child(struct bytes_reader *in, uint32_t *ret_id, struct bytes_reader *ret)
{
    struct play_ebml_element e;
    if (!in->left || !play_ebml_head(in, &e) || e.size > in->left)
        return false;
    *ret_id = e.id;
    *ret = bytes_reader(bytes_skip(in, (size_t)e.size), (size_t)e.size);
    return true;
}
