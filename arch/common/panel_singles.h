/* What the register tiles of the panel family multiply: lanes by single f32 elements of keys and values. The pair
 * family's tiles are the same over panel_pairs.h. Include vec.h first. */
#ifndef FOVEA_ARCH_COMMON_PANEL_SINGLES_H
#define FOVEA_ARCH_COMMON_PANEL_SINGLES_H

#define PANEL_PAIRS 0

/* An element of a row of keys in memory, and how many of them one step of a score tile takes. */
typedef float panel_key;
#define PANEL_STEP 1

/* The factors of 1, 2 or 4 consecutive steps, and one of them. */
typedef velements panel_factors;

static inline panel_factors panel_factors_at(const float *row, const int count) {
    return v_elements(row, count);
}

static inline velement panel_factor(panel_factors row, const int i) {
    return v_element(row, i);
}

static inline __attribute__((always_inline)) void panel_accumulate(vf *acc, velement factor, vf lanes) {
    v_accumulate(acc, factor, lanes);
}

/* Up to how many vectors of lanes a factor is multiplied from memory, and the multiplication by that of step i. */
#ifdef V_FACTORS_FROM_MEMORY
#define PANEL_FROM_MEMORY V_FACTORS_FROM_MEMORY

static inline __attribute__((always_inline)) void panel_accumulate_at(vf *acc, panel_factors row, const int i,
                                                                      vf lanes) {
    v_accumulate_at(acc, row + i, lanes);
}
#else
#define PANEL_FROM_MEMORY 0
#endif

/* What the accumulators of scores begin with. */
static inline vf panel_start(const float *start) {
    return v_load_own(start);
}

#endif
