/* The exponentials of a backend, over its vector vocabulary (include vec.h first). See arch/kernel.h for their rules.
 */
#ifndef FOVEA_ARCH_COMMON_EXP2_H
#define FOVEA_ARCH_COMMON_EXP2_H

#include "arch/common/exp2_poly.h"

/* p where x >= -126 or x is NaN, else exactly 0. */
static inline vf flush_subnormal(vf x, vf p) {
    return v_keep(v_not_less(x, v_set(-126.0f)), p);
}

/* exp2 of `count` vectors, inline and in lockstep, so that the chains of dependent operations overlap; `count` is a
 * literal of at most 8 at every use. */
static inline __attribute__((always_inline)) void fused_exp2(vf *x, const int count) {
    vf n[8], f[8], p[8];
#define EACH _Pragma("GCC unroll 8") for (int i = 0; i < count; i++)
    EACH n[i] = v_round(x[i]);
    EACH f[i] = v_sub(x[i], n[i]);
    EACH p[i] = v_fma(v_set(FV_EXP2_C5), f[i], v_set(FV_EXP2_C4));
    EACH p[i] = v_fma(p[i], f[i], v_set(FV_EXP2_C3));
    EACH p[i] = v_fma(p[i], f[i], v_set(FV_EXP2_C2));
    EACH p[i] = v_fma(p[i], f[i], v_set(FV_EXP2_C1));
    EACH p[i] = v_fma(p[i], f[i], v_set(1.0f));
    EACH x[i] = flush_subnormal(x[i], v_scale_by_power(p[i], n[i]));
#undef EACH
}

#endif
