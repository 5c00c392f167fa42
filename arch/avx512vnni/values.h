/* Values of a group in the order in which weights are multiplied with them, and the way back of the sums. */
#ifndef FOVEA_ARCH_AVX512VNNI_VALUES_H
#define FOVEA_ARCH_AVX512VNNI_VALUES_H

#include "arch/avx512vnni/groups.h"

/* Bytes in the order in which they are multiplied: a STEP is four bytes of each of 64 sums, those of one sum next to
 * one another, in STEP_VECTORS vectors. */
enum { STEP_VECTORS = 4, STEP_BYTES = STEP_VECTORS * 64 };

/* Pieces whose values make a step. */
enum { STEP_PIECES = 4 };

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

#endif
