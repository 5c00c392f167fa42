/* The row family over a backend's vector vocabulary. Include vec.h and exp2.h first. Each function is a member of
 * fv_row_kernels (arch/kernel.h says what it does).
 *
 * Decoding is bound by how loads reach the hardware prefetcher: every row of keys or values is read once, in ascending
 * order, for all query rows, and asked for PREFETCH_BYTES ahead: the hardware prefetcher alone stops at the end of a
 * page and starts anew at each switch between keys and values. */
#ifndef FOVEA_ARCH_COMMON_ROW_STEPS_H
#define FOVEA_ARCH_COMMON_ROW_STEPS_H

#include <string.h>

#include "arch/kernel.h"

#define FV_LOG_2 0.693147180559945309f

/* Loads the first `count` < V_LANES elements, zeros behind them. */
static inline vf load_part(const float *p, int64_t count) {
    float part[V_LANES] = {0};
    memcpy(part, p, (size_t)count * sizeof(float));
    return v_load(part);
}

static inline void store_part(float *p, int64_t count, vf x) {
    float part[V_LANES];
    v_store(part, x);
    memcpy(p, part, (size_t)count * sizeof(float));
}

/* How far ahead of the loads rows are asked for, and the floats of a cache line. */
enum { PREFETCH_BYTES = 8192, LINE_FLOATS = 16 };

/* Elements between a row and the one to ask for while reading it. */
static inline int64_t prefetch_distance(int64_t stride, int64_t count) {
    int64_t rows = PREFETCH_BYTES / (int64_t)sizeof(float) / count;
    return (rows > 0 ? rows : 1) * stride;
}

/* Asks the second-level cache for the `count` floats that lie `distance` behind p. They may lie outside the tensor,
 * which only an address, not a pointer, may do. */
static inline __attribute__((always_inline)) void prefetch_ahead(const float *p, int64_t distance, int64_t count) {
    for (int64_t i = 0; i < count; i += LINE_FLOATS)
        __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)((distance + i) * (int64_t)sizeof(float))), 0, 2);
}

/* Keeps the compiler from moving loads of one cache line before those of the line in front of it. */
static inline void in_order(void) {
    __asm__ volatile("" ::: "memory");
}

/* Partial dot products, lane by lane, of one key with ROWS queries. ROWS is a literal at every use. */
static inline __attribute__((always_inline)) void dot_lanes(const float *q, int64_t q_stride, const int rows,
                                                            const float *k, int64_t head_dim, int64_t distance,
                                                            vf *sum) {
    vf even[FV_MAX_ROWS], odd[FV_MAX_ROWS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
        even[r] = odd[r] = v_set(0.0f);
    int64_t d = 0;
    for (; d + 2 * V_LANES <= head_dim; d += 2 * V_LANES) {
        vf first = v_load(k + d), second = v_load(k + d + V_LANES);
        prefetch_ahead(k + d, distance, 2 * V_LANES);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            even[r] = v_fma(first, v_load(q + r * q_stride + d), even[r]);
            odd[r] = v_fma(second, v_load(q + r * q_stride + d + V_LANES), odd[r]);
        }
        in_order();
    }
    if (d + V_LANES <= head_dim) {
        vf element = v_load(k + d);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
            even[r] = v_fma(element, v_load(q + r * q_stride + d), even[r]);
        d += V_LANES;
    }
    if (d < head_dim) {
        vf element = load_part(k + d, head_dim - d);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
            odd[r] = v_fma(element, load_part(q + r * q_stride + d, head_dim - d), odd[r]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
        sum[r] = v_add(even[r], odd[r]);
}

static inline __attribute__((always_inline)) void dots_of(const float *q, int64_t q_stride, const int rows,
                                                          const float *k, int64_t k_stride, int32_t keys,
                                                          int64_t head_dim, float *s, int64_t s_stride) {
    const int64_t distance = prefetch_distance(k_stride, head_dim);
    for (int32_t key = 0; key < keys; key += V_LANES) {
        int32_t count = keys - key < V_LANES ? keys - key : V_LANES;
        vf sums[FV_MAX_ROWS][V_LANES];
        for (int32_t i = 0; i < V_LANES; i++) {
            vf sum[FV_MAX_ROWS];
            if (i < count)
                dot_lanes(q, q_stride, rows, k + (key + i) * k_stride, head_dim, distance, sum);
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++)
                sums[r][i] = i < count ? sum[r] : v_set(0.0f);
        }
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            vf result = v_sum_each(sums[r]);
            if (count == V_LANES)
                v_store(s + r * s_stride + key, result);
            else
                store_part(s + r * s_stride + key, count, result);
        }
    }
}

static void dots(const float *q, int64_t q_stride, int32_t rows, const float *k, int64_t k_stride, int32_t keys,
                 int64_t head_dim, float *s, int64_t s_stride) {
    switch (rows) {
    case 1:
        dots_of(q, q_stride, 1, k, k_stride, keys, head_dim, s, s_stride);
        break;
    case 2:
        dots_of(q, q_stride, 2, k, k_stride, keys, head_dim, s, s_stride);
        break;
    case 3:
        dots_of(q, q_stride, 3, k, k_stride, keys, head_dim, s, s_stride);
        break;
    case 4:
        dots_of(q, q_stride, 4, k, k_stride, keys, head_dim, s, s_stride);
        break;
    default:
        break;
    }
}

/* Adds KEYS value rows to the outputs of ROWS queries; both are literals at every use. */
static inline __attribute__((always_inline)) void add_rows(const float *p, int64_t p_stride, const int rows,
                                                           const float *v, int64_t v_stride, const int keys,
                                                           int64_t head_dim_v, float *o, int64_t o_stride) {
    vf weight[FV_MAX_ROWS][4];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < keys; i++)
            weight[r][i] = v_broadcast(p + r * p_stride + i);
    const int64_t distance = prefetch_distance(v_stride, head_dim_v);
    int64_t d = 0;
    for (; d + V_LANES <= head_dim_v; d += V_LANES) {
        vf element[4];
        if (d % LINE_FLOATS == 0)
#pragma GCC unroll 4
            for (int i = 0; i < keys; i++)
                prefetch_ahead(v + i * v_stride + d, distance, V_LANES);
#pragma GCC unroll 4
        for (int i = 0; i < keys; i++)
            element[i] = v_load(v + i * v_stride + d);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            vf sum = v_load(o + r * o_stride + d);
#pragma GCC unroll 4
            for (int i = 0; i < keys; i++)
                sum = v_fma(element[i], weight[r][i], sum);
            v_store(o + r * o_stride + d, sum);
        }
    }
    if (d < head_dim_v) {
        int64_t rest = head_dim_v - d;
        for (int r = 0; r < rows; r++) {
            vf sum = load_part(o + r * o_stride + d, rest);
            for (int i = 0; i < keys; i++)
                sum = v_fma(load_part(v + i * v_stride + d, rest), weight[r][i], sum);
            store_part(o + r * o_stride + d, rest, sum);
        }
    }
}

static inline __attribute__((always_inline)) void weighted_sum_of(const float *p, int64_t p_stride, const int rows,
                                                                  const float *v, int64_t v_stride, int32_t keys,
                                                                  int64_t head_dim_v, float *o, int64_t o_stride) {
    int32_t key = 0;
    for (; key + 2 <= keys; key += 2)
        add_rows(p + key, p_stride, rows, v + key * v_stride, v_stride, 2, head_dim_v, o, o_stride);
    if (key < keys)
        add_rows(p + key, p_stride, rows, v + key * v_stride, v_stride, 1, head_dim_v, o, o_stride);
}

static void weighted_sum(const float *p, int64_t p_stride, int32_t rows, const float *v, int64_t v_stride, int32_t keys,
                         int64_t head_dim_v, float *o, int64_t o_stride) {
    switch (rows) {
    case 1:
        weighted_sum_of(p, p_stride, 1, v, v_stride, keys, head_dim_v, o, o_stride);
        break;
    case 2:
        weighted_sum_of(p, p_stride, 2, v, v_stride, keys, head_dim_v, o, o_stride);
        break;
    case 3:
        weighted_sum_of(p, p_stride, 3, v, v_stride, keys, head_dim_v, o, o_stride);
        break;
    case 4:
        weighted_sum_of(p, p_stride, 4, v, v_stride, keys, head_dim_v, o, o_stride);
        break;
    default:
        break;
    }
}

static void weighted_sum_marked(const float *p, int64_t p_stride, int32_t rows, const float *v, int64_t v_stride,
                                int32_t keys, int64_t head_dim_v, float *o, int64_t o_stride) {
    for (int32_t key = 0; key < keys; key++)
        for (int32_t row = 0; row < rows; row++) {
            const float *weight = p + row * p_stride + key;
            if (!(*weight == 0.0f && signbit(*weight)))
                add_rows(weight, p_stride, 1, v + key * v_stride, v_stride, 1, head_dim_v, o + row * o_stride,
                         o_stride);
        }
}

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
        v_store(s + i, v_mul(v_set(cap), v_sleef_tanh(v_load(s + i))));
}

static void row_softcap(float *s, int32_t count, float cap) {
    on_whole_vectors(s, count, whole_softcap, cap);
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
        v_store(s + i, flush_subnormal(v_sub(v_load(s + i), v_set(shift)), p));
    }
}

static void whole_fused(float *s, int32_t count, float shift) {
    for (int32_t i = 0; i < count; i += V_LANES) {
        vf x[1] = {v_sub(v_load(s + i), v_set(shift))};
        fused_exp2(x, 1);
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
        lanes = v_add(lanes, load_part(s + i, count - i));
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

#endif
