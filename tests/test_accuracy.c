/* Accuracy against the f64 oracle, as published: prints one line a shape, backend and exponential, and fails above the
 * limits of f32 results (support/oracle.c states them); results of 16 bits may add one rounding to their type, bf16
 * arithmetic those of probabilities and inputs (support/problem.c). Naive is
 * the same computation in plain f32 loops. */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "support/backends.h"
#include "support/problem.h"

typedef struct shape {
    const char *name;
    problem_spec spec;
    /* Keys are the queries: each row's own key has by far the largest score. */
    bool keys_are_queries;
} shape;

#define SHAPE(text, ...) \
    { .name = text, .spec = PROBLEM_FIELDS(__VA_ARGS__) }
#define LSE .outputs = FOVEA_OUTPUT_LSE
#define NARROW(type) .type_q = (type), .type_kv = (type), .type_out = (type)
#define PROBABILITIES .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES

static const shape shapes[] = {
    SHAPE("dense 1536 x 64", .len_q = 1536, .len_kv = 1536, .head_dim = 64, .head_dim_v = 64, .row_step = 8, LSE),
    SHAPE("dense 1536 x 128", .len_q = 1536, .len_kv = 1536, .head_dim = 128, .head_dim_v = 128, .row_step = 8, LSE),
    SHAPE("causal 1536 x 128", .len_q = 1536, .len_kv = 1536, .head_dim = 128, .head_dim_v = 128, .row_step = 8,
          .causal = 1, LSE),
    SHAPE("12 heads 128 x 32", .heads_q = 12, .heads_kv = 12, .len_q = 128, .len_kv = 128, PROBABILITIES),
    SHAPE("12 heads 197 x 64", .heads_q = 12, .heads_kv = 12, .len_q = 197, .len_kv = 197, .head_dim = 64,
          .head_dim_v = 64, .row_step = 2, PROBABILITIES),
    SHAPE("decode 8 heads 16384 x 128", .heads_q = 8, .heads_kv = 8, .len_kv = 16384, .head_dim = 128,
          .head_dim_v = 128, LSE),
    SHAPE("decode 32 / 8 heads 4096 x 128", .heads_q = 32, .heads_kv = 8, .len_kv = 4096, .head_dim = 128,
          .head_dim_v = 128, LSE),
    SHAPE("chunk 16 of 4096 x 128, groups of 4", .heads_q = 8, .heads_kv = 2, .len_q = 16, .len_kv = 4096,
          .head_dim = 128, .head_dim_v = 128, .causal = 1, LSE),
    SHAPE("peaked 512 x 64", .len_q = 512, .len_kv = 512, .head_dim = 64, .head_dim_v = 64, .query_range = 8,
          .row_step = 2, PROBABILITIES),
    SHAPE("very peaked 512 x 64", .len_q = 512, .len_kv = 512, .head_dim = 64, .head_dim_v = 64, .query_range = 40,
          .row_step = 2, PROBABILITIES),
    SHAPE("very peaked 512 x 64, no weights", .len_q = 512, .len_kv = 512, .head_dim = 64, .head_dim_v = 64,
          .query_range = 40, .row_step = 2, LSE),
    {.name = "keys are queries 512 x 64, no weights",
     .spec = PROBLEM_FIELDS(.len_q = 512, .len_kv = 512, .head_dim = 64, .head_dim_v = 64, .query_range = 3,
                            .row_step = 2, LSE),
     .keys_are_queries = true},
    {.name = "keys are queries 512 x 64",
     .spec = PROBLEM_FIELDS(.len_q = 512, .len_kv = 512, .head_dim = 64, .head_dim_v = 64, .query_range = 3,
                            .row_step = 2, PROBABILITIES),
     .keys_are_queries = true},
    SHAPE("softcap, bias, mask 300 x 48", .heads_q = 4, .heads_kv = 2, .len_q = 300, .len_kv = 300, .head_dim = 48,
          .head_dim_v = 48, .softcap = 20, .query_range = 8, .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS,
          .row_step = 2, PROBABILITIES),
    SHAPE("flat 2048 x 16", .len_q = 64, .len_kv = 2048, .head_dim = 16, .head_dim_v = 16, .query_range = 0.01f, LSE),
    SHAPE("f16 causal 512 x 128", .len_q = 512, .len_kv = 512, .head_dim = 128, .head_dim_v = 128, .row_step = 4,
          .causal = 1, NARROW(FOVEA_F16), LSE),
    SHAPE("bf16 causal 512 x 128", .len_q = 512, .len_kv = 512, .head_dim = 128, .head_dim_v = 128, .row_step = 4,
          .causal = 1, NARROW(FOVEA_BF16), LSE),
    SHAPE("bf16 dense 1536 x 64, f32 results", .len_q = 1536, .len_kv = 1536, .head_dim = 64, .head_dim_v = 64,
          .row_step = 8, .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, LSE),
    SHAPE("f16 causal 512 x 128, bf16 arithmetic", .len_q = 512, .len_kv = 512, .head_dim = 128, .head_dim_v = 128,
          .row_step = 4, .causal = 1, NARROW(FOVEA_F16), .arithmetic = FOVEA_ARITHMETIC_BF16, LSE),
    SHAPE("f32 dense 512 x 64, bf16 arithmetic", .len_q = 512, .len_kv = 512, .head_dim = 64, .head_dim_v = 64,
          .row_step = 4, .arithmetic = FOVEA_ARITHMETIC_BF16, LSE),
    SHAPE("f16 decode 8 / 2 heads 4096 x 128", .heads_q = 8, .heads_kv = 2, .len_kv = 4096, .head_dim = 128,
          .head_dim_v = 128, NARROW(FOVEA_F16), LSE),
    SHAPE("bf16 decode 8 / 2 heads 4096 x 128", .heads_q = 8, .heads_kv = 2, .len_kv = 4096, .head_dim = 128,
          .head_dim_v = 128, NARROW(FOVEA_BF16), LSE),
    SHAPE("int8 keys and values 512 x 128", .len_q = 512, .len_kv = 512, .head_dim = 128, .head_dim_v = 128,
          .row_step = 4, .type_kv = FOVEA_INT8, LSE),
    SHAPE("int8 decode 8 / 2 heads 4096 x 128", .heads_q = 8, .heads_kv = 2, .len_kv = 4096, .head_dim = 128,
          .head_dim_v = 128, .type_kv = FOVEA_INT8, LSE),
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* The largest error over the rows that the oracle has. */
static double largest_error(const problem *self, const tensor *actual, const expected *wanted, const oracle *truth) {
    double largest = 0;
    int64_t n = 0;
    for (int64_t b = 0; b < actual->size[0]; b++) {
        for (int64_t h = 0; h < actual->size[1]; h++) {
            for (int64_t i = 0; i < actual->size[2]; i++) {
                for (int64_t d = 0; d < actual->size[3]; d++, n++) {
                    if (oracle_has_row(truth, &self->args, i) && wanted->value[n] != -INFINITY) {
                        const double error = fabs(tensor_get(actual, b, h, i, d) - wanted->value[n]);
                        largest = error <= largest ? largest : error;
                    }
                }
            }
        }
    }
    return largest;
}

/* Half a unit in the last place of the largest output: what rounding to its type may add. */
static double rounding_of_output(const problem *self, const oracle *truth) {
    double largest = 0;
    for (int64_t n = 0; n < truth->out.count; n++) {
        largest = fmax(largest, fabs(truth->out.value[n]));
    }
    return self->out.type == FOVEA_F32 ? 0 : largest * (self->out.type == FOVEA_F16 ? 0x1p-11 : 0x1p-8);
}

/* Prints a result's part of the line; true if it is within the limit. */
static bool report(const char *name, double error, double naive, double limit) {
    printf("  %s %.2e (naive %.2e, limit %.2e)%s", name, error, naive, limit, error <= limit ? "" : " ABOVE");
    return error <= limit;
}

static problem *create(const shape *of, int32_t index) {
    const problem_spec spec = on_case(of->spec, index);
    problem *self = problem_create(&spec);
    if (of->keys_are_queries) {
        problem_open_inputs(self);
        for (int64_t n = 0; n < spec.len_kv * spec.head_dim; n++) {
            const int64_t row = n / spec.head_dim, d = n % spec.head_dim;
            *tensor_at(&self->k, 0, 0, row, d) = *tensor_at(&self->q, 0, 0, row, d);
        }
    }
    return self;
}

static bool measure_case(const shape *of, int32_t index, const oracle *truth) {
    problem *self = create(of, index);
    problem_run_ok(self);
    printf("%-38s %-15s", of->name, backend_case_at(index).name);
    bool within = report("out", largest_error(self, &self->out, &truth->out, truth), oracle_naive_error(&truth->out),
                         problem_out_tolerance(self, truth) + rounding_of_output(self, truth));
    within &= report("lse", largest_error(self, &self->lse, &truth->lse, truth), oracle_naive_error(&truth->lse),
                     problem_lse_tolerance(self, truth));
    if (self->spec.weights) {
        within &= report("p", largest_error(self, &self->weights, &truth->weights, truth),
                         oracle_naive_error(&truth->weights), oracle_weights_tolerance(truth, self->spec.weights));
    }
    printf("\n");
    problem_destroy(self);
    return within;
}

START_TEST(errors_are_within_the_limits) {
    const shape *of = &shapes[_i];
    problem *any = create(of, 0);
    oracle truth = oracle_create(&any->desc, &any->args, of->spec.row_step);
    problem_destroy(any);
    bool within = true;
    for (int32_t index = 0; index < backend_case_count(); index++) {
        const problem_spec spec = on_case(of->spec, index);
        /* An arithmetic that the backend lacks is refused (test_errors.c). */
        if (!test_takes(_i, index) || (spec.arithmetic != FOVEA_ARITHMETIC_DEFAULT && !problem_has_pairs(&spec))) {
            continue;
        }
        within &= measure_case(of, index, &truth);
    }
    fflush(stdout);
    oracle_destroy(&truth);
    ck_assert_msg(within, "%s: an error is above its limit (the table shows which)", of->name);
}
END_TEST

Suite *accuracy_suite(void);

Suite *accuracy_suite(void) {
    Suite *suite = suite_create("accuracy");
    TCase *tcase = tcase_create("accuracy");
    tcase_add_loop_test(tcase, errors_are_within_the_limits, 0, SHAPES);
    suite_add_tcase(suite, tcase);
    return suite;
}
