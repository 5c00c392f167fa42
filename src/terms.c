#include "src/terms.h"

#include <math.h>

#include "src/ask.h"
#include "src/integer.h"

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

/* Elements of any type that a bias may have, `stride` apart, as f32. */
static void gather(const fv_convert_kernels *kernels, fovea_type type, const void *from, int64_t stride, int32_t count,
                   float *to) {
    if (stride == 1)
        fv_widen(kernels, type, from, 1.0f, count, to);
    else if (type == FOVEA_F32)
        gather_f32(from, stride, count, to);
    else
        gather_16_bits(kernels, type, from, stride, count, to);
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

int32_t fv_terms_allow_any(const float *row, int32_t keys) {
    for (int32_t key = 0; key < keys; key++)
        if (row[key] != -INFINITY)
            return 1;
    return 0;
}

void fv_terms_of_lane(const fv_head *head, int64_t lane, int64_t key_begin, int32_t keys, float *row) {
    const fovea_attention_args *args = head->args;
    const fovea_plan *plan = head->plan;
    int64_t offset;
    for (int32_t key = 0; key < keys; key++)
        row[key] = 0.0f;
    if (args->bias) {
        fv_lane_offsets(head, args->bias_strides, lane, 1, &offset);
        const int64_t stride = args->bias_strides[3];
        gather(plan->backend->convert, plan->desc.type_bias,
               fv_element(args->bias, plan->desc.type_bias, offset + key_begin * stride), stride, keys, row);
        for (int32_t key = 0; key < keys; key++)
            row[key] = fv_term(row[key], plan->term_factor);
    }
    if (args->mask) {
        fv_lane_offsets(head, args->mask_strides, lane, 1, &offset);
        forbid(args->mask + offset + key_begin * args->mask_strides[3], args->mask_strides[3], keys, row);
    }
}

static int32_t is_in_place(const fv_head *head) {
    return head->plan->desc.type_bias == FOVEA_F32 && head->args->bias_strides[3] == 1;
}

/* A lane's row of bias where it is, if it can be read there, or gathered into `room`. */
static const float *bias_row(const fv_head *head, int64_t offset, int64_t key, int32_t keys, float *room) {
    const int64_t stride = head->args->bias_strides[3];
    const fovea_type type = head->plan->desc.type_bias;
    const void *bias = fv_element(head->args->bias, type, offset + key * stride);
    if (is_in_place(head))
        return bias;
    gather(head->plan->backend->convert, type, bias, stride, keys, room);
    return room;
}

static const uint8_t *mask_row(const fv_head *head, int64_t offset, int64_t key, int32_t keys, uint8_t *room) {
    const int64_t stride = head->args->mask_strides[3];
    const uint8_t *mask = head->args->mask + offset + key * stride;
    if (stride == 1)
        return mask;
    for (int32_t i = 0; i < keys; i++)
        room[i] = mask[i * stride];
    return room;
}

/* Rows of a mask lie too far apart for a core to foresee where the next block's part of each begins. Asking for those
 * of a bias, which take four times the lines, gains nothing. */
static void ask_for_next(const fv_head *head, const fv_term_args *terms, int32_t lanes) {
    if (!terms->mask || head->args->mask_strides[3] != 1)
        return;
    for (int32_t lane = 0; lane < lanes; lane++)
        if (lane == 0 || terms->mask[lane] != terms->mask[lane - 1])
            fv_ask(terms->mask[lane], terms->keys, 2 * (int64_t)terms->keys);
}

void fv_add_terms(const fv_head *head, const fv_panel *panel, const fv_scratch *scratch, int64_t block_begin,
                  const fv_segment *segment, float *peak) {
    const fovea_attention_args *args = head->args;
    const fv_panel_kernels *kernels = head->plan->backend->panel;
    const int32_t first = segment->vector_begin * kernels->lanes, keys = segment->key_end - segment->key_begin;
    const int32_t lanes = (int32_t)fv_min64(segment->vector_end * kernels->lanes, panel->lanes) - first;
    const int64_t key = block_begin + segment->key_begin;
    const float *bias[FV_MAX_LANES] = {0};
    const uint8_t *mask[FV_MAX_LANES] = {0};
    int64_t offsets[FV_MAX_LANES];
    if (args->bias)
        fv_lane_offsets(head, args->bias_strides, panel->first_lane + first, lanes, offsets);
    for (int32_t lane = 0; args->bias && lane < lanes; lane++)
        bias[lane] = lane > 0 && offsets[lane] == offsets[lane - 1]
                         ? bias[lane - 1]
                         : bias_row(head, offsets[lane], key, keys, scratch->term_rows + (int64_t)lane * FV_MAX_BLOCK);
    if (args->mask)
        fv_lane_offsets(head, args->mask_strides, panel->first_lane + first, lanes, offsets);
    for (int32_t lane = 0; args->mask && lane < lanes; lane++)
        mask[lane] = lane > 0 && offsets[lane] == offsets[lane - 1]
                         ? mask[lane - 1]
                         : mask_row(head, offsets[lane], key, keys, scratch->mask_rows + (int64_t)lane * FV_MAX_BLOCK);
    const fv_term_args terms = {
        .s = scratch->s + (int64_t)segment->key_begin * panel->ld + first,
        .ld = panel->ld,
        .vectors = segment->vector_end - segment->vector_begin,
        .keys = keys,
        .bias = args->bias ? bias : NULL,
        .mask = args->mask ? mask : NULL,
        .factor = head->plan->term_factor,
        .peak = peak ? peak + first : NULL,
    };
    kernels->add_terms(&terms);
    ask_for_next(head, &terms, lanes);
}
