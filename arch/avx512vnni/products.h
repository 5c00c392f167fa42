/* Products of digits with bytes. */
#ifndef FOVEA_ARCH_AVX512VNNI_PRODUCTS_H
#define FOVEA_ARCH_AVX512VNNI_PRODUCTS_H

#include "arch/avx512vnni/digits.h"
#include "arch/common/ahead.h"

/* Bytes in the order in which they are multiplied: a STEP is four bytes of each of 64 sums, those of one sum next to
 * one another, in STEP_VECTORS vectors. */
enum { STEP_VECTORS = 4, STEP_BYTES = STEP_VECTORS * 64 };

/* Queries that are multiplied at a time, at most, and with how many vectors of sums: as many as registers hold. */
enum { PRODUCT_ROWS = 4 };
#define PRODUCT_VECTORS(rows) ((rows) <= 2 ? STEP_VECTORS : STEP_VECTORS / 2)

/* Rows that will be needed soon, of so many bytes: `at_once` of them are asked for at each step, since memory would
 * otherwise be idle while bytes are multiplied. */
typedef struct byte_rows_ahead {
    const int8_t *const *row;
    int32_t left;
    int32_t at_once;
    int64_t bytes;
} byte_rows_ahead;

static inline void ask_for_byte_rows(byte_rows_ahead *ahead) {
    for (int32_t n = ahead->at_once; n > 0 && ahead->left > 0; n--, ahead->left--)
        ask_for(*ahead->row++, 0, ahead->bytes);
}

static inline __m512i four_digits(const int8_t *at) {
    int32_t bits;
    memcpy(&bits, at, sizeof bits);
    return _mm512_set1_epi32(bits);
}

/* What three sums of products stand for, in units. */
static inline vf sum_of_digits(const __m512i sums[DIGITS]) {
    const vf base = v_set(256.0f);
    const vf upper = v_fma(_mm512_cvtepi32_ps(sums[2]), base, _mm512_cvtepi32_ps(sums[1]));
    return v_fma(upper, base, _mm512_cvtepi32_ps(sums[0]));
}

/* sums[r * sums_stride + i] = the sums of vector i of a step for row `first` + r. ROWS (up to PRODUCT_ROWS) and
 * DIGITS_SIGNED (else the bytes are) are literals at every use. */
static inline __attribute__((always_inline)) void multiply_digits(const split_rows *factors, int32_t first,
                                                                  const int rows, const int digits_signed,
                                                                  const uint8_t *block, int32_t steps, vf *sums,
                                                                  int32_t sums_stride, byte_rows_ahead *ahead) {
    const int vectors = PRODUCT_VECTORS(rows);
    const int8_t(*digit)[DIGITS][NUMBERS_MOST] = factors->digit + first;
    __m512i acc[PRODUCT_ROWS][STEP_VECTORS][DIGITS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
#pragma GCC unroll 4
            for (int n = 0; n < DIGITS; n++)
                acc[r][i][n] = digits_signed ? _mm512_set1_epi32(factors->start[first + r][n]) : _mm512_setzero_si512();
    for (int32_t step = 0; step < steps; step++) {
        __m512i bytes[STEP_VECTORS];
        ask_for_byte_rows(ahead);
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            bytes[i] = _mm512_load_si512(block + step * STEP_BYTES + i * 64);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int n = 0; n < DIGITS; n++) {
                const __m512i digits = four_digits(digit[r][n] + step * 4);
#pragma GCC unroll 4
                for (int i = 0; i < vectors; i++)
                    if (digits_signed)
                        v_dot_bytes(&acc[r][i][n], bytes[i], digits);
                    else
                        v_dot_bytes(&acc[r][i][n], digits, bytes[i]);
            }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            sums[r * sums_stride + i] = v_mul(sum_of_digits(acc[r][i]), v_set(factors->unit[first + r]));
}

/* All rows, PRODUCT_ROWS at a time. DIGITS_SIGNED is a literal at every use. */
static inline __attribute__((always_inline)) void multiply_block(const split_rows *factors, int32_t rows,
                                                                 const int digits_signed, const uint8_t *block,
                                                                 int32_t steps, vf *sums, int32_t sums_stride,
                                                                 byte_rows_ahead *ahead) {
    for (int32_t row = 0, taken; row < rows; row += taken, sums += taken * sums_stride) {
        taken = rows - row < PRODUCT_ROWS ? rows - row : PRODUCT_ROWS;
        for (int n = 0; n < STEP_VECTORS; n += PRODUCT_VECTORS(taken))
            switch (taken) {
            case 1:
                multiply_digits(factors, row, 1, digits_signed, block + n * 64, steps, sums + n, sums_stride, ahead);
                break;
            case 2:
                multiply_digits(factors, row, 2, digits_signed, block + n * 64, steps, sums + n, sums_stride, ahead);
                break;
            case 3:
                multiply_digits(factors, row, 3, digits_signed, block + n * 64, steps, sums + n, sums_stride, ahead);
                break;
            default:
                multiply_digits(factors, row, PRODUCT_ROWS, digits_signed, block + n * 64, steps, sums + n, sums_stride,
                                ahead);
                break;
            }
    }
}

#endif
