#include "src/stage.h"

#include <string.h>

enum { LINE_FLOATS = 16, LONGEST_ROW = 512 };

/* The stride of a copy: an odd number of cache lines. */
static int64_t stage_stride(int64_t count) {
    return ((count + LINE_FLOATS - 1) / LINE_FLOATS | 1) * LINE_FLOATS;
}

int64_t fv_stage_floats(const fovea_plan *plan, int64_t count) {
    /* A block that takes a short rest along is up to half as long again. */
    int64_t rows = plan->key_block * 3 / 2;
    return count > LONGEST_ROW ? 0 : rows * stage_stride(count);
}

static void copy_rows(fv_rows *rows, fv_key_range keys, int64_t count, float *to) {
    int64_t stride = stage_stride(count);
    for (int64_t key = keys.begin; key < keys.end; key++)
        memcpy(to + (key - keys.begin) * stride, fv_row(rows, key), (size_t)count * sizeof(float));
    *rows = (fv_rows){to, stride, keys.begin};
}

fv_head fv_stage(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch) {
    fv_head staged = *head;
    const fovea_attention_desc *desc = &head->plan->desc;
    if (users < FV_STAGE_PANELS)
        return staged;
    /* Rows of keys are read from end to end: contiguous ones are well where they are. */
    if (desc->head_dim <= LONGEST_ROW && head->k.stride != desc->head_dim)
        copy_rows(&staged.k, keys, desc->head_dim, scratch->k);
    if (desc->head_dim_v <= LONGEST_ROW)
        copy_rows(&staged.v, keys, desc->head_dim_v, scratch->v);
    return staged;
}
