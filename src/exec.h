/* Running tasks on threads: OpenMP, the caller's executor, or the calling thread alone. */
#ifndef FOVEA_SRC_EXEC_H
#define FOVEA_SRC_EXEC_H

#include "fovea/types.h"

/* Workers that a call may use: `threads` (0: no wish) bounded by what the executor (NULL: OpenMP) offers; at least 1.
 */
int32_t fv_concurrency(const fovea_executor *executor, int32_t threads);

/* Runs task(context, index, worker) once for each index in [0, tasks), with worker < workers, and returns when all are
 * done. One worker or one task: on the calling thread, without the executor. Every task runs in the calling thread's
 * floating-point environment. */
void fv_parallel_for(const fovea_executor *executor, int32_t workers, int64_t tasks, fovea_task task, void *context);

#endif
