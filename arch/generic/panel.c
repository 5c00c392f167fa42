/* Panel family in portable C. The lane loops have a constant trip count and vectorise for any baseline. */
#include "arch/generic/kernels.h"

enum { LANES = 8, VECTORS = 2, KEY_BLOCK = 128, KEY_BLOCK_SHORT = 128, TILE_KEYS = 4 };

static void pack(const float *const *rows, int32_t ld, int64_t count, float scale, float *packed) {
    for (int32_t lane = 0; lane < ld; lane++)
        for (int64_t i = 0; i < count; i++)
            packed[i * ld + lane] = rows[lane] ? rows[lane][i] * scale : 0.0f;
}

static void store(void *row, fovea_type type, int64_t i, float x) {
    if (type == FOVEA_F32)
        ((float *)row)[i] = x;
    else
        (type == FOVEA_F16 ? fv_generic_convert.narrow_f16 : fv_generic_convert.narrow_bf16)(&x, 1,
                                                                                             (uint16_t *)row + i);
}

static int32_t unpack(void *const *rows, fovea_type type, int32_t ld, int64_t count, const float *packed,
                      const float *factor) {
    int32_t finite = 1;
    for (int32_t lane = 0; lane < ld; lane++)
        for (int64_t i = 0; rows[lane] && i < count; i++) {
            const float x = packed[i * ld + lane] * factor[lane];
            store(rows[lane], type, i, x);
            finite &= isfinite(x) != 0;
        }
    return finite;
}

static void raise_peak(float *peak, const float *s) {
    for (int32_t lane = 0; lane < LANES; lane++)
        peak[lane] = s[lane] > peak[lane] ? s[lane] : peak[lane];
}

/* One key against one vector of lanes. */
static void score(const float *k, int64_t head_dim, const float *q, int32_t ld, const float *start, float *s) {
    float sum[LANES];
    for (int32_t lane = 0; lane < LANES; lane++)
        sum[lane] = start[lane];
    for (int64_t d = 0; d < head_dim; d++)
        for (int32_t lane = 0; lane < LANES; lane++)
            sum[lane] += k[d] * q[d * ld + lane];
    for (int32_t lane = 0; lane < LANES; lane++)
        s[lane] = sum[lane];
}

static void scores(const fv_score_args *a) {
    for (int32_t key = 0; key < a->keys; key++)
        for (int32_t first = 0; first < a->vectors * LANES; first += LANES) {
            float *s = a->s + (int64_t)key * a->ld + first;
            score((const float *)a->k + key * a->k_stride, a->head_dim, a->q + first, a->ld, a->start + first, s);
            if (a->peak)
                raise_peak(a->peak + first, s);
        }
}

static void exponentials(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *shift, fv_exp exp,
                         int32_t mark_forbidden) {
    const float least = mark_forbidden ? FV_LEAST_EXPONENT : FV_LEAST_PANEL_EXPONENT;
    for (int32_t key = 0; key < keys; key++, s += ld)
        for (int32_t lane = 0; lane < vectors * LANES; lane++)
            s[lane] = fv_probability(s[lane], shift ? shift[lane] : 0.0f, least, exp, mark_forbidden);
}

static void scores_exp(const fv_score_args *a) {
    scores(a);
    exponentials(a->s, a->ld, a->vectors, a->keys, NULL, FV_EXP_FUSED, 0);
}

static void scores_exp_sleef(const fv_score_args *a) {
    scores(a);
    exponentials(a->s, a->ld, a->vectors, a->keys, NULL, FV_EXP_SLEEF, 0);
}

static void mask_lanes(float *s, int32_t ld, int32_t vectors, int32_t key_begin, int32_t key_end,
                       const int32_t *visible_begin, const int32_t *visible_end, float *peak) {
    for (int32_t key = key_begin; key < key_end; key++)
        for (int32_t first = 0; first < vectors * LANES; first += LANES) {
            float *row = s + (int64_t)key * ld + first;
            for (int32_t lane = 0; lane < LANES; lane++)
                if (key < visible_begin[first + lane] || key >= visible_end[first + lane])
                    row[lane] = -INFINITY;
            if (peak)
                raise_peak(peak + first, row);
        }
}

static void peaks(const float *s, int32_t ld, int32_t vectors, int32_t keys, float *peak) {
    for (int32_t key = 0; key < keys; key++)
        for (int32_t first = 0; first < vectors * LANES; first += LANES)
            raise_peak(peak + first, s + (int64_t)key * ld + first);
}

static void softcap(float *s, int32_t ld, int32_t vectors, int32_t keys, float cap) {
    for (int32_t key = 0; key < keys; key++, s += ld)
        for (int32_t lane = 0; lane < vectors * LANES; lane++)
            s[lane] = cap * Sleef_tanhf1_u10purec(s[lane]);
}

static void alibi(float *s, int32_t ld, int32_t vectors, int32_t keys, const float *slope, const float *diagonal,
                  float *peak) {
    for (int32_t key = 0; key < keys; key++, s += ld)
        for (int32_t first = 0; first < vectors * LANES; first += LANES) {
            for (int32_t lane = first; lane < first + LANES; lane++)
                s[lane] = fv_alibi(s[lane], slope[lane], diagonal[lane], key);
            if (peak)
                raise_peak(peak + first, s + first);
        }
}

static float add_term(const fv_term_args *a, int32_t key, int32_t lane, float s) {
    const float *bias = a->bias ? a->bias[lane] : NULL;
    const uint8_t *mask = a->mask ? a->mask[lane] : NULL;
    if ((mask && !mask[key]) || (bias && bias[key] == -INFINITY))
        return -INFINITY;
    if (!bias)
        return s;
    const float term = bias[key] * a->factor;
    return s + (isfinite(term) ? term : bias[key]);
}

static void add_terms(const fv_term_args *a) {
    for (int32_t key = 0; key < a->keys; key++)
        for (int32_t first = 0; first < a->vectors * LANES; first += LANES) {
            float *s = a->s + (int64_t)key * a->ld + first;
            for (int32_t lane = 0; lane < LANES; lane++)
                s[lane] = add_term(a, key, first + lane, s[lane]);
            if (a->peak)
                raise_peak(a->peak + first, s);
        }
}

static void rescale(float *o, int32_t ld, int32_t vectors, int64_t count, const float *factor) {
    for (int64_t i = 0; i < count; i++, o += ld)
        for (int32_t lane = 0; lane < vectors * LANES; lane++)
            o[lane] *= factor[lane];
}

/* Sum over the block's keys of [begin, end) of p * v[.][d] (or of p alone where d is negative) for one vector of lanes.
 */
static void sum_of_keys(const fv_value_args *a, int64_t d, int32_t vector, int32_t marked, int32_t begin, int32_t end,
                        float *sum) {
    for (int32_t lane = 0; lane < LANES; lane++)
        sum[lane] = 0.0f;
    for (int32_t i = 0; i < a->segment_count; i++) {
        const fv_segment *segment = &a->segments[i];
        if (vector < segment->vector_begin || vector >= segment->vector_end)
            continue;
        const int32_t first = segment->key_begin > begin ? segment->key_begin : begin;
        const int32_t behind = segment->key_end < end ? segment->key_end : end;
        for (int32_t key = first; key < behind; key++) {
            const float *p = a->p + (int64_t)key * a->ld + vector * LANES;
            float v = d < 0 ? 1.0f : a->v[key * a->v_stride + d];
            for (int32_t lane = 0; lane < LANES; lane++)
                sum[lane] = marked && p[lane] == 0.0f && signbit(p[lane]) ? sum[lane] : sum[lane] + p[lane] * v;
        }
    }
}

static void accumulate(float *total, const float *sum, int32_t first) {
    for (int32_t lane = 0; lane < LANES; lane++)
        total[lane] = first ? sum[lane] : total[lane] + sum[lane];
}

static void sum_probabilities(const fv_value_args *a, int32_t vector, int32_t marked, int32_t keys) {
    float total[LANES] = {0}, sum[LANES];
    for (int32_t key = 0; key < keys; key += FV_SUMMED_KEYS) {
        sum_of_keys(a, -1, vector, marked, key, key + FV_SUMMED_KEYS, sum);
        accumulate(total, sum, 0);
    }
    accumulate(a->l + vector * LANES, total, a->first);
}

static void weigh_values(const fv_value_args *a, int32_t marked) {
    const int32_t keys = a->segment_count > 0 ? a->segments[a->segment_count - 1].key_end : 0;
    float sum[LANES];
    for (int32_t vector = 0; vector < a->vectors; vector++) {
        sum_probabilities(a, vector, marked, keys);
        for (int64_t d = 0; d < a->head_dim_v; d++) {
            sum_of_keys(a, d, vector, marked, 0, keys, sum);
            accumulate(a->o + d * a->ld + vector * LANES, sum, a->first);
        }
    }
}

static void values(const fv_value_args *a) {
    weigh_values(a, 0);
}

static void values_marked(const fv_value_args *a) {
    weigh_values(a, 1);
}

const fv_panel_kernels fv_generic_panel = {
    .lanes = LANES,
    .vectors = VECTORS,
    .key_block = KEY_BLOCK,
    .key_block_short = KEY_BLOCK_SHORT,
    .tile_keys = TILE_KEYS,
    .pack = pack,
    .unpack = unpack,
    .scores = scores,
    .scores_exp = scores_exp,
    .scores_exp_sleef = scores_exp_sleef,
    .mask_lanes = mask_lanes,
    .peaks = peaks,
    .softcap = softcap,
    .alibi = alibi,
    .add_terms = add_terms,
    .exponentials = exponentials,
    .rescale = rescale,
    .values = values,
    .values_marked = values_marked,
};
