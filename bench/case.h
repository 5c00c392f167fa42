/* A case: something that can be run many times, what its work amounts to, and the limit that it is held against. Both
 * front ends (Google Benchmark and the table) walk over the same list of them. */
#ifndef FOVEA_BENCH_CASE_H
#define FOVEA_BENCH_CASE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/kernel.h"
#include "clock.h"
#include "probe.h"

/* What a case's figure says. */
typedef enum bench_limit {
    /* Useful FLOP/s in percent of the multiply-add peak of the backend's vectors. */
    BENCH_LIMIT_FMA = 0,
    /* Decoding: the larger of the shares of read bandwidth and multiply-add peak, in percent. */
    BENCH_LIMIT_READ,
    /* Throughput relative to another call, measured alternately, in percent. */
    BENCH_LIMIT_BASE,
    /* The same as a factor. */
    BENCH_LIMIT_SPEEDUP,
    /* Bytes read and written in a second relative to those of memcpy, measured alternately, in percent. */
    BENCH_LIMIT_COPY,
    /* Nanoseconds a run. */
    BENCH_LIMIT_LATENCY,
    /* Multiply-add instructions that the processor could have issued in the time of one vector of elements. */
    BENCH_LIMIT_SLOTS
} bench_limit;

/* Set for the whole process by the command line. */
typedef struct bench_options {
    int32_t threads;
    int32_t huge_pages;
    /* Shrink every shape: the code is run, the figures mean nothing. */
    int32_t smoke;
} bench_options;

typedef enum bench_outcome { BENCH_OPENED, BENCH_UNSUPPORTED, BENCH_FAILED } bench_outcome;

typedef struct bench_case bench_case;

typedef struct bench_case_type {
    /* Makes the case ready to run and fills in its work; else writes one line to `reason`. */
    bench_outcome (*open)(bench_case *item, char *reason, size_t reason_size);
    /* Runs it `times` times. */
    void (*run)(bench_case *item, int64_t times);
    /* Runs what it is compared with; NULL unless the limit is BASE, SPEEDUP or COPY. */
    void (*run_base)(bench_case *item, int64_t times);
    void (*close)(bench_case *item);
} bench_case_type;

enum { BENCH_NAME_SIZE = 128 };

struct bench_case {
    /* "call/avx2/fused/f32/dense/S=1536/D=64": group, backend, exponential, row. */
    char name[BENCH_NAME_SIZE];
    /* Where the row begins in it. */
    int32_t row_offset;
    const char *exp;
    const fv_backend *backend;
    const bench_options *options;
    const bench_case_type *type;
    /* Which of the type's cases it is. */
    const void *definition;
    int32_t variant;
    bench_limit limit;
    int32_t threads;
    bench_clock clock;

    /* Set by open: useful work of one run, and of one run of the base. */
    void *data;
    double flops;
    double bytes;
    double elements;
    double base_flops;
    double base_bytes;
    /* What BENCH_LIMIT_READ probes. */
    bench_regions regions;
};

typedef struct bench_list {
    bench_case *items;
    int32_t count;
    int32_t capacity;
} bench_list;

static inline const char *bench_row(const bench_case *item) {
    return item->name + item->row_offset;
}

/* Non-zero if the process may use the backend; else writes why not: FOVEA_ISA can forbid it. */
int32_t bench_backend_allowed(const fv_backend *backend, char *reason, size_t reason_size);

/* Appends a case named group/backend/exp/row (exp NULL: group/backend/row); `item` carries everything else. Exits with
 * a message when memory runs out. */
void bench_list_add(bench_list *list, const bench_case *item, const char *group, const char *exp, const char *row);

/* The kernels of a backend, and the whole calls: of attention, and of what moves rows. */
void bench_add_panel_kernels(bench_list *list, const fv_backend *backend, const bench_options *options);
void bench_add_row_kernels(bench_list *list, const fv_backend *backend, const bench_options *options);
void bench_add_calls(bench_list *list, const fv_backend *backend, const bench_options *options);
void bench_add_row_calls(bench_list *list, const fv_backend *backend, const bench_options *options);

#endif
