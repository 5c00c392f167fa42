/* Reads of int8 by dot products of bytes: queries and weights are split into digits, of which no product and no sum is
 * rounded. Keys and values are put into the order in which they are multiplied a group of rows at a time, in the
 * first-level cache, and then multiplied with every query. That pays for DIGIT_ROWS_LEAST queries and more.
 *
 * Include arch/avx512/vec.h and v_dot_bytes (bytes.h) first. */
#ifndef FOVEA_ARCH_AVX512VNNI_BYTE_READS_H
#define FOVEA_ARCH_AVX512VNNI_BYTE_READS_H

#include <float.h>

#include "arch/avx512/elements.h"
#include "arch/avx512/row_shapes.h"
#include "arch/avx512vnni/products.h"
#include "arch/common/row_reads.h"

static void dots_by_digits(const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s,
                           int64_t s_stride);
struct scaled_run;
static void weigh_run_by_digits(const float *p, int64_t p_stride, int32_t rows, const struct scaled_run *run, float *o,
                                int64_t o_stride);

#define BARE_DOTS dots_by_digits
#define WEIGH_RUN weigh_run_by_digits
#include "arch/common/row_scaled.h"

/* Fewer queries, or shorter keys, whose sums would not hide how digits are rounded, are multiplied as f32. */
enum { DIGIT_ROWS_LEAST = 3, DIGIT_LENGTH_LEAST = 32 };

/* A run is taken in GROUPS of rows: GROUP_ROWS of each of ROW_PIECES pieces of the run, read side by side
 * (row_pieces.inc); or, of what is left, rows that follow one another. */
enum { GROUP_ROWS = 16, GROUP_KEYS = GROUP_ROWS * ROW_PIECES };

typedef struct row_group {
    /* Its first row, and how many it has. */
    int32_t first;
    int32_t count;
    /* From a row of a piece to the same of the next one. */
    int32_t piece;
} row_group;

static int32_t groups_of_run(int32_t keys) {
    return (keys + GROUP_KEYS - 1) / GROUP_KEYS;
}

static row_group group_of_run(int32_t keys, int32_t number) {
    const int32_t whole = keys / GROUP_KEYS;
    if (number < whole)
        return (row_group){.first = number * GROUP_ROWS, .count = GROUP_KEYS, .piece = whole * GROUP_ROWS};
    return (row_group){.first = whole * GROUP_KEYS, .count = keys - whole * GROUP_KEYS, .piece = GROUP_ROWS};
}

/* Where the rows of a group lie: row `at` of piece n; beyond the group's end its last one. */
typedef const int8_t *row_places[GROUP_ROWS][ROW_PIECES];

static void find_places(const fv_stored *stored, const row_group *group, row_places places) {
    const int32_t is_whole = group->count == GROUP_KEYS;
    if (is_whole && !stored->each) {
        const int8_t *first = (const int8_t *)stored->rows + group->first * stored->stride;
        for (int32_t at = 0; at < GROUP_ROWS; at++)
            for (int32_t n = 0; n < ROW_PIECES; n++)
                places[at][n] = first + (n * group->piece + at) * stored->stride;
        return;
    }
    for (int32_t at = 0; at < GROUP_ROWS; at++)
        for (int32_t n = 0; n < ROW_PIECES; n++) {
            const int32_t number = n * group->piece + at;
            const int32_t row = group->first + (is_whole || number < group->count ? number : group->count - 1);
            places[at][n] = stored->each ? stored->each[row] : (const int8_t *)stored->rows + row * stored->stride;
        }
}

/* The groups of a run one after the other: a group, the places of its rows, and those of the next one's to ask for. */
typedef struct group_walk {
    const fv_stored *stored;
    int32_t number;
    row_group group;
    row_places places[2];
    byte_rows_ahead ahead;
} group_walk;

/* `rows` queries are multiplied with each group. So many rows of the next group are asked for at a step that all have
 * been when the first PRODUCT_ROWS queries are done. */
static void begin_groups(const fv_stored *stored, int32_t rows, group_walk *walk) {
    const int64_t passes = STEP_VECTORS / PRODUCT_VECTORS(rows),
                  steps = passes * ((stored->length + 3) / 4) * (GROUP_KEYS / 64);
    const row_group first = group_of_run(stored->count, 0);
    walk->stored = stored;
    walk->number = -1;
    walk->ahead.at_once = (int32_t)((GROUP_KEYS + steps - 1) / steps);
    walk->ahead.bytes = stored->length;
    find_places(stored, &first, walk->places[0]);
}

/* Returns 0 after the last one. */
static int32_t next_group(group_walk *walk) {
    const int32_t keys = walk->stored->count, groups = groups_of_run(keys);
    if (++walk->number == groups)
        return 0;
    walk->group = group_of_run(keys, walk->number);
    walk->ahead.left = 0;
    if (walk->number + 1 < groups) {
        const row_group next = group_of_run(keys, walk->number + 1);
        walk->ahead.row = walk->places[(walk->number + 1) % 2][0];
        walk->ahead.left = GROUP_KEYS;
        find_places(walk->stored, &next, walk->places[(walk->number + 1) % 2]);
    }
    return 1;
}

static const int8_t *(*places_of(group_walk *walk))[ROW_PIECES] {
    return walk->places[walk->number % 2];
}

/* 64 bytes of a row, of which `count` are its own, and zeros behind them. */
static inline __attribute__((always_inline)) __m512i bytes_at(const int8_t *p, int64_t count) {
    return count >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8((1ull << count) - 1, p);
}

/* --- dot products --- */

/* Lanes of a vector of keys, and vectors of a group. */
enum { KEY_LANES = 16, KEY_VECTORS = GROUP_KEYS / KEY_LANES, LANES_OF_PIECE = KEY_LANES / ROW_PIECES };

/* Vector `number` of the keys of a group: two rows of each piece, or rows that follow one another. */
static inline void places_of_vector(const row_group *group, row_places places, int32_t number,
                                    const int8_t *row[KEY_LANES]) {
    if (group->count == GROUP_KEYS)
#pragma GCC unroll 16
        for (int i = 0; i < KEY_LANES; i++)
            row[i] = places[number * LANES_OF_PIECE + i % LANES_OF_PIECE][i / LANES_OF_PIECE];
    else
        for (int i = 0; i < KEY_LANES; i++)
            row[i] = places[i][number];
}

/* 64 elements from d on of 16 keys, `count` of them the rows', as unsigned bytes, 128 higher: four of each key a step.
 */
static inline __attribute__((always_inline)) void arrange_keys(const int8_t *const row[KEY_LANES], int64_t d,
                                                               int64_t count, uint8_t *block) {
    const __m512i higher = _mm512_set1_epi8((char)0x80);
    vf x[KEY_LANES];
#pragma GCC unroll 16
    for (int i = 0; i < KEY_LANES; i++)
        x[i] = _mm512_castsi512_ps(_mm512_xor_si512(bytes_at(row[i] + d, count), higher));
    v_transpose(x);
#pragma GCC unroll 16
    for (int i = 0; i < KEY_LANES; i++)
        _mm512_store_si512(block + i * STEP_BYTES, _mm512_castps_si512(x[i]));
}

static inline void arrange_vector(const int8_t *const row[KEY_LANES], int64_t length, uint8_t *block) {
    int64_t d = 0;
    for (; d + 64 <= length; d += 64, block += 16 * STEP_BYTES)
        arrange_keys(row, d, 64, block);
    if (d < length)
        arrange_keys(row, d, length - d, block);
}

/* x, each with two lanes of every piece, becomes one vector of each piece. */
static inline void transpose_pairs(const vf from[KEY_VECTORS], vf to[ROW_PIECES]) {
    __m512d t[8], u[8];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const __m512d even = _mm512_castps_pd(from[2 * i]), odd = _mm512_castps_pd(from[2 * i + 1]);
        t[2 * i] = _mm512_unpacklo_pd(even, odd);
        t[2 * i + 1] = _mm512_unpackhi_pd(even, odd);
    }
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
        u[0 + j] = _mm512_shuffle_f64x2(t[j], t[2 + j], 0x88);
        u[2 + j] = _mm512_shuffle_f64x2(t[j], t[2 + j], 0xDD);
        u[4 + j] = _mm512_shuffle_f64x2(t[4 + j], t[6 + j], 0x88);
        u[6 + j] = _mm512_shuffle_f64x2(t[4 + j], t[6 + j], 0xDD);
    }
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
        to[0 + j] = _mm512_castpd_ps(_mm512_shuffle_f64x2(u[j], u[4 + j], 0x88));
        to[4 + j] = _mm512_castpd_ps(_mm512_shuffle_f64x2(u[j], u[4 + j], 0xDD));
        to[2 + j] = _mm512_castpd_ps(_mm512_shuffle_f64x2(u[2 + j], u[6 + j], 0x88));
        to[6 + j] = _mm512_castpd_ps(_mm512_shuffle_f64x2(u[2 + j], u[6 + j], 0xDD));
    }
}

/* Stores a group's scores of one query, one vector after the other. */
static inline void store_scores(const vf sums[KEY_VECTORS], const row_group *group, float *s) {
    if (group->count == GROUP_KEYS) {
        vf of_piece[ROW_PIECES];
        transpose_pairs(sums, of_piece);
#pragma GCC unroll 8
        for (int n = 0; n < ROW_PIECES; n++)
            v_store(s + group->first + n * group->piece, of_piece[n]);
        return;
    }
    for (int32_t at = 0; at < group->count; at += KEY_LANES) {
        const int32_t left = group->count - at;
        v_store_f32_part(s + group->first + at, left < KEY_LANES ? left : KEY_LANES, sums[at / KEY_LANES]);
    }
}

static void dots_of_group(const split_rows *q, int32_t rows, int64_t length, group_walk *walk, float *s,
                          int64_t s_stride) {
    uint8_t block[NUMBERS_MOST / 4 * STEP_BYTES] __attribute__((aligned(64)));
    vf sums[FV_MAX_ROWS][KEY_VECTORS];
    for (int32_t begin = 0; begin * KEY_LANES < walk->group.count; begin += STEP_VECTORS) {
        for (int32_t n = 0; n < STEP_VECTORS; n++) {
            const int8_t *row[KEY_LANES];
            places_of_vector(&walk->group, places_of(walk), begin + n, row);
            arrange_vector(row, length, block + n * 64);
        }
        multiply_block(q, rows, 1, block, (int32_t)((length + 3) / 4), sums[0] + begin, KEY_VECTORS, &walk->ahead);
    }
    for (int32_t row = 0; row < rows; row++)
        store_scores(sums[row], &walk->group, s + row * s_stride);
}

static void dots_by_digits(const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s,
                           int64_t s_stride) {
    split_rows split;
    group_walk walk;
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
    begin_groups(k, rows, &walk);
    while (next_group(&walk))
        dots_of_group(&split, rows, k->length, &walk, s, s_stride);
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

/* Pieces whose values make a step. */
enum { STEP_PIECES = 4 };

/* Digits of 0 to 255 of a group's weights: of a row of four pieces, then of the next row of these. What a weight is
 * rounded by goes to that of the same row in the next piece, so that weights that are small beside the largest are not
 * all rounded the same way. */
static inline void split_weights(const float *p, const scaled_run *run, const row_group *group, int32_t row,
                                 split_rows *to) {
    vf largest = v_set(least_largest), carried = v_set(0.0f), weights[ROW_PIECES];
#pragma GCC unroll 8
    for (int n = 0; n < ROW_PIECES; n++) {
        weights[n] = weights_of_piece(p, run, group, n);
        largest = v_max(weights[n], largest);
    }
    const vf power = v_set(power_to(v_largest(largest), 24));
#pragma GCC unroll 2
    for (int first = 0; first < ROW_PIECES; first += STEP_PIECES) {
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

/* A step: one row of four pieces, 64 columns from d on, `count` of them the rows': a vector has four columns of each
 * quarter of them. */
static inline __attribute__((always_inline)) void arrange_values(const int8_t *const row[STEP_PIECES], int64_t d,
                                                                 int64_t count, uint8_t *block) {
    __m512i x[STEP_PIECES];
#pragma GCC unroll 4
    for (int n = 0; n < STEP_PIECES; n++)
        x[n] = bytes_at(row[n] + d, count);
    const __m512i low01 = _mm512_unpacklo_epi8(x[0], x[1]), high01 = _mm512_unpackhi_epi8(x[0], x[1]);
    const __m512i low23 = _mm512_unpacklo_epi8(x[2], x[3]), high23 = _mm512_unpackhi_epi8(x[2], x[3]);
    _mm512_store_si512(block, _mm512_unpacklo_epi16(low01, low23));
    _mm512_store_si512(block + 64, _mm512_unpackhi_epi16(low01, low23));
    _mm512_store_si512(block + 128, _mm512_unpacklo_epi16(high01, high23));
    _mm512_store_si512(block + 192, _mm512_unpackhi_epi16(high01, high23));
}

/* o += 64 columns in that order, of which `count` are the row's. */
static inline void add_columns(const vf sums[4], int64_t count, float *o) {
    const vf even_low = _mm512_shuffle_f32x4(sums[0], sums[1], 0x88),
             odd_low = _mm512_shuffle_f32x4(sums[0], sums[1], 0xDD);
    const vf even_high = _mm512_shuffle_f32x4(sums[2], sums[3], 0x88);
    const vf odd_high = _mm512_shuffle_f32x4(sums[2], sums[3], 0xDD);
    const vf columns[4] = {
        _mm512_shuffle_f32x4(even_low, even_high, 0x88), _mm512_shuffle_f32x4(odd_low, odd_high, 0x88),
        _mm512_shuffle_f32x4(even_low, even_high, 0xDD), _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD)};
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        float *to = o + i * V_LANES;
        if (count >= (i + 1) * V_LANES)
            v_store(to, v_add(v_load(to), columns[i]));
        else if (count > i * V_LANES)
            v_store_f32_part(to, count - i * V_LANES, v_add(v_load_f32_part(to, count - i * V_LANES), columns[i]));
    }
}

/* Steps of a group of values, and the blocks, of 64 columns each, that are arranged at a time: rows are read whole, but
 * for long ones. */
enum { GROUP_STEPS = GROUP_KEYS / STEP_PIECES, VALUE_BLOCKS = 2 };
typedef uint8_t value_block[GROUP_STEPS * STEP_BYTES] __attribute__((aligned(64)));

/* `count` columns from `begin` on of the rows of a group's first `pieces` pieces. */
static inline void arrange_columns(row_places places, int32_t pieces, int64_t begin, int64_t count,
                                   value_block *blocks) {
    for (int32_t at = 0; at < GROUP_ROWS; at++)
        for (int32_t first = 0; first < pieces; first += STEP_PIECES) {
            uint8_t *step = blocks[0] + (first / STEP_PIECES * GROUP_ROWS + at) * STEP_BYTES;
            int64_t d = 0;
            for (; d + 64 <= count; d += 64, step += sizeof *blocks)
                arrange_values(places[at] + first, begin + d, 64, step);
            if (d < count)
                arrange_values(places[at] + first, begin + d, count - d, step);
        }
}

static void add_group(const split_rows *weights, int32_t rows, int64_t length, group_walk *walk, float *o,
                      int64_t o_stride) {
    value_block blocks[VALUE_BLOCKS];
    /* Pieces of which there are rows, filled up to whole steps. */
    const int32_t pieces = walk->group.count > GROUP_KEYS / 2 ? ROW_PIECES : STEP_PIECES;
    const int32_t steps = pieces / STEP_PIECES * GROUP_ROWS;
    const int64_t most = VALUE_BLOCKS * 64;
    for (int64_t begin = 0; begin < length; begin += most) {
        const int64_t count = length - begin < most ? length - begin : most;
        arrange_columns(places_of(walk), pieces, begin, count, blocks);
        for (int64_t d = 0; d < count; d += 64) {
            vf sums[FV_MAX_ROWS][STEP_VECTORS];
            multiply_block(weights, rows, 0, blocks[d / 64], steps, sums[0], STEP_VECTORS, &walk->ahead);
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
    begin_groups(&run->stored, rows, &walk);
    while (next_group(&walk)) {
        for (int32_t row = 0; row < rows; row++)
            if (is_split[row])
                split_weights(p + row * p_stride, run, &walk.group, row, &split);
        add_group(&split, rows, run->stored.length, &walk, o, o_stride);
    }
    for (int32_t row = 0; row < rows; row++)
        if (!is_split[row])
            weigh_run(p + row * p_stride, p_stride, 1, run, o + row * o_stride, o_stride);
}

#endif
