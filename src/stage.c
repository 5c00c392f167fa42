#include "src/stage.h"

#include "src/integer.h"

/* Columns are interleaved so many at a time, for stacks may be small. */
enum { LINE_FLOATS = 16, LINE_NARROW = 32, LONGEST_ROW = 512, COLUMNS_AT_ONCE = 128 };

/* The stride of a copy of `count` elements, `line` of them a cache line: an odd number of lines. */
static int64_t stage_stride(int64_t count, int64_t line) {
    return (fv_ceil_div(count, line) | 1) * line;
}

/* Rows of the type that the kernels read are copied if that pays, which it does not for long ones. */
static int32_t pays(const fovea_plan *plan, int64_t panels, int64_t count, int32_t lie_apart) {
    const int64_t lanes = panels * plan->geometry.panel_lanes;
    return (panels >= FV_STAGE_PANELS || (lie_apart && lanes >= FV_STAGE_LANES)) && count <= LONGEST_ROW;
}

/* Keys are read from end to end: where they follow one another they are well where they are. */
static int32_t copies_keys(const fovea_plan *plan, const fv_rows *rows, fovea_type read, int64_t panels,
                           int64_t count) {
    return rows->type != read || (rows->stride != count && pays(plan, panels, count, 1));
}

static int32_t copies_values(const fovea_plan *plan, const fv_rows *rows, int64_t panels, int64_t count) {
    return rows->type != FOVEA_F32 || pays(plan, panels, count, rows->stride != count);
}

/* Rows in one page lie as if there were no others; rows of several must be copied. */
static int32_t cross_pages(fv_rows *rows, fv_key_range keys) {
    if (!fv_is_paged(rows))
        return 0;
    if (fv_keys_in_page(&rows->pages, keys.begin, keys.end) < keys.end - keys.begin)
        return 1;
    rows->first = fv_row(rows, keys.begin);
    rows->scales = fv_row_scales(rows, keys.begin);
    rows->first_key = keys.begin;
    rows->pages.size = 0;
    return 0;
}

int64_t fv_stage_floats(const fovea_plan *plan, int64_t panels, int64_t count) {
    /* A block that takes a short rest along is up to half as long again. */
    int64_t rows = plan->key_block * 3 / 2;
    /* Pairs take less, but a panel may have to do without them. */
    int32_t copied = plan->pair != NULL || plan->desc.form_kv == FOVEA_FORM_PAGED || plan->desc.type_kv != FOVEA_F32 ||
                     pays(plan, panels, count, 1);
    return copied ? rows * stage_stride(count, LINE_FLOATS) : 0;
}

int32_t fv_stage_copies(const fovea_plan *plan, const fovea_attention_args *args) {
    const fovea_attention_desc *desc = &plan->desc;
    const int32_t lie_apart = args->k_strides[2] != desc->head_dim || args->v_strides[2] != desc->head_dim_v;
    const int32_t cross_pages_often = desc->form_kv == FOVEA_FORM_PAGED && desc->page_size < plan->key_block;
    return desc->type_kv != FOVEA_F32 || cross_pages_often || lie_apart;
}

static void copy_widened(const fovea_plan *plan, fv_rows *rows, fv_key_range keys, int64_t count, float *to) {
    int64_t stride = stage_stride(count, LINE_FLOATS);
    for (int64_t key = keys.begin; key < keys.end; key++) {
        const float *scale = fv_row_scales(rows, key);
        fv_widen(plan->backend->convert, rows->type, fv_row(rows, key), scale ? *scale : 1.0f, count,
                 to + (key - keys.begin) * stride);
    }
    *rows = (fv_rows){.type = FOVEA_F32, .first = to, .stride = stride, .first_key = keys.begin};
}

static void copy_narrowed(const fovea_plan *plan, fv_rows *rows, fv_key_range keys, int64_t count, uint16_t *to) {
    int64_t stride = stage_stride(count, LINE_NARROW);
    for (int64_t key = keys.begin; key < keys.end; key++)
        fv_to_bf16(plan->backend->convert, rows->type, fv_row(rows, key), count, to + (key - keys.begin) * stride);
    *rows = (fv_rows){.type = FOVEA_BF16, .first = to, .stride = stride, .first_key = keys.begin};
}

/* Some columns of a row as bf16: where they are, or rounded into `room`. */
static const uint16_t *as_bf16(const fovea_plan *plan, const fv_rows *rows, int64_t key, int64_t column, int64_t count,
                               uint16_t *room) {
    const void *at = fv_element(fv_row(rows, key), rows->type, column);
    if (rows->type == FOVEA_BF16)
        return at;
    fv_to_bf16(plan->backend->convert, rows->type, at, count, room);
    return room;
}

/* The keys that some row of the sequence sees. */
static fv_key_range seen_keys(const fv_head *head) {
    return fv_visible_keys(head->sequence, head->plan->geometry.band, 0, head->sequence->len_q);
}

/* The rows of key_step keys from `key` on as the pair family interleaves them, those that are not in `keys` as zeros.
 */
static void interleave_step(const fovea_plan *plan, const fv_rows *rows, int64_t key, fv_key_range keys, int64_t count,
                            float *to) {
    static const uint16_t zeros[COLUMNS_AT_ONCE] = {0};
    const int32_t step = plan->pair->key_step;
    uint16_t room[FV_MAX_KEY_STEP][COLUMNS_AT_ONCE];
    const uint16_t *narrow[FV_MAX_KEY_STEP];
    for (int64_t d = 0; d < count; d += COLUMNS_AT_ONCE) {
        const int64_t columns = fv_min64(count - d, COLUMNS_AT_ONCE);
        for (int32_t i = 0; i < step; i++) {
            const int32_t is_there = key + i >= keys.begin && key + i < keys.end;
            narrow[i] = is_there ? as_bf16(plan, rows, key + i, d, columns, room[i]) : zeros;
        }
        plan->pair->interleave(narrow, columns, to + d * (step / 2));
    }
}

/* Rows of values as rows of pairs, one for key_step keys.
 *
 * A panel multiplies the values of a step by probabilities of 0 where it does not see them. Which values these are must
 * not depend on the panels beside it, for they may be infinite or NaN: all that some row of the sequence sees are
 * copied, up to the end of the last step, and none that no row sees. */
static void copy_interleaved(const fv_head *head, fv_rows *rows, fv_key_range keys, int64_t count, float *to) {
    const fovea_plan *plan = head->plan;
    const int32_t step = plan->pair->key_step;
    const int64_t stride = stage_stride(count, LINE_FLOATS) * (step / 2);
    fv_key_range there = seen_keys(head);
    there.end = fv_min64(fv_ceil_div(keys.end, step) * step, there.end);
    there.begin = there.begin > keys.begin ? there.begin : keys.begin;
    cross_pages(rows, there);
    float *at = to;
    for (int64_t key = keys.begin; key < keys.end; key += step, at += stride)
        interleave_step(plan, rows, key, there, count, at);
    *rows = (fv_rows){.type = FOVEA_F32, .first = to, .stride = stride, .first_key = keys.begin / step};
}

fv_head fv_stage_keys(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch) {
    fv_head staged = *head;
    int64_t count = head->plan->desc.head_dim;
    int32_t crossing = cross_pages(&staged.k, keys);
    if (crossing || copies_keys(head->plan, &head->k, FOVEA_F32, users, count))
        copy_widened(head->plan, &staged.k, keys, count, scratch->k);
    return staged;
}

fv_head fv_stage(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch) {
    fv_head staged = fv_stage_keys(head, keys, users, scratch);
    int64_t count = head->plan->desc.head_dim_v;
    int32_t crossing = cross_pages(&staged.v, keys);
    if (crossing || copies_values(head->plan, &head->v, users, count))
        copy_widened(head->plan, &staged.v, keys, count, scratch->v);
    return staged;
}

fv_head fv_stage_pairs(const fv_head *head, fv_key_range keys, int32_t users, const fv_scratch *scratch) {
    fv_head staged = *head;
    int64_t count = head->plan->desc.head_dim;
    int32_t crossing = cross_pages(&staged.k, keys);
    if (crossing || copies_keys(head->plan, &head->k, FOVEA_BF16, users, count))
        copy_narrowed(head->plan, &staged.k, keys, count, (uint16_t *)(void *)scratch->k);
    copy_interleaved(head, &staged.v, keys, head->plan->desc.head_dim_v, scratch->v);
    return staged;
}
