#include "src/partial.h"

#include "src/merge.h"
#include "src/sinks.h"

/* Partial results of one (batch entry, key/value head). */
typedef struct partial {
    /* [lane][split] */
    float *m;
    float *l;
    /* [split][lane][head_dim_v] */
    float *o;
    int64_t lanes;
    int64_t first_split;
    int64_t splits;
} partial;

static partial partial_of(const fv_call *call, const fv_head *head) {
    const fv_geometry *geometry = &call->plan->geometry;
    fv_key_range range = fv_splits(geometry, head->sequence);
    int64_t lanes = head->sequence->len_q * geometry->group;
    int64_t splits = range.end - range.begin;
    float *base = call->workspace.partials.base + head->sequence->partials +
                  head->head_kv * fv_partial_floats(call->plan, lanes, splits);
    return (partial){base, base + lanes * splits, base + 2 * lanes * splits, lanes, range.begin, splits};
}

static float *partial_row(const fv_call *call, const partial *p, int64_t split, int64_t lane) {
    return p->o + ((split - p->first_split) * p->lanes + lane) * call->plan->desc.head_dim_v;
}

void fv_find_output(const fv_call *call, const fv_head *head, const fv_work *work, int64_t first_lane, int32_t lanes,
                    fv_output *output) {
    for (int32_t lane = lanes; lane < FV_MAX_LANES; lane++)
        output->rows[lane] = NULL;
    if (work->split >= 0) {
        const partial p = partial_of(call, head);
        output->type = FOVEA_F32;
        for (int32_t lane = 0; lane < lanes; lane++)
            output->rows[lane] = partial_row(call, &p, work->split, first_lane + lane);
        return;
    }
    int64_t offsets[FV_MAX_LANES];
    fv_lane_offsets(head, call->args->out_strides, first_lane, lanes, offsets);
    output->type = call->plan->desc.type_out;
    for (int32_t lane = 0; lane < lanes; lane++)
        output->rows[lane] = fv_element_out(call->args->out, output->type, offsets[lane]);
}

static void write_log_sum_exp(const fv_call *call, const fv_head *head, int64_t first_lane, int32_t lanes,
                              const float *m, const float *l) {
    if (call->args->lse == NULL)
        return;
    float lse[FV_MAX_LANES];
    int64_t offsets[FV_MAX_LANES];
    fv_log_sum_exp(head, first_lane, lanes, m, l, lse);
    fv_lane_offsets(head, call->args->lse_strides, first_lane, lanes, offsets);
    for (int32_t lane = 0; lane < lanes; lane++)
        call->args->lse[offsets[lane]] = lse[lane];
}

static void keep_sums(const fv_call *call, const fv_head *head, int64_t first_lane, int32_t lanes, const float *m,
                      const float *l) {
    const fv_sums sums = fv_sums_of(call, head, first_lane);
    for (int32_t lane = 0; lane < lanes; lane++) {
        sums.m[lane] = m[lane];
        sums.l[lane] = l[lane];
    }
}

void fv_output_sums(const fv_call *call, const fv_head *head, const fv_work *work, int64_t first_lane, int32_t lanes,
                    const float *m, const float *l) {
    if (work->split < 0) {
        write_log_sum_exp(call, head, first_lane, lanes, m, l);
        if (call->workspace.sums)
            keep_sums(call, head, first_lane, lanes, m, l);
        return;
    }
    partial p = partial_of(call, head);
    for (int32_t lane = 0; lane < lanes; lane++) {
        p.m[(first_lane + lane) * p.splits + work->split - p.first_split] = m[lane];
        p.l[(first_lane + lane) * p.splits + work->split - p.first_split] = l[lane];
    }
}

void fv_partials_begin(const fv_call *call) {
    const fv_geometry *geometry = &call->plan->geometry;
    if (call->workspace.partials.base == NULL)
        return;
    int64_t floats = 0;
    for (int64_t b = 0; b < geometry->batch; b++) {
        fv_sequence *sequence = &call->workspace.sequences[b];
        fv_key_range range = fv_splits(geometry, sequence);
        int64_t splits = range.end - range.begin;
        sequence->partials = floats;
        if (range.begin >= 0)
            floats += geometry->heads_kv * fv_partial_floats(call->plan, sequence->len_q * geometry->group, splits);
        for (int64_t head = 0; head < geometry->heads_kv; head++)
            atomic_init(&call->workspace.partials.pending[b * geometry->heads_kv + head], (int32_t)splits);
    }
}

static void merge_splits(const fv_call *call, const fv_head *head, const fv_scratch *scratch) {
    partial p = partial_of(call, head);
    fv_work whole = {.split = -1};
    int64_t row_distance = p.lanes * call->plan->desc.head_dim_v;
    for (int64_t lane = 0; lane < p.lanes; lane++) {
        int64_t at = lane * p.splits;
        float m, l;
        fv_output output;
        fv_find_output(call, head, &whole, lane, 1, &output);
        float *out = output.type == FOVEA_F32 ? output.rows[0] : scratch->o;
        fv_merge_row(call->plan->backend->row, call->plan->exp, p.splits, p.m + at, p.l + at,
                     partial_row(call, &p, p.first_split, lane), row_distance, call->plan->desc.head_dim_v, out, &m,
                     &l);
        if (output.type != FOVEA_F32)
            fv_narrow(call->plan->backend->convert, output.type, out, call->plan->desc.head_dim_v, output.rows[0]);
        fv_output_sums(call, head, &whole, lane, 1, &m, &l);
    }
}

void fv_partials_complete(const fv_call *call, fv_item item, const fv_scratch *scratch) {
    if (item.work->split < 0)
        return;
    int64_t pair = item.work->batch * call->plan->geometry.heads_kv + item.head_kv;
    if (atomic_fetch_sub_explicit(&call->workspace.partials.pending[pair], 1, memory_order_acq_rel) != 1)
        return;
    fv_head head = fv_head_of(call, item);
    merge_splits(call, &head, scratch);
}
