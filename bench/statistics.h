/* Order statistics: on a shared machine the mean says little. */
#ifndef FOVEA_BENCH_STATISTICS_H
#define FOVEA_BENCH_STATISTICS_H

#include <stdint.h>

typedef struct bench_quartiles {
    double lower;
    double median;
    double upper;
} bench_quartiles;

/* The quartiles of count >= 1 values, which it sorts; linear interpolation between neighbours. */
bench_quartiles bench_quartiles_of(double *values, int32_t count);

#endif
