/* Loads and stores of the vector vocabulary for elements of every stored type: V_LANES of them, or the last few of a
 * row. Include vec.h first. */
#ifndef FOVEA_ARCH_AVX2_ELEMENTS_H
#define FOVEA_ARCH_AVX2_ELEMENTS_H

#if !defined(__F16C__)
#error "arch/avx2 needs -mf16c"
#endif

#include "arch/common/f32.h"
#include "arch/common/padded.h"

static inline vf v_load_f16(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}

static inline void v_store_f16(uint16_t *p, vf x) {
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

static inline vf v_load_bf16(const uint16_t *p) {
    __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}

/* Rounding adds just under half of the last place that remains, and one more if that place is odd. */
static inline void v_store_bf16(uint16_t *p, vf x) {
    __m256i bits = _mm256_castps_si256(x);
    __m256i upper = _mm256_srli_epi32(bits, 16);
    __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
    __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    __m256i narrow = _mm256_blendv_epi8(_mm256_srli_epi32(rounded, 16), quiet, is_nan);
    _mm_storeu_si128((__m128i *)(void *)p,
                     _mm_packus_epi32(_mm256_castsi256_si128(narrow), _mm256_extracti128_si256(narrow, 1)));
}

static inline vf v_load_int8(const int8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

/* Rounds to nearest, ties to even; beyond the type's ends its ends. */
static inline void v_store_int8(int8_t *p, vf x) {
    __m256i whole = _mm256_cvtps_epi32(_mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packs_epi16(words, words));
}

FV_PADDED(f32, float)
FV_PADDED(f16, uint16_t)
FV_PADDED(bf16, uint16_t)
FV_PADDED(int8, int8_t)

/* Lanes whose byte is not 0. */
static inline vmask v_true_bytes(const uint8_t *p) {
    __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(wide, _mm256_setzero_si256()));
}

FV_PADDED_TRUE_BYTES

static inline vf v_absolute(vf x) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

static inline vf v_divide(vf a, vf b) {
    return _mm256_div_ps(a, b);
}

#endif
