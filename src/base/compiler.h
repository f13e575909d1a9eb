/**
 * Attributes and idioms shared by the whole tree.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>

/** The result matters: ignoring it on purpose takes a cast to (void) through a variable. */
#define MUST_CHECK __attribute__((warn_unused_result))

/** printf-like function: argument numbers of the format and first value, counted from 1. */
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/** Run func(&variable) when the variable's scope ends. */
#define _cleanup_(func) __attribute__((cleanup(func)))

/** Define x_freep() for _cleanup_(x_freep), from x_free(). */
#define DEFINE_CLEANUP(type, func)                                                                 \
    static inline void func##p(type *p)                                                            \
    {                                                                                              \
        if (*p)                                                                                    \
            func(*p);                                                                              \
    }

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/** The struct of the given type whose member is at ptr. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define CACHE_LINE 64

#endif
