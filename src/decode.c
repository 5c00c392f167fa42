#include "src/decode.h"

#include <math.h>
#include <string.h>

#include "src/decode_run.h"
#include "src/integer.h"
#include "src/partial.h"
#include "src/sinks.h"
#include "src/sums.h"
#include "src/weights.h"

/* Keys whose sum is formed before it is added to that of the keys before them: whole runs. */
enum { SEGMENT_KEYS = FV_MAX_RUN };

static void pack_queries(const fv_decode_rows *r) {
    const fovea_attention_desc *desc = &r->head->plan->desc;
    const float scale = r->safe ? r->head->plan->safe_query_scale : r->head->plan->query_scale;
    int64_t offsets[FV_MAX_ROWS];
    fv_lane_offsets(r->head, r->head->args->q_strides, 0, r->count, offsets);
    for (int32_t row = 0; row < r->count; row++) {
        float *q = r->scratch->q + row * r->q_stride;
        fv_widen(r->head->plan->backend->convert, desc->type_q,
                 fv_element(r->head->args->q, desc->type_q, offsets[row]), 1.0f, desc->head_dim, q);
        fv_row_kernels_of(r)->scale(q, desc->head_dim, scale);
    }
}

/* Raises the row's reference to `reference` and rescales what was accumulated. */
static void move_reference(const fv_decode_rows *r, int32_t row, float reference) {
    float *m = &r->scratch->m[row];
    if (reference == *m)
        return;
    float factor = *m - reference;
    *m = reference;
    fv_row_kernels_of(r)->exponentials(&factor, 1, 0.0f, r->head->plan->exp, 0);
    r->scratch->l[row] *= factor;
    fv_row_kernels_of(r)->scale(r->scratch->o + row * r->o_stride, r->head->plan->desc.head_dim_v, factor);
}

static void take_keys(const fv_decode_rows *r, int64_t key_begin, int32_t keys) {
    const fv_head *head = r->head;
    const fv_row_kernels *kernels = fv_row_kernels_of(r);
    fv_run run;
    fv_run_begin(r, key_begin, keys, &run);
    if (run.part_count == 0)
        return;
    fv_run_ask(r, &run);
    fv_run_score(r, &run);
    for (int32_t row = 0; row < r->count; row++) {
        float *s = fv_row_scores(r, row);
        move_reference(r, row, kernels->peak(s, keys, r->scratch->m[row]));
        r->scratch->l[row] += kernels->exponentials(s, keys, r->scratch->m[row] + r->shift, head->plan->exp, r->safe);
    }
    fv_run_weigh(r, &run);
}

/* Takes keys [begin, end) into empty rows. */
static void take_segment(const fv_decode_rows *r, int64_t begin, int64_t end) {
    const int32_t block = fv_run_keys(r);
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
static void add_segment(const fv_decode_rows *r, int32_t row, int32_t total) {
    const fv_scratch *scratch = r->scratch;
    float reference = scratch->m[row] > scratch->m[total] ? scratch->m[row] : scratch->m[total];
    float factors[2] = {scratch->m[total] - reference, scratch->m[row] - reference};
    fv_row_kernels_of(r)->exponentials(factors, 2, 0.0f, r->head->plan->exp, 0);
    blend(&scratch->l[total], factors[0], &scratch->l[row], factors[1], 1);
    blend(scratch->o + total * r->o_stride, factors[0], scratch->o + row * r->o_stride, factors[1],
          r->head->plan->desc.head_dim_v);
    scratch->m[total] = reference;
}

static void copy_rows(const fv_decode_rows *r, int32_t from, int32_t to) {
    const fv_scratch *scratch = r->scratch;
    size_t count = (size_t)r->count;
    memcpy(scratch->m + to, scratch->m + from, count * sizeof(float));
    memcpy(scratch->l + to, scratch->l + from, count * sizeof(float));
    memcpy(scratch->o + to * r->o_stride, scratch->o + from * r->o_stride, count * (size_t)r->o_stride * sizeof(float));
}

/* Long runs of keys are summed segment by segment: the rounding errors of one sum over all of them would add up. The
 * rows of the totals lie behind those of the segment. */
static void take_all_keys(const fv_decode_rows *r) {
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

static int32_t has_infinite_query(const fv_decode_rows *r, int32_t row) {
    for (int64_t d = 0; d < r->head->plan->desc.head_dim; d++)
        if (isinf(r->scratch->q[row * r->q_stride + d]))
            return 1;
    return 0;
}

/* As in panel.c. */
static int32_t hides_overflow(const fv_decode_rows *r, int32_t row) {
    return (r->head->plan->cap > 0 || r->scratch->l[row] == 0.0f) && has_infinite_query(r, row);
}

/* Completes the sums and divides by them into the output; non-zero if all is finite before it is rounded to the
 * output's type. */
static int32_t write_output(const fv_decode_rows *r, const fv_output *output) {
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
static void divide(const fv_decode_rows *r, int32_t row, float *s, int32_t keys) {
    const float l = r->scratch->l[row];
    fv_row_kernels_of(r)->exponentials(s, keys, r->scratch->m[row], r->head->plan->exp, 1);
    /* Forbidden positions, marked by -0.0, are 0 whatever the sum. */
    for (int32_t i = 0; i < keys; i++)
        s[i] = l == 0.0f || (s[i] == 0.0f && signbit(s[i])) ? 0.0f : s[i] / l;
}

static void write_weights(const fv_decode_rows *r) {
    const int32_t block = fv_run_keys(r);
    fv_shown shown;
    fv_decode_rows of_weights = *r;
    fv_show(r->head, &shown);
    of_weights.head = &shown.head;
    if (!shown.is_probability)
        pack_queries(&of_weights);
    const fv_key_range seen = fv_shown_keys(&shown, 0, r->count);
    for (int32_t row = 0; row < r->count; row++)
        fv_weights_fill_outside(&shown, fv_weights_row(r->head, row), seen);
    for (int64_t key = seen.begin; key < seen.end; key += block) {
        const int32_t keys = (int32_t)fv_min64(seen.end - key, block);
        fv_run run;
        fv_run_begin(&of_weights, key, keys, &run);
        fv_run_score(&of_weights, &run);
        for (int32_t row = 0; row < r->count; row++) {
            if (shown.is_probability)
                divide(r, row, fv_row_scores(r, row), keys);
            memcpy(fv_weights_row(r->head, row) + key, fv_row_scores(r, row), (size_t)keys * sizeof(float));
        }
    }
}

void fv_decode_item(const fv_call *call, fv_item item, const fv_scratch *scratch) {
    fv_head head = fv_head_of(call, item);
    fv_decode_rows r = {
        .head = &head,
        .scratch = scratch,
        .count = (int32_t)(head.sequence->len_q * call->plan->geometry.group),
        .keys = fv_item_keys(&head, item.work, 0, head.sequence->len_q),
        .q_stride = fv_row_stride(call->plan->desc.head_dim),
        .o_stride = fv_row_stride(call->plan->desc.head_dim_v),
    };
    fv_output output;
    fv_find_output(call, &head, item.work, 0, r.count, &output);
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
