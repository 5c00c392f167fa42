/* The row kernels of a backend, each alone, on data that stays in the caches: what is left of decoding when memory is
 * not the limit. */
#include <stdio.h>
#include <stdlib.h>

#include "case.h"
#include "fill.h"
#include "pages.h"

enum { COUNT = FV_MAX_RUN, MAX_DIM = 128 };

typedef struct row_data {
    bench_pages pages;
    const fv_row_kernels *kernels;
    const fv_row_reads *const *read;
    int32_t rows;
    int32_t keys;
    int64_t dim;
    float *q;
    float *k;
    float *v;
    float *s;
    float *terms;
    float *sums;
    float *lse;
    float *o;
    /* Results that the compiler must not drop. */
    volatile float sink;
} row_data;

typedef struct row_kernel {
    const char *name;
    void (*run)(row_data *data);
    /* Non-zero: two FLOP for each row, key and element of a row, in variants of rows and dim; else COUNT elements. */
    int32_t product;
} row_kernel;

static void run_dots(row_data *d) {
    const fv_stored k = {.rows = d->k, .stride = d->dim, .count = d->keys, .length = d->dim};
    d->read[FOVEA_F32]->dots(d->q, d->dim, d->rows, &k, d->s, FV_RUN_STRIDE);
}

static void run_weighted_sum(row_data *d) {
    const fv_stored v = {.rows = d->v, .stride = d->dim, .count = d->keys, .length = d->dim};
    d->read[FOVEA_F32]->weighted_sum(d->s, FV_RUN_STRIDE, d->rows, &v, d->o, d->dim);
}

static void run_weighted_sum_marked(row_data *d) {
    const fv_stored v = {.rows = d->v, .stride = d->dim, .count = d->keys, .length = d->dim};
    d->read[FOVEA_F32]->weighted_sum_marked(d->s, FV_RUN_STRIDE, d->rows, &v, d->o, d->dim);
}

static void run_peak(row_data *d) {
    d->sink = d->kernels->peak(d->s, COUNT, 0.0f);
}

/* Caps, shifts and factors have ordinary fixed points, so that work in place may be repeated for ever. */
static void run_softcap(row_data *d) {
    d->kernels->softcap(d->s, COUNT, 2.0f);
}

static void run_alibi(row_data *d) {
    d->kernels->alibi(d->s, COUNT, 0.0f, 1.0f);
}

static void run_add_terms(row_data *d) {
    d->kernels->add_terms(d->s, d->terms, COUNT);
}

static void run_exponentials_sleef(row_data *d) {
    d->sink = d->kernels->exponentials(d->s, COUNT, 1.0f, FV_EXP_SLEEF, 0);
}

static void run_exponentials_fused(row_data *d) {
    d->sink = d->kernels->exponentials(d->s, COUNT, 1.0f, FV_EXP_FUSED, 0);
}

static void run_scale(row_data *d) {
    d->kernels->scale(d->s, COUNT, 1.0f);
}

static void run_log_sum_exp(row_data *d) {
    d->kernels->log_sum_exp(d->s, d->sums, COUNT, d->lse);
}

static const row_kernel row_kernels[] = {
    {"row.dots", run_dots, 1},
    {"row.weighted_sum", run_weighted_sum, 1},
    {"row.weighted_sum_marked", run_weighted_sum_marked, 1},
    {"row.peak", run_peak, 0},
    {"row.softcap", run_softcap, 0},
    {"row.alibi", run_alibi, 0},
    {"row.add_terms", run_add_terms, 0},
    {"row.exponentials/sleef", run_exponentials_sleef, 0},
    {"row.exponentials/fused", run_exponentials_fused, 0},
    {"row.scale", run_scale, 0},
    {"row.log_sum_exp", run_log_sum_exp, 0},
};

enum { KERNELS = sizeof row_kernels / sizeof row_kernels[0] };

/* A case's variant: rows - 1, and 128 instead of 64 elements from FV_MAX_ROWS on. */
static int32_t variant_rows(int32_t variant) {
    return variant % FV_MAX_ROWS + 1;
}

static int32_t variant_dim(int32_t variant) {
    return variant < FV_MAX_ROWS ? 64 : MAX_DIM;
}

static float *cut(bench_pages *pages, size_t count, uint32_t seed) {
    float *floats = bench_pages_cut(pages, count * sizeof(float));
    if (seed)
        bench_fill(floats, FOVEA_F32, count, seed);
    return floats;
}

static bench_outcome row_open(bench_case *item, char *reason, size_t reason_size) {
    const row_kernel *kernel = item->definition;
    const fv_row_kernels *kernels = item->backend->row;
    const size_t row_floats = (size_t)FV_MAX_ROWS * MAX_DIM;
    const size_t key_floats = (size_t)item->backend->read[FOVEA_F32]->key_block * MAX_DIM;
    const size_t score_floats = (size_t)FV_MAX_ROWS * FV_RUN_STRIDE;
    const size_t sizes[] = {row_floats, key_floats, key_floats, score_floats, COUNT, COUNT, COUNT, row_floats};

    size_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        total += bench_page_round(sizes[i] * sizeof(float));
    row_data *d = calloc(1, sizeof *d);
    if (!d || !bench_pages_map(&d->pages, total, item->options->huge_pages)) {
        free(d);
        snprintf(reason, reason_size, "out of memory");
        return BENCH_FAILED;
    }
    d->kernels = kernels;
    d->read = item->backend->read;
    d->rows = variant_rows(item->variant);
    d->keys = item->backend->read[FOVEA_F32]->key_block;
    d->dim = variant_dim(item->variant);
    d->q = cut(&d->pages, row_floats, 1);
    d->k = cut(&d->pages, key_floats, 2);
    d->v = cut(&d->pages, key_floats, 3);
    d->s = cut(&d->pages, score_floats, 4);
    d->terms = cut(&d->pages, COUNT, 0);
    d->sums = cut(&d->pages, COUNT, 0);
    d->lse = cut(&d->pages, COUNT, 0);
    d->o = cut(&d->pages, row_floats, 5);
    for (int32_t i = 0; i < COUNT; i++)
        d->sums[i] = (float)(i + 1);

    item->flops = kernel->product ? 2.0 * d->rows * d->keys * (double)d->dim : 0.0;
    item->elements = COUNT;
    item->data = d;
    return BENCH_OPENED;
}

static void row_run(bench_case *item, int64_t times) {
    const row_kernel *kernel = item->definition;
    for (int64_t i = 0; i < times; i++)
        kernel->run(item->data);
}

static void row_close(bench_case *item) {
    row_data *d = item->data;
    bench_pages_unmap(&d->pages);
    free(d);
    item->data = NULL;
}

static const bench_case_type row_type = {row_open, row_run, NULL, row_close};

void bench_add_row_kernels(bench_list *list, const fv_backend *backend, const bench_options *options) {
    for (int32_t i = 0; i < KERNELS; i++) {
        const row_kernel *kernel = &row_kernels[i];
        const int32_t variants = kernel->product ? 2 * FV_MAX_ROWS : 1;
        for (int32_t variant = 0; variant < variants; variant++) {
            const bench_case item = {
                .backend = backend,
                .options = options,
                .type = &row_type,
                .definition = kernel,
                .variant = variant,
                .limit = kernel->product ? BENCH_LIMIT_FMA : BENCH_LIMIT_SLOTS,
                .threads = 1,
            };
            char row[BENCH_NAME_SIZE];
            if (kernel->product)
                snprintf(row, sizeof row, "%s/D=%d/rows=%d", kernel->name, variant_dim(variant), variant_rows(variant));
            else
                snprintf(row, sizeof row, "%s", kernel->name);
            bench_list_add(list, &item, "kernel", NULL, row);
        }
    }
}
