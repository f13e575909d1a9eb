/**
 * Heap memory for layers 0-2, with a counter that lets a test fail the n-th allocation.
 * Whoever allocates checks for NULL and gives -ENOMEM to its owner.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

MUST_CHECK void *mem_alloc(size_t size);
MUST_CHECK void *mem_zalloc(size_t size);

/** Zeroed and aligned to a cache line; freed by mem_free like the others. */
MUST_CHECK void *mem_zalloc_aligned(size_t size);

MUST_CHECK void *mem_realloc(void *p, size_t size);

/** Zero-terminated copy; NULL when out of memory. */
MUST_CHECK char *mem_strdup(struct str s);

/** NULL is legal. */
void mem_free(void *p);

/** Overwrite a secret so that the compiler cannot leave it out. */
void mem_wipe(void *p, size_t len);

/**
 * For tests: the n-th allocation from now on (1 = the next) in this thread gives NULL, once.
 * 0 switches it off.
 */
void mem_fail_at(unsigned n);

/** For tests: allocations made by this thread since the last mem_fail_at. */
unsigned mem_count(void);

#endif
