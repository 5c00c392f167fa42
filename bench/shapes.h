/* The whole-call shapes that are measured, by name. */
#ifndef FOVEA_BENCH_SHAPES_H
#define FOVEA_BENCH_SHAPES_H

#include <stdint.h>

#include "case.h"
#include "fovea/attention.h"

/* Which exponentials a shape is measured with. */
typedef enum shape_exps { SHAPE_BOTH = 0, SHAPE_SLEEF, SHAPE_FUSED } shape_exps;

/* What is asked beyond plain attention. */
typedef enum shape_feature {
    SHAPE_PLAIN = 0,
    /* A mask that heads share: of single positions at random, or of whole tiles, of which it allows a tenth. */
    SHAPE_MASK,
    SHAPE_TILE_MASK,
    /* A bias of each head, and one that they share. */
    SHAPE_BIAS,
    SHAPE_SHARED_BIAS,
    SHAPE_ALIBI,
    SHAPE_SOFTCAP,
    SHAPE_RISING
} shape_feature;

/* One call. Zero is a default where the comment says so. */
typedef struct bench_shape {
    const char *name;
    bench_limit limit;
    fovea_type type_q;
    fovea_type type_kv;
    /* 0: 1. */
    int32_t batch;
    int32_t heads_q;
    /* 0: heads_q. */
    int32_t heads_kv;
    int32_t len_q;
    int32_t len_kv;
    int32_t dim;
    int32_t causal;
    /* Keys to the left of the diagonal; 0: all. */
    int32_t window;
    /* Heads are interleaved, (batch, len, heads, dim), instead of following one another. */
    int32_t interleaved;
    /* Tokens of a page, the pages lying in random order; 0: no pages. */
    int32_t page_size;
    /* Non-zero: batch sequences of 16 to len_q tokens, packed, len_q being the longest and equal to len_kv. */
    int32_t packed;
    /* Keys that all sequences share, in front of others; the whole lies in memory once. 0: none. */
    int32_t shared;
    /* Non-zero: they are given as a prefix; else as keys of a batch stride of 0. */
    int32_t prefix;
    /* Groups of heads_q heads that the tensors hold; calls take them in turn, so that data comes from memory. 0: 1. */
    int32_t rotation;
    /* Measured a second time, as name/cold, with this rotation. */
    int32_t cold_rotation;
    shape_feature feature;
    fovea_arithmetic arithmetic;
    /* Planned anew in every call. */
    int32_t one_call;
    shape_exps exps;
    /* 0: the command line's. */
    int32_t threads;

    /* BENCH_LIMIT_BASE and SPEEDUP compare with the plain call of the same shape (contiguous heads and pages, no
     * feature, one thread; of a packed shape its longest sequence alone), but for what these name. */
    int32_t base_sleef;
    int32_t base_len_q;
    int32_t base_len_kv;
    int32_t base_type_kv;
    /* Without the window, which counts as the same work: the figure is a ratio of times. */
    int32_t base_unwindowed;
} bench_shape;

/* Tokens of sequence b of a packed shape: from len_q, which the last one has, down by halves to 16 and again. */
static inline int32_t bench_packed_len(const bench_shape *shape, int32_t b) {
    int32_t len = shape->len_q;
    for (int32_t i = b + 1; i < shape->batch; i++)
        len = len / 2 < 16 ? shape->len_q : len / 2;
    return len;
}

extern const bench_shape bench_shapes[];
extern const int32_t bench_shape_count;

#endif
