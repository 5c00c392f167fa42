/* What the register tiles of the pair family multiply: lanes of pairs of bf16 numbers by pairs from keys or values (see
 * panel_singles.h). Include vec.h and the vocabulary of pairs first:
 *
 *   v_dot_pairs(&acc, a, b)       acc + a[1] * b[1] + a[0] * b[0] in each lane, in acc's own register
 *   v_pair(even, odd)             two vectors of f32, neither negative, rounded to nearest and put together as pairs
 *   v_broadcast_pair(p)           two consecutive elements, in every lane; aligned to 2 bytes only
 *   v_broadcast_last(p)           one element and a zero
 *   v_load_pairs(p), _part        V_LANES pairs of consecutive elements; the first `count` < 2 V_LANES elements, then
 * zeros v_interleave(even, odd), _part   pairs of one element of each of two rows
 *
 * Pairs are 32 bits wide, the element of the lower index in the lower half, and travel as vf. */
#ifndef FOVEA_ARCH_COMMON_PANEL_PAIRS_H
#define FOVEA_ARCH_COMMON_PANEL_PAIRS_H

#define PANEL_PAIRS 1

typedef uint16_t panel_key;
#define PANEL_STEP 2

typedef const uint16_t *panel_factors;

static inline panel_factors panel_factors_at(const uint16_t *row, const int count) {
    (void)count;
    return row;
}

static inline velement panel_factor(panel_factors row, const int i) {
    return v_broadcast_pair(row + 2 * i);
}

/* Of the last element of an odd number. */
static inline velement panel_last_factor(panel_factors row, const int i) {
    return v_broadcast_last(row + 2 * i);
}

static inline __attribute__((always_inline)) void panel_accumulate(vf *acc, velement factor, vf lanes) {
    v_dot_pairs(acc, factor, lanes);
}

#define PANEL_FROM_MEMORY 0

/* Queries are packed unscaled, for scaled ones would be rounded once more: scale and start follow the products. */
static inline vf panel_start(const float *start) {
    (void)start;
    return v_set(0.0f);
}

#endif
