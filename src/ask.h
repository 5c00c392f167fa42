/* Asking a cache for what will be needed next. */
#ifndef FOVEA_SRC_ASK_H
#define FOVEA_SRC_ASK_H

#include <stdint.h>

/* Asks the second-level cache for bytes [begin, end) behind `row`, which may lie outside of any tensor: nothing is
 * read. gcc takes a function that does nothing else for one without effects, and removes its calls; the empty statement
 * is an effect. */
static inline void fv_ask(const void *row, int64_t begin, int64_t end) {
    enum { LINE = 64 };
    for (int64_t at = begin; at < end; at += LINE)
        __builtin_prefetch((const char *)row + at, 0, 2);
    __asm__ volatile("");
}

#endif
