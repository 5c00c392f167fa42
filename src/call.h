/* One execution in progress, as its items see it. */
#ifndef FOVEA_SRC_CALL_H
#define FOVEA_SRC_CALL_H

#include "src/class_bits.h"
#include "src/elements.h"
#include "src/pages.h"
#include "src/plan.h"
#include "src/workspace.h"

typedef struct fv_call {
    const fovea_plan *plan;
    const fovea_attention_args *args;
    fv_workspace workspace;
    fv_worklist list;
} fv_call;

/* Rows of keys or values, where they lie: in the caller's tensor or in a copy of some of them. */
typedef struct fv_rows {
    fovea_type type;
    /* Row of first_key; rows are stride elements apart (paged: those of one page). */
    const void *first;
    int64_t stride;
    int64_t first_key;
    /* int8 only: the scale of first_key's row, and the distance to the next one's. */
    const float *scales;
    int64_t scale_stride;
    /* Paged: `first` and `scales` are those of page 0, and pages lie so far apart. */
    fv_pages pages;
    int64_t page_stride;
    int64_t page_scale_stride;
} fv_rows;

static inline int32_t fv_is_paged(const fv_rows *rows) {
    return rows->pages.size > 0;
}

static inline const void *fv_row(const fv_rows *rows, int64_t key) {
    fv_page_place place = fv_place_of_key(&rows->pages, key - rows->first_key);
    return fv_element(rows->first, rows->type, place.page * rows->page_stride + place.token * rows->stride);
}

/* The scales from a row on, as far apart as scale_stride says in the same page; NULL where elements have none. */
static inline const float *fv_row_scales(const fv_rows *rows, int64_t key) {
    if (rows->type != FOVEA_INT8)
        return NULL;
    fv_page_place place = fv_place_of_key(&rows->pages, key - rows->first_key);
    return rows->scales + place.page * rows->page_scale_stride + place.token * rows->scale_stride;
}

/* The part of the tensors that an item works on: one batch entry, one key/value head and its group of query heads. */
typedef struct fv_head {
    const fovea_plan *plan;
    const fovea_attention_args *args;
    const fv_sequence *sequence;
    int64_t batch;
    int64_t head_kv;
    /* Keys of a block of its panels. */
    int32_t key_block;
    /* Non-zero: the item adds the sinks of its rows (sinks.h). */
    int32_t counts_sinks;
    fv_rows k;
    fv_rows v;
    /* What masks and biases make of the keys of each of the entry's panels, class_windows for each (classes.h); NULL:
     * panels look for themselves. */
    const fv_classes *classes;
    int64_t class_windows;
    /* What will be needed after these keys; NULL: not known. */
    fv_ahead *ahead;
    fv_lines_ahead *lines;
} fv_head;

/* Rows of results, of one element type: NULL behind the last one. */
typedef struct fv_output {
    fovea_type type;
    void *rows[FV_MAX_LANES];
} fv_output;

/* Where the sums of a head's lanes from first_lane on are kept, if a later pass needs them. */
fv_sums fv_sums_of(const fv_call *call, const fv_head *head, int64_t first_lane);

fv_head fv_head_of(const fv_call *call, fv_item item);

/* The keys of an item that rows [row_begin, row_end) may see. */
fv_key_range fv_item_keys(const fv_head *head, const fv_work *work, int64_t row_begin, int64_t row_end);

/* Offsets, in elements, of `count` consecutive lanes in a tensor of queries or results with these (batch, head, row)
 * strides. */
void fv_lane_offsets(const fv_head *head, const int64_t *strides, int64_t first_lane, int32_t count, int64_t *offsets);

#endif
