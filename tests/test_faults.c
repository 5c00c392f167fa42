/* What the world may do to a call: refuse memory at any point, give it a tiny stack, interrupt it, start it from many
 * threads at once. The call answers with a status, or does not notice. */
#include <check.h>
#include <dirent.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "fovea/fovea.h"
#include "support/append_case.h"
#include "support/backends.h"
#include "support/problem.h"

/* Every path through the library: panels, pairs, rows, split keys, each kind of term, output and stored type. */
static const problem_spec paths[] = {
    PROBLEM_FIELDS(.heads_q = 3, .heads_kv = 3, .len_q = 150, .len_kv = 150, .causal = 1, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.heads_q = 4, .heads_kv = 2, .len_q = 1, .len_kv = 3000, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.heads_q = 2, .len_q = 70, .len_kv = 1500, .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16,
                   .type_out = FOVEA_BF16, .head_dim = 64, .head_dim_v = 64),
    PROBLEM_FIELDS(.heads_q = 2, .len_q = 40, .len_kv = 300, .type_q = FOVEA_F16, .type_kv = FOVEA_F16, .softcap = 9,
                   .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS, .head_dim = 300, .head_dim_v = 260),
    PROBLEM_FIELDS(.heads_q = 8, .len_q = 2, .len_kv = 2500, .type_kv = FOVEA_INT8,
                   .inputs = FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS),
    PROBLEM_FIELDS(.heads_q = 8, .len_q = 1, .len_kv = 2500, .type_kv = FOVEA_INT8, .head_dim = 48, .head_dim_v = 48),
    PROBLEM_FIELDS(.heads_q = 1, .len_q = 1, .len_kv = 2500, .type_kv = FOVEA_INT8, .head_dim = 128, .head_dim_v = 128),
    PROBLEM_FIELDS(.heads_q = 6, .len_q = 1, .len_kv = 2500, .type_kv = FOVEA_INT8, .head_dim = 128, .head_dim_v = 128,
                   .hostile = 3),
    PROBLEM_FIELDS(.heads_q = 7, .len_q = 1, .len_kv = 2496, .type_kv = FOVEA_INT8, .head_dim = 48, .head_dim_v = 48,
                   .form_kv = FOVEA_FORM_PAGED, .page_size = 16, .inputs = FOVEA_INPUT_MASK),
    PROBLEM_FIELDS(.batch = 2, .len_q = 50, .len_kv = 200, .type_kv = FOVEA_INT8, .causal = 1,
                   .weights = FOVEA_WEIGHTS_PROBABILITIES, .outputs = FOVEA_OUTPUT_LSE),
    PROBLEM_FIELDS(.heads_q = 4, .heads_kv = 2, .len_q = 3, .len_kv = 400, .weights = FOVEA_WEIGHTS_MEAN_PROBABILITIES,
                   .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_ALIBI | FOVEA_INPUT_SINKS),
    PROBLEM_FIELDS(.heads_q = 4, .heads_kv = 2, .len_q = 60, .len_kv = 90, .weights = FOVEA_WEIGHTS_MASKED_SCORES,
                   .inputs = FOVEA_INPUT_BIAS | FOVEA_INPUT_ALIBI | FOVEA_INPUT_SINKS, .has_window_left = 1,
                   .window_left = 30),
};
enum { PATHS = sizeof paths / sizeof *paths };

/* Those of this case. */
#define FOR_PATHS(i)                \
    for (int i = 0; i < PATHS; i++) \
        if (test_takes(i, _i))

/* --- Memory --- */

/* Refuses the allocation numbered `fails`, from 0, and all that follow. */
typedef struct scarcity {
    int64_t fails, calls, live;
} scarcity;

static void *allocate_scarcely(void *context, size_t size, size_t alignment) {
    scarcity *self = context;
    void *memory = NULL;
    if (self->calls++ >= self->fails || posix_memalign(&memory, alignment, size) != 0) {
        return NULL;
    }
    self->live++;
    return memory;
}

static void release(void *context, void *memory, size_t size) {
    scarcity *self = context;
    (void)size;
    self->live--;
    free(memory);
}

/* With the n-th allocation refused, for all n: nothing is written or kept, and the status says why. Returns how many a
 * call makes that is refused none. */
static int64_t sweep(problem *self) {
    const outcome untouched = problem_outcome(self);
    scarcity memory = {0};
    const fovea_allocator allocator = {sizeof allocator, allocate_scarcely, release, &memory};
    self->desc.allocator = &allocator;
    while (problem_run(self) != FOVEA_OK) {
        outcome after = problem_outcome(self);
        ck_assert_ptr_nonnull(strstr(fovea_last_reason(), "memory"));
        ck_assert_int_eq(memory.live, 0);
        ck_assert_int_eq(memory.calls, memory.fails + 1);
        ck_assert_msg(outcome_equal(&untouched, &after), "the output was written to");
        outcome_destroy(&after);
        memory = (scarcity){.fails = memory.fails + 1};
    }
    ck_assert_int_eq(memory.live, 0);
    problem_compare(self);
    outcome_destroy((outcome[]){untouched});
    self->desc.allocator = NULL;
    return memory.calls;
}

START_TEST(refused_allocations_are_reported_and_leave_nothing) {
    /* By call form: the scratch; the plan and the scratch; the plan. */
    static const int64_t allocations[] = {1, 2, 1};
    FOR_PATHS(i) {
        for (int form = CALL_ONCE; form <= CALL_WORKSPACE; form++) {
            problem_spec spec = on_case(paths[i], _i);
            spec.form = (call_form)form;
            problem *self = problem_create(&spec);
            ck_assert_int_eq(sweep(self), allocations[form]);
            problem_destroy(self);
        }
    }
}
END_TEST

/* --- Threads that are not there --- */

static int64_t thread_count(void) {
    DIR *tasks = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(tasks);
    int64_t count = 0;
    while (readdir(tasks)) {
        count++;
    }
    closedir(tasks);
    return count;
}

/* OpenMP's runtime keeps the threads that it ever made: none were. Where threads are refused to it, it ends the
 * process, so that a host which must survive that relies on these two ways. */
START_TEST(one_thread_and_a_callers_executor_never_enter_openmp) {
    omp_set_num_threads(2);
    const int64_t before = thread_count();
    FOR_PATHS(i) {
        problem_spec spec = on_case(paths[i], _i);
        spec.threads = 1;
        outcome_destroy((outcome[]){problem_solve(&spec)});
        ck_assert_int_eq(thread_count(), before);
        spec.threads = 0;
        spec.executor = EXECUTOR_SHUFFLED;
        outcome_destroy((outcome[]){problem_solve(&spec)});
        ck_assert_int_eq(thread_count(), before);
    }
    if (!test_without_openmp()) {
        const problem_spec spec = on_case(PROBLEM(.heads_q = 2, .len_q = 200, .len_kv = 200), _i);
        outcome_destroy((outcome[]){problem_solve(&spec)});
        ck_assert_int_gt(thread_count(), before);
    }
}
END_TEST

/* --- Stacks --- */

/* What a small host thread has, or the least that the system gives (128 KiB on AArch64). Sanitizers put much around
 * each variable. */
enum { SMALL_STACK = 64 << 10, STACK_WITH_SANITIZER = 1 << 20 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

static size_t small_stack(void) {
    const long least = sysconf(_SC_THREAD_STACK_MIN);
    const size_t wanted = SANITIZED ? STACK_WITH_SANITIZER : SMALL_STACK;
    return least > (long)wanted ? (size_t)least : wanted;
}

/* Runs a function on a thread with a small stack, below which no page can be touched. */
static void *run_on_small_stack(void *(*function)(void *), void *argument) {
    const size_t size = small_stack();
    guarded stack = guarded_create(size, test_page_size(), GUARD_BEFORE);
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
    pthread_attr_init(&attributes);
    ck_assert_int_eq(pthread_attr_setstack(&attributes, stack.data, size), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, function, argument), 0);
    pthread_join(thread, &result);
    pthread_attr_destroy(&attributes);
    guarded_destroy(&stack);
    return result;
}

static const char *const failed = "failed";

static void *plan_and_execute(void *argument) {
    problem *self = argument;
    fovea_plan *plan = NULL;
    fovea_status status = fovea_plan_create(&self->desc, &plan);
    if (status == FOVEA_OK) {
        char text[64];
        fovea_plan_describe(plan, text, sizeof text);
        status = fovea_execute(plan, &self->args, &self->executor.executor);
    }
    fovea_plan_destroy(plan);
    if (status == FOVEA_OK) {
        status = fovea_attention(&self->desc, &self->args, NULL);
    }
    return status == FOVEA_OK ? NULL : (void *)(uintptr_t)failed;
}

START_TEST(a_stack_of_64_kilobytes_is_enough_for_every_path) {
    FOR_PATHS(i) {
        problem_spec spec = on_case(paths[i], _i);
        spec.threads = 1;
        problem *self = problem_create(&spec);
        ck_assert_ptr_null(run_on_small_stack(plan_and_execute, self));
        problem_compare(self);
        problem_destroy(self);
    }
}
END_TEST

static void *merge(void *argument) {
    return fovea_merge(argument, NULL) == FOVEA_OK ? NULL : (void *)(uintptr_t)failed;
}

START_TEST(a_stack_of_64_kilobytes_is_enough_to_merge) {
    enum { LEN = 3, DIM = 100, PARTS = 50 };
    static float part[LEN * DIM], lse[LEN], out[LEN * DIM];
    const float *parts[PARTS], *lses[PARTS];
    for (int i = 0; i < PARTS; i++) {
        parts[i] = part;
        lses[i] = lse;
    }
    for (int i = 0; i < LEN * DIM; i++) {
        part[i] = (float)i;
    }
    fovea_merge_args args = {.struct_size = sizeof args,
                             .parts = PARTS,
                             .batch = 1,
                             .heads = 1,
                             .len = LEN,
                             .head_dim_v = DIM,
                             .part_out = parts,
                             .part_out_strides = {0, 0, DIM, 1},
                             .part_lse = lses,
                             .part_lse_strides = {0, 0, 1},
                             .out = out,
                             .out_strides = {0, 0, DIM, 1},
                             .threads = 1};
    ck_assert_ptr_null(run_on_small_stack(merge, &args));
    for (int i = 0; i < LEN * DIM; i++) {
        ck_assert_float_eq_tol(out[i], part[i], 1e-3f);
    }
}
END_TEST

static void *append(void *argument) {
    append_case *self = argument;
    self->args.threads = 1;
    return append_run(self, NULL) == FOVEA_OK ? NULL : (void *)(uintptr_t)failed;
}

START_TEST(a_stack_of_64_kilobytes_is_enough_to_append) {
    test_random random = test_random_named("stacks", _i);
    for (int64_t i = test_scaled(30); i > 0; i--) {
        const append_spec spec = append_random(&random, 20, backend_at(_i)->isa);
        append_case *self = append_create(&spec, &random);
        ck_assert_msg(run_on_small_stack(append, self) == NULL, "%s", fovea_last_reason());
        append_check(self);
        append_destroy(self);
    }
}
END_TEST

/* --- Signals --- */

static atomic_int signals;

/* Uses the registers that the interrupted call holds its numbers in. */
static void on_signal(int number) {
    (void)number;
    atomic_fetch_add_explicit(&signals, 1, memory_order_relaxed);
    volatile double clobbered = 1;
    for (int i = 0; i < 20; i++) {
        clobbered = clobbered * 1.0000001 + 1e-9;
    }
}

START_TEST(signals_during_a_call_change_nothing) {
    enum { MICROSECONDS = 300, WANTED = 30, MOST_CALLS = 10000 };
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    const struct itimerval often = {{0, MICROSECONDS}, {0, MICROSECONDS}}, never = {{0, 0}, {0, 0}};
    FOR_PATHS(i) {
        const problem_spec spec = on_case(paths[i], _i);
        problem *self = problem_create(&spec);
        problem_run_ok(self);
        outcome quiet = problem_outcome(self);
        signals = 0;
        setitimer(ITIMER_REAL, &often, NULL);
        for (int calls = 0; signals < WANTED && calls < MOST_CALLS; calls++) {
            problem_reset_outputs(self);
            problem_run_ok(self);
            outcome disturbed = problem_outcome(self);
            ck_assert_msg(outcome_equal(&quiet, &disturbed), "path %d: a signal changed the result", i);
            outcome_destroy(&disturbed);
        }
        setitimer(ITIMER_REAL, &never, NULL);
        ck_assert_int_gt(signals, 0);
        outcome_destroy(&quiet);
        problem_destroy(self);
    }
    signal(SIGALRM, SIG_DFL);
}
END_TEST

/* --- Many threads at once --- */

enum { HOSTS = 64 };

/* A thread of the host, which uses a plan that others use at the same time. */
typedef struct host {
    const fovea_plan *plan;
    problem *problem;
    const outcome *wanted;
    pthread_barrier_t *start;
    bool ok;
    pthread_t thread;
} host;

static void *host_main(void *argument) {
    host *self = argument;
    pthread_barrier_wait(self->start);
    self->ok = true;
    for (int round = 0; round < 2; round++) {
        self->ok = self->ok && fovea_execute(self->plan, &self->problem->args,
                                             test_executor_get(&self->problem->executor)) == FOVEA_OK;
        outcome actual = problem_outcome(self->problem);
        self->ok = self->ok && outcome_equal(self->wanted, &actual);
        outcome_destroy(&actual);
        problem_reset_outputs(self->problem);
    }
    return NULL;
}

START_TEST(sixty_four_host_threads_share_plans) {
    host hosts[HOSTS];
    outcome wanted[PATHS];
    fovea_plan *plans[PATHS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, HOSTS);
    for (int i = 0; i < PATHS; i++) {
        const problem_spec spec = on_case(paths[i], _i);
        problem *self = problem_create(&spec);
        wanted[i] = problem_solve(&spec);
        ck_assert_int_eq(fovea_plan_create(&self->desc, &plans[i]), FOVEA_OK);
        problem_destroy(self);
    }
    for (int n = 0; n < HOSTS; n++) {
        problem_spec spec = on_case(paths[n % PATHS], _i);
        spec.executor = n % 3 == 0 ? EXECUTOR_SHUFFLED : n % 3 == 1 ? EXECUTOR_PTHREAD : EXECUTOR_DEFAULT;
        hosts[n] = (host){
            .plan = plans[n % PATHS], .problem = problem_create(&spec), .wanted = &wanted[n % PATHS], .start = &start};
        ck_assert_int_eq(pthread_create(&hosts[n].thread, NULL, host_main, &hosts[n]), 0);
    }
    for (int n = 0; n < HOSTS; n++) {
        pthread_join(hosts[n].thread, NULL);
        ck_assert_msg(hosts[n].ok, "host %d", n);
        problem_destroy(hosts[n].problem);
    }
    for (int i = 0; i < PATHS; i++) {
        fovea_plan_destroy(plans[i]);
        outcome_destroy(&wanted[i]);
    }
    pthread_barrier_destroy(&start);
}
END_TEST

Suite *faults_suite(void);

Suite *faults_suite(void) {
    Suite *suite = suite_create("faults");
    TCase *tcase = tcase_create("every backend and exponential");
    ADD_FOR_CASES(tcase, refused_allocations_are_reported_and_leave_nothing);
    ADD_FOR_CASES(tcase, one_thread_and_a_callers_executor_never_enter_openmp);
    ADD_FOR_CASES(tcase, a_stack_of_64_kilobytes_is_enough_for_every_path);
    ADD_FOR_BACKENDS(tcase, a_stack_of_64_kilobytes_is_enough_to_append);
    tcase_add_test(tcase, a_stack_of_64_kilobytes_is_enough_to_merge);
    ADD_FOR_CASES(tcase, signals_during_a_call_change_nothing);
    ADD_FOR_BACKENDS(tcase, sixty_four_host_threads_share_plans);
    suite_add_tcase(suite, tcase);
    return suite;
}
