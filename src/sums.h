/* What is done with the sum of a row's probabilities, in prefill and in decode alike. */
#ifndef FOVEA_SRC_SUMS_H
#define FOVEA_SRC_SUMS_H

#include <stdint.h>

/* The factor that divides a row by its sum l; 0 for a row without a key, whose output is 0. Compilers vectorise no
 * division that a condition guards. */
static inline float fv_sum_factor(float l) {
    const float reciprocal = 1.0f / (l == 0.0f ? 1.0f : l);
    return l == 0.0f ? 0.0f : reciprocal;
}

/* Binary digits that a sum over so many keys may need beyond those of its largest term (panel.h, "safe"). */
static inline float fv_safety_shift(int64_t keys) {
    float digits = 0;
    while (((int64_t)1 << (int)digits) < keys)
        digits++;
    return digits;
}

#endif
