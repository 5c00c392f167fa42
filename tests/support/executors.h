/* Thread pools of three kinds, to show that results do not depend on who runs the tasks. */
#ifndef FOVEA_TESTS_EXECUTORS_H
#define FOVEA_TESTS_EXECUTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/types.h"

typedef enum executor_kind {
    /* OpenMP, or what FOVEA_TEST_EXECUTOR=pthread says. */
    EXECUTOR_DEFAULT = 0,
    /* One new POSIX thread a worker. */
    EXECUTOR_PTHREAD,
    /* The calling thread runs the tasks in random order with random worker numbers. */
    EXECUTOR_SHUFFLED
} executor_kind;

typedef struct test_executor {
    fovea_executor executor;
    executor_kind kind;
    uint64_t seed;
    /* Filled by the tasks' thread: a worker left the floating-point environment changed; a loop ran inside another. */
    bool environment_changed;
    bool nested;
    int32_t running;
    /* Calls of parallel_for so far. */
    int32_t loops;
} test_executor;

/* Prepares *self; the executor that it holds points back to it. */
void test_executor_init(test_executor *self, executor_kind kind, int32_t concurrency, uint64_t seed);

/* What to pass to fovea: NULL for OpenMP. */
const fovea_executor *test_executor_get(const test_executor *self);

/* True if FOVEA_TEST_EXECUTOR=pthread: OpenMP must not be entered (gcc's TSan misreads libgomp). */
bool test_without_openmp(void);

#endif
