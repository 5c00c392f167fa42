/* The vector vocabulary, with pairs of bf16 numbers, in portable C: as much of it as the pair family needs. With it the
 * family's body is tested on processors that lack the instructions. The including file defines V_LANES. */
#ifndef FOVEA_TESTS_EMULATED_VEC_H
#define FOVEA_TESTS_EMULATED_VEC_H

#include <float.h>
#include <math.h>
#include <sleef.h>
#include <stdint.h>
#include <string.h>

typedef struct vf {
    float lane[V_LANES];
} vf;

typedef struct vmask {
    int32_t lane[V_LANES];
} vmask;

/* Register tiles would hold so many copies of the loops over lanes that compilers take minutes. */
#define ONE_COPY __attribute__((noinline, unused))

#define EACH_LANE for (int l = 0; l < V_LANES; l++)

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline vf v_load(const float *p) {
    vf x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline void v_store(float *p, vf x) {
    memcpy(p, &x, sizeof x);
}

static inline vf v_set(float value) {
    vf x;
    EACH_LANE x.lane[l] = value;
    return x;
}

static inline vf v_broadcast(const float *p) {
    return v_set(*p);
}

#include "arch/common/broadcast.h"

#define LANE_BY_LANE(name, expression)    \
    static ONE_COPY vf name(vf a, vf b) { \
        EACH_LANE a.lane[l] = expression; \
        return a;                         \
    }

LANE_BY_LANE(v_add, a.lane[l] + b.lane[l])
LANE_BY_LANE(v_sub, a.lane[l] - b.lane[l])
LANE_BY_LANE(v_mul, a.lane[l] * b.lane[l])
LANE_BY_LANE(v_max, a.lane[l] > b.lane[l] ? a.lane[l] : b.lane[l])

static inline vf v_increased(vf acc, vf x) {
    return v_add(acc, x);
}

static ONE_COPY vf v_fma(vf a, vf b, vf c) {
    EACH_LANE c.lane[l] = fmaf(a.lane[l], b.lane[l], c.lane[l]);
    return c;
}

static ONE_COPY vmask v_not_less(vf a, vf b) {
    vmask m;
    EACH_LANE m.lane[l] = !(a.lane[l] < b.lane[l]);
    return m;
}

static ONE_COPY vf v_keep(vmask which, vf x) {
    EACH_LANE x.lane[l] = which.lane[l] ? x.lane[l] : 0.0f;
    return x;
}

static ONE_COPY vf v_shift_to_exponent(vf x) {
    EACH_LANE x.lane[l] = float_of(bits_of(x.lane[l]) << 23);
    return x;
}

static ONE_COPY vf v_sleef_exp2(vf x) {
    EACH_LANE x.lane[l] = Sleef_exp2f1_u35purec(x.lane[l]);
    return x;
}

static ONE_COPY void v_transpose(vf x[V_LANES]) {
    vf t[V_LANES];
    for (int i = 0; i < V_LANES; i++)
        EACH_LANE t[l].lane[i] = x[i].lane[l];
    memcpy(x, t, sizeof t);
}

static inline void v_store_f32_part(float *p, int64_t count, vf x) {
    memcpy(p, &x, (size_t)count * sizeof(float));
}

/* Pairs. */

static inline float flushed(float x) {
    return fabsf(x) < FLT_MIN ? copysignf(0.0f, x) : x;
}

static inline float element_of(float pair, int upper) {
    return flushed(float_of(upper ? bits_of(pair) & 0xffff0000u : bits_of(pair) << 16));
}

/* As VDPBF16PS: the upper products first, each addition rounded, subnormal numbers flushed everywhere. */
static ONE_COPY void v_dot_pairs(vf *acc, vf a, vf b) {
    EACH_LANE {
        float sum = flushed(acc->lane[l]);
        for (int upper = 1; upper >= 0; upper--)
            sum = flushed(fmaf(element_of(a.lane[l], upper), element_of(b.lane[l], upper), sum));
        acc->lane[l] = sum;
    }
}

static ONE_COPY vf v_pair(vf even, vf odd) {
    EACH_LANE even.lane[l] =
        float_of((bits_of(even.lane[l]) + 0x8000u) >> 16 | ((bits_of(odd.lane[l]) + 0x8000u) & 0xffff0000u));
    return even;
}

static inline vf v_load_pairs_part(const uint16_t *p, int64_t count) {
    vf x = v_set(0.0f);
    memcpy(&x, p, (size_t)count * sizeof *p);
    return x;
}

static inline vf v_load_pairs(const uint16_t *p) {
    return v_load_pairs_part(p, 2 * V_LANES);
}

static inline vf v_broadcast_pair(const uint16_t *p) {
    float pair;
    memcpy(&pair, p, sizeof pair);
    return v_set(pair);
}

static inline vf v_broadcast_last(const uint16_t *p) {
    return v_set(float_of(*p));
}

static inline vf v_interleave_part(const uint16_t *even, const uint16_t *odd, int64_t count) {
    vf x = v_set(0.0f);
    for (int64_t i = 0; i < count; i++)
        x.lane[i] = float_of(even[i] | (odd ? (uint32_t)odd[i] << 16 : 0));
    return x;
}

static inline vf v_interleave(const uint16_t *even, const uint16_t *odd) {
    return v_interleave_part(even, odd, V_LANES);
}

#endif
