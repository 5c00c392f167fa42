/* The row family over a backend's vector vocabulary. Include vec.h, elements.h and exp2.h first. Each function is a
 * member of fv_row_kernels (arch/kernel.h says what it does). */
#ifndef FOVEA_ARCH_COMMON_ROW_STEPS_H
#define FOVEA_ARCH_COMMON_ROW_STEPS_H

#include <float.h>
#include <string.h>

#include "arch/common/row_reads.h"
#include "arch/common/tanh.h"

#define FV_LOG_2 0.693147180559945309f

/* A backend that takes another's kernels for f32 says so by ROW_READS_F32_ELSEWHERE. */
#ifndef ROW_READS_F32_ELSEWHERE
#define READ f32
#define READ_LOADS f32
#define READ_TYPE float
#define READ_SCALED 0
#include "arch/common/row_reads.inc"
#endif

#define READ f16
#define READ_LOADS f16
#define READ_TYPE uint16_t
#define READ_SCALED 0
#include "arch/common/row_reads.inc"

#define READ bf16
#define READ_LOADS bf16
#define READ_TYPE uint16_t
#define READ_SCALED 0
#include "arch/common/row_reads.inc"

#include "arch/common/row_scaled.h"

static float peak(const float *s, int32_t count, float largest) {
    int32_t i = 0;
    if (count >= V_LANES) {
        vf lanes = v_set(largest);
        for (; i + V_LANES <= count; i += V_LANES)
            lanes = v_max(v_load(s + i), lanes);
        largest = v_largest(lanes);
    }
    for (; i < count; i++)
        largest = s[i] > largest ? s[i] : largest;
    return largest;
}

/* Runs `operation`, which works on whole vectors, on `count` elements: the rest goes through a padded copy. */
static inline __attribute__((always_inline)) void
on_whole_vectors(float *s, int32_t count, void (*operation)(float *, int32_t, float), float by) {
    int32_t whole = count / V_LANES * V_LANES;
    operation(s, whole, by);
    if (whole < count) {
        float part[V_LANES] = {0};
        memcpy(part, s + whole, (size_t)(count - whole) * sizeof(float));
        operation(part, V_LANES, by);
        memcpy(s + whole, part, (size_t)(count - whole) * sizeof(float));
    }
}

static void whole_softcap(float *s, int32_t count, float cap) {
    for (int32_t i = 0; i < count; i += V_LANES)
        v_store(s + i, v_mul(v_set(cap), v_tanh(v_load(s + i))));
}

static void row_softcap(float *s, int32_t count, float cap) {
    on_whole_vectors(s, count, whole_softcap, cap);
}

/* Lanes count keys from `first` on. */
static void whole_alibi(float *s, int32_t count, int32_t first, float slope, float diagonal) {
    float keys[V_LANES];
    for (int32_t i = 0; i < V_LANES; i++)
        keys[i] = (float)i;
    for (int32_t i = 0; i < count; i += V_LANES) {
        vf key = v_add(v_load(keys), v_set((float)(first + i)));
        v_store(s + i, v_fma(v_set(-slope), v_absolute(v_sub(v_set(diagonal), key)), v_load(s + i)));
    }
}

static void row_alibi(float *s, int32_t count, float slope, float diagonal) {
    int32_t whole = count / V_LANES * V_LANES;
    whole_alibi(s, whole, 0, slope, diagonal);
    if (whole < count) {
        float part[V_LANES] = {0};
        memcpy(part, s + whole, (size_t)(count - whole) * sizeof(float));
        whole_alibi(part, V_LANES, whole, slope, diagonal);
        memcpy(s + whole, part, (size_t)(count - whole) * sizeof(float));
    }
}

static void row_add_terms(float *s, const float *terms, int32_t count) {
    vf forbidden = v_set(-INFINITY);
    int32_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES) {
        vf term = v_load(terms + i);
        v_store(s + i, v_select(v_equal(term, forbidden), forbidden, v_add(v_load(s + i), term)));
    }
    for (; i < count; i++)
        s[i] = terms[i] == -INFINITY ? -INFINITY : s[i] + terms[i];
}

static void whole_sleef(float *s, int32_t count, float shift) {
    for (int32_t i = 0; i < count; i += V_LANES) {
        vf p = v_sleef_exp2(v_sub(v_load(s + i), v_set(shift)));
        v_store(s + i, flush_below(FV_LEAST_EXPONENT, v_sub(v_load(s + i), v_set(shift)), p));
    }
}

static void whole_fused(float *s, int32_t count, float shift) {
    for (int32_t i = 0; i < count; i += V_LANES) {
        vf x[1] = {v_sub(v_load(s + i), v_set(shift))};
        fused_exp2(x, 1, FV_LEAST_EXPONENT);
        v_store(s + i, x[0]);
    }
}

/* exp2(s - shift), then -0.0 where s was -inf. */
static void whole_marked(float *s, int32_t count, float shift, fv_exp exp) {
    for (int32_t i = 0; i < count; i += V_LANES) {
        float kept[V_LANES];
        memcpy(kept, s + i, sizeof kept);
        if (exp == FV_EXP_FUSED)
            whole_fused(s + i, V_LANES, shift);
        else
            whole_sleef(s + i, V_LANES, shift);
        vmask forbidden = v_equal(v_load(kept), v_set(-INFINITY));
        v_store(s + i, v_select(forbidden, v_set(-0.0f), v_load(s + i)));
    }
}

static void whole_marked_sleef(float *s, int32_t count, float shift) {
    whole_marked(s, count, shift, FV_EXP_SLEEF);
}

static void whole_marked_fused(float *s, int32_t count, float shift) {
    whole_marked(s, count, shift, FV_EXP_FUSED);
}

static float sum_of(const float *s, int32_t count) {
    vf lanes = v_set(0.0f);
    int32_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        lanes = v_add(lanes, v_load(s + i));
    if (i < count)
        lanes = v_add(lanes, v_load_f32_part(s + i, count - i));
    return v_sum(lanes);
}

static float row_exponentials(float *s, int32_t count, float shift, fv_exp exp, int32_t mark_forbidden) {
    if (mark_forbidden)
        on_whole_vectors(s, count, exp == FV_EXP_FUSED ? whole_marked_fused : whole_marked_sleef, shift);
    else if (exp == FV_EXP_FUSED)
        on_whole_vectors(s, count, whole_fused, shift);
    else
        on_whole_vectors(s, count, whole_sleef, shift);
    return sum_of(s, count);
}

static void row_scale(float *x, int64_t count, float factor) {
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        v_store(x + i, v_mul(v_load(x + i), v_set(factor)));
    for (; i < count; i++)
        x[i] *= factor;
}

static void whole_log2(float *x, int32_t count, float unused) {
    (void)unused;
    for (int32_t i = 0; i < count; i += V_LANES)
        v_store(x + i, v_sleef_log2(v_load(x + i)));
}

static void log_sum_exp(const float *m, const float *l, int32_t count, float *lse) {
    memcpy(lse, l, (size_t)count * sizeof(float));
    on_whole_vectors(lse, count, whole_log2, 0.0f);
    for (int32_t i = 0; i < count; i++)
        lse[i] = l[i] == 0.0f ? -INFINITY : (m[i] + lse[i]) * FV_LOG_2;
}

/* The initialisers of fv_row_kernels, which do not depend on the backend. */
#define ROW_FAMILY                                                                        \
    .peak = peak, .softcap = row_softcap, .alibi = row_alibi, .add_terms = row_add_terms, \
    .exponentials = row_exponentials, .scale = row_scale, .log_sum_exp = log_sum_exp

#endif
