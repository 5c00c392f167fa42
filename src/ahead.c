#include "src/ahead.h"

#include "src/integer.h"

static void add(fv_ahead *ahead, fv_rows_ahead rows) {
    if (rows.left > 0)
        ahead->rows[ahead->count++] = rows;
}

/* Bytes from one of `count` rows to the next; where there is none, the stride may be anything. */
static int64_t step_of(const fv_rows *rows, int64_t count) {
    return count > 1 ? rows->stride * fv_type_bytes(rows->type) : 0;
}

static fv_rows_ahead stored_rows(const fv_rows *rows, fv_key_range keys, int64_t length, int64_t at_once) {
    return (fv_rows_ahead){
        .row = (uintptr_t)fv_row(rows, keys.begin),
        .left = keys.end - keys.begin,
        .bytes = length * fv_type_bytes(rows->type),
        .group_step = step_of(rows, keys.end - keys.begin),
        .group = 1,
        .at_once = at_once,
    };
}

void fv_ahead_keys(const fv_head *head, fv_key_range keys, int64_t at_once, fv_ahead *ahead) {
    if (keys.begin >= keys.end)
        return;
    add(ahead, stored_rows(&head->k, keys, head->plan->desc.head_dim, at_once));
    add(ahead, stored_rows(&head->v, keys, head->plan->desc.head_dim_v, at_once));
}

static fv_address_pieces pieces_of(const fv_rows *rows, fv_key_range keys, int64_t length) {
    const int64_t step = step_of(rows, keys.end - keys.begin);
    const int64_t rows_of_piece = fv_ceil_div(keys.end - keys.begin, FV_LINE_PIECES);
    return (fv_address_pieces){
        .row = (uintptr_t)fv_row(rows, keys.begin),
        .bytes = length * fv_type_bytes(rows->type),
        .step = step,
        .left = rows_of_piece,
        .piece = rows_of_piece * step,
    };
}

fv_lines_ahead fv_ahead_lines(const fv_head *head, fv_key_range keys) {
    fv_lines_ahead lines = {
        .turns = FV_LINE_PIECES,
        .now = pieces_of(&head->k, keys, head->plan->desc.head_dim),
        .then = pieces_of(&head->v, keys, head->plan->desc.head_dim_v),
    };
    lines.now.left--;
    lines.line = lines.asked = lines.now.row;
    lines.row_end = lines.now.row + (uintptr_t)lines.now.bytes;
    return lines;
}

/* Rows of a tensor with a row of `length` elements for each lane of the item. */
static fv_rows_ahead lane_rows(const fv_head *head, const fv_work *work, const void *tensor, fovea_type type,
                               const int64_t *strides, int64_t length, int64_t tiles) {
    const fv_geometry *geometry = &head->plan->geometry;
    const int64_t size = fv_type_bytes(type);
    const int64_t first = work->panel_begin * geometry->panel_lanes;
    const int64_t end = fv_min64(work->panel_end * geometry->panel_lanes, head->sequence->len_q * geometry->group);
    int64_t offset;
    fv_lane_offsets(head, strides, first, 1, &offset);
    return (fv_rows_ahead){
        .row = (uintptr_t)fv_element(tensor, type, offset),
        .member = first % geometry->group,
        .left = end - first,
        .bytes = length * size,
        .member_step = strides[1] * size,
        .group_step = strides[2] * size,
        .group = geometry->group,
        .at_once = fv_ceil_div(end - first, tiles),
    };
}

void fv_ahead_results(const fv_head *head, const fv_work *work, int64_t tiles, fv_ahead *ahead) {
    const fovea_attention_desc *desc = &head->plan->desc;
    /* Partial results lie in the workspace, one after the other. */
    if (work->split < 0)
        add(ahead,
            lane_rows(head, work, head->args->out, desc->type_out, head->args->out_strides, desc->head_dim_v, tiles));
}

void fv_ahead_queries(const fv_head *head, const fv_work *work, int64_t tiles, fv_ahead *ahead) {
    const fovea_attention_desc *desc = &head->plan->desc;
    add(ahead, lane_rows(head, work, head->args->q, desc->type_q, head->args->q_strides, desc->head_dim, tiles));
}
