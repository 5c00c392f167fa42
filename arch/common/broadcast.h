/* A part of the vector vocabulary for instruction sets on which a broadcast from memory costs no more than a load, and
 * whose FMA need not overwrite its addend. Include it behind v_load, v_set and v_broadcast. */
#ifndef FOVEA_ARCH_COMMON_BROADCAST_H
#define FOVEA_ARCH_COMMON_BROADCAST_H

/* 1, 2 or 4 consecutive elements of a row of keys or values, and one of them as a factor of v_accumulate. The elements
 * stay in memory. */
typedef const float *velements;
typedef vf velement;

static inline velements v_elements(const float *p, const int count) {
    (void)count;
    return p;
}

static inline velement v_element(velements row, const int i) {
    return v_broadcast(row + i);
}

/* A load for an accumulator: other instruction sets would rather load a value twice than copy it. */
static inline vf v_load_own(const float *p) {
    return v_load(p);
}

/* A constant as the addend of v_fma, which others overwrite. */
static inline vf v_addend(float c) {
    return v_set(c);
}

#endif
