/* Whole calls against the oracle: packed and paged forms, layouts, types and pairs. */
#include <check.h>

#include "support/backends.h"
#include "support/problem.h"

START_TEST(packed_sequences_of_all_lengths_in_every_type) {
    for (int type = FOVEA_F32; type <= FOVEA_INT8; type++) {
        const fovea_type type_q = type == FOVEA_INT8 ? FOVEA_F32 : (fovea_type)type;
        for (uint64_t seed = 1; seed <= 10; seed++) {
            if (!test_takes((int64_t)seed + type, _i)) {
                continue;
            }
            const int64_t tokens = (int64_t)(seed * seed * 5);
            CHECK_ON_CASE(_i, .seed = seed, .batch = 6, .heads_q = 4, .heads_kv = 2, .len_q = tokens, .len_kv = tokens,
                          .type_q = type_q, .type_kv = (fovea_type)type, .type_out = type_q, .causal = 1,
                          .form_q = FOVEA_FORM_PACKED, .form_kv = FOVEA_FORM_PACKED, .cut_alike = seed % 2 != 0,
                          .outputs = FOVEA_OUTPUT_LSE, .layout_k = seed < 6 ? LAYOUT_ROW_A_PAGE : LAYOUT_BSHD,
                          .layout_v = seed < 6 ? LAYOUT_ROW_A_PAGE : LAYOUT_BSHD, .form = (call_form)(seed % 3));
        }
    }
}
END_TEST

START_TEST(queries_and_keys_are_packed_independently) {
    for (uint64_t seed = 1; seed <= 12; seed++) {
        if (!test_takes((int64_t)seed, _i)) {
            continue;
        }
        CHECK_ON_CASE(_i, .seed = seed, .batch = 4, .heads_q = 4, .heads_kv = 2, .len_q = seed % 2 ? 2 : 30,
                      .len_kv = 150, .form_kv = FOVEA_FORM_PACKED, .causal = 1, .diagonal = (fovea_diagonal)(seed % 3),
                      .query_offset = 20, .inputs = FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS,
                      .layout_k = LAYOUT_ROW_A_PAGE, .layout_v = LAYOUT_ROW_A_PAGE);
        CHECK_ON_CASE(_i, .seed = seed, .batch = 4, .heads_q = 4, .heads_kv = 2, .len_q = seed % 2 ? 9 : 90,
                      .len_kv = 1500, .spare_q = 7, .form_q = FOVEA_FORM_PACKED, .has_window_left = 1,
                      .window_left = 1100, .inputs = seed % 3 ? FOVEA_INPUT_KEY_LENGTHS : 0,
                      .outputs = FOVEA_OUTPUT_LSE);
    }
}
END_TEST

START_TEST(pages_of_every_size_in_every_type) {
    static const int64_t sizes[] = {1, 3, 7, 16, 64, 512};
    for (int type = FOVEA_F32; type <= FOVEA_INT8; type++) {
        const fovea_type type_q = type == FOVEA_INT8 ? FOVEA_F32 : (fovea_type)type;
        for (uint64_t i = 0; i < 12; i++) {
            if (!test_takes((int64_t)i + type, _i)) {
                continue;
            }
            const int64_t size = sizes[i / 2], keys = (420 + size - 1) / size * size;
            const bool forbids = size < 16;
            CHECK_ON_CASE(_i, .seed = i, .batch = 3, .heads_q = 4, .heads_kv = 2, .len_q = i % 2 ? 70 : 2,
                          .len_kv = keys, .spare_kv = 3 * size, .head_dim = i % 2 ? 20 : 32,
                          .head_dim_v = i % 2 ? 18 : 48, .type_q = type_q, .type_kv = (fovea_type)type,
                          .type_out = type_q, .causal = i % 3 != 0, .form_kv = FOVEA_FORM_PAGED, .page_size = size,
                          .outputs = FOVEA_OUTPUT_LSE, .layout_k = forbids ? LAYOUT_ROW_A_PAGE : LAYOUT_BSHD,
                          .layout_v = forbids ? LAYOUT_ROW_A_PAGE : LAYOUT_BHSD, .form = (call_form)(i % 3));
        }
    }
}
END_TEST

START_TEST(pages_with_terms_weights_and_packed_queries) {
    for (uint64_t seed = 1; seed <= 12; seed++) {
        if (!test_takes((int64_t)seed, _i)) {
            continue;
        }
        const int64_t size = seed % 2 ? 16 : 5;
        CHECK_ON_CASE(_i, .seed = seed, .batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = seed % 3 ? 2 : 40,
                      .len_kv = 20 * size, .form_kv = FOVEA_FORM_PAGED, .page_size = size, .hostile = seed % 4 ? 0 : 2,
                      .inputs = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS | FOVEA_INPUT_FIRST_KEYS, .bias_forbids = 0.1,
                      .weights = FOVEA_WEIGHTS_PROBABILITIES);
        CHECK_ON_CASE(_i, .seed = seed, .batch = 5, .heads_q = 6, .heads_kv = 2, .len_q = seed % 3 ? 9 : 120,
                      .len_kv = 160 * size, .form_q = FOVEA_FORM_PACKED, .form_kv = FOVEA_FORM_PAGED, .page_size = size,
                      .causal = 1, .outputs = FOVEA_OUTPUT_LSE, .type_index = FOVEA_INDEX_INT64, .row_step = 3);
    }
}
END_TEST

START_TEST(every_layout_of_inputs_and_outputs) {
    for (int input = 0; input < LAYOUT_COUNT; input++) {
        for (int output = LAYOUT_BHSD; output <= LAYOUT_REVERSED; output++) {
            for (int64_t len_q = 1; len_q <= 20; len_q += 19) {
                CHECK_ON_CASE(_i, .batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = len_q, .len_kv = 37, .head_dim = 11,
                              .head_dim_v = 13, .layout_q = (tensor_layout)input, .layout_k = (tensor_layout)input,
                              .layout_v = (tensor_layout)input, .layout_out = (tensor_layout)output,
                              .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES);
            }
        }
    }
}
END_TEST

START_TEST(fused_qkv_views) {
    CHECK_ON_CASE(_i, .batch = 2, .heads_q = 6, .heads_kv = 2, .len_q = 30, .len_kv = 30, .fused_qkv = 1,
                  .layout_q = LAYOUT_BSHD, .layout_k = LAYOUT_BSHD, .layout_v = LAYOUT_BSHD, .causal = 1);
}
END_TEST

/* Every legal combination of the types of queries, keys and values, outputs and bias. */
static void check_types(int32_t index, const problem_spec *base) {
    static const fovea_type floats[] = {FOVEA_F32, FOVEA_F16, FOVEA_BF16};
    for (int n = 0; n < 3 * 4 * 2 * 3; n++) {
        problem_spec spec = on_case(*base, index);
        spec.type_q = floats[n % 3];
        spec.type_kv = (fovea_type)(n / 3 % 4);
        spec.type_out = n / 12 % 2 ? spec.type_q : FOVEA_F32;
        spec.type_bias = floats[n / 24];
        const fovea_type types[] = {spec.type_q, spec.type_kv, spec.type_bias};
        int32_t f16 = 0, bf16 = 0;
        for (int i = 0; i < 3; i++) {
            f16 += types[i] == FOVEA_F16;
            bf16 += types[i] == FOVEA_BF16;
        }
        /* The second term lets a case meet every type of queries. */
        if ((f16 == 0 || bf16 == 0) && test_takes(n + n / 6, index)) {
            problem_check(&spec);
        }
    }
}

START_TEST(every_combination_of_types) {
    static const int64_t lengths[] = {1, 40};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        check_types(_i, &PROBLEM(.batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = lengths[i], .len_kv = 75,
                                 .head_dim = 21, .head_dim_v = 18, .causal = 1, .inputs = FOVEA_INPUT_BIAS,
                                 .bias_forbids = 0.1, .bias_broadcast = BROADCAST_HEADS, .outputs = FOVEA_OUTPUT_LSE));
        check_types(_i, &PROBLEM(.batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = lengths[i], .len_kv = 75,
                                 .head_dim = 8, .head_dim_v = 33, .inputs = FOVEA_INPUT_BIAS,
                                 .bias_broadcast = BROADCAST_KEYS, .weights = FOVEA_WEIGHTS_PROBABILITIES));
    }
}
END_TEST

START_TEST(narrow_types_across_blocks_splits_and_long_rows) {
    for (int type = FOVEA_F16; type <= FOVEA_INT8; type++) {
        const fovea_type type_q = type == FOVEA_INT8 ? FOVEA_F16 : (fovea_type)type;
        for (int64_t len_q = 1; len_q <= 80; len_q += 79) {
            CHECK_ON_CASE(_i, .type_q = type_q, .type_kv = (fovea_type)type, .type_out = type_q, .heads_q = 2,
                          .len_q = len_q, .len_kv = 2600, .head_dim = 16, .head_dim_v = 24, .layout_k = LAYOUT_BSHD,
                          .outputs = FOVEA_OUTPUT_LSE, .row_step = 16);
            CHECK_ON_CASE(_i, .type_q = type_q, .type_kv = (fovea_type)type, .type_out = type_q, .heads_q = 2,
                          .len_q = len_q, .len_kv = 100, .head_dim = 700, .head_dim_v = 530, .row_step = 16);
        }
        /* Many panels to an item, keys of several lengths, rows that cannot be read past them. */
        CHECK_ON_CASE(_i, .type_q = type_q, .type_kv = (fovea_type)type, .type_out = type_q, .batch = 2, .len_q = 500,
                      .len_kv = 600, .head_dim = 9, .head_dim_v = 7, .causal = 1,
                      .inputs = FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS, .layout_k = LAYOUT_ROW_A_PAGE,
                      .layout_v = LAYOUT_ROW_A_PAGE, .row_step = 16);
    }
}
END_TEST

START_TEST(narrow_types_with_nan_and_infinities_in_allowed_and_forbidden_places) {
    for (int type = FOVEA_F16; type <= FOVEA_INT8; type++) {
        for (int64_t seed = 1; seed <= 20; seed++) {
            if (!test_takes(seed + type, _i)) {
                continue;
            }
            const fovea_type type_q = type == FOVEA_INT8 ? FOVEA_BF16 : (fovea_type)type;
            CHECK_ON_CASE(_i, .seed = (uint64_t)seed, .type_q = type_q, .type_kv = (fovea_type)type, .type_out = type_q,
                          .heads_q = 2, .len_q = seed % 2 ? 3 : 40, .len_kv = 90, .causal = 1, .hostile = 3,
                          .outputs = FOVEA_OUTPUT_LSE, .weights = FOVEA_WEIGHTS_PROBABILITIES);
        }
    }
}
END_TEST

/* A problem in the types that may go through pairs of bf16 numbers, asked for where it is not the default. On a backend
 * without them the same in its own arithmetic. */
static void check_pairs(int32_t index, problem_spec spec) {
    static const fovea_type types[] = {FOVEA_BF16, FOVEA_F16, FOVEA_F32};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        spec.type_q = spec.type_kv = types[i];
        spec.type_out = spec.seed % 2 ? FOVEA_F32 : types[i];
        spec = on_case(spec, index);
        spec.arithmetic = FOVEA_ARITHMETIC_BF16;
        if (!problem_has_pairs(&spec)) {
            spec.arithmetic = FOVEA_ARITHMETIC_DEFAULT;
        }
        problem_check(&spec);
    }
}

START_TEST(pairs_at_every_length_and_size) {
    for (int64_t n = 1; n <= 66; n += 1) {
        if (test_takes(n, _i)) {
            check_pairs(_i, PROBLEM(.seed = (uint64_t)n, .len_q = 9 + n % 60, .len_kv = n, .head_dim = 67 - n,
                                    .head_dim_v = n, .layout_k = LAYOUT_ROW_A_PAGE, .layout_v = LAYOUT_ROW_A_PAGE,
                                    .outputs = FOVEA_OUTPUT_LSE));
            check_pairs(_i, PROBLEM(.seed = (uint64_t)n, .len_q = 40, .len_kv = 270 + n, .head_dim = 9, .head_dim_v = 5,
                                    .causal = 1, .outputs = FOVEA_OUTPUT_LSE, .layout_k = LAYOUT_BSHD, .row_step = 5));
        }
    }
    check_pairs(_i, PROBLEM(.len_q = 20, .len_kv = 20, .head_dim = 701, .head_dim_v = 1031));
}
END_TEST

START_TEST(pairs_with_windows_that_begin_and_end_at_odd_and_even_keys) {
    for (int64_t left = 0; left < 9; left++) {
        for (int64_t right = 0; right < 3; right++) {
            if (test_takes(left, _i)) {
                check_pairs(_i, PROBLEM(.seed = (uint64_t)left, .heads_q = 3, .len_q = 90, .len_kv = 411, .head_dim = 8,
                                        .head_dim_v = 8, .has_window_left = 1, .window_left = 5 * left,
                                        .has_window_right = 1, .window_right = right,
                                        .diagonal = right % 2 ? FOVEA_DIAGONAL_TOP_LEFT : FOVEA_DIAGONAL_BOTTOM_RIGHT,
                                        .row_step = 3, .outputs = FOVEA_OUTPUT_LSE));
            }
        }
    }
    for (uint64_t seed = 1; seed <= 12; seed++) {
        if (!test_takes((int64_t)seed, _i)) {
            continue;
        }
        check_pairs(_i, PROBLEM(.seed = seed, .batch = 3, .heads_q = 2, .len_q = 30, .len_kv = 61, .head_dim = 20,
                                .head_dim_v = 20, .inputs = FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS,
                                .causal = seed % 2 != 0, .layout_k = LAYOUT_ROW_A_PAGE, .layout_v = LAYOUT_ROW_A_PAGE));
    }
}
END_TEST

START_TEST(pairs_through_pages) {
    for (int64_t size = 1; size <= 33; size += 4) {
        if (!test_takes(size / 4, _i)) {
            continue;
        }
        check_pairs(_i, PROBLEM(.seed = (uint64_t)size, .batch = 2, .heads_q = 2, .len_q = 40, .len_kv = 9 * size,
                                .head_dim = 20, .head_dim_v = 20, .form_kv = FOVEA_FORM_PAGED, .page_size = size,
                                .inputs = FOVEA_INPUT_FIRST_KEYS, .causal = size % 8 == 1,
                                .layout_k = LAYOUT_ROW_A_PAGE, .layout_v = LAYOUT_ROW_A_PAGE));
    }
}
END_TEST

START_TEST(pairs_with_terms_softcap_and_hostile_numbers) {
    for (uint64_t seed = 1; seed <= 12; seed++) {
        if (!test_takes((int64_t)seed, _i)) {
            continue;
        }
        check_pairs(_i, PROBLEM(.seed = seed, .heads_q = 2, .len_q = 50, .len_kv = 97, .inputs = FOVEA_INPUT_BIAS,
                                .bias_forbids = 0.1, .softcap = seed % 3 ? 0 : 4, .query_range = 4,
                                .outputs = FOVEA_OUTPUT_LSE));
        check_pairs(_i, PROBLEM(.seed = seed, .heads_q = 2, .len_q = 50, .len_kv = 97, .inputs = FOVEA_INPUT_MASK,
                                .hostile = 3, .outputs = FOVEA_OUTPUT_LSE));
        check_pairs(_i, PROBLEM(.seed = seed, .heads_q = 2, .len_q = 70, .len_kv = 90, .causal = 1, .hostile = 3,
                                .outputs = FOVEA_OUTPUT_LSE));
    }
}
END_TEST

Suite *attention_forms_suite(void);

Suite *attention_forms_suite(void) {
    Suite *suite = suite_create("attention forms");
    TCase *features = tcase_create("every feature");
    ADD_FOR_CASES(features, packed_sequences_of_all_lengths_in_every_type);
    ADD_FOR_CASES(features, queries_and_keys_are_packed_independently);
    ADD_FOR_CASES(features, pages_of_every_size_in_every_type);
    ADD_FOR_CASES(features, pages_with_terms_weights_and_packed_queries);
    ADD_FOR_CASES(features, every_layout_of_inputs_and_outputs);
    ADD_FOR_CASES(features, fused_qkv_views);
    ADD_FOR_CASES(features, every_combination_of_types);
    ADD_FOR_CASES(features, narrow_types_across_blocks_splits_and_long_rows);
    ADD_FOR_CASES(features, narrow_types_with_nan_and_infinities_in_allowed_and_forbidden_places);
    ADD_FOR_CASES(features, pairs_at_every_length_and_size);
    ADD_FOR_CASES(features, pairs_with_windows_that_begin_and_end_at_odd_and_even_keys);
    ADD_FOR_CASES(features, pairs_through_pages);
    ADD_FOR_CASES(features, pairs_with_terms_softcap_and_hostile_numbers);
    suite_add_tcase(suite, features);
    return suite;
}
