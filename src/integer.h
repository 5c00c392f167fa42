/* Small integer helpers. */
#ifndef FOVEA_SRC_INTEGER_H
#define FOVEA_SRC_INTEGER_H

#include <stdint.h>

static inline int64_t fv_min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* x, or the end of [low, high] that it is beyond. */
static inline int64_t fv_clamp64(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/* a + b, b >= 0, or the largest number. */
static inline int64_t fv_add_saturating(int64_t a, int64_t b) {
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* a / b rounded up; a >= 0, b > 0. */
static inline int64_t fv_ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

#endif
