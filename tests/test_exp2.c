/* The exponentials over EVERY float in [-126, 0], against f64: the proof of the bounds that arch/kernel.h states. Takes
 * about 15 seconds a backend and exponential; FOVEA_TEST_SCALE below 1 takes every n-th chunk. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/backends.h"
#include "support/random.h"

/* Bit patterns of -0.0 and -126. */
static const uint32_t first_bits = 0x80000000u, last_bits = 0xc2fc0000u;

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

static void check_chunk(const fv_panel_kernels *kernels, fv_exp exp, uint32_t bits, worst *found) {
    static float s[FV_MAX_BLOCK * FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    const int32_t count = FV_MAX_BLOCK * kernels->lanes;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t next = bits + (uint32_t)i;
        s[i] = float_of(next < last_bits ? next : last_bits);
    }
    kernels->exponentials(s, kernels->lanes, 1, FV_MAX_BLOCK, NULL, exp, 0);
    for (int32_t i = 0; i < count; i++) {
        const uint32_t next = bits + (uint32_t)i;
        const float x = float_of(next < last_bits ? next : last_bits);
        const double exact = exact_exp2(x), error = fabs((double)s[i] - exact);
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
}

START_TEST(every_float_from_minus_126_to_0_is_within_the_bound) {
    const backend_case at = backend_case_at(_i);
    const fv_panel_kernels *kernels = at.backend->panel;
    const fv_exp exp = at.exp == FOVEA_EXP_FUSED ? FV_EXP_FUSED : FV_EXP_SLEEF;
    const uint32_t chunk = (uint32_t)(FV_MAX_BLOCK * kernels->lanes);
    /* 1024 is a scale of 1: everything. */
    const int64_t scaled = test_scaled(1024);
    const uint32_t stride = scaled < 1024 ? (uint32_t)(1024 / scaled) : 1;
    worst found = {0};
    for (uint64_t bits = first_bits; bits <= last_bits; bits += (uint64_t)chunk * stride) {
        check_chunk(kernels, exp, (uint32_t)bits, &found);
    }
    printf("exp2 %-15s relative error %.3e, %.2f ULP, worst at %.9g\n", at.name, found.relative, found.ulp,
           (double)found.at);
    fflush(stdout);
    if (exp == FV_EXP_FUSED) {
        ck_assert_double_le(found.relative, 2.4e-7);
    } else {
        ck_assert_double_le(found.ulp, 3.5);
    }
}
END_TEST

Suite *exp2_suite(void);

Suite *exp2_suite(void) {
    Suite *suite = suite_create("exp2");
    TCase *tcase = tcase_create("exhaustive");
    ADD_FOR_CASES(tcase, every_float_from_minus_126_to_0_is_within_the_bound);
    suite_add_tcase(suite, tcase);
    return suite;
}
