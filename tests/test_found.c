/* Cases that went wrong once, found by review or by random tests: kept as they were found. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "fovea/fovea.h"
#include "support/backends.h"
#include "support/problem.h"

enum { KEYS = 8, MOST_ROWS = 9 };

/* One head of size 1 over the values 0 ... 7; all keys are `key`, all queries `query`. */
typedef struct found {
    fovea_attention_desc desc;
    float query, key, bias;
    int64_t offset;
    float out[MOST_ROWS], lse[MOST_ROWS];
} found;

static found found_of(int32_t index, int64_t rows) {
    return (found){.desc = {.struct_size = sizeof(fovea_attention_desc),
                            .batch = 1,
                            .heads_q = 1,
                            .heads_kv = 1,
                            .len_q = rows,
                            .len_kv = KEYS,
                            .head_dim = 1,
                            .head_dim_v = 1,
                            .type_index = FOVEA_INDEX_INT64,
                            .outputs = FOVEA_OUTPUT_LSE,
                            .isa_cap = backend_at(index)->isa}};
}

/* Rows of queries, keys and values one after the other. */
static fovea_attention_args args_of(found *self, const float *q, const float *k, const float *v) {
    return (fovea_attention_args){.struct_size = sizeof(fovea_attention_args),
                                  .len_q = self->desc.len_q,
                                  .len_kv = self->desc.len_kv,
                                  .q = q,
                                  .q_strides = {0, 0, 1, 1},
                                  .k = k,
                                  .k_strides = {0, 0, 1, 1},
                                  .v = v,
                                  .v_strides = {0, 0, 1, 1},
                                  .out = self->out,
                                  .out_strides = {MOST_ROWS, MOST_ROWS, 1, 1},
                                  .lse = self->lse,
                                  .lse_strides = {MOST_ROWS, MOST_ROWS, 1}};
}

static void call(const found *self, const fovea_attention_args *args) {
    ck_assert_msg(fovea_attention(&self->desc, args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
}

static void run(found *self) {
    float q[MOST_ROWS], k[KEYS], v[KEYS], bias = self->bias;
    for (int i = 0; i < MOST_ROWS; i++) {
        q[i] = self->query;
    }
    for (int j = 0; j < KEYS; j++) {
        k[j] = self->key;
        v[j] = (float)j;
    }
    fovea_attention_args args = args_of(self, q, k, v);
    args.bias = self->desc.inputs & FOVEA_INPUT_BIAS ? &bias : NULL;
    args.query_offsets = self->desc.diagonal == FOVEA_DIAGONAL_OFFSETS ? &self->offset : NULL;
    call(self, &args);
}

static void expect_mean_of_values(const found *self) {
    for (int64_t i = 0; i < self->desc.len_q; i++) {
        ck_assert_float_eq_tol(self->out[i], 3.5f, 1e-5f);
    }
}

/* The product with log2(e) overflowed to -inf, which forbids, or to +inf. */
START_TEST(a_bias_of_the_lowest_finite_float_is_a_number) {
    static const float biases[] = {-FLT_MAX, -2.5e38f, 3e38f};
    for (int64_t rows = 1; rows <= MOST_ROWS; rows += MOST_ROWS - 1) {
        for (int i = 0; i < 3; i++) {
            found self = found_of(_i, rows);
            self.desc.inputs = FOVEA_INPUT_BIAS;
            self.bias = biases[i];
            run(&self);
            expect_mean_of_values(&self);
            ck_assert(isfinite(self.lse[0]));
        }
    }
}
END_TEST

/* Offsets beyond 2^60 cancelled the numbers that stood for "no window". */
START_TEST(offsets_of_any_size_leave_unbounded_sides_unbounded) {
    static const int64_t offsets[] = {INT64_MIN, -(INT64_C(1) << 60), INT64_C(1) << 59, INT64_C(1) << 60, INT64_MAX};
    for (int64_t rows = 1; rows <= MOST_ROWS; rows += MOST_ROWS - 1) {
        for (int i = 0; i < 5; i++) {
            found self = found_of(_i, rows);
            self.desc.diagonal = FOVEA_DIAGONAL_OFFSETS;
            self.desc.causal = offsets[i] > 0;
            self.offset = offsets[i];
            run(&self);
            expect_mean_of_values(&self);
        }
    }
}
END_TEST

/* Factors that overflow f32 in log2 units made 0 times infinity. */
START_TEST(extreme_scales_and_caps_of_zero_scores_give_the_mean) {
    static const struct {
        float scale, softcap;
    } extremes[] = {{3e38f, 0}, {-3e38f, 0}, {1, 1e-39f}, {1, 3e38f}, {3e38f, 1e-39f}};
    for (int64_t rows = 1; rows <= MOST_ROWS; rows += MOST_ROWS - 1) {
        for (int i = 0; i < 5; i++) {
            found self = found_of(_i, rows);
            self.desc.has_scale = 1;
            self.desc.scale = extremes[i].scale;
            self.desc.softcap = extremes[i].softcap;
            self.key = 1;
            run(&self);
            expect_mean_of_values(&self);
        }
    }
}
END_TEST

static void run_in_turn(void *context, int64_t tasks, fovea_task task, void *task_context) {
    (void)context;
    for (int64_t i = 0; i < tasks; i++) {
        task(task_context, i, 0);
    }
}

static void *allocate_counting(void *context, size_t size, size_t alignment) {
    *(size_t *)context += size;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *context, void *memory, size_t size) {
    (void)context;
    (void)size;
    free(memory);
}

/* The workspace grew with the executor's concurrency, however few the items. */
START_TEST(workers_without_work_take_no_memory) {
    enum { ROWS = 64, LEN = 1000, DIM = 16 };
    static float q[ROWS * DIM], kv[LEN * DIM], out[ROWS * DIM];
    size_t taken = 0;
    const fovea_allocator allocator = {sizeof allocator, allocate_counting, release, &taken};
    const fovea_executor executor = {sizeof executor, run_in_turn, NULL, INT32_MAX};
    found self = found_of(_i, ROWS);
    self.desc.len_kv = LEN;
    self.desc.head_dim = self.desc.head_dim_v = DIM;
    self.desc.outputs = 0;
    self.desc.allocator = &allocator;
    const fovea_attention_args args = {.struct_size = sizeof args,
                                       .len_q = ROWS,
                                       .len_kv = LEN,
                                       .q = q,
                                       .q_strides = {0, 0, DIM, 1},
                                       .k = kv,
                                       .k_strides = {0, 0, DIM, 1},
                                       .v = kv,
                                       .v_strides = {0, 0, DIM, 1},
                                       .out = out,
                                       .out_strides = {ROWS * DIM, ROWS * DIM, DIM, 1}};
    ck_assert_msg(fovea_attention(&self.desc, &args, &executor) == FOVEA_OK, "%s", fovea_last_reason());
    ck_assert_uint_lt(taken, 8u << 20);
}
END_TEST

enum { PANEL_ROWS = 16, TWO_KEYS = 2 };

/* PANEL_ROWS equal queries over two keys, all of size 1 and of a 16-bit type, into `out` of the type of the
 * descriptor. */
static void run_two_keys(int32_t index, fovea_attention_desc desc, uint16_t query, const uint16_t *keys,
                         const uint16_t *values, void *out) {
    const fovea_attention_desc sizes = found_of(index, PANEL_ROWS).desc;
    uint16_t q[PANEL_ROWS];
    for (int i = 0; i < PANEL_ROWS; i++) {
        q[i] = query;
    }
    desc.struct_size = sizes.struct_size;
    desc.isa_cap = sizes.isa_cap;
    desc.batch = desc.heads_q = desc.heads_kv = 1;
    desc.len_q = PANEL_ROWS;
    desc.len_kv = TWO_KEYS;
    desc.head_dim = desc.head_dim_v = 1;
    const fovea_attention_args args = {.struct_size = sizeof args,
                                       .len_q = PANEL_ROWS,
                                       .len_kv = TWO_KEYS,
                                       .q = q,
                                       .q_strides = {0, 0, 1, 1},
                                       .k = keys,
                                       .k_strides = {0, 0, 1, 1},
                                       .v = values,
                                       .v_strides = {0, 0, 1, 1},
                                       .out = out,
                                       .out_strides = {PANEL_ROWS, PANEL_ROWS, 1, 1}};
    ck_assert_msg(fovea_attention(&desc, &args, NULL) == FOVEA_OK, "%s", fovea_last_reason());
}

/* Rounded to bf16, the largest f16 number is beyond f16. */
START_TEST(the_largest_f16_value_stays_finite_in_bf16_arithmetic) {
    const uint16_t tenth = 0x2e66, largest = 0x7bff;
    uint16_t out[PANEL_ROWS];
    const fovea_attention_desc desc = {
        .type_q = FOVEA_F16,
        .type_kv = FOVEA_F16,
        .type_out = FOVEA_F16,
        .arithmetic = backend_at(_i)->pair ? FOVEA_ARITHMETIC_BF16 : FOVEA_ARITHMETIC_DEFAULT,
    };
    run_two_keys(_i, desc, tenth, (uint16_t[]){tenth, tenth}, (uint16_t[]){largest, largest}, out);
    for (int i = 0; i < PANEL_ROWS; i++) {
        ck_assert_uint_eq(out[i], largest);
    }
}
END_TEST

/* The product of query and key is beyond f32, the score is -1. */
START_TEST(a_bf16_score_that_only_its_scale_makes_small_counts) {
    const uint16_t power = 0x5f80 /* 2^64 */, negative = 0xdf80, one = 0x3f80;
    const double share = exp(-1.0) / (1.0 + exp(-1.0));
    float out[PANEL_ROWS];
    const fovea_attention_desc desc = {.type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, .has_scale = 1, .scale = 0x1p-128f};
    run_two_keys(_i, desc, power, (uint16_t[]){0, negative}, (uint16_t[]){0, one}, out);
    for (int i = 0; i < PANEL_ROWS; i++) {
        ck_assert_double_eq_tol((double)out[i], share, 1e-3);
    }
}
END_TEST

/* The error of tanh, multiplied by the cap, was above the tolerance. */
START_TEST(softcap_of_scores_much_larger_than_the_cap) {
    problem_spec spec =
        PROBLEM(.seed = 0xcb6e0101380dc90c, .batch = 2, .heads_q = 4, .len_q = 19, .len_kv = 19, .head_dim = 64,
                .head_dim_v = 64, .query_range = 8, .scale = -0.348171175f, .has_scale = 1, .softcap = 21.3822899f,
                .query_offset = 7, .has_window_right = 1, .window_left = 1, .type_bias = FOVEA_BF16,
                .inputs = FOVEA_INPUT_FIRST_KEYS, .outputs = FOVEA_OUTPUT_LSE, .layout_q = LAYOUT_BSHD,
                .layout_k = LAYOUT_BSHD, .layout_v = LAYOUT_BSHD, .layout_out = LAYOUT_PADDED, .fused_qkv = 1,
                .form = CALL_WORKSPACE, .threads = 1);
    for (int exp = FOVEA_EXP_SLEEF; exp <= FOVEA_EXP_FUSED; exp++) {
        spec.isa = backend_at(_i)->isa;
        spec.exp = (fovea_exp)exp;
        problem_check(&spec);
    }
}
END_TEST

/* The logarithm of the sum was rounded where it was largest, before it was multiplied by log 2 and rounded again. */
START_TEST(a_log_sum_exp_is_rounded_once) {
    enum { MOST_KEYS = 2980 };
    static const float zeros[MOST_KEYS];
    for (int64_t keys = 60; keys <= MOST_KEYS; keys += 73) {
        found self = found_of(_i, 1);
        self.desc.len_kv = keys;
        const fovea_attention_args args = args_of(&self, zeros, zeros, zeros);
        call(&self, &args);
        /* Half an ULP of numbers from 4 to 8 is 2.4e-7. */
        ck_assert_double_eq_tol((double)self.lse[0], log((double)keys), 3e-7);
    }
}
END_TEST

/* Equal probabilities were added one after the other, each rounded as the one before it: 288 of them to an error
 * of 2.4e-6. */
START_TEST(the_sum_of_equal_probabilities_does_not_drift) {
    problem_spec spec =
        PROBLEM(.seed = 0xf00f, .batch = 2, .heads_q = 6, .heads_kv = 2, .len_q = 8, .len_kv = 736, .head_dim = 6,
                .head_dim_v = 6, .spare_q = 8, .spare_kv = 1728, .value_range = 1000, .scale = 0.0550689697f,
                .softcap = 20.3414688f, .query_offset = 10, .form_q = FOVEA_FORM_PACKED, .form_kv = FOVEA_FORM_PAGED,
                .page_size = 16, .type_q = FOVEA_BF16, .type_kv = FOVEA_BF16, .outputs = FOVEA_OUTPUT_LSE,
                .layout_q = LAYOUT_BROADCAST_ROWS, .layout_k = LAYOUT_BROADCAST_ROWS, .layout_v = LAYOUT_PADDED,
                .side = 1, .form = CALL_WORKSPACE, .isa = backend_at(_i)->isa);
    for (int exp = FOVEA_EXP_SLEEF; exp <= FOVEA_EXP_FUSED; exp++) {
        spec.exp = (fovea_exp)exp;
        problem_check(&spec);
    }
}
END_TEST

/* A weight that panels take for 0 in a first attempt is none to an infinite value, in one row or many. */
START_TEST(an_infinite_value_of_small_weight_counts) {
    const float v[2] = {1, INFINITY};
    float ones[MOST_ROWS];
    for (int i = 0; i < MOST_ROWS; i++) {
        ones[i] = 1;
    }
    for (int bits = 100; bits <= 124; bits += 4) {
        for (int64_t rows = 1; rows <= MOST_ROWS; rows += MOST_ROWS - 1) {
            const float k[2] = {0, -(float)bits * 0.693147181f};
            found self = found_of(_i, rows);
            self.desc.len_kv = 2;
            const fovea_attention_args args = args_of(&self, ones, k, v);
            call(&self, &args);
            ck_assert_msg(self.out[rows - 1] == INFINITY, "%g, bits %d", (double)self.out[rows - 1], bits);
        }
    }
}
END_TEST

Suite *found_suite(void);

Suite *found_suite(void) {
    Suite *suite = suite_create("found");
    TCase *tcase = tcase_create("found");

    ADD_FOR_BACKENDS(tcase, a_bias_of_the_lowest_finite_float_is_a_number);
    ADD_FOR_BACKENDS(tcase, offsets_of_any_size_leave_unbounded_sides_unbounded);
    ADD_FOR_BACKENDS(tcase, extreme_scales_and_caps_of_zero_scores_give_the_mean);
    ADD_FOR_BACKENDS(tcase, workers_without_work_take_no_memory);
    ADD_FOR_BACKENDS(tcase, the_largest_f16_value_stays_finite_in_bf16_arithmetic);
    ADD_FOR_BACKENDS(tcase, a_bf16_score_that_only_its_scale_makes_small_counts);
    ADD_FOR_BACKENDS(tcase, softcap_of_scores_much_larger_than_the_cap);
    ADD_FOR_BACKENDS(tcase, a_log_sum_exp_is_rounded_once);
    ADD_FOR_BACKENDS(tcase, the_sum_of_equal_probabilities_does_not_drift);
    ADD_FOR_BACKENDS(tcase, an_infinite_value_of_small_weight_counts);
    suite_add_tcase(suite, tcase);
    return suite;
}
