/* How the row family of every backend that this processor runs reads int8: scales of every size, and numbers beside
 * much larger ones, which digits of fixed point would lose. test_row_reads.c has what all types have in common. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "arch/cpu.h"
#include "support/backends.h"
#include "support/emulated_bytes.h"
#include "support/kernel_case.h"
#include "support/kernel_memory.h"
#include "support/random.h"

START_TEST(an_infinite_scale_makes_its_row_infinite_and_not_nan) {
    const fv_backend *backend = backend_at(_i);
    test_random random = test_random_named("dots, infinite scale", _i);
    enum { KEYS = 5 };
    for (int64_t dim = 1; dim <= 70; dim++) {
        kernel_memory memory = kernel_memory_create(&random);
        int8_t *k = take_bytes(&memory, KEYS * dim, 1);
        float *q = take_floats(&memory, dim, FV_ALIGNMENT), *scales = take_random(&memory, KEYS, sizeof(float), 1);
        float *s = take_floats(&memory, KEYS, FV_ALIGNMENT), *o = take_floats(&memory, dim, FV_ALIGNMENT);
        for (int64_t d = 0; d < dim; d++) {
            q[d] = 1;
            o[d] = 0;
        }
        memset(k, 1, (size_t)(KEYS * dim));
        scales[2] = INFINITY;
        const fv_stored stored = {
            .rows = k, .stride = dim, .count = KEYS, .length = dim, .scales = scales, .scale_stride = 1};
        backend->read[FOVEA_INT8]->dots(q, dim, 1, &stored, s, KEYS);
        for (int32_t key = 0; key < KEYS; key++) {
            ck_assert(key == 2 ? s[key] == INFINITY : isfinite(s[key]) != 0);
            s[key] = 1;
        }
        backend->read[FOVEA_INT8]->weighted_sum(s, KEYS, 1, &stored, o, dim);
        for (int64_t d = 0; d < dim; d++) {
            ck_assert(o[d] == INFINITY);
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

/* Scales too large, too small or too many to be taken out of a sum over elements, and queries whose sum with the bare
 * elements overflows: the results are those of the scaled elements all the same. */
START_TEST(int8_rows_with_any_scale_are_their_scaled_elements) {
    const fv_backend *backend = backend_at(_i);
    test_random random = test_random_named("strange scales", _i);
    static const float scales[] = {0, -0.0f, 1, -0.5f, 0x1p-41f, -0x1p-140f, 0x1p-149f, 0x1p99f, 0x1p100f, -1e36f};
    static const float queries[] = {1, 0x1p-20f, 0x1p124f, 0x1p-100f};
    enum { SCALES = sizeof scales / sizeof *scales, ROWS = 3, MOST_KEYS = 304 };
    for (int64_t n = 0; n < test_scaled(100); n++) {
        /* Every fourth time so many of so many whole vectors that they are read in pieces. */
        const int32_t keys = n % 4 ? 70 : 300, dim = n % 4 ? 37 : 48;
        kernel_memory memory = kernel_memory_create(&random);
        int8_t *rows = take_bytes(&memory, keys * dim, 1);
        float *of = take_floats(&memory, keys, sizeof(float));
        float *q = take_random(&memory, ROWS * 48, FV_ALIGNMENT, 1),
              *s = take_floats(&memory, ROWS * MOST_KEYS, FV_ALIGNMENT);
        const float query = queries[random_between(&random, 0, 3)];
        for (int32_t i = 0; i < ROWS * 48; i++) {
            q[i] *= query;
        }
        for (int32_t i = 0; i < keys * dim; i++) {
            rows[i] = (int8_t)random_between(&random, -127, 127);
        }
        for (int32_t key = 0; key < keys; key++) {
            of[key] = random_chance(&random, 0.9) ? random_float(&random, -1, 1)
                                                  : scales[random_between(&random, 0, SCALES - 1)];
        }
        const fv_stored stored = {
            .rows = rows, .stride = dim, .count = keys, .length = dim, .scales = of, .scale_stride = 1};
        backend->read[FOVEA_INT8]->dots(q, 48, ROWS, &stored, s, MOST_KEYS);
        for (int32_t at = 0; at < ROWS * keys; at++) {
            const int32_t row = at / keys, key = at % keys;
            double exact = 0, size = 0;
            for (int32_t d = 0; d < dim; d++) {
                const double term = (double)q[row * 48 + d] * rows[key * dim + d] * (double)of[key];
                exact += term;
                size += fabs(term);
            }
            /* Where every element and sum of them fits f32; the rest is IEEE's affair. */
            if (size < 0x1p127 && fabsf(of[key]) < 0x1p120f) {
                ck_assert_msg(is_near(s[row * MOST_KEYS + key], exact, (2 * dim + 2) * unit * size + dim * 0x1p-126),
                              "dot %.9g instead of %.9g (scale %.9g, queries of %.9g)",
                              (double)s[row * MOST_KEYS + key], exact, (double)of[key], (double)query);
            }
        }
        float *o = take_floats(&memory, ROWS * 48, FV_ALIGNMENT),
              *p = take_random(&memory, ROWS * MOST_KEYS, FV_ALIGNMENT, 1);
        memset(o, 0, sizeof *o * ROWS * 48);
        backend->read[FOVEA_INT8]->weighted_sum(p, MOST_KEYS, ROWS, &stored, o, 48);
        for (int32_t at = 0; at < ROWS * dim; at++) {
            const int32_t row = at / dim, d = at % dim;
            double exact = 0, size = 0;
            for (int32_t key = 0; key < keys; key++) {
                const double term = (double)p[row * MOST_KEYS + key] * rows[key * dim + d] * (double)of[key];
                exact += term;
                size += fabs(term);
            }
            if (size < 0x1p127) {
                ck_assert_msg(is_near(o[row * 48 + d], exact, (2 * keys + 2) * unit * size), "sum %.9g instead of %.9g",
                              (double)o[row * 48 + d], exact);
            }
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

/* Numbers that a representation in fixed point would lose beside a larger one, which itself meets zeros: how far
 * results are from exact ones is limited by what they are sums of. */
enum { SPREAD_KEYS = 256, SPREAD_DIM = 128, SPREAD_ROWS = 6 };

static fv_stored take_spread(kernel_memory *memory, int8_t **rows, float **scales) {
    *rows = take_bytes(memory, SPREAD_KEYS * SPREAD_DIM, 1);
    *scales = take_floats(memory, SPREAD_KEYS, sizeof(float));
    for (int32_t i = 0; i < SPREAD_KEYS * SPREAD_DIM; i++) {
        (*rows)[i] = random_chance(memory->random, 0.5) ? 127 : -127;
    }
    for (int32_t key = 0; key < SPREAD_KEYS; key++) {
        (*scales)[key] = 1 / 128.0f;
    }
    return (fv_stored){.rows = *rows,
                       .stride = SPREAD_DIM,
                       .count = SPREAD_KEYS,
                       .length = SPREAD_DIM,
                       .scales = *scales,
                       .scale_stride = 1};
}

static void check_spread_queries_once(const fv_row_reads *read, int64_t number, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    int8_t *rows;
    float *scales, *q = take_random(&memory, SPREAD_ROWS * SPREAD_DIM, FV_ALIGNMENT, 1),
                   *s = take_floats(&memory, SPREAD_ROWS * SPREAD_KEYS, FV_ALIGNMENT);
    const fv_stored k = take_spread(&memory, &rows, &scales);
    const int64_t large = random_between(random, 1, 16);
    /* Among them those around the largest number of four digits. */
    static const float candidates[] = {8, 0x1.fdfdfcp0f, 0x1.fdfdfep0f, 0x1.fep0f, 0x1.fffffep0f, -1, 0x1p35f};
    const float largest = candidates[random_between(random, 0, (int64_t)(sizeof candidates / sizeof *candidates) - 1)];
    for (int32_t i = 0; i < SPREAD_ROWS * SPREAD_DIM; i++) {
        q[i] = i % SPREAD_DIM < large ? (i % 3 ? largest : -largest) : ldexpf(q[i], -(int32_t)(number % 30));
    }
    for (int32_t i = 0; number % 3 && i < SPREAD_KEYS * SPREAD_DIM; i++) {
        rows[i] = i % SPREAD_DIM < large ? 0 : rows[i];
    }
    read->dots(q, SPREAD_DIM, SPREAD_ROWS, &k, s, SPREAD_KEYS);
    for (int32_t at = 0; at < SPREAD_ROWS * SPREAD_KEYS; at++) {
        double exact = 0, size = 0;
        for (int32_t d = 0; d < SPREAD_DIM; d++) {
            const double term = (double)q[at / SPREAD_KEYS * SPREAD_DIM + d] * rows[at % SPREAD_KEYS * SPREAD_DIM + d] *
                                (double)scales[at % SPREAD_KEYS];
            exact += term;
            size += fabs(term);
        }
        ck_assert_msg(is_near(s[at], exact, 5e-7 * fmax(1, size)), "dot %.9g instead of %.9g (largest query %.9g)",
                      (double)s[at], exact, (double)largest);
    }
    kernel_memory_end(&memory);
}

/* One weight of 1 among small ones; its values are all 0, with a larger scale than the others', every second time. */
static void check_spread_weights_once(const fv_row_reads *read, int64_t number, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    int8_t *rows;
    float *scales, *p = take_floats(&memory, SPREAD_ROWS * SPREAD_KEYS, FV_ALIGNMENT),
                   *o = take_floats(&memory, SPREAD_ROWS * SPREAD_DIM, FV_ALIGNMENT);
    const fv_stored v = take_spread(&memory, &rows, &scales);
    for (int32_t i = 0; i < SPREAD_ROWS * SPREAD_KEYS; i++) {
        p[i] = i % SPREAD_KEYS == 5 ? 1 : ldexpf(random_float(random, 0.5f, 1), -(int32_t)(number % 26));
    }
    if (number % 2) {
        scales[5] = ldexpf(1, (int32_t)random_between(random, -8, 8));
        memset(rows + 5 * SPREAD_DIM, 0, SPREAD_DIM);
    }
    memset(o, 0, sizeof *o * SPREAD_ROWS * SPREAD_DIM);
    read->weighted_sum(p, SPREAD_KEYS, SPREAD_ROWS, &v, o, SPREAD_DIM);
    for (int32_t at = 0; at < SPREAD_ROWS * SPREAD_DIM; at++) {
        double exact = 0, sum = 0;
        for (int32_t key = 0; key < SPREAD_KEYS; key++) {
            const double weight = (double)p[at / SPREAD_DIM * SPREAD_KEYS + key];
            exact += weight * rows[key * SPREAD_DIM + at % SPREAD_DIM] * (double)scales[key];
            sum += weight;
        }
        /* The largest value is 127 / 128. Small weights are lost from sums in f32 too. */
        ck_assert_msg(is_near(o[at], exact, 2.5e-6 * sum), "sum %.9g instead of %.9g, of weights %.9g", (double)o[at],
                      exact, sum);
    }
    kernel_memory_end(&memory);
}

START_TEST(queries_beside_much_larger_ones_keep_their_scores) {
    test_random random = test_random_named("spread queries", _i);
    for (int64_t n = 0; n < test_scaled(90); n++) {
        check_spread_queries_once(backend_at(_i)->read[FOVEA_INT8], n, &random);
    }
}
END_TEST

START_TEST(weights_beside_a_much_larger_one_keep_their_values) {
    test_random random = test_random_named("spread weights", _i);
    for (int64_t n = 0; n < test_scaled(60); n++) {
        check_spread_weights_once(backend_at(_i)->read[FOVEA_INT8], n, &random);
    }
}
END_TEST

#ifdef HAVE_EMULATED_BYTES
/* What AVX512-VNNI and AMX-INT8 do, over AVX-512 alone. */
START_TEST(emulated_digits_keep_small_numbers) {
    const fv_row_reads *read = _i ? &emulated_byte_matrix_reads : &emulated_byte_reads;
    test_random random = test_random_named("emulated digits", _i);
    for (int64_t i = 0; (fv_cpu_detect() & FV_CPU_AVX512) == FV_CPU_AVX512 && i < test_scaled(200); i++) {
        check_spread_queries_once(read, i, &random);
        check_spread_weights_once(read, i, &random);
    }
}
END_TEST
#endif

Suite *row_bytes_suite(void);

Suite *row_bytes_suite(void) {
    Suite *suite = suite_create("row bytes");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, an_infinite_scale_makes_its_row_infinite_and_not_nan);
    ADD_FOR_BACKENDS(tcase, int8_rows_with_any_scale_are_their_scaled_elements);
    ADD_FOR_BACKENDS(tcase, queries_beside_much_larger_ones_keep_their_scores);
    ADD_FOR_BACKENDS(tcase, weights_beside_a_much_larger_one_keep_their_values);
#ifdef HAVE_EMULATED_BYTES
    tcase_add_loop_test(tcase, emulated_digits_keep_small_numbers, 0, 2);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
