/* The vector vocabulary of arch/common on AVX-512 F, BW, DQ and VL: 16 lanes, 32 registers, masks in k-registers. */
#ifndef FOVEA_ARCH_AVX512_VEC_H
#define FOVEA_ARCH_AVX512_VEC_H

#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__)
#error "arch/avx512 needs -mavx512f -mavx512bw -mavx512dq -mavx512vl"
#endif

#include <immintrin.h>
#include <math.h>
#include <sleef.h>
#include <stdint.h>

#define V_LANES 16

typedef __m512 vf;
typedef __mmask16 vmask;

static inline vf v_load(const float *p) {
    return _mm512_loadu_ps(p);
}

static inline void v_store(float *p, vf x) {
    _mm512_storeu_ps(p, x);
}

static inline vf v_set(float x) {
    return _mm512_set1_ps(x);
}

static inline vf v_broadcast(const float *p) {
    return _mm512_set1_ps(*p);
}

#include "arch/common/broadcast.h"

static inline vf v_add(vf a, vf b) {
    return _mm512_add_ps(a, b);
}

static inline vf v_sub(vf a, vf b) {
    return _mm512_sub_ps(a, b);
}

static inline vf v_mul(vf a, vf b) {
    return _mm512_mul_ps(a, b);
}

/* The sum acc + x, in acc's own register and in this place: put off by the compiler, it would need another for x. */
static inline __attribute__((always_inline)) vf v_increased(vf acc, vf x) {
    __asm__("vaddps %1, %0, %0" : "+v"(acc) : "v"(x));
    return acc;
}

/* a * b + c, rounded once. */
static inline vf v_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}

/* acc += a * b, rounded once, in acc's own register (see arch/avx2/vec.h). */
static inline __attribute__((always_inline)) void v_accumulate(vf *acc, velement a, vf b) {
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(*acc) : "v"(a), "v"(b));
}

/* The same with a factor from memory, for one vector of lanes. Compilers make the broadcast a part of the instruction:
 * on Zen 4 one of its own takes half an FMA's time from the FMAs, unless it serves several. Two vectors from memory
 * would be more loads than Intel's servers have. */
#define V_FACTORS_FROM_MEMORY 1

static inline __attribute__((always_inline)) void v_accumulate_at(vf *acc, const float *a, vf b) {
    *acc = _mm512_fmadd_ps(b, _mm512_set1_ps(*a), *acc);
}

/* The larger one; b where either is NaN. */
static inline vf v_max(vf a, vf b) {
    return _mm512_max_ps(a, b);
}

/* The smaller one; b where a is NaN. */
static inline vf v_min(vf a, vf b) {
    return _mm512_min_ps(a, b);
}

static inline vmask v_equal(vf a, vf b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}

/* Not a < b: true for NaN. */
static inline vmask v_not_less(vf a, vf b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ);
}

/* Whether any lane is less than a number. */
static inline int32_t v_any_less(vf x, float than) {
    return _mm512_cmp_ps_mask(x, v_set(than), _CMP_LT_OQ) != 0;
}

/* Lanes whose begin <= key < end. */
static inline vmask v_in_range(int32_t key, const int32_t *begin, const int32_t *end) {
    __m512i k = _mm512_set1_epi32(key);
    return _mm512_cmple_epi32_mask(_mm512_loadu_si512(begin), k) & _mm512_cmpgt_epi32_mask(_mm512_loadu_si512(end), k);
}

static inline vf v_select(vmask which, vf yes, vf no) {
    return _mm512_mask_blend_ps(which, no, yes);
}

/* x where the mask is set, else +0. */
static inline vf v_keep(vmask which, vf x) {
    return _mm512_maskz_mov_ps(which, x);
}

/* Lanes that hold -0.0. */
static inline vmask v_is_negative_zero(vf x) {
    return _mm512_cmpeq_epi32_mask(_mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN));
}

/* The float whose bits are those of x shifted left by 23. */
static inline vf v_shift_to_exponent(vf x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), 23));
}

/* x - floor(x) and p * 2^floor(x), in one instruction each: what fused_exp2 (arch/common/exp2.h) is made from here. */
#define V_SPLITS_EXPONENTS

static inline vf v_above_floor(vf x) {
    return _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

/* +0 where the mask is clear. */
static inline vf v_scale_or_zero(vmask which, vf p, vf x) {
    return _mm512_maskz_scalef_ps(which, p, x);
}

static inline vf v_sleef_exp2(vf x) {
    return Sleef_exp2f16_u35avx512f(x);
}

static inline vf v_sleef_log2(vf x) {
    return Sleef_log2f16_u10avx512f(x);
}

/* Sums of all lanes and the largest lane (NaN passed over if the other operand of a step is a number), in a fixed
 * order. */
static inline float v_sum(vf x) {
    return _mm512_reduce_add_ps(x);
}

static inline float v_largest(vf x) {
    return _mm512_reduce_max_ps(x);
}

/* Lane j of result = sum of the lanes of x[j]. */
static inline vf v_sum_each(const vf x[V_LANES]) {
    vf pairs[8], quads[4], halves[2];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        pairs[i] =
            _mm512_add_ps(_mm512_unpacklo_ps(x[2 * i], x[2 * i + 1]), _mm512_unpackhi_ps(x[2 * i], x[2 * i + 1]));
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        quads[i] = _mm512_add_ps(_mm512_shuffle_ps(pairs[2 * i], pairs[2 * i + 1], 0x44),
                                 _mm512_shuffle_ps(pairs[2 * i], pairs[2 * i + 1], 0xEE));
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
        halves[i] = _mm512_add_ps(_mm512_shuffle_f32x4(quads[2 * i], quads[2 * i + 1], 0x88),
                                  _mm512_shuffle_f32x4(quads[2 * i], quads[2 * i + 1], 0xDD));
    return _mm512_add_ps(_mm512_shuffle_f32x4(halves[0], halves[1], 0x88),
                         _mm512_shuffle_f32x4(halves[0], halves[1], 0xDD));
}

/* Lanes of `even` and `odd` in turn: those of the first halves, then those of the second. */
static inline void v_in_turn(vf even, vf odd, vf both[2]) {
    const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    both[0] = _mm512_permutex2var_ps(even, first, odd);
    both[1] = _mm512_permutex2var_ps(even, second, odd);
}

/* x becomes its transpose: lane i of x[j] was lane j of x[i]. */
static inline void v_transpose(vf x[V_LANES]) {
    vf t[V_LANES], u[V_LANES];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_ps(x[2 * i], x[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_ps(x[2 * i], x[2 * i + 1]);
    }
    /* u[4 i + j] holds columns j, 4 + j, 8 + j and 12 + j of rows 4 i ... 4 i + 3, one a quarter. */
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        u[4 * i + 0] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
        u[4 * i + 1] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
        u[4 * i + 2] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
        u[4 * i + 3] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        vf even_low = _mm512_shuffle_f32x4(u[j], u[4 + j], 0x88), odd_low = _mm512_shuffle_f32x4(u[j], u[4 + j], 0xDD);
        vf even_high = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0x88);
        vf odd_high = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0xDD);
        x[j] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
        x[8 + j] = _mm512_shuffle_f32x4(even_low, even_high, 0xDD);
        x[4 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
        x[12 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD);
    }
}

#endif
