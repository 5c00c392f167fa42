/* Products of digits with bytes on AVX512-VNNI: byte_reads.h says what it takes from here. */
#ifndef FOVEA_ARCH_AVX512VNNI_PRODUCTS_H
#define FOVEA_ARCH_AVX512VNNI_PRODUCTS_H

#include "arch/avx512vnni/digits.h"
#include "arch/avx512vnni/values.h"

/* Whether so many queries are multiplied faster than as f32, of which one, two or four are multiplied at a time. */
static inline int32_t digits_pay(int32_t rows) {
    return rows == 3 || rows > 4;
}

static inline void begin_products(void) {}

static inline void end_products(void) {}

/* Queries that are multiplied at a time, at most, and with how many vectors of sums: as many as registers hold. */
enum { PRODUCT_ROWS = 2 };
#define PRODUCT_VECTORS(rows) ((rows) == 1 ? STEP_VECTORS : STEP_VECTORS / 2)

/* So many rows of the next group are asked for at a step that all have been when the first PRODUCT_ROWS rows of digits
 * are done with this one. Memory would otherwise be idle while bytes are multiplied. */
static inline int32_t rows_asked(int64_t length) {
    const int64_t passes = STEP_VECTORS / PRODUCT_VECTORS(PRODUCT_ROWS);
    const int64_t steps = passes * ((length + 3) / 4) * (GROUP_KEYS / 64);
    return (int32_t)((GROUP_KEYS + steps - 1) / steps);
}

static inline __m512i four_digits(const int8_t *at) {
    int32_t bits;
    memcpy(&bits, at, sizeof bits);
    return _mm512_set1_epi32(bits);
}

/* sums[r * STEP_VECTORS + i] = the sums of vector i of the steps for row `first` + r. ROWS (up to PRODUCT_ROWS) and
 * DIGITS_SIGNED (else the bytes are) are literals at every use. */
static inline __attribute__((always_inline)) void multiply_digits(const split_rows *factors, int32_t first,
                                                                  const int rows, const int digits_signed,
                                                                  const uint8_t *block, int32_t steps, vf *sums,
                                                                  byte_rows_ahead *ahead) {
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
            sums[r * STEP_VECTORS + i] = v_mul(sum_of_digits(acc[r][i]), v_set(factors->unit[first + r]));
}

/* All rows, PRODUCT_ROWS at a time. DIGITS_SIGNED is a literal at every use. */
static inline __attribute__((always_inline)) void multiply_block(const split_rows *factors, int32_t rows,
                                                                 const int digits_signed, const uint8_t *block,
                                                                 int32_t steps, vf *sums, byte_rows_ahead *ahead) {
    for (int32_t row = 0, taken; row < rows; row += taken, sums += taken * STEP_VECTORS) {
        taken = rows - row < PRODUCT_ROWS ? rows - row : PRODUCT_ROWS;
        for (int n = 0; n < STEP_VECTORS; n += PRODUCT_VECTORS(taken))
            if (taken == 1)
                multiply_digits(factors, row, 1, digits_signed, block + n * 64, steps, sums + n, ahead);
            else
                multiply_digits(factors, row, PRODUCT_ROWS, digits_signed, block + n * 64, steps, sums + n, ahead);
    }
}

/* 64 elements from d on of 16 keys, `count` of them the rows', as unsigned bytes, 128 higher: four of each key a step.
 */
static inline __attribute__((always_inline)) void arrange_keys(const int8_t *const row[GROUP_ROWS], int64_t d,
                                                               int64_t count, uint8_t *block) {
    const __m512i higher = _mm512_set1_epi8((char)0x80);
    vf x[GROUP_ROWS];
#pragma GCC unroll 16
    for (int i = 0; i < GROUP_ROWS; i++)
        x[i] = _mm512_castsi512_ps(_mm512_xor_si512(bytes_at(row[i] + d, count), higher));
    v_transpose(x);
#pragma GCC unroll 16
    for (int i = 0; i < GROUP_ROWS; i++)
        _mm512_store_si512(block + i * STEP_BYTES, _mm512_castps_si512(x[i]));
}

/* The rows of a piece as a vector of the steps of a block. */
static inline void arrange_piece(row_places places, int32_t piece, int64_t length, uint8_t *block) {
    const int8_t *row[GROUP_ROWS];
    int64_t d = 0;
    for (int32_t at = 0; at < GROUP_ROWS; at++)
        row[at] = places[at][piece];
    for (; d + 64 <= length; d += 64, block += 16 * STEP_BYTES)
        arrange_keys(row, d, 64, block);
    if (d < length)
        arrange_keys(row, d, length - d, block);
}

static void dots_of_group(const split_rows *q, int32_t rows, int64_t length, group_walk *walk, float *s,
                          int64_t s_stride) {
    uint8_t block[NUMBERS_MOST / 4 * STEP_BYTES] __attribute__((aligned(64)));
    for (int32_t first = 0; first * GROUP_ROWS < walk->group.count; first += STEP_VECTORS) {
        vf sums[FV_MAX_ROWS][STEP_VECTORS];
        for (int32_t n = 0; n < STEP_VECTORS; n++)
            arrange_piece(places_of(walk), first + n, length, block + n * 64);
        multiply_block(q, rows, 1, block, (int32_t)((length + 3) / 4), sums[0], &walk->ahead);
        for (int32_t row = 0; row < rows; row++)
            for (int32_t n = 0; n < STEP_VECTORS; n++)
                store_scores(sums[row][n], &walk->group, first + n, s + row * s_stride);
    }
}

/* Dot products of a run of keys with queries that are split. */
static void dots_of_run(const split_rows *q, int32_t rows, const fv_stored *k, float *s, int64_t s_stride) {
    group_walk walk;
    begin_groups(k, rows_asked(k->length), &walk);
    while (next_group(&walk))
        dots_of_group(q, rows, k->length, &walk, s, s_stride);
}

/* sums[row * STEP_VECTORS + i]: those of vector i of the steps of a block with each row of weights. */
static inline void multiply_weights(const split_rows *weights, int32_t rows, const value_block block, int32_t steps,
                                    vf *sums, byte_rows_ahead *ahead) {
    multiply_block(weights, rows, 0, block, steps, sums, ahead);
}

#endif
