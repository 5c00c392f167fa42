#include "src/stage.h"

#include "src/integer.h"

enum { LINE_FLOATS = 16, LONGEST_ROW = 512 };

/* The stride of a copy: an odd number of cache lines. */
static int64_t stage_stride(int64_t count) {
    return (fv_ceil_div(count, LINE_FLOATS) | 1) * LINE_FLOATS;
}

/* f32 rows are copied if that pays, which it does not for long ones; others must be. */
static int32_t is_copied(fovea_type type, int64_t panels, int64_t count) {
    return type != FOVEA_F32 || (panels >= FV_STAGE_PANELS && count <= LONGEST_ROW);
}

int64_t fv_stage_floats(const fovea_plan *plan, int64_t panels, int64_t count) {
    /* A block that takes a short rest along is up to half as long again. */
    int64_t rows = plan->key_block * 3 / 2;
    return is_copied(plan->desc.type_kv, panels, count) ? rows * stage_stride(count) : 0;
}

static void copy_rows(const fovea_plan *plan, fv_rows *rows, fv_key_range keys, int64_t count, float *to) {
    int64_t stride = stage_stride(count);
    for (int64_t key = keys.begin; key < keys.end; key++) {
        const float *scale = fv_row_scales(rows, key);
        fv_widen(plan->backend->convert, rows->type, fv_row(rows, key), scale ? *scale : 1.0f, count,
                 to + (key - keys.begin) * stride);
    }
    *rows = (fv_rows){.type = FOVEA_F32, .first = to, .stride = stride, .first_key = keys.begin};
}

fv_head fv_stage_keys(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch) {
    fv_head staged = *head;
    int64_t count = head->plan->desc.head_dim;
    /* f32 rows of keys are read from end to end: contiguous ones are well where they are. */
    int32_t in_place = head->k.type == FOVEA_F32 && head->k.stride == count;
    if (!in_place && is_copied(head->k.type, users, count))
        copy_rows(head->plan, &staged.k, keys, count, scratch->k);
    return staged;
}

fv_head fv_stage(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch) {
    fv_head staged = fv_stage_keys(head, keys, users, scratch);
    int64_t count = head->plan->desc.head_dim_v;
    if (is_copied(head->v.type, users, count))
        copy_rows(head->plan, &staged.v, keys, count, scratch->v);
    return staged;
}
