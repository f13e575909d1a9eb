/* See the header for the layout. The filler follows from the numbers before it, so that each packet
 * has other bytes; the hash covers it, so it needs no check of its own. */
#include "load/payload.h"

#include "base/bytes.h"

#define FILLER_AT 22
#define HASH_AT   72

_Static_assert(HASH_AT + 8 == PAYLOAD_LEN, "the hash ends the payload");

/* splitmix64 (Vigna): one step. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void payload_write(const struct payload *p, const struct siphash_key *key, uint8_t *buf)
{
    struct bytes_writer w = bytes_writer(buf, PAYLOAD_LEN);
    bytes_put8(&w, PAYLOAD_TOC);
    bytes_put8(&w, p->side);
    bytes_put32(&w, p->call);
    bytes_put32(&w, p->round);
    bytes_put32(&w, p->seq);
    bytes_put64(&w, (uint64_t)p->sent_at);
    uint64_t filler = mix((uint64_t)p->call << 32 | p->seq);
    while (w.len + 8 <= HASH_AT) {
        bytes_put64(&w, filler);
        filler = mix(filler);
    }
    bytes_put16(&w, (uint16_t)filler);
    bytes_put64(&w, siphash13(key, buf, HASH_AT));
}

_Static_assert((HASH_AT - FILLER_AT) % 8 == 2, "the filler is whole words and two bytes");

int payload_read(const uint8_t *data, size_t len, const struct siphash_key *key,
                 struct payload *ret)
{
    if (len != PAYLOAD_LEN)
        return PAYLOAD_E_LENGTH;
    if (get_be64(data + HASH_AT) != siphash13(key, data, HASH_AT))
        return PAYLOAD_E_CHECKSUM;
    *ret = (struct payload){
        .side = data[1],
        .call = get_be32(data + 2),
        .round = get_be32(data + 6),
        .seq = get_be32(data + 10),
        .sent_at = (mono_us)get_be64(data + 14),
    };
    return 0;
}
