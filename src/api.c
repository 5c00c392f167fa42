/* Entry points: where a call is checked, laid out and run. */
#include "fovea/attention.h"

#include "src/classes.h"
#include "src/decode.h"
#include "src/exec.h"
#include "src/mean_weights.h"
#include "src/memory.h"
#include "src/partial.h"
#include "src/prefill.h"
#include "src/stage.h"
#include "src/status.h"
#include "src/validate.h"

/* More workers than this find no work of their own in the partition. */
enum { FV_MAX_WORKERS = 1024 };
/* Multiply-adds below which a second thread costs more than it gives. */
static const double shareable_work = 1 << 18;

static int32_t is_empty(const fovea_plan *plan, const fovea_attention_args *args) {
    return plan->desc.batch == 0 || plan->desc.heads_q == 0 || args->len_q == 0;
}

/* Threads take items in turn; returns NULL where there will be none. */
static const fv_item *next_item(const fv_call *call, int64_t index, fv_item *next) {
    const fv_geometry *geometry = &call->plan->geometry;
    index += call->workspace.workers;
    if (index >= fv_item_count(geometry, &call->list))
        return NULL;
    *next = fv_item_at(geometry, &call->list, index);
    return next;
}

static void run_item(void *context, int64_t index, int32_t worker) {
    const fv_call *call = context;
    const fv_geometry *geometry = &call->plan->geometry;
    fv_item item = fv_item_at(geometry, &call->list, index), next;
    int64_t len_q = call->workspace.sequences[item.work->batch].len_q;
    fv_scratch scratch = fv_scratch_of(call->plan, &call->workspace, len_q, worker);
    if (len_q * geometry->group <= geometry->row_lanes)
        fv_decode_item(call, item, &scratch);
    else
        fv_prefill_item(call, item, next_item(call, index, &next), &scratch);
    fv_partials_complete(call, item, &scratch);
}

static void classify_panel(void *context, int64_t index, int32_t worker) {
    (void)worker;
    fv_classify_shared(context, index);
}

static void run_mean_weights_item(void *context, int64_t index, int32_t worker) {
    const fv_call *call = context;
    fv_scratch scratch = fv_scratch_of(call->plan, &call->workspace, call->args->len_q, worker);
    fv_mean_weights_item(call, index, &scratch);
}

/* Multiply-adds of a call, sequences of a packed form taken to be of the same length. */
static double estimated_work(const fovea_attention_desc *d, const fovea_attention_args *args) {
    double rows = d->form_q == FOVEA_FORM_PACKED ? (double)args->len_q : (double)d->batch * (double)args->len_q;
    double keys = d->form_kv == FOVEA_FORM_PACKED ? (double)args->len_kv / (double)d->batch : (double)args->len_kv;
    return rows * keys * (double)d->heads_q * (double)(d->head_dim + d->head_dim_v);
}

/* Workers worth waking for a call. */
static int32_t useful_workers(const fovea_plan *plan, const fovea_attention_args *args,
                              const fovea_executor *executor) {
    const fovea_attention_desc *d = &plan->desc;
    if (estimated_work(d, args) < shareable_work)
        return 1;
    int64_t items = fv_partition_capacity(&plan->geometry, args->len_q, args->len_kv) * d->heads_kv;
    int32_t workers = fv_concurrency(executor, d->threads);
    if (workers > FV_MAX_WORKERS)
        workers = FV_MAX_WORKERS;
    return workers < items ? workers : (int32_t)items;
}

static void run_call(fv_call *call, const fovea_executor *executor) {
    const fovea_plan *plan = call->plan;
    for (int64_t b = 0; b < plan->geometry.batch; b++)
        call->workspace.sequences[b] = fv_sequence_at(&plan->desc, call->args, b);
    call->list.entries = call->workspace.work;
    call->list.order = call->workspace.order;
    fv_partition(&plan->geometry, call->workspace.sequences, fv_stage_copies(plan, call->args), call->workspace.workers,
                 call->workspace.work_capacity, &call->list);
    fv_partials_begin(call);
    const int64_t panels = fv_shared_class_panels(call);
    if (panels > 0)
        fv_parallel_for(executor, call->workspace.workers, panels, classify_panel, call);
    else
        call->workspace.classes = NULL;
    fv_parallel_for(executor, call->workspace.workers, fv_item_count(&plan->geometry, &call->list), run_item, call);
    if (call->workspace.sums)
        fv_parallel_for(executor, call->workspace.workers, fv_mean_weights_items(call), run_mean_weights_item, call);
}

static fovea_status execute_in(const fovea_plan *plan, const fovea_attention_args *args, const fovea_executor *executor,
                               int32_t workers, void *memory, size_t size) {
    fv_call call = {.plan = plan, .args = args};
    fv_workspace_layout(plan, args->len_q, args->len_kv, workers, memory, size, &call.workspace);
    if (call.workspace.workers < 1)
        return fv_fail(FOVEA_WORKSPACE_TOO_SMALL,
                       "workspace_size (%zu) is less than the %zu bytes that one worker needs", size,
                       fv_workspace_size(plan, args->len_q, args->len_kv, 1));
    run_call(&call, executor);
    return FOVEA_OK;
}

static fovea_status execute_allocating(const fovea_plan *plan, const fovea_attention_args *args,
                                       const fovea_executor *executor, int32_t workers) {
    size_t size = fv_workspace_size(plan, args->len_q, args->len_kv, workers);
    void *memory = fv_allocate(&plan->allocator, size);
    if (memory == NULL)
        return fv_fail(FOVEA_OUT_OF_MEMORY, "no memory for the workspace (%zu bytes)", size);
    fovea_status status = execute_in(plan, args, executor, workers, memory, size);
    fv_release(&plan->allocator, memory, size);
    return status;
}

fovea_status fovea_execute(const fovea_plan *plan, const fovea_attention_args *args, const fovea_executor *executor) {
    if (plan == NULL)
        return fv_fail(FOVEA_INVALID, "plan is NULL");
    fovea_status status = fv_validate_executor(executor);
    if (status == FOVEA_OK)
        status = fv_validate_args(&plan->desc, args);
    if (status != FOVEA_OK || is_empty(plan, args))
        return status;
    int32_t workers = useful_workers(plan, args, executor);
    if (args->workspace)
        return execute_in(plan, args, executor, workers, args->workspace, args->workspace_size);
    return execute_allocating(plan, args, executor, workers);
}

fovea_status fovea_attention(const fovea_attention_desc *desc, const fovea_attention_args *args,
                             const fovea_executor *executor) {
    fovea_plan plan;
    fovea_status status = fv_plan_init(desc, &plan);
    return status == FOVEA_OK ? fovea_execute(&plan, args, executor) : status;
}
