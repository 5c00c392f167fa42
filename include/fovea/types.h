/* Element types, and the two seams to the host program: its threads and its memory. */
#ifndef FOVEA_TYPES_H
#define FOVEA_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Type of the elements of a tensor. f16 is IEEE binary16, bf16 the upper half of binary32. */
typedef enum fovea_type {
    FOVEA_F32 = 0,
    FOVEA_F16 = 1,
    FOVEA_BF16 = 2,
    /* Symmetric, one f32 scale per (token, head); keys and values only. */
    FOVEA_INT8 = 3
} fovea_type;

/* Type of lengths, offsets and block tables. */
typedef enum fovea_index_type { FOVEA_INDEX_INT32 = 0, FOVEA_INDEX_INT64 = 1 } fovea_index_type;

/* One task of a parallel loop. `task_context` is opaque; `index` is in [0, tasks); `worker` is in [0, concurrency) and
 * no two tasks that run at the same time may carry the same one: it selects the scratch memory. */
typedef void (*fovea_task)(void *task_context, int64_t index, int32_t worker);

/* The host's thread pool. Where a function takes a `const fovea_executor *`, NULL means OpenMP.
 *
 * Results do not depend on the executor, on its concurrency or on the order of tasks, not even in the last bit. */
typedef struct fovea_executor {
    /* sizeof(fovea_executor). */
    size_t struct_size;
    /* Runs task(task_context, i, worker) exactly once for every i in [0, tasks), on any threads, in any order, and
     * returns only when all of them have returned, with their writes visible to the caller. Must not be NULL. Called a
     * few times in one fovea call, never concurrently with itself by the same call; not called at all for work that is
     * too small to share. Tasks never block on each other, so one thread may run them all. */
    void (*parallel_for)(void *context, int64_t tasks, fovea_task task, void *task_context);
    /* Passed to parallel_for; may be NULL. Owned by the host. */
    void *context;
    /* Number of workers, at least 1: worker numbers are below it. */
    int32_t concurrency;
} fovea_executor;

/* The host's memory. Where a descriptor holds `const fovea_allocator *`, NULL means aligned malloc and free.
 * The struct is copied; `context` must outlive the plan. Both functions may be called from any thread. */
typedef struct fovea_allocator {
    /* sizeof(fovea_allocator). */
    size_t struct_size;
    /* `size` bytes aligned to `alignment` (a power of two), or NULL when there is no memory. Must not be NULL. */
    void *(*allocate)(void *context, size_t size, size_t alignment);
    /* Gives back what allocate returned, with the same size. Never called with NULL. Must not be NULL. */
    void (*release)(void *context, void *memory, size_t size);
    /* Passed to both; may be NULL. Owned by the host. */
    void *context;
} fovea_allocator;

#ifdef __cplusplus
}
#endif
#endif
