/**
 * Reading and writing wire bytes, big endian, with the bounds kept in one place.
 *
 * A reader or writer that ran out of room stays in error: check once at the end.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

static inline uint64_t get_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof(v));
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof(v));
}

/** Reads from borrowed memory. Past the end every read gives 0 and sets `failed`. */
struct bytes_reader {
    const uint8_t *p; /**< next byte */
    size_t left;      /**< bytes */
    bool failed;      /**< a read went past the end */
};

static inline struct bytes_reader bytes_reader(const void *data, size_t len)
{
    return (struct bytes_reader){.p = data, .left = len};
}

/** Skip n bytes and give a pointer to them; NULL when fewer are left. */
static inline const uint8_t *bytes_skip(struct bytes_reader *r, size_t n)
{
    if (r->failed || r->left < n) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *at = r->p;
    r->p += n;
    r->left -= n;
    return at;
}

static inline uint8_t bytes_get8(struct bytes_reader *r)
{
    const uint8_t *p = bytes_skip(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t bytes_get16(struct bytes_reader *r)
{
    const uint8_t *p = bytes_skip(r, 2);
    return p ? get_be16(p) : 0;
}

static inline uint32_t bytes_get32(struct bytes_reader *r)
{
    const uint8_t *p = bytes_skip(r, 4);
    return p ? get_be32(p) : 0;
}

static inline uint64_t bytes_get64(struct bytes_reader *r)
{
    const uint8_t *p = bytes_skip(r, 8);
    return p ? get_be64(p) : 0;
}

/** Writes into borrowed memory. A write that does not fit writes nothing and sets `failed`. */
struct bytes_writer {
    uint8_t *start; /**< first byte of the buffer */
    size_t len;     /**< bytes written */
    size_t cap;     /**< bytes of room in all */
    bool failed;    /**< a write did not fit */
};

static inline struct bytes_writer bytes_writer(void *buf, size_t cap)
{
    return (struct bytes_writer){.start = buf, .cap = cap};
}

/** Reserve n bytes and give a pointer to them (contents undefined); NULL when they do not fit. */
static inline uint8_t *bytes_reserve(struct bytes_writer *w, size_t n)
{
    if (w->failed || w->cap - w->len < n) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->start + w->len;
    w->len += n;
    return at;
}

static inline void bytes_put8(struct bytes_writer *w, uint8_t v)
{
    uint8_t *p = bytes_reserve(w, 1);
    if (p)
        p[0] = v;
}

static inline void bytes_put16(struct bytes_writer *w, uint16_t v)
{
    uint8_t *p = bytes_reserve(w, 2);
    if (p)
        put_be16(p, v);
}

static inline void bytes_put32(struct bytes_writer *w, uint32_t v)
{
    uint8_t *p = bytes_reserve(w, 4);
    if (p)
        put_be32(p, v);
}

static inline void bytes_put64(struct bytes_writer *w, uint64_t v)
{
    uint8_t *p = bytes_reserve(w, 8);
    if (p)
        put_be64(p, v);
}

static inline void bytes_put(struct bytes_writer *w, const void *data, size_t n)
{
    uint8_t *p = bytes_reserve(w, n);
    if (p && n)
        memcpy(p, data, n);
}

#endif
