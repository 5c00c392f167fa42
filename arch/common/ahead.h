/* Asking for what will be needed next. */
#ifndef FOVEA_ARCH_COMMON_AHEAD_H
#define FOVEA_ARCH_COMMON_AHEAD_H

#include "arch/kernel.h"

enum { LINE_BYTES = 64 };

/* Asks a cache for the `bytes` bytes that lie `distance` behind p. They may lie outside the tensor, which only an
 * address, not a pointer, may do. */
#define FV_ASK(p, distance, bytes, locality)          \
    for (int64_t i = 0; i < (bytes); i += LINE_BYTES) \
    __builtin_prefetch((const void *)((uintptr_t)(p) + (uintptr_t)((distance) + i)), 0, locality)

/* The second-level cache. */
static inline __attribute__((always_inline)) void ask_for(const void *p, int64_t distance, int64_t bytes) {
    FV_ASK(p, distance, bytes, 2);
}

/* The first-level cache. */
static inline __attribute__((always_inline)) void ask_near(const void *p, int64_t distance, int64_t bytes) {
    FV_ASK(p, distance, bytes, 3);
}

/* Packed lanes come back for every tile, but the first-level cache is also the scores' and the keys', and perhaps
 * another thread's: `floats` of them from p + distance on are asked for. Beyond the end of a panel this asks for what
 * lies behind it, in vain. */
static inline __attribute__((always_inline)) void ask_for_lanes(const float *p, int64_t distance, const int floats) {
    const int line = LINE_BYTES / (int)sizeof(float);
#pragma GCC unroll 4
    for (int i = 0; i < floats; i += line)
        __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)(distance + i) * sizeof(float)), 0, 3);
}

static inline void ask_for_rows(fv_rows_ahead *ahead) {
    for (int64_t n = ahead->at_once; n > 0 && ahead->left > 0; n--, ahead->left--) {
        ask_for((const void *)ahead->row, 0, ahead->bytes);
        ahead->row += (uintptr_t)ahead->member_step;
        if (++ahead->member == ahead->group) {
            ahead->member = 0;
            ahead->row += (uintptr_t)(ahead->group_step - ahead->group * ahead->member_step);
        }
    }
}

/* A few rows of each tensor (fv_ahead in arch/kernel.h). A call, beside tiles, would keep constants of theirs in
 * memory. */
static inline void ask_some(fv_ahead *ahead) {
    for (int32_t i = 0; i < ahead->count; i++)
        ask_for_rows(&ahead->rows[i]);
}

/* Goes on to the next row of each piece; at the end it stays. */
static inline __attribute__((always_inline)) void begin_next_row(fv_lines_ahead *ahead) {
    if (ahead->now.left == 0 && ahead->then.left > 0) {
        ahead->now = ahead->then;
        ahead->then.left = 0;
    } else if (ahead->now.left > 0) {
        ahead->now.row += (uintptr_t)ahead->now.step;
    }
    if (ahead->now.left > 0)
        ahead->now.left--;
    ahead->line = ahead->now.row;
    ahead->row_end = ahead->now.row + (uintptr_t)ahead->now.bytes;
}

/* Asks for `lines` lines, a literal at every use; at the end of a round or of the last piece for some that lie behind
 * it. */
static inline __attribute__((always_inline)) void ask_lines(fv_lines_ahead *ahead, const int lines) {
    const uintptr_t piece = (uintptr_t)ahead->now.piece;
#pragma GCC unroll 8
    for (int i = 0; i < lines; i++, ahead->asked += piece)
        __builtin_prefetch((const void *)ahead->asked, 0, 2);
    ahead->turns -= lines;
    if (ahead->turns > 0)
        return;
    ahead->turns = FV_LINE_PIECES;
    ahead->line += LINE_BYTES;
    if (ahead->line >= ahead->row_end)
        begin_next_row(ahead);
    ahead->asked = ahead->line;
}

static inline void ask_ahead(fv_ahead *ahead) {
    if (ahead != NULL)
        ask_some(ahead);
}

#endif
