/* The pair family: every kernel of every backend that has it, and of emulated ones on any processor, against plain
 * loops.
 *
 * Kernels are computed in two arrangements of the same columns, which must give the same bits: see
 * test_panel_scores.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/backends.h"
#include "support/emulated_pairs.h"
#include "support/kernel_memory.h"
#include "support/narrow.h"
#include "support/random.h"

/* Families of this processor's backends, then the emulated ones. NULL behind the last. */
static const fv_pair_kernels *family_at(int32_t index) {
    for (int32_t i = 0; i < backend_count(); i++) {
        if (backend_at(i)->pair && index-- == 0) {
            return backend_at(i)->pair;
        }
    }
    return index < EMULATED ? emulated[index] : NULL;
}

static int32_t family_count(void) {
    int32_t count = 0;
    while (family_at(count)) {
        count++;
    }
    return count;
}

static void begin(const fv_pair_kernels *kernels) {
    if (kernels->begin) {
        kernels->begin();
    }
}

static void end(const fv_pair_kernels *kernels) {
    if (kernels->end) {
        kernels->end();
    }
}

/* --- Pairs as columns --- */

enum { MOST_ROWS = 300, MOST = MOST_ROWS * FV_MAX_LANES };

static const double unit = 0x1p-24, bf16_unit = 0x1p-8;
/* Relative errors of the exponentials. */
static const double fine_error = 4e-7, coarse_error = 1.2e-4;

static float value_of(uint16_t code) {
    return (float)narrow_value(&narrow_bf16, code);
}

static uint16_t random_code(test_random *random, float range) {
    return narrow_nearest(&narrow_bf16, (double)random_float(random, -range, range));
}

static float pair_of(uint16_t lower, uint16_t upper) {
    const uint32_t bits = lower | (uint32_t)upper << 16;
    float pair;
    memcpy(&pair, &bits, sizeof pair);
    return pair;
}

static float element_of(float pair, int64_t index) {
    uint32_t bits;
    memcpy(&bits, &pair, sizeof bits);
    return value_of((uint16_t)(index % 2 ? bits >> 16 : bits));
}

/* Rows of codes at a random stride, with NaN in the gaps. */
static uint16_t *take_codes(kernel_memory *memory, int64_t rows, int64_t columns, float range, int64_t *stride) {
    *stride = RANDOM_OF(memory->random, columns, columns, columns + 1, columns + 13, -columns, -columns - 5);
    const int64_t distance = *stride < 0 ? -*stride : *stride;
    const int64_t span = rows > 0 ? (rows - 1) * distance + columns : 0;
    uint16_t *data = take_bytes(memory, span * 2, 2);
    for (int64_t i = 0; i < span; i++) {
        data[i] = 0x7fc0;
    }
    uint16_t *first = *stride < 0 && rows > 0 ? data + (rows - 1) * distance : data;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t d = 0; d < columns; d++) {
            first[row * *stride + d] = random_code(memory->random, range);
        }
    }
    return first;
}

static arrangement arrange(const fv_pair_kernels *kernels, int32_t columns, bool whole, test_random *random) {
    const fv_panel_kernels shape = {.lanes = kernels->lanes, .vectors = kernels->vectors};
    return arrangement_random(&shape, columns, whole, random);
}

static int64_t halves(int64_t count) {
    return (count + 1) / 2;
}

static float *columns_create(int64_t count) {
    ck_assert_int_le(count, MOST);
    float *columns = calloc((size_t)(count > 0 ? count : 1), sizeof *columns);
    ck_assert_ptr_nonnull(columns);
    return columns;
}

/* --- scores, scores_exp, probabilities --- */

typedef struct score_case {
    int32_t keys, columns;
    int64_t head_dim, k_stride;
    const uint16_t *k;
    float *q;
    float start[FV_MAX_LANES], scale;
} score_case;

static score_case score_case_random(kernel_memory *memory, const fv_pair_kernels *kernels) {
    test_random *random = memory->random;
    score_case c = {
        .keys = (int32_t)random_between(random, 0, 70),
        .columns = (int32_t)random_between(random, 1, (int64_t)kernels->lanes * kernels->vectors),
        .head_dim = random_between(random, 1, 70),
        .scale = random_float(random, -2, 2),
    };
    c.k = take_codes(memory, c.keys, c.head_dim, 1, &c.k_stride);
    c.q = columns_create(halves(c.head_dim) * c.columns);
    for (int64_t i = 0; i < halves(c.head_dim) * c.columns; i++) {
        const bool last = i / c.columns * 2 + 1 == c.head_dim;
        c.q[i] = pair_of(random_code(random, 2), last ? 0 : random_code(random, 2));
    }
    for (int32_t i = 0; i < c.columns; i++) {
        c.start[i] = random_float(random, -9, 9);
    }
    return c;
}

static double exact_score(const score_case *c, int32_t key, int32_t column, double *bound) {
    double sum = 0, size = 0;
    for (int64_t d = 0; d < c->head_dim; d++) {
        const double term =
            (double)value_of(c->k[key * c->k_stride + d]) * (double)element_of(c->q[d / 2 * c->columns + column], d);
        sum += term;
        size += fabs(term);
    }
    const double scale = (double)c->scale, start = (double)c->start[column];
    *bound = (double)(2 * c->head_dim + 2) * unit * (fabs(scale) * size + fabs(start)) + 1e-37;
    return start + scale * sum;
}

/* What the score kernels gave: scores or pairs, the peak that each column had, sums. */
typedef struct score_result {
    float *s;
    float peak[FV_MAX_LANES], sum[FV_MAX_LANES];
} score_result;

typedef void score_kernel(const fv_score_args *args);

/* Where runs may begin. */
static int32_t run_step(const fv_pair_kernels *kernels) {
    return kernels->key_step > 4 ? kernels->key_step / 2 : 2;
}

/* In two runs. */
static void run_scores(const score_case *c, const fv_pair_kernels *kernels, score_kernel *kernel, bool wants_peak,
                       score_result *result, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const arrangement where = arrange(kernels, c->columns, false, random);
    const bool exp = kernel != kernels->scores;
    const int64_t rows = exp ? halves(c->keys) : c->keys;
    float *panel = take_panel(&memory, &where, rows, NULL);
    const float *before = take_copy(&memory, &where, rows, panel);
    float zeros[FV_MAX_LANES] = {0}, none[FV_MAX_LANES];
    for (int32_t i = 0; i < FV_MAX_LANES; i++) {
        none[i] = FV_NO_SCORE;
    }
    float *peak = take_lanes(&memory, &where, none), *sum = take_lanes(&memory, &where, zeros);
    fv_score_args args = {
        .k_stride = c->k_stride,
        .head_dim = c->head_dim,
        .q = take_panel(&memory, &where, halves(c->head_dim), c->q),
        .ld = where.ld,
        .vectors = where.vectors,
        .start = take_lanes(&memory, &where, c->start),
        .peak = wants_peak ? peak : NULL,
        .scale = c->scale,
        .sum = exp ? sum : NULL,
    };
    const int32_t step = run_step(kernels);
    const int32_t first = (int32_t)random_between(random, 0, c->keys / step) * step;
    const int32_t runs[3] = {0, random_chance(random, 0.5) ? 0 : first, c->keys};
    for (int i = 0; i < 2; i++) {
        args.keys = runs[i + 1] - runs[i];
        args.k = c->k + runs[i] * c->k_stride;
        args.s = panel + (int64_t)(exp ? runs[i] / 2 : runs[i]) * where.ld;
        begin(kernels);
        kernel(&args);
        end(kernels);
    }
    ck_assert_msg(same_beside(&where, rows, panel, before), "wrote to vectors that are not its own");
    gather_panel(&where, rows, panel, result->s);
    gather_panel(&where, 1, peak, result->peak);
    gather_panel(&where, 1, sum, result->sum);
    kernel_memory_end(&memory);
}

/* Probabilities of scores that are in s, as pairs [ceil(keys / 2)][columns] and sums; both halves of every pair. */
static void check_probabilities(int32_t keys, int32_t columns, const float *s, double error, const float *pairs,
                                const float *sum) {
    for (int32_t column = 0; column < columns; column++) {
        double total = 0;
        for (int32_t key = 0; key < keys; key++) {
            const double p = (double)s[key * columns + column] < -126 ? 0 : exp2((double)s[key * columns + column]);
            const double actual = (double)element_of(pairs[key / 2 * columns + column], key);
            ck_assert_msg(fabs(actual - p) <= (1.001 * bf16_unit + error) * p + 0x1p-126, "p %.9g instead of %.9g",
                          actual, p);
            total += p;
        }
        if (keys % 2) {
            ck_assert(element_of(pairs[keys / 2 * columns + column], 1) == 0.0f);
        }
        ck_assert_double_eq_tol((double)sum[column], total, (error + keys * unit) * total + 1e-37);
    }
}

static bool same_bits(int64_t count, const float *a, const float *b) {
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static void check_scores_once(const fv_pair_kernels *kernels, bool coarse, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    score_case c = score_case_random(&memory, kernels);
    const int64_t scores = (int64_t)c.keys * c.columns, pairs = halves(c.keys) * c.columns;
    score_result s = {.s = columns_create(scores)}, p = {.s = columns_create(scores)},
                 again = {.s = columns_create(scores)};
    run_scores(&c, kernels, kernels->scores, true, &s, random);
    for (int32_t key = 0; key < c.keys; key++) {
        for (int32_t column = 0; column < c.columns; column++) {
            double bound;
            const double exact = exact_score(&c, key, column, &bound);
            const float actual = s.s[key * c.columns + column];
            ck_assert_msg(fabs((double)actual - exact) <= bound, "score %.9g instead of %.9g (%d keys, head_dim %d)",
                          (double)actual, exact, (int)c.keys, (int)c.head_dim);
            ck_assert(s.peak[column] >= actual);
        }
    }
    run_scores(&c, kernels, kernels->scores, false, &again, random);
    ck_assert_msg(same_bits(scores, s.s, again.s), "scores depend on the arrangement");
    score_kernel *const exp = coarse ? kernels->scores_exp_coarse : kernels->scores_exp;
    run_scores(&c, kernels, exp, true, &p, random);
    check_probabilities(c.keys, c.columns, s.s, coarse ? coarse_error : fine_error, p.s, p.sum);
    ck_assert_msg(same_bits(c.columns, s.peak, p.peak), "the peak is not that of the scores");
    run_scores(&c, kernels, exp, false, &again, random);
    ck_assert_msg(same_bits(pairs, p.s, again.s), "probabilities depend on the arrangement");
    ck_assert_msg(same_bits(c.columns, p.sum, again.sum), "sums depend on the arrangement");
    free(s.s);
    free(p.s);
    free(again.s);
    free(c.q);
    kernel_memory_end(&memory);
}

START_TEST(scores_are_dot_products_and_their_probabilities_are_pairs) {
    test_random random = test_random_named("pair scores", _i);
    for (int64_t i = 0; i < test_scaled(300); i++) {
        check_scores_once(family_at(_i), i % 2 != 0, &random);
    }
}
END_TEST

static void check_probabilities_once(const fv_pair_kernels *kernels, fv_exp exp, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const int32_t keys = (int32_t)random_between(random, 0, 40);
    const int32_t columns = (int32_t)random_between(random, 1, (int64_t)kernels->lanes * kernels->vectors);
    const bool shifts = random_chance(random, 0.5);
    float *s = columns_create((int64_t)keys * columns), *shifted = columns_create((int64_t)keys * columns);
    float *pairs = columns_create(halves(keys) * columns), shift[FV_MAX_LANES], sum[FV_MAX_LANES] = {0};
    for (int32_t i = 0; i < columns; i++) {
        shift[i] = random_float(random, -9, 9);
    }
    for (int32_t i = 0; i < keys * columns; i++) {
        s[i] = random_chance(random, 0.1) ? -INFINITY : random_float(random, -140, 9);
        shifted[i] = shifts ? s[i] - shift[i % columns] : s[i];
    }
    const arrangement where = arrange(kernels, columns, false, random);
    float *panel = take_panel(&memory, &where, keys, s), *p = take_panel(&memory, &where, halves(keys), NULL);
    const float *before = take_copy(&memory, &where, halves(keys), p);
    float *sums = take_lanes(&memory, &where, sum);
    kernels->probabilities(panel, where.ld, where.vectors, keys, shifts ? take_lanes(&memory, &where, shift) : NULL,
                           exp, p, sums);
    ck_assert(same_beside(&where, halves(keys), p, before));
    gather_panel(&where, halves(keys), p, pairs);
    gather_panel(&where, 1, sums, sum);
    check_probabilities(keys, columns, shifted, exp == FV_EXP_COARSE ? coarse_error : fine_error, pairs, sum);
    free(s);
    free(shifted);
    free(pairs);
    kernel_memory_end(&memory);
}

START_TEST(probabilities_are_rounded_after_they_are_summed) {
    test_random random = test_random_named("pair probabilities", _i);
    for (int64_t i = 0; i < test_scaled(300); i++) {
        check_probabilities_once(family_at(_i), (fv_exp)(i % 3), &random);
    }
}
END_TEST

/* A NaN score of one key must show in the lane, be it in the pair or in the sum, and nowhere else. */
START_TEST(a_nan_score_reaches_the_pair_and_the_sum_of_its_lane) {
    const fv_pair_kernels *kernels = family_at(_i);
    test_random random = test_random_named("pair nan", _i);
    const int32_t ld = kernels->lanes;
    kernel_memory memory = kernel_memory_create(&random);
    float *s = take_random(&memory, 3 * (int64_t)ld, (size_t)ld * 4, 1),
          *p = take_floats(&memory, 2 * ld, (size_t)ld * 4);
    float *sum = take_floats(&memory, ld, (size_t)ld * 4);
    memset(sum, 0, (size_t)ld * sizeof *sum);
    s[ld + 1] = NAN;
    kernels->probabilities(s, ld, 1, 3, NULL, FV_EXP_FUSED, p, sum);
    for (int32_t lane = 0; lane < ld; lane++) {
        ck_assert_int_eq(isnan(sum[lane]) != 0, lane == 1);
        ck_assert_int_eq(isnan(element_of(p[lane], 1)) != 0, lane == 1);
        ck_assert(!isnan(element_of(p[lane], 0)));
    }
    kernel_memory_end(&memory);
}
END_TEST

/* --- pack, interleave --- */

START_TEST(pack_moves_bits) {
    const fv_pair_kernels *kernels = family_at(_i);
    test_random random = test_random_named("pair pack", _i);
    for (int64_t n = 0; n < test_scaled(300); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int32_t ld = kernels->lanes * (int32_t)random_between(&random, 1, kernels->vectors);
        const int64_t count = random_between(&random, 0, 150);
        const uint16_t *rows[FV_MAX_LANES];
        int64_t stride;
        for (int32_t lane = 0; lane < ld; lane++) {
            rows[lane] = random_chance(&random, 0.2) ? NULL : take_codes(&memory, 1, count, 9, &stride);
        }
        float *packed = take_floats(&memory, halves(count) * ld, (size_t)(kernels->lanes * 4));
        kernels->pack(rows, ld, count, packed);
        for (int64_t i = 0; i < 2 * halves(count); i++) {
            for (int32_t lane = 0; lane < ld; lane++) {
                const float wanted = rows[lane] && i < count ? value_of(rows[lane][i]) : 0.0f;
                ck_assert(element_of(packed[i / 2 * ld + lane], i) == wanted);
            }
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

/* Elements of a row of interleaved values, those of padding too. */
static int64_t interleaved_elements(const fv_pair_kernels *kernels, int64_t count) {
    return kernels->key_step == 2 ? count : (count + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
}

START_TEST(interleave_moves_bits) {
    const fv_pair_kernels *kernels = family_at(_i);
    test_random random = test_random_named("pair interleave", _i);
    for (int64_t n = 0; n < test_scaled(300); n++) {
        kernel_memory memory = kernel_memory_create(&random);
        const int64_t count = random_between(&random, 0, 70), padded = interleaved_elements(kernels, count);
        const int32_t present = (int32_t)random_between(&random, 1, kernels->key_step), step = kernels->key_step / 2;
        const uint16_t *rows[FV_MAX_KEY_STEP] = {0};
        int64_t stride;
        for (int32_t row = 0; row < present; row++) {
            rows[row] = take_codes(&memory, 1, count, 9, &stride);
        }
        float *pairs = take_floats(&memory, padded * step, 64);
        kernels->interleave(rows, count, pairs);
        for (int64_t i = 0; i < padded; i++) {
            for (int32_t row = 0; row < kernels->key_step; row++) {
                const float wanted = row < present && i < count ? value_of(rows[row][i]) : 0.0f;
                ck_assert(element_of(pairs[i * step + row / 2], row) == wanted);
            }
        }
        kernel_memory_end(&memory);
    }
}
END_TEST

/* --- values --- */

/* Two runs of pairs of keys, of which each vector takes part in both, in one or in none. */
typedef struct value_case {
    int32_t pairs, columns, border;
    int64_t head_dim_v, v_stride;
    /* Codes of values, [2 * pairs][head_dim_v], and the same interleaved. */
    uint16_t *codes;
    const float *v;
    float *p, *o;
    int32_t first;
} value_case;

/* The values of a case as rows of key_step keys, with NaN in the gaps. */
static float *take_interleaved(kernel_memory *memory, const fv_pair_kernels *kernels, value_case *c) {
    const int32_t step = kernels->key_step;
    const int64_t row_floats = interleaved_elements(kernels, c->head_dim_v) * step / 2;
    const int64_t rows = (2 * c->pairs + step - 1) / step;
    c->v_stride = row_floats + RANDOM_OF(memory->random, 0, 1, 13);
    const int64_t span = rows > 0 ? (rows - 1) * c->v_stride + row_floats : 0;
    float *v = take_floats(memory, span, sizeof *v);
    for (int64_t i = 0; i < span; i++) {
        v[i] = NAN;
    }
    for (int64_t row = 0; row < rows; row++) {
        const uint16_t *keys[FV_MAX_KEY_STEP] = {0};
        for (int64_t key = 0; key < step && row * step + key < 2 * c->pairs; key++) {
            keys[key] = c->codes + (row * step + key) * c->head_dim_v;
        }
        kernels->interleave(keys, c->head_dim_v, v + row * c->v_stride);
    }
    return v;
}

static void run_values(const value_case *c, const fv_pair_kernels *kernels, float *o, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const arrangement where = arrange(kernels, c->columns, true, random);
    float *panel = take_panel(&memory, &where, c->head_dim_v, c->first ? NULL : c->o);
    const fv_segment all[2] = {{0, c->border, 0, where.vectors}, {c->border, c->pairs, 0, where.vectors}};
    /* Vectors in a segment each give the same as all in one. */
    fv_segment apart[FV_MAX_VECTORS + 1];
    for (int32_t v = 0; v < where.vectors; v++) {
        apart[v] = (fv_segment){0, c->pairs, v, v + 1};
    }
    const bool separate = random_chance(random, 0.5);
    const fv_value_args args = {
        .v = c->v,
        .v_stride = c->v_stride,
        .head_dim_v = c->head_dim_v,
        .p = take_panel(&memory, &where, c->pairs, c->p),
        .ld = where.ld,
        .vectors = where.vectors,
        .segments = separate ? apart : all,
        .segment_count = separate ? where.vectors : 2,
        .first = c->first,
        .o = panel,
    };
    begin(kernels);
    kernels->values(&args);
    end(kernels);
    gather_panel(&where, c->head_dim_v, panel, o);
    kernel_memory_end(&memory);
}

static void check_values_once(const fv_pair_kernels *kernels, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    value_case c = {
        .pairs = (int32_t)random_between(random, 0, 40),
        .columns = (int32_t)random_between(random, 1, (int64_t)kernels->lanes * kernels->vectors),
        .head_dim_v = random_between(random, 1, 70),
        .first = random_chance(random, 0.5),
    };
    c.border = (int32_t)random_between(random, 0, 2 * c.pairs / kernels->key_step) * kernels->key_step / 2;
    c.codes = calloc((size_t)(2 * c.pairs * c.head_dim_v + 1), sizeof *c.codes);
    ck_assert_ptr_nonnull(c.codes);
    for (int64_t i = 0; i < 2 * c.pairs * c.head_dim_v; i++) {
        c.codes[i] = random_code(random, 2);
    }
    c.v = take_interleaved(&memory, kernels, &c);
    c.p = columns_create((int64_t)c.pairs * c.columns);
    c.o = columns_create(c.head_dim_v * c.columns);
    for (int64_t i = 0; i < (int64_t)c.pairs * c.columns; i++) {
        c.p[i] = pair_of(random_code(random, 1) & 0x7fff, random_code(random, 1) & 0x7fff);
    }
    for (int64_t i = 0; i < c.head_dim_v * c.columns; i++) {
        c.o[i] = random_float(random, -2, 2);
    }
    float *o = columns_create(c.head_dim_v * c.columns), *again = columns_create(c.head_dim_v * c.columns);
    run_values(&c, kernels, o, random);
    for (int64_t i = 0; i < c.head_dim_v * c.columns; i++) {
        const int64_t d = i / c.columns, column = i % c.columns;
        double sum = c.first ? 0 : (double)c.o[i], size = fabs(sum);
        for (int64_t key = 0; key < 2 * c.pairs; key++) {
            const double term = (double)element_of(c.p[key / 2 * c.columns + column], key) *
                                (double)value_of(c.codes[key * c.head_dim_v + d]);
            sum += term;
            size += fabs(term);
        }
        ck_assert_msg(fabs((double)o[i] - sum) <= (4 * c.pairs + 2) * unit * size + 1e-37, "o %.9g instead of %.9g",
                      (double)o[i], sum);
    }
    run_values(&c, kernels, again, random);
    ck_assert_msg(same_bits(c.head_dim_v * c.columns, o, again), "o depends on the arrangement");
    free(c.codes);
    free(c.p);
    free(c.o);
    free(o);
    free(again);
    kernel_memory_end(&memory);
}

START_TEST(values_adds_the_weighted_sum) {
    test_random random = test_random_named("pair values", _i);
    for (int64_t i = 0; i < test_scaled(300); i++) {
        check_values_once(family_at(_i), &random);
    }
}
END_TEST

START_TEST(a_family_has_sound_measures) {
    const fv_pair_kernels *kernels = family_at(_i);
    ck_assert_int_le(kernels->lanes * kernels->vectors, FV_MAX_LANES);
    ck_assert_int_le(kernels->key_block, FV_MAX_BLOCK * 2 / 3);
    ck_assert_int_le(kernels->key_block_short, FV_MAX_BLOCK * 2 / 3);
    ck_assert_int_le(kernels->key_step, FV_MAX_KEY_STEP);
    ck_assert_int_eq(kernels->key_step % 2, 0);
    ck_assert_int_eq(FV_MAX_KEY_STEP % kernels->key_step, 0);
    ck_assert_int_eq(kernels->key_block % kernels->key_step, 0);
    ck_assert_int_eq(kernels->key_block_short % kernels->key_step, 0);
    ck_assert_int_eq(kernels->tile_keys % kernels->key_step, 0);
    for (int32_t i = 0; i < backend_count(); i++) {
        const fv_backend *backend = backend_at(i);
        if (backend->pair == kernels) {
            ck_assert_int_eq(backend->panel->lanes, kernels->lanes);
            ck_assert_int_eq(backend->panel->vectors, kernels->vectors);
        }
    }
}
END_TEST

Suite *pairs_suite(void);

Suite *pairs_suite(void) {
    Suite *suite = suite_create("pairs");
    TCase *kernels = tcase_create("kernels");
    const int families = family_count();
    tcase_add_loop_test(kernels, a_family_has_sound_measures, 0, families);
    tcase_add_loop_test(kernels, scores_are_dot_products_and_their_probabilities_are_pairs, 0, families);
    tcase_add_loop_test(kernels, probabilities_are_rounded_after_they_are_summed, 0, families);
    tcase_add_loop_test(kernels, a_nan_score_reaches_the_pair_and_the_sum_of_its_lane, 0, families);
    tcase_add_loop_test(kernels, pack_moves_bits, 0, families);
    tcase_add_loop_test(kernels, interleave_moves_bits, 0, families);
    tcase_add_loop_test(kernels, values_adds_the_weighted_sum, 0, families);
    suite_add_tcase(suite, kernels);
    return suite;
}
