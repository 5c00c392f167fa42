/* The exponentials over EVERY float in [-126, 0], those below -110 with marks, and softcap's tanh, against f64: the
 * proof of the bounds that arch/kernel.h states, and the figures of docs/numerics.md. Takes about 15 seconds a backend
 * and exponential; FOVEA_TEST_SCALE below 1 takes every n-th chunk. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/backends.h"
#include "support/random.h"

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^x in double; near 0 by its series, whose next term is below the rounding of a double. */
static double exact_exp2(float x) {
    return x > -0x1p-28f ? 1.0 + (double)x * 0.69314718055994530942 : exp2((double)x);
}

/* The largest errors so far. */
typedef struct worst {
    double relative, ulp;
    float at;
} worst;

static void note(worst *found, float x, float result, double exact) {
    const double error = fabs((double)result - exact);
    if (!(error <= found->relative * exact)) {
        found->relative = error / exact;
        found->at = x;
    }
    /* An ULP is 2^-23 of the power of two below the value. */
    if (!(error <= found->ulp * 0x1p-24 * exact)) {
        int exponent;
        frexp(exact, &exponent);
        const double ulp = error / ldexp(1, exponent - 24);
        found->ulp = !(ulp <= found->ulp) ? ulp : found->ulp;
    }
}

/* Runs of the floats whose bits are [first, last], of a chunk each. */
typedef struct float_range {
    uint32_t first, last;
} float_range;

static float float_in(float_range range, uint64_t bits) {
    return float_of(bits < range.last ? (uint32_t)bits : range.last);
}

/* Of FV_MAX_BLOCK vectors. */
typedef void apply_kernel(const fv_backend *backend, fv_exp exp, float *s);
typedef double exact_function(float x);

static worst worst_over(const fv_backend *backend, fv_exp exp, float_range range, apply_kernel *apply,
                        exact_function *exact) {
    static float s[FV_MAX_BLOCK * FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    const uint32_t chunk = (uint32_t)(FV_MAX_BLOCK * backend->panel->lanes);
    /* 1024 is a scale of 1: everything. */
    const int64_t scaled = test_scaled(1024);
    const uint32_t stride = scaled < 1024 ? (uint32_t)(1024 / scaled) : 1;
    worst found = {0};
    for (uint64_t bits = range.first; bits <= range.last; bits += (uint64_t)chunk * stride) {
        for (uint32_t i = 0; i < chunk; i++) {
            s[i] = float_in(range, bits + i);
        }
        apply(backend, exp, s);
        for (uint32_t i = 0; i < chunk; i++) {
            const float x = float_in(range, bits + i);
            note(&found, x, s[i], exact(x));
        }
    }
    return found;
}

static void report(const char *function, const char *name, const worst *found) {
    printf("%s %-20s relative error %.3e, %.2f ULP, worst at %.9g\n", function, name, found->relative, found->ulp,
           (double)found->at);
    fflush(stdout);
}

/* Between -0.0, -110 and -126. */
static const float_range to_minus_110 = {0x80000000u, 0xc2dc0000u}, below_minus_110 = {0xc2dc0000u, 0xc2fc0000u},
                         to_minus_126 = {0x80000000u, 0xc2fc0000u};

static void apply_exp2(const fv_backend *backend, fv_exp exp, float *s) {
    backend->panel->exponentials(s, backend->panel->lanes, 1, FV_MAX_BLOCK, NULL, exp, 0);
}

static void apply_marked_exp2(const fv_backend *backend, fv_exp exp, float *s) {
    backend->panel->exponentials(s, backend->panel->lanes, 1, FV_MAX_BLOCK, NULL, exp, 1);
}

static worst check_exp2(const backend_case *at, float_range range, apply_kernel *apply) {
    const fv_exp exp = at->exp == FOVEA_EXP_FUSED ? FV_EXP_FUSED : FV_EXP_SLEEF;
    const worst found = worst_over(at->backend, exp, range, apply, exact_exp2);
    if (exp == FV_EXP_FUSED) {
        ck_assert_double_le(found.relative, 2.4e-7);
    } else {
        ck_assert_double_le(found.ulp, 3.5);
    }
    return found;
}

START_TEST(every_float_from_minus_110_to_0_is_within_the_bound) {
    const backend_case at = backend_case_at(_i);
    const worst found = check_exp2(&at, to_minus_110, apply_exp2);
    report("exp2", at.name, &found);
}
END_TEST

START_TEST(every_float_from_minus_126_to_minus_110_is_within_the_bound_with_marks) {
    const backend_case at = backend_case_at(_i);
    check_exp2(&at, below_minus_110, apply_marked_exp2);
}
END_TEST

/* The probabilities of pairs before they are rounded: sums over one key. */
static void apply_pair_exp2(const fv_backend *backend, fv_exp exp, float *s) {
    const int32_t lanes = backend->pair->lanes;
    float p[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    for (int32_t i = 0; i < FV_MAX_BLOCK; i++, s += lanes) {
        float sum[FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT))) = {0};
        backend->pair->probabilities(s, lanes, 1, 1, NULL, exp, p, sum);
        memcpy(s, sum, sizeof *s * (size_t)lanes);
    }
}

START_TEST(every_float_from_minus_126_to_0_is_within_the_bound_in_pairs) {
    static const struct {
        const char *name;
        fv_exp exp;
        double bound;
    } ways[] = {{"fused", FV_EXP_FUSED, 2.4e-7}, {"coarse", FV_EXP_COARSE, 1.2e-4}};
    const fv_backend *backend = backend_at(_i);
    for (size_t i = 0; backend->pair && i < sizeof ways / sizeof *ways; i++) {
        const worst found = worst_over(backend, ways[i].exp, to_minus_126, apply_pair_exp2, exact_exp2);
        char name[60];
        snprintf(name, sizeof name, "%s, %s", backend->name, ways[i].name);
        report("exp2 of pairs", name, &found);
        ck_assert_double_le(found.relative, ways[i].bound);
    }
}
END_TEST

static void apply_tanh(const fv_backend *backend, fv_exp exp, float *s) {
    (void)exp;
    backend->panel->softcap(s, backend->panel->lanes, 1, FV_MAX_BLOCK, 1.0f);
}

static double exact_tanh(float x) {
    return tanh((double)x);
}

START_TEST(softcaps_tanh_of_every_float_from_2_to_the_minus_12_to_16_is_within_the_bound) {
    const fv_backend *backend = backend_at(_i);
    const worst found =
        worst_over(backend, FV_EXP_SLEEF, (float_range){0x39800000u, 0x41800000u}, apply_tanh, exact_tanh);
    report("tanh", backend->name, &found);
    ck_assert_double_le(found.ulp, 1.6);
}
END_TEST

Suite *exp2_suite(void);

Suite *exp2_suite(void) {
    Suite *suite = suite_create("exp2");
    TCase *tcase = tcase_create("exhaustive");
    ADD_FOR_CASES(tcase, every_float_from_minus_110_to_0_is_within_the_bound);
    ADD_FOR_CASES(tcase, every_float_from_minus_126_to_minus_110_is_within_the_bound_with_marks);
    ADD_FOR_BACKENDS(tcase, every_float_from_minus_126_to_0_is_within_the_bound_in_pairs);
    ADD_FOR_BACKENDS(tcase, softcaps_tanh_of_every_float_from_2_to_the_minus_12_to_16_is_within_the_bound);
    suite_add_tcase(suite, tcase);
    return suite;
}
