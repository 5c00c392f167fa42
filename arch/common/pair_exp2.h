/* The inline exponentials of the pair family, over a backend's vector vocabulary. Include vec.h and exp2.h first.
 *
 * As fused_exp2, but numbers below 2^-126 may be left as they are, which count as 0 among pairs, and constants
 * stay in memory: in registers they would drive out accumulators. */
#ifndef FOVEA_ARCH_COMMON_PAIR_EXP2_H
#define FOVEA_ARCH_COMMON_PAIR_EXP2_H

#include "arch/common/tile_name.h"

#ifdef V_SPLITS_EXPONENTS
#define PAIR_EXP2_C(POWER) FV_EXP2_UNIT_C##POWER
#define PAIR_EXP2_COARSE_C(POWER) FV_EXP2_UNIT_COARSE_C##POWER

static inline vf pair_scaled(vf p, vf n, vf x) {
    (void)x;
    return v_scale(p, n);
}
#else
#define PAIR_EXP2_C(POWER) FV_EXP2_C##POWER
#define PAIR_EXP2_COARSE_C(POWER) FV_EXP2_COARSE_C##POWER

static inline vf pair_scaled(vf p, vf n, vf x) {
    return scaled(p, n, x, FV_LEAST_EXPONENT);
}
#endif

/* From the highest power down. */
static const float pair_exp2_fine[] = {PAIR_EXP2_C(5), PAIR_EXP2_C(4), PAIR_EXP2_C(3),
                                       PAIR_EXP2_C(2), PAIR_EXP2_C(1), 1.0f};
static const float pair_exp2_coarse[] = {PAIR_EXP2_COARSE_C(3), PAIR_EXP2_COARSE_C(2), PAIR_EXP2_COARSE_C(1), 1.0f};

/* exp2 of one vector or two in lockstep; `count` and `coarse` are literals at every use. */
static inline __attribute__((always_inline)) void pair_exp2(vf *x, const int count, const int coarse) {
    const float *c = coarse ? pair_exp2_coarse : pair_exp2_fine;
    const int degree = coarse ? 3 : 5;
    FV_HIDE_ORIGIN(c);
    vf n[2], f[2], p[2];
#define EACH _Pragma("GCC unroll 2") for (int i = 0; i < count; i++)
    EACH n[i] = exponent_of(x[i]);
    EACH f[i] = fraction_of(x[i], n[i]);
    EACH p[i] = v_set(c[0]);
#pragma GCC unroll 5
    for (int power = 1; power <= degree; power++)
        EACH p[i] = v_fma(p[i], f[i], v_set(c[power]));
    EACH x[i] = pair_scaled(p[i], n[i], x[i]);
#undef EACH
}

#endif
