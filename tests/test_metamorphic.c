/* Metamorphic tests of what is computed: two calls whose inputs, and so results, are related, whatever they are. No
 * oracle, so that nothing can be wrong in the same way on both sides. In f32, f16, bf16 and with int8 keys and values,
 * in dense tensors, packed and in pages, on every backend. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/fovea.h"
#include "support/backends.h"
#include "support/relation.h"

enum { MOST_KEYS = 400 };

static const uint32_t terms = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS;

static void add_bias(const problem *self, int64_t b, int64_t h, int64_t i, int64_t j, double more) {
    tensor_put(&self->bias, b, h, i, j, (float)(tensor_get(&self->bias, b, h, i, j) + more));
}

/* Runs both, of which the second is stored in a way of its own, compares and destroys them. */
static void check_stored(const storage *how, problem *one, const storage *how_two, problem *two, double shift) {
    stored_run(one, how, one);
    stored_run(two, how_two, two);
    compare_rows(&(relation){one, two, how, relation_tolerance(one)}, shift);
    destroy_both(one, two);
}

static void check_pair(const storage *how, problem *one, problem *two) {
    check_stored(how, one, how, two, 0);
}

START_TEST(the_order_of_keys_does_not_matter) {
    test_random random = test_random_named("permuted keys", _i);
    FOR_VARIANTS(number) {
        const variant at = variant_at(_i, number, terms);
        problem *one = problem_create(&at.spec), *two = duplicate_of(one, &at.spec);
        for (int64_t b = 0; b < at.how.count; b++) {
            int64_t order[MOST_KEYS];
            for (int64_t j = 0; j < at.how.sequences[b].key_end; j++) {
                const int64_t other = random_between(&random, 0, j);
                order[j] = order[other];
                order[other] = j;
            }
            for (int64_t j = 0; j < at.how.sequences[b].key_end; j++) {
                copy_key(one, two, b, order[j], j);
            }
        }
        check_pair(&at.how, one, two);
    }
}
END_TEST

static void merge_into(const problem *whole, problem *const *parts, int64_t count) {
    const float *outs[8], *lses[8];
    for (int64_t i = 0; i < count; i++) {
        outs[i] = parts[i]->args.out;
        lses[i] = parts[i]->args.lse;
    }
    fovea_merge_args args = {.struct_size = sizeof args, .parts = count, .part_out = outs, .part_lse = lses};
    args.threads = whole->spec.threads;
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

/* Part `index` of `count` of every sequence's keys: what the parts before it left, up to a key at random. They are
 * called as sequences of their own, or left among forbidden keys, in turn. */
static storage next_part(const storage *how, const storage *before, int64_t index, int64_t count, test_random *random) {
    storage part = *how;
    part.drops_first_keys = index % 2 == 1;
    for (int64_t s = 0; s < how->count; s++) {
        const int64_t end = how->sequences[s].key_end, begin = index > 0 ? before->sequences[s].key_end : 0;
        part.sequences[s].key_begin = begin;
        part.sequences[s].key_end = index == count - 1 ? end : random_between(random, begin, end);
    }
    return part;
}

START_TEST(parts_of_the_keys_merge_to_the_whole) {
    enum { PARTS = 4 };
    test_random random = test_random_named("split keys", _i);
    FOR_VARIANTS(number) {
        const variant at = variant_at(_i, number, terms);
        problem *whole = problem_create(&at.spec), *merged = problem_create_blank(&at.spec, 0), *parts[PARTS];
        storage how = at.how;
        stored_run(whole, &at.how, whole);
        for (int64_t i = 0; i < PARTS; i++) {
            how = next_part(&at.how, &how, i, PARTS, &random);
            parts[i] = problem_create_blank(&at.spec, 0);
            stored_run(whole, &how, parts[i]);
        }
        merge_into(merged, parts, PARTS);
        compare_rows(&(relation){whole, merged, &at.how, relation_tolerance(whole)}, 0);
        for (int64_t i = 0; i < PARTS; i++) {
            problem_destroy(parts[i]);
        }
        destroy_both(whole, merged);
    }
}
END_TEST

/* Where entry b and key/value head h move, each with what belongs to it. */
static int64_t moved_entry(const problem *self, int64_t b) {
    return (b + 1) % self->spec.batch;
}

static int64_t moved_head(const problem *self, int64_t h) {
    const int64_t group = self->spec.heads_q / self->spec.heads_kv;
    return (h + group) % self->spec.heads_q;
}

static void move_entries_and_heads(const problem *from, const problem *to) {
    const problem_spec *spec = &from->spec;
    for (int64_t n = 0; n < spec->batch * spec->heads_kv * spec->len_kv; n++) {
        const int64_t j = n % spec->len_kv, h = n / spec->len_kv % spec->heads_kv;
        const int64_t b = n / spec->len_kv / spec->heads_kv;
        copy_key_of_head(from, to, (int64_t[]){b, h, j},
                         (int64_t[]){moved_entry(from, b), (h + 1) % spec->heads_kv, j});
    }
    for (int64_t n = 0; n < spec->batch * spec->heads_q * spec->len_q; n++) {
        const int64_t i = n % spec->len_q, h = n / spec->len_q % spec->heads_q, b = n / spec->len_q / spec->heads_q;
        const int64_t source[3] = {b, h, i}, target[3] = {moved_entry(from, b), moved_head(from, h), i};
        copy_row(&from->q, &to->q, source, target);
        if (spec->inputs & FOVEA_INPUT_BIAS) {
            copy_row(&from->bias, &to->bias, source, target);
        }
    }
}

START_TEST(batch_entries_and_heads_may_change_places_to_the_bit) {
    FOR_VARIANTS(number) {
        const variant at = variant_at(_i, number, FOVEA_INPUT_BIAS);
        problem *one = problem_create(&at.spec), *two = duplicate_of(one, &at.spec);
        move_entries_and_heads(one, two);
        storage moved = at.how;
        for (int64_t s = 0; s < at.how.count; s++) {
            stored_sequence *to = &moved.sequences[moved_entry(one, s)];
            *to = at.how.sequences[s];
            to->entry = moved_entry(one, s);
        }
        stored_run(one, &at.how, one);
        stored_run(two, &moved, two);
        for (int64_t n = 0; n < at.spec.batch * at.spec.heads_q * at.spec.len_q; n++) {
            const int64_t i = n % at.spec.len_q, h = n / at.spec.len_q % at.spec.heads_q;
            const int64_t b = n / at.spec.len_q / at.spec.heads_q;
            if (i < at.how.sequences[b].row_end) {
                compare_row(&(relation){one, two, &at.how, 0}, (int64_t[]){b, h, i},
                            (int64_t[]){moved_entry(one, b), moved_head(one, h), i}, 0);
            }
        }
        destroy_both(one, two);
    }
}
END_TEST

START_TEST(scaling_queries_is_scaling_the_scale) {
    FOR_VARIANTS(number) {
        variant at = variant_at(_i, number, FOVEA_INPUT_MASK);
        at.spec.has_scale = 1;
        at.spec.scale = 0.25f;
        problem *one = problem_create(&at.spec);
        at.spec.scale = -0.0625f;
        problem *two = duplicate_of(one, &at.spec);
        FOR_EACH(&one->q, b, h, i, d) {
            tensor_put(&two->q, b, h, i, d, -4 * (float)tensor_get(&one->q, b, h, i, d));
        }
        check_pair(&at.how, one, two);
    }
}
END_TEST

START_TEST(a_constant_on_a_row_moves_its_log_sum_exp_alone) {
    FOR_VARIANTS(number) {
        const variant at = variant_at(_i, number, terms);
        if (!has_terms(&at)) {
            continue;
        }
        problem *one = problem_create(&at.spec), *two = duplicate_of(one, &at.spec);
        FOR_EACH(&two->bias, b, h, i, j) {
            add_bias(two, b, h, i, j, (double)(i % 5) - 2 + (double)h);
        }
        stored_run(one, &at.how, one);
        stored_run(two, &at.how, two);
        FOR_EACH(&one->lse, b, h, i, column) {
            const int64_t row[3] = {b, h, i};
            compare_row(&(relation){one, two, &at.how, relation_tolerance(one)}, row, row,
                        (double)(i % 5) - 2 + (double)h);
        }
        destroy_both(one, two);
    }
}
END_TEST

/* A problem with more keys behind those of `from`, which it has too. */
static problem *prolonged(const problem *from, int64_t more) {
    problem_spec spec = from->spec;
    spec.len_kv += more;
    problem *self = problem_create_blank(&spec, 0);
    copy_queries(from, self);
    for (int64_t n = 0; n < spec.batch * from->spec.len_kv; n++) {
        copy_key(from, self, n / from->spec.len_kv, n % from->spec.len_kv, n % from->spec.len_kv);
    }
    return self;
}

START_TEST(a_key_twice_at_half_its_weight_is_the_key) {
    FOR_VARIANTS(number) {
        const variant at = variant_at(_i, number, terms);
        if (!has_terms(&at)) {
            continue;
        }
        problem *one = problem_create(&at.spec), *two = prolonged(one, 1);
        storage longer = at.how;
        for (int64_t b = 0; b < at.spec.batch; b++) {
            const int64_t last = at.how.sequences[b].key_end, twin = last / 3;
            if (last == 0) {
                continue;
            }
            longer.sequences[b].key_end = last + 1;
            copy_key(one, two, b, twin, last);
            for (int64_t n = 0; n < at.spec.heads_q * at.spec.len_q; n++) {
                add_bias(two, b, n / at.spec.len_q, n % at.spec.len_q, twin, -log(2));
                add_bias(two, b, n / at.spec.len_q, n % at.spec.len_q, last, -log(2));
            }
        }
        check_stored(&at.how, one, &longer, two, 0);
    }
}
END_TEST

START_TEST(every_key_twice_adds_the_logarithm_of_two) {
    FOR_VARIANTS(number) {
        const variant at = variant_at(_i, number, terms);
        problem *one = problem_create(&at.spec), *two = prolonged(one, at.spec.len_kv);
        storage longer = at.how;
        for (int64_t b = 0; b < at.spec.batch; b++) {
            const int64_t keys = at.how.sequences[b].key_end;
            longer.sequences[b].key_end = 2 * keys;
            for (int64_t j = 0; j < keys; j++) {
                copy_key(one, two, b, j, keys + j);
            }
        }
        check_stored(&at.how, one, &longer, two, log(2));
    }
}
END_TEST

/* NaN, an infinity or a huge number in key j of entry b and in its value. */
static void spoil_key(const problem *self, int64_t b, int64_t j) {
    static const float garbage[] = {NAN, INFINITY, -INFINITY, 3e38f};
    const bool quantised = self->spec.type_kv == FOVEA_INT8;
    for (int64_t h = 0; h < self->spec.heads_kv; h++) {
        tensor_put(quantised ? &self->k_scales : &self->k, b, h, j, 0, garbage[j % 4]);
        tensor_put(quantised ? &self->v_scales : &self->v, b, h, j, 0, garbage[(j + 1) % 4]);
    }
}

/* A key is forbidden by the mask, by a bias of -inf, or by both in turn. */
static void forbid_key(const problem *self, int64_t b, int64_t j) {
    for (int64_t n = 0; n < self->spec.heads_q * self->spec.len_q; n++) {
        const int64_t h = n / self->spec.len_q, i = n % self->spec.len_q;
        *(uint8_t *)tensor_element(&self->mask, b, h, i, j) = j % 3 == 0;
        tensor_put(&self->bias, b, h, i, j, j % 3 == 1 ? 1 : -INFINITY);
    }
}

START_TEST(forbidden_garbage_behind_the_keys_is_not_seen) {
    enum { MORE = 41 };
    FOR_VARIANTS(number) {
        const variant at = variant_at(_i, number, terms);
        if (!has_terms(&at)) {
            continue;
        }
        problem *one = problem_create(&at.spec), *two = prolonged(one, MORE);
        storage longer = at.how;
        for (int64_t b = 0; b < at.spec.batch; b++) {
            const int64_t keys = at.how.sequences[b].key_end;
            longer.sequences[b].key_end += MORE;
            for (int64_t j = keys; j < keys + MORE; j++) {
                spoil_key(two, b, j);
                forbid_key(two, b, j);
            }
        }
        check_stored(&at.how, one, &longer, two, 0);
    }
}
END_TEST

/* The sequences as they were when row i was the last one, of those that have such a row. */
static storage step_of(const storage *how, int64_t i) {
    storage step = *how;
    step.count = 0;
    for (int64_t s = 0; s < how->count; s++) {
        stored_sequence one = how->sequences[s];
        if (i < one.row_end) {
            const int64_t seen = one.key_end - (one.row_end - 1 - i);
            one.key_end = seen > 0 ? seen : 0;
            one.row_begin = i;
            one.row_end = i + 1;
            step.sequences[step.count++] = one;
        }
    }
    return step;
}

START_TEST(a_row_of_causal_prefill_is_a_step_of_decoding) {
    enum { MANY = 68, FEW = 4, STEPS = 4 };
    FOR_VARIANTS(number) {
        /* Few rows are computed as steps are, but for the keys that each sees. */
        const int64_t rows = number % 3 == 0 ? FEW : MANY, apart = rows / STEPS;
        variant at = variant_sized(_i, number, 0, rows, MANY);
        at.spec.causal = 1;
        problem *prefill = problem_create(&at.spec), *decoded = problem_create_blank(&at.spec, 0);
        stored_run(prefill, &at.how, prefill);
        for (int64_t i = number % apart; i < rows; i += apart) {
            const storage step = step_of(&at.how, i);
            stored_run(prefill, &step, decoded);
            compare_rows(&(relation){prefill, decoded, &step, relation_tolerance(prefill)}, 0);
        }
        destroy_both(prefill, decoded);
    }
}
END_TEST

START_TEST(grouped_heads_are_heads_with_copied_keys) {
    FOR_VARIANTS(number) {
        variant at = variant_at(_i, number, 0);
        problem *grouped = problem_create(&at.spec);
        const int64_t group = at.spec.heads_q / at.spec.heads_kv;
        at.spec.heads_kv = at.spec.heads_q;
        problem *copied = problem_create_blank(&at.spec, 0);
        copy_queries(grouped, copied);
        for (int64_t n = 0; n < at.spec.batch * at.spec.heads_q * at.spec.len_kv; n++) {
            const int64_t j = n % at.spec.len_kv, h = n / at.spec.len_kv % at.spec.heads_q;
            const int64_t b = n / at.spec.len_kv / at.spec.heads_q;
            copy_key_of_head(grouped, copied, (int64_t[]){b, h / group, j}, (int64_t[]){b, h, j});
        }
        check_pair(&at.how, grouped, copied);
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
    ADD_FOR_CASES(tcase, every_key_twice_adds_the_logarithm_of_two);
    ADD_FOR_CASES(tcase, forbidden_garbage_behind_the_keys_is_not_seen);
    ADD_FOR_CASES(tcase, a_row_of_causal_prefill_is_a_step_of_decoding);
    ADD_FOR_CASES(tcase, grouped_heads_are_heads_with_copied_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}
