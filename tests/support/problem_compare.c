#include "problem.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/kernel.h"
#include "narrow.h"

static double rounded_to(fovea_type type, double x) {
    return type == FOVEA_F32 ? x : narrow_value(narrow_of(type), narrow_nearest(narrow_of(type), x));
}

/* Results of narrow types are within tolerance before they are rounded, and rounded once. */
static bool meets(fovea_type type, double actual, double value, expectation kind, double tolerance) {
    switch (kind) {
    case EXPECT_VALUE:
        return actual == value ||
               (actual >= rounded_to(type, value - tolerance) && actual <= rounded_to(type, value + tolerance));
    case EXPECT_EXACTLY:
        return actual == value;
    case EXPECT_NAN:
        return isnan(actual);
    case EXPECT_VALUE_OR_NAN:
        return isnan(actual) || actual == value;
    case EXPECT_NOT_FINITE:
        return !isfinite(actual);
    case EXPECT_ANYTHING:
    case EXPECT_UNTOUCHED:
        return true;
    }
    return false;
}

static void compare_elements(const problem *self, const char *name, const tensor *actual, const expected *wanted,
                             const oracle *truth, double tolerance) {
    static const char *const kinds[] = {"", " exactly", " (NaN)", " or NaN", " (not finite)", "", ""};
    int64_t index = 0;
    FOR_EACH(actual, a, b, c, d) {
        const bool untouched = wanted->kind[index] == EXPECT_UNTOUCHED;
        if (tensor_is_unwritten(actual, tensor_element(actual, a, b, c, d)) != untouched) {
            problem_fail(self, "%s[%lld, %lld, %lld, %lld] was %swritten", name, (long long)a, (long long)b,
                         (long long)c, (long long)d, untouched ? "" : "not ");
        }
        const expectation kind = (expectation)wanted->kind[index];
        const double value = wanted->value[index], element = tensor_get(actual, a, b, c, d);
        if (oracle_has_row(truth, &self->args, c) && !meets(actual->type, element, value, kind, tolerance)) {
            problem_fail(self,
                         "%s[%lld, %lld, %lld, %lld] = %.9g, expected %.9g%s; error %.3g, tolerance %.3g "
                         "(size %.3g, largest |v| %.3g, naive error %.3g)",
                         name, (long long)a, (long long)b, (long long)c, (long long)d, element, value, kinds[kind],
                         fabs(element - value), tolerance, truth->size, truth->max_v, oracle_naive_error(wanted));
        }
        index++;
    }
}

/* Everything between the elements, and around them, must be as it was. */
static void compare_gaps(const problem *self, const char *name, const tensor *output) {
    if (!output->memory.pages) {
        return;
    }
    if (!guarded_intact(&output->memory)) {
        problem_fail(self, "wrote before or after %s", name);
    }
    const size_t count = output->memory.size / output->element;
    const unsigned char *memory = output->memory.data;
    bool *belongs = calloc(count > 0 ? count : 1, sizeof *belongs);
    ck_assert_ptr_nonnull(belongs);
    FOR_EACH(output, a, b, c, d) {
        const unsigned char *element = tensor_element(output, a, b, c, d);
        belongs[(size_t)(element - memory) / output->element] = true;
    }
    for (size_t i = 0; i < count; i++) {
        if (!belongs[i] && !tensor_is_unwritten(output, memory + i * output->element)) {
            problem_fail(self, "wrote between the elements of %s", name);
        }
    }
    free(belongs);
}

/* Few query rows are computed by the row kernels, in f32. */
static bool uses_pairs(const problem *self) {
    const problem_spec *spec = &self->spec;
    return spec->heads_kv > 0 && spec->len_q * (spec->heads_q / spec->heads_kv) > FV_MAX_ROWS && self->has_pairs;
}

/* Half a unit in the last of bf16's eight places, relative to the number. */
static const double bf16_rounding = 0x1p-8;

/* What scores may be off because queries and keys were rounded: each product by two roundings. */
static double error_of_scores(const problem *self, const oracle *truth) {
    const bool rounded = self->spec.type_q != FOVEA_BF16 || self->spec.type_kv != FOVEA_BF16;
    return rounded && uses_pairs(self) ? 2 * bf16_rounding * truth->size : 0;
}

double problem_out_tolerance(const problem *self, const oracle *truth) {
    const double of_scores = error_of_scores(self, truth);
    double relative = 0;
    if (uses_pairs(self)) {
        /* Probabilities, values where they have to be, and what the scores' errors make of probabilities. */
        relative = bf16_rounding + (of_scores > 0 ? bf16_rounding : 0) + fmin(2, expm1(2 * of_scores));
    }
    return oracle_out_tolerance(truth) + relative * truth->max_v;
}

double problem_lse_tolerance(const problem *self, const oracle *truth) {
    return oracle_lse_tolerance(truth) + error_of_scores(self, truth);
}

void problem_compare_with(const problem *self, const oracle *truth) {
    const double slack = (double)self->spec.slack;
    compare_elements(self, "out", &self->out, &truth->out, truth, slack * problem_out_tolerance(self, truth));
    compare_gaps(self, "out", &self->out);
    if (self->spec.outputs & FOVEA_OUTPUT_LSE) {
        compare_elements(self, "lse", &self->lse, &truth->lse, truth, slack * problem_lse_tolerance(self, truth));
        compare_gaps(self, "lse", &self->lse);
    }
    if (self->spec.weights != FOVEA_WEIGHTS_NONE) {
        compare_elements(self, "weights", &self->weights, &truth->weights, truth,
                         slack * oracle_weights_tolerance(truth, self->spec.weights));
        compare_gaps(self, "weights", &self->weights);
    }
}

void problem_compare(const problem *self) {
    oracle truth = oracle_create(&self->desc, &self->args, self->spec.row_step);
    problem_compare_with(self, &truth);
    oracle_destroy(&truth);
}

/* --- Bitwise comparison --- */

static unsigned char *append_elements(unsigned char *to, const tensor *from) {
    FOR_EACH(from, a, b, c, d) {
        memcpy(to, tensor_element(from, a, b, c, d), from->element);
        to += from->element;
    }
    return to;
}

static size_t bytes_of(const tensor *self) {
    return (size_t)(self->size[0] * self->size[1] * self->size[2] * self->size[3]) * self->element;
}

outcome problem_outcome(const problem *self) {
    outcome result = {.size = bytes_of(&self->out) + bytes_of(&self->lse) + bytes_of(&self->weights)};
    result.bytes = malloc(result.size + 1);
    ck_assert_ptr_nonnull(result.bytes);
    append_elements(append_elements(append_elements(result.bytes, &self->out), &self->lse), &self->weights);
    return result;
}

bool outcome_equal(const outcome *a, const outcome *b) {
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

void outcome_destroy(outcome *self) {
    free(self->bytes);
    *self = (outcome){0};
}

outcome problem_solve(const problem_spec *spec) {
    problem *self = problem_create(spec);
    problem_run_ok(self);
    const outcome result = problem_outcome(self);
    problem_destroy(self);
    return result;
}
