/* The two clocks of the benchmarks, in seconds. */
#ifndef FOVEA_BENCH_CLOCK_H
#define FOVEA_BENCH_CLOCK_H

#include <time.h>

typedef enum bench_clock {
    /* CPU time of the calling thread: what other programs take on a shared machine does not count. */
    BENCH_CLOCK_THREAD = 0,
    /* Wall time: for work on several threads, and for work that waits for memory. */
    BENCH_CLOCK_WALL = 1
} bench_clock;

static inline double bench_now(bench_clock clock) {
    struct timespec time;
    clock_gettime(clock == BENCH_CLOCK_WALL ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
