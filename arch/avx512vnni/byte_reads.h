/* Reads of int8 by products of bytes: queries and weights are split into digits, of which no product and no sum is
 * rounded. Keys and values are put into the order in which they are multiplied a group of rows at a time, in the
 * first-level cache, and then multiplied with every query. Numbers that would lose too much are multiplied as f32.
 *
 * Include arch/avx512/vec.h first, and a file that says how to multiply (products.h):
 *   digits_pay           whether that is faster for so many queries
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

struct scaled_run;
static void multiply_run_by_digits(const float *q, int64_t q_stride, int32_t rows, const struct scaled_run *run,
                                   float *s, int64_t s_stride);
static void weigh_run_by_digits(const float *p, int64_t p_stride, int32_t rows, const struct scaled_run *run, float *o,
                                int64_t o_stride);

#define MULTIPLY_RUN multiply_run_by_digits
#define WEIGH_RUN weigh_run_by_digits
#include "arch/common/row_scaled.h"

/* Which rows of numbers are split. */
typedef struct rows_split {
    int32_t is_split[FV_MAX_ROWS];
    int32_t any;
} rows_split;

/* How many rows from `row` on are not split, one after the other. */
static int32_t rows_left(const rows_split *of, int32_t row, int32_t rows) {
    int32_t count = 0;
    while (row + count < rows && !of->is_split[row + count])
        count++;
    return count;
}

/* --- dot products --- */

/* How far from what it is a score may be because its query is rounded. */
static const float most_lost_of_score = 0x1p-22f;

static float largest_scale(const scaled_run *run) {
    vf largest = v_set(0.0f);
    for (int32_t i = 0; i < run->stored.count; i += V_LANES)
        largest = v_max(v_absolute(v_load(run->scales + i)), largest);
    return v_largest(largest);
}

/* A function of its own, so that what it has on the stack is gone when f32 takes the rest. */
static __attribute__((noinline)) void multiply_split(const float *q, int64_t q_stride, int32_t rows,
                                                     const scaled_run *run, float *s, int64_t s_stride,
                                                     rows_split *which) {
    const float largest_key = 127.0f * largest_scale(run);
    split_rows split;
    for (int32_t row = 0; row < rows; row++) {
        const float lost = split_signed(q + row * q_stride, run->stored.length, row, &split);
        which->is_split[row] = lost * largest_key <= most_lost_of_score;
        which->any |= which->is_split[row];
        if (!which->is_split[row])
            split_nothing(row, &split);
    }
    if (which->any)
        dots_of_run(&split, rows, &run->stored, s, s_stride);
}

static void multiply_run_by_digits(const float *q, int64_t q_stride, int32_t rows, const scaled_run *run, float *s,
                                   int64_t s_stride) {
    rows_split which = {.any = 0};
    if (digits_pay(rows) && run->all_ordinary && run->stored.length <= NUMBERS_MOST)
        multiply_split(q, q_stride, rows, run, s, s_stride, &which);
    for (int32_t row = 0, count; row < rows; row += count + (count == 0)) {
        count = rows_left(&which, row, rows);
        if (count > 0)
            multiply_run(q + row * q_stride, q_stride, count, run, s + row * s_stride, s_stride);
    }
}

/* --- weighted sums --- */

/* Whether values of a run with such scales may be weighed by digits. The weights of a group are rounded by a 2^32nd
 * part of the largest, which is p s for some scale s, at most. The bytes of a row with scale s' are no more than the
 * largest value divided by s', so that a sum is off by at most 2^-32 p times that value times the sum of all s / s'. */
static int32_t are_alike(const scaled_run *run) {
    const float most_unlike = 4.0f;
    vf sum = v_set(0.0f), count = v_set(0.0f), negated = v_set(0.0f);
    for (int32_t i = 0; i < run->stored.count; i += V_LANES) {
        const vf scale = v_load(run->scales + i);
        const vmask is_zero = v_equal(scale, v_set(0.0f));
        sum = v_add(sum, v_select(is_zero, v_set(0.0f), v_divide(v_set(1.0f), scale)));
        count = v_add(count, v_select(is_zero, v_set(0.0f), v_set(1.0f)));
        negated = v_max(v_sub(v_set(0.0f), scale), negated);
    }
    return v_largest(negated) <= 0.0f && largest_scale(run) * v_sum(sum) <= most_unlike * v_sum(count);
}

/* Whether weights may be split: neither negative nor infinite, NaN or very large. */
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
    digits[3] = _mm512_mask_blend_epi16(odd_words, _mm512_srli_epi32(odd01, 16), odd23);
}

/* Digits of 0 to 255 of a group's weights: of a row of four pieces, then of the next row of these. */
static inline void split_weights(const float *p, const scaled_run *run, const row_group *group, int32_t row,
                                 split_rows *to) {
    vf largest = v_set(least_largest), weights[GROUP_PIECES];
#pragma GCC unroll 8
    for (int n = 0; n < GROUP_PIECES; n++) {
        weights[n] = weights_of_piece(p, run, group, n);
        largest = v_max(weights[n], largest);
    }
    const vf power = v_set(power_to(v_largest(largest), 32));
#pragma GCC unroll 2
    for (int first = 0; first < GROUP_PIECES; first += STEP_PIECES) {
        __m512i numbers[STEP_PIECES], digits[DIGITS];
#pragma GCC unroll 4
        for (int n = 0; n < STEP_PIECES; n++)
            numbers[n] = _mm512_cvt_roundps_epu32(v_mul(weights[first + n], power),
                                                  _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        digits_of_four(numbers, digits);
#pragma GCC unroll 4
        for (int n = 0; n < DIGITS; n++)
            _mm512_store_si512(to->digit[row][n] + first * GROUP_ROWS, digits[n]);
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

static __attribute__((noinline)) void weigh_split(const float *p, int64_t p_stride, int32_t rows, const scaled_run *run,
                                                  float *o, int64_t o_stride, rows_split *which) {
    split_rows split;
    group_walk walk;
    for (int32_t row = 0; row < rows; row++) {
        which->is_split[row] = are_weights(p + row * p_stride, run);
        which->any |= which->is_split[row];
        if (!which->is_split[row])
            split_nothing(row, &split);
    }
    if (!which->any)
        return;
    begin_groups(&run->stored, rows_asked(run->stored.length), &walk);
    begin_products();
    while (next_group(&walk)) {
        for (int32_t row = 0; row < rows; row++)
            if (which->is_split[row])
                split_weights(p + row * p_stride, run, &walk.group, row, &split);
        add_group(&split, rows, run->stored.length, &walk, o, o_stride);
    }
    end_products();
}

static void weigh_run_by_digits(const float *p, int64_t p_stride, int32_t rows, const scaled_run *run, float *o,
                                int64_t o_stride) {
    rows_split which = {.any = 0};
    if (digits_pay(rows) && are_alike(run))
        weigh_split(p, p_stride, rows, run, o, o_stride, &which);
    for (int32_t row = 0, count; row < rows; row += count + (count == 0)) {
        count = rows_left(&which, row, rows);
        if (count > 0)
            weigh_run(p + row * p_stride, p_stride, count, run, o + row * o_stride, o_stride);
    }
}

#endif
