/* The vocabulary of pairs (arch/common/panel_pairs.h) on AVX512-BF16, over arch/avx512/vec.h. */
#ifndef FOVEA_ARCH_AVX512BF16_PAIRS_H
#define FOVEA_ARCH_AVX512BF16_PAIRS_H

#ifndef __AVX512BF16__
#error "arch/avx512bf16 needs -mavx512bf16"
#endif

#include <string.h>

/* In acc's own register (see v_accumulate). The instruction takes subnormal numbers for zeros, also in acc and in its
 * result, and rounds to nearest whatever the thread's mode. */
static inline __attribute__((always_inline)) void v_dot_pairs(vf *acc, velement a, vf b) {
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(*acc) : "v"(a), "v"(b));
}

/* p * 2^floor(x). */
static inline vf v_scale(vf p, vf x) {
    return _mm512_scalef_ps(p, x);
}

/* Half the last place that remains is added to the bits, which rounds ties up; the instructions that convert would
 * compete with multiplications. A NaN that the addition makes another number is one in the sum of the probabilities
 * too. */
static inline vf v_pair(vf even, vf odd) {
    const __m512i half = _mm512_set1_epi32(0x8000);
    __m512i low = _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(even), half), 16);
    __m512i high = _mm512_add_epi32(_mm512_castps_si512(odd), half);
    /* low | (high & mask) */
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(low, high, _mm512_set1_epi32((int)0xffff0000), 0xf8));
}

static inline vf v_broadcast_pair(const uint16_t *p) {
    int32_t pair;
    memcpy(&pair, p, sizeof pair);
    return _mm512_castsi512_ps(_mm512_set1_epi32(pair));
}

static inline vf v_broadcast_last(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(*p));
}

static inline vf v_load_pairs(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_loadu_si512(p));
}

static inline vf v_load_pairs_part(const uint16_t *p, int64_t count) {
    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16((__mmask32)((1u << count) - 1), p));
}

static inline vf pairs_of_halves(__m256i even, __m256i odd) {
    return _mm512_castsi512_ps(
        _mm512_or_si512(_mm512_cvtepu16_epi32(even), _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16)));
}

/* odd may be NULL: zeros. */
static inline vf v_interleave(const uint16_t *even, const uint16_t *odd) {
    return pairs_of_halves(_mm256_loadu_epi16(even), odd ? _mm256_loadu_epi16(odd) : _mm256_setzero_si256());
}

static inline vf v_interleave_part(const uint16_t *even, const uint16_t *odd, int64_t count) {
    return pairs_of_halves(_mm256_maskz_loadu_epi16(first_lanes(count), even),
                           odd ? _mm256_maskz_loadu_epi16(first_lanes(count), odd) : _mm256_setzero_si256());
}

#endif
