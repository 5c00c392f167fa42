/* Reads of int8 by products of bytes: queries and weights are split into digits, of which no product and no sum is
 * rounded. Keys and values are put into the order in which they are multiplied a group of rows at a time, in the
 * first-level cache, and then multiplied with every query.
 *
 * Include arch/avx512/vec.h first, and a file that says how to multiply (products.h):
 *   DIGIT_ROWS_LEAST     for how many queries that pays
 *   dots_of_run          dot products of a run of keys with queries that are split
 *   multiply_weights     sums over the rows of a block of values with weights that are split
 *   begin_products       what stands before and after multiply_weights, end_products
 *   rows_asked           how many rows of the next group multiply_weights asks for at a time */
#ifndef FOVEA_ARCH_AVX512VNNI_BYTE_READS_H
#define FOVEA_ARCH_AVX512VNNI_BYTE_READS_H

#include <float.h>

#include "arch/avx512/elements.h"
#include "arch/avx512/row_shapes.h"
#include "arch/avx512vnni/digits.h"
#include "arch/avx512vnni/values.h"
#include "arch/common/row_reads.h"

static void dots_by_digits(const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s,
                           int64_t s_stride);
struct scaled_run;
static void weigh_run_by_digits(const float *p, int64_t p_stride, int32_t rows, const struct scaled_run *run, float *o,
                                int64_t o_stride);

#define BARE_DOTS dots_by_digits
#define WEIGH_RUN weigh_run_by_digits
#include "arch/common/row_scaled.h"

/* Sums of fewer elements would not hide how digits are rounded. */
enum { DIGIT_LENGTH_LEAST = 32 };

/* --- dot products --- */

static void dots_by_digits(const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s,
                           int64_t s_stride) {
    split_rows split;
    int32_t is_split[FV_MAX_ROWS];
    if (rows < DIGIT_ROWS_LEAST || k->length < DIGIT_LENGTH_LEAST || k->length > NUMBERS_MOST) {
        dots_int8_sums(q, q_stride, rows, k, s, s_stride);
        return;
    }
    for (int32_t row = 0; row < rows; row++) {
        is_split[row] = are_worth_splitting(q + row * q_stride, k->length);
        if (is_split[row])
            split_signed(q + row * q_stride, k->length, row, &split);
        else
            split_nothing(row, &split);
    }
    dots_of_run(&split, rows, k, s, s_stride);
    for (int32_t row = 0; row < rows; row++)
        if (!is_split[row])
            dots_int8_sums(q + row * q_stride, q_stride, 1, k, s + row * s_stride, s_stride);
}

/* --- weighted sums --- */

/* Whether the weights of a run may be split: neither negative nor NaN nor very large. */
static int32_t are_weights(const float *p, const scaled_run *run) {
    vf largest = v_set(0.0f), negated = v_set(0.0f), check = v_set(0.0f);
    for (int32_t i = 0; i < run->stored.count; i += V_LANES) {
        const vf weight = weights_at(p, run, i);
        largest = v_max(weight, largest);
        negated = v_max(v_sub(v_set(0.0f), weight), negated);
        check = v_fma(weight, v_set(0.0f), check);
    }
    return v_largest(largest) <= most_largest && v_largest(negated) <= 0.0f && v_sum(check) == 0.0f;
}

/* The weights of piece n of a group. */
static inline vf weights_of_piece(const float *p, const scaled_run *run, const row_group *group, int32_t n) {
    const int32_t at = group->first + n * group->piece;
    return at < run->stored.count ? weights_at(p, run, at) : v_set(0.0f);
}

/* digits[n]: in each lane digit n of the four numbers there. */
static inline void digits_of_four(const __m512i x[4], __m512i digits[DIGITS]) {
    const __mmask64 odd_bytes = 0xaaaaaaaaaaaaaaaa;
    const __mmask32 odd_words = 0xaaaaaaaa;
    const __m512i even01 = _mm512_mask_blend_epi8(odd_bytes, x[0], _mm512_slli_epi32(x[1], 8));
    const __m512i even23 = _mm512_mask_blend_epi8(odd_bytes, x[2], _mm512_slli_epi32(x[3], 8));
    const __m512i odd01 = _mm512_mask_blend_epi8(odd_bytes, _mm512_srli_epi32(x[0], 8), x[1]);
    const __m512i odd23 = _mm512_mask_blend_epi8(odd_bytes, _mm512_srli_epi32(x[2], 8), x[3]);
    digits[0] = _mm512_mask_blend_epi16(odd_words, even01, _mm512_slli_epi32(even23, 16));
    digits[1] = _mm512_mask_blend_epi16(odd_words, odd01, _mm512_slli_epi32(odd23, 16));
    digits[2] = _mm512_mask_blend_epi16(odd_words, _mm512_srli_epi32(even01, 16), even23);
}

/* Digits of 0 to 255 of a group's weights: of a row of four pieces, then of the next row of these. What a weight is
 * rounded by goes to that of the same row in the next piece, so that weights that are small beside the largest are not
 * all rounded the same way. */
static inline void split_weights(const float *p, const scaled_run *run, const row_group *group, int32_t row,
                                 split_rows *to) {
    vf largest = v_set(least_largest), carried = v_set(0.0f), weights[GROUP_PIECES];
#pragma GCC unroll 8
    for (int n = 0; n < GROUP_PIECES; n++) {
        weights[n] = weights_of_piece(p, run, group, n);
        largest = v_max(weights[n], largest);
    }
    const vf power = v_set(power_to(v_largest(largest), 24));
#pragma GCC unroll 2
    for (int first = 0; first < GROUP_PIECES; first += STEP_PIECES) {
        __m512i numbers[STEP_PIECES], digits[DIGITS];
#pragma GCC unroll 4
        for (int n = 0; n < STEP_PIECES; n++) {
            const vf x = v_fma(weights[first + n], power, carried);
            numbers[n] = _mm512_min_epi32(nearest_integers(x), _mm512_set1_epi32(0xffffff));
            carried = v_sub(x, _mm512_cvtepi32_ps(numbers[n]));
        }
        digits_of_four(numbers, digits);
#pragma GCC unroll 4
        for (int n = 0; n < DIGITS; n++)
            _mm512_storeu_si512(to->digit[row][n] + first * GROUP_ROWS, digits[n]);
    }
    to->unit[row] = 1.0f / _mm512_cvtss_f32(power);
}

static void add_group(const split_rows *weights, int32_t rows, int64_t length, group_walk *walk, float *o,
                      int64_t o_stride) {
    value_block blocks[VALUE_BLOCKS];
    /* Pieces of which there are rows, filled up to whole steps. */
    const int32_t pieces = walk->group.count > GROUP_KEYS / 2 ? GROUP_PIECES : STEP_PIECES;
    const int32_t steps = pieces / STEP_PIECES * GROUP_ROWS;
    const int64_t most = VALUE_BLOCKS * 64;
    for (int64_t begin = 0; begin < length; begin += most) {
        const int64_t count = length - begin < most ? length - begin : most;
        arrange_columns(places_of(walk), pieces, begin, count, blocks);
        for (int64_t d = 0; d < count; d += 64) {
            vf sums[FV_MAX_ROWS][STEP_VECTORS];
            multiply_weights(weights, rows, blocks[d / 64], steps, sums[0], &walk->ahead);
            for (int32_t row = 0; row < rows; row++)
                add_columns(sums[row], count - d, o + row * o_stride + begin + d);
        }
    }
}

static void weigh_run_by_digits(const float *p, int64_t p_stride, int32_t rows, const scaled_run *run, float *o,
                                int64_t o_stride) {
    split_rows split;
    group_walk walk;
    int32_t is_split[FV_MAX_ROWS];
    if (rows < DIGIT_ROWS_LEAST) {
        weigh_run(p, p_stride, rows, run, o, o_stride);
        return;
    }
    for (int32_t row = 0; row < rows; row++) {
        is_split[row] = are_weights(p + row * p_stride, run);
        if (!is_split[row])
            split_nothing(row, &split);
    }
    begin_groups(&run->stored, rows_asked(rows, run->stored.length), &walk);
    begin_products();
    while (next_group(&walk)) {
        for (int32_t row = 0; row < rows; row++)
            if (is_split[row])
                split_weights(p + row * p_stride, run, &walk.group, row, &split);
        add_group(&split, rows, run->stored.length, &walk, o, o_stride);
    }
    end_products();
    for (int32_t row = 0; row < rows; row++)
        if (!is_split[row])
            weigh_run(p + row * p_stride, p_stride, 1, run, o + row * o_stride, o_stride);
}

#endif
