/* Whole calls through emulated families of pairs, on any processor, against the oracle. */
#include <check.h>
#include <math.h>

#include "src/plan.h"
#include "support/backends.h"
#include "support/emulated_pairs.h"
#include "support/problem.h"

/* The emulated families that have the shape of a backend's panels, in turn. */
static fv_backend with_emulated_pairs(const fv_backend *backend, int64_t turn) {
    fv_backend extended = *backend;
    extended.pair = NULL;
    for (int32_t i = 0; i < 2 * EMULATED && turn >= 0; i++) {
        const fv_pair_kernels *family = emulated[i % EMULATED];
        if (family->lanes == backend->panel->lanes && family->vectors == backend->panel->vectors) {
            extended.pair = family;
            turn--;
        }
    }
    ck_assert_msg(extended.pair != NULL, "no emulated family has the shape of %s", backend->name);
    return extended;
}

static void check_emulated(const problem_spec *spec, const fv_backend *backend) {
    problem *self = problem_create(spec);
    fovea_plan plan;
    self->desc.arithmetic = FOVEA_ARITHMETIC_BF16;
    self->has_pairs = spec->weights == FOVEA_WEIGHTS_NONE && spec->type_kv != FOVEA_INT8;
    ck_assert_int_eq(fv_plan_init_on(&self->desc, backend, &plan), FOVEA_OK);
    ck_assert_int_eq(plan.pair != NULL, self->has_pairs);
    ck_assert_int_eq(fovea_execute(&plan, &self->args, NULL), FOVEA_OK);
    problem_compare(self);
    problem_destroy(self);
}

START_TEST(calls_over_emulated_pairs) {
    const backend_case at = backend_case_at(_i);
    test_random random = test_random_named("emulated calls", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        const fv_backend backend = with_emulated_pairs(at.backend, i % 2);
        problem_spec spec = problem_random(&random, i % 8 ? 70 : 200, at.backend->isa, at.exp);
        spec.arithmetic = FOVEA_ARITHMETIC_DEFAULT;
        check_emulated(&spec, &backend);
    }
}
END_TEST

START_TEST(windows_of_any_begin_over_emulated_pairs) {
    const backend_case at = backend_case_at(_i);
    for (int64_t left = 0; left < 8; left++) {
        if (test_takes(left, _i)) {
            const fv_backend backend = with_emulated_pairs(at.backend, left / 2 % 2);
            const problem_spec spec = on_case(
                PROBLEM(.seed = (uint64_t)left, .len_q = 60, .len_kv = 101 + left, .has_window_left = 1,
                        .window_left = 7 * left, .causal = 1, .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16,
                        .layout_k = LAYOUT_ROW_A_PAGE, .layout_v = LAYOUT_ROW_A_PAGE, .outputs = FOVEA_OUTPUT_LSE),
                _i);
            check_emulated(&spec, &backend);
        }
    }
}
END_TEST

static outcome run_on(problem *self, const fv_backend *backend) {
    fovea_plan plan;
    ck_assert_int_eq(fv_plan_init_on(&self->desc, backend, &plan), FOVEA_OK);
    ck_assert_int_eq(fovea_execute(&plan, &self->args, test_executor_get(&self->executor)), FOVEA_OK);
    return problem_outcome(self);
}

/* Panels that share an item share copies of keys and values, some of which only one of them sees. */
START_TEST(values_that_are_not_finite_make_no_result_depend_on_threads) {
    const backend_case at = backend_case_at(_i);
    for (int64_t seed = 0; seed < 16; seed++) {
        if (!test_takes(seed, _i)) {
            continue;
        }
        const fv_backend backend = with_emulated_pairs(at.backend, seed % 2);
        const problem_spec spec =
            on_case(PROBLEM(.seed = (uint64_t)seed, .len_q = 96 + seed, .len_kv = 96 + seed, .causal = 1,
                            .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, .executor = EXECUTOR_SHUFFLED),
                    _i);
        problem *self = problem_create(&spec);
        outcome alone = {0};
        /* Behind the last key of a panel of up to 48 rows. */
        problem_open_inputs(self);
        tensor_put(&self->v, 0, 0, 48 + seed % 16, 3, NAN);
        for (int32_t threads = 1; threads <= 5; threads++) {
            self->desc.threads = threads;
            self->executor.executor.concurrency = threads;
            const outcome actual = run_on(self, &backend);
            if (threads == 1) {
                alone = actual;
                continue;
            }
            if (!outcome_equal(&actual, &alone)) {
                problem_fail(self, "the result depends on the number of threads");
            }
            outcome_destroy((outcome[]){actual});
        }
        outcome_destroy(&alone);
        problem_destroy(self);
    }
}
END_TEST

/* Before the first key and behind the last that any row sees, within steps of keys that are interleaved together. */
START_TEST(what_no_row_sees_changes_no_bit) {
    const backend_case at = backend_case_at(_i);
    for (int64_t seed = 0; seed < 8; seed++) {
        if (!test_takes(seed, _i)) {
            continue;
        }
        const fv_backend backend = with_emulated_pairs(at.backend, seed % 2);
        const problem_spec spec =
            on_case(PROBLEM(.seed = (uint64_t)seed, .len_q = 60, .len_kv = 200, .causal = 1,
                            .diagonal = FOVEA_DIAGONAL_TOP_LEFT, .has_window_left = 1, .window_left = 20,
                            .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, .inputs = FOVEA_INPUT_FIRST_KEYS),
                    _i);
        problem *self = problem_create(&spec);
        const int64_t first_key = 1 + seed;
        problem_open_inputs(self);
        tensor_set_index(&self->first_keys, 0, 0, first_key);
        outcome clean = run_on(self, &backend);
        for (int64_t key = 0; key < 200; key++) {
            if (key < first_key || key >= 60) {
                tensor_put(&self->v, 0, 0, key, 3, key % 2 ? NAN : INFINITY);
            }
        }
        outcome dirty = run_on(self, &backend);
        if (!outcome_equal(&clean, &dirty)) {
            problem_fail(self, "the result depends on what no row sees");
        }
        outcome_destroy(&clean);
        outcome_destroy(&dirty);
        problem_destroy(self);
    }
}
END_TEST

Suite *pair_calls_suite(void);

Suite *pair_calls_suite(void) {
    Suite *suite = suite_create("pair calls");
    TCase *calls = tcase_create("emulated pairs");
    ADD_FOR_CASES(calls, calls_over_emulated_pairs);
    ADD_FOR_CASES(calls, windows_of_any_begin_over_emulated_pairs);
    ADD_FOR_CASES(calls, values_that_are_not_finite_make_no_result_depend_on_threads);
    ADD_FOR_CASES(calls, what_no_row_sees_changes_no_bit);
    suite_add_tcase(suite, calls);
    return suite;
}
