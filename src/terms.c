#include "src/terms.h"

#include <float.h>
#include <math.h>

/* A bias in log2 units. Finite ones stay finite: only -inf forbids, and masks made of the lowest finite number are
 * common. */
static inline float in_log2_units(float bias) {
    float term = bias * FV_LOG2_E;
    if (term > FLT_MAX && bias <= FLT_MAX)
        return FLT_MAX;
    if (term < -FLT_MAX && bias >= -FLT_MAX)
        return -FLT_MAX;
    return term;
}

static void bias_terms(const float *bias, int64_t stride, int32_t keys, float *row) {
    if (stride == 1) {
        for (int32_t key = 0; key < keys; key++)
            row[key] = in_log2_units(bias[key]);
        return;
    }
    for (int32_t key = 0; key < keys; key++)
        row[key] = in_log2_units(bias[key * stride]);
}

static void forbid(const uint8_t *mask, int64_t stride, int32_t keys, float *row) {
    if (stride == 1) {
        for (int32_t key = 0; key < keys; key++)
            row[key] = mask[key] ? row[key] : -INFINITY;
        return;
    }
    for (int32_t key = 0; key < keys; key++)
        row[key] = mask[key * stride] ? row[key] : -INFINITY;
}

void fv_terms_of_lane(const fv_head *head, int64_t lane, int64_t key_begin, int32_t keys, float *row) {
    const fovea_attention_args *args = head->args;
    int64_t offset;
    if (args->bias) {
        fv_lane_offsets(head, args->bias_strides, lane, 1, &offset);
        bias_terms((const float *)args->bias + offset + key_begin * args->bias_strides[3], args->bias_strides[3], keys,
                   row);
    } else {
        for (int32_t key = 0; key < keys; key++)
            row[key] = 0.0f;
    }
    if (args->mask) {
        fv_lane_offsets(head, args->mask_strides, lane, 1, &offset);
        forbid(args->mask + offset + key_begin * args->mask_strides[3], args->mask_strides[3], keys, row);
    }
}

void fv_terms_of_panel(const fv_head *head, int64_t first_lane, int32_t lanes, int32_t ld, int64_t key_begin,
                       int32_t keys, const fv_scratch *scratch) {
    const float *rows[FV_MAX_LANES] = {0};
    for (int32_t lane = 0; lane < lanes; lane++) {
        float *row = scratch->term_rows + (int64_t)lane * FV_MAX_BLOCK;
        fv_terms_of_lane(head, first_lane + lane, key_begin, keys, row);
        rows[lane] = row;
    }
    head->plan->backend->panel->pack(rows, ld, keys, 1.0f, scratch->terms);
}
