/* The exponentials of a backend, over its vector vocabulary (include vec.h first). See arch/kernel.h for their rules.
 */
#ifndef FOVEA_ARCH_COMMON_EXP2_H
#define FOVEA_ARCH_COMMON_EXP2_H

#include "arch/common/exp2_poly.h"

/* p where x >= -126 or x is NaN, else exactly 0. */
static inline vf flush_subnormal(vf x, vf p) {
    return v_keep(v_not_less(x, v_set(-126.0f)), p);
}

/* Adding it to x in [-126, 127] leaves round(x) + 127 in the low bits of the sum: shifted to the exponent, 2^round(x).
 * Cheaper than the instructions for rounding and conversion, which compete with FMAs for their ports. */
#define FV_ROUNDING_MAGIC (0x1.8p23f + 127.0f)

/* A count in the pragma keeps clang from unrolling a loop whose bound becomes a literal by inlining. */
#ifdef __clang__
#define FV_UNROLL_ALL _Pragma("clang loop unroll(full)")
#else
#define FV_UNROLL_ALL _Pragma("GCC unroll 8")
#endif

/* exp2 of `count` vectors, inline and in lockstep, so that the chains of dependent operations overlap; `count` is a
 * literal of at most 8 at every use. */
static inline __attribute__((always_inline)) void fused_exp2(vf *x, const int count) {
    vf n[8], f[8], p[8];
#define EACH FV_UNROLL_ALL for (int i = 0; i < count; i++)
    EACH n[i] = v_add(x[i], v_set(FV_ROUNDING_MAGIC));
    EACH f[i] = v_sub(x[i], v_sub(n[i], v_set(FV_ROUNDING_MAGIC)));
    EACH p[i] = v_fma(v_set(FV_EXP2_C5), f[i], v_addend(FV_EXP2_C4));
    EACH p[i] = v_fma(p[i], f[i], v_addend(FV_EXP2_C3));
    EACH p[i] = v_fma(p[i], f[i], v_addend(FV_EXP2_C2));
    EACH p[i] = v_fma(p[i], f[i], v_addend(FV_EXP2_C1));
    EACH p[i] = v_fma(p[i], f[i], v_addend(1.0f));
    /* A product, not an addition to the exponent bits, keeps NaN. */
    EACH x[i] = flush_subnormal(x[i], v_mul(p[i], v_shift_to_exponent(n[i])));
#undef EACH
}

#endif
