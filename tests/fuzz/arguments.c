#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "spoil.h"
#include "src/plan.h"
#include "src/validate.h"
#include "support/backends.h"
#include "support/problem.h"
#include "targets.h"

/* A plan of any sizes answers questions about itself. */
static void check_plan(const fovea_plan *plan) {
    char text[2][400];
    const size_t length = fovea_plan_describe(plan, text[0], sizeof text[0]);
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_eq(fovea_plan_describe(plan, text[1], 1), length);
    ck_assert_str_eq(text[1], "");
    size_t before = 0;
    for (int32_t workers = 1; workers > 0 && workers <= INT32_MAX / 8; workers *= 8) {
        const size_t size = fovea_plan_workspace_size(plan, workers);
        ck_assert_uint_ge(size, before);
        before = size;
    }
}

static void try_descriptor(const problem *self, test_random *random) {
    fovea_attention_desc *desc = spoil_copy(&self->desc, sizeof *desc, random);
    desc->allocator = NULL;
    fovea_plan *plan = NULL;
    const fovea_status status = fovea_plan_create(desc, &plan);
    if (status == FOVEA_OK) {
        check_plan(plan);
    } else {
        spoil_expect_reason(status);
        ck_assert_ptr_null(plan);
    }
    fovea_plan_destroy(plan);
    free(desc);
}

/* The fields that are read through while arguments are checked, or address memory: they are not edited blindly. */
#define FOR_POINTERS(DO) \
    DO(q)                \
    DO(k)                \
    DO(v)                \
    DO(out)              \
    DO(mask)             \
    DO(bias)             \
    DO(key_lengths)      \
    DO(first_keys)       \
    DO(query_offsets)    \
    DO(alibi_slopes)     \
    DO(sinks)            \
    DO(cu_seqlens_q) DO(cu_seqlens_kv) DO(block_table) DO(k_scales) DO(v_scales) DO(lse) DO(weights) DO(workspace)

static const size_t pointers[] = {
#define OFFSET(name) offsetof(fovea_attention_args, name),
    FOR_POINTERS(OFFSET)
#undef OFFSET
};

static void keep_pointers(fovea_attention_args *now, const fovea_attention_args *given) {
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        memcpy((unsigned char *)now + pointers[i], (const unsigned char *)given + pointers[i], sizeof(void *));
    }
    memcpy(now->block_table_strides, given->block_table_strides, sizeof given->block_table_strides);
}

/* Takes one away, misaligns it, or lets it overlap the output. */
static void spoil_pointer(fovea_attention_args *args, test_random *random) {
    unsigned char *field =
        (unsigned char *)args + pointers[random_between(random, 0, (int64_t)(sizeof pointers / sizeof *pointers) - 1)];
    unsigned char *pointer;
    memcpy(&pointer, field, sizeof pointer);
    switch (random_between(random, 0, 2)) {
    case 0:
        pointer = NULL;
        break;
    case 1:
        pointer += pointer != NULL;
        break;
    default:
        pointer = args->out;
        break;
    }
    memcpy(field, &pointer, sizeof pointer);
}

/* What is refused is refused by the call too, and nothing is written. What is not may need memory that is not there. */
static void try_arguments(problem *self, test_random *random) {
    fovea_attention_args *args = spoil_copy(&self->args, sizeof *args, random);
    keep_pointers(args, &self->args);
    if (random_chance(random, 0.5)) {
        spoil_pointer(args, random);
    }
    fovea_plan *plan = NULL;
    ck_assert_int_eq(fovea_plan_create(&self->desc, &plan), FOVEA_OK);
    const fovea_status status = fv_validate_args(&plan->desc, args);
    if (status != FOVEA_OK) {
        spoil_expect_reason(status);
        outcome before = problem_outcome(self);
        ck_assert_int_eq(fovea_execute(plan, args, test_executor_get(&self->executor)), status);
        outcome after = problem_outcome(self);
        ck_assert_msg(outcome_equal(&before, &after), "an error, and the output was written to");
        outcome_destroy(&before);
        outcome_destroy(&after);
    }
    fovea_plan_destroy(plan);
    free(args);
}

/* Any number in the place of an index: refused without a trace, or taken, whatever comes out. */
static void try_index(problem *self, test_random *random) {
    const tensor *const lists[] = {&self->key_lengths,  &self->first_keys,    &self->query_offsets,
                                   &self->cu_seqlens_q, &self->cu_seqlens_kv, &self->block_table};
    const tensor *list = lists[random_between(random, 0, 5)];
    if (tensor_is_empty(list)) {
        return;
    }
    const int64_t a = random_between(random, 0, list->size[0] - 1), d = random_between(random, 0, list->size[3] - 1);
    const int64_t small = random_between(random, -30, 30), kept = tensor_get_index(list, a, d);
    tensor_set_index(list, a, d, RANDOM_OF(random, small, small, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN));
    outcome before = problem_outcome(self);
    const fovea_status status = problem_run(self);
    outcome after = problem_outcome(self);
    if (status != FOVEA_OK) {
        spoil_expect_reason(status);
        ck_assert_msg(outcome_equal(&before, &after), "an error, and the output was written to");
    }
    outcome_destroy(&before);
    outcome_destroy(&after);
    tensor_set_index(list, a, d, kept);
}

/* A larger length than the problem's may be legal, and its rows are then read. */
static void allow_all_rows(problem_spec *spec) {
    if (spec->layout_k == LAYOUT_ROW_A_PAGE) {
        spec->layout_k = LAYOUT_BHSD;
    }
    if (spec->layout_v == LAYOUT_ROW_A_PAGE) {
        spec->layout_v = LAYOUT_BHSD;
    }
}

void fuzz_arguments(const uint8_t *bytes, size_t size) {
    enum { LARGEST = 20 };
    enum { TRY_DESCRIPTOR, TRY_ARGUMENTS, TRY_INDEX };
    test_random random = test_random_of_bytes(bytes, size);
    const int64_t kind = random_between(&random, TRY_DESCRIPTOR, TRY_INDEX);
    problem_spec spec = problem_random(&random, LARGEST, FOVEA_ISA_AUTO, FOVEA_EXP_DEFAULT);
    spec.executor = EXECUTOR_SHUFFLED;
    if (kind == TRY_INDEX) {
        allow_all_rows(&spec);
    }
    problem *self = problem_create(&spec);
    switch (kind) {
    case TRY_DESCRIPTOR:
        try_descriptor(self, &random);
        break;
    case TRY_ARGUMENTS:
        try_arguments(self, &random);
        break;
    default:
        try_index(self, &random);
        break;
    }
    /* Whatever was refused before, a legal call works. */
    problem_run_ok(self);
    problem_destroy(self);
}
