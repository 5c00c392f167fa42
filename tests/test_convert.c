/* Every kernel of the conversion family, of every backend that this processor runs. The oracle shares nothing with the
 * kernels: it knows the numbers that a narrow type has as doubles, from the definition of their bits, and rounds in
 * doubles (support/narrow.c). */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/backends.h"
#include "support/fpmode.h"
#include "support/kernel_memory.h"
#include "support/narrow.h"
#include "support/random.h"

/* --- The oracle --- */

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The bits of the f32 that a code stands for. */
static uint32_t wide_bits(const narrow_type *type, uint16_t code) {
    const uint32_t sign = (uint32_t)(code & NARROW_SIGN) << 16, magnitude = code & ~(uint32_t)NARROW_SIGN;
    const uint16_t infinity = narrow_infinity(type);
    if (magnitude > infinity) {
        /* Only bf16 has room for a signalling NaN that nothing touches. */
        const uint32_t quiet = type == &narrow_bf16 ? 0 : narrow_quiet_bit(type);
        return sign | 0x7f800000 | ((magnitude | quiet) & (infinity ^ 0x7fffu)) << (23 - type->fraction_bits);
    }
    return bits_of((float)narrow_value(type, code));
}

/* What x becomes; a NaN keeps the upper bits of its payload. */
static uint16_t expected_code(const narrow_type *type, float x) {
    const uint32_t payload = isnan(x) ? (bits_of(x) & 0x7fffff) >> (23 - type->fraction_bits) : 0;
    return (uint16_t)(narrow_nearest(type, (double)x) | payload);
}

/* --- The kernels under test --- */

typedef void (*widen_kernel)(const uint16_t *from, int64_t count, float *to);
typedef void (*narrow_kernel)(const float *from, int64_t count, uint16_t *to);

static widen_kernel widening(const fv_convert_kernels *kernels, const narrow_type *type) {
    return type == &narrow_f16 ? kernels->widen_f16 : kernels->widen_bf16;
}

static narrow_kernel narrowing(const fv_convert_kernels *kernels, const narrow_type *type) {
    return type == &narrow_f16 ? kernels->narrow_f16 : kernels->narrow_bf16;
}

static void check_widened(const narrow_type *type, int64_t count, const uint16_t *from, const float *to) {
    for (int64_t i = 0; i < count; i++) {
        ck_assert_msg(bits_of(to[i]) == wide_bits(type, from[i]), "%s 0x%04x became 0x%08x instead of 0x%08x",
                      type->name, from[i], bits_of(to[i]), wide_bits(type, from[i]));
    }
}

static void check_narrowed(const narrow_type *type, int64_t count, const float *from, const uint16_t *to) {
    for (int64_t i = 0; i < count; i++) {
        const uint16_t expected = expected_code(type, from[i]);
        ck_assert_msg(to[i] == expected, "%s of %a (0x%08x) is 0x%04x instead of 0x%04x", type->name, (double)from[i],
                      bits_of(from[i]), to[i], expected);
    }
}

/* Every step-th code is enough where time is scarce; an odd step meets even and odd ones. */
static int32_t code_step(void) {
    return (int32_t)(NARROW_CODES / test_scaled(NARROW_CODES)) | 1;
}

static void check_every_code(const fv_convert_kernels *kernels, const narrow_type *type) {
    static uint16_t codes[NARROW_CODES];
    static float wide[NARROW_CODES];
    int64_t count = 0;
    for (int32_t code = 0; code < NARROW_CODES; code += code_step()) {
        codes[count++] = (uint16_t)code;
    }
    widening(kernels, type)(codes, count, wide);
    check_widened(type, count, codes, wide);
}

START_TEST(every_f16_and_bf16_widens_exactly) {
    check_every_code(backend_at(_i)->convert, &narrow_f16);
    check_every_code(backend_at(_i)->convert, &narrow_bf16);
}
END_TEST

/* A code's value, the middle between it and the next code, and one unit to both sides of each, of both signs. */
enum { NEIGHBOURS = 12 };

static void neighbourhood(const narrow_type *type, uint16_t code, float *x) {
    const float value = (float)narrow_value(type, code);
    const double next =
        code + 1 < narrow_infinity(type) ? narrow_value(type, (uint16_t)(code + 1)) : narrow_beyond(type);
    const float middle = (float)((narrow_value(type, code) + next) / 2);
    const float positive[] = {value,  nextafterf(value, 0),  nextafterf(value, INFINITY),
                              middle, nextafterf(middle, 0), nextafterf(middle, INFINITY)};
    for (int32_t i = 0; i < NEIGHBOURS; i++) {
        x[i] = i % 2 ? -positive[i / 2] : positive[i / 2];
    }
}

static void check_every_neighbourhood(const fv_convert_kernels *kernels, const narrow_type *type) {
    static float wide[NARROW_CODES / 2 * NEIGHBOURS];
    static uint16_t narrow[NARROW_CODES / 2 * NEIGHBOURS];
    int64_t count = 0;
    for (int32_t code = 0; code < narrow_infinity(type); code += code_step()) {
        neighbourhood(type, (uint16_t)code, wide + count);
        count += NEIGHBOURS;
    }
    neighbourhood(type, (uint16_t)(narrow_infinity(type) - 1), wide + count);
    count += NEIGHBOURS;
    narrowing(kernels, type)(wide, count, narrow);
    check_narrowed(type, count, wide, narrow);
}

START_TEST(narrowing_rounds_to_nearest_even_around_every_value_and_midpoint) {
    check_every_neighbourhood(backend_at(_i)->convert, &narrow_f16);
    check_every_neighbourhood(backend_at(_i)->convert, &narrow_bf16);
}
END_TEST

START_TEST(f16_is_exact_whatever_the_denormal_modes) {
    const uint64_t mode = fpmode_get();
    fpmode_set(mode | FPMODE_FLUSHES_DENORMALS);
    static uint16_t codes[0x400], narrow[0x400];
    static float wide[0x400], exact[0x400];
    for (int32_t code = 0; code < 0x400; code++) {
        codes[code] = (uint16_t)(code | (code % 2 ? NARROW_SIGN : 0));
        exact[code] = (float)(code % 2 ? -1 : 1) * (float)code * 0x1p-24f;
    }
    backend_at(_i)->convert->widen_f16(codes, 0x400, wide);
    backend_at(_i)->convert->narrow_f16(exact, 0x400, narrow);
    fpmode_set(mode);
    check_widened(&narrow_f16, 0x400, codes, wide);
    check_narrowed(&narrow_f16, 0x400, exact, narrow);
}
END_TEST

START_TEST(special_values) {
    static const uint32_t specials[] = {
        0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, /* zeros, the ends of the subnormal */
        0x7f800000, 0xff800000, 0x7f7fffff, 0xff7fffff,                         /* infinities, the largest */
        0x7fc00000, 0xffc00000, 0x7fffffff, 0xffffffff, 0x7fd55555,             /* quiet NaNs */
        0x7f800001, 0xff800001, 0x7fbfffff, 0xffa00000, 0x7f801fff,             /* signalling NaNs */
        0x477fefff, 0x477ff000, 0x47800000, 0x33000000, 0x33000001, 0x32ffffff, /* the ends of f16 */
        0x7f7f7fff, 0x7f7f8000, 0x00008000, 0x00008001, 0x00007fff,             /* the ends of bf16 */
    };
    enum { SPECIALS = sizeof specials / sizeof *specials };
    float wide[SPECIALS];
    uint16_t narrow[SPECIALS];
    memcpy(wide, specials, sizeof wide);
    const narrow_type *types[] = {&narrow_f16, &narrow_bf16};
    for (int32_t t = 0; t < 2; t++) {
        narrowing(backend_at(_i)->convert, types[t])(wide, SPECIALS, narrow);
        check_narrowed(types[t], SPECIALS, wide, narrow);
    }
}
END_TEST

START_TEST(random_bits_narrow_to_the_nearest) {
    enum { COUNT = 40000 };
    static float wide[COUNT];
    static uint16_t narrow[COUNT];
    test_random random = test_random_named("narrow", _i);
    const int64_t count = test_scaled(COUNT);
    for (int64_t i = 0; i < count; i++) {
        /* Half of them within the range of f16. */
        const float within = random_float(&random, -0x1p16f, 0x1p16f);
        wide[i] =
            i % 2 ? ldexpf(within, (int)random_between(&random, -42, 0)) : float_of((uint32_t)random_bits(&random));
    }
    const narrow_type *types[] = {&narrow_f16, &narrow_bf16};
    for (int32_t t = 0; t < 2; t++) {
        narrowing(backend_at(_i)->convert, types[t])(wide, count, narrow);
        check_narrowed(types[t], count, wide, narrow);
    }
}
END_TEST

/* --- Tails: nothing beyond the ends is read or written, and the last elements come out as the others do --- */

enum { LONGEST_TAIL = 70, TRIES = 2 };

static void check_tail(const fv_convert_kernels *kernels, const narrow_type *type, int64_t count, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    uint16_t *codes = take_bytes(&memory, count * 2, 2), *narrow = take_bytes(&memory, count * 2, 2);
    float *wide = take_floats(&memory, count, sizeof(float)), *numbers = take_floats(&memory, count, sizeof(float));
    for (int64_t i = 0; i < count; i++) {
        codes[i] = (uint16_t)random_bits(random);
        numbers[i] = random_chance(random, 0.1) ? random_hostile(random) : random_float(random, -3, 3);
    }
    widening(kernels, type)(codes, count, wide);
    check_widened(type, count, codes, wide);
    narrowing(kernels, type)(numbers, count, narrow);
    check_narrowed(type, count, numbers, narrow);
    kernel_memory_end(&memory);
}

START_TEST(rows_of_every_length_end_where_they_end) {
    test_random random = test_random_named("convert tails", _i);
    for (int64_t count = 0; count <= LONGEST_TAIL; count++) {
        for (int32_t i = 0; i < TRIES; i++) {
            check_tail(backend_at(_i)->convert, &narrow_f16, count, &random);
            check_tail(backend_at(_i)->convert, &narrow_bf16, count, &random);
        }
    }
}
END_TEST

/* --- int8 --- */

static void check_widen_int8(const fv_convert_kernels *kernels, int64_t count, float scale, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    int8_t *from = take_bytes(&memory, count, 1);
    float *to = take_floats(&memory, count, sizeof(float));
    for (int64_t i = 0; i < count; i++) {
        from[i] = (int8_t)(random_bits(random) & 0xff);
    }
    kernels->widen_int8(from, count, scale, to);
    for (int64_t i = 0; i < count; i++) {
        const float expected = (float)((double)from[i] * (double)scale);
        ck_assert_msg(same_floats(1, &to[i], &expected), "%d * %.9g = %.9g", from[i], (double)scale, (double)to[i]);
    }
    kernel_memory_end(&memory);
}

START_TEST(int8_widens_to_the_rounded_product_with_its_scale) {
    static const float scales[] = {1, 0.01f, -0.5f, 0, 3e36f, 1e38f, 1e-40f, INFINITY, NAN};
    test_random random = test_random_named("widen int8", _i);
    for (int64_t count = 0; count <= LONGEST_TAIL; count++) {
        for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
            check_widen_int8(backend_at(_i)->convert, count, scales[i], &random);
        }
    }
    check_widen_int8(backend_at(_i)->convert, 1000, random_float(&random, 0, 1), &random);
}
END_TEST

/* The row's largest magnitude; NaN if it holds one, or an infinity. */
static float finite_peak(const float *row, int64_t count) {
    float largest = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(row[i])) {
            return NAN;
        }
        largest = fabsf(row[i]) > largest ? fabsf(row[i]) : largest;
    }
    return largest;
}

/* Quantises a row as its scale, max |row| / 127, demands. Quotients in double, rounded to float, are those of one
 * rounding. */
static void check_quantised(const fv_convert_kernels *kernels, const float *row, int64_t count, int8_t *to) {
    const float magnitude = kernels->magnitude(row, count), expected_magnitude = finite_peak(row, count);
    ck_assert_msg(same_floats(1, &magnitude, &expected_magnitude), "magnitude %.9g instead of %.9g", (double)magnitude,
                  (double)expected_magnitude);
    const float scale = (float)((double)magnitude / 127);
    kernels->narrow_int8(row, count, scale, to);
    for (int64_t i = 0; i < count; i++) {
        const double quotient = scale > 0 ? rint((double)(float)((double)row[i] / (double)scale)) : 0;
        const int32_t expected = (int32_t)fmin(fmax(quotient, -127), 127);
        ck_assert_msg(to[i] == expected, "%.9g / %.9g became %d instead of %d", (double)row[i], (double)scale, to[i],
                      (int)expected);
    }
}

static void quantise_and_check(const fv_convert_kernels *kernels, int64_t count, float range, float spoiler,
                               test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    float *row = take_random(&memory, count, sizeof(float), range);
    int8_t *to = take_bytes(&memory, count, 1);
    if (count > 0 && spoiler != 0) {
        row[random_between(random, 0, count - 1)] = spoiler;
    }
    check_quantised(kernels, row, count, to);
    kernel_memory_end(&memory);
}

START_TEST(a_row_is_quantised_by_its_largest_magnitude) {
    static const float ranges[] = {1, 1e-3f, 3e38f, 1e-37f, 0};
    test_random random = test_random_named("quantise", _i);
    for (int64_t count = 0; count <= LONGEST_TAIL; count++) {
        for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
            quantise_and_check(backend_at(_i)->convert, count, ranges[i], 0, &random);
        }
    }
}
END_TEST

START_TEST(a_row_that_is_not_finite_has_a_nan_as_magnitude_and_zeros) {
    static const float spoilers[] = {NAN, -NAN, INFINITY, -INFINITY};
    test_random random = test_random_named("quantise hostile", _i);
    for (int64_t count = 1; count <= LONGEST_TAIL; count++) {
        for (size_t i = 0; i < sizeof spoilers / sizeof *spoilers; i++) {
            quantise_and_check(backend_at(_i)->convert, count, 1, spoilers[i], &random);
        }
    }
}
END_TEST

START_TEST(midpoints_round_to_even_and_tiny_rows_stay_within_the_range) {
    const fv_convert_kernels *kernels = backend_at(_i)->convert;
    float midpoints[64], tiny[64];
    int8_t to[64];
    for (int32_t i = 0; i < 64; i++) {
        midpoints[i] = i == 0 ? 127 : (float)(i % 2 ? i : -i) + 0.5f;
        tiny[i] = (float)(i % 2 ? -3 * i : 3 * i) * FLT_TRUE_MIN;
    }
    check_quantised(kernels, midpoints, 64, to);
    check_quantised(kernels, tiny, 64, to);
    /* So small that the scale is zero. */
    check_quantised(kernels, tiny, 20, to);
}
END_TEST

Suite *convert_suite(void);

Suite *convert_suite(void) {
    Suite *suite = suite_create("convert");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, every_f16_and_bf16_widens_exactly);
    ADD_FOR_BACKENDS(tcase, int8_widens_to_the_rounded_product_with_its_scale);
    ADD_FOR_BACKENDS(tcase, a_row_is_quantised_by_its_largest_magnitude);
    ADD_FOR_BACKENDS(tcase, a_row_that_is_not_finite_has_a_nan_as_magnitude_and_zeros);
    ADD_FOR_BACKENDS(tcase, midpoints_round_to_even_and_tiny_rows_stay_within_the_range);
    suite_add_tcase(suite, tcase);
    /* Emulators that are wrong here leave these out (CK_EXCLUDE_TAGS). */
    tcase = tcase_create("f16 and denormal modes");
    tcase_set_tags(tcase, "f16-denormal-modes");
    ADD_FOR_BACKENDS(tcase, f16_is_exact_whatever_the_denormal_modes);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("midpoints of f16");
    tcase_set_tags(tcase, "f16-midpoints");
    ADD_FOR_BACKENDS(tcase, random_bits_narrow_to_the_nearest);
    ADD_FOR_BACKENDS(tcase, narrowing_rounds_to_nearest_even_around_every_value_and_midpoint);
    ADD_FOR_BACKENDS(tcase, special_values);
    ADD_FOR_BACKENDS(tcase, rows_of_every_length_end_where_they_end);
    suite_add_tcase(suite, tcase);
    return suite;
}
