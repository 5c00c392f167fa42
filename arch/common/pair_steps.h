/* The steps of the pair family that have no register tile (see panel_steps.h). Include vec.h, the vocabulary of pairs
 * and exp2.h first. Each function without `inline` is a member of fv_pair_kernels. */
#ifndef FOVEA_ARCH_COMMON_PAIR_STEPS_H
#define FOVEA_ARCH_COMMON_PAIR_STEPS_H

#include "arch/kernel.h"

/* The inline exponentials of the scores of one key or of two as a vector of pairs; they are added to *sum before they
 * are rounded, key by key, which makes the sum independent of how keys are divided over tiles. */
static inline __attribute__((always_inline)) vf pair_of_exp2(vf *x, const int keys, const int coarse, vf *sum) {
    pair_exp2(x, keys, coarse);
    *sum = v_add(*sum, x[0]);
    if (keys > 1)
        *sum = v_add(*sum, x[1]);
    return v_pair(x[0], keys > 1 ? x[1] : v_set(0.0f));
}

static void pack_pairs(const uint16_t *const *rows, int32_t ld, int64_t count, float *packed) {
    for (int32_t lane = 0; lane < ld; lane += V_LANES)
        for (int64_t i = 0; i < count; i += 2 * V_LANES) {
            const int64_t valid = count - i < 2 * V_LANES ? count - i : 2 * V_LANES;
            vf x[V_LANES];
            for (int j = 0; j < V_LANES; j++) {
                const uint16_t *row = rows[lane + j];
                x[j] = row == NULL            ? v_set(0.0f)
                       : valid == 2 * V_LANES ? v_load_pairs(row + i)
                                              : v_load_pairs_part(row + i, valid);
            }
            v_transpose(x);
#pragma GCC unroll 16
            for (int j = 0; j < V_LANES; j++)
                if (2 * j < valid)
                    v_store(packed + (i / 2 + j) * ld + lane, x[j]);
        }
}

/* A member of families whose key_step is 2. */
static inline void interleave_two(const uint16_t *const *rows, int64_t count, float *pairs) {
    const uint16_t *even = rows[0], *odd = rows[1];
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        v_store(pairs + i, v_interleave(even + i, odd ? odd + i : NULL));
    if (i < count)
        v_store_f32_part(pairs + i, count - i, v_interleave_part(even + i, odd ? odd + i : NULL, count - i));
}

/* The pair of the last key of an odd number, or of two keys from s on. A key that is not there must not be summed. */
static inline vf pair_of_scores(const float *s, int64_t ld, int two, const float *shift, fv_exp exp, vf *sum) {
    vf x[2] = {v_load(s), two ? v_load(s + ld) : v_set(0.0f)};
    if (exp == FV_EXP_SLEEF) {
        *sum = v_add(*sum, x[0]);
        *sum = two ? v_add(*sum, x[1]) : *sum;
        return v_pair(x[0], x[1]);
    }
    if (shift) {
        x[0] = v_sub(x[0], v_load(shift));
        x[1] = v_sub(x[1], v_load(shift));
    }
    if (exp == FV_EXP_COARSE)
        return two ? pair_of_exp2(x, 2, 1, sum) : pair_of_exp2(x, 1, 1, sum);
    return two ? pair_of_exp2(x, 2, 0, sum) : pair_of_exp2(x, 1, 0, sum);
}

static void probabilities(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, fv_exp exp, float *p,
                          float *sum) {
    for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES) {
        const float *by = shift ? shift + lane : NULL;
        /* A call of SLEEF may clobber every vector register, so its results pass through memory. */
        if (exp == FV_EXP_SLEEF)
            sleef_exponentials(s + lane, ld, 1, keys, by, FV_LEAST_EXPONENT);
        vf total = v_load(sum + lane);
        for (int32_t key = 0; key < keys; key += 2) {
            const float *at = s + (int64_t)key * ld + lane;
            v_store(p + (int64_t)key / 2 * ld + lane, pair_of_scores(at, ld, key + 1 < keys, by, exp, &total));
        }
        v_store(sum + lane, total);
    }
}

#endif
