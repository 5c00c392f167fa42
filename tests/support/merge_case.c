#include "merge_case.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Making a call --- */

/* What the log-sum-exps of a row are drawn from. */
static double any_lse(test_random *random, int64_t spread) {
    const double some = (double)spread * (double)random_float(random, -1, 1);
    switch (random_between(random, 0, 9)) {
    case 0:
        return -(double)INFINITY;
    case 1:
        return random_chance(random, 0.1) ? (double)random_hostile(random) : some;
    default:
        return some;
    }
}

static void fill_part(const merge_case *self, const strided *out, const strided *lse, int64_t spread,
                      test_random *random) {
    for (int64_t b = 0; b < self->args.batch; b++) {
        for (int64_t h = 0; h < self->args.heads; h++) {
            for (int64_t i = 0; i < self->args.len; i++) {
                const double of_row = any_lse(random, spread);
                /* Empty parts hold anything. */
                const double hostile = of_row == -(double)INFINITY ? 0.3 : 0.001;
                strided_put(lse, b, h, i, 0, of_row);
                for (int64_t d = 0; d < self->args.head_dim_v; d++) {
                    const float value = random_float(random, -3, 3);
                    strided_put(out, b, h, i, d,
                                (double)(random_chance(random, hostile) ? random_hostile(random) : value));
                }
            }
        }
    }
}

static void create_parts(merge_case *self) {
    kernel_memory *memory = &self->memory;
    fovea_merge_args *args = &self->args;
    const int64_t pointers = args->parts * (int64_t)sizeof(float *);
    const int64_t rows[4] = {args->batch, args->heads, args->len, 1};
    const int64_t values[4] = {args->batch, args->heads, args->len, args->head_dim_v};
    const int64_t spread = RANDOM_OF(memory->random, 3, 1, 30, 200);
    self->outs = take_bytes(memory, pointers, sizeof(float *));
    self->lses = take_bytes(memory, pointers, sizeof(float *));
    self->part_out[0] = strided_create(memory, FOVEA_F32, values);
    self->part_lse[0] = strided_create(memory, FOVEA_F32, rows);
    test_random contents = test_random_branch(memory->random);
    for (int64_t part = 0; part < args->parts; part++) {
        if (part > 0) {
            self->part_out[part] = strided_create_like(memory, &self->part_out[0]);
            self->part_lse[part] = strided_create_like(memory, &self->part_lse[0]);
        }
        fill_part(self, &self->part_out[part], &self->part_lse[part], spread, &contents);
        strided_remember(&self->part_out[part]);
        strided_remember(&self->part_lse[part]);
        self->outs[part] = self->part_out[part].origin;
        self->lses[part] = self->part_lse[part].origin;
    }
    args->part_out = self->outs;
    args->part_lse = self->lses;
    memcpy(args->part_out_strides, self->part_out[0].strides, sizeof args->part_out_strides);
    memcpy(args->part_lse_strides, self->part_lse[0].strides, sizeof args->part_lse_strides);
}

static void create_results(merge_case *self) {
    self->out = strided_create(&self->memory, FOVEA_F32, self->part_out[0].size);
    self->args.out = self->out.origin;
    memcpy(self->args.out_strides, self->out.strides, sizeof self->args.out_strides);
    if (random_chance(self->memory.random, 0.7)) {
        self->lse = strided_create(&self->memory, FOVEA_F32, self->part_lse[0].size);
        self->args.lse = self->lse.origin;
        memcpy(self->args.lse_strides, self->lse.strides, sizeof self->args.lse_strides);
    }
}

merge_case *merge_create(test_random *random, int64_t most) {
    merge_case *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    self->memory = kernel_memory_create(random);
    self->args = (fovea_merge_args){
        .struct_size = sizeof self->args,
        .parts = random_between(random, 1, most < MERGE_MOST_PARTS ? most : MERGE_MOST_PARTS),
        .batch = RANDOM_OF(random, 1, 2, 0),
        .heads = RANDOM_OF(random, 1, 3, 0),
        .len = RANDOM_OF(random, 2, 1, 20, 0, 70),
        .head_dim_v = RANDOM_OF(random, 5, 1, 16, 33, 64, 0),
    };
    create_parts(self);
    create_results(self);
    return self;
}

void merge_destroy(merge_case *self) {
    for (int64_t part = 0; part < self->args.parts; part++) {
        strided_destroy(&self->part_out[part]);
        strided_destroy(&self->part_lse[part]);
    }
    strided_destroy(&self->out);
    strided_destroy(&self->lse);
    kernel_memory_end(&self->memory);
    free(self);
}

fovea_status merge_run(merge_case *self, const fovea_executor *executor) {
    strided_remember(&self->out);
    if (self->lse.bytes) {
        strided_remember(&self->lse);
    }
    return fovea_merge(&self->args, executor);
}

/* --- The oracle --- */

static const double ulp = 0x1p-24;

/* A row: its parts' log-sum-exps relative to the largest, and the merged one. */
typedef struct merge_row {
    double relative[MERGE_MOST_PARTS];
    double largest, total;
    bool has_nan;
} merge_row;

static merge_row read_row(const merge_case *self, int64_t b, int64_t h, int64_t i) {
    merge_row row = {.largest = -(double)INFINITY};
    for (int64_t part = 0; part < self->args.parts; part++) {
        row.relative[part] = strided_get(&self->part_lse[part], b, h, i, 0);
        row.has_nan = row.has_nan || isnan(row.relative[part]);
        row.largest = fmax(row.largest, row.relative[part]);
    }
    for (int64_t part = 0; part < self->args.parts; part++) {
        row.relative[part] -= row.largest;
        row.total += exp(row.relative[part]);
    }
    return row;
}

/* A weight below this one may be 0, and 0 times an infinity is NaN. */
static const double surely_positive = 1e-37;

typedef struct merged_value {
    double value, error;
    /* The sum holds NaN; or one, or an infinity, of a weight that may be 0. */
    bool is_nan, is_open;
} merged_value;

static merged_value merge_value(const merge_case *self, const merge_row *row, int64_t b, int64_t h, int64_t i,
                                int64_t d) {
    merged_value merged = {0};
    const double parts = (double)self->args.parts;
    for (int64_t part = 0; part < self->args.parts; part++) {
        const double relative = row->relative[part], weight = exp(relative) / row->total;
        const double value = strided_get(&self->part_out[part], b, h, i, d);
        if (relative == -(double)INFINITY) {
            continue;
        }
        if (!isfinite(value) && weight < surely_positive) {
            merged.is_open = true;
            continue;
        }
        merged.value += weight * value;
        /* An exponent that is rounded twice, an exponential, the total, and a sum of all parts. Weights that underflow
         * are 0. */
        merged.error += fabs(value) * (weight * (2 * fabs(relative) + parts + 12) * ulp + FLT_MIN);
    }
    merged.is_nan = isnan(merged.value);
    /* What overflows on the way is infinite or NaN. */
    merged.is_open = merged.is_open || merged.error > ulp * (double)FLT_MAX;
    return merged;
}

static void check_value(const merge_case *self, int64_t b, int64_t h, int64_t i, int64_t d, const merge_row *row) {
    const double actual = strided_get(&self->out, b, h, i, d);
    const bool empty = row->largest == -(double)INFINITY && !row->has_nan;
    const bool is_nan = row->has_nan || row->largest == (double)INFINITY;
    const merged_value wanted = empty || is_nan ? (merged_value){.is_nan = is_nan} : merge_value(self, row, b, h, i, d);
    const bool equal = wanted.is_nan ? isnan(actual) : actual == wanted.value;
    if (!wanted.is_open && !equal && !(fabs(actual - wanted.value) <= wanted.error + (double)FLT_TRUE_MIN)) {
        ck_abort_msg("out[%lld, %lld, %lld, %lld] = %.9g instead of %.9g +- %.3g", (long long)b, (long long)h,
                     (long long)i, (long long)d, actual, wanted.value, wanted.error);
    }
    strided_forget(&self->out, b, h, i, d);
}

static void check_lse(const merge_case *self, int64_t b, int64_t h, int64_t i, const merge_row *row) {
    const double actual = strided_get(&self->lse, b, h, i, 0);
    const double wanted = row->largest + (isfinite(row->largest) ? log(row->total) : 0);
    const double error = ulp * (2 * fabs(row->largest) + 2 * fabs(wanted) + (double)self->args.parts + 16);
    const bool meets = row->has_nan                       ? isnan(actual)
                       : row->largest == (double)INFINITY ? !isfinite(actual)
                                                          : actual == wanted || fabs(actual - wanted) <= error;
    if (!meets) {
        ck_abort_msg("lse[%lld, %lld, %lld] = %.9g instead of %.9g +- %.3g", (long long)b, (long long)h, (long long)i,
                     actual, row->has_nan ? (double)NAN : wanted, error);
    }
    strided_forget(&self->lse, b, h, i, 0);
}

void merge_check(const merge_case *self) {
    for (int64_t b = 0; b < self->args.batch; b++) {
        for (int64_t h = 0; h < self->args.heads; h++) {
            for (int64_t i = 0; i < self->args.len; i++) {
                const merge_row row = read_row(self, b, h, i);
                for (int64_t d = 0; d < self->args.head_dim_v; d++) {
                    check_value(self, b, h, i, d, &row);
                }
                if (self->lse.bytes) {
                    check_lse(self, b, h, i, &row);
                }
            }
        }
    }
    ck_assert_msg(strided_unchanged(&self->out), "written beside the output");
    ck_assert_msg(!self->lse.bytes || strided_unchanged(&self->lse), "written beside the log-sum-exps");
    for (int64_t part = 0; part < self->args.parts; part++) {
        ck_assert_msg(strided_unchanged(&self->part_out[part]) && strided_unchanged(&self->part_lse[part]),
                      "part %d was written to", (int)part);
    }
}
