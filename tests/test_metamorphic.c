/* Metamorphic tests: two calls whose results are related, whatever they are. No oracle, so that nothing can be wrong in
 * the same way on both sides. In f32, f16, bf16 and with int8 keys and values, on every backend. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/fovea.h"
#include "support/backends.h"
#include "support/problem.h"

enum { MOST_KEYS = 400 };

/* --- Problems that are made of each other --- */

static const struct {
    fovea_type q, kv;
} types[] = {{FOVEA_F32, FOVEA_F32}, {FOVEA_F16, FOVEA_F16}, {FOVEA_BF16, FOVEA_BF16}, {FOVEA_F32, FOVEA_INT8}};

/* One row, rows that do not fill a panel, more than a panel; few keys, more than a tile, more than a block. */
static const struct { int64_t len_q, len_kv; } shapes[] = {{1, 300}, {5, 37}, {70, 130}};

enum { TYPES = 4, SHAPES = 3, VARIANTS = TYPES * SHAPES };

static problem_spec variant(int32_t index, int64_t number, uint32_t inputs) {
    const int64_t shape = number / TYPES;
    return on_case(PROBLEM(.seed = test_seed() + (uint64_t)number, .batch = 2, .heads_q = 4, .heads_kv = 2,
                           .len_q = shapes[shape].len_q, .len_kv = shapes[shape].len_kv, .head_dim = 24,
                           .head_dim_v = 17, .type_q = types[number % TYPES].q, .type_kv = types[number % TYPES].kv,
                           .query_range = 3, .outputs = FOVEA_OUTPUT_LSE, .inputs = inputs, .bias_forbids = 0.1),
                   index);
}

/* A problem whose inputs may be written. */
static problem *open_problem(const problem_spec *spec) {
    problem *self = problem_create(spec);
    problem_open_inputs(self);
    return self;
}

static uint8_t *mask_at(const problem *self, int64_t b, int64_t h, int64_t i, int64_t j) {
    const int64_t *strides = self->mask.strides;
    return (uint8_t *)self->mask.origin + b * strides[0] + h * strides[1] + i * strides[2] + j * strides[3];
}

static void copy_row(const tensor *from, const tensor *to, const int64_t source[3], const int64_t target[3]) {
    for (int64_t d = 0; d < from->size[3]; d++) {
        tensor_put(to, target[0], target[1], target[2], d, (float)tensor_get(from, source[0], source[1], source[2], d));
    }
}

/* Key `from_key` of one problem becomes key `to_key` of the other, with its column of mask and bias. */
static void copy_key(const problem *from, const problem *to, int64_t from_key, int64_t to_key) {
    const problem_spec *spec = &from->spec;
    for (int64_t b = 0; b < spec->batch; b++) {
        for (int64_t h = 0; h < spec->heads_kv; h++) {
            const int64_t source[3] = {b, h, from_key}, target[3] = {b, h, to_key};
            copy_row(&from->k, &to->k, source, target);
            copy_row(&from->v, &to->v, source, target);
            if (spec->type_kv == FOVEA_INT8) {
                copy_row(&from->k_scales, &to->k_scales, source, target);
                copy_row(&from->v_scales, &to->v_scales, source, target);
            }
        }
        for (int64_t n = 0; n < spec->heads_q * spec->len_q; n++) {
            const int64_t h = n / spec->len_q, i = n % spec->len_q;
            if (spec->inputs & FOVEA_INPUT_MASK) {
                *mask_at(to, b, h, i, to_key) = *mask_at(from, b, h, i, from_key);
            }
            if (spec->inputs & FOVEA_INPUT_BIAS) {
                tensor_put(&to->bias, b, h, i, to_key, (float)tensor_get(&from->bias, b, h, i, from_key));
            }
        }
    }
}

static void copy_queries(const problem *from, const problem *to) {
    for (int64_t b = 0; b < from->spec.batch; b++) {
        for (int64_t h = 0; h < from->spec.heads_q; h++) {
            for (int64_t i = 0; i < from->spec.len_q; i++) {
                const int64_t at[3] = {b, h, i};
                copy_row(&from->q, &to->q, at, at);
            }
        }
    }
}

static void add_bias(const problem *self, int64_t b, int64_t h, int64_t i, int64_t j, double more) {
    tensor_put(&self->bias, b, h, i, j, (float)(tensor_get(&self->bias, b, h, i, j) + more));
}

/* What roundings in another order may make of outputs around 1, and of log-sum-exps. */
static double tolerance(const problem *self) {
    const int64_t lanes = self->spec.len_q * self->spec.heads_q / self->spec.heads_kv;
    return self->has_pairs && lanes > FV_MAX_ROWS ? 0x1p-6 : 1e-5;
}

static bool close(double a, double b, double allowed) {
    return a == b || fabs(a - b) <= allowed || (isnan(a) && isnan(b));
}

/* Row i of (b, h) of one problem against row j of (b2, h2) of the other; log-sum-exps differ by `shift`. */
static void compare_row(const problem *one, const int64_t at[3], const problem *two, const int64_t other[3],
                        double shift, double allowed) {
    for (int64_t d = 0; d < one->spec.head_dim_v; d++) {
        const double a = tensor_get(&one->out, at[0], at[1], at[2], d);
        const double b = tensor_get(&two->out, other[0], other[1], other[2], d);
        if (!close(a, b, allowed)) {
            problem_fail(two, "out[%lld, %lld, %lld, %lld] is %.9g instead of %.9g", (long long)other[0],
                         (long long)other[1], (long long)other[2], (long long)d, b, a);
        }
    }
    const double a = tensor_get(&one->lse, at[0], at[1], at[2], 0) + shift;
    const double b = tensor_get(&two->lse, other[0], other[1], other[2], 0);
    if (!close(a, b, allowed > 0 ? 1e-5 : 0)) {
        problem_fail(two, "lse[%lld, %lld, %lld] is %.9g instead of %.9g", (long long)other[0], (long long)other[1],
                     (long long)other[2], b, a);
    }
}

/* All rows of two problems of one shape. */
static void compare_all(const problem *one, const problem *two, double allowed) {
    for (int64_t b = 0; b < one->spec.batch; b++) {
        for (int64_t h = 0; h < one->spec.heads_q; h++) {
            for (int64_t i = 0; i < one->spec.len_q; i++) {
                const int64_t at[3] = {b, h, i};
                compare_row(one, at, two, at, 0, allowed);
            }
        }
    }
}

static void destroy_both(problem *one, problem *two) {
    problem_destroy(one);
    problem_destroy(two);
}

/* --- Relations --- */

START_TEST(the_order_of_keys_does_not_matter) {
    test_random random = test_random_named("permuted keys", _i);
    for (int64_t number = 0; number < VARIANTS; number++) {
        const problem_spec spec = variant(_i, number, FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
        problem *one = problem_create(&spec), *two = open_problem(&spec);
        int64_t order[MOST_KEYS];
        for (int64_t j = 0; j < spec.len_kv; j++) {
            const int64_t other = random_between(&random, 0, j);
            order[j] = order[other];
            order[other] = j;
        }
        for (int64_t j = 0; j < spec.len_kv; j++) {
            copy_key(one, two, order[j], j);
        }
        problem_run_ok(one);
        problem_run_ok(two);
        compare_all(one, two, tolerance(one));
        destroy_both(one, two);
    }
}
END_TEST

static const void *advanced(const void *data, int64_t stride, int64_t count, size_t element) {
    return (const char *)data + stride * count * (int64_t)element;
}

/* Leaves a problem keys [begin, end). */
static void narrow_keys(problem *self, int64_t begin, int64_t end) {
    fovea_attention_args *args = &self->args;
    args->k = advanced(args->k, args->k_strides[2], begin, self->k.element);
    args->v = advanced(args->v, args->v_strides[2], begin, self->v.element);
    args->mask = advanced(args->mask, args->mask_strides[3], begin, 1);
    args->bias = advanced(args->bias, args->bias_strides[3], begin, self->bias.element);
    if (self->spec.type_kv == FOVEA_INT8) {
        args->k_scales += args->k_scale_strides[2] * begin;
        args->v_scales += args->v_scale_strides[2] * begin;
    }
    args->len_kv = end - begin;
}

static void merge_into(const problem *whole, problem *const *parts, int64_t count) {
    const float *outs[8], *lses[8];
    for (int64_t i = 0; i < count; i++) {
        outs[i] = parts[i]->args.out;
        lses[i] = parts[i]->args.lse;
    }
    fovea_merge_args args = {.struct_size = sizeof args, .parts = count, .part_out = outs, .part_lse = lses};
    args.batch = whole->spec.batch;
    args.heads = whole->spec.heads_q;
    args.len = whole->spec.len_q;
    args.head_dim_v = whole->spec.head_dim_v;
    args.out = whole->args.out;
    args.lse = whole->args.lse;
    memcpy(args.part_out_strides, parts[0]->args.out_strides, sizeof args.part_out_strides);
    memcpy(args.part_lse_strides, parts[0]->args.lse_strides, sizeof args.part_lse_strides);
    memcpy(args.out_strides, whole->args.out_strides, sizeof args.out_strides);
    memcpy(args.lse_strides, whole->args.lse_strides, sizeof args.lse_strides);
    ck_assert_msg(fovea_merge(&args, test_executor_get(&whole->executor)) == FOVEA_OK, "%s", fovea_last_reason());
}

START_TEST(parts_of_the_keys_merge_to_the_whole) {
    enum { PARTS = 4 };
    test_random random = test_random_named("split keys", _i);
    for (int64_t number = 0; number < VARIANTS; number++) {
        const problem_spec spec = variant(_i, number, FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
        problem *whole = problem_create(&spec), *merged = problem_create(&spec), *parts[PARTS];
        problem_run_ok(whole);
        int64_t begin = 0;
        for (int64_t i = 0; i < PARTS; i++) {
            const int64_t end = i == PARTS - 1 ? spec.len_kv : random_between(&random, begin, spec.len_kv);
            parts[i] = problem_create(&spec);
            narrow_keys(parts[i], begin, end);
            problem_run_ok(parts[i]);
            begin = end;
        }
        merge_into(merged, parts, PARTS);
        compare_all(whole, merged, tolerance(whole));
        for (int64_t i = 0; i < PARTS; i++) {
            problem_destroy(parts[i]);
        }
        destroy_both(whole, merged);
    }
}
END_TEST

/* Batch entry 1 - b and key/value head 1 - h, with its group of query heads. */
static void swap_batch_and_heads(const problem *from, const problem *to) {
    const problem_spec *spec = &from->spec;
    const int64_t group = spec->heads_q / spec->heads_kv;
    for (int64_t n = 0; n < 4; n++) {
        const int64_t b = n / 2, h = n % 2;
        for (int64_t j = 0; j < spec->len_kv; j++) {
            const int64_t source[3] = {b, h, j}, target[3] = {1 - b, 1 - h, j};
            copy_row(&from->k, &to->k, source, target);
            copy_row(&from->v, &to->v, source, target);
            if (spec->type_kv == FOVEA_INT8) {
                copy_row(&from->k_scales, &to->k_scales, source, target);
                copy_row(&from->v_scales, &to->v_scales, source, target);
            }
        }
        for (int64_t i = 0; i < group * spec->len_q; i++) {
            const int64_t member = i / spec->len_q, row = i % spec->len_q;
            const int64_t source[3] = {b, h * group + member, row};
            const int64_t target[3] = {1 - b, (1 - h) * group + member, row};
            copy_row(&from->q, &to->q, source, target);
            copy_row(&from->bias, &to->bias, source, target);
        }
    }
}

START_TEST(batch_entries_and_heads_may_change_places_to_the_bit) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        const problem_spec spec = variant(_i, number, FOVEA_INPUT_BIAS);
        problem *one = problem_create(&spec), *two = open_problem(&spec);
        swap_batch_and_heads(one, two);
        problem_run_ok(one);
        problem_run_ok(two);
        for (int64_t n = 0; n < spec.batch * spec.heads_q * spec.len_q; n++) {
            const int64_t i = n % spec.len_q, h = n / spec.len_q % spec.heads_q, b = n / spec.len_q / spec.heads_q;
            const int64_t at[3] = {b, h, i}, other[3] = {1 - b, (h + 2) % 4, i};
            compare_row(one, at, two, other, 0, 0);
        }
        destroy_both(one, two);
    }
}
END_TEST

START_TEST(scaling_queries_is_scaling_the_scale) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        problem_spec spec = variant(_i, number, FOVEA_INPUT_MASK);
        spec.has_scale = 1;
        spec.scale = 0.25f;
        problem *one = problem_create(&spec);
        spec.scale = -0.0625f;
        problem *two = open_problem(&spec);
        copy_queries(one, two);
        for (int64_t n = 0; n < spec.batch * spec.heads_q * spec.len_q * spec.head_dim; n++) {
            const int64_t d = n % spec.head_dim, i = n / spec.head_dim % spec.len_q;
            const int64_t h = n / spec.head_dim / spec.len_q % spec.heads_q;
            const int64_t b = n / spec.head_dim / spec.len_q / spec.heads_q;
            tensor_put(&two->q, b, h, i, d, -4 * (float)tensor_get(&one->q, b, h, i, d));
        }
        problem_run_ok(one);
        problem_run_ok(two);
        compare_all(one, two, tolerance(one));
        destroy_both(one, two);
    }
}
END_TEST

START_TEST(a_constant_on_a_row_moves_its_log_sum_exp_alone) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        const problem_spec spec = variant(_i, number, FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
        problem *one = problem_create(&spec), *two = open_problem(&spec);
        for (int64_t n = 0; n < spec.batch * spec.heads_q * spec.len_q * spec.len_kv; n++) {
            const int64_t j = n % spec.len_kv, i = n / spec.len_kv % spec.len_q;
            const int64_t h = n / spec.len_kv / spec.len_q % spec.heads_q;
            add_bias(two, n / spec.len_kv / spec.len_q / spec.heads_q, h, i, j, (double)(i % 5) - 2 + (double)h);
        }
        problem_run_ok(one);
        problem_run_ok(two);
        for (int64_t n = 0; n < spec.batch * spec.heads_q * spec.len_q; n++) {
            const int64_t i = n % spec.len_q, h = n / spec.len_q % spec.heads_q;
            const int64_t at[3] = {n / spec.len_q / spec.heads_q, h, i};
            compare_row(one, at, two, at, (double)(i % 5) - 2 + (double)h, tolerance(one));
        }
        destroy_both(one, two);
    }
}
END_TEST

START_TEST(a_key_twice_at_half_its_weight_is_the_key) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        problem_spec spec = variant(_i, number, FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
        problem *one = problem_create(&spec);
        spec.len_kv++;
        problem *two = open_problem(&spec);
        copy_queries(one, two);
        const int64_t twin = spec.len_kv / 3, last = spec.len_kv - 1;
        for (int64_t j = 0; j < last; j++) {
            copy_key(one, two, j, j);
        }
        copy_key(one, two, twin, last);
        for (int64_t n = 0; n < spec.batch * spec.heads_q * spec.len_q; n++) {
            const int64_t i = n % spec.len_q, h = n / spec.len_q % spec.heads_q, b = n / spec.len_q / spec.heads_q;
            add_bias(two, b, h, i, twin, -log(2));
            add_bias(two, b, h, i, last, -log(2));
        }
        problem_run_ok(one);
        problem_run_ok(two);
        compare_all(one, two, tolerance(one));
        destroy_both(one, two);
    }
}
END_TEST

/* Keys behind those of `from` hold what must not be read into a result. */
static problem *padded(const problem *from, int64_t more, uint32_t inputs) {
    static const float garbage[] = {NAN, INFINITY, -INFINITY, 3e38f};
    problem_spec spec = from->spec;
    spec.len_kv += more;
    spec.inputs |= inputs;
    problem *self = open_problem(&spec);
    copy_queries(from, self);
    for (int64_t j = 0; j < spec.len_kv; j++) {
        if (j < from->spec.len_kv) {
            copy_key(from, self, j, j);
            continue;
        }
        for (int64_t n = 0; n < spec.batch * spec.heads_kv; n++) {
            const int64_t b = n / spec.heads_kv, h = n % spec.heads_kv;
            const bool quantised = spec.type_kv == FOVEA_INT8;
            const tensor *k = quantised ? &self->k_scales : &self->k, *v = quantised ? &self->v_scales : &self->v;
            tensor_put(k, b, h, j, 0, garbage[j % 4]);
            tensor_put(v, b, h, j, 0, garbage[(j + 1) % 4]);
        }
    }
    return self;
}

/* The padding is forbidden by the mask, by a bias of -inf, or by both in turn. */
static void forbid_padding(const problem *self, int64_t first) {
    const problem_spec *spec = &self->spec;
    for (int64_t n = 0; n < spec->batch * spec->heads_q * spec->len_q; n++) {
        const int64_t i = n % spec->len_q, h = n / spec->len_q % spec->heads_q, b = n / spec->len_q / spec->heads_q;
        for (int64_t j = first; j < spec->len_kv; j++) {
            *mask_at(self, b, h, i, j) = j % 3 == 0;
            tensor_put(&self->bias, b, h, i, j, j % 3 == 1 ? 1 : -INFINITY);
        }
    }
}

START_TEST(forbidden_garbage_behind_the_keys_is_not_seen) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        const problem_spec spec = variant(_i, number, FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
        problem *one = problem_create(&spec), *two = padded(one, 41, 0);
        forbid_padding(two, spec.len_kv);
        problem_run_ok(one);
        problem_run_ok(two);
        compare_all(one, two, tolerance(one));
        destroy_both(one, two);
    }
}
END_TEST

START_TEST(garbage_past_the_length_is_not_seen_to_the_bit) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        const problem_spec spec = variant(_i, number, 0);
        problem *one = problem_create(&spec), *two = padded(one, 500, FOVEA_INPUT_KEY_LENGTHS);
        const int32_t lengths[2] = {(int32_t)spec.len_kv, (int32_t)spec.len_kv};
        two->args.key_lengths = lengths;
        problem_run_ok(one);
        problem_run_ok(two);
        compare_all(one, two, 0);
        destroy_both(one, two);
    }
}
END_TEST

START_TEST(a_row_of_causal_prefill_is_a_step_of_decoding) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        problem_spec spec = variant(_i, number, 0);
        spec.len_q = spec.len_kv = 90;
        spec.causal = 1;
        problem *prefill = problem_create(&spec);
        problem_run_ok(prefill);
        spec.len_q = 1;
        for (int64_t i = number % 7; i < 90; i += 11) {
            problem *step = open_problem(&spec);
            for (int64_t n = 0; n < spec.batch * spec.heads_q; n++) {
                const int64_t source[3] = {n / spec.heads_q, n % spec.heads_q, i};
                const int64_t target[3] = {n / spec.heads_q, n % spec.heads_q, 0};
                copy_row(&prefill->q, &step->q, source, target);
            }
            for (int64_t j = 0; j < spec.len_kv; j++) {
                copy_key(prefill, step, j, j);
            }
            step->args.len_kv = i + 1;
            problem_run_ok(step);
            for (int64_t n = 0; n < spec.batch * spec.heads_q; n++) {
                const int64_t source[3] = {n / spec.heads_q, n % spec.heads_q, i};
                const int64_t target[3] = {n / spec.heads_q, n % spec.heads_q, 0};
                compare_row(prefill, source, step, target, 0, tolerance(prefill));
            }
            problem_destroy(step);
        }
        problem_destroy(prefill);
    }
}
END_TEST

START_TEST(grouped_heads_are_heads_with_copied_keys) {
    for (int64_t number = 0; number < VARIANTS; number++) {
        problem_spec spec = variant(_i, number, 0);
        problem *grouped = problem_create(&spec);
        spec.heads_kv = spec.heads_q;
        problem *copied = open_problem(&spec);
        copy_queries(grouped, copied);
        for (int64_t n = 0; n < spec.batch * spec.heads_q * spec.len_kv; n++) {
            const int64_t j = n % spec.len_kv, h = n / spec.len_kv % spec.heads_q, b = n / spec.len_kv / spec.heads_q;
            const int64_t source[3] = {b, h / 2, j}, target[3] = {b, h, j};
            copy_row(&grouped->k, &copied->k, source, target);
            copy_row(&grouped->v, &copied->v, source, target);
            if (spec.type_kv == FOVEA_INT8) {
                copy_row(&grouped->k_scales, &copied->k_scales, source, target);
                copy_row(&grouped->v_scales, &copied->v_scales, source, target);
            }
        }
        problem_run_ok(grouped);
        problem_run_ok(copied);
        compare_all(grouped, copied, tolerance(grouped));
        destroy_both(grouped, copied);
    }
}
END_TEST

Suite *metamorphic_suite(void);

Suite *metamorphic_suite(void) {
    Suite *suite = suite_create("metamorphic");
    TCase *tcase = tcase_create("relations");
    ADD_FOR_CASES(tcase, the_order_of_keys_does_not_matter);
    ADD_FOR_CASES(tcase, parts_of_the_keys_merge_to_the_whole);
    ADD_FOR_CASES(tcase, batch_entries_and_heads_may_change_places_to_the_bit);
    ADD_FOR_CASES(tcase, scaling_queries_is_scaling_the_scale);
    ADD_FOR_CASES(tcase, a_constant_on_a_row_moves_its_log_sum_exp_alone);
    ADD_FOR_CASES(tcase, a_key_twice_at_half_its_weight_is_the_key);
    ADD_FOR_CASES(tcase, forbidden_garbage_behind_the_keys_is_not_seen);
    ADD_FOR_CASES(tcase, garbage_past_the_length_is_not_seen_to_the_bit);
    ADD_FOR_CASES(tcase, a_row_of_causal_prefill_is_a_step_of_decoding);
    ADD_FOR_CASES(tcase, grouped_heads_are_heads_with_copied_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}
