/* Row family in portable C. */
#include "arch/generic/kernels.h"

/* Partial sums of a dot product: independent chains, so that the loop vectorises without reordering one sum. */
enum { CHAINS = 8 };

static float dot(const float *a, const float *b, int64_t count) {
    float sum[CHAINS] = {0};
    int64_t i = 0;
    for (; i + CHAINS <= count; i += CHAINS)
        for (int32_t c = 0; c < CHAINS; c++)
            sum[c] += a[i + c] * b[i + c];
    for (int32_t c = 0; i < count; i++, c++)
        sum[c] += a[i] * b[i];
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

static void dots(const float *q, int64_t q_stride, int32_t rows, const float *k, int64_t k_stride, int32_t keys,
                 int64_t head_dim, float *s, int64_t s_stride) {
    for (int32_t key = 0; key < keys; key++)
        for (int32_t row = 0; row < rows; row++)
            s[row * s_stride + key] = dot(q + row * q_stride, k + key * k_stride, head_dim);
}

static void add_weighted(float p, const float *v, int64_t count, float *o) {
    for (int64_t d = 0; d < count; d++)
        o[d] += p * v[d];
}

static void weighted_sum(const float *p, int64_t p_stride, int32_t rows, const float *v, int64_t v_stride, int32_t keys,
                         int64_t head_dim_v, float *o, int64_t o_stride) {
    for (int32_t key = 0; key < keys; key++)
        for (int32_t row = 0; row < rows; row++)
            add_weighted(p[row * p_stride + key], v + key * v_stride, head_dim_v, o + row * o_stride);
}

static void weighted_sum_marked(const float *p, int64_t p_stride, int32_t rows, const float *v, int64_t v_stride,
                                int32_t keys, int64_t head_dim_v, float *o, int64_t o_stride) {
    for (int32_t key = 0; key < keys; key++)
        for (int32_t row = 0; row < rows; row++) {
            float weight = p[row * p_stride + key];
            if (!(weight == 0.0f && signbit(weight)))
                add_weighted(weight, v + key * v_stride, head_dim_v, o + row * o_stride);
        }
}

static float peak(const float *s, int32_t count, float largest) {
    for (int32_t i = 0; i < count; i++)
        largest = s[i] > largest ? s[i] : largest;
    return largest;
}

static void softcap(float *s, int32_t count, float cap) {
    for (int32_t i = 0; i < count; i++)
        s[i] = cap * Sleef_tanhf1_u35purec(s[i]);
}

static void add_terms(float *s, const float *terms, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        s[i] = fv_add_term(s[i], terms[i]);
}

static float exponentials(float *s, int32_t count, float shift, fv_exp exp, int32_t mark_forbidden) {
    float sum = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        s[i] = fv_probability(s[i], shift, exp, mark_forbidden);
        sum += s[i];
    }
    return sum;
}

static void scale(float *x, int64_t count, float factor) {
    for (int64_t i = 0; i < count; i++)
        x[i] *= factor;
}

static void log_sum_exp(const float *m, const float *l, int32_t count, float *lse) {
    for (int32_t i = 0; i < count; i++)
        lse[i] = l[i] == 0.0f ? -INFINITY : (m[i] + Sleef_log2f1_u10purec(l[i])) * FV_LOG_2;
}

const fv_row_kernels fv_generic_row = {
    .key_block = 32,
    .dots = dots,
    .weighted_sum = weighted_sum,
    .weighted_sum_marked = weighted_sum_marked,
    .peak = peak,
    .softcap = softcap,
    .add_terms = add_terms,
    .exponentials = exponentials,
    .scale = scale,
    .log_sum_exp = log_sum_exp,
};
