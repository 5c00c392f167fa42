/* Contexts of a million keys: where rounding errors of a sum over all keys would be seen. Compared with the oracle
 * within the limit for few keys, for the naive error that the limit may also refer to grows with the keys. Seconds a
 * case. */
#include <check.h>
#include <math.h>

#include "support/backends.h"
#include "support/problem.h"

enum { MILLION = 1000000 };

static problem *create(int32_t index, problem_spec spec) {
    problem *self = problem_create((problem_spec[]){on_case(spec, index)});
    problem_open_inputs(self);
    return self;
}

/* Adds `mean` to every value: sums that random signs would keep small grow with the keys. */
static void shift_values(const problem *self, float mean) {
    for (int64_t j = 0; j < self->spec.len_kv; j++) {
        for (int64_t d = 0; d < self->spec.head_dim_v; d++) {
            tensor_put(&self->v, 0, 0, j, d, (float)tensor_get(&self->v, 0, 0, j, d) + mean);
        }
    }
}

static void set_first_elements(const tensor *rows, float (*of)(int64_t row, int64_t rows)) {
    for (int64_t row = 0; row < rows->size[2]; row++) {
        tensor_put(rows, 0, 0, row, 0, of(row, rows->size[2]));
    }
}

/* The largest error of the output over the rows that the oracle has, half a unit of its type taken off. */
static double error_of_output(const problem *self, const oracle *truth) {
    const double unit = self->out.type == FOVEA_F32 ? 0 : self->out.type == FOVEA_F16 ? 0x1p-11 : 0x1p-8;
    double largest = 0;
    for (int64_t i = 0; i < self->spec.len_q; i++) {
        for (int64_t d = 0; oracle_has_row(truth, &self->args, i) && d < self->spec.head_dim_v; d++) {
            const double wanted = truth->out.value[i * self->spec.head_dim_v + d];
            const double error = fabs(tensor_get(&self->out, 0, 0, i, d) - wanted) - unit * fabs(wanted);
            largest = error <= largest ? largest : error;
        }
    }
    return largest;
}

static void finish(problem *self) {
    problem_run_ok(self);
    problem_compare(self);
    oracle truth = oracle_create(&self->desc, &self->args, self->spec.row_step);
    const double error = error_of_output(self, &truth), limit = 1e-6 * truth.max_v * fmax(1, truth.size / 16);
    if (!(error <= limit)) {
        problem_fail(self, "error %.3g, limit %.3g", error, limit);
    }
    oracle_destroy(&truth);
    problem_destroy(self);
}

static float one(int64_t row, int64_t rows) {
    (void)row, (void)rows;
    return 1;
}

static float rising(int64_t row, int64_t rows) {
    return 40.0f * (float)row / (float)rows;
}

static float last_far_above(int64_t row, int64_t rows) {
    return row == rows - 1 ? 60.0f : 0.0f;
}

#define DECODING(...) \
    PROBLEM(.len_kv = MILLION, .head_dim = 8, .head_dim_v = 8, .outputs = FOVEA_OUTPUT_LSE, __VA_ARGS__)

START_TEST(a_million_keys_in_decoding) {
    problem *self = create(_i, DECODING(.query_range = 3));
    shift_values(self, 1);
    finish(self);
    self = create(_i, DECODING(.type_kv = FOVEA_F16));
    shift_values(self, 1);
    finish(self);
}
END_TEST

START_TEST(scores_that_rise_over_a_million_keys) {
    float (*const keys[])(int64_t, int64_t) = {rising, last_far_above};
    for (int i = 0; i < 2; i++) {
        problem *self = create(_i, DECODING(.has_scale = 1, .scale = 1));
        set_first_elements(&self->q, one);
        set_first_elements(&self->k, keys[i]);
        shift_values(self, 1);
        finish(self);
    }
}
END_TEST

/* Weights keep all keys of a row with one item. */
START_TEST(weights_over_hundreds_of_thousands_of_keys) {
    problem *self = create(_i, PROBLEM(.len_q = 10, .len_kv = 300000, .head_dim = 8, .head_dim_v = 8, .row_step = 9,
                                       .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES));
    shift_values(self, 1);
    finish(self);
}
END_TEST

Suite *long_contexts_suite(void);

Suite *long_contexts_suite(void) {
    Suite *suite = suite_create("long_contexts");
    TCase *tcase = tcase_create("against the oracle");
    ADD_FOR_CASES(tcase, a_million_keys_in_decoding);
    ADD_FOR_CASES(tcase, scores_that_rise_over_a_million_keys);
    ADD_FOR_CASES(tcase, weights_over_hundreds_of_thousands_of_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}
