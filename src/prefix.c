/* fovea_attention_prefix: one call for the shared keys, in which all sequences' rows are those of one, one call for
 * each sequence's own, and the merge of both. */
#include "fovea/prefix.h"

#include <string.h>

#include "fovea/merge.h"
#include "src/call.h"
#include "src/exec.h"
#include "src/index.h"
#include "src/integer.h"
#include "src/memory.h"
#include "src/status.h"
#include "src/validate.h"

enum { SHARED, OWN, PARTS };
/* Rows that a task copies or narrows. */
enum { TASK_ROWS = 64 };

typedef struct prefix_call {
    fovea_plan plan;
    const fovea_attention_args *args;
    const fovea_prefix_args *prefix;
    const fovea_executor *executor;
    /* Entries, and rows in each, as the tensors of queries have them (packed: one entry); and the rows [row_begin,
     * row_end) of an entry that belong to a sequence. */
    int64_t batch;
    int64_t len;
    int64_t row_begin;
    int64_t row_end;
    /* Queries of all sequences as rows of one: the caller's if their strides allow it, else a copy. */
    const void *q;
    int64_t q_head_stride;
    int64_t q_row_stride;
    /* Partial results, (heads_q, batch, len) rows, and the merged ones where they must be rounded. */
    float *out[PARTS];
    float *lse[PARTS];
    float *merged;
    void *q_copy;
} prefix_call;

static int64_t all_rows(const prefix_call *call) {
    return call->batch * call->len;
}

/* Offset of a row of the partial results. */
static int64_t part_row(const prefix_call *call, int64_t head, int64_t row) {
    return head * all_rows(call) + row;
}

/* (batch, head, row) strides of rows of `count` elements in the partial results. */
static void part_strides(const prefix_call *call, int64_t count, int64_t *strides) {
    strides[0] = call->len * count;
    strides[1] = all_rows(call) * count;
    strides[2] = count;
}

static int32_t must_round(const prefix_call *call) {
    return call->plan.desc.type_out != FOVEA_F32;
}

/* The rows of the dense form follow one another through the batch. */
static int32_t rows_follow(const prefix_call *call) {
    const int64_t *strides = call->args->q_strides;
    return call->batch == 1 || call->len == 1 || strides[0] == call->len * strides[2];
}

static void set_rows(prefix_call *call) {
    const fovea_attention_desc *desc = &call->plan.desc;
    const fovea_attention_args *args = call->args;
    call->batch = desc->batch;
    call->len = call->row_end = args->len_q;
    if (desc->form_q == FOVEA_FORM_PACKED) {
        call->batch = 1;
        call->row_begin = fv_index_at(args->cu_seqlens_q, desc->type_index, 0);
        call->row_end = fv_index_at(args->cu_seqlens_q, desc->type_index, desc->batch);
    }
}

/* Takes `count` elements of `bytes` each from memory that begins at `base`, NULL to measure it. */
static void *take(char *base, size_t *offset, int64_t count, int64_t bytes) {
    size_t at = *offset;
    *offset += ((size_t)count * (size_t)bytes + FV_ALIGNMENT - 1) / FV_ALIGNMENT * FV_ALIGNMENT;
    return base ? base + at : NULL;
}

/* Lays the call's memory out and returns its size. */
static size_t lay_out(prefix_call *call, char *base) {
    const fovea_attention_desc *desc = &call->plan.desc;
    const int64_t rows = desc->heads_q * all_rows(call);
    size_t size = 0;
    for (int32_t part = 0; part < PARTS; part++) {
        call->out[part] = take(base, &size, rows * desc->head_dim_v, sizeof(float));
        call->lse[part] = take(base, &size, rows, sizeof(float));
    }
    call->merged = take(base, &size, must_round(call) ? rows * desc->head_dim_v : 0, sizeof(float));
    call->q_copy = take(base, &size, rows_follow(call) ? 0 : rows * desc->head_dim, fv_type_bytes(desc->type_q));
    return size;
}

static int64_t tensor_row(const prefix_call *call, const int64_t *strides, int64_t head, int64_t row) {
    return row / call->len * strides[0] + head * strides[1] + row % call->len * strides[2];
}

typedef void (*row_task)(const prefix_call *call, int64_t head, int64_t row);

typedef struct row_loop {
    const prefix_call *call;
    row_task task;
} row_loop;

static void run_rows(void *context, int64_t index, int32_t worker) {
    (void)worker;
    const row_loop *loop = context;
    const int64_t each = all_rows(loop->call);
    const int64_t end = fv_min64((index + 1) * TASK_ROWS, each * loop->call->plan.desc.heads_q);
    for (int64_t i = index * TASK_ROWS; i < end; i++) {
        const int64_t row = i % each, in_entry = row % loop->call->len;
        if (in_entry >= loop->call->row_begin && in_entry < loop->call->row_end)
            loop->task(loop->call, i / each, row);
    }
}

static void for_rows(const prefix_call *call, row_task task) {
    row_loop loop = {call, task};
    const int64_t tasks = fv_ceil_div(all_rows(call) * call->plan.desc.heads_q, TASK_ROWS);
    fv_parallel_for(call->executor, fv_concurrency(call->executor, call->plan.desc.threads), tasks, run_rows, &loop);
}

static void copy_query(const prefix_call *call, int64_t head, int64_t row) {
    const fovea_attention_desc *desc = &call->plan.desc;
    memcpy(fv_element_out(call->q_copy, desc->type_q, part_row(call, head, row) * desc->head_dim),
           fv_element(call->args->q, desc->type_q, tensor_row(call, call->args->q_strides, head, row)),
           (size_t)(desc->head_dim * fv_type_bytes(desc->type_q)));
}

static void round_row(const prefix_call *call, int64_t head, int64_t row) {
    const fovea_attention_desc *desc = &call->plan.desc;
    const int64_t to = tensor_row(call, call->args->out_strides, head, row);
    fv_narrow(call->plan.backend->convert, desc->type_out, call->merged + part_row(call, head, row) * desc->head_dim_v,
              desc->head_dim_v, fv_element_out(call->args->out, desc->type_out, to));
}

static void set_queries(prefix_call *call) {
    const int64_t *strides = call->args->q_strides;
    if (rows_follow(call)) {
        call->q = call->args->q;
        call->q_head_stride = strides[1];
        call->q_row_stride = call->len == 1 ? strides[0] : strides[2];
        return;
    }
    for_rows(call, copy_query);
    call->q = call->q_copy;
    call->q_head_stride = all_rows(call) * call->plan.desc.head_dim;
    call->q_row_stride = call->plan.desc.head_dim;
}

/* The descriptor of a part: in f32, with log-sum-exp, but with the exponential that suits the results. */
static fovea_attention_desc part_desc(const prefix_call *call) {
    fovea_attention_desc desc = call->plan.desc;
    desc.allocator = &call->plan.allocator;
    if (desc.exp == FOVEA_EXP_DEFAULT && must_round(call))
        desc.exp = FOVEA_EXP_FUSED;
    desc.type_out = FOVEA_F32;
    desc.outputs = FOVEA_OUTPUT_LSE;
    return desc;
}

/* Sends the results of rows from `first_row` on to a part's. */
static void set_outputs(const prefix_call *call, int32_t part, int64_t first_row, fovea_attention_args *args) {
    const int64_t count = call->plan.desc.head_dim_v;
    args->out = call->out[part] + first_row * count;
    args->lse = call->lse[part] + first_row;
    part_strides(call, count, args->out_strides);
    args->out_strides[3] = 1;
    part_strides(call, 1, args->lse_strides);
}

/* All rows against the shared keys. Panels of lanes whatever their number, blocks of one size, and keys that are not
 * split: so no result depends on how many rows there are. */
static fovea_status attend_to_shared(const prefix_call *call) {
    const fovea_prefix_args *prefix = call->prefix;
    const int64_t rows = (call->batch - 1) * call->len + call->row_end - call->row_begin;
    fovea_attention_desc desc = part_desc(call);
    desc.batch = 1;
    desc.len_q = rows;
    desc.len_kv = prefix->len;
    desc.form_q = desc.form_kv = FOVEA_FORM_DENSE;
    desc.page_size = 0;
    desc.diagonal = FOVEA_DIAGONAL_TOP_LEFT;
    desc.causal = 0;
    desc.inputs = 0;
    fovea_attention_args args = {
        .struct_size = sizeof args,
        .len_q = rows,
        .len_kv = prefix->len,
        .q = fv_element(call->q, desc.type_q, call->row_begin * call->q_row_stride),
        .q_strides = {0, call->q_head_stride, call->q_row_stride, 1},
        .k = prefix->k,
        .k_strides = {0, prefix->k_strides[0], prefix->k_strides[1], prefix->k_strides[2]},
        .v = prefix->v,
        .v_strides = {0, prefix->v_strides[0], prefix->v_strides[1], prefix->v_strides[2]},
        .k_scales = prefix->k_scales,
        .k_scale_strides = {0, prefix->k_scale_strides[0], prefix->k_scale_strides[1]},
        .v_scales = prefix->v_scales,
        .v_scale_strides = {0, prefix->v_scale_strides[0], prefix->v_scale_strides[1]},
    };
    set_outputs(call, SHARED, call->row_begin, &args);
    fovea_plan plan;
    fovea_status status = fv_plan_init(&desc, &plan);
    if (status != FOVEA_OK)
        return status;
    plan.geometry.row_lanes = 0;
    plan.geometry.split_panels = 0;
    plan.key_block_single = plan.key_block;
    return fovea_execute(&plan, &args, call->executor);
}

static fovea_status attend_to_own(const prefix_call *call) {
    const fovea_attention_desc desc = part_desc(call);
    fovea_attention_args args = *call->args;
    args.struct_size = sizeof args;
    set_outputs(call, OWN, 0, &args);
    return fovea_attention(&desc, &args, call->executor);
}

static fovea_status merge_parts(const prefix_call *call) {
    const fovea_attention_desc *desc = &call->plan.desc;
    const int64_t count = desc->head_dim_v, first = call->row_begin;
    const float *outs[PARTS], *lses[PARTS];
    for (int32_t part = 0; part < PARTS; part++) {
        outs[part] = call->out[part] + first * count;
        lses[part] = call->lse[part] + first;
    }
    fovea_merge_args merge = {
        .struct_size = sizeof merge,
        .parts = PARTS,
        .batch = call->batch,
        .heads = desc->heads_q,
        .len = call->row_end - first,
        .head_dim_v = count,
        .part_out = outs,
        .part_lse = lses,
        .threads = desc->threads,
    };
    part_strides(call, count, merge.part_out_strides);
    merge.part_out_strides[3] = merge.out_strides[3] = 1;
    part_strides(call, 1, merge.part_lse_strides);
    if (must_round(call)) {
        merge.out = call->merged + first * count;
        part_strides(call, count, merge.out_strides);
    } else {
        merge.out = (float *)call->args->out + first * call->args->out_strides[2];
        memcpy(merge.out_strides, call->args->out_strides, sizeof merge.out_strides);
    }
    if (desc->outputs & FOVEA_OUTPUT_LSE) {
        merge.lse = call->args->lse + first * call->args->lse_strides[2];
        memcpy(merge.lse_strides, call->args->lse_strides, sizeof merge.lse_strides);
    }
    fovea_status status = fovea_merge(&merge, call->executor);
    if (status == FOVEA_OK && must_round(call))
        for_rows(call, round_row);
    return status;
}

static fovea_status run(prefix_call *call) {
    set_queries(call);
    fovea_status status = attend_to_shared(call);
    if (status == FOVEA_OK)
        status = attend_to_own(call);
    return status == FOVEA_OK ? merge_parts(call) : status;
}

static fovea_status run_allocating(prefix_call *call) {
    set_rows(call);
    if (call->row_begin == call->row_end)
        return FOVEA_OK;
    const size_t size = lay_out(call, NULL);
    void *memory = fv_allocate(&call->plan.allocator, size);
    if (memory == NULL)
        return fv_fail(FOVEA_OUT_OF_MEMORY, "no memory for partial results (%zu bytes)", size);
    lay_out(call, memory);
    fovea_status status = run(call);
    fv_release(&call->plan.allocator, memory, size);
    return status;
}

fovea_status fovea_attention_prefix(const fovea_attention_desc *desc, const fovea_attention_args *args,
                                    const fovea_prefix_args *prefix, const fovea_executor *executor) {
    prefix_call call = {.args = args, .prefix = prefix, .executor = executor};
    fovea_status status = fv_plan_init(desc, &call.plan);
    if (status == FOVEA_OK)
        status = fv_validate_executor(executor);
    if (status == FOVEA_OK)
        status = fv_validate_args(&call.plan.desc, args);
    if (status == FOVEA_OK)
        status = fv_validate_prefix(&call.plan.desc, args, prefix);
    if (status != FOVEA_OK || call.plan.desc.batch == 0 || call.plan.desc.heads_q == 0 || args->len_q == 0)
        return status;
    return run_allocating(&call);
}
