/* Who computes does not matter: the same bits for any number of threads, any executor, any batch around an entry; from
 * several host threads, inside OpenMP regions, after fork, and under the host's floating-point modes. */
#include <check.h>
#include <fenv.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/backends.h"
#include "support/fpmode.h"
#include "support/problem.h"

/* Problems that are divided in every way: panels, narrow panels, split keys, groups, unequal lengths, weights. */
static const problem_spec shapes[] = {
    PROBLEM_FIELDS(.heads_q = 3, .heads_kv = 3, .len_q = 300, .len_kv = 300, .causal = 1, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.heads_q = 8, .heads_kv = 2, .len_q = 1, .len_kv = 5000, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.heads_q = 16, .heads_kv = 1, .len_q = 3, .len_kv = 3500, .causal = 1, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.batch = 3, .heads_q = 2, .heads_kv = 1, .len_q = 40, .len_kv = 1300, .causal = 1,
                   .inputs = FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.batch = 3, .heads_q = 4, .heads_kv = 2, .len_q = 2, .len_kv = 2600,
                   .inputs = FOVEA_INPUT_KEY_LENGTHS),
    PROBLEM_FIELDS(.batch = 2, .len_q = 130, .len_kv = 200, .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS, .softcap = 9,
                   .weights = FOVEA_WEIGHTS_PROBABILITIES),
    PROBLEM_FIELDS(.batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = 2, .len_kv = 2600,
                   .inputs = FOVEA_INPUT_ALIBI | FOVEA_INPUT_SINKS, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.batch = 2, .heads_q = 6, .heads_kv = 3, .len_q = 130, .len_kv = 2500, .inputs = FOVEA_INPUT_SINKS,
                   .weights = FOVEA_WEIGHTS_MEAN_PROBABILITIES, .head_dim = 8, .head_dim_v = 8),
    PROBLEM_FIELDS(.len_q = 400, .len_kv = 400, .has_window_left = 1, .window_left = 100, .has_window_right = 1,
                   .window_right = 3),
    PROBLEM_FIELDS(.heads_q = 2, .heads_kv = 2, .len_q = 70, .len_kv = 1100, .hostile = 3, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.batch = 7, .heads_q = 4, .heads_kv = 2, .len_q = 600, .len_kv = 600, .causal = 1,
                   .form_q = FOVEA_FORM_PACKED, .form_kv = FOVEA_FORM_PACKED, .cut_alike = 1,
                   .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.seed = 3, .batch = 4, .heads_q = 4, .heads_kv = 2, .len_q = 9, .len_kv = 9000,
                   .form_q = FOVEA_FORM_PACKED, .form_kv = FOVEA_FORM_PACKED, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.batch = 5, .heads_q = 4, .heads_kv = 2, .len_q = 60, .len_kv = 3200, .causal = 1,
                   .form_q = FOVEA_FORM_PACKED, .form_kv = FOVEA_FORM_PAGED, .page_size = 16,
                   .outputs = FOVEA_OUTPUT_LSE),
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Those of this case. */
static bool takes_shape(int32_t shape, int32_t index) {
    const problem_spec spec = on_case(shapes[shape], index);
    return test_takes(shape, index) && !problem_repeats_the_base(&spec);
}

#define FOR_SHAPES(i)                \
    for (int i = 0; i < SHAPES; i++) \
        if (takes_shape(i, _i))

static void run_and_compare(problem *self, const outcome *wanted, const char *what) {
    problem_run_ok(self);
    const outcome actual = problem_outcome(self);
    if (!outcome_equal(&actual, wanted)) {
        problem_fail(self, "the result depends on %s", what);
    }
    outcome_destroy((outcome[]){actual});
}

static void expect_same(const problem_spec *spec, const outcome *wanted, const char *what) {
    problem *self = problem_create(spec);
    run_and_compare(self, wanted, what);
    problem_destroy(self);
}

/* Runs a problem again, with the threads, the executor and the form of call that its specification has come to have. */
static void expect_same_again(problem *self, const outcome *wanted, const char *what) {
    self->desc.threads = self->spec.threads;
    test_executor_init(&self->executor, self->spec.executor, self->spec.concurrency, self->spec.seed);
    problem_reset_outputs(self);
    run_and_compare(self, wanted, what);
}

START_TEST(results_do_not_depend_on_the_number_of_threads) {
    FOR_SHAPES(i) {
        problem_spec spec = on_case(shapes[i], _i);
        spec.threads = 1;
        problem *self = problem_create(&spec);
        problem_run_ok(self);
        outcome alone = problem_outcome(self);
        for (int32_t threads = 2; threads <= 7; threads += threads == 3 ? 4 : 1) {
            self->spec.threads = threads;
            self->spec.concurrency = threads;
            expect_same_again(self, &alone, "the number of threads");
        }
        outcome_destroy(&alone);
        problem_destroy(self);
    }
}
END_TEST

START_TEST(results_do_not_depend_on_the_executor) {
    static const int32_t concurrencies[] = {1, 3, 40, 7};
    FOR_SHAPES(i) {
        problem_spec spec = on_case(shapes[i], _i);
        spec.threads = 1;
        problem *self = problem_create(&spec);
        problem_run_ok(self);
        outcome alone = problem_outcome(self);
        for (int executor = EXECUTOR_PTHREAD; executor <= EXECUTOR_SHUFFLED; executor++) {
            for (int n = 0; n < 4; n++) {
                self->spec.executor = (executor_kind)executor;
                self->spec.concurrency = concurrencies[n];
                self->spec.form = n % 2 ? CALL_WORKSPACE : CALL_ONCE;
                /* Fewer threads than the executor has workers, too. */
                self->spec.threads = n < 3 ? 0 : 2;
                expect_same_again(self, &alone, "the executor");
            }
        }
        outcome_destroy(&alone);
        problem_destroy(self);
    }
}
END_TEST

START_TEST(results_do_not_depend_on_the_workers_that_a_workspace_lets_run) {
    FOR_SHAPES(i) {
        problem_spec spec = on_case(shapes[i], _i);
        spec.threads = 1;
        outcome alone = problem_solve(&spec);
        spec.threads = 0;
        spec.executor = EXECUTOR_SHUFFLED;
        spec.concurrency = 7;
        problem *self = problem_create(&spec);
        fovea_plan *plan = NULL;
        ck_assert_int_eq(fovea_plan_create(&self->desc, &plan), FOVEA_OK);
        for (int32_t workers = 1; workers <= 8; workers += 3) {
            self->args.workspace_size = fovea_plan_workspace_size(plan, workers);
            self->args.workspace = malloc(self->args.workspace_size);
            ck_assert_int_eq(fovea_execute(plan, &self->args, test_executor_get(&self->executor)), FOVEA_OK);
            const outcome actual = problem_outcome(self);
            if (!outcome_equal(&actual, &alone)) {
                problem_fail(self, "the result depends on the size of the workspace");
            }
            outcome_destroy((outcome[]){actual});
            free(self->args.workspace);
            problem_reset_outputs(self);
        }
        fovea_plan_destroy(plan);
        problem_destroy(self);
        outcome_destroy(&alone);
    }
}
END_TEST

START_TEST(two_runs_give_the_same_bits) {
    FOR_SHAPES(i) {
        const problem_spec spec = on_case(shapes[i], _i);
        outcome first = problem_solve(&spec);
        expect_same(&spec, &first, "the run");
        outcome_destroy(&first);
    }
}
END_TEST

/* A batch gives the bits that its entries give one by one, each left alone in the problem by `leave_only`. */
static void check_entries_alone(const problem_spec *spec, void (*leave_only)(problem *, int64_t), const char *failure) {
    problem *together = problem_create(spec);
    problem_run_ok(together);
    const outcome wanted = problem_outcome(together);
    problem *alone = problem_create(spec);
    const fovea_attention_args args = alone->args;
    for (int64_t b = 0; b < spec->batch; b++) {
        alone->args = args;
        leave_only(alone, b);
        problem_run_ok(alone);
    }
    const outcome actual = problem_outcome(alone);
    if (!outcome_equal(&wanted, &actual)) {
        problem_fail(alone, "%s", failure);
    }
    outcome_destroy((outcome[]){wanted});
    outcome_destroy((outcome[]){actual});
    problem_destroy(alone);
    problem_destroy(together);
}

/* Leaves of a problem only batch entry b. */
static void narrow_to_entry(problem *self, int64_t b) {
    fovea_attention_args *args = &self->args;
    const size_t index_size = self->key_lengths.element;
    self->desc.batch = 1;
    args->q = tensor_at(&self->q, b, 0, 0, 0);
    args->k = tensor_at(&self->k, b, 0, 0, 0);
    args->v = tensor_at(&self->v, b, 0, 0, 0);
    args->out = tensor_at(&self->out, b, 0, 0, 0);
    args->lse = self->lse.origin ? tensor_at(&self->lse, b, 0, 0, 0) : NULL;
    args->key_lengths = (const unsigned char *)self->key_lengths.origin + (size_t)b * index_size;
}

START_TEST(a_batch_entry_alone_gives_the_same_bits_as_in_its_batch) {
    static const int64_t query_lengths[] = {1, 3, 20, 200};
    for (int i = 0; i < 4; i++) {
        if (!test_takes(i, _i)) {
            continue;
        }
        const problem_spec spec = on_case(PROBLEM(.batch = 6, .heads_q = 4, .heads_kv = 2, .len_q = query_lengths[i],
                                                  .len_kv = 2500, .causal = 1, .inputs = FOVEA_INPUT_KEY_LENGTHS,
                                                  .outputs = FOVEA_OUTPUT_LSE, .concurrency = 3),
                                          _i);
        check_entries_alone(&spec, narrow_to_entry, "an entry's result depends on its batch");
    }
}
END_TEST

/* Leaves of a packed problem only sequence b, as a dense one. */
static void unpack_sequence(problem *self, int64_t b) {
    fovea_attention_args *args = &self->args;
    const int64_t row = tensor_get_index(&self->cu_seqlens_q, b, 0), key = tensor_get_index(&self->cu_seqlens_kv, b, 0);
    self->desc.batch = 1;
    self->desc.form_q = self->desc.form_kv = FOVEA_FORM_DENSE;
    args->cu_seqlens_q = args->cu_seqlens_kv = NULL;
    args->len_q = tensor_get_index(&self->cu_seqlens_q, b + 1, 0) - row;
    args->len_kv = tensor_get_index(&self->cu_seqlens_kv, b + 1, 0) - key;
    args->q = tensor_at(&self->q, 0, 0, row, 0);
    args->k = tensor_at(&self->k, 0, 0, key, 0);
    args->v = tensor_at(&self->v, 0, 0, key, 0);
    args->out = tensor_at(&self->out, 0, 0, row, 0);
    args->lse = tensor_at(&self->lse, 0, 0, row, 0);
}

START_TEST(a_packed_sequence_gives_the_same_bits_as_a_dense_call) {
    static const int64_t lengths[][2] = {{6, 20000}, {60, 9000}, {700, 700}};
    for (int i = 0; i < 3; i++) {
        if (!test_takes(i, _i)) {
            continue;
        }
        const problem_spec spec =
            on_case(PROBLEM(.seed = 5, .batch = 5, .heads_q = 4, .heads_kv = 2, .len_q = lengths[i][0],
                            .len_kv = lengths[i][1], .causal = 1, .form_q = FOVEA_FORM_PACKED,
                            .form_kv = FOVEA_FORM_PACKED, .outputs = FOVEA_OUTPUT_LSE, .concurrency = 3),
                    _i);
        check_entries_alone(&spec, unpack_sequence, "a sequence's result depends on its form");
    }
}
END_TEST

START_TEST(an_executor_is_called_at_most_twice_and_not_for_a_tiny_call) {
    FOR_SHAPES(i) {
        problem_spec spec = on_case(shapes[i], _i);
        spec.executor = EXECUTOR_SHUFFLED;
        spec.concurrency = 5;
        problem *self = problem_create(&spec);
        problem_run_ok(self);
        ck_assert_int_ge(self->executor.loops, 1);
        ck_assert_int_le(self->executor.loops, 2);
        problem_destroy(self);
    }
    const problem_spec tiny =
        on_case(PROBLEM(.len_kv = 16, .head_dim = 64, .executor = EXECUTOR_SHUFFLED, .concurrency = 8), _i);
    problem *self = problem_create(&tiny);
    problem_run_ok(self);
    ck_assert_int_eq(self->executor.loops, 0);
    problem_destroy(self);
}
END_TEST

START_TEST(one_thread_never_enters_the_executor) {
    FOR_SHAPES(i) {
        problem_spec spec = on_case(shapes[i], _i);
        spec.executor = EXECUTOR_SHUFFLED;
        spec.concurrency = 5;
        spec.threads = 1;
        problem *self = problem_create(&spec);
        problem_run_ok(self);
        ck_assert_int_eq(self->executor.loops, 0);
        problem_destroy(self);
    }
}
END_TEST

START_TEST(a_call_inside_an_openmp_region_gives_the_same_bits) {
    if (test_without_openmp()) {
        return;
    }
    FOR_SHAPES(i) {
        const problem_spec spec = on_case(shapes[i], _i);
        outcome alone = problem_solve(&spec);
        problem *inside[3];
        int failures = 0;
        for (int n = 0; n < 3; n++) {
            inside[n] = problem_create(&spec);
        }
#pragma omp parallel for num_threads(3) reduction(+ : failures)
        for (int n = 0; n < 3; n++) {
            failures += fovea_attention(&inside[n]->desc, &inside[n]->args, NULL) != FOVEA_OK;
        }
        ck_assert_int_eq(failures, 0);
        for (int n = 0; n < 3; n++) {
            const outcome actual = problem_outcome(inside[n]);
            if (!outcome_equal(&alone, &actual)) {
                problem_fail(inside[n], "the result depends on nesting");
            }
            outcome_destroy((outcome[]){actual});
            problem_destroy(inside[n]);
        }
        outcome_destroy(&alone);
    }
}
END_TEST

/* A host thread that shares a plan with others. */
typedef struct host {
    const fovea_plan *plan;
    problem *problem;
    const outcome *wanted;
    int failures;
    pthread_t thread;
} host;

static void *host_main(void *argument) {
    host *self = argument;
    for (int64_t round = test_scaled(4); round >= 0; round--) {
        problem_reset_outputs(self->problem);
        const fovea_executor *executor = test_executor_get(&self->problem->executor);
        self->failures += fovea_execute(self->plan, &self->problem->args, executor) != FOVEA_OK;
        outcome actual = problem_outcome(self->problem);
        self->failures += !outcome_equal(self->wanted, &actual);
        outcome_destroy(&actual);
    }
    return NULL;
}

START_TEST(many_host_threads_share_a_plan) {
    enum { HOSTS = 6 };
    FOR_SHAPES(i) {
        const problem_spec spec = on_case(shapes[i], _i);
        outcome wanted = problem_solve(&spec);
        host hosts[HOSTS];
        fovea_plan *plan = NULL;
        for (int n = 0; n < HOSTS; n++) {
            hosts[n] = (host){.problem = problem_create(&spec), .wanted = &wanted};
        }
        ck_assert_int_eq(fovea_plan_create(&hosts[0].problem->desc, &plan), FOVEA_OK);
        for (int n = 0; n < HOSTS; n++) {
            hosts[n].plan = plan;
            ck_assert_int_eq(pthread_create(&hosts[n].thread, NULL, host_main, &hosts[n]), 0);
        }
        for (int n = 0; n < HOSTS; n++) {
            pthread_join(hosts[n].thread, NULL);
            if (hosts[n].failures) {
                problem_fail(hosts[n].problem, "a call beside others failed or gave other bits");
            }
            problem_destroy(hosts[n].problem);
        }
        fovea_plan_destroy(plan);
        outcome_destroy(&wanted);
    }
}
END_TEST

/* Solves in a child process of this one; true if the child ends well with the wanted bits. */
static bool child_gives(const problem_spec *spec, const outcome *wanted) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        /* A hang ends by SIGALRM. */
        alarm(60);
        problem *self = problem_create(spec);
        const bool ok = problem_run(self) == FOVEA_OK;
        const outcome actual = problem_outcome(self);
        _exit(ok && outcome_equal(wanted, &actual) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

START_TEST(a_child_after_fork_computes_whether_or_not_the_parent_used_openmp) {
    if (test_without_openmp()) {
        return;
    }
    FOR_SHAPES(i) {
        problem_spec spec = on_case(shapes[i], _i);
        spec.threads = 1;
        outcome wanted = problem_solve(&spec);
        spec.threads = 2;
        /* In the first round, nobody has entered OpenMP before the fork. */
        ck_assert_msg(child_gives(&spec, &wanted), "before OpenMP was used");
        expect_same(&spec, &wanted, "the number of threads");
        ck_assert_msg(child_gives(&spec, &wanted), "after OpenMP was used");
        expect_same(&spec, &wanted, "a fork");
        outcome_destroy(&wanted);
    }
}
END_TEST

/* Solves under a floating-point mode of the calling thread, and checks that the call leaves it. */
static outcome solve_in_mode(const problem_spec *spec, uint64_t mode) {
    problem *self = problem_create(spec);
    const uint64_t own = fpmode_get();
    fpmode_set(mode);
    const fovea_status status = problem_run(self);
    const uint64_t after = fpmode_get();
    fpmode_set(own);
    ck_assert_int_eq(status, FOVEA_OK);
    ck_assert_msg(after == mode, "the caller's floating-point modes were changed");
    const outcome result = problem_outcome(self);
    problem_destroy(self);
    return result;
}

static uint64_t rounding_mode(int rounding) {
    const uint64_t own = fpmode_get();
    fesetround(rounding);
    const uint64_t mode = fpmode_get();
    fpmode_set(own);
    return mode;
}

START_TEST(workers_compute_in_the_callers_floating_point_modes_and_keep_their_own) {
    const uint64_t modes[] = {rounding_mode(FE_UPWARD), fpmode_get() | FPMODE_FLUSHES_DENORMALS};
    for (int mode = 0; mode < 2; mode++) {
        FOR_SHAPES(i) {
            problem_spec spec = on_case(shapes[i], _i);
            /* Values around the smallest normal number: some are flushed, if they are. */
            spec.value_range = mode == 1 ? 2e-38f : 1.0f;
            spec.threads = 1;
            outcome ordinary = problem_solve(&spec);
            outcome alone = solve_in_mode(&spec, modes[mode]);
            ck_assert_msg(spec.hostile || !outcome_equal(&ordinary, &alone), "shape %d: the mode changes nothing", i);
            for (int executor = EXECUTOR_DEFAULT; executor <= EXECUTOR_PTHREAD; executor++) {
                spec.executor = (executor_kind)executor;
                spec.threads = spec.concurrency = 3;
                outcome actual = solve_in_mode(&spec, modes[mode]);
                ck_assert_msg(outcome_equal(&alone, &actual), "shape %d: workers computed in another mode", i);
                outcome_destroy(&actual);
                expect_same(&spec, &ordinary, "modes of an earlier caller");
            }
            outcome_destroy(&ordinary);
            outcome_destroy(&alone);
        }
    }
}
END_TEST

Suite *threads_suite(void);

Suite *threads_suite(void) {
    Suite *suite = suite_create("threads");
    TCase *same = tcase_create("the same bits");
    ADD_FOR_CASES(same, results_do_not_depend_on_the_number_of_threads);
    ADD_FOR_CASES(same, results_do_not_depend_on_the_executor);
    ADD_FOR_CASES(same, results_do_not_depend_on_the_workers_that_a_workspace_lets_run);
    ADD_FOR_CASES(same, two_runs_give_the_same_bits);
    ADD_FOR_CASES(same, a_batch_entry_alone_gives_the_same_bits_as_in_its_batch);
    ADD_FOR_CASES(same, a_packed_sequence_gives_the_same_bits_as_a_dense_call);
    suite_add_tcase(suite, same);
    TCase *hosts = tcase_create("hosts");
    ADD_FOR_CASES(hosts, an_executor_is_called_at_most_twice_and_not_for_a_tiny_call);
    ADD_FOR_CASES(hosts, one_thread_never_enters_the_executor);
    ADD_FOR_CASES(hosts, a_call_inside_an_openmp_region_gives_the_same_bits);
    ADD_FOR_CASES(hosts, many_host_threads_share_a_plan);
    ADD_FOR_CASES(hosts, a_child_after_fork_computes_whether_or_not_the_parent_used_openmp);
    ADD_FOR_CASES(hosts, workers_compute_in_the_callers_floating_point_modes_and_keep_their_own);
    suite_add_tcase(suite, hosts);
    return suite;
}
