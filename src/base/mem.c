/* Heap memory with a failing allocator for tests: see the header. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local unsigned fail_at;
static _Thread_local unsigned count;

static bool must_fail(void)
{
    return ++count == fail_at;
}

void *mem_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size);
}

void *mem_zalloc(size_t size)
{
    return must_fail() ? NULL : calloc(1, size);
}

void *mem_zalloc_aligned(size_t size)
{
    void *p;
    if (must_fail())
        return NULL;
    size = (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
    p = aligned_alloc(CACHE_LINE, size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    return must_fail() ? NULL : realloc(p, size);
}

char *mem_strdup(struct str s)
{
    char *copy = mem_alloc(s.len + 1);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.p, s.len);
    copy[s.len] = 0;
    return copy;
}

void mem_free(void *p)
{
    free(p);
}

void mem_wipe(void *p, size_t len)
{
    explicit_bzero(p, len);
}

void mem_fail_at(unsigned n)
{
    fail_at = n;
    count = 0;
}

unsigned mem_count(void)
{
    return count;
}
