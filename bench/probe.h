/* Probes of the machine's limits: multiply-add throughput and read bandwidth.
 *
 * One bench_probe per vector width; each lives in a file compiled for its instruction set and is touched only where the
 * processor has it. */
#ifndef FOVEA_BENCH_PROBE_H
#define FOVEA_BENCH_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/kernel.h"
#include "clock.h"

/* A chunk by which no two streams alternate. */
enum { BENCH_PIECES = 4 };

typedef struct bench_probe {
    const char *name;
    /* FV_CPU_* bits that it needs. */
    uint32_t features;
    /* f32 lanes of a vector, and independent chains of multiply_add. */
    int32_t lanes;
    int32_t chains;
    /* `times` multiply-adds on each chain, nothing but registers. */
    void (*multiply_add)(int64_t times);
    /* Reads `bytes` (a multiple of 4096) at each of a and b (aligned to 4096), ascending, alternating between the two
     * every `chunk` bytes (a power of two from 256 on; 0: b after a), asking for the line `ahead` bytes away
     * (0: leaving that to the hardware); by BENCH_PIECES: b after a, and of each the lines of four pieces in turn. */
    void (*read)(const unsigned char *a, const unsigned char *b, size_t bytes, size_t chunk, size_t ahead);
} bench_probe;

extern const bench_probe bench_probe_baseline;
extern const bench_probe bench_probe_avx2;
extern const bench_probe bench_probe_avx512;
extern const bench_probe bench_probe_neon;

/* The probe whose multiply-add throughput is the limit of a backend. */
const bench_probe *bench_probe_for(const fv_backend *backend);

/* The probe of the widest vectors that this processor has: its own limit, whichever backend is used. */
const bench_probe *bench_probe_widest(void);

/* Multiply-adds of the whole machine part that a case may use, in FLOP/s: `times` steps on each of `threads` threads.
 */
double bench_multiply_add_rate(const bench_probe *probe, int32_t threads, int64_t times, bench_clock clock);

/* One way to read memory. */
typedef struct bench_read_pattern {
    const bench_probe *probe;
    size_t chunk;
    size_t ahead;
} bench_read_pattern;

/* Two regions of equal size, aligned to 4096, that a case reads (decoding: keys and values). */
typedef struct bench_regions {
    const unsigned char *a;
    const unsigned char *b;
    size_t bytes;
} bench_regions;

/* Bytes per second over both regions by one pattern, the work shared by `threads` threads; wall time. */
double bench_read_rate(const bench_read_pattern *pattern, const bench_regions *regions, int32_t threads);

/* The fastest pattern that this processor runs: the best median over `rounds` passes of each. */
bench_read_pattern bench_read_best(const bench_regions *regions, int32_t threads, int32_t rounds);

/* Writes the pattern in words: "two streams by 4096, 2048 ahead, avx2 loads". */
void bench_read_describe(const bench_read_pattern *pattern, char *text, size_t size);

#endif
