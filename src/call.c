#include "src/call.h"

static fv_rows rows_of(const void *tensor, const int64_t *strides, int64_t b, int64_t head) {
    return (fv_rows){(const float *)tensor + b * strides[0] + head * strides[1], strides[2], 0};
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
    };
    /* Without keys the tensors may be NULL. */
    if (args->len_kv > 0) {
        head.k = rows_of(args->k, args->k_strides, b, item.head_kv);
        head.v = rows_of(args->v, args->v_strides, b, item.head_kv);
    }
    return head;
}

fv_key_range fv_item_keys(const fv_head *head, const fv_work *work, int64_t row_begin, int64_t row_end) {
    const fv_geometry *geometry = &head->plan->geometry;
    fv_key_range keys = fv_visible_keys(head->sequence, geometry->band, row_begin, row_end);
    return fv_keys_of_split(geometry, head->sequence, work->split, keys);
}

void fv_lane_offsets(const fv_head *head, const int64_t *strides, int64_t first_lane, int32_t count, int64_t *offsets) {
    int64_t group = head->plan->geometry.group;
    int64_t row = first_lane / group;
    int64_t member = first_lane % group;
    int64_t base = head->batch * strides[0] + head->head_kv * group * strides[1];
    for (int32_t i = 0; i < count; i++) {
        offsets[i] = base + member * strides[1] + row * strides[2];
        if (++member == group) {
            member = 0;
            row++;
        }
    }
}
