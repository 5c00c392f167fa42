/* fovea_attention_prefix: keys that all sequences share give what they give in front of each sequence. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/prefix.h"
#include "support/allocators.h"
#include "support/backends.h"
#include "support/prefix_case.h"

/* The arguments of the whole, cut at `shared` keys: entry 0's first ones are the prefix. */
static fovea_prefix_args cut_prefix(const problem *whole, int64_t shared, fovea_attention_args *own) {
    const fovea_attention_args *args = &whole->args;
    const int64_t element = (int64_t)whole->k.element;
    fovea_prefix_args prefix = {.struct_size = sizeof prefix,
                                .len = shared,
                                .k = args->k,
                                .v = args->v,
                                .k_scales = args->k_scales,
                                .v_scales = args->v_scales};
    memcpy(prefix.k_strides, args->k_strides + 1, sizeof prefix.k_strides);
    memcpy(prefix.v_strides, args->v_strides + 1, sizeof prefix.v_strides);
    memcpy(prefix.k_scale_strides, args->k_scale_strides + 1, sizeof prefix.k_scale_strides);
    memcpy(prefix.v_scale_strides, args->v_scale_strides + 1, sizeof prefix.v_scale_strides);
    *own = *args;
    own->len_kv -= shared;
    own->k = (const char *)args->k + shared * args->k_strides[2] * element;
    own->v = (const char *)args->v + shared * args->v_strides[2] * element;
    if (args->k_scales) {
        own->k_scales += shared * args->k_scale_strides[2];
        own->v_scales += shared * args->v_scale_strides[2];
    }
    if (args->mask) {
        own->mask += shared * args->mask_strides[3];
    }
    return prefix;
}

/* Makes the first `shared` keys of every entry those of entry 0, and allows them. */
static void share_keys(problem *whole, int64_t shared) {
    const tensor *const rows[] = {&whole->k, &whole->v, &whole->k_scales, &whole->v_scales};
    problem_open_inputs(whole);
    for (int i = 0; i < 4; i++) {
        FOR_EACH(rows[i], b, h, j, d) {
            if (j < shared) {
                memcpy(tensor_element(rows[i], b, h, j, d), tensor_element(rows[i], 0, h, j, d), rows[i]->element);
            }
        }
    }
    FOR_EACH(&whole->mask, b, h, i, j) {
        if (j < shared) {
            *(uint8_t *)tensor_element(&whole->mask, b, h, i, j) = 1;
        }
    }
}

/* Lengths of the sequences' own keys in place of the whole's, which are at least `shared`. */
static void cut_lengths(problem *whole, int64_t shared) {
    for (int64_t b = 0; whole->key_lengths.origin && b < whole->spec.batch; b++) {
        const int64_t length = tensor_get_index(&whole->key_lengths, b, 0);
        tensor_set_index(&whole->key_lengths, b, 0, length < shared ? 0 : length - shared);
    }
}

static void restore_lengths(problem *whole, int64_t shared) {
    for (int64_t b = 0; whole->key_lengths.origin && b < whole->spec.batch; b++) {
        tensor_set_index(&whole->key_lengths, b, 0, tensor_get_index(&whole->key_lengths, b, 0) + shared);
    }
}

/* The whole by one call over a prefix of `shared` keys, against the oracle. */
static void check_whole(const problem_spec *spec, int64_t shared) {
    problem *whole = problem_create(spec);
    fovea_attention_args own;
    share_keys(whole, shared);
    const fovea_prefix_args prefix = cut_prefix(whole, shared, &own);
    cut_lengths(whole, shared);
    if (fovea_attention_prefix(&whole->desc, &own, &prefix, test_executor_get(&whole->executor)) != FOVEA_OK) {
        problem_fail(whole, "%s", fovea_last_reason());
    }
    restore_lengths(whole, shared);
    /* Panels, and so pairs, however few rows there are. */
    problem_compare(whole);
    problem_destroy(whole);
}

#define CHECK_WHOLE(index, shared, ...)                                          \
    do {                                                                         \
        static int64_t problems_here;                                            \
        if (test_takes(problems_here++, index)) {                                \
            const problem_spec spec_here = on_case(PROBLEM(__VA_ARGS__), index); \
            check_whole(&spec_here, shared);                                     \
        }                                                                        \
    } while (0)

START_TEST(a_shared_prefix_gives_what_copies_of_it_give) {
    static const int64_t query_lengths[] = {1, 3, 40};
    static const int64_t prefixes[] = {0, 1, 50, 1300};
    for (int q = 0; q < 3; q++) {
        for (int p = 0; p < 4; p++) {
            CHECK_WHOLE(_i, prefixes[p], .seed = (uint64_t)p, .batch = 5, .heads_q = 4, .heads_kv = 2,
                        .len_q = query_lengths[q], .len_kv = prefixes[p] + 60, .head_dim = 24, .head_dim_v = 20,
                        .causal = 1, .outputs = FOVEA_OUTPUT_LSE, .layout_q = (tensor_layout)p,
                        .layout_out = (tensor_layout)q);
            CHECK_WHOLE(_i, prefixes[p], .seed = (uint64_t)p, .batch = 3, .heads_q = 2, .len_q = query_lengths[q],
                        .len_kv = prefixes[p] + 70, .softcap = 5, .inputs = FOVEA_INPUT_SINKS | FOVEA_INPUT_MASK,
                        .outputs = FOVEA_OUTPUT_LSE, .layout_q = LAYOUT_REVERSED, .executor = EXECUTOR_SHUFFLED);
        }
    }
}
END_TEST

START_TEST(sequences_without_keys_of_their_own_see_the_prefix) {
    CHECK_WHOLE(_i, 30, .batch = 4, .heads_q = 2, .len_q = 2, .len_kv = 30, .outputs = FOVEA_OUTPUT_LSE);
    CHECK_WHOLE(_i, 0, .batch = 4, .heads_q = 2, .len_q = 2, .len_kv = 0, .outputs = FOVEA_OUTPUT_LSE);
}
END_TEST

START_TEST(a_shared_prefix_in_every_type) {
    for (int type = FOVEA_F16; type <= FOVEA_INT8; type++) {
        const fovea_type type_q = type == FOVEA_INT8 ? FOVEA_F16 : (fovea_type)type;
        for (uint64_t seed = 1; seed <= 4; seed++) {
            CHECK_WHOLE(_i, 90, .seed = seed, .batch = 4, .heads_q = 4, .heads_kv = 2, .len_q = seed % 2 ? 5 : 30,
                        .len_kv = 170, .type_q = type_q, .type_kv = (fovea_type)type, .causal = 1,
                        .type_out = seed < 3 ? type_q : FOVEA_F32, .outputs = FOVEA_OUTPUT_LSE, .slack = 3);
        }
    }
}
END_TEST

/* The exponential that a call takes when none is named follows from the type of its results. */
START_TEST(a_shared_prefix_without_log_sum_exp) {
    const int64_t prefixes[] = {1, 300};
    for (int p = 0; p < 2; p++) {
        for (int type = FOVEA_F32; type <= FOVEA_BF16; type++) {
            problem_spec spec = on_case(PROBLEM(.batch = 3, .heads_q = 2, .len_q = 1 + 12 * p,
                                                .len_kv = prefixes[p] + 50, .type_q = (fovea_type)type,
                                                .type_kv = (fovea_type)type, .type_out = (fovea_type)type, .slack = 3),
                                        _i);
            check_whole(&spec, prefixes[p]);
            spec.exp = FOVEA_EXP_DEFAULT;
            check_whole(&spec, prefixes[p]);
        }
    }
}
END_TEST

START_TEST(a_call_without_results_does_nothing) {
    for (int empty = 0; empty < 3; empty++) {
        const problem_spec spec = PROBLEM(.batch = empty != 0, .heads_q = empty != 1, .len_q = empty != 2, .len_kv = 20,
                                          .outputs = FOVEA_OUTPUT_LSE);
        check_whole(&spec, 10);
    }
}
END_TEST

START_TEST(own_keys_of_any_form) {
    const backend_case at = backend_case_at(_i);
    test_random random = test_random_named("prefix", _i);
    for (int64_t n = 0; n < test_scaled(150); n++) {
        const problem_spec spec = prefix_random(&random, 80, at.backend->isa, at.exp);
        prefix_case self = prefix_create(&spec, random_between(&random, 0, 300));
        if (prefix_attend(&self) != FOVEA_OK) {
            problem_fail(self.own, "%s", fovea_last_reason());
        }
        prefix_compare(&self);
        prefix_destroy(&self);
    }
}
END_TEST

START_TEST(results_do_not_depend_on_threads_or_on_the_batch) {
    problem_spec spec = on_case(PROBLEM(.batch = 7, .heads_q = 8, .heads_kv = 2, .len_q = 1, .len_kv = 40,
                                        .outputs = FOVEA_OUTPUT_LSE, .concurrency = 5, .threads = 1),
                                _i);
    prefix_case together = prefix_create(&spec, 3000);
    ck_assert_int_eq(prefix_attend(&together), FOVEA_OK);
    spec.threads = 0;
    spec.executor = EXECUTOR_SHUFFLED;
    prefix_case alone = prefix_create(&spec, 3000);
    ck_assert_int_eq(prefix_attend(&alone), FOVEA_OK);
    ck_assert(memcmp(alone.own->out.memory.data, together.own->out.memory.data, together.own->out.memory.size) == 0);
    ck_assert(memcmp(alone.own->lse.memory.data, together.own->lse.memory.data, together.own->lse.memory.size) == 0);
    tensor_fill_unwritten(&alone.own->out);
    alone.own->desc.batch = 1;
    ck_assert_int_eq(prefix_attend(&alone), FOVEA_OK);
    const size_t one = together.own->out.memory.size / 7;
    ck_assert(memcmp(alone.own->out.memory.data, together.own->out.memory.data, one) == 0);
    prefix_destroy(&alone);
    prefix_destroy(&together);
}
END_TEST

START_TEST(what_is_wrong_is_named_and_nothing_written) {
    const problem_spec spec = PROBLEM(.batch = 2, .heads_q = 2, .len_kv = 9, .outputs = FOVEA_OUTPUT_LSE);
    const fovea_allocator broken = allocator_without_memory();
    for (int change = 0; change < 12; change++) {
        static const char *const reasons[] = {"prefix is NULL",
                                              "prefix.struct_size",
                                              "prefix.len (-1)",
                                              "prefix.k is NULL",
                                              "prefix.v_strides[2]",
                                              "prefix.k_scales",
                                              "workspace",
                                              "windows",
                                              "ALiBi",
                                              "weights",
                                              "out overlaps prefix.k",
                                              "no memory"};
        static const fovea_status statuses[] = {
            FOVEA_INVALID, FOVEA_INVALID,     FOVEA_INVALID,     FOVEA_INVALID,     FOVEA_INVALID, FOVEA_INVALID,
            FOVEA_INVALID, FOVEA_UNSUPPORTED, FOVEA_UNSUPPORTED, FOVEA_UNSUPPORTED, FOVEA_INVALID, FOVEA_OUT_OF_MEMORY};
        float numbers[64] = {0};
        prefix_case self = prefix_create(&spec, 5);
        fovea_attention_desc *desc = &self.own->desc;
        fovea_attention_args *args = &self.own->args;
        fovea_prefix_args *prefix = &self.prefix;
        prefix->struct_size -= change == 1;
        prefix->len = change == 2 ? -1 : prefix->len;
        prefix->k = change == 3 ? NULL : change == 10 ? self.own->out.origin : prefix->k;
        prefix->v_strides[2] += change == 4;
        prefix->k_scales = change == 5 ? numbers : NULL;
        args->workspace = change == 6 ? numbers : NULL;
        args->workspace_size = change == 6 ? sizeof numbers : 0;
        desc->has_window_left = change == 7;
        desc->inputs |= change == 8 ? FOVEA_INPUT_ALIBI : 0;
        args->alibi_slopes = change == 8 ? numbers : NULL;
        desc->weights = change == 9 ? FOVEA_WEIGHTS_PROBABILITIES : FOVEA_WEIGHTS_NONE;
        args->weights = change == 9 ? numbers : NULL;
        memcpy(args->weights_strides, (const int64_t[]){18, 9, 9, 1}, sizeof args->weights_strides);
        desc->allocator = change == 11 ? &broken : NULL;
        const fovea_status status = fovea_attention_prefix(desc, args, change == 0 ? NULL : prefix, NULL);
        ck_assert_msg(status == statuses[change] && strstr(fovea_last_reason(), reasons[change]), "%d: %s", change,
                      fovea_last_reason());
        ck_assert(tensor_is_unwritten(&self.own->out, self.own->out.origin));
        prefix_destroy(&self);
    }
    ck_assert_int_eq(fovea_attention_prefix(NULL, NULL, NULL, NULL), FOVEA_INVALID);
}
END_TEST

Suite *prefix_suite(void);

Suite *prefix_suite(void) {
    Suite *suite = suite_create("prefix");
    TCase *tcase = tcase_create("prefix");
    ADD_FOR_CASES(tcase, a_shared_prefix_gives_what_copies_of_it_give);
    ADD_FOR_CASES(tcase, sequences_without_keys_of_their_own_see_the_prefix);
    ADD_FOR_CASES(tcase, a_shared_prefix_in_every_type);
    ADD_FOR_CASES(tcase, a_shared_prefix_without_log_sum_exp);
    tcase_add_test(tcase, a_call_without_results_does_nothing);
    ADD_FOR_CASES(tcase, own_keys_of_any_form);
    ADD_FOR_CASES(tcase, results_do_not_depend_on_threads_or_on_the_batch);
    tcase_add_test(tcase, what_is_wrong_is_named_and_nothing_written);
    suite_add_tcase(suite, tcase);
    return suite;
}
