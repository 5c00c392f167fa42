/* Rotary embeddings for tests: random ones, and the rotation of a row in long double from the header's words. */
#ifndef FOVEA_TESTS_TURNED_H
#define FOVEA_TESTS_TURNED_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/rope.h"
#include "kernel_memory.h"

/* The tokens that a rotation is for: (outer, len) of them. */
typedef struct turned_tokens {
    int64_t batch, outer, len;
    /* Their own positions are in 0 ... own - 1. */
    int64_t own;
} turned_tokens;

/* A rotation of rows of head_dim elements with memory of its own: computed angles or tables, positions or none. Tables
 * have a batch axis, of stride 0 or not. head_dim of 1: rotary_dim would be 0; then 2 are needed. */
fovea_rotation turned_random(kernel_memory *memory, int64_t head_dim, const turned_tokens *tokens);

/* The position of the token at index `row` of (outer, row), whose own one is `own`. */
int64_t turned_position(const fovea_rotation *rotation, int64_t outer, int64_t row, int64_t own);

/* Turns a row of `count` elements by its token's angles; error[d] is what f32 arithmetic and angles may be off. */
void turned_row(const fovea_rotation *rotation, int64_t batch, int64_t position, int64_t count, double *x,
                double *error);

/* The largest difference that rounding to a type makes. */
double turned_rounding(fovea_type type, double x);

#endif
