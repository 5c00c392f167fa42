/* Unusual numbers: huge, tiny, infinite, not a number; where they may reach and where never. */
#include <check.h>
#include <float.h>
#include <math.h>

#include "support/backends.h"
#include "support/problem.h"

/* One problem in prefill and one in decode, with keys over several blocks. */
static const int64_t query_lengths[] = {1, 3, 40};
enum { QUERY_LENGTHS = 3, LEN_KV = 700 };

static problem *create(int32_t index, int64_t len_q, int64_t len_kv) {
    const problem_spec spec =
        on_case(PROBLEM(.heads_q = 2, .heads_kv = 1, .len_q = len_q, .len_kv = len_kv, .has_scale = 1, .scale = 1,
                        .head_dim = 8, .head_dim_v = 20, .outputs = FOVEA_OUTPUT_LSE),
                index);
    problem *self = problem_create(&spec);
    problem_open_inputs(self);
    return self;
}

/* Makes the score of key j equal to scores[j] for every row: q = (1, 0, ...), k = (score, anything, ...). */
static void set_scores(problem *self, float (*score)(int64_t j)) {
    for (int64_t h = 0; h < self->spec.heads_q; h++) {
        for (int64_t i = 0; i < self->spec.len_q; i++) {
            for (int64_t d = 0; d < self->spec.head_dim; d++) {
                *tensor_at(&self->q, 0, h, i, d) = d == 0 ? 1.0f : 0.0f;
            }
        }
    }
    for (int64_t j = 0; j < self->spec.len_kv; j++) {
        *tensor_at(&self->k, 0, 0, j, 0) = score(j);
    }
}

static void set_values(problem *self, float (*value)(int64_t j, int64_t d)) {
    for (int64_t j = 0; j < self->spec.len_kv; j++) {
        for (int64_t d = 0; d < self->spec.head_dim_v; d++) {
            *tensor_at(&self->v, 0, 0, j, d) = value(j, d);
        }
    }
}

/* Runs, and compares every output row with the one given. */
static void expect_rows(problem *self, float (*wanted)(int64_t d), double tolerance) {
    problem_run_ok(self);
    for (int64_t h = 0; h < self->spec.heads_q; h++) {
        for (int64_t i = 0; i < self->spec.len_q; i++) {
            for (int64_t d = 0; d < self->spec.head_dim_v; d++) {
                const double actual = (double)*tensor_at(&self->out, 0, h, i, d), value = (double)wanted(d);
                if (!(fabs(actual - value) <= tolerance * fabs(value))) {
                    problem_fail(self, "out[0, %d, %d, %d] = %.9g instead of %.9g", (int)h, (int)i, (int)d, actual,
                                 value);
                }
            }
        }
    }
}

static float score_equal(int64_t j) {
    (void)j;
    return 2.5f;
}

static float value_huge(int64_t j, int64_t d) {
    (void)j;
    return d % 2 ? -3e38f : 3e38f;
}

START_TEST(equal_scores_over_huge_values_do_not_overflow) {
    static const int64_t lengths[] = {1, 2, 5, 33, 128, LEN_KV, 2100};
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        for (int i = 0; i < 7; i++) {
            problem *self = create(_i, query_lengths[q], lengths[i]);
            set_scores(self, score_equal);
            set_values(self, value_huge);
            problem_run_ok(self);
            problem_compare(self);
            problem_destroy(self);
        }
    }
}
END_TEST

static float score_rising(int64_t j) {
    return (float)j * 0.75f;
}

static float score_falling(int64_t j) {
    return (float)j * -0.75f;
}

/* Rises by more than any exponential spans within a few keys. */
static float score_rising_fast(int64_t j) {
    return (float)j * 200.0f;
}

static float score_peak_at_the_end(int64_t j) {
    return j == LEN_KV - 1 ? 5000.0f : -3.0f;
}

static float score_peak_in_the_middle(int64_t j) {
    return j == 333 ? 1000.0f : (float)(j % 7);
}

START_TEST(scores_may_rise_fall_and_jump_along_the_sequence) {
    float (*const shapes[])(int64_t) = {
        score_rising, score_falling, score_rising_fast, score_peak_at_the_end, score_peak_in_the_middle, score_equal};
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        for (int i = 0; i < 6; i++) {
            problem *self = create(_i, query_lengths[q], LEN_KV);
            set_scores(self, shapes[i]);
            problem_run_ok(self);
            problem_compare(self);
            problem_destroy(self);
        }
    }
}
END_TEST

static float score_huge_but_one(int64_t j) {
    return j == 419 ? 1e30f : -1e30f;
}

static float score_all_very_low_but_one(int64_t j) {
    return j == 419 ? -0.9e30f : -1e30f;
}

static float score_growing_hugely(int64_t j) {
    return (j == 419 ? 2e30f : (float)j * 1e27f);
}

static float value_index(int64_t j, int64_t d) {
    return (float)(j + 1) * 0.5f + (float)d;
}

static float wanted_of_419(int64_t d) {
    return value_index(419, d);
}

START_TEST(scores_of_1e30_select_the_largest) {
    float (*const shapes[])(int64_t) = {score_huge_but_one, score_all_very_low_but_one, score_growing_hugely};
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        for (int i = 0; i < 3; i++) {
            problem *self = create(_i, query_lengths[q], LEN_KV);
            set_scores(self, shapes[i]);
            set_values(self, value_index);
            expect_rows(self, wanted_of_419, 1e-6);
            problem_destroy(self);
        }
    }
}
END_TEST

START_TEST(a_very_small_finite_bias_is_an_ordinary_number) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        const int64_t len_q = query_lengths[q];
        const problem_spec spec = on_case(PROBLEM(.len_q = len_q, .len_kv = 200, .head_dim_v = 9,
                                                  .inputs = FOVEA_INPUT_BIAS, .outputs = FOVEA_OUTPUT_LSE),
                                          _i);
        problem *self = problem_create(&spec);
        problem_open_inputs(self);
        /* Every key of even rows is pushed down equally: the scores round to one number, and the values are averaged.
         */
        for (int64_t i = 0; i < len_q; i++) {
            for (int64_t j = 0; j < 200; j++) {
                *tensor_at(&self->bias, 0, 0, i, j) = i % 2 ? 0.0f : -1e30f;
            }
        }
        problem_run_ok(self);
        for (int64_t i = 0; i < len_q; i += 2) {
            for (int64_t d = 0; d < 9; d++) {
                double mean = 0;
                for (int64_t j = 0; j < 200; j++) {
                    mean += (double)*tensor_at(&self->v, 0, 0, j, d) / 200;
                }
                ck_assert_double_eq_tol((double)*tensor_at(&self->out, 0, 0, i, d), mean, 2e-6);
            }
            ck_assert_double_eq_tol((double)*tensor_at(&self->lse, 0, 0, i, 0) / -1e30, 1, 1e-6);
        }
        problem_destroy(self);
    }
}
END_TEST

START_TEST(a_score_spread_that_underflows_is_exactly_the_largest) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        problem *self = create(_i, query_lengths[q], LEN_KV);
        set_scores(self, score_rising_fast);
        set_values(self, value_index);
        problem_run_ok(self);
        for (int64_t d = 0; d < 20; d++) {
            ck_assert_double_eq_tol((double)*tensor_at(&self->out, 0, 1, 0, d), (double)value_index(LEN_KV - 1, d),
                                    1e-3);
        }
        problem_destroy(self);
    }
}
END_TEST

/* Poisons keys and values [from, LEN_KV) and compares with the oracle, which knows what may be reached. */
static void check_poisoned(problem_spec spec, int64_t from, int64_t to, bool keys, bool values) {
    static const float poisons[] = {NAN, INFINITY, -INFINITY};
    for (int poison = 0; poison < 3; poison++) {
        problem *self = problem_create(&spec);
        problem_open_inputs(self);
        for (int64_t j = from; j < to; j++) {
            *tensor_at(&self->k, 0, 0, j, j % spec.head_dim) = keys ? poisons[poison] : 0.5f;
            *tensor_at(&self->v, 0, 0, j, j % spec.head_dim_v) = values ? poisons[poison] : 0.5f;
        }
        problem_run_ok(self);
        problem_compare(self);
        problem_destroy(self);
    }
}

START_TEST(what_stands_behind_the_diagonal_reaches_only_the_rows_that_see_it) {
    for (int64_t first = 0; first < 90; first += 11) {
        const problem_spec spec =
            on_case(PROBLEM(.heads_q = 2, .len_q = 90, .len_kv = 90, .causal = 1, .head_dim = 12, .head_dim_v = 17,
                            .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES),
                    _i);
        check_poisoned(spec, first, 90, true, true);
        check_poisoned(spec, first, first + 1, false, true);
        check_poisoned(spec, first, first + 1, true, false);
    }
}
END_TEST

START_TEST(what_stands_outside_the_window_reaches_no_row) {
    const problem_spec spec = on_case(PROBLEM(.len_q = 40, .len_kv = 200, .has_window_left = 1, .window_left = 30,
                                              .has_window_right = 1, .head_dim = 12, .head_dim_v = 17),
                                      _i);
    check_poisoned(spec, 0, 130, true, true);
    check_poisoned(spec, 100, 140, true, true);
}
END_TEST

START_TEST(what_masks_forbid_reaches_no_row) {
    static const uint32_t inputs[] = {FOVEA_INPUT_MASK, FOVEA_INPUT_BIAS};
    for (int kind = 0; kind < 2; kind++) {
        for (int q = 0; q < QUERY_LENGTHS; q++) {
            /* The mask forbids at random; every row has poisoned keys that it sees or does not see. */
            const problem_spec spec =
                on_case(PROBLEM(.len_q = query_lengths[q], .len_kv = 60, .inputs = inputs[kind], .mask_density = 0.5,
                                .bias_forbids = 0.5, .head_dim = 12, .head_dim_v = 17, .outputs = FOVEA_OUTPUT_LSE),
                        _i);
            check_poisoned(spec, 20, 22, true, true);
            check_poisoned(spec, 20, 22, false, true);
        }
    }
}
END_TEST

START_TEST(padding_keys_reach_no_row) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        const problem_spec spec = on_case(PROBLEM(.seed = 5, .len_q = query_lengths[q], .len_kv = 60, .head_dim = 12,
                                                  .head_dim_v = 17, .inputs = FOVEA_INPUT_FIRST_KEYS),
                                          _i);
        problem *probe = problem_create(&spec);
        const int64_t first = oracle_index(probe->args.first_keys, spec.type_index, 0);
        problem_destroy(probe);
        check_poisoned(spec, 0, first, true, true);
    }
}
END_TEST

START_TEST(a_nan_query_poisons_its_own_row_only) {
    for (int64_t row = 0; row < 40; row += 13) {
        problem *self = create(_i, 40, 50);
        *tensor_at(&self->q, 0, 1, row, 3) = NAN;
        problem_run_ok(self);
        problem_compare(self);
        ck_assert(isnan(*tensor_at(&self->out, 0, 1, row, 0)) && isfinite(*tensor_at(&self->out, 0, 0, row, 0)));
        problem_destroy(self);
    }
}
END_TEST

static float score_with_infinity(int64_t j) {
    return j == 50 ? INFINITY : 0.5f;
}

static float score_minus_infinity(int64_t j) {
    (void)j;
    return -INFINITY;
}

START_TEST(a_score_of_plus_infinity_makes_its_row_nan) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        problem *self = create(_i, query_lengths[q], LEN_KV);
        /* Only the first column is infinite, and its query is 1. */
        set_scores(self, score_with_infinity);
        problem_run_ok(self);
        problem_compare(self);
        ck_assert(isnan(*tensor_at(&self->out, 0, 0, 0, 0)));
        problem_destroy(self);
    }
}
END_TEST

START_TEST(rows_whose_every_score_is_minus_infinity_are_zero_whatever_the_values) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        problem *self = create(_i, query_lengths[q], LEN_KV);
        set_scores(self, score_minus_infinity);
        *tensor_at(&self->v, 0, 0, 3, 0) = NAN;
        *tensor_at(&self->v, 0, 0, 600, 1) = INFINITY;
        problem_run_ok(self);
        for (int64_t i = 0; i < query_lengths[q]; i++) {
            for (int64_t d = 0; d < 20; d++) {
                ck_assert_float_eq(*tensor_at(&self->out, 0, 1, i, d), 0.0f);
            }
            ck_assert(*tensor_at(&self->lse, 0, 1, i, 0) == -INFINITY);
        }
        problem_destroy(self);
    }
}
END_TEST

START_TEST(a_row_without_allowed_key_gives_zero_and_minus_infinity) {
    for (int64_t len_q = 1; len_q <= 90; len_q += 29) {
        /* Top-left causality with an offset of -20: the first 20 rows see nothing. */
        CHECK_ON_CASE(_i, .len_q = len_q, .len_kv = 60, .causal = 1, .diagonal = FOVEA_DIAGONAL_OFFSETS,
                      .query_offset = -20, .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES);
        /* A mask that forbids everything. */
        CHECK_ON_CASE(_i, .len_q = len_q, .len_kv = 60, .inputs = FOVEA_INPUT_MASK, .mask_density = 0, .hostile = 3,
                      .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES);
    }
}
END_TEST

START_TEST(tiny_and_huge_values_keep_their_size) {
    static const float ranges[] = {1e-30f, 1e-38f, 1e-42f, 1e30f, 3e38f};
    for (int i = 0; i < 5; i++) {
        for (int q = 0; q < QUERY_LENGTHS; q++) {
            const problem_spec spec = on_case(PROBLEM(.len_q = query_lengths[q], .len_kv = 200), _i);
            problem *self = problem_create(&spec);
            problem_open_inputs(self);
            for (int64_t j = 0; j < 200; j++) {
                for (int64_t d = 0; d < 32; d++) {
                    *tensor_at(&self->v, 0, 0, j, d) *= ranges[i];
                }
            }
            problem_run_ok(self);
            if (ranges[i] > FLT_MIN) {
                problem_compare(self);
            } else {
                /* Among subnormal numbers, only the absolute error counts. */
                oracle truth = oracle_create(&self->desc, &self->args, 1);
                for (int64_t n = 0; n < truth.out.count; n++) {
                    const float actual = *tensor_at(&self->out, 0, 0, n / 32, n % 32);
                    ck_assert_double_eq_tol((double)actual, truth.out.value[n],
                                            1e-5 * (double)ranges[i] + 200 * 0x1p-149);
                }
                oracle_destroy(&truth);
            }
            problem_destroy(self);
        }
    }
}
END_TEST

Suite *numbers_suite(void);

Suite *numbers_suite(void) {
    Suite *suite = suite_create("numbers");
    TCase *finite = tcase_create("finite");
    ADD_FOR_CASES(finite, equal_scores_over_huge_values_do_not_overflow);
    ADD_FOR_CASES(finite, scores_may_rise_fall_and_jump_along_the_sequence);
    ADD_FOR_CASES(finite, scores_of_1e30_select_the_largest);
    ADD_FOR_CASES(finite, a_very_small_finite_bias_is_an_ordinary_number);
    ADD_FOR_CASES(finite, a_score_spread_that_underflows_is_exactly_the_largest);
    ADD_FOR_CASES(finite, tiny_and_huge_values_keep_their_size);
    suite_add_tcase(suite, finite);
    TCase *others = tcase_create("not finite");
    ADD_FOR_CASES(others, what_stands_behind_the_diagonal_reaches_only_the_rows_that_see_it);
    ADD_FOR_CASES(others, what_stands_outside_the_window_reaches_no_row);
    ADD_FOR_CASES(others, what_masks_forbid_reaches_no_row);
    ADD_FOR_CASES(others, padding_keys_reach_no_row);
    ADD_FOR_CASES(others, a_nan_query_poisons_its_own_row_only);
    ADD_FOR_CASES(others, a_score_of_plus_infinity_makes_its_row_nan);
    ADD_FOR_CASES(others, rows_whose_every_score_is_minus_infinity_are_zero_whatever_the_values);
    ADD_FOR_CASES(others, a_row_without_allowed_key_gives_zero_and_minus_infinity);
    suite_add_tcase(suite, others);
    return suite;
}
