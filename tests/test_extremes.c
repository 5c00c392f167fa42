/* Numbers at the ends of every type, and rows whose probability sits on one key: against the oracle, in prefill and in
 * decoding. What is infinite or not a number: test_numbers.c. */
#include <check.h>
#include <float.h>
#include <math.h>

#include "support/backends.h"
#include "support/problem.h"

static const int64_t query_lengths[] = {1, 3, 40};
enum { QUERY_LENGTHS = 3, LEN_KV = 700 };

/* Types of queries and results, and of keys and values. */
typedef struct type_pair {
    fovea_type q, kv;
} type_pair;

static const type_pair type_pairs[] = {
    {FOVEA_F32, FOVEA_F32},
    {FOVEA_F16, FOVEA_F16},
    {FOVEA_BF16, FOVEA_BF16},
    {FOVEA_F32, FOVEA_INT8},
};
enum { TYPE_PAIRS = sizeof type_pairs / sizeof *type_pairs };

static problem *create(int32_t index, type_pair types, int64_t len_q) {
    const problem_spec spec = on_case(PROBLEM(.heads_q = 2, .heads_kv = 1, .type_q = types.q, .type_kv = types.kv,
                                              .type_out = types.q, .len_q = len_q, .len_kv = LEN_KV, .has_scale = 1,
                                              .scale = 1, .head_dim = 8, .head_dim_v = 20, .outputs = FOVEA_OUTPUT_LSE),
                                      index);
    problem *self = problem_create(&spec);
    problem_open_inputs(self);
    return self;
}

static void finish(problem *self) {
    problem_run_ok(self);
    problem_compare(self);
    problem_destroy(self);
}

/* An element of row j. */
typedef float element(int64_t j, int64_t d);

/* Writes every row of keys or values; those of int8 with the scale that gives their largest element 127. */
static void set_rows(const tensor *rows, const tensor *scales, element *of) {
    for (int64_t j = 0; j < rows->size[2]; j++) {
        float largest = 0;
        for (int64_t d = 0; d < rows->size[3]; d++) {
            largest = fmaxf(largest, fabsf(of(j, d)));
        }
        const bool scaled = rows->type == FOVEA_INT8;
        const float scale = scaled && largest > 0 ? largest / 127 : 1;
        for (int64_t d = 0; d < rows->size[3]; d++) {
            tensor_put(rows, 0, 0, j, d, scaled ? of(j, d) / scale : of(j, d));
        }
        if (scaled) {
            tensor_put(scales, 0, 0, j, 0, scale);
        }
    }
}

static void set_queries(const problem *self, element *of) {
    for (int64_t h = 0; h < self->spec.heads_q; h++) {
        for (int64_t i = 0; i < self->spec.len_q; i++) {
            for (int64_t d = 0; d < self->spec.head_dim; d++) {
                tensor_put(&self->q, 0, h, i, d, of(i, d));
            }
        }
    }
}

static float first_is_one(int64_t i, int64_t d) {
    (void)i;
    return d == 0 ? 1.0f : 0.0f;
}

/* A problem whose scores are the first elements of the keys. */
static void check_scores(int32_t index, element *key) {
    for (int t = 0; t < TYPE_PAIRS; t++) {
        for (int q = 0; q < QUERY_LENGTHS; q++) {
            problem *self = create(index, type_pairs[t], query_lengths[q]);
            set_queries(self, first_is_one);
            set_rows(&self->k, &self->k_scales, key);
            finish(self);
        }
    }
}

/* --- All probability on one key --- */

static int64_t chosen_key;

static float only_the_chosen_key(int64_t j, int64_t d) {
    return d > 0 ? 0 : j == chosen_key ? 80.0f : -80.0f + (float)(j % 5);
}

START_TEST(all_probability_on_one_key_gives_its_value) {
    /* The ends, and both sides of where tiles and blocks of the backends meet. */
    static const int64_t keys[] = {0, 1, 7, 8, 15, 16, 191, 192, 255, 256, 287, 288, 511, 512, LEN_KV - 2, LEN_KV - 1};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (test_takes((int64_t)i, _i)) {
            chosen_key = keys[i];
            check_scores(_i, only_the_chosen_key);
        }
    }
}
END_TEST

static float rising_and_then_far_above(int64_t j, int64_t d) {
    return d > 0 ? 0 : j == LEN_KV - 1 ? 300.0f : (float)j * 0.0625f;
}

static float falling_from_far_above(int64_t j, int64_t d) {
    return d > 0 ? 0 : j == 0 ? 300.0f : (float)j * -0.0625f;
}

START_TEST(scores_may_rise_to_one_far_above_and_fall_from_it) {
    check_scores(_i, rising_and_then_far_above);
    check_scores(_i, falling_from_far_above);
}
END_TEST

/* --- Scores of extreme size --- */

static float of_1e30_both_ways(int64_t j, int64_t d) {
    return d > 0 ? 0 : j == 419 ? 1e30f : j % 2 ? -1e30f : 1e29f;
}

static float subnormal_score(int64_t j, int64_t d) {
    return d > 0 ? 0 : (float)(j % 9 - 4) * 1e-41f;
}

START_TEST(scores_of_1e30_and_of_subnormal_size) {
    for (int t = 0; t < TYPE_PAIRS; t++) {
        for (int q = 0; q < QUERY_LENGTHS && type_pairs[t].kv != FOVEA_F16; q++) {
            element *const keys[] = {of_1e30_both_ways, subnormal_score};
            for (int i = 0; i < 2; i++) {
                problem *self = create(_i, type_pairs[t], query_lengths[q]);
                set_queries(self, first_is_one);
                set_rows(&self->k, &self->k_scales, keys[i]);
                finish(self);
            }
        }
    }
}
END_TEST

/* --- Queries that their scale carries beyond f32, though their scores are small --- */

static float scaled_query_size;
static float key_size;

static float largest_first(int64_t i, int64_t d) {
    return d > 0 ? (float)((i + d) % 3) * 0.25f : (i % 2 ? -1.0f : 1.0f) * scaled_query_size;
}

static float tiny_first_of_both_signs(int64_t j, int64_t d) {
    return d > 0 ? (float)((j + d) % 5) * 1e-3f : (float)(j % 7 - 3) * key_size;
}

static float tiny_first_positive(int64_t j, int64_t d) {
    return d > 0 ? (float)((j + d) % 5) * 1e-3f : (float)(j % 7 + 1) * key_size;
}

static void check_overflowing(problem_spec spec, element *key) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        spec.len_q = query_lengths[q];
        problem *self = problem_create(&spec);
        problem_open_inputs(self);
        set_queries(self, largest_first);
        set_rows(&self->k, &self->k_scales, key);
        finish(self);
    }
}

START_TEST(a_query_that_its_scale_carries_beyond_f32_keeps_its_scores) {
    static const struct {
        float scale, query, key;
    } sizes[] = {{1, 3e38f, 1e-38f}, {-1, 3e38f, 1e-38f}, {3, 1e38f, 1e-38f}, {1000, 3e36f, 2e-39f}};
    element *const keys[] = {tiny_first_of_both_signs, tiny_first_positive};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        scaled_query_size = sizes[i].query;
        key_size = sizes[i].key;
        for (int k = 0; k < 2; k++) {
            const problem_spec plain =
                on_case(PROBLEM(.heads_q = 2, .heads_kv = 1, .len_kv = LEN_KV, .has_scale = 1, .scale = sizes[i].scale,
                                .head_dim = 8, .head_dim_v = 20, .outputs = FOVEA_OUTPUT_LSE),
                        _i);
            problem_spec spec = plain;
            check_overflowing(spec, keys[k]);
            spec.weights = FOVEA_WEIGHTS_PROBABILITIES;
            check_overflowing(spec, keys[k]);
            spec = plain;
            spec.inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS;
            check_overflowing(spec, keys[k]);
            spec = plain;
            spec.causal = 1;
            spec.softcap = 0.5f;
            check_overflowing(spec, keys[k]);
        }
    }
}
END_TEST

/* --- Keys and values at the ends of their type --- */

static float f16_extreme(int64_t j, int64_t d) {
    static const float numbers[] = {65504, -65504, 0x1p-24f, -0x1p-24f, 0x1p-14f, 0, 1, 0x1.ff8p-15f};
    return numbers[(3 * j + 5 * d) % 8];
}

static float bf16_extreme(int64_t j, int64_t d) {
    static const float numbers[] = {0x1.fep127f, -0x1.fep127f, 0x1p-126f, -0x1p-133f, 1, 0, -1, 0x1.fcp-127f};
    return numbers[(3 * j + 5 * d) % 8];
}

static float f16_small_query(int64_t i, int64_t d) {
    return (float)((i + d) % 3 - 1) * 0x1p-14f;
}

static float bf16_small_query(int64_t i, int64_t d) {
    return (float)((i + d) % 3 - 1) * 0x1p-126f;
}

static void check_extremes(int32_t index, type_pair types, fovea_type out, element *query, element *row) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        problem *self = create(index, types, query_lengths[q]);
        problem_spec spec = self->spec;
        problem_destroy(self);
        spec.type_out = out;
        self = problem_create(&spec);
        problem_open_inputs(self);
        set_queries(self, query);
        set_rows(&self->k, &self->k_scales, row);
        set_rows(&self->v, &self->v_scales, row);
        finish(self);
    }
}

START_TEST(keys_and_values_may_be_the_largest_and_smallest_of_their_type) {
    check_extremes(_i, (type_pair){FOVEA_F16, FOVEA_F16}, FOVEA_F16, f16_small_query, f16_extreme);
    check_extremes(_i, (type_pair){FOVEA_F16, FOVEA_F16}, FOVEA_F32, f16_small_query, f16_extreme);
    check_extremes(_i, (type_pair){FOVEA_F32, FOVEA_F16}, FOVEA_F32, f16_small_query, f16_extreme);
    check_extremes(_i, (type_pair){FOVEA_BF16, FOVEA_BF16}, FOVEA_BF16, bf16_small_query, bf16_extreme);
    check_extremes(_i, (type_pair){FOVEA_BF16, FOVEA_BF16}, FOVEA_F32, bf16_small_query, bf16_extreme);
    check_extremes(_i, (type_pair){FOVEA_F32, FOVEA_BF16}, FOVEA_F32, bf16_small_query, bf16_extreme);
    check_extremes(_i, (type_pair){FOVEA_F32, FOVEA_INT8}, FOVEA_F32, bf16_small_query, bf16_extreme);
}
END_TEST

static float largest_f16(int64_t j, int64_t d) {
    (void)j;
    return d % 2 ? -65504 : 65504;
}

static float zero(int64_t j, int64_t d) {
    (void)j, (void)d;
    return 0;
}

START_TEST(the_mean_of_the_largest_f16_is_itself) {
    for (int q = 0; q < QUERY_LENGTHS; q++) {
        problem *self = create(_i, (type_pair){FOVEA_F16, FOVEA_F16}, query_lengths[q]);
        set_rows(&self->k, NULL, zero);
        set_rows(&self->v, NULL, largest_f16);
        problem_run_ok(self);
        for (int64_t d = 0; d < self->spec.head_dim_v; d++) {
            ck_assert_double_eq(tensor_get(&self->out, 0, 1, 0, d), d % 2 ? -65504 : 65504);
        }
        problem_destroy(self);
    }
}
END_TEST

/* --- Sums over many blocks --- */

enum { MANY_KEYS = 40000 };

static float rising_to_20(int64_t j, int64_t d) {
    return d > 0 ? 0 : 20.0f * (float)j / MANY_KEYS;
}

/* Weights keep all keys of a row with one item, which sums more blocks than one sum may hold. Only the oracle's rows
 * are compared. */
START_TEST(scores_may_rise_over_more_keys_than_one_sum_holds) {
    element *const keys[] = {rising_to_20, zero};
    for (int i = 0; i < 2; i++) {
        const problem_spec spec = on_case(PROBLEM(.len_q = 10, .len_kv = MANY_KEYS, .head_dim = 4, .head_dim_v = 4,
                                                  .has_scale = 1, .scale = 1, .row_step = 9,
                                                  .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES),
                                          _i);
        problem *self = problem_create(&spec);
        problem_open_inputs(self);
        set_queries(self, first_is_one);
        set_rows(&self->k, NULL, keys[i]);
        finish(self);
    }
}
END_TEST

Suite *extremes_suite(void);

Suite *extremes_suite(void) {
    Suite *suite = suite_create("extremes");
    TCase *tcase = tcase_create("against the oracle");
    ADD_FOR_CASES(tcase, all_probability_on_one_key_gives_its_value);
    ADD_FOR_CASES(tcase, scores_may_rise_to_one_far_above_and_fall_from_it);
    ADD_FOR_CASES(tcase, scores_of_1e30_and_of_subnormal_size);
    ADD_FOR_CASES(tcase, a_query_that_its_scale_carries_beyond_f32_keeps_its_scores);
    ADD_FOR_CASES(tcase, keys_and_values_may_be_the_largest_and_smallest_of_their_type);
    ADD_FOR_CASES(tcase, the_mean_of_the_largest_f16_is_itself);
    ADD_FOR_CASES(tcase, scores_may_rise_over_more_keys_than_one_sum_holds);
    suite_add_tcase(suite, tcase);
    return suite;
}
