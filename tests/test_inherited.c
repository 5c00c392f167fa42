/* An extended backend points to its base's tables for the families that it does not replace (arch/kernel.h): where a
 * call needs no other, the two give the same bits. */
#include <check.h>

#include "support/backends.h"
#include "support/problem.h"

static void expect_same_bits(problem_spec spec, const fv_backend *extended, const fv_backend *base) {
    spec.arithmetic = FOVEA_ARITHMETIC_DEFAULT;
    spec.isa = extended->isa;
    if (problem_has_pairs(&spec)) {
        return;
    }
    problem *self = problem_create(&spec);
    problem_run_ok(self);
    outcome actual = problem_outcome(self);
    spec.isa = base->isa;
    outcome wanted = problem_solve(&spec);
    if (!outcome_equal(&actual, &wanted)) {
        problem_fail(self, "%s does not give the bits of %s", extended->name, base->name);
    }
    outcome_destroy(&wanted);
    outcome_destroy(&actual);
    problem_destroy(self);
}

/* Every extended backend among those that this processor runs; there may be none. */
static void check_random(const char *name, int64_t count, int64_t largest) {
    for (int32_t i = 0; i < backend_count(); i++) {
        test_random random = test_random_named(name, i);
        for (int64_t n = backend_base_of(i, FOVEA_F32) ? test_scaled(count) : 0; n > 0; n--) {
            const fovea_exp exp = (fovea_exp)random_between(&random, FOVEA_EXP_DEFAULT, FOVEA_EXP_FUSED);
            const problem_spec spec = problem_random(&random, largest, FOVEA_ISA_AUTO, exp);
            if (backend_base_of(i, spec.type_kv)) {
                expect_same_bits(spec, backend_at(i), backend_base_of(i, spec.type_kv));
            }
        }
    }
}

START_TEST(small_problems_have_the_bits_of_the_base) {
    check_random("inherited small", 1500, 80);
}
END_TEST

START_TEST(problems_across_blocks_and_splits_have_the_bits_of_the_base) {
    check_random("inherited blocks", 300, 1100);
}
END_TEST

Suite *inherited_suite(void);

Suite *inherited_suite(void) {
    Suite *suite = suite_create("inherited");
    TCase *tcase = tcase_create("bits");
    tcase_add_test(tcase, small_problems_have_the_bits_of_the_base);
    tcase_add_test(tcase, problems_across_blocks_and_splits_have_the_bits_of_the_base);
    suite_add_tcase(suite, tcase);
    return suite;
}
