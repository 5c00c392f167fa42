/* Measuring a case against its limit: probe, case, probe, over and over, so that whatever slows the machine down slows
 * both. Each round gives one ratio; the median of the ratios is the figure. */
#ifndef FOVEA_BENCH_MEASURE_H
#define FOVEA_BENCH_MEASURE_H

#include "case.h"
#include "statistics.h"

/* One round: seconds of one run of the case, and what the probes around it gave (0: not asked). */
typedef struct bench_round {
    double seconds;
    double peak;
    double bandwidth;
    double base_seconds;
    /* Other programs took the processor from a round in wall time. */
    int32_t disturbed;
} bench_round;

/* How a case is measured; found once, after it was opened. */
typedef struct bench_setup {
    const bench_probe *probe;
    int64_t probe_times;
    bench_read_pattern pattern;
    int64_t runs;
    int64_t base_runs;
    /* Undisturbed rounds that a table should take. */
    int32_t rounds;
} bench_setup;

typedef struct bench_result {
    /* Rounds that the figure rests on, and whether they were disturbed because there were too few others. */
    int32_t rounds;
    int32_t disturbed;
    bench_quartiles figure;
    /* Medians over the rounds; 0 where they do not apply. */
    double seconds;
    double peak;
    double bandwidth;
    double share_fma;
    double share_read;
} bench_result;

/* Steps of a slice of the multiply-add probe: a millisecond on one thread, several on more, for the system needs some
 * to give each a core of its own. The least when the run is a smoke test. */
int64_t bench_probe_times(const bench_probe *probe, int32_t threads, const bench_options *options);

/* Finds slice lengths and the best way to read; warms the case up. */
bench_setup bench_prepare(bench_case *item);

bench_round bench_measure_round(bench_case *item, const bench_setup *setup);

/* Sums up the undisturbed rounds, or all where too few are; count >= 1. Sorts the undisturbed ones to the front. */
bench_result bench_summarise(const bench_case *item, bench_round *rounds, int32_t count);

/* The unit of the figure: "% fma", "% read", "% base", "x", "ns", "slots". */
const char *bench_unit(bench_limit limit);

/* Non-zero if a smaller figure is better. */
int32_t bench_smaller_is_better(bench_limit limit);

#endif
