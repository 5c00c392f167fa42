#include "src/terms.h"

#include <math.h>

/* Elements `stride` apart, as f32. */
static void gather_f32(const float *from, int64_t stride, int32_t count, float *to) {
    for (int32_t i = 0; i < count; i++)
        to[i] = from[i * stride];
}

static void gather_16_bits(const fv_convert_kernels *kernels, fovea_type type, const uint16_t *from, int64_t stride,
                           int32_t count, float *to) {
    uint16_t run[64];
    const int32_t most = sizeof run / sizeof *run;
    for (int32_t done = 0; done < count; done += most) {
        int32_t length = count - done < most ? count - done : most;
        for (int32_t i = 0; i < length; i++)
            run[i] = from[(done + i) * stride];
        fv_widen(kernels, type, run, 1.0f, length, to + done);
    }
}

static void bias_terms(const fovea_plan *plan, const void *bias, int64_t stride, int32_t keys, float *row) {
    const fv_convert_kernels *kernels = plan->backend->convert;
    const fovea_type type = plan->desc.type_bias;
    if (stride == 1)
        fv_widen(kernels, type, bias, 1.0f, keys, row);
    else if (type == FOVEA_F32)
        gather_f32(bias, stride, keys, row);
    else
        gather_16_bits(kernels, type, bias, stride, keys, row);
    for (int32_t key = 0; key < keys; key++)
        row[key] = fv_term(row[key], plan->term_factor);
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
        const int64_t stride = args->bias_strides[3];
        const void *bias = fv_element(args->bias, head->plan->desc.type_bias, offset + key_begin * stride);
        bias_terms(head->plan, bias, stride, keys, row);
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
