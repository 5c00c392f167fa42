/* Every kernel of the panel family, of every backend that this processor runs, against plain loops.
 *
 * Each case is computed in two different arrangements of the same columns (other lanes, other vectors, other row
 * lengths, other divisions of the keys), and must give the same bits: rule 3 of arch/kernel.h. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/backends.h"
#include "support/kernel_memory.h"
#include "support/random.h"

/* Rounding of one f32 operation. */
static const double unit = 0x1p-24;

/* Data of a case in columns, with room for the largest. */
enum { MOST_ROWS = 600, MOST = MOST_ROWS * FV_MAX_LANES };

typedef struct columns {
    float data[MOST];
} columns;

static columns *columns_random(int64_t count, float range, test_random *random) {
    columns *self = malloc(sizeof *self);
    ck_assert_ptr_nonnull(self);
    ck_assert_int_le(count, MOST);
    for (int64_t i = 0; i < count; i++) {
        self->data[i] = random_float(random, -range, range);
    }
    return self;
}

static int32_t random_keys(const fv_panel_kernels *kernels, test_random *random) {
    const int32_t block = kernels->key_block < FV_MAX_BLOCK ? kernels->key_block : FV_MAX_BLOCK;
    return (int32_t)(random_chance(random, 0.05) ? block : random_between(random, 0, 70));
}

static int64_t random_dim(test_random *random) {
    return random_chance(random, 0.1) ? random_between(random, 71, 256) : random_between(random, 1, 70);
}

static int32_t random_columns(const fv_panel_kernels *kernels, test_random *random) {
    return (int32_t)random_between(random, 1, (int64_t)kernels->vectors * kernels->lanes);
}

/* A few hostile numbers among `count`. */
static void make_hostile(float *data, int64_t count, test_random *random) {
    for (int64_t i = 0; i < count / 16; i++) {
        data[random_between(random, 0, count - 1)] = random_hostile(random);
    }
}

/* `actual` is `value` within `bound`, or the same infinity, or NaN as well. */
static bool is_near(float actual, double value, double bound) {
    return isnan(value) ? isnan(actual) : (double)actual == value || fabs((double)actual - value) <= bound;
}

/* --- scores, scores_exp --- */

typedef struct score_case {
    int32_t keys, columns;
    int64_t head_dim, k_stride;
    const float *k;
    columns *q, *start, *peak;
} score_case;

typedef void score_kernel(const fv_score_args *args);

/* Computes a case in one arrangement, the keys in two runs, into s, peak and trough, which begin alike. */
static void arrange_scores(const score_case *c, const fv_panel_kernels *kernels, score_kernel *kernel, float *s,
                           float *peak, float *trough, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const arrangement where = arrangement_random(kernels, c->columns, false, random);
    float *panel = take_panel(&memory, &where, c->keys, NULL);
    const float *before = take_copy(&memory, &where, c->keys, panel);
    float *peaks = peak ? take_lanes(&memory, &where, c->peak->data) : NULL;
    float *troughs = trough ? take_lanes(&memory, &where, c->peak->data) : NULL;
    fv_score_args args = {
        .k_stride = c->k_stride,
        .head_dim = c->head_dim,
        .q = take_panel(&memory, &where, c->head_dim, c->q->data),
        .ld = where.ld,
        .vectors = where.vectors,
        .start = take_lanes(&memory, &where, c->start->data),
        .peak = peaks,
        .trough = troughs,
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
    if (trough) {
        gather_panel(&where, 1, troughs, trough);
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

static void check_extremes(const score_case *c, const float *s, const float *peak, const float *trough) {
    for (int32_t column = 0; column < c->columns; column++) {
        float largest = c->peak->data[column], smallest = largest;
        for (int32_t key = 0; key < c->keys; key++) {
            const float score = s[key * c->columns + column];
            largest = score > largest ? score : largest;
            smallest = score < smallest ? score : smallest;
        }
        ck_assert_msg(peak[column] == largest, "peak %.9g instead of %.9g", (double)peak[column], (double)largest);
        ck_assert_msg(trough[column] == smallest, "trough %.9g instead of %.9g", (double)trough[column],
                      (double)smallest);
    }
}

static void check_scores_once(const fv_panel_kernels *kernels, bool hostile, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    score_case c = score_case_random(&memory, kernels, hostile);
    columns *s = columns_random(0, 0, random), *again = columns_random(0, 0, random);
    float peak[FV_MAX_LANES], other_peak[FV_MAX_LANES], trough[FV_MAX_LANES], other_trough[FV_MAX_LANES];
    arrange_scores(&c, kernels, kernels->scores, s->data, peak, trough, random);
    for (int32_t key = 0; key < c.keys; key++) {
        for (int32_t column = 0; column < c.columns; column++) {
            double bound;
            const double exact = exact_score(&c, key, column, &bound);
            const float actual = s->data[key * c.columns + column];
            ck_assert_msg(is_near(actual, exact, bound), "score %.9g instead of %.9g (keys %d, head_dim %d)",
                          (double)actual, exact, (int)c.keys, (int)c.head_dim);
        }
    }
    check_extremes(&c, s->data, peak, trough);
    arrange_scores(&c, kernels, kernels->scores, again->data, other_peak, other_trough, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, s->data, again->data), "scores depend on the arrangement");
    arrange_scores(&c, kernels, kernels->scores, again->data, NULL, NULL, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, s->data, again->data), "scores depend on wanting the peak");
    ck_assert_msg(same_floats(c.columns, peak, other_peak), "peaks depend on the arrangement");
    ck_assert_msg(same_floats(c.columns, trough, other_trough), "troughs depend on the arrangement");
    free(s);
    free(again);
    score_case_destroy(&c);
    kernel_memory_end(&memory);
}

/* exp2 as the contract states it: 0 below -126, NaN kept. The bound is relative. Above 127 the callers, who keep scores
 * near their reference, discard the result. */
static bool is_exp2(float actual, float x, double bound) {
    if (isnan(x)) {
        return isnan(actual);
    }
    if (x > 127.0f) {
        return true;
    }
    if (x < -126.0f) {
        return actual == 0.0f;
    }
    const double exact = exp2((double)x);
    return fabs((double)actual - exact) <= bound * exact;
}

static const double fused_bound = 2.4e-7;
/* SLEEF promises 3.5 ULP; an ULP is at most 2^-23 of the value. */
static const double sleef_bound = 3.5 * 0x1p-23;

static void check_scores_exp_once(const fv_panel_kernels *kernels, bool hostile, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    score_case c = score_case_random(&memory, kernels, hostile);
    columns *s = columns_random(0, 0, random), *p = columns_random(0, 0, random), *again = columns_random(0, 0, random);
    float s_peak[FV_MAX_LANES], peak[FV_MAX_LANES], other_peak[FV_MAX_LANES];
    arrange_scores(&c, kernels, kernels->scores, s->data, s_peak, NULL, random);
    arrange_scores(&c, kernels, kernels->scores_exp, p->data, peak, NULL, random);
    ck_assert_msg(same_floats(c.columns, s_peak, peak), "the peak is not that of the scores");
    for (int32_t i = 0; i < c.keys * c.columns; i++) {
        ck_assert_msg(is_exp2(p->data[i], s->data[i], fused_bound), "exp2(%.9g) = %.9g", (double)s->data[i],
                      (double)p->data[i]);
    }
    arrange_scores(&c, kernels, kernels->scores_exp, again->data, other_peak, NULL, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, p->data, again->data), "depends on the arrangement");
    arrange_scores(&c, kernels, kernels->scores_exp, again->data, NULL, NULL, random);
    ck_assert_msg(same_floats((int64_t)c.keys * c.columns, p->data, again->data), "depends on wanting the peak");
    ck_assert_msg(same_floats(c.columns, peak, other_peak), "peaks depend on the arrangement");
    free(s);
    free(p);
    free(again);
    score_case_destroy(&c);
    kernel_memory_end(&memory);
}

START_TEST(scores_are_dot_products_raise_the_peak_and_lower_the_trough) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("scores", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_scores_once(kernels, i % 4 == 0, &random);
    }
}
END_TEST

START_TEST(scores_exp_is_exp2_of_scores) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("scores_exp", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_scores_exp_once(kernels, i % 4 == 0, &random);
    }
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
static void check_unpack_narrow(const fv_backend *backend, float *const *rows, int32_t ld, int64_t count,
                                const float *packed, const float *factor, int32_t reported, kernel_memory *memory) {
    for (int type = FOVEA_F16; type <= FOVEA_BF16; type++) {
        uint16_t *narrow[FV_MAX_LANES];
        for (int32_t lane = 0; lane < ld; lane++) {
            narrow[lane] = rows[lane] ? take_bytes(memory, 2 * count, sizeof(uint16_t)) : NULL;
        }
        ck_assert_int_eq(backend->panel->unpack_narrow(narrow, (fovea_type)type, ld, count, packed, factor), reported);
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
        float *rows[FV_MAX_LANES];
        for (int32_t lane = 0; lane < ld; lane++) {
            rows[lane] = random_chance(&random, 0.2) ? NULL : take_floats(&memory, count, sizeof(float));
        }
        if (count > 0 && random_chance(&random, 0.5)) {
            packed[random_between(&random, 0, count * ld - 1)] = random_hostile(&random);
        }
        bool finite = true;
        const int32_t reported = kernels->unpack(rows, ld, count, packed, factor);
        for (int32_t lane = 0; lane < ld; lane++) {
            for (int64_t i = 0; rows[lane] && i < count; i++) {
                const float wanted = packed[i * ld + lane] * factor[lane];
                ck_assert(same_floats(1, &rows[lane][i], &wanted));
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

/* --- kernels that change scores in place --- */

/* Scores in columns, hostile ones among them, and what a case needs beside them. */
typedef struct change_case {
    int32_t keys, columns;
    columns *s;
    columns *terms;
    float shift[FV_MAX_LANES];
    float peak[FV_MAX_LANES];
    int32_t visible_begin[FV_MAX_LANES], visible_end[FV_MAX_LANES];
    int32_t key_begin, key_end;
    float cap;
    bool has_shift, has_peak, marks;
    fv_exp exp;
} change_case;

typedef void change_kernel(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                           kernel_memory *memory, float *s, float *peak);

/* Applies a kernel in a random arrangement; the columns of the result into s. */
static void arrange_change(const change_case *c, const fv_panel_kernels *kernels, change_kernel *apply, float *s,
                           float *peak, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const arrangement where = arrangement_random(kernels, c->columns, false, random);
    float *panel = take_panel(&memory, &where, c->keys, c->s->data);
    const float *before = take_copy(&memory, &where, c->keys, panel);
    float *peaks = c->has_peak ? take_lanes(&memory, &where, c->peak) : NULL;
    apply(c, kernels, &where, &memory, panel, peaks);
    ck_assert_msg(same_beside(&where, c->keys, panel, before), "wrote to vectors that are not its own");
    gather_panel(&where, c->keys, panel, s);
    if (peaks) {
        gather_panel(&where, 1, peaks, peak);
    }
    kernel_memory_end(&memory);
}

static change_case change_case_random(const fv_panel_kernels *kernels, float range, test_random *random) {
    change_case c = {
        .keys = random_keys(kernels, random),
        .columns = random_columns(kernels, random),
        .cap = random_float(random, 0.5f, 50),
        .has_shift = random_chance(random, 0.7),
        .has_peak = random_chance(random, 0.7),
        .marks = random_chance(random, 0.5),
        .exp = random_chance(random, 0.5) ? FV_EXP_SLEEF : FV_EXP_FUSED,
    };
    const int64_t count = (int64_t)c.keys * c.columns;
    c.s = columns_random(count, range, random);
    c.terms = columns_random(count, 3, random);
    make_hostile(c.s->data, count, random);
    make_hostile(c.terms->data, count, random);
    c.key_begin = (int32_t)random_between(random, 0, c.keys);
    c.key_end = (int32_t)random_between(random, c.key_begin, c.keys);
    for (int32_t i = 0; i < c.columns; i++) {
        c.shift[i] = random_chance(random, 0.1) ? FV_NO_SCORE : random_float(random, -20, 20);
        c.peak[i] = random_chance(random, 0.3) ? FV_NO_SCORE : random_float(random, -5, 5);
        c.visible_begin[i] = (int32_t)random_between(random, -3, c.keys + 3);
        c.visible_end[i] = (int32_t)random_between(random, -3, c.keys + 3);
    }
    return c;
}

static void change_case_destroy(change_case *c) {
    free(c->s);
    free(c->terms);
}

/* What the kernel must make of one score; `key` and `column` tell which. */
typedef bool change_check(const change_case *c, int32_t key, int32_t column, float before, float after);

typedef struct change_test {
    const char *name;
    change_kernel *apply;
    change_check *is_right;
    /* Scores are in [-range, range), but for the hostile ones. */
    float range;
    /* The kernel raises peaks to what remains in [key_begin, key_end). */
    bool raises_peak;
} change_test;

static void check_change(const change_test *test, int32_t index) {
    const char *name = test->name;
    const fv_panel_kernels *kernels = backend_at(index)->panel;
    test_random random = test_random_named(name, index);
    for (int64_t n = 0; n < test_scaled(300); n++) {
        change_case c = change_case_random(kernels, test->range, &random);
        c.has_peak &= test->raises_peak;
        const int64_t count = (int64_t)c.keys * c.columns;
        columns *s = columns_random(0, 0, &random), *again = columns_random(0, 0, &random);
        float peak[FV_MAX_LANES], other_peak[FV_MAX_LANES];
        arrange_change(&c, kernels, test->apply, s->data, peak, &random);
        for (int64_t i = 0; i < count; i++) {
            ck_assert_msg(
                test->is_right(&c, (int32_t)(i / c.columns), (int32_t)(i % c.columns), c.s->data[i], s->data[i]),
                "%s: %.9g became %.9g (key %d of %d, column %d of %d)", name, (double)c.s->data[i], (double)s->data[i],
                (int)(i / c.columns), (int)c.keys, (int)(i % c.columns), (int)c.columns);
        }
        for (int32_t column = 0; c.has_peak && column < c.columns; column++) {
            float largest = c.peak[column];
            for (int32_t key = c.key_begin; key < c.key_end; key++) {
                const float score = s->data[key * c.columns + column];
                largest = score > largest ? score : largest;
            }
            ck_assert_msg(peak[column] == largest, "%s: peak %.9g instead of %.9g", name, (double)peak[column],
                          (double)largest);
        }
        arrange_change(&c, kernels, test->apply, again->data, other_peak, &random);
        ck_assert_msg(same_floats(count, s->data, again->data), "%s depends on the arrangement", name);
        ck_assert_msg(!c.has_peak || same_floats(c.columns, peak, other_peak), "%s: peak depends on it", name);
        free(s);
        free(again);
        change_case_destroy(&c);
    }
}

static void apply_mask_lanes(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                             kernel_memory *memory, float *s, float *peak) {
    kernels->mask_lanes(s, where->ld, where->vectors, c->key_begin, c->key_end,
                        take_lane_numbers(memory, where, c->visible_begin),
                        take_lane_numbers(memory, where, c->visible_end), peak);
}

static bool is_masked_right(const change_case *c, int32_t key, int32_t column, float before, float after) {
    const bool in_range = key >= c->key_begin && key < c->key_end;
    const bool visible = key >= c->visible_begin[column] && key < c->visible_end[column];
    return in_range && !visible ? after == -INFINITY : same_floats(1, &before, &after);
}

START_TEST(mask_lanes_forbids_what_is_outside_each_lanes_keys) {
    check_change(&(change_test){"mask_lanes", apply_mask_lanes, is_masked_right, 9, true}, _i);
}
END_TEST

static void apply_peaks(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                        kernel_memory *memory, float *s, float *peak) {
    (void)memory;
    if (peak) {
        kernels->peaks(s + (int64_t)c->key_begin * where->ld, where->ld, where->vectors, c->key_end - c->key_begin,
                       peak);
    }
}

static bool is_unchanged(const change_case *c, int32_t key, int32_t column, float before, float after) {
    (void)c;
    (void)key;
    (void)column;
    return same_floats(1, &before, &after);
}

START_TEST(peaks_are_the_largest_scores_and_pass_over_nan) {
    check_change(&(change_test){"peaks", apply_peaks, is_unchanged, 9, true}, _i);
}
END_TEST

static void apply_softcap(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                          kernel_memory *memory, float *s, float *peak) {
    (void)memory;
    (void)peak;
    kernels->softcap(s, where->ld, where->vectors, c->keys, c->cap);
}

static bool is_capped_right(const change_case *c, int32_t key, int32_t column, float before, float after) {
    (void)key;
    (void)column;
    const double exact = (double)c->cap * tanh((double)before);
    /* 1.6 ULP of tanh and a product. */
    return is_near(after, exact, 2.2 * 0x1p-23 * fabs(exact) + 0x1p-149);
}

START_TEST(softcap_is_cap_times_tanh) {
    check_change(&(change_test){"softcap", apply_softcap, is_capped_right, 4, false}, _i);
}
END_TEST

static float slope_of(const change_case *c, int32_t column) {
    return c->shift[column] == FV_NO_SCORE ? 0.0f : c->shift[column];
}

static void apply_alibi(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                        kernel_memory *memory, float *s, float *peak) {
    float slope[FV_MAX_LANES], diagonal[FV_MAX_LANES];
    for (int32_t i = 0; i < c->columns; i++) {
        slope[i] = slope_of(c, i);
        diagonal[i] = (float)c->visible_begin[i];
    }
    kernels->alibi(s + (int64_t)c->key_begin * where->ld, where->ld, where->vectors, c->key_end - c->key_begin,
                   take_lanes(memory, where, slope), take_lanes(memory, where, diagonal), peak);
}

static bool is_lowered_right(const change_case *c, int32_t key, int32_t column, float before, float after) {
    if (key < c->key_begin || key >= c->key_end) {
        return same_floats(1, &before, &after);
    }
    /* Keys are counted from the first that the kernel takes. */
    const double fall = (double)slope_of(c, column) * abs(c->visible_begin[column] - (key - c->key_begin));
    return is_near(after, (double)before - fall, 0x1p-23 * (fabs((double)before) + fabs(fall)) + 0x1p-149);
}

START_TEST(alibi_lowers_scores_by_their_distance_from_the_diagonal) {
    check_change(&(change_test){"alibi", apply_alibi, is_lowered_right, 9, true}, _i);
}
END_TEST

/* A case has bias, mask or both. Some lanes have no row of either, as lanes of padding do. */
static bool has_bias(const change_case *c) {
    return c->has_shift || !c->marks;
}

static bool has_rows(int32_t column) {
    return column % 5 != 4;
}

static uint8_t mask_byte(int32_t key, int32_t column) {
    static const uint8_t bytes[] = {0, 1, 128, 0, 255, 2, 1};
    return bytes[(key * 3 + column) % 7];
}

/* Rows of keys, as the caller of the library stores them, for the keys that the kernel takes. */
static void take_term_rows(const change_case *c, const arrangement *where, kernel_memory *memory, const float **bias,
                           const uint8_t **mask) {
    const int32_t keys = c->key_end - c->key_begin;
    int64_t stride;
    float *numbers = take_rows(memory, c->columns, keys, 1, &stride);
    uint8_t *bytes = take_bytes(memory, (int64_t)c->columns * keys, 1);
    for (int32_t column = 0; column < c->columns; column++) {
        for (int32_t key = 0; key < keys; key++) {
            numbers[column * stride + key] = c->terms->data[(c->key_begin + key) * c->columns + column];
            bytes[column * keys + key] = mask_byte(c->key_begin + key, column);
        }
        bias[where->place[column]] = has_rows(column) ? numbers + column * stride : NULL;
        mask[where->place[column]] = has_rows(column) ? bytes + column * keys : NULL;
    }
}

static void apply_add_terms(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                            kernel_memory *memory, float *s, float *peak) {
    const float *bias[FV_MAX_LANES] = {0};
    const uint8_t *mask[FV_MAX_LANES] = {0};
    take_term_rows(c, where, memory, bias, mask);
    const fv_term_args args = {
        .s = s + (int64_t)c->key_begin * where->ld,
        .ld = where->ld,
        .vectors = where->vectors,
        .keys = c->key_end - c->key_begin,
        .bias = has_bias(c) ? bias : NULL,
        .mask = c->marks ? mask : NULL,
        .factor = c->cap,
        .peak = peak,
    };
    kernels->add_terms(&args);
}

static bool is_added_right(const change_case *c, int32_t key, int32_t column, float before, float after) {
    const float bias = c->terms->data[key * c->columns + column], term = bias * c->cap;
    float wanted = before;
    if (key >= c->key_begin && key < c->key_end && has_rows(column)) {
        wanted = has_bias(c) ? before + (isfinite(term) ? term : bias) : before;
        if ((has_bias(c) && bias == -INFINITY) || (c->marks && mask_byte(key, column) == 0)) {
            wanted = -INFINITY;
        }
    }
    return same_floats(1, &wanted, &after);
}

START_TEST(add_terms_adds_rows_and_forbids_whatever_the_score) {
    check_change(&(change_test){"add_terms", apply_add_terms, is_added_right, 9, true}, _i);
}
END_TEST

static void apply_exponentials(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                               kernel_memory *memory, float *s, float *peak) {
    (void)peak;
    const float *shift = c->has_shift ? take_lanes(memory, where, c->shift) : NULL;
    kernels->exponentials(s, where->ld, where->vectors, c->keys, shift, c->exp, c->marks);
}

static bool is_exponential_right(const change_case *c, int32_t key, int32_t column, float before, float after) {
    (void)key;
    const float x = before - (c->has_shift ? c->shift[column] : 0.0f);
    if (before == -INFINITY) {
        return after == 0.0f && (!c->marks || signbit(after));
    }
    /* An underflow must not look like a mark. */
    const bool looks_marked = after == 0.0f && signbit(after);
    return is_exp2(after, x, c->exp == FV_EXP_FUSED ? fused_bound : sleef_bound) && (x > 127.0f || !looks_marked);
}

START_TEST(exponentials_are_exp2_exactly_zero_below_minus_126_and_mark_minus_infinity) {
    check_change(&(change_test){"exponentials", apply_exponentials, is_exponential_right, 130, false}, _i);
}
END_TEST

START_TEST(sleefs_exponentials_that_need_no_flush_are_the_same_without) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("no flush", _i);
    enum { KEYS = 50 };
    float flushed[KEYS * FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    float plain[KEYS * FV_MAX_LANES] __attribute__((aligned(FV_ALIGNMENT)));
    const int32_t ld = kernels->lanes * kernels->vectors;
    for (int32_t i = 0; i < KEYS * ld; i++) {
        plain[i] = random_float(&random, -126, 20);
    }
    plain[0] = FV_LEAST_EXPONENT;
    plain[1] = -INFINITY;
    plain[2] = NAN;
    memcpy(flushed, plain, sizeof flushed);
    kernels->exponentials(flushed, ld, kernels->vectors, KEYS, NULL, FV_EXP_SLEEF, 0);
    kernels->exponentials(plain, ld, kernels->vectors, KEYS, NULL, FV_EXP_SLEEF_NORMAL, 0);
    ck_assert_msg(same_floats(KEYS * ld, flushed, plain), "the exponentials differ");
}
END_TEST

static void apply_rescale(const change_case *c, const fv_panel_kernels *kernels, const arrangement *where,
                          kernel_memory *memory, float *s, float *peak) {
    (void)peak;
    kernels->rescale(s, where->ld, where->vectors, c->keys, take_lanes(memory, where, c->shift));
}

static bool is_rescaled_right(const change_case *c, int32_t key, int32_t column, float before, float after) {
    (void)key;
    const float wanted = before * c->shift[column];
    return same_floats(1, &wanted, &after);
}

START_TEST(rescale_multiplies_each_lane_by_its_factor) {
    check_change(&(change_test){"rescale", apply_rescale, is_rescaled_right, 9, false}, _i);
}
END_TEST

/* --- values, values_marked --- */

enum { MOST_RUNS = 6 };

/* Runs of keys; a column takes part in a run or not. */
typedef struct value_case {
    int32_t keys, columns, runs;
    int32_t run_begin[MOST_RUNS + 1];
    bool takes_part[MOST_RUNS][FV_MAX_LANES];
    int64_t head_dim_v, v_stride;
    const float *v;
    columns *p, *o, *l;
    int32_t first;
} value_case;

static value_case value_case_random(kernel_memory *memory, const fv_panel_kernels *kernels, bool marked) {
    test_random *random = memory->random;
    value_case c = {
        .keys = random_keys(kernels, random),
        .columns = random_columns(kernels, random),
        .head_dim_v = random_dim(random),
        .runs = (int32_t)random_between(random, 1, MOST_RUNS),
        .first = random_chance(random, 0.5),
    };
    float *v = take_rows(memory, c.keys, c.head_dim_v, 2, &c.v_stride);
    c.p = columns_random((int64_t)c.keys * c.columns, 1, random);
    c.o = columns_random(c.head_dim_v * c.columns, 2, random);
    c.l = columns_random(c.columns, 2, random);
    c.run_begin[c.runs] = c.keys;
    for (int32_t run = c.runs - 1; run > 0; run--) {
        c.run_begin[run] = (int32_t)random_between(random, 0, c.run_begin[run + 1]);
    }
    /* Keys that some columns may see and others not, with values that would show. */
    for (int32_t key = 0; marked && key < c.keys; key++) {
        const bool poisoned = random_chance(random, 0.2);
        if (poisoned) {
            v[key * c.v_stride + random_between(random, 0, c.head_dim_v - 1)] =
                (float[]){NAN, INFINITY, -INFINITY}[random_between(random, 0, 2)];
        }
        for (int32_t column = 0; column < c.columns; column++) {
            if (poisoned || random_chance(random, 0.2)) {
                c.p->data[key * c.columns + column] = -0.0f;
            }
        }
    }
    for (int32_t run = 0; run < c.runs; run++) {
        const double share = random_chance(random, 0.3) ? 1 : 0.4;
        for (int32_t column = 0; column < c.columns; column++) {
            c.takes_part[run][column] = random_chance(random, share);
            for (int32_t key = c.run_begin[run]; key < c.run_begin[run + 1]; key++) {
                float *p = &c.p->data[key * c.columns + column];
                *p = !c.takes_part[run][column] ? (marked ? -0.0f : 0.0f) : *p == 0.0f ? *p : fabsf(*p);
            }
        }
    }
    c.v = v;
    return c;
}

static void value_case_destroy(value_case *c) {
    free(c->p);
    free(c->o);
    free(c->l);
}

/* The vectors that hold columns of a run, widened at random. */
static fv_segment segment_of(const value_case *c, const arrangement *where, int32_t run, test_random *random) {
    fv_segment segment = {c->run_begin[run], c->run_begin[run + 1], where->vectors, 0};
    for (int32_t column = 0; column < c->columns; column++) {
        const int32_t vector = where->place[column] / where->lanes;
        if (c->takes_part[run][column]) {
            segment.vector_begin = vector < segment.vector_begin ? vector : segment.vector_begin;
            segment.vector_end = vector + 1 > segment.vector_end ? vector + 1 : segment.vector_end;
        }
    }
    if (segment.vector_begin > segment.vector_end) {
        segment.vector_begin = segment.vector_end;
    }
    if (segment.vector_begin < segment.vector_end) {
        segment.vector_begin = (int32_t)random_between(random, 0, segment.vector_begin);
        segment.vector_end = (int32_t)random_between(random, segment.vector_end, where->vectors);
    }
    return segment;
}

/* The same case cut into segments in a way of its own: runs may be cut again; those that nobody sees left out. */
static int32_t segments_of(const value_case *c, const arrangement *where, fv_segment *segments, test_random *random) {
    int32_t count = 0;
    for (int32_t run = 0; run < c->runs; run++) {
        fv_segment segment = segment_of(c, where, run, random);
        if (segment.vector_begin == segment.vector_end || segment.key_begin == segment.key_end) {
            continue;
        }
        if (random_chance(random, 0.5)) {
            fv_segment head = segment;
            head.key_end = segment.key_begin = (int32_t)random_between(random, segment.key_begin, segment.key_end);
            segments[count++] = head;
        }
        segments[count++] = segment;
    }
    return count;
}

static bool covers(const fv_segment *segments, int32_t count, int32_t key, int32_t vector) {
    for (int32_t i = 0; i < count; i++) {
        if (key >= segments[i].key_begin && key < segments[i].key_end && vector >= segments[i].vector_begin &&
            vector < segments[i].vector_end) {
            return true;
        }
    }
    return false;
}

static void arrange_values(const value_case *c, const fv_panel_kernels *kernels, bool marked, float *o, float *l,
                           test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    const arrangement where = arrangement_random(kernels, c->columns, true, random);
    fv_segment segments[2 * MOST_RUNS];
    float *p = take_panel(&memory, &where, c->keys, c->p->data);
    float *panel_o = take_panel(&memory, &where, c->head_dim_v, c->first ? NULL : c->o->data);
    float *panel_l = take_lanes(&memory, &where, c->first ? NULL : c->l->data);
    const fv_value_args args = {
        .v = c->v,
        .v_stride = c->v_stride,
        .head_dim_v = c->head_dim_v,
        .p = p,
        .ld = where.ld,
        .vectors = where.vectors,
        .segments = segments,
        .segment_count = segments_of(c, &where, segments, random),
        .first = c->first,
        .o = panel_o,
        .l = panel_l,
    };
    /* Probabilities outside the segments are not defined. */
    for (int32_t key = 0; key < c->keys; key++) {
        for (int32_t lane = 0; lane < where.ld; lane++) {
            if (!covers(segments, args.segment_count, key, lane / where.lanes)) {
                p[key * where.ld + lane] = NAN;
            }
        }
    }
    (marked ? kernels->values_marked : kernels->values)(&args);
    gather_panel(&where, c->head_dim_v, panel_o, o);
    gather_panel(&where, 1, panel_l, l);
    kernel_memory_end(&memory);
}

/* Sum over keys of p * v for d < head_dim_v, of p for d = head_dim_v; positions of p = 0 take no part. */
static double exact_value(const value_case *c, int64_t d, int32_t column, double *bound) {
    const float *before = d < c->head_dim_v ? &c->o->data[d * c->columns + column] : &c->l->data[column];
    double sum = c->first ? 0 : (double)*before, size = fabs(sum);
    for (int32_t key = 0; key < c->keys; key++) {
        const double p = (double)c->p->data[key * c->columns + column];
        if (p != 0) {
            const double term = d < c->head_dim_v ? p * (double)c->v[key * c->v_stride + d] : p;
            sum += term;
            size += fabs(term);
        }
    }
    *bound = (double)(2 * c->keys + 2) * unit * size;
    return sum;
}

static void check_values_once(const fv_panel_kernels *kernels, bool marked, test_random *random) {
    kernel_memory memory = kernel_memory_create(random);
    value_case c = value_case_random(&memory, kernels, marked);
    columns *o = columns_random(0, 0, random), *again = columns_random(0, 0, random);
    float l[FV_MAX_LANES], other_l[FV_MAX_LANES];
    arrange_values(&c, kernels, marked, o->data, l, random);
    for (int32_t column = 0; column < c.columns; column++) {
        for (int64_t d = 0; d <= c.head_dim_v; d++) {
            double bound;
            const double exact = exact_value(&c, d, column, &bound);
            const float actual = d < c.head_dim_v ? o->data[d * c.columns + column] : l[column];
            ck_assert_msg(is_near(actual, exact, bound),
                          "%s %.9g instead of %.9g (d %d of %d, %d keys, column %d of %d)",
                          d < c.head_dim_v ? "o" : "l", (double)actual, exact, (int)d, (int)c.head_dim_v, (int)c.keys,
                          (int)column, (int)c.columns);
        }
    }
    arrange_values(&c, kernels, marked, again->data, other_l, random);
    ck_assert_msg(same_floats(c.head_dim_v * c.columns, o->data, again->data), "o depends on the arrangement");
    ck_assert_msg(same_floats(c.columns, l, other_l), "l depends on the arrangement");
    free(o);
    free(again);
    value_case_destroy(&c);
    kernel_memory_end(&memory);
}

START_TEST(values_adds_the_weighted_sum_and_the_sum_of_weights) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("values", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_values_once(kernels, false, &random);
    }
}
END_TEST

START_TEST(values_marked_lets_no_marked_position_take_part) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("values_marked", _i);
    for (int64_t i = 0; i < test_scaled(400); i++) {
        check_values_once(kernels, true, &random);
    }
}
END_TEST

START_TEST(a_nan_value_reaches_exactly_the_lanes_that_weigh_it) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("nan value", _i);
    enum { KEYS = 9, DIM = 5 };
    const int32_t ld = kernels->lanes;
    kernel_memory memory = kernel_memory_create(&random);
    float *v = take_random(&memory, KEYS * DIM, sizeof(float), 1);
    v[4 * DIM + 2] = NAN;
    const size_t alignment = (size_t)ld * sizeof(float);
    float *p = take_random(&memory, KEYS * (int64_t)ld, alignment, 1);
    for (int32_t lane = 0; lane < ld; lane++) {
        p[4 * ld + lane] = lane % 2 ? 0.5f : -0.0f;
    }
    float *o = take_floats(&memory, DIM * (int64_t)ld, alignment), *l = take_floats(&memory, ld, alignment);
    const fv_segment all = {0, KEYS, 0, 1};
    const fv_value_args args = {v, DIM, DIM, p, ld, 1, &all, 1, 1, o, l, NULL};
    kernels->values_marked(&args);
    for (int32_t lane = 0; lane < ld; lane++) {
        for (int32_t d = 0; d < DIM; d++) {
            ck_assert_int_eq(isnan(o[d * ld + lane]) != 0, d == 2 && lane % 2 == 1);
        }
        ck_assert(isfinite(l[lane]));
    }
    kernels->values(&args);
    ck_assert(isnan(o[2 * ld + 1]));
    kernel_memory_end(&memory);
}
END_TEST

START_TEST(a_nan_probability_takes_part_whatever_its_sign) {
    const fv_panel_kernels *kernels = backend_at(_i)->panel;
    test_random random = test_random_named("nan probability", _i);
    const int32_t ld = kernels->lanes;
    const size_t alignment = (size_t)ld * sizeof(float);
    kernel_memory memory = kernel_memory_create(&random);
    const float *v = take_random(&memory, 3, sizeof(float), 1);
    float *p = take_random(&memory, 3 * (int64_t)ld, alignment, 1), *o = take_floats(&memory, ld, alignment);
    float *l = take_floats(&memory, ld, alignment);
    p[ld] = NAN;
    p[ld + 1] = -NAN;
    const fv_segment all = {0, 3, 0, 1};
    const fv_value_args args = {v, 1, 1, p, ld, 1, &all, 1, 1, o, l, NULL};
    kernels->values_marked(&args);
    for (int32_t lane = 0; lane < ld; lane++) {
        ck_assert_int_eq(isnan(o[lane]) != 0, lane < 2);
        ck_assert_int_eq(isnan(l[lane]) != 0, lane < 2);
    }
    kernel_memory_end(&memory);
}
END_TEST

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

Suite *panel_kernels_suite(void);

Suite *panel_kernels_suite(void) {
    Suite *suite = suite_create("panel kernels");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, a_panel_has_sound_measures);
    ADD_FOR_BACKENDS(tcase, scores_are_dot_products_raise_the_peak_and_lower_the_trough);
    ADD_FOR_BACKENDS(tcase, scores_exp_is_exp2_of_scores);
    ADD_FOR_BACKENDS(tcase, pack_transposes_and_scales_and_reads_null_rows_as_zeros);
    ADD_FOR_BACKENDS(tcase, pack_keeps_infinities_and_nan);
    ADD_FOR_BACKENDS(tcase, unpack_transposes_back_scales_skips_null_rows_and_reports_what_is_not_finite);
    ADD_FOR_BACKENDS(tcase, mask_lanes_forbids_what_is_outside_each_lanes_keys);
    ADD_FOR_BACKENDS(tcase, peaks_are_the_largest_scores_and_pass_over_nan);
    ADD_FOR_BACKENDS(tcase, softcap_is_cap_times_tanh);
    ADD_FOR_BACKENDS(tcase, alibi_lowers_scores_by_their_distance_from_the_diagonal);
    ADD_FOR_BACKENDS(tcase, add_terms_adds_rows_and_forbids_whatever_the_score);
    ADD_FOR_BACKENDS(tcase, exponentials_are_exp2_exactly_zero_below_minus_126_and_mark_minus_infinity);
    ADD_FOR_BACKENDS(tcase, sleefs_exponentials_that_need_no_flush_are_the_same_without);
    ADD_FOR_BACKENDS(tcase, rescale_multiplies_each_lane_by_its_factor);
    ADD_FOR_BACKENDS(tcase, values_adds_the_weighted_sum_and_the_sum_of_weights);
    ADD_FOR_BACKENDS(tcase, values_marked_lets_no_marked_position_take_part);
    ADD_FOR_BACKENDS(tcase, a_nan_value_reaches_exactly_the_lanes_that_weigh_it);
    ADD_FOR_BACKENDS(tcase, a_nan_probability_takes_part_whatever_its_sign);
    suite_add_tcase(suite, tcase);
    return suite;
}
