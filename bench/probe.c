#include "probe.h"

#include <stdio.h>

#include "arch/cpu.h"
#include "statistics.h"

/* From narrow to wide. */
static const bench_probe *const probes[] = {
    &bench_probe_baseline,
#if defined(__x86_64__)
    &bench_probe_avx2,
    &bench_probe_avx512,
#elif defined(__aarch64__)
    &bench_probe_neon,
#endif
};

/* Streams and prefetch distances that have each been the best on some machine. */
static const struct {
    size_t chunk;
    size_t ahead;
} layouts[] = {
    {0, 0},      {0, 2048}, {0, 4096},    {256, 0},     {256, 2048},
    {256, 4096}, {4096, 0}, {4096, 2048}, {4096, 4096}, {BENCH_PIECES, 0},
};

enum { PROBES = sizeof probes / sizeof probes[0], LAYOUTS = sizeof layouts / sizeof layouts[0], MAX_ROUNDS = 15 };

const bench_probe *bench_probe_for(const fv_backend *backend) {
    switch (backend->isa) {
#if defined(__x86_64__)
    case FOVEA_ISA_AVX2:
        return &bench_probe_avx2;
    case FOVEA_ISA_AVX512:
    case FOVEA_ISA_AVX512VNNI:
    case FOVEA_ISA_AVX512BF16:
    case FOVEA_ISA_AMXBF16:
        return &bench_probe_avx512;
#elif defined(__aarch64__)
    case FOVEA_ISA_NEON:
        return &bench_probe_neon;
#endif
    default:
        return &bench_probe_baseline;
    }
}

const bench_probe *bench_probe_widest(void) {
    const uint32_t features = fv_cpu_detect();
    const bench_probe *widest = probes[0];
    for (int32_t i = 1; i < PROBES; i++)
        if ((probes[i]->features & ~features) == 0)
            widest = probes[i];
    return widest;
}

double bench_multiply_add_rate(const bench_probe *probe, int32_t threads, int64_t times, bench_clock clock) {
    const double start = bench_now(clock);
    if (threads == 1) {
        probe->multiply_add(times);
    } else {
#pragma omp parallel num_threads(threads)
        probe->multiply_add(times);
    }
    const double seconds = bench_now(clock) - start;
    return 2.0 * probe->lanes * probe->chains * (double)times * threads / seconds;
}

double bench_read_rate(const bench_read_pattern *pattern, const bench_regions *regions, int32_t threads) {
    const size_t share = regions->bytes / (size_t)threads / 4096 * 4096;
    const double start = bench_now(BENCH_CLOCK_WALL);
    if (threads == 1) {
        pattern->probe->read(regions->a, regions->b, share, pattern->chunk, pattern->ahead);
    } else {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (int32_t i = 0; i < threads; i++) {
            const size_t from = (size_t)i * share;
            pattern->probe->read(regions->a + from, regions->b + from, share, pattern->chunk, pattern->ahead);
        }
    }
    const double seconds = bench_now(BENCH_CLOCK_WALL) - start;
    return 2.0 * (double)share * threads / seconds;
}

bench_read_pattern bench_read_best(const bench_regions *regions, int32_t threads, int32_t rounds) {
    const uint32_t features = fv_cpu_detect();
    bench_read_pattern patterns[PROBES * LAYOUTS];
    int32_t count = 0;
    for (int32_t i = 0; i < PROBES; i++)
        for (int32_t j = 0; j < LAYOUTS; j++)
            if ((probes[i]->features & ~features) == 0)
                patterns[count++] = (bench_read_pattern){probes[i], layouts[j].chunk, layouts[j].ahead};

    /* All patterns take turns, so that a slow moment of the machine does not fall on one of them alone. */
    double rates[PROBES * LAYOUTS][MAX_ROUNDS];
    if (rounds > MAX_ROUNDS)
        rounds = MAX_ROUNDS;
    for (int32_t round = 0; round < rounds; round++)
        for (int32_t i = 0; i < count; i++)
            rates[i][round] = bench_read_rate(&patterns[i], regions, threads);

    int32_t best = 0;
    double best_rate = 0.0;
    for (int32_t i = 0; i < count; i++) {
        const double rate = bench_quartiles_of(rates[i], rounds).median;
        if (rate > best_rate) {
            best_rate = rate;
            best = i;
        }
    }
    return patterns[best];
}

void bench_read_describe(const bench_read_pattern *pattern, char *text, size_t size) {
    char streams[48] = "one stream";
    char prefetch[48] = "no prefetch";
    if (pattern->chunk == BENCH_PIECES)
        snprintf(streams, sizeof streams, "four pieces in turn");
    else if (pattern->chunk)
        snprintf(streams, sizeof streams, "two streams by %zu", pattern->chunk);
    if (pattern->ahead)
        snprintf(prefetch, sizeof prefetch, "prefetch %zu ahead", pattern->ahead);
    snprintf(text, size, "%s, %s, %d-byte loads", streams, prefetch, pattern->probe->lanes * (int32_t)sizeof(float));
}
