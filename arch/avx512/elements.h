/* Loads and stores of the vector vocabulary for elements of every stored type: V_LANES of them, or the last few of a
 * row, masked. Include vec.h first. */
#ifndef FOVEA_ARCH_AVX512_ELEMENTS_H
#define FOVEA_ARCH_AVX512_ELEMENTS_H

#include "arch/common/f32.h"

/* The first `count` <= 16 lanes. */
static inline __mmask16 first_lanes(int64_t count) {
    return (__mmask16)((1u << count) - 1);
}

static inline vf v_load_f32_part(const float *p, int64_t count) {
    return _mm512_maskz_loadu_ps(first_lanes(count), p);
}

static inline void v_store_f32_part(float *p, int64_t count, vf x) {
    _mm512_mask_storeu_ps(p, first_lanes(count), x);
}

static inline vf widened_f16(__m256i bits) {
    return _mm512_cvtph_ps(bits);
}

static inline vf widened_bf16(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

static inline vf widened_int8(__m128i whole) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(whole));
}

static inline __m256i narrowed_f16(vf x) {
    return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* Rounding adds just under half of the last place that remains, and one more if that place is odd. */
static inline __m256i narrowed_bf16(vf x) {
    __m512i bits = _mm512_castps_si512(x);
    __m512i upper = _mm512_srli_epi32(bits, 16);
    __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    __m512i narrow = _mm512_mask_or_epi32(_mm512_srli_epi32(rounded, 16), is_nan, upper, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(narrow);
}

/* Rounds to nearest, ties to even; beyond the type's ends its ends. */
static inline __m128i narrowed_int8(vf x) {
    return _mm512_cvtsepi32_epi8(_mm512_cvt_roundps_epi32(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

/* Vectors of narrow elements, whole and in part. */
#define FV_MASKED(name, element, intrinsic, lane)                                        \
    static inline vf v_load_##name(const element *p) {                                   \
        return widened_##name(intrinsic##_loadu_epi##lane(p));                           \
    }                                                                                    \
                                                                                         \
    static inline vf v_load_##name##_part(const element *p, int64_t count) {             \
        return widened_##name(intrinsic##_maskz_loadu_epi##lane(first_lanes(count), p)); \
    }                                                                                    \
                                                                                         \
    static inline void v_store_##name(element *p, vf x) {                                \
        intrinsic##_storeu_epi##lane(p, narrowed_##name(x));                             \
    }                                                                                    \
                                                                                         \
    static inline void v_store_##name##_part(element *p, int64_t count, vf x) {          \
        intrinsic##_mask_storeu_epi##lane(p, first_lanes(count), narrowed_##name(x));    \
    }

FV_MASKED(f16, uint16_t, _mm256, 16)
FV_MASKED(bf16, uint16_t, _mm256, 16)
FV_MASKED(int8, int8_t, _mm, 8)

/* Lanes whose byte is not 0; the last `count` of a row. */
static inline vmask v_true_bytes(const uint8_t *p) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm_test_epi8_mask(bytes, bytes);
}

static inline vmask v_true_bytes_part(const uint8_t *p, int64_t count) {
    __m128i bytes = _mm_maskz_loadu_epi8(first_lanes(count), p);
    return _mm_test_epi8_mask(bytes, bytes);
}

static inline vf v_absolute(vf x) {
    return _mm512_abs_ps(x);
}

static inline vf v_divide(vf a, vf b) {
    return _mm512_div_ps(a, b);
}

#endif
