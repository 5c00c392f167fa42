/* fovea_merge: partial results over disjoint sets of keys give the whole. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/merge.h"
#include "support/backends.h"
#include "support/problem.h"

enum { MOST_PARTS = 7 };

/* Keys [begin, end) of the whole problem, in tensors of their own: the whole's arguments, narrowed. */
static problem *solve_part(const problem_spec *spec, int64_t begin, int64_t end) {
    problem *self = problem_create(spec);
    self->args.k = (const float *)self->args.k + begin * self->args.k_strides[2];
    self->args.v = (const float *)self->args.v + begin * self->args.v_strides[2];
    self->args.len_kv = end - begin;
    problem_run_ok(self);
    return self;
}

/* Merges parts into the tensors of `whole`. */
static fovea_status merge_into(problem *whole, problem *const *parts, int64_t count, int32_t threads,
                               const fovea_executor *executor) {
    const float *outs[MOST_PARTS], *lses[MOST_PARTS];
    for (int64_t i = 0; i < count; i++) {
        outs[i] = parts[i]->args.out;
        lses[i] = parts[i]->args.lse;
    }
    fovea_merge_args args = {
        .struct_size = sizeof args,
        .parts = count,
        .batch = whole->spec.batch,
        .heads = whole->spec.heads_q,
        .len = whole->spec.len_q,
        .head_dim_v = whole->spec.head_dim_v,
        .part_out = outs,
        .part_lse = lses,
        .out = whole->args.out,
        .lse = whole->args.lse,
        .threads = threads,
    };
    memcpy(args.part_out_strides, parts[0]->args.out_strides, sizeof args.part_out_strides);
    memcpy(args.part_lse_strides, parts[0]->args.lse_strides, sizeof args.part_lse_strides);
    memcpy(args.out_strides, whole->args.out_strides, sizeof args.out_strides);
    memcpy(args.lse_strides, whole->args.lse_strides, sizeof args.lse_strides);
    return fovea_merge(&args, executor);
}

/* Cuts the keys at `cuts`, merges in the order given, and compares with the oracle of the whole. */
static void check_merge(const problem_spec *spec, const int64_t *begins, const int64_t *ends, int64_t count) {
    problem *whole = problem_create(spec), *parts[MOST_PARTS];
    problem_spec of_part = *spec;
    for (int64_t i = 0; i < count; i++) {
        parts[i] = solve_part(&of_part, begins[i], ends[i]);
        /* Sinks go into one part only. */
        of_part.inputs &= ~(uint32_t)FOVEA_INPUT_SINKS;
    }
    ck_assert_msg(merge_into(whole, parts, count, 0, test_executor_get(&whole->executor)) == FOVEA_OK, "%s",
                  fovea_last_reason());
    problem_compare(whole);
    for (int64_t i = 0; i < count; i++) {
        problem_destroy(parts[i]);
    }
    problem_destroy(whole);
}

static problem_spec merge_spec(uint64_t seed, int64_t len_q, int64_t len_kv, tensor_layout layout, int32_t index) {
    return on_case(PROBLEM(.seed = seed, .batch = 2, .heads_q = 4, .heads_kv = 2, .len_q = len_q, .len_kv = len_kv,
                           .head_dim = 10, .head_dim_v = 21, .query_range = 8, .outputs = FOVEA_OUTPUT_LSE,
                           .layout_out = layout),
                   index);
}

START_TEST(parts_give_the_whole_in_any_layout) {
    for (int layout = LAYOUT_BHSD; layout <= LAYOUT_REVERSED; layout++) {
        for (int64_t len_q = 1; len_q <= 20; len_q += 19) {
            const problem_spec spec = merge_spec(3, len_q, 100, (tensor_layout)layout, _i);
            check_merge(&spec, (int64_t[]){0, 10, 11, 70}, (int64_t[]){10, 11, 70, 100}, 4);
        }
    }
}
END_TEST

START_TEST(the_order_of_parts_matters_to_rounding_only) {
    const problem_spec spec = merge_spec(4, 5, 90, LAYOUT_BHSD, _i);
    check_merge(&spec, (int64_t[]){60, 0, 30}, (int64_t[]){90, 30, 60}, 3);
    check_merge(&spec, (int64_t[]){30, 60, 0}, (int64_t[]){60, 90, 30}, 3);
}
END_TEST

START_TEST(empty_parts_are_neutral) {
    const problem_spec spec = merge_spec(5, 5, 90, LAYOUT_PADDED, _i);
    check_merge(&spec, (int64_t[]){0, 0, 40, 90}, (int64_t[]){0, 40, 90, 90}, 4);
    check_merge(&spec, (int64_t[]){0}, (int64_t[]){90}, 1);
}
END_TEST

START_TEST(empty_parts_are_neutral_whatever_their_output_holds) {
    const problem_spec spec = merge_spec(6, 5, 40, LAYOUT_BHSD, _i);
    problem *whole = problem_create(&spec);
    problem *parts[] = {solve_part(&spec, 0, 0), solve_part(&spec, 0, 40)};
    for (int64_t b = 0; b < 2; b++) {
        for (int64_t h = 0; h < 4; h++) {
            for (int64_t n = 0; n < 5 * 21; n++) {
                *tensor_at(&parts[0]->out, b, h, n / 21, n % 21) = n % 2 ? NAN : INFINITY;
            }
        }
    }
    ck_assert_int_eq(merge_into(whole, parts, 2, 1, NULL), FOVEA_OK);
    problem_compare(whole);
    problem_destroy(parts[0]);
    problem_destroy(parts[1]);
    problem_destroy(whole);
}
END_TEST

START_TEST(nothing_but_empty_parts_gives_zero_and_minus_infinity) {
    const problem_spec spec = merge_spec(7, 5, 0, LAYOUT_BHSD, _i);
    check_merge(&spec, (int64_t[]){0, 0, 0}, (int64_t[]){0, 0, 0}, 3);
}
END_TEST

START_TEST(one_part_that_outweighs_the_others_is_kept) {
    problem_spec spec = merge_spec(8, 5, 60, LAYOUT_BHSD, _i);
    spec.query_range = 300;
    check_merge(&spec, (int64_t[]){0, 1, 2, 59}, (int64_t[]){1, 2, 59, 60}, 4);
}
END_TEST

START_TEST(merging_gives_the_same_bits_for_any_threads_and_executor) {
    const problem_spec spec = merge_spec(9, 400, 90, LAYOUT_BSHD, _i);
    problem *whole = problem_create(&spec);
    problem *parts[] = {solve_part(&spec, 0, 30), solve_part(&spec, 30, 90)};
    ck_assert_int_eq(merge_into(whole, parts, 2, 1, NULL), FOVEA_OK);
    outcome alone = problem_outcome(whole);
    for (int executor = EXECUTOR_DEFAULT; executor <= EXECUTOR_SHUFFLED; executor++) {
        for (int32_t threads = 0; threads <= 7; threads++) {
            test_executor pool;
            test_executor_init(&pool, (executor_kind)executor, 5, (uint64_t)threads);
            problem_reset_outputs(whole);
            ck_assert_int_eq(merge_into(whole, parts, 2, threads, test_executor_get(&pool)), FOVEA_OK);
            outcome actual = problem_outcome(whole);
            ck_assert(outcome_equal(&alone, &actual));
            ck_assert(!pool.environment_changed);
            outcome_destroy(&actual);
        }
    }
    outcome_destroy(&alone);
    problem_destroy(parts[0]);
    problem_destroy(parts[1]);
    problem_destroy(whole);
}
END_TEST

START_TEST(nan_and_infinite_sums_propagate) {
    const problem_spec spec = merge_spec(10, 2, 40, LAYOUT_BHSD, _i);
    problem *whole = problem_create(&spec);
    problem *parts[] = {solve_part(&spec, 0, 20), solve_part(&spec, 20, 40)};
    *tensor_at(&parts[0]->lse, 0, 0, 0, 0) = NAN;
    *tensor_at(&parts[1]->lse, 0, 1, 0, 0) = INFINITY;
    *tensor_at(&parts[1]->out, 1, 0, 0, 3) = NAN;
    ck_assert_int_eq(merge_into(whole, parts, 2, 0, test_executor_get(&whole->executor)), FOVEA_OK);
    ck_assert(isnan(*tensor_at(&whole->out, 0, 0, 0, 0)) && isnan(*tensor_at(&whole->lse, 0, 0, 0, 0)));
    ck_assert(isnan(*tensor_at(&whole->out, 0, 1, 0, 0)) && !isfinite(*tensor_at(&whole->lse, 0, 1, 0, 0)));
    ck_assert(isnan(*tensor_at(&whole->out, 1, 0, 0, 3)) && isfinite(*tensor_at(&whole->out, 1, 0, 0, 4)));
    ck_assert(isfinite(*tensor_at(&whole->out, 0, 0, 1, 0)));
    problem_destroy(parts[0]);
    problem_destroy(parts[1]);
    problem_destroy(whole);
}
END_TEST

START_TEST(the_merged_log_sum_exp_is_optional) {
    problem_spec spec = merge_spec(11, 3, 40, LAYOUT_BHSD, _i);
    problem *parts[] = {solve_part(&spec, 0, 20), solve_part(&spec, 20, 40)};
    spec.outputs = 0;
    problem *whole = problem_create(&spec);
    ck_assert_int_eq(merge_into(whole, parts, 2, 0, test_executor_get(&whole->executor)), FOVEA_OK);
    problem_compare(whole);
    problem_destroy(parts[0]);
    problem_destroy(parts[1]);
    problem_destroy(whole);
}
END_TEST

START_TEST(empty_sizes_do_nothing) {
    problem_spec spec = merge_spec(12, 0, 40, LAYOUT_BHSD, _i);
    check_merge(&spec, (int64_t[]){0, 20}, (int64_t[]){20, 40}, 2);
    spec.batch = 0;
    check_merge(&spec, (int64_t[]){0, 20}, (int64_t[]){20, 40}, 2);
}
END_TEST

START_TEST(sinks_of_one_part_count_once) {
    for (int64_t len_q = 1; len_q <= 20; len_q += 19) {
        problem_spec spec = merge_spec(4, len_q, 100, LAYOUT_BHSD, _i);
        spec.inputs = FOVEA_INPUT_SINKS;
        spec.sink_range = 5;
        check_merge(&spec, (int64_t[]){0, 10, 70}, (int64_t[]){10, 70, 100}, 3);
        /* A part that holds nothing but the sinks. */
        check_merge(&spec, (int64_t[]){0, 0, 70}, (int64_t[]){0, 70, 100}, 3);
    }
}
END_TEST

Suite *merge_suite(void);

Suite *merge_suite(void) {
    Suite *suite = suite_create("merge");
    TCase *tcase = tcase_create("merge");
    ADD_FOR_CASES(tcase, sinks_of_one_part_count_once);
    ADD_FOR_CASES(tcase, parts_give_the_whole_in_any_layout);
    ADD_FOR_CASES(tcase, the_order_of_parts_matters_to_rounding_only);
    ADD_FOR_CASES(tcase, empty_parts_are_neutral);
    ADD_FOR_CASES(tcase, empty_parts_are_neutral_whatever_their_output_holds);
    ADD_FOR_CASES(tcase, nothing_but_empty_parts_gives_zero_and_minus_infinity);
    ADD_FOR_CASES(tcase, one_part_that_outweighs_the_others_is_kept);
    ADD_FOR_CASES(tcase, merging_gives_the_same_bits_for_any_threads_and_executor);
    ADD_FOR_CASES(tcase, nan_and_infinite_sums_propagate);
    ADD_FOR_CASES(tcase, the_merged_log_sum_exp_is_optional);
    ADD_FOR_CASES(tcase, empty_sizes_do_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
