#include <check.h>
#include <math.h>

#include "support/backends.h"
#include "support/problem.h"
#include "targets.h"

/* Lengths mostly within a few tiles, sometimes across blocks and splits. */
static problem_spec random_spec(test_random *random) {
    const int64_t largest = RANDOM_OF(random, 30, 80, 80, 1100);
    const fovea_isa cap = backend_any_cap(random);
    const fovea_exp exp = (fovea_exp)random_between(random, FOVEA_EXP_DEFAULT, FOVEA_EXP_FUSED);
    problem_spec spec = problem_random(random, largest, cap, exp);
    /* Real threads are the business of other tests, and slow under a fuzzer. */
    spec.executor = EXECUTOR_SHUFFLED;
    return spec;
}

/* Whatever must not change a bit of the result. */
static problem_spec called_otherwise(problem_spec spec, test_random *random) {
    spec.threads = (int32_t)random_between(random, 0, 3);
    spec.concurrency = (int32_t)random_between(random, 1, 9);
    spec.form = (call_form)random_between(random, CALL_ONCE, CALL_WORKSPACE);
    spec.spare_q = random_between(random, 0, 300);
    spec.spare_kv = random_between(random, 0, 3000);
    /* Whole pages. */
    spec.spare_kv -= spec.page_size > 0 ? spec.spare_kv % spec.page_size : 0;
    spec.side = random_chance(random, 0.5) ? GUARD_AFTER : GUARD_BEFORE;
    return spec;
}

static problem_spec on_another_backend(problem_spec spec, test_random *random) {
    spec.isa = backend_any_cap(random);
    spec.exp = (fovea_exp)random_between(random, FOVEA_EXP_DEFAULT, FOVEA_EXP_FUSED);
    if (!problem_has_pairs(&spec)) {
        spec.arithmetic = FOVEA_ARITHMETIC_DEFAULT;
    }
    return spec;
}

static void expect_same_bits(const problem_spec *spec, const outcome *wanted) {
    problem *self = problem_create(spec);
    problem_run_ok(self);
    outcome actual = problem_outcome(self);
    if (!outcome_equal(&actual, wanted)) {
        problem_fail(self, "the result depends on threads, workers, capacities, workspace or alignment");
    }
    outcome_destroy(&actual);
    problem_destroy(self);
}

/* Twice what each may differ from the truth, and a rounding of each: the truth's sizes may be those of some rows only.
 */
static double tolerance_between(const problem *a, const problem *b, const oracle *truth) {
    const double rounding = a->spec.type_out == FOVEA_F32 ? 0 : 0x1p-7;
    const double slack = (double)a->spec.slack;
    return slack * (problem_out_tolerance(a, truth) + problem_out_tolerance(b, truth)) + rounding * truth->max_v;
}

/* Where numbers are hostile, only the oracle says what is open. */
static void expect_agreement(const problem *a, const problem *b, const oracle *truth) {
    const double tolerance = tolerance_between(a, b, truth);
    const int64_t *size = a->out.size;
    for (int64_t n = 0; n < size[0] * size[1] * size[2] * size[3]; n++) {
        const int64_t d = n % size[3], i = n / size[3] % size[2], h = n / size[3] / size[2] % size[1];
        const int64_t batch = n / size[3] / size[2] / size[1];
        const double x = tensor_get(&a->out, batch, h, i, d), y = tensor_get(&b->out, batch, h, i, d);
        const bool agree = fabs(x - y) <= tolerance || (isnan(x) && isnan(y));
        if (!agree) {
            problem_fail(b, "out[%lld, %lld, %lld, %lld] = %.9g, on backend %d %.9g; tolerance %.3g", (long long)batch,
                         (long long)h, (long long)i, (long long)d, y, (int)a->spec.isa, x, tolerance);
        }
    }
}

static void check_on_another_backend(const problem *first, const problem_spec *spec, const oracle *truth) {
    problem *second = problem_create(spec);
    problem_run_ok(second);
    problem_compare_with(second, truth);
    if (spec->hostile == 0) {
        expect_agreement(first, second, truth);
    }
    problem_destroy(second);
}

void fuzz_attention(const uint8_t *bytes, size_t size) {
    test_random random = test_random_of_bytes(bytes, size);
    const problem_spec spec = random_spec(&random);
    const problem_spec otherwise = called_otherwise(spec, &random);
    const problem_spec elsewhere = on_another_backend(otherwise, &random);

    problem *self = problem_create(&spec);
    problem_run_ok(self);
    oracle truth = oracle_create(&self->desc, &self->args, spec.row_step);
    problem_compare_with(self, &truth);
    outcome result = problem_outcome(self);
    expect_same_bits(&otherwise, &result);
    check_on_another_backend(self, &elsewhere, &truth);
    outcome_destroy(&result);
    oracle_destroy(&truth);
    problem_destroy(self);
}
