#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

static const double slice_seconds = 5e-3;
static const double probe_seconds = 1e-3;
static const double shared_probe_seconds = 6e-3;

/* Rounds by the length of a slice. */
enum { ROUNDS = 11, LONG_ROUNDS = 5, LONGEST_ROUNDS = 3, READ_ROUNDS = 3 };

/* Fewer undisturbed rounds than this are no better than all of them. */
enum { LEAST_QUIET = 3 };

/* Daemons preempt a thread now and then for microseconds; a program that wants the processor does so for milliseconds,
 * hundreds of times a second. */
static const double preemptions_per_second = 20.0;

static int32_t has_base(bench_limit limit) {
    return limit == BENCH_LIMIT_BASE || limit == BENCH_LIMIT_SPEEDUP || limit == BENCH_LIMIT_COPY;
}

static int32_t has_peak(bench_limit limit) {
    return limit == BENCH_LIMIT_FMA || limit == BENCH_LIMIT_READ || limit == BENCH_LIMIT_SLOTS;
}

static double timed(bench_case *item, void (*run)(bench_case *, int64_t), int64_t times) {
    const double start = bench_now(item->clock);
    run(item, times);
    return bench_now(item->clock) - start;
}

typedef struct slice {
    int64_t runs;
    double seconds;
} slice;

/* A slice: the number of runs is doubled until its time can be trusted. The first run only warms up, unless it is so
 * long that caches do not matter. */
static slice find_slice(bench_case *item, void (*run)(bench_case *, int64_t)) {
    double seconds = timed(item, run, 1);
    int64_t runs = 1;
    while (seconds < 10 * slice_seconds) {
        seconds = timed(item, run, runs);
        if (seconds > slice_seconds / 4)
            break;
        runs *= 2;
    }
    const double needed = fmax(1.0, ceil((double)runs * slice_seconds / seconds));
    return (slice){(int64_t)needed, seconds / (double)runs * needed};
}

static int32_t rounds_for(double seconds) {
    if (seconds > 2.0)
        return LONGEST_ROUNDS;
    return seconds > 0.5 ? LONG_ROUNDS : ROUNDS;
}

static long preemptions(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

int64_t bench_probe_times(const bench_probe *probe, int32_t threads, const bench_options *options) {
    if (options->smoke)
        return 1;
    const double wanted = threads > 1 ? shared_probe_seconds : probe_seconds;
    int64_t times = 1000;
    double seconds = 0.0;
    while (seconds < wanted / 4) {
        times *= 2;
        const double start = bench_now(BENCH_CLOCK_THREAD);
        probe->multiply_add(times);
        seconds = bench_now(BENCH_CLOCK_THREAD) - start;
    }
    return (int64_t)((double)times * wanted / seconds) + 1;
}

bench_setup bench_prepare(bench_case *item) {
    const int32_t smoke = item->options->smoke;
    bench_setup setup = {.probe = bench_probe_for(item->backend), .runs = 1, .base_runs = 1, .rounds = 1};
    setup.probe_times = bench_probe_times(setup.probe, item->threads, item->options);
    if (item->limit == BENCH_LIMIT_READ)
        setup.pattern = bench_read_best(&item->regions, item->threads, smoke ? 1 : READ_ROUNDS);
    if (smoke)
        return setup;

    const slice subject = find_slice(item, item->type->run);
    setup.runs = subject.runs;
    setup.rounds = rounds_for(subject.seconds);
    if (has_base(item->limit))
        setup.base_runs = find_slice(item, item->type->run_base).runs;
    return setup;
}

/* What a round compares with, before or after the case. */
typedef struct surroundings {
    double peak;
    double bandwidth;
    double base_seconds;
} surroundings;

static surroundings measure_surroundings(bench_case *item, const bench_setup *setup) {
    surroundings found = {0};
    if (has_peak(item->limit))
        found.peak = bench_multiply_add_rate(setup->probe, item->threads, setup->probe_times, item->clock);
    if (item->limit == BENCH_LIMIT_READ)
        found.bandwidth = bench_read_rate(&setup->pattern, &item->regions, item->threads);
    if (has_base(item->limit))
        found.base_seconds = timed(item, item->type->run_base, setup->base_runs) / (double)setup->base_runs;
    return found;
}

bench_round bench_measure_round(bench_case *item, const bench_setup *setup) {
    const long preemptions_before = preemptions();
    const double start = bench_now(BENCH_CLOCK_WALL);
    const surroundings before = measure_surroundings(item, setup);
    const double seconds = timed(item, item->type->run, setup->runs) / (double)setup->runs;
    const surroundings after = measure_surroundings(item, setup);
    const double bearable = 1.0 + preemptions_per_second * (bench_now(BENCH_CLOCK_WALL) - start);
    const int32_t disturbed = (double)(preemptions() - preemptions_before) > bearable;
    return (bench_round){
        .seconds = seconds,
        .peak = (before.peak + after.peak) / 2,
        .bandwidth = (before.bandwidth + after.bandwidth) / 2,
        .base_seconds = (before.base_seconds + after.base_seconds) / 2,
        /* CPU time does not run while others do. */
        .disturbed = item->clock == BENCH_CLOCK_WALL && disturbed,
    };
}

static double share(double work, double seconds, double rate) {
    return rate > 0.0 ? work / seconds / rate : 0.0;
}

static double figure_of(const bench_case *item, const bench_round *round) {
    const double fma = share(item->flops, round->seconds, round->peak);
    switch (item->limit) {
    case BENCH_LIMIT_FMA:
        return 100.0 * fma;
    case BENCH_LIMIT_READ:
        return 100.0 * fmax(fma, share(item->bytes, round->seconds, round->bandwidth));
    case BENCH_LIMIT_BASE:
        return 100.0 * (item->flops / round->seconds) / (item->base_flops / round->base_seconds);
    case BENCH_LIMIT_SPEEDUP:
        return (item->flops / round->seconds) / (item->base_flops / round->base_seconds);
    case BENCH_LIMIT_COPY:
        return 100.0 * (item->bytes / round->seconds) / (item->base_bytes / round->base_seconds);
    case BENCH_LIMIT_LATENCY:
        return 1e9 * round->seconds;
    case BENCH_LIMIT_SLOTS:
        /* Two FLOP an element of a multiply-add: the number of lanes cancels. */
        return round->seconds * round->peak / 2.0 / item->elements;
    }
    return 0.0;
}

typedef double (*round_value)(const bench_case *item, const bench_round *round);

static double seconds_of(const bench_case *item, const bench_round *round) {
    (void)item;
    return round->seconds;
}

static double peak_of(const bench_case *item, const bench_round *round) {
    (void)item;
    return round->peak;
}

static double bandwidth_of(const bench_case *item, const bench_round *round) {
    (void)item;
    return round->bandwidth;
}

static double share_fma_of(const bench_case *item, const bench_round *round) {
    return share(item->flops, round->seconds, round->peak);
}

static double share_read_of(const bench_case *item, const bench_round *round) {
    return share(item->bytes, round->seconds, round->bandwidth);
}

static bench_quartiles quartiles_over(const bench_case *item, const bench_round *rounds, int32_t count, double *scratch,
                                      round_value value) {
    for (int32_t i = 0; i < count; i++)
        scratch[i] = value(item, &rounds[i]);
    return bench_quartiles_of(scratch, count);
}

bench_result bench_summarise(const bench_case *item, bench_round *rounds, int32_t count) {
    int32_t quiet = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!rounds[i].disturbed) {
            const bench_round moved = rounds[quiet];
            rounds[quiet++] = rounds[i];
            rounds[i] = moved;
        }
    }
    const int32_t disturbed = quiet < count && quiet < LEAST_QUIET;
    const int32_t used = disturbed ? count : quiet;
    double *scratch = malloc((size_t)used * sizeof *scratch);
    if (!scratch)
        abort();
    const bench_result result = {
        .rounds = used,
        .disturbed = disturbed,
        .figure = quartiles_over(item, rounds, used, scratch, figure_of),
        .seconds = quartiles_over(item, rounds, used, scratch, seconds_of).median,
        .peak = quartiles_over(item, rounds, used, scratch, peak_of).median,
        .bandwidth = quartiles_over(item, rounds, used, scratch, bandwidth_of).median,
        .share_fma = quartiles_over(item, rounds, used, scratch, share_fma_of).median,
        .share_read = quartiles_over(item, rounds, used, scratch, share_read_of).median,
    };
    free(scratch);
    return result;
}

const char *bench_unit(bench_limit limit) {
    switch (limit) {
    case BENCH_LIMIT_FMA:
        return "% fma";
    case BENCH_LIMIT_READ:
        return "% read";
    case BENCH_LIMIT_BASE:
        return "% base";
    case BENCH_LIMIT_SPEEDUP:
        return "x";
    case BENCH_LIMIT_COPY:
        return "% copy";
    case BENCH_LIMIT_LATENCY:
        return "ns";
    case BENCH_LIMIT_SLOTS:
        return "slots";
    }
    return "";
}

int32_t bench_smaller_is_better(bench_limit limit) {
    return limit == BENCH_LIMIT_LATENCY || limit == BENCH_LIMIT_SLOTS;
}
