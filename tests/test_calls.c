/* Plans, workspaces and memory: what a call takes, gives back and leaves alone. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/backends.h"
#include "support/problem.h"

/* A problem that uses every kind of scratch: prefill or decode, mask, weights. */
static problem_spec busy(int64_t len_q, int64_t len_kv, int32_t index) {
    return on_case(PROBLEM(.batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = len_q, .len_kv = len_kv, .head_dim = 20,
                           .head_dim_v = 12, .causal = 1, .inputs = FOVEA_INPUT_MASK, .outputs = FOVEA_OUTPUT_LSE,
                           .weights = FOVEA_WEIGHTS_PROBABILITIES),
                   index);
}

static fovea_plan *plan_of(const problem *self) {
    fovea_plan *plan = NULL;
    ck_assert_msg(fovea_plan_create(&self->desc, &plan) == FOVEA_OK, "%s", fovea_last_reason());
    return plan;
}

START_TEST(one_plan_serves_every_length_up_to_its_capacity) {
    problem_spec capacity = busy(70, 1300, _i);
    problem *largest = problem_create(&capacity);
    fovea_plan *plan = plan_of(largest);
    problem_destroy(largest);
    static const int64_t lengths[][2] = {{70, 1300}, {1, 1300}, {70, 1}, {1, 1}, {2, 1100}, {33, 513}, {0, 5}, {3, 0}};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        problem_spec spec = busy(lengths[i][0], lengths[i][1], _i);
        problem *self = problem_create(&spec);
        ck_assert_int_eq(fovea_execute(plan, &self->args, test_executor_get(&self->executor)), FOVEA_OK);
        problem_compare(self);
        const outcome from_capacity = problem_outcome(self);
        outcome from_own = problem_solve(&spec);
        if (!outcome_equal(&from_capacity, &from_own)) {
            problem_fail(self, "the plan's capacity changes the result");
        }
        outcome_destroy(&from_own);
        outcome_destroy((outcome[]){from_capacity});
        problem_destroy(self);
    }
    fovea_plan_destroy(plan);
}
END_TEST

/* An allocator that counts. */
typedef struct counter {
    int64_t live_blocks, calls;
    size_t live_bytes;
    bool misused;
} counter;

static void *count_allocate(void *context, size_t size, size_t alignment) {
    counter *self = context;
    self->calls++;
    self->live_blocks++;
    self->live_bytes += size;
    self->misused |= size == 0 || alignment == 0 || (alignment & (alignment - 1)) != 0;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment < sizeof(void *) ? sizeof(void *) : alignment, size) != 0) {
        return NULL;
    }
    return memset(memory, 0xff, size);
}

static void count_release(void *context, void *memory, size_t size) {
    counter *self = context;
    self->live_blocks--;
    self->live_bytes -= size;
    self->misused |= memory == NULL;
    free(memory);
}

static fovea_allocator allocator_of(counter *self) {
    return (fovea_allocator){sizeof(fovea_allocator), count_allocate, count_release, self};
}

START_TEST(the_hosts_allocator_is_used_and_gets_everything_back) {
    counter count = {0};
    const fovea_allocator allocator = allocator_of(&count);
    const problem_spec spec = busy(50, 600, _i);
    problem *self = problem_create(&spec);
    self->desc.allocator = &allocator;
    for (int form = CALL_ONCE; form <= CALL_PLAN; form++) {
        self->spec.form = (call_form)form;
        const int64_t before = count.calls;
        problem_run_ok(self);
        ck_assert_int_gt(count.calls, before);
        ck_assert_int_eq(count.live_blocks, 0);
        ck_assert_uint_eq(count.live_bytes, 0);
    }
    ck_assert(!count.misused);
    problem_compare(self);
    problem_destroy(self);
}
END_TEST

START_TEST(with_a_workspace_execute_allocates_nothing) {
    counter count = {0};
    const fovea_allocator allocator = allocator_of(&count);
    for (int64_t len_q = 1; len_q <= 50; len_q += 49) {
        const problem_spec spec = busy(len_q, 1100, _i);
        problem *self = problem_create(&spec);
        self->desc.allocator = &allocator;
        fovea_plan *plan = plan_of(self);
        self->args.workspace_size = fovea_plan_workspace_size(plan, 2);
        self->args.workspace = malloc(self->args.workspace_size);
        const int64_t before = count.calls;
        ck_assert_int_eq(fovea_execute(plan, &self->args, test_executor_get(&self->executor)), FOVEA_OK);
        ck_assert_int_eq(count.calls, before);
        problem_compare(self);
        free(self->args.workspace);
        fovea_plan_destroy(plan);
        problem_destroy(self);
    }
    ck_assert_int_eq(count.live_blocks, 0);
}
END_TEST

START_TEST(an_exact_workspace_is_enough_at_any_alignment) {
    for (int side = GUARD_AFTER; side <= GUARD_BEFORE; side++) {
        for (int32_t concurrency = 1; concurrency <= 5; concurrency += 2) {
            for (int64_t len_q = 1; len_q <= 60; len_q += 59) {
                problem_spec spec = busy(len_q, 1100, _i);
                spec.side = (guard_side)side;
                spec.form = CALL_WORKSPACE;
                spec.concurrency = concurrency;
                spec.executor = EXECUTOR_SHUFFLED;
                problem_check(&spec);
            }
        }
    }
}
END_TEST

/* Few queries take other kernels than more, with other room for scores. */
START_TEST(a_workspace_for_the_plan_is_enough_for_fewer_queries) {
    enum { MOST = 20 };
    for (int64_t planned = 1; planned <= MOST; planned++) {
        problem_spec capacity = on_case(PROBLEM(.len_q = planned, .len_kv = 40, .head_dim = 4, .head_dim_v = 4), _i);
        problem *largest = problem_create(&capacity);
        fovea_plan *plan = plan_of(largest);
        problem_destroy(largest);
        const size_t size = fovea_plan_workspace_size(plan, 1);
        void *workspace = malloc(size);
        for (int64_t len_q = 1; len_q <= planned; len_q++) {
            const problem_spec spec =
                on_case(PROBLEM(.len_q = len_q, .len_kv = 40, .head_dim = 4, .head_dim_v = 4), _i);
            problem *self = problem_create(&spec);
            self->args.workspace = workspace;
            self->args.workspace_size = size;
            ck_assert_msg(fovea_execute(plan, &self->args, test_executor_get(&self->executor)) == FOVEA_OK,
                          "%d queries of %d: %s", (int)len_q, (int)planned, fovea_last_reason());
            problem_compare(self);
            problem_destroy(self);
        }
        free(workspace);
        fovea_plan_destroy(plan);
    }
}
END_TEST

START_TEST(a_workspace_for_one_worker_lets_one_run_and_one_byte_less_none) {
    for (int64_t len_q = 1; len_q <= 60; len_q += 59) {
        problem_spec spec = busy(len_q, 1100, _i);
        spec.executor = EXECUTOR_SHUFFLED;
        spec.concurrency = 4;
        problem *self = problem_create(&spec);
        const outcome untouched = problem_outcome(self);
        fovea_plan *plan = plan_of(self);
        /* The worst alignment, for which the whole size is needed. */
        enum { ALIGNMENT = 64 };
        const size_t size = fovea_plan_workspace_size(plan, 1);
        unsigned char *memory = aligned_alloc(ALIGNMENT, (size + ALIGNMENT) / ALIGNMENT * ALIGNMENT + ALIGNMENT);
        self->args.workspace = memory + 1;
        self->args.workspace_size = size - 1;
        const fovea_executor *executor = test_executor_get(&self->executor);
        ck_assert_int_eq(fovea_execute(plan, &self->args, executor), FOVEA_WORKSPACE_TOO_SMALL);
        ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "workspace_size"));
        const outcome after = problem_outcome(self);
        ck_assert(outcome_equal(&untouched, &after));
        self->args.workspace_size = size;
        ck_assert_int_eq(fovea_execute(plan, &self->args, executor), FOVEA_OK);
        problem_compare(self);
        outcome_destroy((outcome[]){untouched});
        outcome_destroy((outcome[]){after});
        free(memory);
        fovea_plan_destroy(plan);
        problem_destroy(self);
    }
}
END_TEST

START_TEST(workspace_a_worker_does_not_grow_with_lengths_or_batch) {
    size_t per_worker[2];
    for (int i = 0; i < 2; i++) {
        fovea_attention_desc desc = {
            .struct_size = sizeof desc,
            .batch = i ? 64 : 1,
            .heads_q = 4,
            .heads_kv = 2,
            .len_q = i ? 8192 : 512,
            .len_kv = i ? 1 << 20 : 512,
            .head_dim = 64,
            .head_dim_v = 64,
            .isa_cap = backend_case_at(_i).backend->isa,
        };
        fovea_plan *plan = NULL;
        ck_assert_int_eq(fovea_plan_create(&desc, &plan), FOVEA_OK);
        per_worker[i] = fovea_plan_workspace_size(plan, 9) - fovea_plan_workspace_size(plan, 8);
        ck_assert_uint_gt(per_worker[i], 0);
        fovea_plan_destroy(plan);
    }
    ck_assert_uint_eq(per_worker[0], per_worker[1]);
}
END_TEST

START_TEST(no_plan_or_no_workers_need_no_workspace) {
    const problem_spec spec = busy(4, 4, _i);
    problem *self = problem_create(&spec);
    fovea_plan *plan = plan_of(self);
    ck_assert_uint_eq(fovea_plan_workspace_size(NULL, 1), 0);
    ck_assert_uint_eq(fovea_plan_workspace_size(plan, 0), 0);
    ck_assert_uint_eq(fovea_plan_workspace_size(plan, -1), 0);
    fovea_plan_destroy(plan);
    fovea_plan_destroy(NULL);
    problem_destroy(self);
}
END_TEST

START_TEST(a_plan_describes_itself_and_names_the_backend_that_the_cap_asked_for) {
    const problem_spec spec = busy(4, 4, _i);
    problem *self = problem_create(&spec);
    fovea_plan *plan = plan_of(self);
    const size_t length = fovea_plan_describe(plan, NULL, 0);
    ck_assert_uint_gt(length, 0);
    char *text = malloc(length + 1), *part = malloc(8);
    ck_assert_uint_eq(fovea_plan_describe(plan, text, length + 1), length);
    ck_assert_uint_eq(strlen(text), length);
    ck_assert_ptr_nonnull(strstr(text, backend_case_at(_i).backend->name));
    ck_assert_uint_eq(fovea_plan_describe(plan, part, 8), length);
    ck_assert_uint_eq(strlen(part), 7);
    ck_assert(strncmp(part, text, 7) == 0);
    free(part);
    free(text);
    fovea_plan_destroy(plan);
    problem_destroy(self);
}
END_TEST

START_TEST(the_output_may_be_interleaved_with_the_inputs) {
    enum { LEN = 37, HEADS = 3, DIM = 12, COUNT = 4 * LEN * HEADS * DIM };
    /* (rows, {q, k, v, out}, heads, columns) */
    float *memory = malloc(COUNT * sizeof *memory);
    test_random random = test_random_named("interleaved", _i);
    for (int i = 0; i < COUNT; i++) {
        memory[i] = random_float(&random, -1, 1);
    }
    float *before = malloc(COUNT * sizeof *before);
    memcpy(before, memory, COUNT * sizeof *memory);
    const problem_spec spec = on_case(PROBLEM(.heads_q = HEADS, .heads_kv = HEADS, .len_q = LEN, .len_kv = LEN,
                                              .head_dim = DIM, .head_dim_v = DIM, .causal = 1),
                                      _i);
    problem *self = problem_create(&spec);
    float *const views[] = {memory, memory + HEADS * DIM, memory + 2 * HEADS * DIM, memory + 3 * HEADS * DIM};
    int64_t *const strides[] = {self->args.q_strides, self->args.k_strides, self->args.v_strides,
                                self->args.out_strides};
    for (int i = 0; i < 4; i++) {
        memcpy(strides[i], (int64_t[]){0, DIM, 4 * HEADS * DIM, 1}, 4 * sizeof(int64_t));
    }
    self->args.q = views[0];
    self->args.k = views[1];
    self->args.v = views[2];
    self->args.out = views[3];
    problem_run_ok(self);
    oracle truth = oracle_create(&self->desc, &self->args, 1);
    for (int i = 0; i < COUNT; i++) {
        const int part = i / (HEADS * DIM) % 4, row = i / (4 * HEADS * DIM), head = i / DIM % HEADS, d = i % DIM;
        if (part < 3) {
            ck_assert_float_eq(memory[i], before[i]);
        } else {
            const double wanted = truth.out.value[(head * LEN + row) * DIM + d];
            ck_assert_double_eq_tol((double)memory[i], wanted, 1e-5);
        }
    }
    oracle_destroy(&truth);
    problem_destroy(self);
    free(before);
    free(memory);
}
END_TEST

START_TEST(an_execute_without_keys_or_rows_may_have_null_tensors) {
    fovea_attention_desc desc = {.struct_size = sizeof desc,
                                 .batch = 1,
                                 .heads_q = 1,
                                 .heads_kv = 1,
                                 .len_q = 4,
                                 .len_kv = 4,
                                 .head_dim = 8,
                                 .head_dim_v = 8,
                                 .isa_cap = backend_case_at(_i).backend->isa};
    fovea_attention_args args = {.struct_size = sizeof args, .len_kv = 4};
    ck_assert_msg(fovea_attention(&desc, &args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
}
END_TEST

Suite *calls_suite(void);

Suite *calls_suite(void) {
    Suite *suite = suite_create("calls");
    TCase *tcase = tcase_create("every backend and exponential");
    ADD_FOR_CASES(tcase, one_plan_serves_every_length_up_to_its_capacity);
    ADD_FOR_CASES(tcase, the_hosts_allocator_is_used_and_gets_everything_back);
    ADD_FOR_CASES(tcase, with_a_workspace_execute_allocates_nothing);
    ADD_FOR_CASES(tcase, an_exact_workspace_is_enough_at_any_alignment);
    ADD_FOR_CASES(tcase, a_workspace_for_the_plan_is_enough_for_fewer_queries);
    ADD_FOR_CASES(tcase, a_workspace_for_one_worker_lets_one_run_and_one_byte_less_none);
    ADD_FOR_CASES(tcase, workspace_a_worker_does_not_grow_with_lengths_or_batch);
    ADD_FOR_CASES(tcase, no_plan_or_no_workers_need_no_workspace);
    ADD_FOR_CASES(tcase, a_plan_describes_itself_and_names_the_backend_that_the_cap_asked_for);
    ADD_FOR_CASES(tcase, the_output_may_be_interleaved_with_the_inputs);
    ADD_FOR_CASES(tcase, an_execute_without_keys_or_rows_may_have_null_tensors);
    suite_add_tcase(suite, tcase);
    return suite;
}
