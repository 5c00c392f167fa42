/* The panel family of every backend that this processor runs, against plain loops: kernels that change scores in place.
 *
 * Each case is computed in two different arrangements of the same columns (other lanes, other vectors, other row
 * lengths, other divisions of the keys), and must give the same bits: rule 3 of arch/kernel.h. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "support/backends.h"
#include "support/kernel_case.h"
#include "support/kernel_memory.h"
#include "support/panel_case.h"
#include "support/random.h"

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
    return is_exp2(after, x, c->marks ? -126 : -110, c->exp == FV_EXP_FUSED ? fused_bound : sleef_bound) &&
           (x > 127.0f || !looks_marked);
}

START_TEST(exponentials_are_exp2_exactly_zero_below_minus_110_or_126_and_mark_minus_infinity) {
    check_change(&(change_test){"exponentials", apply_exponentials, is_exponential_right, 130, false}, _i);
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

Suite *panel_terms_suite(void);

Suite *panel_terms_suite(void) {
    Suite *suite = suite_create("panel terms");
    TCase *tcase = tcase_create("every backend");
    ADD_FOR_BACKENDS(tcase, mask_lanes_forbids_what_is_outside_each_lanes_keys);
    ADD_FOR_BACKENDS(tcase, peaks_are_the_largest_scores_and_pass_over_nan);
    ADD_FOR_BACKENDS(tcase, softcap_is_cap_times_tanh);
    ADD_FOR_BACKENDS(tcase, alibi_lowers_scores_by_their_distance_from_the_diagonal);
    ADD_FOR_BACKENDS(tcase, add_terms_adds_rows_and_forbids_whatever_the_score);
    ADD_FOR_BACKENDS(tcase, exponentials_are_exp2_exactly_zero_below_minus_110_or_126_and_mark_minus_infinity);
    ADD_FOR_BACKENDS(tcase, rescale_multiplies_each_lane_by_its_factor);
    suite_add_tcase(suite, tcase);
    return suite;
}
