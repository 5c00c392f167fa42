/* The vector vocabulary of arch/common on AVX2 + FMA: 8 lanes, 16 registers. */
#ifndef FOVEA_ARCH_AVX2_VEC_H
#define FOVEA_ARCH_AVX2_VEC_H

#if !defined(__AVX2__) || !defined(__FMA__)
#error "arch/avx2 needs -mavx2 -mfma"
#endif

#include <immintrin.h>
#include <math.h>
#include <sleef.h>
#include <stdint.h>

#define V_LANES 8

typedef __m256 vf;
/* One bit set or clear throughout each lane. */
typedef __m256 vmask;

static inline vf v_load(const float *p) {
    return _mm256_loadu_ps(p);
}

static inline void v_store(float *p, vf x) {
    _mm256_storeu_ps(p, x);
}

static inline vf v_set(float x) {
    return _mm256_set1_ps(x);
}

static inline vf v_broadcast(const float *p) {
    return _mm256_broadcast_ss(p);
}

#include "arch/common/broadcast.h"

static inline vf v_add(vf a, vf b) {
    return _mm256_add_ps(a, b);
}

static inline vf v_sub(vf a, vf b) {
    return _mm256_sub_ps(a, b);
}

static inline vf v_mul(vf a, vf b) {
    return _mm256_mul_ps(a, b);
}

/* The sum acc + x, in acc's own register and in this place: put off by the compiler, it would need another for x. */
static inline __attribute__((always_inline)) vf v_increased(vf acc, vf x) {
    __asm__("vaddps %1, %0, %0" : "+x"(acc) : "x"(x));
    return acc;
}

/* a * b + c, rounded once. */
static inline vf v_fma(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}

/* acc += a * b, rounded once, in acc's own register: left to itself, gcc picks forms of the instruction that overwrite
 * a factor, and pays with moves and spills in register tiles that have no register to spare. */
static inline __attribute__((always_inline)) void v_accumulate(vf *acc, velement a, vf b) {
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(*acc) : "x"(a), "x"(b));
}

/* The larger one; b where either is NaN. */
static inline vf v_max(vf a, vf b) {
    return _mm256_max_ps(a, b);
}

/* The smaller one; b where a is NaN. */
static inline vf v_min(vf a, vf b) {
    return _mm256_min_ps(a, b);
}

static inline vmask v_equal(vf a, vf b) {
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}

/* Not a < b: true for NaN. */
static inline vmask v_not_less(vf a, vf b) {
    return _mm256_cmp_ps(a, b, _CMP_NLT_UQ);
}

/* Whether any lane is less than a number. */
static inline int32_t v_any_less(vf x, float than) {
    return _mm256_movemask_ps(_mm256_cmp_ps(x, v_set(than), _CMP_LT_OQ)) != 0;
}

/* Lanes whose begin <= key < end. */
static inline vmask v_in_range(int32_t key, const int32_t *begin, const int32_t *end) {
    __m256i k = _mm256_set1_epi32(key);
    __m256i too_early = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)(const void *)begin), k);
    __m256i in_time = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)(const void *)end), k);
    return _mm256_castsi256_ps(_mm256_andnot_si256(too_early, in_time));
}

static inline vf v_select(vmask which, vf yes, vf no) {
    return _mm256_blendv_ps(no, yes, which);
}

/* x where the mask is set, else +0. */
static inline vf v_keep(vmask which, vf x) {
    return _mm256_and_ps(which, x);
}

/* Lanes that hold -0.0 exactly; a NaN may carry that sign too. */
static inline vmask v_is_negative_zero(vf x) {
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_castps_si256(x), _mm256_set1_epi32(INT32_MIN)));
}

/* The float whose bits are those of x shifted left by 23. */
static inline vf v_shift_to_exponent(vf x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 23));
}

static inline vf v_sleef_exp2(vf x) {
    return Sleef_exp2f8_u35avx2(x);
}

static inline vf v_sleef_log2(vf x) {
    return Sleef_log2f8_u10avx2(x);
}

/* Sums of all lanes and the largest lane (NaN passed over if the other operand of a step is a number), in a fixed
 * order. */
static inline float v_sum(vf x) {
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}

static inline float v_largest(vf x) {
    __m128 a = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
}

/* Lane j of result = sum of the lanes of x[j], in the order of v_sum. Of two vectors a blend takes what may stay where
 * it is, a shuffle what must move; vhaddps is microcode on Zen. */
static inline vf v_sum_each(const vf x[V_LANES]) {
    vf half[4], quarter[2];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        half[i] = _mm256_add_ps(_mm256_blend_ps(x[i], x[i + 4], 0xF0), _mm256_permute2f128_ps(x[i], x[i + 4], 0x21));
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
        quarter[i] = _mm256_add_ps(_mm256_blend_ps(half[2 * i], half[2 * i + 1], 0xCC),
                                   _mm256_shuffle_ps(half[2 * i], half[2 * i + 1], 0x4E));
    return _mm256_add_ps(_mm256_shuffle_ps(quarter[0], quarter[1], 0x88),
                         _mm256_shuffle_ps(quarter[0], quarter[1], 0xDD));
}

/* x becomes its transpose: lane i of x[j] was lane j of x[i]. */
static inline void v_transpose(vf x[V_LANES]) {
    vf t[V_LANES], u[V_LANES];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        t[2 * i] = _mm256_unpacklo_ps(x[2 * i], x[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_ps(x[2 * i], x[2 * i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        u[4 * i + 0] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
        u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
        u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
        u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        x[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        x[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
}

#endif
