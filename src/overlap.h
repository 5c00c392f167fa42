/* Do two strided boxes of memory share a byte? Does one index of a box share a byte with another one?
 *
 * A box is what a tensor occupies: { begin + sum_k i_k * stride_k + e : 0 <= i_k <= steps_k, 0 <= e < element } in
 * bytes. The sign of a stride does not matter once `begin` is the lowest byte.
 *
 * Method. Boxes whose byte ranges are apart are disjoint: the common case, a few comparisons. Otherwise an element of a
 * and one of b meet if and only if their first bytes x and y satisfy 1 - element_a <= x - y <= element_b - 1. Counting
 * b's indices downwards turns -y into a sum of positive terms too, and the question becomes: does a sum  sum_k n_k *
 * weight_k, 0 <= n_k <= limit_k, fall into an interval [low, high]? (A bounded linear Diophantine problem of at most
 * eight terms.)
 *
 *   1. In ascending order of weights, a term that is not larger than the interval leaves no gap: it widens the interval
 *      and goes. So contiguous rows, and rows that touch, vanish together with their elements.
 *   2. A term whose weight is a multiple of the one below, without a gap between their multiples, merges into it. So
 *      (batch, length) or (length, head) of one allocation become a single term, and axes of equal stride do too.
 *   3. What remains is searched depth first from the largest weight, each n_k limited to what the smaller terms can
 * still make up for; a branch is left when the interval holds no multiple of their greatest common divisor. Nested
 * layouts (each stride spans all smaller axes) leave at most three values a term. Other layouts can need many steps:
 * beyond FV_OVERLAP_BUDGET of them the answer is "undecided", which callers must treat as an overlap.
 *
 * Self-overlap is the same problem for the difference of two indices: for each axis as the largest one in which they
 * differ, the sum of the differences must be smaller than an element. */
#ifndef FOVEA_SRC_OVERLAP_H
#define FOVEA_SRC_OVERLAP_H

#include <stddef.h>
#include <stdint.h>

#define FV_MAX_AXES 4

/* Steps of a search before it gives up: under a millisecond. */
#define FV_OVERLAP_BUDGET 10000

/* Largest element in bytes; most elements that a box may span, holes included, so that sums of a few spans fit. */
#define FV_MAX_ELEMENT 8
#define FV_MAX_SPAN (INT64_MAX / (8 * FV_MAX_ELEMENT))

typedef struct fv_box {
    /* Lowest byte, and one past the highest; equal for an empty box. */
    uintptr_t begin;
    uintptr_t end;
    int64_t element;
    /* Axes of two indices and more, in ascending order of strides. */
    int32_t axes;
    /* Largest index, >= 1. */
    int64_t steps[FV_MAX_AXES];
    /* Magnitude in bytes, >= 0. */
    int64_t strides[FV_MAX_AXES];
} fv_box;

typedef enum fv_overlap { FV_OVERLAP_NONE = 0, FV_OVERLAP_FOUND = 1, FV_OVERLAP_UNDECIDED = 2 } fv_overlap;

/* Makes the box of a tensor: `axes` <= FV_MAX_AXES sizes >= 0 and strides in elements, of 1 ... FV_MAX_ELEMENT bytes.
 * The stride of an axis of at most one element is not looked at. Returns 0 if the box spans more than FV_MAX_SPAN
 * elements or leaves the address space, else non-zero. */
int32_t fv_box_make(fv_box *box, const void *data, int64_t element, int32_t axes, const int64_t *sizes,
                    const int64_t *strides);

/* Do a and b share a byte? */
fv_overlap fv_box_overlaps(const fv_box *a, const fv_box *b);

/* Do two different indices of the box share a byte? */
fv_overlap fv_box_overlaps_itself(const fv_box *box);

#endif
