/* The errors that docs/numerics.md publishes (./dev numerics): every type, backend and exponential against double
 * precision, beside the error of a naive implementation in the same type. Prints one line a figure; which of them are
 * too large is judged by comparison with the document, and by the accuracy suite. With a FOVEA_TEST_SCALE below 1 the
 * long shapes are left out. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/backends.h"
#include "support/narrow.h"
#include "support/problem.h"

/* What is measured in one table: inputs and results of some types, in some arithmetic. */
typedef struct subject {
    const char *name;
    problem_spec types;
} subject;

static const subject subjects[] = {
    {"f32", PROBLEM_FIELDS(.type_q = FOVEA_F32)},
    {"f16", PROBLEM_FIELDS(.type_q = FOVEA_F16, .type_kv = FOVEA_F16, .type_out = FOVEA_F16)},
    {"f16, results f32", PROBLEM_FIELDS(.type_q = FOVEA_F16, .type_kv = FOVEA_F16)},
    {"bf16", PROBLEM_FIELDS(.type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, .type_out = FOVEA_BF16)},
    {"bf16, results f32", PROBLEM_FIELDS(.type_q = FOVEA_BF16, .type_kv = FOVEA_BF16)},
    {"int8 keys and values", PROBLEM_FIELDS(.type_kv = FOVEA_INT8)},
    {"f32 in bf16 arithmetic", PROBLEM_FIELDS(.type_q = FOVEA_F32, .arithmetic = FOVEA_ARITHMETIC_BF16)},
    {"f16 in bf16 arithmetic", PROBLEM_FIELDS(.type_q = FOVEA_F16, .type_kv = FOVEA_F16, .type_out = FOVEA_F16,
                                              .arithmetic = FOVEA_ARITHMETIC_BF16)},
};

/* Queries x keys x head_dim. With a spread of 1 the scores have variance 1. */
typedef struct shape {
    int64_t len_q, len_kv, head_dim;
    float spread;
} shape;

static const shape shapes[] = {
    {48, 128, 64, 1},   {48, 1536, 64, 1},   {48, 1536, 128, 1},  {48, 1536, 256, 1},
    {48, 1536, 64, 10}, {24, 16384, 128, 1}, {24, 131072, 64, 1}, {1, 1536, 128, 1},
    {1, 16384, 128, 1}, {1, 131072, 64, 1},  {8, 1536, 128, 1},   {8, 1536, 128, 10},
};

enum {
    SUBJECTS = sizeof subjects / sizeof *subjects,
    SHAPES = sizeof shapes / sizeof *shapes,
    /* Rows of more keys are long. */
    SHORT_ROW = 2000
};

/* Queries and keys uniform in [-r, r] and [-1, 1]: the variance of scaled scores is r * r / 9. */
static problem_spec spec_of(const subject *of, const shape *with) {
    problem_spec spec = of->types;
    spec.len_q = with->len_q;
    spec.len_kv = with->len_kv;
    spec.head_dim = spec.head_dim_v = with->head_dim;
    spec.query_range = 3 * with->spread;
    spec.row_step = with->len_q > 24 ? 6 : 12;
    spec.outputs = FOVEA_OUTPUT_LSE;
    return spec;
}

/* One line a figure, for tools/numerics.py. */
static void print_figure(const subject *of, const shape *with, const char *what, const char *column, double error) {
    ck_assert_msg(isfinite(error), "%s, %s: not finite", of->name, column);
    printf("numerics\t%s\t%s\t%lld x %lld x %lld%s\t%s\t%.3e\n", what, of->name, (long long)with->len_q,
           (long long)with->len_kv, (long long)with->head_dim, with->spread > 1 ? ", peaked" : "", column, error);
}

/* Errors of a result, at the rows that the oracle has. */
typedef struct errors {
    double absolute;
    /* Of probabilities that are not tiny. */
    double relative;
} errors;

static const double tiny = 0x1p-60;

static void add_error(errors *found, double actual, double wanted) {
    const double error = fabs(actual - wanted);
    found->absolute = error <= found->absolute ? found->absolute : error;
    if (fabs(wanted) > tiny) {
        found->relative = error / fabs(wanted) <= found->relative ? found->relative : error / fabs(wanted);
    }
}

static errors errors_of(const problem *self, const tensor *actual, const expected *wanted, const oracle *truth) {
    errors found = {0};
    const int64_t columns = actual->size[3];
    for (int64_t i = 0; i < actual->size[2]; i++) {
        for (int64_t d = 0; oracle_has_row(truth, &self->args, i) && d < columns; d++) {
            add_error(&found, tensor_get(actual, 0, 0, i, d), wanted->value[i * columns + d]);
        }
    }
    return found;
}

static errors errors_of_naive(const problem *self, const expected *wanted, const oracle *truth) {
    errors found = {0};
    const int64_t columns = wanted->count / self->spec.len_q;
    for (int64_t n = 0; n < wanted->count; n++) {
        if (oracle_has_row(truth, &self->args, n / columns)) {
            add_error(&found, (double)wanted->naive[n], wanted->value[n]);
        }
    }
    return found;
}

/* --- The naive implementation in 16 bits: what is stored between its steps is rounded to the type --- */

/* NULL rounds to f32. */
static float stored_in(const narrow_type *type, double x) {
    return type ? (float)narrow_value(type, narrow_nearest(type, x)) : (float)x;
}

/* Scores of a row, and their largest. */
static float narrow_scores(const problem *self, const narrow_type *type, int64_t row, const float *k, float *s) {
    const int64_t head_dim = self->spec.head_dim;
    float *q = malloc((size_t)head_dim * sizeof *q), largest = -INFINITY;
    ck_assert_ptr_nonnull(q);
    for (int64_t d = 0; d < head_dim; d++) {
        q[d] = stored_in(type, tensor_get(&self->q, 0, 0, row, d));
    }
    for (int64_t j = 0; j < self->spec.len_kv; j++) {
        float dot = 0;
        for (int64_t d = 0; d < head_dim; d++) {
            dot += q[d] * k[j * head_dim + d];
        }
        s[j] = stored_in(type, (double)(dot / sqrtf((float)head_dim)));
        largest = s[j] > largest ? s[j] : largest;
    }
    free(q);
    return largest;
}

/* Elements of keys or values as that implementation has them. */
static float *stored_rows(const tensor *rows, const narrow_type *type) {
    float *copy = malloc((size_t)(rows->size[2] * rows->size[3]) * sizeof *copy);
    ck_assert_ptr_nonnull(copy);
    for (int64_t j = 0; j < rows->size[2]; j++) {
        for (int64_t d = 0; d < rows->size[3]; d++) {
            copy[j * rows->size[3] + d] = stored_in(type, tensor_get(rows, 0, 0, j, d));
        }
    }
    return copy;
}

/* Adds the errors of one row to those of out and lse. */
static void narrow_row(const problem *self, const oracle *truth, const narrow_type *type, int64_t row, const float *k,
                       const float *v, errors *out, errors *lse) {
    const int64_t columns = self->spec.head_dim_v, keys = self->spec.len_kv;
    float *s = malloc((size_t)keys * sizeof *s), sum = 0;
    ck_assert_ptr_nonnull(s);
    const float largest = narrow_scores(self, type, row, k, s);
    for (int64_t j = 0; j < keys; j++) {
        s[j] = expf(s[j] - largest);
        sum += s[j];
    }
    for (int64_t j = 0; j < keys; j++) {
        s[j] = stored_in(type, (double)(s[j] / sum));
    }
    for (int64_t d = 0; d < columns; d++) {
        float o = 0;
        for (int64_t j = 0; j < keys; j++) {
            o += s[j] * v[j * columns + d];
        }
        add_error(out, (double)stored_in(narrow_of(self->spec.type_out), (double)o),
                  truth->out.value[row * columns + d]);
    }
    add_error(lse, (double)(largest + logf(sum)), truth->lse.value[row]);
    free(s);
}

static void measure_narrow_naive(const problem *self, const oracle *truth, const narrow_type *type, errors *out,
                                 errors *lse) {
    float *k = stored_rows(&self->k, type), *v = stored_rows(&self->v, type);
    for (int64_t row = 0; row < self->spec.len_q; row++) {
        if (oracle_has_row(truth, &self->args, row)) {
            narrow_row(self, truth, type, row, k, v, out, lse);
        }
    }
    free(k);
    free(v);
}

/* The type of the naive implementation: bf16 where f32 and f16 may be rounded to it. */
static const narrow_type *naive_type(const problem_spec *spec) {
    return spec->arithmetic == FOVEA_ARITHMETIC_BF16 ? &narrow_bf16 : narrow_of(spec->type_kv);
}

static void measure_naive(const subject *of, const shape *with, const problem *self, const oracle *truth) {
    errors out = {0}, lse = {0};
    const narrow_type *type = naive_type(&self->spec);
    if (type) {
        measure_narrow_naive(self, truth, type, &out, &lse);
    } else {
        out = errors_of_naive(self, &truth->out, truth);
        lse = errors_of_naive(self, &truth->lse, truth);
    }
    print_figure(of, with, "output", "naive", out.absolute / truth->max_v);
    print_figure(of, with, "log-sum-exp", "naive", lse.absolute);
    if (self->spec.weights) {
        print_figure(of, with, "probabilities", "naive", errors_of_naive(self, &truth->weights, truth).relative);
    }
}

/* --- The library --- */

/* Runs with or without the attention weights that the problem has room for, which take another way. */
static void run_with(problem *self, fovea_weights weights, uint32_t outputs) {
    void *const room[] = {self->args.weights, self->args.lse};
    self->desc.weights = weights;
    self->desc.outputs = outputs;
    self->args.weights = weights ? room[0] : NULL;
    self->args.lse = outputs ? room[1] : NULL;
    problem_run_ok(self);
    self->args.weights = room[0];
    self->args.lse = room[1];
}

static void measure_column(const subject *of, const shape *with, problem *self, const oracle *truth, const char *column,
                           uint32_t outputs) {
    run_with(self, FOVEA_WEIGHTS_NONE, outputs);
    print_figure(of, with, "output", column, errors_of(self, &self->out, &truth->out, truth).absolute / truth->max_v);
    if (outputs & FOVEA_OUTPUT_LSE) {
        print_figure(of, with, "log-sum-exp", column, errors_of(self, &self->lse, &truth->lse, truth).absolute);
    }
    if (self->spec.weights) {
        run_with(self, FOVEA_WEIGHTS_PROBABILITIES, outputs);
        print_figure(of, with, "probabilities", column,
                     errors_of(self, &self->weights, &truth->weights, truth).relative);
    }
}

/* Without pairs a backend computes as the one that it extends does, but for types that it reads otherwise. */
static bool is_repetition(int32_t index, fovea_type type_kv, bool has_pairs) {
    return backend_base_of(index / 2, type_kv) && !has_pairs;
}

static void measure_backends(const subject *of, const shape *with, problem *self, const oracle *truth) {
    for (int32_t index = 0; index < backend_case_count(); index++) {
        const backend_case at = backend_case_at(index);
        problem_spec spec = on_case(self->spec, index);
        spec.weights = FOVEA_WEIGHTS_NONE;
        const bool has_pairs = problem_has_pairs(&spec) && spec.len_q > FV_MAX_ROWS;
        if (is_repetition(index, spec.type_kv, has_pairs) ||
            (spec.arithmetic != FOVEA_ARITHMETIC_DEFAULT && !has_pairs)) {
            continue;
        }
        self->desc.isa_cap = spec.isa;
        self->desc.exp = spec.exp;
        measure_column(of, with, self, truth, at.name, FOVEA_OUTPUT_LSE);
        if (has_pairs && at.exp == FOVEA_EXP_FUSED) {
            char column[60];
            snprintf(column, sizeof column, "%s, coarse", at.backend->name);
            measure_column(of, with, self, truth, column, 0);
        }
    }
}

START_TEST(errors_against_double_precision) {
    const subject *of = &subjects[_i / SHAPES];
    const shape *with = &shapes[_i % SHAPES];
    problem_spec spec = spec_of(of, with);
    const bool rows_only = spec.arithmetic != FOVEA_ARITHMETIC_DEFAULT && spec.len_q <= FV_MAX_ROWS;
    if (rows_only || (with->len_kv > SHORT_ROW && test_scaled(1000) < 1000)) {
        return;
    }
    /* Probabilities are computed in f32 whatever the inputs are. */
    spec.weights = of == &subjects[0] ? FOVEA_WEIGHTS_PROBABILITIES : FOVEA_WEIGHTS_NONE;
    const fovea_arithmetic arithmetic = spec.arithmetic;
    spec.arithmetic = FOVEA_ARITHMETIC_DEFAULT;
    problem *self = problem_create(&spec);
    self->spec.arithmetic = self->desc.arithmetic = arithmetic;
    oracle truth = oracle_create(&self->desc, &self->args, spec.row_step);
    measure_naive(of, with, self, &truth);
    measure_backends(of, with, self, &truth);
    fflush(stdout);
    oracle_destroy(&truth);
    problem_destroy(self);
}
END_TEST

Suite *numerics_suite(void);

Suite *numerics_suite(void) {
    Suite *suite = suite_create("numerics");
    TCase *tcase = tcase_create("errors");
    tcase_add_loop_test(tcase, errors_against_double_precision, 0, SUBJECTS * SHAPES);
    suite_add_tcase(suite, tcase);
    return suite;
}
