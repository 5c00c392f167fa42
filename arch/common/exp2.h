/* The exponentials of a backend, over its vector vocabulary (include vec.h first). See arch/kernel.h for their rules.
 */
#ifndef FOVEA_ARCH_COMMON_EXP2_H
#define FOVEA_ARCH_COMMON_EXP2_H

#include "arch/common/exp2_poly.h"
#include "arch/kernel.h"

/* Where exp2(x) is not to be exactly 0: x >= least, or NaN. */
static inline vmask stays(vf x, float least) {
    return v_not_less(x, v_set(least));
}

static inline vf flush_below(float least, vf x, vf p) {
    return v_keep(stays(x, least), p);
}

/* x is split into n and a fraction f, so that 2^x = 2^f * 2^n. */
#ifdef V_SPLITS_EXPONENTS
/* The instruction set has instructions for it, in which 2^x itself stands for n. */
#define FV_EXP2_C(POWER) FV_EXP2_UNIT_C##POWER

static inline vf exponent_of(vf x) {
    return x;
}

static inline vf fraction_of(vf x, vf n) {
    (void)n;
    return v_above_floor(x);
}

/* p * 2^n, flushed. */
static inline vf scaled(vf p, vf n, vf x, float least) {
    return v_scale_or_zero(stays(x, least), p, n);
}
#else
/* Adding it to x in [-126, 127] leaves round(x) + 127 in the low bits of the sum: shifted to the exponent, 2^round(x).
 * Cheaper than the instructions for rounding and conversion, which compete with FMAs for their ports. */
#define FV_ROUNDING_MAGIC (0x1.8p23f + 127.0f)
#define FV_EXP2_C(POWER) FV_EXP2_C##POWER

static inline vf exponent_of(vf x) {
    return v_add(x, v_set(FV_ROUNDING_MAGIC));
}

static inline vf fraction_of(vf x, vf n) {
    return v_sub(x, v_sub(n, v_set(FV_ROUNDING_MAGIC)));
}

/* A product, not an addition to the exponent bits, keeps NaN. */
static inline vf scaled(vf p, vf n, vf x, float least) {
    return flush_below(least, x, v_mul(p, v_shift_to_exponent(n)));
}
#endif

/* A count in the pragma keeps clang from unrolling a loop whose bound becomes a literal by inlining. */
#ifdef __clang__
#define FV_UNROLL_ALL _Pragma("clang loop unroll(full)")
#else
#define FV_UNROLL_ALL _Pragma("GCC unroll 8")
#endif

/* exp2 of `count` vectors, 0 below exp2(least), inline and in lockstep, so that the chains of dependent operations
 * overlap; `count` is a literal of at most 8 at every use, `least` a literal too. */
static inline __attribute__((always_inline)) void fused_exp2(vf *x, const int count, const float least) {
    vf n[8], f[8], p[8];
#define EACH FV_UNROLL_ALL for (int i = 0; i < count; i++)
    EACH n[i] = exponent_of(x[i]);
    EACH f[i] = fraction_of(x[i], n[i]);
    EACH p[i] = v_fma(v_set(FV_EXP2_C(5)), f[i], v_addend(FV_EXP2_C(4)));
    EACH p[i] = v_fma(p[i], f[i], v_addend(FV_EXP2_C(3)));
    EACH p[i] = v_fma(p[i], f[i], v_addend(FV_EXP2_C(2)));
    EACH p[i] = v_fma(p[i], f[i], v_addend(FV_EXP2_C(1)));
    EACH p[i] = v_fma(p[i], f[i], v_addend(1.0f));
    EACH x[i] = scaled(p[i], n[i], x[i], least);
#undef EACH
}

#endif
