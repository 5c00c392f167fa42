/* The oracle itself, on problems small enough to be worked out by hand: an oracle that is wrong proves nothing. */
#include <check.h>
#include <math.h>

#include "support/oracle.h"

/* One head, D = Dv = 1, scale 1, so that a score is q * k. */
typedef struct by_hand {
    fovea_attention_desc desc;
    fovea_attention_args args;
} by_hand;

static by_hand problem_of(const float *q, int64_t len_q, const float *k, const float *v, int64_t len_kv) {
    return (by_hand){
        .desc = {.struct_size = sizeof(fovea_attention_desc),
                 .batch = 1,
                 .heads_q = 1,
                 .heads_kv = 1,
                 .len_q = len_q,
                 .len_kv = len_kv,
                 .head_dim = 1,
                 .head_dim_v = 1,
                 .scale = 1,
                 .has_scale = 1},
        .args = {.struct_size = sizeof(fovea_attention_args),
                 .len_q = len_q,
                 .len_kv = len_kv,
                 .q = q,
                 .q_strides = {0, 0, 1, 1},
                 .k = k,
                 .k_strides = {0, 0, 1, 1},
                 .v = v,
                 .v_strides = {0, 0, 1, 1}},
    };
}

static const float one[] = {1, 1, 1, 1}, zeros[] = {0, 0, 0, 0}, values[] = {1, 2, 4, 8};

static void expect_out(const by_hand *self, int64_t row, double out, double lse) {
    oracle truth = oracle_create(&self->desc, &self->args, 1);
    ck_assert_double_eq_tol(truth.out.value[row], out, 1e-12);
    if (isinf(lse)) {
        ck_assert(truth.lse.value[row] == lse);
    } else {
        ck_assert_double_eq_tol(truth.lse.value[row], lse, 1e-12);
    }
    ck_assert_double_eq_tol((double)truth.out.naive[row], out, 1e-5);
    oracle_destroy(&truth);
}

START_TEST(equal_scores_average) {
    const by_hand self = problem_of(one, 1, zeros, values, 4);
    expect_out(&self, 0, 15.0 / 4, log(4));
}
END_TEST

START_TEST(scores_weigh_by_their_exponential) {
    const float k[] = {0, 1};
    const by_hand self = problem_of(one, 1, k, values, 2);
    expect_out(&self, 0, (1 + 2 * exp(1)) / (1 + exp(1)), log(1 + exp(1)));
}
END_TEST

START_TEST(the_default_scale_is_one_over_the_root_of_head_dim) {
    const float q[] = {1, 1, 1, 1}, k[] = {0, 0, 0, 0, 1, 1, 1, 1};
    by_hand self = problem_of(q, 1, k, values, 2);
    self.desc.head_dim = 4;
    self.desc.has_scale = 0;
    self.args.k_strides[2] = 4;
    expect_out(&self, 0, (1 + 2 * exp(2)) / (1 + exp(2)), log(1 + exp(2)));
}
END_TEST

START_TEST(softcap_comes_before_bias) {
    const float k[] = {100}, bias[] = {3};
    by_hand self = problem_of(one, 1, k, values, 1);
    self.desc.softcap = 2;
    self.desc.inputs = FOVEA_INPUT_BIAS;
    self.args.bias = bias;
    expect_out(&self, 0, 1, 5);
}
END_TEST

START_TEST(each_diagonal_is_where_it_should_be) {
    const int32_t offsets[] = {2};
    by_hand self = problem_of(one, 2, zeros, values, 4);
    self.desc.causal = 1;
    /* Bottom right: rows see 3 and 4 keys. */
    expect_out(&self, 0, 7.0 / 3, log(3));
    expect_out(&self, 1, 15.0 / 4, log(4));
    /* Top left: 1 and 2. */
    self.desc.diagonal = FOVEA_DIAGONAL_TOP_LEFT;
    expect_out(&self, 0, 1, 0);
    expect_out(&self, 1, 1.5, log(2));
    /* Offset 2: 3 and 4. */
    self.desc.diagonal = FOVEA_DIAGONAL_OFFSETS;
    self.args.query_offsets = offsets;
    expect_out(&self, 0, 7.0 / 3, log(3));
}
END_TEST

START_TEST(a_window_includes_both_ends) {
    by_hand self = problem_of(one, 4, zeros, values, 4);
    self.desc.has_window_left = self.desc.has_window_right = 1;
    self.desc.window_left = 1;
    expect_out(&self, 0, 1, 0);
    expect_out(&self, 2, (2 + 4) / 2.0, log(2));
    self.desc.window_right = 1;
    expect_out(&self, 2, (2 + 4 + 8) / 3.0, log(3));
}
END_TEST

START_TEST(masks_lengths_and_first_keys_forbid) {
    const uint8_t mask[] = {1, 0, 255, 1};
    const int64_t length[] = {3}, first[] = {1};
    by_hand self = problem_of(one, 1, zeros, values, 4);
    self.desc.inputs = FOVEA_INPUT_MASK;
    self.args.mask = mask;
    self.args.mask_strides[3] = 1;
    expect_out(&self, 0, 13.0 / 3, log(3));
    self.desc.inputs = FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS;
    self.desc.type_index = FOVEA_INDEX_INT64;
    self.args.key_lengths = length;
    self.args.first_keys = first;
    expect_out(&self, 0, 3, log(2));
}
END_TEST

START_TEST(alibi_lowers_by_slope_times_distance_on_both_sides) {
    const float slopes[] = {0.5f};
    by_hand self = problem_of(one, 2, zeros, values, 2);
    self.desc.inputs = FOVEA_INPUT_ALIBI;
    self.args.alibi_slopes = slopes;
    const double far = exp(-0.5);
    expect_out(&self, 0, (1 + 2 * far) / (1 + far), log(1 + far));
    expect_out(&self, 1, (2 + far) / (1 + far), log(1 + far));
}
END_TEST

START_TEST(a_sink_takes_weight_and_gives_no_value) {
    const float sinks[] = {0};
    by_hand self = problem_of(one, 1, zeros, values, 1);
    self.desc.inputs = FOVEA_INPUT_SINKS;
    self.args.sinks = sinks;
    expect_out(&self, 0, 0.5, log(2));
    /* Without a key, the sink alone is the log-sum-exp. */
    self.args.len_kv = 0;
    expect_out(&self, 0, 0, 0);
}
END_TEST

START_TEST(rows_without_keys_are_zero) {
    by_hand self = problem_of(one, 2, zeros, values, 4);
    self.args.len_kv = 0;
    expect_out(&self, 1, 0, -INFINITY);
    self.args.len_kv = 1;
    self.desc.causal = 1; /* bottom right: row 0 stands before key 0 */
    expect_out(&self, 0, 0, -INFINITY);
    expect_out(&self, 1, 1, 0);
}
END_TEST

START_TEST(what_is_expected_of_special_numbers) {
    const float k[] = {0, INFINITY}, nan_values[] = {1, NAN}, infinite_values[] = {1, INFINITY};
    by_hand self = problem_of(one, 2, zeros, nan_values, 2);
    self.desc.causal = 1;
    oracle truth = oracle_create(&self.desc, &self.args, 1);
    ck_assert_int_eq(truth.out.kind[0], EXPECT_VALUE);
    ck_assert_int_eq(truth.out.kind[1], EXPECT_NAN);
    oracle_destroy(&truth);
    self.args.v = infinite_values;
    truth = oracle_create(&self.desc, &self.args, 1);
    ck_assert(truth.out.kind[1] == EXPECT_VALUE && truth.out.value[1] == INFINITY);
    oracle_destroy(&truth);
    self.args.k = k;
    truth = oracle_create(&self.desc, &self.args, 1);
    ck_assert(truth.out.kind[1] == EXPECT_NAN && truth.lse.kind[1] == EXPECT_VALUE_OR_NAN);
    oracle_destroy(&truth);
}
END_TEST

START_TEST(tolerances_follow_the_size_of_scores) {
    const float q[] = {8}, k[] = {8, 0};
    by_hand self = problem_of(q, 1, k, values, 2);
    oracle truth = oracle_create(&self.desc, &self.args, 1);
    ck_assert_double_eq_tol(truth.size, 64, 1e-12);
    ck_assert_double_eq_tol(truth.max_v, 2, 1e-12);
    ck_assert_double_ge(oracle_out_tolerance(&truth), 8e-6);
    ck_assert_double_eq_tol(oracle_lse_tolerance(&truth), 64e-6, 1e-12);
    oracle_destroy(&truth);
}
END_TEST

/* Found by a random problem: where a bias of -inf forbids every key, scores before the bias are shown nevertheless. */
START_TEST(scores_shown_have_their_size_beside_an_infinite_bias) {
    const float q[] = {8}, k[] = {8, 0}, bias[] = {-INFINITY, -INFINITY};
    by_hand self = problem_of(q, 1, k, values, 2);
    self.desc.inputs = FOVEA_INPUT_BIAS;
    self.desc.weights = FOVEA_WEIGHTS_SCALED_SCORES;
    self.args.bias = bias;
    self.args.bias_strides[3] = 1;
    oracle truth = oracle_create(&self.desc, &self.args, 1);
    ck_assert_double_eq_tol(truth.weights.value[0], 64, 1e-12);
    ck_assert_double_eq_tol(oracle_weights_tolerance(&truth, FOVEA_WEIGHTS_SCALED_SCORES), 64e-6, 1e-12);
    ck_assert_double_eq(truth.size, 0);
    oracle_destroy(&truth);
}
END_TEST

/* Such a row's results are infinite or NaN; the tolerance of others is not its concern. */
START_TEST(scores_that_a_bias_makes_infinite_have_no_size) {
    const float q[] = {8, 1}, k[] = {8}, bias[] = {INFINITY, 0};
    by_hand self = problem_of(q, 2, k, values, 1);
    self.desc.inputs = FOVEA_INPUT_BIAS;
    self.args.bias = bias;
    self.args.bias_strides[2] = 1;
    oracle truth = oracle_create(&self.desc, &self.args, 1);
    ck_assert_double_eq_tol(truth.size, 8, 1e-12);
    oracle_destroy(&truth);
}
END_TEST

Suite *oracle_suite(void);

Suite *oracle_suite(void) {
    Suite *suite = suite_create("oracle");
    TCase *tcase = tcase_create("by hand");
    tcase_add_test(tcase, equal_scores_average);
    tcase_add_test(tcase, scores_weigh_by_their_exponential);
    tcase_add_test(tcase, the_default_scale_is_one_over_the_root_of_head_dim);
    tcase_add_test(tcase, softcap_comes_before_bias);
    tcase_add_test(tcase, each_diagonal_is_where_it_should_be);
    tcase_add_test(tcase, a_window_includes_both_ends);
    tcase_add_test(tcase, masks_lengths_and_first_keys_forbid);
    tcase_add_test(tcase, alibi_lowers_by_slope_times_distance_on_both_sides);
    tcase_add_test(tcase, a_sink_takes_weight_and_gives_no_value);
    tcase_add_test(tcase, rows_without_keys_are_zero);
    tcase_add_test(tcase, what_is_expected_of_special_numbers);
    tcase_add_test(tcase, tolerances_follow_the_size_of_scores);
    tcase_add_test(tcase, scores_shown_have_their_size_beside_an_infinite_bias);
    tcase_add_test(tcase, scores_that_a_bias_makes_infinite_have_no_size);
    suite_add_tcase(suite, tcase);
    return suite;
}
