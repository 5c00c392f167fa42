/* The row family of every backend that this processor runs, against plain loops: one row of scores. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "support/backends.h"
#include "support/kernel_case.h"
#include "support/kernel_memory.h"
#include "support/random.h"

/* A row of `count` scores, hostile ones among them. */
static float *take_scores(kernel_memory *memory, int32_t count, float range) {
    float *s = take_random(memory, count, FV_ALIGNMENT, range);
    make_hostile(s, count, memory->random);
    return s;
}

static int32_t random_count(test_random *random) {
    return (int32_t)(random_chance(random, 0.1) ? random_between(random, 71, FV_MAX_RUN)
                                                : random_between(random, 0, 70));
}

START_TEST(peak_is_the_largest_and_passes_over_nan) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("row peak", _i);
    for (int64_t n = 0; n < test_scaled(1000); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t count = random_count(&random);
        const float *s = take_scores(&memory, count, 9);
        const float start = random_chance(&random, 0.5) ? FV_NO_SCORE : random_float(&random, -9, 9);
        float largest = start;
        for (int32_t i = 0; i < count; i++) {
            largest = s[i] > largest ? s[i] : largest;
        }
        const float actual = kernels->peak(s, count, start);
        ck_assert_msg(actual == largest, "%.9g instead of %.9g of %d", (double)actual, (double)largest, (int)count);
        kernel_memory_end(&memory);
    }
}
END_TEST

START_TEST(row_softcap_is_cap_times_tanh) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("row softcap", _i);
    for (int64_t n = 0; n < test_scaled(500); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t count = random_count(&random);
        const float cap = random_float(&random, 0.5f, 50);
        float *s = take_scores(&memory, count, 4);
        const float *before = copy_of(&memory, s, count);
        kernels->softcap(s, count, cap);
        for (int32_t i = 0; i < count; i++) {
            const double exact = (double)cap * tanh((double)before[i]);
            ck_assert_msg(is_near(s[i], exact, 2.2 * 0x1p-23 * fabs(exact) + 0x1p-149), "%.9g became %.9g",
                          (double)before[i], (double)s[i]);
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

START_TEST(row_alibi_lowers_scores_by_their_distance_from_the_diagonal) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("row alibi", _i);
    for (int64_t n = 0; n < test_scaled(500); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t count = random_count(&random);
        const int32_t diagonal = (int32_t)random_between(&random, -5, count + 5);
        const float slope = random_float(&random, -2, 2);
        float *s = take_scores(&memory, count, 9);
        const float *before = copy_of(&memory, s, count);
        kernels->alibi(s, count, slope, (float)diagonal);
        for (int32_t i = 0; i < count; i++) {
            const double fall = (double)slope * abs(diagonal - i), exact = (double)before[i] - fall;
            const double bound = 0x1p-23 * (fabs((double)before[i]) + fabs(fall)) + 0x1p-149;
            ck_assert_msg(is_near(s[i], exact, bound), "%.9g became %.9g", (double)before[i], (double)s[i]);
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

START_TEST(row_add_terms_adds_and_minus_infinity_forbids_whatever_the_score) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("row add_terms", _i);
    for (int64_t n = 0; n < test_scaled(500); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t count = random_count(&random);
        float *s = take_scores(&memory, count, 9);
        const float *before = copy_of(&memory, s, count), *terms = take_scores(&memory, count, 3);
        kernels->add_terms(s, terms, count);
        for (int32_t i = 0; i < count; i++) {
            const float wanted = terms[i] == -INFINITY ? -INFINITY : before[i] + terms[i];
            ck_assert(same_floats(1, &wanted, &s[i]));
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

static bool is_exponential(float actual, float before, float shift, fv_exp exp, bool marks) {
    const float x = before - shift;
    if (before == -INFINITY) {
        return actual == 0.0f && (!marks || signbit(actual));
    }
    if (isnan(x)) {
        return isnan(actual);
    }
    if (x > 127.0f) {
        return true; /* discarded by the callers, who keep scores below their reference */
    }
    if (x < -126.0f) {
        return actual == 0.0f && !signbit(actual);
    }
    const double exact = exp2((double)x);
    const double bound = exp == FV_EXP_FUSED ? 2.4e-7 : 3.5 * 0x1p-23;
    return fabs((double)actual - exact) <= bound * exact;
}

START_TEST(row_exponentials_are_exp2_and_return_their_sum) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("row exponentials", _i);
    for (int64_t n = 0; n < test_scaled(1000); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t count = random_count(&random);
        const bool marks = random_chance(&random, 0.5);
        const fv_exp exp = random_chance(&random, 0.5) ? FV_EXP_SLEEF : FV_EXP_FUSED;
        const float shift = random_chance(&random, 0.1) ? 0 : random_float(&random, -20, 20);
        float *s = random_chance(&random, 0.5) ? take_scores(&memory, count, 130)
                                               : take_random(&memory, count, FV_ALIGNMENT, 10);
        const float *before = copy_of(&memory, s, count);
        float *again = copy_of(&memory, s, count);
        const float sum = kernels->exponentials(s, count, shift, exp, marks);
        double exact = 0, magnitude = 0;
        for (int32_t i = 0; i < count; i++) {
            ck_assert_msg(is_exponential(s[i], before[i], shift, exp, marks), "exp2(%.9g - %.9g) = %.9g",
                          (double)before[i], (double)shift, (double)s[i]);
            exact += (double)s[i];
            magnitude += fabs((double)s[i]);
        }
        ck_assert_msg(is_near(sum, exact, (double)count * unit * magnitude) || magnitude > 3e38,
                      "sum %.9g instead of %.9g", (double)sum, exact);
        const float same = kernels->exponentials(again, count, shift, exp, marks);
        ck_assert(same_floats(1, &sum, &same) && same_floats(count, s, again));
        kernel_memory_end(&memory);
    }
}
END_TEST

START_TEST(an_exponential_does_not_depend_on_its_place_in_the_row) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("row exponentials place", _i);
    for (int64_t n = 0; n < test_scaled(200); n++) {
        const fv_exp exp = n % 2 ? FV_EXP_SLEEF : FV_EXP_FUSED;
        const float score = random_float(&random, -30, 0);
        float first = 0;
        for (int32_t count = 1; count <= 35; count++) {
            kernel_memory memory = kernel_memory_create(&random);
            float *s = take_scores(&memory, count, 30);
            const int64_t place = random_between(&random, 0, count - 1);
            s[place] = score;
            kernels->exponentials(s, count, 0, exp, 1);
            first = count == 1 ? s[0] : first;
            ck_assert_msg(s[place] == first, "exp2(%.9g) differs at %d of %d", (double)score, (int)place, (int)count);
            kernel_memory_end(&memory);
        }
    }
}
END_TEST

START_TEST(scale_multiplies) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("row scale", _i);
    for (int64_t n = 0; n < test_scaled(300); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t count = random_count(&random);
        float *x = take_scores(&memory, count, 9);
        const float *before = copy_of(&memory, x, count);
        const float factor = random_float(&random, -2, 2);
        kernels->scale(x, count, factor);
        for (int32_t i = 0; i < count; i++) {
            const float wanted = before[i] * factor;
            ck_assert(same_floats(1, &wanted, &x[i]));
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

START_TEST(log_sum_exp_is_natural_and_minus_infinity_for_nothing) {
    const fv_row_kernels *kernels = backend_at(_i)->row;
    test_random random = test_random_named("log_sum_exp", _i);
    for (int64_t n = 0; n < test_scaled(500); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t count = random_count(&random);
        float *m = take_random(&memory, count, FV_ALIGNMENT, 40), *l = take_random(&memory, count, FV_ALIGNMENT, 1);
        float *lse = take_floats(&memory, count, FV_ALIGNMENT);
        for (int32_t i = 0; i < count; i++) {
            l[i] = exp2f(random_float(&random, -20, 20));
            if (random_chance(&random, 0.1)) {
                l[i] = 0;
                m[i] = FV_NO_SCORE;
            } else if (random_chance(&random, 0.1)) {
                l[i] = NAN;
            }
        }
        kernels->log_sum_exp(m, l, count, lse);
        for (int32_t i = 0; i < count; i++) {
            if (l[i] == 0) {
                ck_assert(lse[i] == -INFINITY);
            } else {
                const double exact = ((double)m[i] + log2((double)l[i])) * 0.69314718055994530942;
                const double size = fabs((double)m[i]) + fabs(log2((double)l[i]));
                ck_assert_msg(is_near(lse[i], exact, 3e-7 * fmax(size, 0.1)), "lse(%.9g, %.9g) = %.9g instead of %.9g",
                              (double)m[i], (double)l[i], (double)lse[i], exact);
            }
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

Suite *row_scores_suite(void);

Suite *row_scores_suite(void) {
    Suite *suite = suite_create("row scores");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, peak_is_the_largest_and_passes_over_nan);
    ADD_FOR_BACKENDS(tcase, row_softcap_is_cap_times_tanh);
    ADD_FOR_BACKENDS(tcase, row_alibi_lowers_scores_by_their_distance_from_the_diagonal);
    ADD_FOR_BACKENDS(tcase, row_add_terms_adds_and_minus_infinity_forbids_whatever_the_score);
    ADD_FOR_BACKENDS(tcase, row_exponentials_are_exp2_and_return_their_sum);
    ADD_FOR_BACKENDS(tcase, an_exponential_does_not_depend_on_its_place_in_the_row);
    ADD_FOR_BACKENDS(tcase, scale_multiplies);
    ADD_FOR_BACKENDS(tcase, log_sum_exp_is_natural_and_minus_infinity_for_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
