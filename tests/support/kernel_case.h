/* What the tests of all families of kernels share. */
#ifndef FOVEA_TESTS_KERNEL_CASE_H
#define FOVEA_TESTS_KERNEL_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_memory.h"
#include "random.h"

/* Rounding of one f32 operation. */
static const double unit = 0x1p-24;

/* Relative errors of the exponentials. */
static const double fused_bound = 2.4e-7;
/* SLEEF promises 3.5 ULP; an ULP is at most 2^-23 of the value. */
static const double sleef_bound = 3.5 * 0x1p-23;

/* `actual` is `value` within `bound`, or the same infinity, or NaN as well. */
bool is_near(float actual, double value, double bound);

/* exp2 as the contract states it: 0 below 2^least, NaN kept. The bound is relative. Above 127 the callers,
 * who keep scores near their reference, discard the result. */
bool is_exp2(float actual, float x, float least, double bound);

/* A few hostile numbers among `count`. */
void make_hostile(float *data, int64_t count, test_random *random);

float *copy_of(kernel_memory *memory, const float *data, int64_t count);

#endif
