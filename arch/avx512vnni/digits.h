/* f32 numbers as four digits of base 256, so that products with bytes are sums of products of bytes: exact but for the
 * rounding of numbers of less than a 128th of the largest of them (of numbers that are not negative, a 256th), the
 * others having no more than 24 bits. Include v_dot_bytes first. */
#ifndef FOVEA_ARCH_AVX512VNNI_DIGITS_H
#define FOVEA_ARCH_AVX512VNNI_DIGITS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "arch/avx512/elements.h"
#include "arch/kernel.h"

/* NUMBERS_MOST: numbers of a row, a multiple of 64. */
enum { DIGITS = 4, NUMBERS_MOST = 256 };

/* Rows of numbers, each `unit` times what its digits make; the lowest digits come first. */
typedef struct split_rows {
    int8_t digit[FV_MAX_ROWS][DIGITS][NUMBERS_MOST] __attribute__((aligned(64)));
    float unit[FV_MAX_ROWS];
    /* Where sums of products with a row's digits begin. */
    int32_t start[FV_MAX_ROWS][DIGITS];
} split_rows;

/* Between them neither a unit nor a sum of products with bytes leaves f32's normal numbers, nor is a number taken to
 * less than it was. */
static const float least_largest = 0x1p-60f, most_largest = 0x1p30f;

static inline __m512i nearest_integers(vf x) {
    return _mm512_cvt_roundps_epi32(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* The power of two that takes `largest`, positive and normal, to half of 2^bits or more, but to less than 2^bits. */
static inline float power_to(float largest, int bits) {
    uint32_t bits_of_largest;
    memcpy(&bits_of_largest, &largest, sizeof bits_of_largest);
    /* Exponents are stored 127 higher. */
    const uint32_t power = ((uint32_t)(127 + 126 + bits) - (bits_of_largest >> 23)) << 23;
    float result;
    memcpy(&result, &power, sizeof result);
    return result;
}

/* V_LANES numbers, or the last ones of a row and zeros. */
static inline vf numbers_at(const float *from, int64_t at, int64_t count) {
    return count - at >= V_LANES ? v_load(from + at) : v_load_f32_part(from + at, count > at ? count - at : 0);
}

/* Digits of -128 to 127, for products with bytes, which may have 128 added (`start` takes that away again); zeros
 * behind them, up to a multiple of 64. Returns by how much the numbers are rounded in all; infinity where they are not
 * split, for they are too large, too small or NaN. */
static float split_signed(const float *from, int64_t count, int32_t row, split_rows *to) {
    /* The largest float up to 0x7f7f7f7f, whose digits are 127; each digit is the byte of a number that is 128 larger
     * in every digit. */
    const float most_number = 0x7f7f7f00p0f;
    const __m512i raised = _mm512_set1_epi32((int)0x80808080), ones = _mm512_set1_epi8(1);
    vf largest = v_set(0.0f), check = v_set(0.0f), lost = v_set(0.0f);
    __m512i sums[DIGITS];
    for (int64_t i = 0; i < count; i += V_LANES) {
        const vf x = numbers_at(from, i, count);
        largest = v_max(v_absolute(x), largest);
        check = v_fma(x, v_set(0.0f), check);
    }
    const float most = v_largest(largest);
    if (!(v_sum(check) == 0.0f && most >= least_largest && most <= most_largest))
        return INFINITY;
    float power = power_to(most, 31);
    if (most * power > most_number)
        power *= 0.5f;
    for (int n = 0; n < DIGITS; n++)
        sums[n] = _mm512_setzero_si512();
    for (int64_t i = 0; i < (count + 63) / 64 * 64; i += V_LANES) {
        const vf x = v_mul(numbers_at(from, i, count), v_set(power));
        const __m512i number = nearest_integers(x);
        __m512i digits = _mm512_xor_si512(_mm512_add_epi32(number, raised), raised);
        lost = v_add(lost, v_absolute(v_sub(x, _mm512_cvtepi32_ps(number))));
        for (int n = 0; n < DIGITS; n++, digits = _mm512_srli_epi32(digits, 8)) {
            const __m128i bytes = _mm512_cvtepi32_epi8(digits);
            _mm_store_si128((__m128i *)(void *)(to->digit[row][n] + i), bytes);
            v_dot_bytes(&sums[n], ones, _mm512_zextsi128_si512(bytes));
        }
    }
    for (int n = 0; n < DIGITS; n++)
        to->start[row][n] = -128 * _mm512_reduce_add_epi32(sums[n]);
    to->unit[row] = 1.0f / power;
    return v_sum(lost) * to->unit[row];
}

/* What four sums of products stand for, in units. */
static inline vf sum_of_digits(const __m512i sums[DIGITS]) {
    vf sum = _mm512_cvtepi32_ps(sums[DIGITS - 1]);
#pragma GCC unroll 4
    for (int n = DIGITS - 2; n >= 0; n--)
        sum = v_fma(sum, v_set(256.0f), _mm512_cvtepi32_ps(sums[n]));
    return sum;
}

/* A row whose products are 0. */
static void split_nothing(int32_t row, split_rows *to) {
    memset(to->digit[row], 0, sizeof to->digit[row]);
    memset(to->start[row], 0, sizeof to->start[row]);
    to->unit[row] = 0.0f;
}

#endif
