/* The vocabulary of bytes (arch/avx512vnni/bytes.h) by AVX-512 alone. */
#ifndef FOVEA_TESTS_EMULATED_DOTS_H
#define FOVEA_TESTS_EMULATED_DOTS_H

#include <immintrin.h>

/* Products of bytes at even and at odd places, which fit 16 bits each, widened and added in pairs. */
static inline void v_dot_bytes(__m512i *acc, __m512i a, __m512i b) {
    const __m512i even =
        _mm512_madd_epi16(_mm512_and_si512(a, _mm512_set1_epi16(0xff)), _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8));
    const __m512i odd = _mm512_madd_epi16(_mm512_srli_epi16(a, 8), _mm512_srai_epi16(b, 8));
    *acc = _mm512_add_epi32(*acc, _mm512_add_epi32(even, odd));
}

#endif
