#include "progress.h"

#include <omp.h>
#include <stdatomic.h>
#include <stdio.h>

#include "clock.h"

/* Seconds before the line appears, and between two states of it. */
static const double patience = 1, interval = 0.1;

static void draw(progress *p, int64_t done, int64_t tasks) {
    enum { WIDTH = 40 };
    double now = clock_now(), elapsed = now - p->start, share = (double)done / (double)tasks;
    if (elapsed < patience || now - p->last_drawn < interval)
        return;
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++)
        bar[i] = (double)i < share * WIDTH ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%, %.0f s left ", bar, share * 100, elapsed * (1 - share) / share);
    fflush(stderr);
    p->last_drawn = now;
    p->drawn = true;
}

static void parallel_for(void *context, int64_t tasks, fovea_task task, void *task_context) {
    progress *p = context;
    _Atomic int64_t done = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(p->threads)
    for (int64_t i = 0; i < tasks; i++) {
        const int32_t worker = omp_get_thread_num();
        task(task_context, i, worker);
        int64_t finished = atomic_fetch_add(&done, 1) + 1;
        /* Only one thread draws, so that neither the line nor *p needs a lock. */
        if (worker == 0)
            draw(p, finished, tasks);
    }
}

void progress_begin(progress *p, int32_t threads) {
    const int32_t team = threads ? threads : omp_get_max_threads();
    /* The library keeps work for one worker to itself, where it could not be counted: so there are never fewer than
     * two, though one thread may run them all. */
    *p = (progress){
        .executor = {.struct_size = sizeof p->executor,
                     .parallel_for = parallel_for,
                     .context = p,
                     .concurrency = team > 1 ? team : 2},
        .threads = team,
        .start = clock_now(),
    };
}

void progress_end(progress *p) {
    if (p->drawn)
        fputs("\r\x1b[K", stderr);
}
