#include "problem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "problem_parts.h"

static void create_outputs(problem *self) {
    const problem_spec *s = &self->spec;
    const size_t element = sizeof(float);
    self->out =
        tensor_of_type(s->type_out, problem_outer_q(s), s->heads_q, s->len_q, s->head_dim_v, s->layout_out, s->side);
    if (s->outputs & FOVEA_OUTPUT_LSE) {
        self->lse = tensor_create(problem_outer_q(s), s->heads_q, s->len_q, 1, element, s->layout_out, s->side);
    }
    if (s->weights != FOVEA_WEIGHTS_NONE) {
        const int64_t heads = s->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES ? 1 : s->heads_q;
        self->weights = tensor_create(s->batch, heads, s->len_q, s->len_kv, element, s->layout_out, s->side);
    }
}

static void fill_desc(problem *self) {
    const problem_spec *spec = &self->spec;
    self->desc = (fovea_attention_desc){
        .struct_size = sizeof self->desc,
        .batch = spec->batch,
        .heads_q = spec->heads_q,
        .heads_kv = spec->heads_kv,
        .len_q = spec->len_q + spec->spare_q,
        .len_kv = spec->len_kv + spec->spare_kv,
        .head_dim = spec->head_dim,
        .head_dim_v = spec->head_dim_v,
        .type_q = spec->type_q,
        .type_kv = spec->type_kv,
        .type_out = spec->type_out,
        .type_bias = spec->type_bias,
        .type_index = spec->type_index,
        .scale = spec->scale,
        .has_scale = spec->has_scale,
        .softcap = spec->softcap,
        .diagonal = spec->diagonal,
        .causal = spec->causal,
        .form_q = spec->form_q,
        .form_kv = spec->form_kv,
        .page_size = spec->page_size,
        .window_left = spec->window_left,
        .window_right = spec->window_right,
        .has_window_left = spec->has_window_left,
        .has_window_right = spec->has_window_right,
        .inputs = spec->inputs,
        .outputs = spec->outputs,
        .weights = spec->weights,
        .exp = spec->exp,
        .arithmetic = spec->arithmetic,
        .isa_cap = spec->isa,
        .threads = spec->threads,
    };
}

static void copy_strides(int64_t *to, const tensor *from, int axes) {
    for (int axis = 0; axis < axes; axis++) {
        to[axis] = from->strides[axis];
    }
}

static void fill_args(problem *self) {
    fovea_attention_args *args = &self->args;
    *args = (fovea_attention_args){
        .struct_size = sizeof *args,
        .len_q = self->spec.len_q,
        .len_kv = self->spec.len_kv,
        .q = self->q.origin,
        .k = self->k.origin,
        .v = self->v.origin,
        .out = self->out.origin,
        .mask = self->mask.origin,
        .bias = self->bias.origin,
        .key_lengths = self->key_lengths.origin,
        .first_keys = self->first_keys.origin,
        .query_offsets = self->query_offsets.origin,
        .cu_seqlens_q = self->cu_seqlens_q.origin,
        .cu_seqlens_kv = self->cu_seqlens_kv.origin,
        .block_table = self->block_table.origin,
        .block_table_strides = {self->block_table.strides[0], self->block_table.strides[3]},
        .pages = self->pages,
        .alibi_slopes = self->alibi.origin,
        .alibi_strides = {self->alibi.strides[0], self->alibi.strides[3]},
        .sinks = self->sinks.origin,
        .k_scales = self->k_scales.origin,
        .v_scales = self->v_scales.origin,
        .lse = self->lse.origin,
        .weights = self->weights.origin,
    };
    copy_strides(args->q_strides, &self->q, 4);
    copy_strides(args->k_strides, &self->k, 4);
    copy_strides(args->v_strides, &self->v, 4);
    copy_strides(args->out_strides, &self->out, 4);
    copy_strides(args->mask_strides, &self->mask, 4);
    copy_strides(args->bias_strides, &self->bias, 4);
    copy_strides(args->k_scale_strides, &self->k_scales, 3);
    copy_strides(args->v_scale_strides, &self->v_scales, 3);
    copy_strides(args->lse_strides, &self->lse, 3);
    copy_strides(args->weights_strides, &self->weights, 4);
}

static problem *allocate(const problem_spec *spec) {
    problem *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    self->spec = *spec;
    problem_allocate_indices(self);
    return self;
}

/* All that does not depend on what inputs hold. */
static problem *complete(problem *self) {
    const problem_spec *spec = &self->spec;
    create_outputs(self);
    fill_desc(self);
    fill_args(self);
    self->has_pairs = problem_has_pairs(spec);
    test_executor_init(&self->executor, spec->executor, spec->concurrency, spec->seed);
    problem_reset_outputs(self);
    return self;
}

problem *problem_create(const problem_spec *spec) {
    problem *self = allocate(spec);
    test_random random = test_random_seeded(spec->seed);
    problem_draw_indices(self, &random);
    problem_allocate_inputs(self);
    problem_draw_inputs(self, &random);
    return complete(self);
}

problem *problem_create_blank(const problem_spec *spec, int64_t pages) {
    problem *self = allocate(spec);
    self->pages = pages;
    problem_allocate_inputs(self);
    return complete(self);
}

void problem_destroy(problem *self) {
    tensor *const all[] = {&self->q,
                           &self->k,
                           &self->v,
                           &self->out,
                           &self->mask,
                           &self->bias,
                           &self->lse,
                           &self->weights,
                           &self->key_lengths,
                           &self->first_keys,
                           &self->query_offsets,
                           &self->alibi,
                           &self->sinks,
                           &self->k_scales,
                           &self->v_scales,
                           &self->cu_seqlens_q,
                           &self->cu_seqlens_kv,
                           &self->block_table};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        guarded_destroy(&all[i]->memory);
    }
    free(self);
}

void problem_reset_outputs(problem *self) {
    tensor_fill_unwritten(&self->out);
    tensor_fill_unwritten(&self->lse);
    tensor_fill_unwritten(&self->weights);
}

void problem_open_inputs(problem *self) {
    const tensor *const inputs[] = {&self->q,        &self->k,    &self->v,   &self->k_scales,
                                    &self->v_scales, &self->mask, &self->bias};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (inputs[i]->memory.pages) {
            guarded_make_writable(&inputs[i]->memory);
        }
    }
}

static fovea_status execute(problem *self, const fovea_plan *plan) {
    const fovea_executor *executor = test_executor_get(&self->executor);
    if (self->spec.form != CALL_WORKSPACE) {
        return fovea_execute(plan, &self->args, executor);
    }
    fovea_attention_args args = self->args;
    args.workspace_size = fovea_plan_workspace_size(plan, self->spec.concurrency);
    /* Ends exactly at a forbidden page, or begins one byte after one. */
    const size_t shift = self->spec.side == GUARD_AFTER ? 0 : 1;
    guarded workspace = guarded_create(args.workspace_size + shift, 1, self->spec.side);
    args.workspace = (unsigned char *)workspace.data + shift;
    /* What an earlier call may have left there: floats of this pattern are NaN. */
    memset(args.workspace, 0xff, args.workspace_size);
    const fovea_status status = fovea_execute(plan, &args, executor);
    if (!guarded_intact(&workspace)) {
        problem_fail(self, "wrote outside the workspace");
    }
    guarded_destroy(&workspace);
    return status;
}

fovea_status problem_execute(problem *self, const fovea_plan *plan) {
    problem_begin_call(self);
    const fovea_status status = execute(self, plan);
    problem_end_call(self);
    return status;
}

fovea_status problem_run(problem *self) {
    if (self->spec.form != CALL_ONCE) {
        fovea_plan *plan = NULL;
        problem_begin_call(self);
        fovea_status status = fovea_plan_create(&self->desc, &plan);
        if (status == FOVEA_OK) {
            status = problem_execute(self, plan);
        }
        fovea_plan_destroy(plan);
        problem_end_call(self);
        return status;
    }
    problem_begin_call(self);
    const fovea_status status = fovea_attention(&self->desc, &self->args, test_executor_get(&self->executor));
    problem_end_call(self);
    return status;
}

bool problem_has_pairs(const problem_spec *spec) {
    problem probe = {.spec = *spec};
    fovea_plan *plan = NULL;
    char description[600] = "";
    fill_desc(&probe);
    if (fovea_plan_create(&probe.desc, &plan) == FOVEA_OK) {
        fovea_plan_describe(plan, description, sizeof description);
    }
    fovea_plan_destroy(plan);
    return strstr(description, "bf16 pairs") != NULL;
}

void problem_run_ok(problem *self) {
    const fovea_status status = problem_run(self);
    if (status != FOVEA_OK) {
        problem_fail(self, "%s: %s", fovea_status_string(status), fovea_last_reason());
    }
}

bool problem_repeats_the_base(const problem_spec *spec) {
    enum { SHARE = 8 };
    static int64_t repeated;
    return backend_has_base(spec->isa, spec->type_kv) && !problem_has_pairs(spec) && repeated++ % SHARE != 0;
}

void problem_check(const problem_spec *spec) {
    if (problem_repeats_the_base(spec)) {
        return;
    }
    problem *self = problem_create(spec);
    problem_run_ok(self);
    problem_compare(self);
    problem_destroy(self);
}
