#include "src/call.h"

/* Offset of a sequence's first key in a tensor with these (batch, head, row) strides. */
static int64_t key_offset(const fv_sequence *sequence, int64_t head, const int64_t *strides) {
    return sequence->batch_kv * strides[0] + head * strides[1] + sequence->row_kv * strides[2];
}

static fv_rows rows_of(fovea_type type, const void *tensor, const int64_t *strides, const float *scales,
                       const int64_t *scale_strides, const fv_sequence *sequence, int64_t head) {
    fv_rows rows = {
        .type = type,
        .first = fv_element(tensor, type, key_offset(sequence, head, strides)),
        .stride = strides[2],
    };
    rows.page_stride = strides[0];
    if (type == FOVEA_INT8) {
        rows.scales = scales + key_offset(sequence, head, scale_strides);
        rows.scale_stride = scale_strides[2];
        rows.page_scale_stride = scale_strides[0];
    }
    return rows;
}

static fv_pages pages_of(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t b) {
    if (desc->form_kv != FOVEA_FORM_PAGED)
        return (fv_pages){0};
    const int64_t size = desc->page_size;
    return (fv_pages){
        .size = size,
        .shift = (size & (size - 1)) == 0 ? __builtin_ctzll((unsigned long long)size) : -1,
        .type = desc->type_index,
        .table = fv_index_address(args->block_table, desc->type_index, b * args->block_table_strides[0]),
        .stride = args->block_table_strides[1],
    };
}

/* One item for each row: of split keys the first one that holds visible keys. */
static int32_t counts_sinks(const fv_call *call, const fv_sequence *sequence, const fv_work *work) {
    return call->plan->has_sinks &&
           (work->split < 0 || work->split == fv_splits(&call->plan->geometry, sequence).begin);
}

/* By the sequence alone, not by how many of its panels an item has, so that results are the same for all threads. */
static int32_t key_block_of(const fovea_plan *plan, const fv_sequence *sequence) {
    return fv_panels(&plan->geometry, sequence->len_q) == 1 ? plan->key_block_single : plan->key_block;
}

fv_head fv_head_of(const fv_call *call, fv_item item) {
    const fovea_attention_args *args = call->args;
    int64_t b = item.work->batch;
    fv_head head = {
        .plan = call->plan,
        .args = args,
        .sequence = &call->workspace.sequences[b],
        .batch = b,
        .head_kv = item.head_kv,
        .key_block = key_block_of(call->plan, &call->workspace.sequences[b]),
        .counts_sinks = counts_sinks(call, &call->workspace.sequences[b], item.work),
    };
    if (call->workspace.classes) {
        head.classes = call->workspace.classes + b * call->workspace.class_panels * call->workspace.class_windows;
        head.class_windows = call->workspace.class_windows;
    }
    /* Without keys the tensors may be NULL. */
    if (head.sequence->end_key > 0) {
        fovea_type type = call->plan->desc.type_kv;
        head.k =
            rows_of(type, args->k, args->k_strides, args->k_scales, args->k_scale_strides, head.sequence, item.head_kv);
        head.v =
            rows_of(type, args->v, args->v_strides, args->v_scales, args->v_scale_strides, head.sequence, item.head_kv);
        head.k.pages = head.v.pages = pages_of(&call->plan->desc, args, b);
    }
    return head;
}

fv_sums fv_sums_of(const fv_call *call, const fv_head *head, int64_t first_lane) {
    const fv_geometry *geometry = &call->plan->geometry;
    const int64_t lanes = call->workspace.sums_lanes;
    float *m = call->workspace.sums + (head->batch * geometry->heads_kv + head->head_kv) * lanes + first_lane;
    return (fv_sums){m, m + geometry->batch * geometry->heads_kv * lanes};
}

fv_key_range fv_item_keys(const fv_head *head, const fv_work *work, int64_t row_begin, int64_t row_end) {
    const fv_geometry *geometry = &head->plan->geometry;
    fv_key_range keys = fv_visible_keys(head->sequence, geometry->band, row_begin, row_end);
    return fv_keys_of_split(geometry, head->sequence, work->split, keys);
}

void fv_lane_offsets(const fv_head *head, const int64_t *strides, int64_t first_lane, int32_t count, int64_t *offsets) {
    const int64_t group = head->plan->geometry.group;
    const int64_t base =
        head->sequence->batch_q * strides[0] + head->head_kv * group * strides[1] + head->sequence->row_q * strides[2];
    /* A loop that compilers vectorise. */
    if (group == 1) {
        for (int32_t i = 0; i < count; i++)
            offsets[i] = base + (first_lane + i) * strides[2];
        return;
    }
    int64_t row = first_lane / group;
    int64_t member = first_lane % group;
    for (int32_t i = 0; i < count; i++) {
        offsets[i] = base + member * strides[1] + row * strides[2];
        if (++member == group) {
            member = 0;
            row++;
        }
    }
}
