/* Whole calls against the oracle: every feature alone, and all of them in random combination. */
#include <check.h>

#include "support/backends.h"
#include "support/problem.h"

static void check_random(const char *name, int32_t index, int64_t count, int64_t largest) {
    const backend_case at = backend_case_at(index);
    test_random random = test_random_named(name, index);
    for (int64_t i = 0; i < test_scaled(count); i++) {
        const problem_spec spec = problem_random(&random, largest, at.backend->isa, at.exp);
        problem_check(&spec);
    }
}

START_TEST(random_small_problems) {
    check_random("small", _i, 1500, 80);
}
END_TEST

START_TEST(random_problems_across_blocks_and_splits) {
    check_random("blocks", _i, 150, 1100);
}
END_TEST

START_TEST(every_length_near_a_tile_edge) {
    for (int64_t len = 1; len <= 70; len++) {
        CHECK_ON_CASE(_i, .seed = (uint64_t)len, .len_q = len, .len_kv = 71 - len, .head_dim = 17, .head_dim_v = 19,
                      .layout_k = LAYOUT_ROW_A_PAGE, .layout_v = LAYOUT_ROW_A_PAGE, .outputs = FOVEA_OUTPUT_LSE);
    }
}
END_TEST

START_TEST(every_head_dim) {
    for (int64_t dim = 1; dim <= 80; dim++) {
        CHECK_ON_CASE(_i, .seed = (uint64_t)dim, .len_q = 5, .len_kv = 11, .head_dim = dim, .head_dim_v = 81 - dim);
        CHECK_ON_CASE(_i, .seed = (uint64_t)dim, .len_q = 29, .len_kv = 33, .head_dim = 81 - dim, .head_dim_v = dim);
    }
    CHECK_ON_CASE(_i, .len_q = 20, .len_kv = 20, .head_dim = 256, .head_dim_v = 300);
    CHECK_ON_CASE(_i, .len_q = 1, .len_kv = 20, .head_dim = 300, .head_dim_v = 256);
}
END_TEST

START_TEST(key_counts_around_block_and_split_boundaries) {
    static const int64_t edges[] = {127, 128, 129, 191, 192,  193,  255,  256,  257,  383, 384,
                                    385, 511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        for (int64_t len_q = 1; len_q <= 20; len_q += 19) {
            CHECK_ON_CASE(_i, .seed = i, .len_q = len_q, .len_kv = edges[i], .head_dim = 24, .head_dim_v = 16,
                          .outputs = FOVEA_OUTPUT_LSE, .side = i % 2 ? GUARD_AFTER : GUARD_BEFORE);
            CHECK_ON_CASE(_i, .seed = i, .len_q = len_q, .len_kv = edges[i], .head_dim = 16, .head_dim_v = 24,
                          .causal = 1, .heads_q = 2, .heads_kv = 1);
        }
    }
}
END_TEST

START_TEST(every_group_size_in_prefill_and_decode) {
    for (int64_t group = 1; group <= 17; group++) {
        for (int64_t len_q = 1; len_q <= 9; len_q += 2) {
            CHECK_ON_CASE(_i, .seed = (uint64_t)group, .batch = 2, .heads_q = 2 * group, .heads_kv = 2, .len_q = len_q,
                          .len_kv = 37, .head_dim = 20, .head_dim_v = 12, .causal = 1, .outputs = FOVEA_OUTPUT_LSE);
        }
    }
}
END_TEST

START_TEST(causal_with_each_diagonal) {
    for (int diagonal = FOVEA_DIAGONAL_BOTTOM_RIGHT; diagonal <= FOVEA_DIAGONAL_OFFSETS; diagonal++) {
        for (int64_t len_q = 1; len_q <= 70; len_q += 23) {
            for (int64_t len_kv = 1; len_kv <= 70; len_kv += 23) {
                for (int64_t offset = -80; offset <= 80; offset += 40) {
                    CHECK_ON_CASE(_i, .batch = 2, .len_q = len_q, .len_kv = len_kv, .head_dim = 8, .head_dim_v = 8,
                                  .causal = 1, .diagonal = (fovea_diagonal)diagonal, .query_offset = offset,
                                  .outputs = FOVEA_OUTPUT_LSE);
                }
            }
        }
    }
}
END_TEST

START_TEST(windows_on_both_sides_with_and_without_causality) {
    static const int64_t reaches[] = {0, 1, 7, 16, 33, 64, 200};
    for (size_t left = 0; left < 7; left++) {
        for (size_t right = 0; right < 7; right++) {
            CHECK_ON_CASE(_i, .len_q = 90, .len_kv = 150, .head_dim = 8, .head_dim_v = 8, .has_window_left = left > 0,
                          .window_left = reaches[left], .has_window_right = right > 0, .window_right = reaches[right],
                          .causal = left % 2 != 0, .row_step = 3);
        }
    }
}
END_TEST

START_TEST(a_window_far_beyond_the_sequence_changes_nothing) {
    CHECK_ON_CASE(_i, .len_q = 5, .len_kv = 9, .has_window_left = 1, .window_left = INT64_MAX, .has_window_right = 1,
                  .window_right = INT64_MAX);
}
END_TEST

START_TEST(query_offsets_far_outside_the_sequence) {
    CHECK_ON_CASE(_i, .len_q = 20, .len_kv = 30, .diagonal = FOVEA_DIAGONAL_OFFSETS, .query_offset = INT32_MAX,
                  .causal = 1);
    CHECK_ON_CASE(_i, .len_q = 20, .len_kv = 30, .diagonal = FOVEA_DIAGONAL_OFFSETS, .query_offset = INT32_MIN,
                  .causal = 1, .outputs = FOVEA_OUTPUT_LSE);
    CHECK_ON_CASE(_i, .len_q = 20, .len_kv = 30, .diagonal = FOVEA_DIAGONAL_OFFSETS, .query_offset = INT32_MIN,
                  .has_window_right = 1, .window_right = 5);
}
END_TEST

START_TEST(alibi_with_each_diagonal_and_every_other_term) {
    for (int diagonal = FOVEA_DIAGONAL_BOTTOM_RIGHT; diagonal <= FOVEA_DIAGONAL_OFFSETS; diagonal++) {
        for (int64_t len_q = 1; len_q <= 70; len_q += 23) {
            CHECK_ON_CASE(_i, .batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = len_q, .len_kv = 90,
                          .inputs = FOVEA_INPUT_ALIBI, .diagonal = (fovea_diagonal)diagonal, .query_offset = -30,
                          .slopes_shared = len_q % 2, .outputs = FOVEA_OUTPUT_LSE);
            CHECK_ON_CASE(_i, .batch = 2, .heads_q = 6, .heads_kv = 2, .len_q = len_q, .len_kv = 600,
                          .inputs = FOVEA_INPUT_ALIBI | FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS, .causal = 1,
                          .diagonal = (fovea_diagonal)diagonal, .query_offset = 500, .row_step = 3, .head_dim_v = 9);
            CHECK_ON_CASE(_i, .heads_q = 3, .heads_kv = 1, .len_q = len_q, .len_kv = 45, .softcap = 5,
                          .inputs = FOVEA_INPUT_ALIBI | FOVEA_INPUT_BIAS | FOVEA_INPUT_MASK, .bias_forbids = 0.2,
                          .diagonal = (fovea_diagonal)diagonal, .slope_range = 2, .has_window_left = 1,
                          .window_left = 20, .weights = FOVEA_WEIGHTS_PROBABILITIES);
        }
    }
    CHECK_ON_CASE(_i, .len_q = 1, .len_kv = 5000, .inputs = FOVEA_INPUT_ALIBI, .slope_range = 0.01f,
                  .outputs = FOVEA_OUTPUT_LSE);
}
END_TEST

START_TEST(sinks_take_their_share_once) {
    static const float ranges[] = {2, 60};
    for (int range = 0; range < 2; range++) {
        for (int64_t len_q = 1; len_q <= 30; len_q += 29) {
            CHECK_ON_CASE(_i, .batch = 2, .heads_q = 6, .heads_kv = 2, .len_q = len_q, .len_kv = 50,
                          .inputs = FOVEA_INPUT_SINKS, .sink_range = ranges[range], .outputs = FOVEA_OUTPUT_LSE,
                          .weights = FOVEA_WEIGHTS_PROBABILITIES);
            /* Keys that are split, in prefill too. */
            CHECK_ON_CASE(_i, .heads_q = 4, .heads_kv = 2, .len_q = len_q, .len_kv = 4000, .head_dim_v = 9,
                          .inputs = FOVEA_INPUT_SINKS, .sink_range = ranges[range], .outputs = FOVEA_OUTPUT_LSE,
                          .has_window_left = range, .window_left = 1500, .row_step = 7);
            /* Rows that see no key: their log-sum-exp is the sink. */
            CHECK_ON_CASE(_i, .batch = 2, .heads_q = 3, .heads_kv = 1, .len_q = len_q, .len_kv = 40, .causal = 1,
                          .diagonal = FOVEA_DIAGONAL_OFFSETS, .query_offset = -10, .sink_range = ranges[range],
                          .inputs = FOVEA_INPUT_SINKS | FOVEA_INPUT_MASK | FOVEA_INPUT_ALIBI, .mask_density = 0.05,
                          .outputs = FOVEA_OUTPUT_LSE);
            CHECK_ON_CASE(_i, .heads_q = 2, .len_q = len_q, .len_kv = 0, .inputs = FOVEA_INPUT_SINKS,
                          .sink_range = ranges[range], .outputs = FOVEA_OUTPUT_LSE);
        }
    }
    /* Infinite and NaN ones, and values that make a first try overflow. */
    for (uint64_t seed = 1; seed <= 10; seed++) {
        CHECK_ON_CASE(_i, .seed = seed, .heads_q = 4, .heads_kv = 2, .len_q = seed % 2 ? 2 : 25, .len_kv = 60,
                      .inputs = FOVEA_INPUT_SINKS, .hostile = 1, .outputs = FOVEA_OUTPUT_LSE);
        CHECK_ON_CASE(_i, .seed = seed, .heads_q = 4, .heads_kv = 2, .len_q = seed % 2 ? 2 : 25, .len_kv = 60,
                      .inputs = FOVEA_INPUT_SINKS, .value_range = 3e38f, .outputs = FOVEA_OUTPUT_LSE);
    }
}
END_TEST

START_TEST(mask_and_bias_broadcast_over_every_combination_of_axes) {
    for (int32_t axes = 0; axes < 16; axes++) {
        CHECK_ON_CASE(_i, .batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = 19, .len_kv = 45,
                      .inputs = FOVEA_INPUT_MASK, .mask_broadcast = axes);
        CHECK_ON_CASE(_i, .batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = 2, .len_kv = 45,
                      .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS, .mask_broadcast = axes,
                      .bias_broadcast = 15 - axes);
        CHECK_ON_CASE(_i, .batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = 19, .len_kv = 45,
                      .inputs = FOVEA_INPUT_BIAS, .bias_forbids = 0.2, .bias_broadcast = axes,
                      .outputs = FOVEA_OUTPUT_LSE);
    }
}
END_TEST

/* NaN and infinities in places that no row sees are not looked at. */
START_TEST(masks_and_biases_of_tiles) {
    static const int32_t edges[] = {16, 32, 48, 64, 100};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        for (int64_t len_q = 1; len_q <= 130; len_q += 43) {
            for (uint64_t seed = 1; seed <= 3; seed++) {
                CHECK_ON_CASE(_i, .seed = seed, .heads_q = 2, .len_q = len_q, .len_kv = 700, .head_dim = 8,
                              .head_dim_v = 8, .inputs = FOVEA_INPUT_MASK, .mask_tile = edges[i], .row_step = 3,
                              .mask_broadcast = seed == 1 ? BROADCAST_HEADS : 0, .hostile = seed == 2 ? 3 : 0,
                              .outputs = FOVEA_OUTPUT_LSE);
                CHECK_ON_CASE(_i, .seed = seed, .heads_q = 6, .heads_kv = 2, .len_q = len_q, .len_kv = 500,
                              .head_dim = 8, .head_dim_v = 8, .causal = 1, .type_kv = FOVEA_F16, .row_step = 3,
                              .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS | FOVEA_INPUT_FIRST_KEYS,
                              .mask_tile = edges[i], .bias_tile = edges[4 - i], .bias_broadcast = BROADCAST_ROWS,
                              .bias_forbids = 0.1, .softcap = seed == 3 ? 4 : 0);
                CHECK_ON_CASE(_i, .seed = seed, .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, .type_bias = FOVEA_BF16,
                              .len_q = len_q, .len_kv = 600, .head_dim = 8, .head_dim_v = 8, .has_window_left = 1,
                              .window_left = 300, .inputs = FOVEA_INPUT_BIAS | FOVEA_INPUT_ALIBI, .bias_tile = edges[i],
                              .row_step = 3, .outputs = FOVEA_OUTPUT_LSE);
            }
        }
    }
    /* More keys than are looked at at a time. */
    CHECK_ON_CASE(_i, .len_q = 40, .len_kv = 5000, .head_dim = 8, .head_dim_v = 8, .inputs = FOVEA_INPUT_MASK,
                  .mask_tile = 64, .row_step = 5);
}
END_TEST

/* Runs of up to FV_MAX_RUN keys for up to eight queries: parts of 64 keys that no row may see are left out. */
START_TEST(masks_of_tiles_for_few_queries) {
    static const fovea_type types[] = {FOVEA_F32, FOVEA_F16, FOVEA_INT8};
    static const int32_t edges[] = {64, 100, 200};
    for (size_t i = 0; i < 9; i++) {
        const fovea_type type = types[i % 3];
        CHECK_ON_CASE(_i, .heads_q = 4, .heads_kv = 2, .len_kv = 1500, .head_dim = 16, .head_dim_v = 16,
                      .type_kv = type, .inputs = FOVEA_INPUT_MASK, .mask_tile = edges[i / 3],
                      .outputs = FOVEA_OUTPUT_LSE);
        CHECK_ON_CASE(_i, .len_q = 8, .len_kv = 1200, .head_dim = 24, .head_dim_v = 8, .type_kv = type, .hostile = 4,
                      .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS, .mask_tile = edges[i / 3], .bias_tile = 64,
                      .softcap = 5, .mask_broadcast = BROADCAST_ROWS);
        CHECK_ON_CASE(_i, .batch = 2, .len_q = 3, .len_kv = 1024, .head_dim = 16, .head_dim_v = 16, .type_kv = type,
                      .form_kv = FOVEA_FORM_PAGED, .page_size = 16, .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_ALIBI,
                      .mask_tile = edges[i / 3],
                      .weights = i % 2 ? FOVEA_WEIGHTS_MASKED_SCORES : FOVEA_WEIGHTS_PROBABILITIES);
    }
}
END_TEST

START_TEST(keys_past_the_length_are_never_read) {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        for (int64_t len_q = 1; len_q <= 40; len_q += 13) {
            CHECK_ON_CASE(_i, .seed = seed, .batch = 3, .heads_q = 2, .len_q = len_q, .len_kv = 60, .head_dim = 20,
                          .head_dim_v = 20, .inputs = FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS,
                          .causal = seed % 2 != 0, .layout_k = LAYOUT_ROW_A_PAGE, .layout_v = LAYOUT_ROW_A_PAGE,
                          .type_index = FOVEA_INDEX_INT64);
        }
    }
}
END_TEST

START_TEST(softcap_before_bias_before_masks) {
    for (int64_t len_q = 1; len_q <= 30; len_q += 29) {
        CHECK_ON_CASE(_i, .len_q = len_q, .len_kv = 50, .softcap = 2, .query_range = 8, .outputs = FOVEA_OUTPUT_LSE,
                      .weights = FOVEA_WEIGHTS_PROBABILITIES);
        CHECK_ON_CASE(_i, .len_q = len_q, .len_kv = 50, .softcap = 2, .query_range = 8,
                      .inputs = FOVEA_INPUT_BIAS | FOVEA_INPUT_MASK, .bias_forbids = 0.1, .causal = 1);
    }
}
END_TEST

START_TEST(any_finite_scale_is_used_as_given) {
    static const float scales[] = {0, -1, -0.125f, 1e-20f, 3, -0.0f};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        for (int64_t len_q = 1; len_q <= 20; len_q += 19) {
            CHECK_ON_CASE(_i, .len_q = len_q, .len_kv = 40, .has_scale = 1, .scale = scales[i], .softcap = 0,
                          .outputs = FOVEA_OUTPUT_LSE);
            CHECK_ON_CASE(_i, .len_q = len_q, .len_kv = 40, .has_scale = 1, .scale = scales[i], .softcap = 5);
        }
    }
}
END_TEST

START_TEST(probabilities_sum_to_one_and_are_zero_where_forbidden) {
    for (int64_t len_q = 1; len_q <= 60; len_q += 19) {
        problem_spec spec =
            on_case(PROBLEM(.batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = len_q, .len_kv = 300,
                            .weights = FOVEA_WEIGHTS_PROBABILITIES, .outputs = FOVEA_OUTPUT_LSE, .causal = 1,
                            .diagonal = FOVEA_DIAGONAL_TOP_LEFT, .layout_out = LAYOUT_BSHD),
                    _i);
        problem *self = problem_create(&spec);
        ck_assert_int_eq(problem_run(self), FOVEA_OK);
        problem_compare(self);
        for (int64_t row = 0; row < 2 * 4 * len_q; row++) {
            const int64_t b = row / (4 * len_q), h = row / len_q % 4, i = row % len_q;
            double sum = 0;
            for (int64_t j = 0; j < 300; j++) {
                const float p = *tensor_at(&self->weights, b, h, i, j);
                /* A million elements; each assertion, passed or not, costs a write to a pipe. */
                if (j <= i ? !(p >= 0) : p != 0.0f) {
                    ck_abort_msg("p[%d, %d] = %g", (int)i, (int)j, (double)p);
                }
                sum += (double)p;
            }
            ck_assert_double_eq_tol(sum, 1, 1e-5);
        }
        problem_destroy(self);
    }
}
END_TEST

START_TEST(every_kind_of_weights_in_prefill_and_decode) {
    for (int kind = FOVEA_WEIGHTS_PROBABILITIES; kind <= FOVEA_WEIGHTS_MEAN_PROBABILITIES; kind++) {
        for (int64_t len_q = 1; len_q <= 60; len_q += 19) {
            CHECK_ON_CASE(_i, .batch = 2, .heads_q = 6, .heads_kv = 2, .len_q = len_q, .len_kv = 300, .head_dim = 21,
                          .weights = (fovea_weights)kind, .softcap = len_q % 2 ? 3 : 0, .query_range = 4,
                          .inputs = FOVEA_INPUT_BIAS | FOVEA_INPUT_MASK | FOVEA_INPUT_ALIBI | FOVEA_INPUT_SINKS |
                                    FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS,
                          .bias_forbids = 0.1, .causal = 1, .layout_out = LAYOUT_BSHD, .outputs = FOVEA_OUTPUT_LSE,
                          .layout_k = LAYOUT_ROW_A_PAGE);
            CHECK_ON_CASE(_i, .heads_q = 5, .heads_kv = 5, .len_q = len_q, .len_kv = 70, .type_q = FOVEA_BF16,
                          .type_kv = FOVEA_BF16, .weights = (fovea_weights)kind, .has_window_left = 1, .window_left = 9,
                          .layout_out = LAYOUT_REVERSED);
            CHECK_ON_CASE(_i, .batch = 2, .heads_q = 2, .len_q = len_q, .len_kv = 70, .type_kv = FOVEA_INT8,
                          .weights = (fovea_weights)kind, .hostile = 2, .inputs = FOVEA_INPUT_KEY_LENGTHS);
            CHECK_ON_CASE(_i, .batch = 2, .heads_q = 2, .len_q = len_q, .len_kv = 70, .weights = (fovea_weights)kind,
                          .hostile = 3, .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS | FOVEA_INPUT_SINKS);
        }
        /* More query heads to a key/value head than a panel has lanes, and several parts of rows and keys. */
        CHECK_ON_CASE(_i, .heads_q = 60, .heads_kv = 1, .len_q = 2, .len_kv = 40, .weights = (fovea_weights)kind);
        CHECK_ON_CASE(_i, .heads_q = 3, .heads_kv = 1, .len_q = 20, .len_kv = 2400, .head_dim = 8, .head_dim_v = 8,
                      .weights = (fovea_weights)kind, .row_step = 5);
        CHECK_ON_CASE(_i, .len_q = 20, .len_kv = 0, .weights = (fovea_weights)kind);
        CHECK_ON_CASE(_i, .len_q = 0, .len_kv = 9, .weights = (fovea_weights)kind);
    }
}
END_TEST

START_TEST(empty_sizes_do_nothing_and_zero_keys_give_zero_rows) {
    for (int form = CALL_ONCE; form <= CALL_WORKSPACE; form++) {
        CHECK_ON_CASE(_i, .batch = 0, .form = (call_form)form);
        CHECK_ON_CASE(_i, .len_q = 0, .form = (call_form)form, .len_kv = 5);
        CHECK_ON_CASE(_i, .heads_q = 0, .heads_kv = 1, .form = (call_form)form);
        CHECK_ON_CASE(_i, .len_q = 3, .len_kv = 0, .form = (call_form)form, .outputs = FOVEA_OUTPUT_LSE);
        CHECK_ON_CASE(_i, .len_q = 40, .len_kv = 0, .form = (call_form)form, .spare_kv = 100, .causal = 1);
    }
}
END_TEST

START_TEST(every_optional_input_alone) {
    for (uint32_t input = FOVEA_INPUT_MASK; input <= FOVEA_INPUT_SINKS; input <<= 1) {
        for (int64_t len_q = 1; len_q <= 20; len_q += 19) {
            CHECK_ON_CASE(_i, .heads_q = 2, .len_q = len_q, .len_kv = 40, .inputs = input);
        }
    }
}
END_TEST

Suite *attention_suite(void);

Suite *attention_suite(void) {
    Suite *suite = suite_create("attention");
    TCase *features = tcase_create("every feature");
    ADD_FOR_CASES(features, every_length_near_a_tile_edge);
    ADD_FOR_CASES(features, every_head_dim);
    ADD_FOR_CASES(features, key_counts_around_block_and_split_boundaries);
    ADD_FOR_CASES(features, every_group_size_in_prefill_and_decode);
    ADD_FOR_CASES(features, causal_with_each_diagonal);
    ADD_FOR_CASES(features, windows_on_both_sides_with_and_without_causality);
    ADD_FOR_CASES(features, a_window_far_beyond_the_sequence_changes_nothing);
    ADD_FOR_CASES(features, query_offsets_far_outside_the_sequence);
    ADD_FOR_CASES(features, alibi_with_each_diagonal_and_every_other_term);
    ADD_FOR_CASES(features, sinks_take_their_share_once);
    ADD_FOR_CASES(features, mask_and_bias_broadcast_over_every_combination_of_axes);
    ADD_FOR_CASES(features, masks_and_biases_of_tiles);
    ADD_FOR_CASES(features, masks_of_tiles_for_few_queries);
    ADD_FOR_CASES(features, keys_past_the_length_are_never_read);
    ADD_FOR_CASES(features, softcap_before_bias_before_masks);
    ADD_FOR_CASES(features, any_finite_scale_is_used_as_given);
    ADD_FOR_CASES(features, probabilities_sum_to_one_and_are_zero_where_forbidden);
    ADD_FOR_CASES(features, every_kind_of_weights_in_prefill_and_decode);
    ADD_FOR_CASES(features, empty_sizes_do_nothing_and_zero_keys_give_zero_rows);
    ADD_FOR_CASES(features, every_optional_input_alone);
    suite_add_tcase(suite, features);
    TCase *combinations = tcase_create("random combinations");
    ADD_FOR_CASES(combinations, random_small_problems);
    ADD_FOR_CASES(combinations, random_problems_across_blocks_and_splits);
    suite_add_tcase(suite, combinations);
    return suite;
}
