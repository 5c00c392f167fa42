/* The panel family of every backend that this processor runs, against plain loops: scores, and what goes into a panel
 * and out of it.
 *
 * Each case is computed in two different arrangements of the same columns (other lanes, other vectors, other row
 * lengths, other divisions of the keys), and must give the same bits: rule 3 of arch/kernel.h. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/backends.h"
#include "support/kernel_case.h"
#include "support/kernel_memory.h"
#include "support/panel_case.h"
#include "support/random.h"

START_TEST(a_panel_has_sound_measures) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    ck_assert_int_ge(kernels->lanes, 1);
    ck_assert_int_ge(kernels->vectors, 1);
    ck_assert_int_le(kernels->vectors, FV_MAX_VECTORS);
    ck_assert_int_le(kernels->lanes * kernels->vectors, FV_MAX_LANES);
    ck_assert_int_ge(kernels->key_block, 1);
    ck_assert_int_le(kernels->key_block, FV_MAX_BLOCK);
}
END_TEST

/* --- scores, scores_exp, scores_exp_sleef --- */

typedef struct score_case {
    int32_t keys, columns;
    int64_t head_dim, k_stride;
    const float *k;
    columns *q, *start, *peak;
} score_case;

typedef void score_kernel(const fv_score_args *args);

/* Computes a case in one arrangement, the keys in two runs, into s and peak, which begins alike. */
static void arrange_scores(const score_case *c, const fv_panel_kernels *kernels, score_kernel *kernel, float *s,
                           float *peak, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const arrangement where = arrangement_random(kernels, c->columns, false, random);
    float *panel = take_panel(&memory, &where, c->keys, NULL);
    const float *before = take_copy(&memory, &where, c->keys, panel);
    float *peaks = peak ? take_lanes(&memory, &where, c->peak->data) : NULL;
    fv_score_args args = {
        .k_stride = c->k_stride,
        .head_dim = c->head_dim,
        .q = take_panel(&memory, &where, c->head_dim, c->q->data),
        .ld = where.ld,
        .vectors = where.vectors,
        .start = take_lanes(&memory, &where, c->start->data),
        .peak = peaks,
    };
    const int32_t first = (int32_t)random_between(random, 0, c->keys);
    const int32_t runs[3] = {0, random_chance(random, 0.5) ? 0 : first, c->keys};
    for (int i = 0; i < 2; i++) {
        args.keys = runs[i + 1] - runs[i];
        args.k = c->k + runs[i] * c->k_stride;
        args.s = panel + (int64_t)runs[i] * where.ld;
        if (i == 1 || args.keys > 0) {
            kernel(&args);
        }
    }
    ck_assert_msg(same_beside(&where, c->keys, panel, before), "wrote to vectors that are not its own");
    gather_panel(&where, c->keys, panel, s);
    if (peak) {
        gather_panel(&where, 1, peaks, peak);
    }
    kernel_memory_end(&memory);
}

static score_case score_case_random(kernel_memory *memory, const fv_panel_kernels *kernels, bool hostile) {
    test_random *random = memory->random;
    score_case c = {
        .keys = random_keys(kernels, random),
        .columns = random_columns(kernels, random),
        .head_dim = random_dim(random),
    };
    float *k = take_rows(memory, c.keys, c.head_dim, 1, &c.k_stride);
    c.q = columns_random(c.head_dim * c.columns, random_chance(random, 0.3) ? 6 : 1, random);
    c.start = columns_random(c.columns, random_chance(random, 0.5) ? 0 : 20, random);
    c.peak = columns_random(c.columns, 4, random);
    for (int32_t i = 0; i < c.columns; i++) {
        if (random_chance(random, 0.5)) {
            c.peak->data[i] = FV_NO_SCORE;
        }
        if (random_chance(random, 0.1)) {
            c.start->data[i] += FV_LEAST_PANEL_EXPONENT;
        }
    }
    if (c.keys > 0 && random_chance(random, 0.2)) {
        /* Scores that are exactly what they start with. */
        memset(k + random_between(random, 0, c.keys - 1) * c.k_stride, 0, sizeof *k * (size_t)c.head_dim);
    }
    for (int32_t i = 0; hostile && i < 2 && c.keys > 0; i++) {
        k[random_between(random, 0, c.keys - 1) * c.k_stride + random_between(random, 0, c.head_dim - 1)] =
            (float[]){NAN, INFINITY, -INFINITY, 0.0f}[random_between(random, 0, 3)];
    }
    c.k = k;
    return c;
}

static void score_case_destroy(score_case *c) {
    free(c->q);
    free(c->start);
    free(c->peak);
}

/* The exact score and the bound of its rounding errors. */
static double exact_score(const score_case *c, int32_t key, int32_t column, double *bound) {
    const double start = (double)c->start->data[column];
    double sum = start, size = fabs(start);
    for (int64_t d = 0; d < c->head_dim; d++) {
        const double term = (double)c->k[key * c->k_stride + d] * (double)c->q->data[d * c->columns + column];
        sum += term;
        size += fabs(term);
    }
    *bound = (double)(2 * c->head_dim + 1) * unit * size;
    return sum;
}

static void check_peak(const score_case *c, const float *s, const float *peak) {
    for (int32_t column = 0; column < c->columns; column++) {
        float largest = c->peak->data[column];
        for (int32_t key = 0; key < c->keys; key++) {
            const float score = s[key * c->columns + column];
            largest = score > largest ? score : largest;
        }
        ck_assert_msg(peak[column] == largest, "peak %.9g instead of %.9g", (double)peak[column], (double)largest);
    }
}

static void check_scores_once(const fv_panel_kernels *kernels, bool hostile, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    score_case c = score_case_random(&memory, kernels, hostile);
    columns *s = columns_random(0, 0, random), *again = columns_random(0, 0, random);
    float peak[FV_MAX_LANES], other_peak[FV_MAX_LANES];
    arrange_scores(&c, kernels, kernels->scores, s->data, peak, random);
    for (int32_t key = 0; key < c.keys; key++) {
        for (int32_t column = 0; column < c.columns; column++) {
            double bound;
            const double exact = exact_score(&c, key, column, &bound);
            const float actual = s->data[key * c.columns + column];
            ck_assert_msg(is_near(actual, exact, bound), "score %.9g instead of %.9g (keys %d, head_dim %d)",
                          (double)actual, exact, (int)c.keys, (int)c.head_dim);
        }
    }
    check_peak(&c, s->data, peak);
    arrange_scores(&c, kernels, kernels->scores, again->data, other_peak, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, s->data, again->data), "scores depend on the arrangement");
    arrange_scores(&c, kernels, kernels->scores, again->data, NULL, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, s->data, again->data), "scores depend on wanting the peak");
    ck_assert_msg(same_floats(c.columns, peak, other_peak), "peaks depend on the arrangement");
    free(s);
    free(again);
    score_case_destroy(&c);
    kernel_memory_end(&memory);
}

/* A kernel of scores and their exponentials. */
typedef struct exp_kernel {
    score_kernel *run;
    double relative_bound;
    /* Whether its results have the bits of `exponentials` with FV_EXP_SLEEF, which flushes where a tile need not look.
     */
    bool is_sleef;
} exp_kernel;

static void check_sleefs_bits(const fv_panel_kernels *kernels, int64_t count, const float *s, const float *p,
                              kernel_memory *memory) {
    const int64_t lanes = kernels->lanes, vectors = (count + lanes - 1) / lanes;
    float *apart = take_floats(memory, vectors * lanes, FV_ALIGNMENT);
    memset(apart, 0, sizeof *apart * (size_t)(vectors * lanes));
    memcpy(apart, s, sizeof *s * (size_t)count);
    kernels->exponentials(apart, (int32_t)lanes, 1, (int32_t)vectors, NULL, FV_EXP_SLEEF, 0);
    ck_assert_msg(same_floats(count, apart, p), "the exponentials are not those that are taken apart from scores");
}

static void check_scores_exp_once(const fv_panel_kernels *kernels, const exp_kernel *kernel, bool hostile,
                                  test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    score_case c = score_case_random(&memory, kernels, hostile);
    columns *s = columns_random(0, 0, random), *p = columns_random(0, 0, random), *again = columns_random(0, 0, random);
    float s_peak[FV_MAX_LANES], peak[FV_MAX_LANES], other_peak[FV_MAX_LANES];
    arrange_scores(&c, kernels, kernels->scores, s->data, s_peak, random);
    arrange_scores(&c, kernels, kernel->run, p->data, peak, random);
    ck_assert_msg(same_floats(c.columns, s_peak, peak), "the peak is not that of the scores");
    for (int32_t i = 0; i < c.keys * c.columns; i++) {
        ck_assert_msg(is_exp2(p->data[i], s->data[i], -110, kernel->relative_bound), "exp2(%.9g) = %.9g",
                      (double)s->data[i], (double)p->data[i]);
    }
    if (kernel->is_sleef) {
        check_sleefs_bits(kernels, (int64_t)c.keys * c.columns, s->data, p->data, &memory);
    }
    arrange_scores(&c, kernels, kernel->run, again->data, other_peak, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, p->data, again->data), "depends on the arrangement");
    arrange_scores(&c, kernels, kernel->run, again->data, NULL, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, p->data, again->data), "depends on wanting the peak");
    ck_assert_msg(same_floats(c.columns, peak, other_peak), "peaks depend on the arrangement");
    free(s);
    free(p);
    free(again);
    score_case_destroy(&c);
    kernel_memory_end(&memory);
}

START_TEST(scores_are_dot_products_and_raise_the_peak) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("scores", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_scores_once(kernels, i % 4 == 0, &random);
    }
}
END_TEST

static void check_scores_exp(const fv_panel_kernels *kernels, exp_kernel kernel, test_random random) {
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_scores_exp_once(kernels, &kernel, i % 4 == 0, &random);
    }
}

START_TEST(scores_exp_is_exp2_of_scores) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    check_scores_exp(kernels, (exp_kernel){kernels->scores_exp, fused_bound, false},
                     test_random_named("scores_exp", _i));
}
END_TEST

START_TEST(scores_exp_sleef_is_exp2_of_scores_by_the_bits_of_exponentials) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    check_scores_exp(kernels, (exp_kernel){kernels->scores_exp_sleef, sleef_bound, true},
                     test_random_named("scores_exp_sleef", _i));
}
END_TEST

/* --- pack, unpack --- */

START_TEST(pack_transposes_and_scales_and_reads_null_rows_as_zeros) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("pack", _i);
    for (int64_t n = 0; n < test_scaled(300); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t ld = kernels->lanes * (int32_t)random_between(&random, 1, kernels->vectors);
        const int64_t count = random_chance(&random, 0.05) ? 0 : random_dim(&random);
        const float scale = random_float(&random, -2, 2);
        const float *rows[FV_MAX_LANES];
        for (int32_t lane = 0; lane < ld; lane++) {
            rows[lane] = random_chance(&random, 0.2) ? NULL : take_random(&memory, count, sizeof(float), 3);
        }
        float *packed = take_floats(&memory, count * ld, (size_t)(kernels->lanes * 4));
        kernels->pack(rows, ld, count, scale, packed);
        for (int64_t i = 0; i < count; i++) {
            for (int32_t lane = 0; lane < ld; lane++) {
                const float wanted = rows[lane] ? rows[lane][i] * scale : 0.0f;
                ck_assert_msg(packed[i * ld + lane] == wanted, "packed[%d][%d] = %.9g instead of %.9g", (int)i,
                              (int)lane, (double)packed[i * ld + lane], (double)wanted);
            }
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

START_TEST(pack_keeps_infinities_and_nan) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("pack hostile", _i);
    const int32_t ld = kernels->lanes;
    kernel_memory memory = kernel_memory_create(&random);
    const float *rows[FV_MAX_LANES];
    for (int32_t lane = 0; lane < ld; lane++) {
        float *row = take_random(&memory, 33, sizeof(float), 3);
        make_hostile(row, 33, &random);
        rows[lane] = row;
    }
    float *packed = take_floats(&memory, 33 * (int64_t)ld, (size_t)ld * 4);
    kernels->pack(rows, ld, 33, 1.0f, packed);
    for (int32_t lane = 0; lane < ld; lane++) {
        for (int64_t i = 0; i < 33; i++) {
            ck_assert(same_floats(1, &packed[i * ld + lane], &rows[lane][i]));
        }
    }
    kernel_memory_end(&memory);
}
END_TEST

/* To 16 bits: what the conversion family makes of the f32 rows. */
static void check_unpack_narrow(const fv_backend *backend, void *const *rows, int32_t ld, int64_t count,
                                const float *packed, const float *factor, int32_t reported, kernel_memory *memory) {
    for (int type = FOVEA_F16; type <= FOVEA_BF16; type++) {
        void *narrow[FV_MAX_LANES];
        for (int32_t lane = 0; lane < ld; lane++) {
            narrow[lane] = rows[lane] ? take_bytes(memory, 2 * count, sizeof(uint16_t)) : NULL;
        }
        ck_assert_int_eq(backend->panel->unpack(narrow, (fovea_type)type, ld, count, packed, factor), reported);
        uint16_t *wanted = take_bytes(memory, 2 * count, sizeof(uint16_t));
        for (int32_t lane = 0; lane < ld; lane++) {
            if (rows[lane]) {
                (type == FOVEA_F16 ? backend->convert->narrow_f16 : backend->convert->narrow_bf16)(rows[lane], count,
                                                                                                   wanted);
                ck_assert(count == 0 || memcmp(narrow[lane], wanted, 2 * (size_t)count) == 0);
            }
        }
    }
}

START_TEST(unpack_transposes_back_scales_skips_null_rows_and_reports_what_is_not_finite) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("unpack", _i);
    for (int64_t n = 0; n < test_scaled(400); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t ld = kernels->lanes * (int32_t)random_between(&random, 1, kernels->vectors);
        const int64_t count = random_chance(&random, 0.05) ? 0 : random_dim(&random);
        float *packed = take_random(&memory, count * ld, (size_t)(kernels->lanes * 4), 3);
        float *factor = take_random(&memory, ld, (size_t)(kernels->lanes * 4), 2);
        void *rows[FV_MAX_LANES];
        for (int32_t lane = 0; lane < ld; lane++) {
            rows[lane] = random_chance(&random, 0.2) ? NULL : take_floats(&memory, count, sizeof(float));
        }
        if (count > 0 && random_chance(&random, 0.5)) {
            packed[random_between(&random, 0, count * ld - 1)] = random_hostile(&random);
        }
        bool finite = true;
        const int32_t reported = kernels->unpack(rows, FOVEA_F32, ld, count, packed, factor);
        for (int32_t lane = 0; lane < ld; lane++) {
            const float *row = rows[lane];
            for (int64_t i = 0; row && i < count; i++) {
                const float wanted = packed[i * ld + lane] * factor[lane];
                ck_assert(same_floats(1, &row[i], &wanted));
                finite = finite && isfinite(wanted);
            }
        }
        ck_assert_msg((reported != 0) == finite, "reported %d for a result that is%s finite", (int)reported,
                      finite ? "" : " not");
        check_unpack_narrow(backend_at(_i), rows, ld, count, packed, factor, reported, &memory);
        kernel_memory_end(&memory);
    }
}
END_TEST

Suite *panel_scores_suite(void);

Suite *panel_scores_suite(void) {
    Suite *suite = suite_create("panel scores");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, a_panel_has_sound_measures);
    ADD_FOR_BACKENDS(tcase, scores_are_dot_products_and_raise_the_peak);
    ADD_FOR_BACKENDS(tcase, scores_exp_is_exp2_of_scores);
    ADD_FOR_BACKENDS(tcase, scores_exp_sleef_is_exp2_of_scores_by_the_bits_of_exponentials);
    ADD_FOR_BACKENDS(tcase, pack_transposes_and_scales_and_reads_null_rows_as_zeros);
    ADD_FOR_BACKENDS(tcase, pack_keeps_infinities_and_nan);
    ADD_FOR_BACKENDS(tcase, unpack_transposes_back_scales_skips_null_rows_and_reports_what_is_not_finite);
    suite_add_tcase(suite, tcase);
    return suite;
}
