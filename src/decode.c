#include "src/decode.h"

#include <math.h>
#include <string.h>

#include "src/alibi.h"
#include "src/integer.h"
#include "src/mask.h"
#include "src/partial.h"
#include "src/places.h"
#include "src/sinks.h"
#include "src/sums.h"
#include "src/terms.h"
#include "src/turns.h"
#include "src/weights.h"

/* Keys whose sum is formed before it is added to that of the keys before them. */
enum { SEGMENT_KEYS = 1024 };

/* The rows of one item on their way through the keys. */
typedef struct rows {
    const fv_head *head;
    const fv_scratch *scratch;
    int32_t count;
    fv_key_range keys;
    int64_t q_stride;
    int64_t o_stride;
    /* Probabilities are scaled by 2^-shift and forbidden positions left out (see panel.h, "safe"). */
    float shift;
    int32_t safe;
} rows;

static const fv_row_kernels *kernels_of(const rows *r) {
    return r->head->plan->backend->row;
}

static const fv_row_reads *reads_of(const rows *r) {
    return kernels_of(r)->read[r->head->k.type];
}

/* Keys whose scores are taken before their values. */
static int32_t keys_at_once(const rows *r) {
    return fv_is_paged(&r->head->k) && !reads_of(r)->in_pieces ? FV_TURN_KEYS : reads_of(r)->key_block;
}

/* A run of rows in the order of its keys; it may point into `places`. */
static fv_stored stored_rows(const fv_rows *of, int64_t key_begin, int32_t keys, int64_t length, fv_places *places) {
    if (fv_is_paged(of))
        return fv_stored_places(of, key_begin, keys, length, places);
    return (fv_stored){
        .rows = fv_row(of, key_begin),
        .stride = of->stride,
        .count = keys,
        .length = length,
        .scales = fv_row_scales(of, key_begin),
        .scale_stride = of->scale_stride,
    };
}

static float *scores_of(const rows *r, int32_t row) {
    return r->scratch->s + (int64_t)row * FV_MAX_BLOCK;
}

static void pack_queries(const rows *r) {
    const fovea_attention_desc *desc = &r->head->plan->desc;
    const float scale = r->safe ? r->head->plan->safe_query_scale : r->head->plan->query_scale;
    int64_t offsets[FV_MAX_ROWS];
    fv_lane_offsets(r->head, r->head->args->q_strides, 0, r->count, offsets);
    for (int32_t row = 0; row < r->count; row++) {
        float *q = r->scratch->q + row * r->q_stride;
        fv_widen(r->head->plan->backend->convert, desc->type_q,
                 fv_element(r->head->args->q, desc->type_q, offsets[row]), 1.0f, desc->head_dim, q);
        kernels_of(r)->scale(q, desc->head_dim, scale);
    }
}

static void forbid_outside(float *s, int32_t keys, fv_key_range seen) {
    for (int64_t key = 0; key < seen.begin; key++)
        s[key] = -INFINITY;
    for (int64_t key = seen.end; key < keys; key++)
        s[key] = -INFINITY;
}

/* Keys in pages, read page by page in turn. */
static void multiply_keys_in_turn(const rows *r, int64_t key_begin, int32_t keys) {
    fv_turns turns;
    float by_row[FV_MAX_ROWS][FV_TURN_KEYS] __attribute__((aligned(FV_ALIGNMENT)));
    fv_take_turns(&r->head->k, key_begin, key_begin + keys, r->keys.end, &turns);
    const fv_stored run = fv_stored_turns(&turns, r->head->plan->desc.head_dim);
    reads_of(r)->dots(r->scratch->q, r->q_stride, r->count, &run, by_row[0], FV_TURN_KEYS);
    for (int32_t row = 0; row < r->count; row++)
        fv_turns_to_keys(&turns, by_row[row], scores_of(r, row));
}

/* Dot products of a run of keys, for every row. */
static void multiply_keys(const rows *r, int64_t key_begin, int32_t keys) {
    const fv_rows *k = &r->head->k;
    if (fv_is_paged(k) && !reads_of(r)->in_pieces) {
        multiply_keys_in_turn(r, key_begin, keys);
        return;
    }
    fv_places places;
    const fv_stored run = stored_rows(k, key_begin, keys, r->head->plan->desc.head_dim, &places);
    reads_of(r)->dots(r->scratch->q, r->q_stride, r->count, &run, r->scratch->s, FV_MAX_BLOCK);
}

typedef void weigh(const float *p, int64_t p_stride, int32_t rows, const fv_stored *v, float *o, int64_t o_stride);

static void weigh_values_in_turn(const rows *r, weigh *sum, int64_t key_begin, int32_t keys) {
    fv_turns turns;
    float by_row[FV_MAX_ROWS][FV_TURN_KEYS] __attribute__((aligned(FV_ALIGNMENT)));
    fv_take_turns(&r->head->v, key_begin, key_begin + keys, r->keys.end, &turns);
    for (int32_t row = 0; row < r->count; row++)
        fv_keys_to_turns(&turns, scores_of(r, row), by_row[row]);
    const fv_stored run = fv_stored_turns(&turns, r->head->plan->desc.head_dim_v);
    sum(by_row[0], FV_TURN_KEYS, r->count, &run, r->scratch->o, r->o_stride);
}

/* Adds the values of a run of keys, by their probabilities. */
static void weigh_values(const rows *r, int64_t key_begin, int32_t keys) {
    const fv_rows *v = &r->head->v;
    const fv_row_reads *read = kernels_of(r)->read[v->type];
    weigh *const sum = r->safe ? read->weighted_sum_marked : read->weighted_sum;
    if (fv_is_paged(v) && !read->in_pieces) {
        weigh_values_in_turn(r, sum, key_begin, keys);
        return;
    }
    fv_places places;
    const fv_stored run = stored_rows(v, key_begin, keys, r->head->plan->desc.head_dim_v, &places);
    sum(r->scratch->s, FV_MAX_BLOCK, r->count, &run, r->scratch->o, r->o_stride);
}

static float *terms_of(const rows *r, int32_t row) {
    return r->scratch->term_rows + (int64_t)row * FV_MAX_BLOCK;
}

/* Terms of a run of keys for every row. Returns 0 if they forbid all of it. */
static int32_t make_terms(const rows *r, int64_t key_begin, int32_t keys) {
    int32_t allowed = 0;
    for (int32_t row = 0; row < r->count; row++)
        allowed |= fv_terms_of_lane(r->head, row, key_begin, keys, terms_of(r, row));
    return allowed;
}

static void forbid_all(const rows *r, int32_t keys) {
    for (int32_t row = 0; row < r->count; row++)
        for (int32_t key = 0; key < keys; key++)
            scores_of(r, row)[key] = -INFINITY;
}

/* Final scores of a run of keys, in the plan's units, for every row. Returns 0 if masks and biases forbid them all,
 * whose keys are then not read. */
static int32_t score_keys(const rows *r, int64_t key_begin, int32_t keys) {
    const fv_head *head = r->head;
    if (head->plan->has_score_terms && !make_terms(r, key_begin, keys)) {
        forbid_all(r, keys);
        return 0;
    }
    fv_alibi alibi;
    multiply_keys(r, key_begin, keys);
    if (head->plan->has_alibi)
        fv_alibi_of_lanes(head, 0, r->count, key_begin, &alibi);
    for (int32_t row = 0; row < r->count; row++) {
        float *s = scores_of(r, row);
        if (r->safe && head->plan->safe_score_factor != 1.0f)
            kernels_of(r)->scale(s, keys, head->plan->safe_score_factor);
        if (head->plan->cap > 0)
            kernels_of(r)->softcap(s, keys, head->plan->cap);
        if (head->plan->has_alibi)
            kernels_of(r)->alibi(s, keys, alibi.slope[row], alibi.diagonal[row]);
        if (head->plan->has_score_terms)
            kernels_of(r)->add_terms(s, terms_of(r, row), keys);
        forbid_outside(s, keys, fv_see_lane(head, row, key_begin, keys));
    }
    return 1;
}

/* Raises the row's reference to `reference` and rescales what was accumulated. */
static void move_reference(const rows *r, int32_t row, float reference) {
    float *m = &r->scratch->m[row];
    if (reference == *m)
        return;
    float factor = *m - reference;
    *m = reference;
    kernels_of(r)->exponentials(&factor, 1, 0.0f, r->head->plan->exp, 0);
    r->scratch->l[row] *= factor;
    kernels_of(r)->scale(r->scratch->o + row * r->o_stride, r->head->plan->desc.head_dim_v, factor);
}

static void take_keys(const rows *r, int64_t key_begin, int32_t keys) {
    const fv_head *head = r->head;
    const fv_row_kernels *kernels = kernels_of(r);
    if (!score_keys(r, key_begin, keys))
        return;
    for (int32_t row = 0; row < r->count; row++) {
        float *s = scores_of(r, row);
        move_reference(r, row, kernels->peak(s, keys, r->scratch->m[row]));
        r->scratch->l[row] += kernels->exponentials(s, keys, r->scratch->m[row] + r->shift, head->plan->exp, r->safe);
    }
    weigh_values(r, key_begin, keys);
}

/* Takes keys [begin, end) into empty rows. */
static void take_segment(const rows *r, int64_t begin, int64_t end) {
    const int32_t block = keys_at_once(r);
    memset(r->scratch->o, 0, (size_t)(r->count * r->o_stride) * sizeof(float));
    for (int32_t row = 0; row < r->count; row++) {
        r->scratch->m[row] = FV_NO_SCORE;
        r->scratch->l[row] = 0.0f;
    }
    /* Runs end where pages do. */
    for (int64_t key = begin, next; key < end; key = next) {
        next = fv_min64(end, (key / block + 1) * block);
        take_keys(r, key, (int32_t)(next - key));
    }
}

/* to = to * old + from * new. */
static void blend(float *to, float old_factor, const float *from, float new_factor, int64_t count) {
    for (int64_t d = 0; d < count; d++)
        to[d] = to[d] * old_factor + from[d] * new_factor;
}

/* Adds one row of a segment to the row `total` of the segments before it. */
static void add_segment(const rows *r, int32_t row, int32_t total) {
    const fv_scratch *scratch = r->scratch;
    float reference = scratch->m[row] > scratch->m[total] ? scratch->m[row] : scratch->m[total];
    float factors[2] = {scratch->m[total] - reference, scratch->m[row] - reference};
    kernels_of(r)->exponentials(factors, 2, 0.0f, r->head->plan->exp, 0);
    blend(&scratch->l[total], factors[0], &scratch->l[row], factors[1], 1);
    blend(scratch->o + total * r->o_stride, factors[0], scratch->o + row * r->o_stride, factors[1],
          r->head->plan->desc.head_dim_v);
    scratch->m[total] = reference;
}

static void copy_rows(const rows *r, int32_t from, int32_t to) {
    const fv_scratch *scratch = r->scratch;
    size_t count = (size_t)r->count;
    memcpy(scratch->m + to, scratch->m + from, count * sizeof(float));
    memcpy(scratch->l + to, scratch->l + from, count * sizeof(float));
    memcpy(scratch->o + to * r->o_stride, scratch->o + from * r->o_stride, count * (size_t)r->o_stride * sizeof(float));
}

/* Long runs of keys are summed segment by segment: the rounding errors of one sum over all of them would add up. The
 * rows of the totals lie behind those of the segment. */
static void take_all_keys(const rows *r) {
    int64_t end = fv_min64(r->keys.begin + SEGMENT_KEYS, r->keys.end);
    take_segment(r, r->keys.begin, end);
    if (end < r->keys.end) {
        copy_rows(r, 0, r->count);
        for (int64_t begin = end; begin < r->keys.end; begin = end) {
            end = fv_min64(begin + SEGMENT_KEYS, r->keys.end);
            take_segment(r, begin, end);
            for (int32_t row = 0; row < r->count; row++)
                add_segment(r, row, r->count + row);
        }
        copy_rows(r, r->count, 0);
    }
    for (int32_t row = 0; row < r->count; row++)
        r->scratch->m[row] += r->shift;
}

static int32_t has_infinite_query(const rows *r, int32_t row) {
    for (int64_t d = 0; d < r->head->plan->desc.head_dim; d++)
        if (isinf(r->scratch->q[row * r->q_stride + d]))
            return 1;
    return 0;
}

/* As in panel.c. */
static int32_t hides_overflow(const rows *r, int32_t row) {
    return (r->head->plan->cap > 0 || r->scratch->l[row] == 0.0f) && has_infinite_query(r, row);
}

/* Completes the sums and divides by them into the output; non-zero if all is finite before it is rounded to the
 * output's type. */
static int32_t write_output(const rows *r, const fv_output *output) {
    const int64_t count = r->head->plan->desc.head_dim_v;
    float factor[FV_MAX_ROWS];
    int32_t finite = 1;
    for (int32_t row = 0; row < r->count; row++)
        finite &= isfinite(r->scratch->l[row]) && !hides_overflow(r, row);
    fv_finish_sums(r->head, 0, r->count, r->scratch->m, r->scratch->l, factor);
    for (int32_t row = 0; row < r->count; row++) {
        float *o = r->scratch->o + row * r->o_stride;
        for (int64_t d = 0; d < count; d++) {
            o[d] *= factor[row];
            finite &= isfinite(o[d]) != 0;
        }
        fv_narrow(r->head->plan->backend->convert, output->type, o, count, output->rows[row]);
    }
    return finite;
}

/* exp2(s - m) / l. */
static void divide(const rows *r, int32_t row, float *s, int32_t keys) {
    const float l = r->scratch->l[row];
    kernels_of(r)->exponentials(s, keys, r->scratch->m[row], r->head->plan->exp, 1);
    /* Forbidden positions, marked by -0.0, are 0 whatever the sum. */
    for (int32_t i = 0; i < keys; i++)
        s[i] = l == 0.0f || (s[i] == 0.0f && signbit(s[i])) ? 0.0f : s[i] / l;
}

static void write_weights(const rows *r) {
    const int32_t block = keys_at_once(r);
    fv_shown shown;
    rows of_weights = *r;
    fv_show(r->head, &shown);
    of_weights.head = &shown.head;
    if (!shown.is_probability)
        pack_queries(&of_weights);
    const fv_key_range seen = fv_shown_keys(&shown, 0, r->count);
    for (int32_t row = 0; row < r->count; row++)
        fv_weights_fill_outside(&shown, fv_weights_row(r->head, row), seen);
    for (int64_t key = seen.begin; key < seen.end; key += block) {
        const int32_t keys = (int32_t)fv_min64(seen.end - key, block);
        score_keys(&of_weights, key, keys);
        for (int32_t row = 0; row < r->count; row++) {
            if (shown.is_probability)
                divide(r, row, scores_of(r, row), keys);
            memcpy(fv_weights_row(r->head, row) + key, scores_of(r, row), (size_t)keys * sizeof(float));
        }
    }
}

void fv_decode_item(const fv_call *call, fv_item item, const fv_scratch *scratch) {
    fv_head head = fv_head_of(call, item);
    rows r = {
        .head = &head,
        .scratch = scratch,
        .count = (int32_t)(head.sequence->len_q * call->plan->geometry.group),
        .keys = fv_item_keys(&head, item.work, 0, head.sequence->len_q),
        .q_stride = fv_row_stride(call->plan->desc.head_dim),
        .o_stride = fv_row_stride(call->plan->desc.head_dim_v),
    };
    fv_output output = fv_output_of(call, &head, item.work, 0, r.count);
    pack_queries(&r);
    take_all_keys(&r);
    if (!write_output(&r, &output)) {
        r.shift = fv_safety_shift(r.keys.end - r.keys.begin);
        r.safe = 1;
        pack_queries(&r);
        take_all_keys(&r);
        write_output(&r, &output);
    }
    fv_output_sums(call, &head, item.work, 0, r.count, scratch->m, scratch->l);
    /* Without keys there may be no weights to point to. */
    if (fv_has_weights_rows(call->plan) && call->args->len_kv > 0)
        write_weights(&r);
}
