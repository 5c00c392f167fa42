#include <check.h>
#include <stdlib.h>

#include "spoil.h"
#include "src/plan.h"
#include "src/validate.h"
#include "support/backends.h"
#include "support/prefix_case.h"
#include "targets.h"

static void attend_ok(prefix_case *self) {
    if (prefix_attend(self) != FOVEA_OK) {
        problem_fail(self->own, "%s", fovea_last_reason());
    }
}

/* Computed again by other threads and workers. */
static void expect_same_bits(prefix_case *self, test_random *random) {
    outcome before = problem_outcome(self->own);
    self->own->desc.threads = (int32_t)random_between(random, 0, 3);
    test_executor_init(&self->own->executor, EXECUTOR_SHUFFLED, (int32_t)random_between(random, 1, 9), 1);
    problem_reset_outputs(self->own);
    attend_ok(self);
    outcome after = problem_outcome(self->own);
    if (!outcome_equal(&before, &after)) {
        problem_fail(self->own, "the result depends on threads or workers");
    }
    outcome_destroy(&before);
    outcome_destroy(&after);
}

/* What is refused is refused by the call too, and nothing is written. What is not may need memory that is not there. */
static void check_spoiled(prefix_case *self, test_random *random) {
    problem *own = self->own;
    const fovea_prefix_args before = self->prefix;
    fovea_prefix_args *prefix = spoil_copy(&before, sizeof before, random);
    if (random_chance(random, 0.2)) {
        prefix->k = RANDOM_OF(random, 0, 1) ? own->args.out : NULL;
    } else {
        SPOIL_KEEP(prefix, &before, k);
    }
    SPOIL_KEEP(prefix, &before, v);
    SPOIL_KEEP(prefix, &before, k_scales);
    SPOIL_KEEP(prefix, &before, v_scales);
    fovea_plan *plan = NULL;
    ck_assert_int_eq(fovea_plan_create(&own->desc, &plan), FOVEA_OK);
    const fovea_status status = fv_validate_prefix(&plan->desc, &own->args, prefix);
    if (status != FOVEA_OK) {
        spoil_expect_reason(status);
        outcome outputs = problem_outcome(own);
        ck_assert_int_eq(fovea_attention_prefix(&own->desc, &own->args, prefix, NULL), status);
        outcome after = problem_outcome(own);
        ck_assert_msg(outcome_equal(&outputs, &after), "an error, and the output was written to");
        outcome_destroy(&outputs);
        outcome_destroy(&after);
    }
    fovea_plan_destroy(plan);
    free(prefix);
}

void fuzz_prefix(const uint8_t *bytes, size_t size) {
    enum { LARGEST = 60 };
    test_random random = test_random_of_bytes(bytes, size);
    const fovea_exp exp = (fovea_exp)random_between(&random, FOVEA_EXP_DEFAULT, FOVEA_EXP_FUSED);
    const int64_t shared = random_between(&random, 0, RANDOM_OF(&random, 100, 30, 1000));
    problem_spec spec = prefix_random(&random, LARGEST, backend_any_cap(&random), exp);
    spec.executor = EXECUTOR_SHUFFLED;
    prefix_case self = prefix_create(&spec, shared);
    attend_ok(&self);
    prefix_compare(&self);
    expect_same_bits(&self, &random);
    check_spoiled(&self, &random);
    prefix_destroy(&self);
}
