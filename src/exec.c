/* The only file that knows OpenMP. */
#include "src/exec.h"

#include <fenv.h>
#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>

/* libgomp's threads do not survive a fork: a parallel region in a child of a process that had one waits for them for
 * ever. Such a child computes on its calling thread. */
static atomic_int used_openmp;
static atomic_int forked_after_use;
static pthread_once_t fork_handler_once = PTHREAD_ONCE_INIT;

static void in_child(void) {
    if (atomic_load_explicit(&used_openmp, memory_order_relaxed))
        atomic_store_explicit(&forked_after_use, 1, memory_order_relaxed);
}

static void install_fork_handler(void) {
    pthread_atfork(NULL, NULL, in_child);
}

static int32_t openmp_threads(void) {
    return atomic_load_explicit(&forked_after_use, memory_order_relaxed) ? 1 : omp_get_max_threads();
}

int32_t fv_concurrency(const fovea_executor *executor, int32_t threads) {
    if (threads == 1)
        return 1;
    int32_t offered = executor ? executor->concurrency : openmp_threads();
    return threads > 0 && threads < offered ? threads : offered;
}

/* A task with the floating-point environment it must run in. */
typedef struct guarded_task {
    fovea_task task;
    void *context;
    fenv_t environment;
} guarded_task;

static void run_guarded(void *context, int64_t index, int32_t worker) {
    const guarded_task *guarded = context;
    fenv_t own;
    fegetenv(&own);
    fesetenv(&guarded->environment);
    guarded->task(guarded->context, index, worker);
    fesetenv(&own);
}

static void run_inline(int64_t tasks, fovea_task task, void *context) {
    for (int64_t index = 0; index < tasks; index++)
        task(context, index, 0);
}

static void run_openmp(int32_t workers, int64_t tasks, guarded_task *guarded) {
    pthread_once(&fork_handler_once, install_fork_handler);
    atomic_store_explicit(&used_openmp, 1, memory_order_relaxed);
#pragma omp parallel for schedule(dynamic, 1) num_threads(workers) default(none) firstprivate(tasks, guarded)
    for (int64_t index = 0; index < tasks; index++)
        run_guarded(guarded, index, omp_get_thread_num());
}

/* A loop over `tasks` for fewer workers than the executor has: one task a worker, which takes indices until none is
 * left. The worker number is then the task's own, whatever the executor calls its threads. */
typedef struct narrow_loop {
    guarded_task *guarded;
    int64_t tasks;
    atomic_int_fast64_t next;
} narrow_loop;

static void run_until_none_is_left(void *context, int64_t worker, int32_t executors_worker) {
    narrow_loop *loop = context;
    (void)executors_worker;
    for (int64_t index; (index = atomic_fetch_add_explicit(&loop->next, 1, memory_order_relaxed)) < loop->tasks;)
        run_guarded(loop->guarded, index, (int32_t)worker);
}

static void run_on(const fovea_executor *executor, int32_t workers, int64_t tasks, guarded_task *guarded) {
    if (executor->concurrency <= workers) {
        executor->parallel_for(executor->context, tasks, run_guarded, guarded);
        return;
    }
    narrow_loop loop = {.guarded = guarded, .tasks = tasks};
    executor->parallel_for(executor->context, workers < tasks ? workers : tasks, run_until_none_is_left, &loop);
}

void fv_parallel_for(const fovea_executor *executor, int32_t workers, int64_t tasks, fovea_task task, void *context) {
    if (workers == 1 || tasks <= 1) {
        run_inline(tasks, task, context);
        return;
    }
    guarded_task guarded = {.task = task, .context = context};
    fegetenv(&guarded.environment);
    if (executor)
        run_on(executor, workers, tasks, &guarded);
    else
        run_openmp(workers, tasks, &guarded);
}
