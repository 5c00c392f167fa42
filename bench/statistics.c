#include "statistics.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int32_t count, double q) {
    const double position = q * (count - 1);
    const int32_t below = (int32_t)position;
    const int32_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

bench_quartiles bench_quartiles_of(double *values, int32_t count) {
    qsort(values, (size_t)count, sizeof values[0], ascending);
    return (bench_quartiles){quantile(values, count, 0.25), quantile(values, count, 0.5),
                             quantile(values, count, 0.75)};
}
