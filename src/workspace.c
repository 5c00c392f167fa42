#include "src/workspace.h"

#include "src/integer.h"
#include "src/pairs.h"
#include "src/stage.h"

static size_t aligned(size_t bytes) {
    return (bytes + FV_ALIGNMENT - 1) / FV_ALIGNMENT * FV_ALIGNMENT;
}

int64_t fv_row_stride(int64_t count) {
    return (int64_t)aligned((size_t)count * sizeof(float)) / (int64_t)sizeof(float);
}

/* Takes `bytes` from an area that starts at *offset. */
static size_t take(size_t *offset, size_t bytes) {
    size_t at = *offset;
    *offset = at + aligned(bytes);
    return at;
}

static size_t take_floats(size_t *offset, int64_t count) {
    return take(offset, (size_t)count * sizeof(float));
}

/* Offsets within the scratch of one worker. */
typedef struct scratch_layout {
    size_t q, o, m, l, s, term_rows, mask_rows, p, sum, k, v, o_total, l_total, size;
} scratch_layout;

static scratch_layout layout_scratch(const fovea_plan *plan, int64_t len_q) {
    const fv_geometry *g = &plan->geometry;
    int64_t lanes = len_q * g->group;
    int64_t widest = g->copying_item_panels > g->split_panels ? g->copying_item_panels : g->split_panels;
    int64_t panels = fv_min64(fv_panels(g, len_q), widest);
    int64_t rows = lanes <= g->row_lanes ? lanes : 0;
    int64_t vector = plan->backend->panel->lanes;
    int64_t ld = fv_min64(g->panel_lanes, fv_ceil_div(lanes, vector) * vector);
    int64_t stored = rows ? rows : panels * ld;
    int64_t of_scores = rows ? rows * FV_RUN_STRIDE : ld * FV_MAX_BLOCK;
    /* Rows are summed in segments: one set for the segment, one for the total. */
    int64_t results = rows ? 2 * rows : stored;
    int32_t has_rows = plan->has_score_terms || plan->desc.weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES;

    scratch_layout layout = {0};
    layout.q = take_floats(&layout.size, stored * fv_row_stride(plan->desc.head_dim));
    layout.o = take_floats(&layout.size, results * fv_row_stride(plan->desc.head_dim_v));
    layout.m = take_floats(&layout.size, results);
    layout.l = take_floats(&layout.size, results);
    layout.s = take_floats(&layout.size, of_scores);
    layout.term_rows = take_floats(&layout.size, has_rows ? of_scores : 0);
    /* Row kernels read keys and values where they are. */
    if (!rows) {
        layout.mask_rows = take(&layout.size, plan->has_score_terms ? (size_t)of_scores : 0);
        layout.p = take_floats(&layout.size, plan->pair ? of_scores / 2 : 0);
        layout.sum = take_floats(&layout.size, plan->pair ? FV_PAIR_SUMS * ld : 0);
        layout.k = take_floats(&layout.size, fv_stage_floats(plan, panels, plan->desc.head_dim));
        layout.v = take_floats(&layout.size, fv_stage_floats(plan, panels, plan->desc.head_dim_v));
        layout.o_total = take_floats(&layout.size, stored * plan->desc.head_dim_v);
        layout.l_total = take_floats(&layout.size, stored);
    }
    return layout;
}

/* Bytes that the layout for any sequence of up to len_q queries fits into: those of a call that has packed sequences,
 * or fewer queries than its plan. What the row kernels take needs room of its own; else less does for fewer queries. */
static size_t scratch_bytes(const fovea_plan *plan, int64_t len_q) {
    const fv_geometry *g = &plan->geometry;
    const int64_t few = fv_min64(len_q, g->row_lanes / g->group);
    const size_t longest = layout_scratch(plan, len_q).size;
    if (few == 0 || few == len_q)
        return longest;
    const size_t rows = layout_scratch(plan, few).size;
    return rows > longest ? rows : longest;
}

/* Offsets of what workers share. */
typedef struct shared_layout {
    size_t sequences, work, order, pending, partials, sums, classes, scratch;
    int64_t work_capacity, partial_rows, sums_lanes, class_panels, class_windows;
} shared_layout;

int64_t fv_partial_floats(const fovea_plan *plan, int64_t lanes, int64_t splits) {
    return fv_row_stride(lanes * splits * (2 + plan->desc.head_dim_v));
}

/* The room grows with the lengths up to its limit, so that a capacity holds any call; beyond it there are none. */
static void take_classes(const fovea_plan *plan, int64_t len_q, int64_t len_kv, size_t *size, shared_layout *layout) {
    const fv_geometry *g = &plan->geometry;
    if (!plan->has_score_terms || g->heads_kv < 2)
        return;
    const int64_t panels = fv_panels(g, len_q), windows = fv_ceil_div(len_kv, FV_RUNS * FV_RUN_KEYS);
    const double bytes = (double)g->batch * (double)panels * (double)windows * (double)sizeof(fv_classes);
    const int32_t fits = bytes <= FV_MOST_CLASS_BYTES;
    layout->class_panels = fits ? panels : 0;
    layout->class_windows = windows;
    layout->classes = take(size, fits ? (size_t)bytes : FV_MOST_CLASS_BYTES);
}

static shared_layout layout_shared(const fovea_plan *plan, int64_t len_q, int64_t len_kv) {
    const fv_geometry *g = &plan->geometry;
    int64_t pairs = g->batch * g->heads_kv;
    shared_layout layout = {0};
    size_t size = 0;
    layout.work_capacity = fv_partition_capacity(g, len_q, len_kv);
    layout.sequences = take(&size, (size_t)g->batch * sizeof(fv_sequence));
    /* Sorting needs the table twice. */
    layout.work = take(&size, 2 * (size_t)layout.work_capacity * sizeof(fv_work));
    layout.order = take(&size, (size_t)fv_order_capacity(g, layout.work_capacity) * sizeof(uint16_t));
    layout.pending = size;
    layout.partial_rows = fv_partial_rows(g, len_q, len_kv);
    if (layout.partial_rows > 0) {
        layout.pending = take(&size, (size_t)pairs * sizeof(_Atomic int32_t));
        /* And what rounds up the floats of each pair. */
        layout.partials = take_floats(&size, g->heads_kv * fv_partial_floats(plan, layout.partial_rows, 1) +
                                                 pairs * (fv_row_stride(1) - 1));
    }
    if (plan->desc.weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES) {
        layout.sums_lanes = len_q * g->group;
        layout.sums = take_floats(&size, 2 * pairs * layout.sums_lanes);
    }
    take_classes(plan, len_q, len_kv, &size, &layout);
    layout.scratch = size;
    return layout;
}

static size_t total(size_t shared, size_t scratch, int32_t workers) {
    size_t all;
    if (__builtin_mul_overflow((size_t)workers, scratch, &all) ||
        __builtin_add_overflow(all, FV_ALIGNMENT - 1 + shared, &all))
        return SIZE_MAX;
    return all;
}

size_t fv_workspace_size(const fovea_plan *plan, int64_t len_q, int64_t len_kv, int32_t workers) {
    return total(layout_shared(plan, len_q, len_kv).scratch, scratch_bytes(plan, len_q), workers);
}

size_t fv_workspace_capacity(const fovea_plan *plan, int32_t workers) {
    const fv_geometry *g = &plan->geometry;
    if (g->batch == 0 || plan->desc.heads_q == 0 || plan->desc.len_q == 0)
        return 0;
    /* Shared memory grows with the lengths but for one step down: longer sequences do not split their keys. */
    int64_t longest_split = fv_min64(plan->desc.len_q, (int64_t)g->split_panels * g->panel_lanes / g->group);
    size_t shared = layout_shared(plan, plan->desc.len_q, plan->desc.len_kv).scratch;
    if (longest_split > 0 && !g->packed_q) {
        size_t with_splits = layout_shared(plan, longest_split, plan->desc.len_kv).scratch;
        shared = shared > with_splits ? shared : with_splits;
    }
    return total(shared, scratch_bytes(plan, plan->desc.len_q), workers);
}

void fv_workspace_layout(const fovea_plan *plan, int64_t len_q, int64_t len_kv, int32_t workers, void *memory,
                         size_t size, fv_workspace *workspace) {
    shared_layout shared = layout_shared(plan, len_q, len_kv);
    size_t stride = scratch_bytes(plan, len_q);
    size_t skipped = (size_t)(-(uintptr_t)memory % FV_ALIGNMENT);
    char *base = (char *)memory + skipped;
    size_t needed = skipped + shared.scratch;
    size_t fitting = size < needed ? 0 : (size - needed) / stride;
    *workspace = (fv_workspace){
        .sequences = (fv_sequence *)(void *)(base + shared.sequences),
        .work = (fv_work *)(void *)(base + shared.work),
        .work_capacity = shared.work_capacity,
        .order = (uint16_t *)(void *)(base + shared.order),
        .partials = {.base = shared.partial_rows > 0 ? (float *)(void *)(base + shared.partials) : NULL,
                     .pending = (_Atomic int32_t *)(void *)(base + shared.pending)},
        .classes = shared.class_panels > 0 ? (fv_classes *)(void *)(base + shared.classes) : NULL,
        .class_panels = shared.class_panels,
        .class_windows = shared.class_windows,
        .sums = shared.sums_lanes > 0 ? (float *)(void *)(base + shared.sums) : NULL,
        .sums_lanes = shared.sums_lanes,
        .scratch = base + shared.scratch,
        .scratch_stride = stride,
        .workers = fitting < (size_t)workers ? (int32_t)fitting : workers,
    };
}

fv_scratch fv_scratch_of(const fovea_plan *plan, const fv_workspace *workspace, int64_t len_q, int32_t worker) {
    scratch_layout layout = layout_scratch(plan, len_q);
    char *base = workspace->scratch + (size_t)worker * workspace->scratch_stride;
    return (fv_scratch){
        .q = (float *)(void *)(base + layout.q),
        .o = (float *)(void *)(base + layout.o),
        .m = (float *)(void *)(base + layout.m),
        .l = (float *)(void *)(base + layout.l),
        .s = (float *)(void *)(base + layout.s),
        .term_rows = (float *)(void *)(base + layout.term_rows),
        .mask_rows = (uint8_t *)(void *)(base + layout.mask_rows),
        .p = (float *)(void *)(base + layout.p),
        .sum = (float *)(void *)(base + layout.sum),
        .k = (float *)(void *)(base + layout.k),
        .v = (float *)(void *)(base + layout.v),
        .o_total = (float *)(void *)(base + layout.o_total),
        .l_total = (float *)(void *)(base + layout.l_total),
    };
}
