/* The steps of the panel family that have no register tile, over a backend's vector vocabulary. Include vec.h,
 * elements.h and exp2.h first. Each function is a member of fv_panel_kernels (arch/kernel.h says what it does). */
#ifndef FOVEA_ARCH_COMMON_PANEL_STEPS_H
#define FOVEA_ARCH_COMMON_PANEL_STEPS_H

#include <string.h>

#include "arch/common/sleef_exp2.h"
#include "arch/common/tanh.h"
#include "arch/kernel.h"

/* The first `count` <= V_LANES elements of V_LANES rows, times scale; zeros for NULL rows and behind the count. */
static inline void load_square(const float *const *rows, int64_t i, int64_t count, vf scale, vf *x) {
#pragma GCC unroll 16
    for (int j = 0; j < V_LANES; j++) {
        if (rows[j] == NULL)
            x[j] = v_set(0.0f);
        else if (count == V_LANES)
            x[j] = v_mul(v_load(rows[j] + i), scale);
        else
            x[j] = v_mul(v_load_f32_part(rows[j] + i, count), scale);
    }
}

static void pack(const float *const *rows, int32_t ld, int64_t count, float scale, float *packed) {
    for (int32_t lane = 0; lane < ld; lane += V_LANES)
        for (int64_t i = 0; i < count; i += V_LANES) {
            int64_t valid = count - i < V_LANES ? count - i : V_LANES;
            vf x[V_LANES];
            load_square(rows + lane, i, valid, v_set(scale), x);
            v_transpose(x);
#pragma GCC unroll 16
            for (int j = 0; j < V_LANES; j++)
                if (j < valid)
                    v_store(packed + (i + j) * ld + lane, x[j]);
        }
}

/* Writes the first `count` <= V_LANES elements of a vector to a row from element i on; `type` is a literal at every
 * use. */
static inline __attribute__((always_inline)) void store_in_row(void *row, const fovea_type type, int64_t i,
                                                               int64_t count, vf x) {
    if (type == FOVEA_F32)
        count == V_LANES ? v_store((float *)row + i, x) : v_store_f32_part((float *)row + i, count, x);
    else if (type == FOVEA_F16)
        count == V_LANES ? v_store_f16((uint16_t *)row + i, x) : v_store_f16_part((uint16_t *)row + i, count, x);
    else
        count == V_LANES ? v_store_bf16((uint16_t *)row + i, x) : v_store_bf16_part((uint16_t *)row + i, count, x);
}

/* A square of V_LANES lanes and `valid` of their elements to rows from element i on. Adds 0 times each to check. `type`
 * and `all_there`, that no row is NULL, are literals at every use. */
static inline __attribute__((always_inline)) void unpack_square(void *const *rows, const fovea_type type, int64_t i,
                                                                int64_t valid, const int all_there, const float *packed,
                                                                int32_t ld, vf factor, vf *check) {
    vf x[V_LANES];
#pragma GCC unroll 16
    for (int j = 0; j < V_LANES; j++) {
        x[j] = j < valid ? v_mul(v_load(packed + (i + j) * ld), factor) : v_set(0.0f);
        check[j % 4] = v_fma(x[j], v_set(0.0f), check[j % 4]);
    }
    v_transpose(x);
#pragma GCC unroll 16
    for (int j = 0; j < V_LANES; j++)
        if (all_there || rows[j] != NULL)
            store_in_row(rows[j], type, i, valid, x[j]);
}

/* One vector of lanes to V_LANES rows. */
static inline __attribute__((always_inline)) int32_t unpack_vector(void *const *rows, const fovea_type type, int32_t ld,
                                                                   int64_t count, const float *packed, vf factor) {
    /* They stay 0 in the lanes whose results are all finite, else become NaN. One sum would wait for itself. */
    vf check[4];
    int32_t all_there = 1;
    for (int n = 0; n < 4; n++)
        check[n] = v_set(0.0f);
    for (int j = 0; j < V_LANES; j++)
        all_there &= rows[j] != NULL;
    int64_t i = 0;
    for (; all_there && i + V_LANES <= count; i += V_LANES)
        unpack_square(rows, type, i, V_LANES, 1, packed, ld, factor, check);
    for (; i < count; i += V_LANES)
        unpack_square(rows, type, i, count - i < V_LANES ? count - i : V_LANES, 0, packed, ld, factor, check);
    float checked[V_LANES];
    v_store(checked, v_add(v_add(check[0], check[1]), v_add(check[2], check[3])));
    int32_t finite = 1;
    for (int j = 0; j < V_LANES; j++)
        finite &= rows[j] == NULL || checked[j] == 0.0f;
    return finite;
}

static inline __attribute__((always_inline)) int32_t unpack_rows(void *const *rows, const fovea_type type, int32_t ld,
                                                                 int64_t count, const float *packed,
                                                                 const float *factor) {
    int32_t finite = 1;
    for (int32_t lane = 0; lane < ld; lane += V_LANES)
        finite &= unpack_vector(rows + lane, type, ld, count, packed + lane, v_load(factor + lane));
    return finite;
}

static int32_t unpack(void *const *rows, fovea_type type, int32_t ld, int64_t count, const float *packed,
                      const float *factor) {
    return type == FOVEA_F32   ? unpack_rows(rows, FOVEA_F32, ld, count, packed, factor)
           : type == FOVEA_F16 ? unpack_rows(rows, FOVEA_F16, ld, count, packed, factor)
                               : unpack_rows(rows, FOVEA_BF16, ld, count, packed, factor);
}

static void mask_lanes(float *s, int32_t ld, int32_t vectors, int32_t key_begin, int32_t key_end,
                       const int32_t *visible_begin, const int32_t *visible_end, float *peak) {
    vf forbidden = v_set(-INFINITY);
    for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES) {
        vf largest = peak ? v_load(peak + lane) : forbidden;
        for (int32_t key = key_begin; key < key_end; key++) {
            float *at = s + (int64_t)key * ld + lane;
            vf x = v_select(v_in_range(key, visible_begin + lane, visible_end + lane), v_load(at), forbidden);
            largest = v_max(x, largest);
            v_store(at, x);
        }
        if (peak)
            v_store(peak + lane, largest);
    }
}

static void peaks(const float *s, int32_t ld, int32_t vectors, int32_t keys, float *peak) {
    for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES) {
        vf largest = v_load(peak + lane);
        for (int32_t key = 0; key < keys; key++)
            largest = v_max(v_load(s + (int64_t)key * ld + lane), largest);
        v_store(peak + lane, largest);
    }
}

static void softcap(float *s, int32_t ld, int32_t vectors, int32_t keys, float cap) {
    for (int32_t key = 0; key < keys; key++, s += ld)
        for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES)
            v_store(s + lane, v_mul(v_set(cap), v_tanh(v_load(s + lane))));
}

static void alibi(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *slope, const float *diagonal,
                  float *peak) {
    for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES) {
        vf falling = v_sub(v_set(0.0f), v_load(slope + lane)), from = v_load(diagonal + lane);
        vf largest = peak ? v_load(peak + lane) : v_set(0.0f);
        for (int32_t key = 0; key < keys; key++) {
            float *at = s + (int64_t)key * ld + lane;
            vf x = v_fma(falling, v_absolute(v_sub(from, v_set((float)key))), v_load(at));
            largest = v_max(x, largest);
            v_store(at, x);
        }
        if (peak)
            v_store(peak + lane, largest);
    }
}

/* The terms of V_LANES lanes for `count` <= V_LANES keys from `key` on, one vector a key. The last two are literals. */
static inline __attribute__((always_inline)) void load_terms(const fv_term_args *a, int32_t lane, int32_t key,
                                                             int32_t count, vf *x, const int has_bias,
                                                             const int has_mask) {
#pragma GCC unroll 16
    for (int j = 0; j < V_LANES; j++) {
        const float *bias = has_bias ? a->bias[lane + j] : NULL;
        const uint8_t *mask = has_mask ? a->mask[lane + j] : NULL;
        x[j] = v_set(0.0f);
        if (has_bias && bias)
            x[j] = count == V_LANES ? v_load(bias + key) : v_load_f32_part(bias + key, count);
        if (has_mask && mask)
            x[j] = v_select(count == V_LANES ? v_true_bytes(mask + key) : v_true_bytes_part(mask + key, count), x[j],
                            v_set(-INFINITY));
    }
    v_transpose(x);
}

/* bias * factor; where that is not finite, the bias itself, which then is -inf, +inf, NaN or nearly the largest number.
 */
static inline vf finite_term(vf bias, vf factor) {
    vf term = v_mul(bias, factor);
    return v_select(v_equal(v_mul(term, v_set(0.0f)), v_set(0.0f)), term, bias);
}

static inline __attribute__((always_inline)) void add_rows(const fv_term_args *a, const int has_bias,
                                                           const int has_mask) {
    const vf forbidden = v_set(-INFINITY);
    for (int32_t lane = 0; lane < a->vectors * V_LANES; lane += V_LANES) {
        vf largest = a->peak ? v_load(a->peak + lane) : v_set(0.0f);
        for (int32_t key = 0; key < a->keys; key += V_LANES) {
            const int32_t count = a->keys - key < V_LANES ? a->keys - key : V_LANES;
            vf x[V_LANES];
            load_terms(a, lane, key, count, x, has_bias, has_mask);
#pragma GCC unroll 16
            for (int j = 0; j < V_LANES; j++) {
                if (j >= count)
                    continue;
                float *at = a->s + (int64_t)(key + j) * a->ld + lane;
                vf s = v_load(at);
                if (has_bias)
                    s = v_add(s, finite_term(x[j], v_set(a->factor)));
                s = v_select(v_equal(x[j], forbidden), forbidden, s);
                largest = v_max(s, largest);
                v_store(at, s);
            }
        }
        if (a->peak)
            v_store(a->peak + lane, largest);
    }
}

static void add_terms(const fv_term_args *a) {
    if (a->bias && a->mask)
        add_rows(a, 1, 1);
    else if (a->bias)
        add_rows(a, 1, 0);
    else
        add_rows(a, 0, 1);
}

static void rescale(float *o, int32_t ld, int32_t vectors, int64_t count, const float *factor) {
    for (int64_t i = 0; i < count; i++, o += ld)
        for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES)
            v_store(o + lane, v_mul(v_load(o + lane), v_load(factor + lane)));
}

static inline __attribute__((always_inline)) void
fused_exponentials(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, const float least) {
    for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES) {
        const float *by = shift ? shift + lane : NULL;
        float *at = s + lane;
        int32_t key = 0;
        for (; key + 4 <= keys; key += 4, at += 4 * (int64_t)ld) {
            vf x[4];
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++)
                x[i] = shifted(at + i * (int64_t)ld, by);
            fused_exp2(x, 4, least);
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++)
                v_store(at + i * (int64_t)ld, x[i]);
        }
        for (; key < keys; key++, at += ld) {
            vf x[1] = {shifted(at, by)};
            fused_exp2(x, 1, least);
            v_store(at, x[0]);
        }
    }
}

/* As both of the above, with -0.0 where the score is -inf. Not for speed. */
static void marked_exponentials(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, fv_exp exp) {
    for (int32_t key = 0; key < keys; key++, s += ld)
        for (int32_t lane = 0; lane < vectors * V_LANES; lane += V_LANES) {
            float kept[V_LANES];
            memcpy(kept, s + lane, sizeof kept);
            const float *by = shift ? shift + lane : NULL;
            if (exp == FV_EXP_FUSED)
                fused_exponentials(s + lane, ld, 1, 1, by, FV_LEAST_EXPONENT);
            else
                sleef_exponentials(s + lane, ld, 1, 1, by, FV_LEAST_EXPONENT);
            vmask forbidden = v_equal(v_load(kept), v_set(-INFINITY));
            v_store(s + lane, v_select(forbidden, v_set(-0.0f), v_load(s + lane)));
        }
}

static void exponentials(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, fv_exp exp,
                         int32_t mark_forbidden) {
    if (mark_forbidden)
        marked_exponentials(s, ld, vectors, keys, shift, exp);
    else if (exp == FV_EXP_FUSED)
        fused_exponentials(s, ld, vectors, keys, shift, FV_LEAST_PANEL_EXPONENT);
    else
        sleef_exponentials(s, ld, vectors, keys, shift, FV_LEAST_PANEL_EXPONENT);
}

/* One vector of lanes and one element of the values (-1: the sum of the probabilities) over the segments' keys of
 * [begin, end). */
static vf marked_sum(const fv_value_args *a, int32_t vector, int64_t d, int32_t begin, int32_t end) {
    vf sum = v_set(0.0f);
    for (int32_t j = 0; j < a->segment_count; j++) {
        const fv_segment *segment = &a->segments[j];
        if (vector < segment->vector_begin || vector >= segment->vector_end)
            continue;
        const int32_t first = segment->key_begin > begin ? segment->key_begin : begin;
        const int32_t behind = segment->key_end < end ? segment->key_end : end;
        for (int32_t key = first; key < behind; key++) {
            vf p = v_load(a->p + (int64_t)key * a->ld + vector * V_LANES);
            vf v = d < 0 ? v_set(1.0f) : v_broadcast(a->v + key * a->v_stride + d);
            sum = v_select(v_is_negative_zero(p), sum, v_fma(v, p, sum));
        }
    }
    return sum;
}

static void add_marked(float *to, vf sum, int32_t first) {
    v_store(to, first ? sum : v_add(v_load(to), sum));
}

static void values_marked(const fv_value_args *a) {
    const int32_t keys = a->segment_count > 0 ? a->segments[a->segment_count - 1].key_end : 0;
    for (int32_t vector = 0; vector < a->vectors; vector++) {
        vf l = v_set(0.0f);
        for (int32_t key = 0; key < keys; key += FV_SUMMED_KEYS)
            l = v_add(l, marked_sum(a, vector, -1, key, key + FV_SUMMED_KEYS));
        add_marked(a->l + vector * V_LANES, l, a->first);
        for (int64_t d = 0; d < a->head_dim_v; d++)
            add_marked(a->o + d * a->ld + vector * V_LANES, marked_sum(a, vector, d, 0, keys), a->first);
    }
}

#endif
