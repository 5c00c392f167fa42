/* What a report says about the machine that it was made on. */
#ifndef FOVEA_BENCH_ENVIRONMENT_H
#define FOVEA_BENCH_ENVIRONMENT_H

#include <stdint.h>

#include "case.h"

typedef struct bench_environment {
    const char *version;
    /* With its family and model where the system tells them: names are often those of a family. */
    char cpu[96];
    char date[32];
    const char *pages;
    int32_t threads;
    /* Load average over the last minute: what else was running. */
    double load;
    /* Bytes per second on memory of the kind the cases use, and how. */
    double bandwidth;
    char pattern[96];
} bench_environment;

/* Asks, and measures the read bandwidth. */
bench_environment bench_environment_find(const bench_options *options);

/* The multiply-add peak of a backend's vectors in FLOP/s: the median of a few slices. */
double bench_environment_peak(const fv_backend *backend, const bench_options *options);

#endif
