/* Row family in portable C. */
#include "arch/generic/kernels.h"

/* Partial sums of a dot product: independent chains, so that the loop vectorises without reordering one sum. Elements
 * of another type than f32 are widened in runs of a whole number of chains. */
enum { CHAINS = 8, RUN = 8 * CHAINS };

/* A run of `count` <= RUN elements of a row as f32: in place, or in `room`. */
static const float *run_of(fovea_type type, const fv_stored *stored, int32_t row, int64_t at, int64_t count,
                           float *room) {
    const void *from = stored->each ? stored->each[row] : stored->rows;
    int64_t offset = (stored->each ? 0 : row * stored->stride) + at;
    switch (type) {
    case FOVEA_F32:
        return (const float *)from + offset;
    case FOVEA_F16:
        fv_generic_convert.widen_f16((const uint16_t *)from + offset, count, room);
        break;
    case FOVEA_BF16:
        fv_generic_convert.widen_bf16((const uint16_t *)from + offset, count, room);
        break;
    case FOVEA_INT8:
        fv_generic_convert.widen_int8((const int8_t *)from + offset, count, stored->scales[row * stored->scale_stride],
                                      room);
        break;
    }
    return room;
}

static int64_t run_length(int64_t count, int64_t done) {
    return count - done < RUN ? count - done : RUN;
}

static void add_products(const float *a, const float *b, int64_t count, float *sum) {
    int64_t i = 0;
    for (; i + CHAINS <= count; i += CHAINS)
        for (int32_t c = 0; c < CHAINS; c++)
            sum[c] += a[i + c] * b[i + c];
    for (int32_t c = 0; i < count; i++, c++)
        sum[c] += a[i] * b[i];
}

static void dots(fovea_type type, const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s,
                 int64_t s_stride) {
    for (int32_t key = 0; key < k->count; key++) {
        float sum[FV_MAX_ROWS][CHAINS] = {{0}};
        for (int64_t d = 0; d < k->length; d += RUN) {
            float room[RUN];
            int64_t count = run_length(k->length, d);
            const float *run = run_of(type, k, key, d, count, room);
            for (int32_t row = 0; row < rows; row++)
                add_products(q + row * q_stride + d, run, count, sum[row]);
        }
        for (int32_t row = 0; row < rows; row++) {
            const float *c = sum[row];
            s[row * s_stride + key] = ((c[0] + c[4]) + (c[1] + c[5])) + ((c[2] + c[6]) + (c[3] + c[7]));
        }
    }
}

static void add_weighted(float p, const float *v, int64_t count, float *o) {
    for (int64_t d = 0; d < count; d++)
        o[d] += p * v[d];
}

static int is_marked(float p) {
    return p == 0.0f && signbit(p);
}

static void weighted_sum(fovea_type type, int marked, const float *p, int64_t p_stride, int32_t rows,
                         const fv_stored *v, float *o, int64_t o_stride) {
    for (int32_t key = 0; key < v->count; key++)
        for (int64_t d = 0; d < v->length; d += RUN) {
            float room[RUN];
            int64_t count = run_length(v->length, d);
            const float *run = run_of(type, v, key, d, count, room);
            for (int32_t row = 0; row < rows; row++) {
                float weight = p[row * p_stride + key];
                if (!(marked && is_marked(weight)))
                    add_weighted(weight, run, count, o + row * o_stride + d);
            }
        }
}

/* The members of fv_row_reads for one type. */
#define FV_READS(name, type)                                                                                      \
    static void dots_##name(const float *q, int64_t q_stride, int32_t rows, const fv_stored *k, float *s,         \
                            int64_t s_stride) {                                                                   \
        dots(type, q, q_stride, rows, k, s, s_stride);                                                            \
    }                                                                                                             \
                                                                                                                  \
    static void weighted_sum_##name(const float *p, int64_t p_stride, int32_t rows, const fv_stored *v, float *o, \
                                    int64_t o_stride) {                                                           \
        weighted_sum(type, 0, p, p_stride, rows, v, o, o_stride);                                                 \
    }                                                                                                             \
                                                                                                                  \
    static void weighted_sum_marked_##name(const float *p, int64_t p_stride, int32_t rows, const fv_stored *v,    \
                                           float *o, int64_t o_stride) {                                          \
        weighted_sum(type, 1, p, p_stride, rows, v, o, o_stride);                                                 \
    }

FV_READS(f32, FOVEA_F32)
FV_READS(f16, FOVEA_F16)
FV_READS(bf16, FOVEA_BF16)
FV_READS(int8, FOVEA_INT8)

static float peak(const float *s, int32_t count, float largest) {
    for (int32_t i = 0; i < count; i++)
        largest = s[i] > largest ? s[i] : largest;
    return largest;
}

static void softcap(float *s, int32_t count, float cap) {
    for (int32_t i = 0; i < count; i++)
        s[i] = cap * Sleef_tanhf1_u10purec(s[i]);
}

static void alibi(float *s, int32_t count, float slope, float diagonal) {
    for (int32_t key = 0; key < count; key++)
        s[key] = fv_alibi(s[key], slope, diagonal, key);
}

static void add_terms(float *s, const float *terms, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        s[i] = fv_add_term(s[i], terms[i]);
}

static float exponentials(float *s, int32_t count, float shift, fv_exp exp, int32_t mark_forbidden) {
    float sum = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        s[i] = fv_probability(s[i], shift, FV_LEAST_EXPONENT, exp, mark_forbidden);
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

enum { KEY_BLOCK = 32 };

const fv_row_reads fv_generic_f32_reads = {KEY_BLOCK, 0, dots_f32, weighted_sum_f32, weighted_sum_marked_f32};
const fv_row_reads fv_generic_f16_reads = {KEY_BLOCK, 0, dots_f16, weighted_sum_f16, weighted_sum_marked_f16};
const fv_row_reads fv_generic_bf16_reads = {KEY_BLOCK, 0, dots_bf16, weighted_sum_bf16, weighted_sum_marked_bf16};
const fv_row_reads fv_generic_int8_reads = {KEY_BLOCK, 0, dots_int8, weighted_sum_int8, weighted_sum_marked_int8};

const fv_row_kernels fv_generic_row = {
    .peak = peak,
    .softcap = softcap,
    .alibi = alibi,
    .add_terms = add_terms,
    .exponentials = exponentials,
    .scale = scale,
    .log_sum_exp = log_sum_exp,
};
