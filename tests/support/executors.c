#include "executors.h"

#include <check.h>
#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fpmode.h"
#include "random.h"

bool test_without_openmp(void) {
    const char *text = getenv("FOVEA_TEST_EXECUTOR");
    return text && strcmp(text, "pthread") == 0;
}

/* One loop: what its workers share. */
typedef struct loop {
    int64_t tasks;
    fovea_task task;
    void *task_context;
    atomic_int_fast64_t next;
    atomic_bool environment_changed;
} loop;

typedef struct worker {
    loop *shared;
    int32_t number;
    pthread_t thread;
} worker;

static void *worker_main(void *argument) {
    const worker *self = argument;
    loop *shared = self->shared;
    const uint64_t mode = fpmode_get();
    for (;;) {
        const int64_t index = atomic_fetch_add(&shared->next, 1);
        if (index >= shared->tasks) {
            break;
        }
        shared->task(shared->task_context, index, self->number);
        if (fpmode_get() != mode) {
            atomic_store(&shared->environment_changed, true);
        }
    }
    return NULL;
}

static void run_on_threads(test_executor *self, int64_t tasks, fovea_task task, void *task_context) {
    enum { MOST = 64 };
    worker workers[MOST];
    loop shared = {.tasks = tasks, .task = task, .task_context = task_context};
    const int32_t count = self->executor.concurrency < MOST ? self->executor.concurrency : MOST;
    /* A new thread inherits its creator's environment: give it the default one, as a pool made early would have. */
    const uint64_t host = fpmode_get();
    fesetenv(FE_DFL_ENV);
    for (int32_t i = 0; i < count; i++) {
        workers[i] = (worker){.shared = &shared, .number = i};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]), 0);
    }
    for (int32_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    fpmode_set(host);
    if (atomic_load(&shared.environment_changed)) {
        self->environment_changed = true;
    }
}

static void run_shuffled(test_executor *self, int64_t tasks, fovea_task task, void *task_context) {
    test_random random = test_random_seeded(self->seed++);
    int64_t *order = malloc((size_t)(tasks > 0 ? tasks : 1) * sizeof *order);
    ck_assert_ptr_nonnull(order);
    for (int64_t i = 0; i < tasks; i++) {
        const int64_t j = random_between(&random, 0, i);
        order[i] = order[j];
        order[j] = i;
    }
    for (int64_t i = 0; i < tasks; i++) {
        task(task_context, order[i], (int32_t)random_between(&random, 0, self->executor.concurrency - 1));
    }
    free(order);
}

static void parallel_for(void *context, int64_t tasks, fovea_task task, void *task_context) {
    test_executor *self = context;
    if (self->running++ > 0) {
        self->nested = true;
    }
    self->loops++;
    if (self->kind == EXECUTOR_SHUFFLED) {
        run_shuffled(self, tasks, task, task_context);
    } else {
        run_on_threads(self, tasks, task, task_context);
    }
    self->running--;
}

void test_executor_init(test_executor *self, executor_kind kind, int32_t concurrency, uint64_t seed) {
    if (kind == EXECUTOR_DEFAULT && test_without_openmp()) {
        kind = EXECUTOR_PTHREAD;
    }
    *self = (test_executor){.kind = kind, .seed = seed};
    self->executor = (fovea_executor){
        .struct_size = sizeof self->executor,
        .parallel_for = parallel_for,
        .context = self,
        .concurrency = concurrency,
    };
}

const fovea_executor *test_executor_get(const test_executor *self) {
    return self->kind == EXECUTOR_DEFAULT ? NULL : &self->executor;
}
