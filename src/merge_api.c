/* fovea_merge: many rows of partial results, shared over threads. */
#include "fovea/merge.h"

#include <math.h>

#include "src/dispatch.h"
#include "src/exec.h"
#include "src/plan.h"
#include "src/validate.h"

/* Rows of a task, and parts whose weights are made at once. */
enum { TASK_ROWS = 64, STEP = 64 };

typedef struct merge_call {
    const fovea_merge_args *args;
    const fv_row_kernels *kernels;
} merge_call;

/* Position of a row in tensors with (batch, head, row) strides. */
typedef struct row_index {
    int64_t batch;
    int64_t head;
    int64_t row;
} row_index;

static int64_t offset_of(const row_index *index, const int64_t *strides) {
    return index->batch * strides[0] + index->head * strides[1] + index->row * strides[2];
}

static float part_lse(const merge_call *call, int64_t part, int64_t offset) {
    return call->args->part_lse[part][offset];
}

/* The largest log-sum-exp; FV_NO_SCORE if every part is empty. */
static float largest_lse(const merge_call *call, int64_t offset) {
    float largest = FV_NO_SCORE;
    for (int64_t part = 0; part < call->args->parts; part++) {
        float lse = part_lse(call, part, offset);
        largest = lse > largest ? lse : largest;
    }
    return largest;
}

/* exp(lse - largest) of parts [first, first + count). Empty parts give 0. */
static void weights_of(const merge_call *call, int64_t first, int32_t count, int64_t offset, float largest,
                       float *weights) {
    for (int32_t i = 0; i < count; i++)
        weights[i] = (part_lse(call, first + i, offset) - largest) * FV_LOG2_E;
    call->kernels->exponentials(weights, count, 0.0f, FV_EXP_SLEEF, 0);
}

static int32_t step_of(int64_t rest) {
    return rest < STEP ? (int32_t)rest : STEP;
}

static float total_weight(const merge_call *call, int64_t offset, float largest) {
    float weights[STEP] __attribute__((aligned(FV_ALIGNMENT)));
    float total = 0.0f;
    for (int64_t part = 0; part < call->args->parts; part += STEP) {
        int32_t count = step_of(call->args->parts - part);
        weights_of(call, part, count, offset, largest, weights);
        for (int32_t i = 0; i < count; i++)
            total += weights[i];
    }
    return total;
}

static void add_part(const float *from, float weight, int64_t count, float *out) {
    for (int64_t d = 0; d < count; d++)
        out[d] += weight * from[d];
}

/* The merged output of a row; `total` is the sum of the parts' weights relative to `largest`. */
static void merge_values(const merge_call *call, const row_index *index, float largest, float total) {
    const fovea_merge_args *args = call->args;
    int64_t lse_offset = offset_of(index, args->part_lse_strides);
    int64_t out_offset = offset_of(index, args->part_out_strides);
    float *out = args->out + offset_of(index, args->out_strides);
    float weights[STEP] __attribute__((aligned(FV_ALIGNMENT)));

    for (int64_t d = 0; d < args->head_dim_v; d++)
        out[d] = 0.0f;
    for (int64_t part = 0; part < args->parts; part += STEP) {
        int32_t count = step_of(args->parts - part);
        weights_of(call, part, count, lse_offset, largest, weights);
        for (int32_t i = 0; i < count; i++)
            if (part_lse(call, part + i, lse_offset) != -INFINITY)
                add_part(args->part_out[part + i] + out_offset, weights[i] / total, args->head_dim_v, out);
    }
}

static void merge_row(const merge_call *call, const row_index *index) {
    const fovea_merge_args *args = call->args;
    int64_t lse_offset = offset_of(index, args->part_lse_strides);
    float largest = largest_lse(call, lse_offset);
    float total = total_weight(call, lse_offset, largest);
    /* Without values there may be no outputs to point to. */
    if (args->head_dim_v > 0)
        merge_values(call, index, largest, total);
    if (args->lse) {
        float zero = 0.0f, lse;
        call->kernels->log_sum_exp(&zero, &total, 1, &lse);
        args->lse[offset_of(index, args->lse_strides)] = largest + lse;
    }
}

static void merge_rows(void *context, int64_t task, int32_t worker) {
    (void)worker;
    const merge_call *call = context;
    const fovea_merge_args *args = call->args;
    int64_t rows = args->batch * args->heads * args->len;
    int64_t end = (task + 1) * TASK_ROWS < rows ? (task + 1) * TASK_ROWS : rows;
    for (int64_t i = task * TASK_ROWS; i < end; i++) {
        row_index index = {i / args->len / args->heads, i / args->len % args->heads, i % args->len};
        merge_row(call, &index);
    }
}

fovea_status fovea_merge(const fovea_merge_args *args, const fovea_executor *executor) {
    const fv_backend *backend;
    fovea_status status = fv_validate_executor(executor);
    if (status == FOVEA_OK)
        status = fv_validate_merge(args);
    if (status == FOVEA_OK)
        status = fv_dispatch(FOVEA_ISA_AUTO, &backend);
    if (status != FOVEA_OK)
        return status;
    merge_call call = {args, backend->row};
    int64_t rows = args->batch * args->heads * args->len;
    fv_parallel_for(executor, fv_concurrency(executor, args->threads), (rows + TASK_ROWS - 1) / TASK_ROWS, merge_rows,
                    &call);
    return FOVEA_OK;
}
