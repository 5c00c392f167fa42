#include "relation.h"

#include <math.h>
#include <string.h>

#include "arch/kernel.h"
#include "backends.h"

/* --- Variants --- */

static const struct {
    fovea_type q, kv;
} types[] = {{FOVEA_F32, FOVEA_F32}, {FOVEA_F16, FOVEA_F16}, {FOVEA_BF16, FOVEA_BF16}, {FOVEA_F32, FOVEA_INT8}};

/* One row, rows that do not fill a panel, more than a panel; few keys, more than a tile, and each twice more than a
 * block. */
static const struct { int64_t len_q, len_kv; } shapes[] = {{1, 300}, {5, 37}, {40, 150}};

static const struct {
    fovea_form q, kv;
} forms[] = {{FOVEA_FORM_DENSE, FOVEA_FORM_DENSE},
             {FOVEA_FORM_PACKED, FOVEA_FORM_PACKED},
             {FOVEA_FORM_DENSE, FOVEA_FORM_PAGED},
             {FOVEA_FORM_PACKED, FOVEA_FORM_PAGED}};

enum { TYPES = 4, SHAPES = 3, DENSE_VARIANTS = TYPES * SHAPES };

/* Sequences of unequal lengths, the first of them whole. */
static void cut_sequences(storage *how, test_random *random) {
    for (int64_t s = 1; s < how->count; s++) {
        stored_sequence *sequence = &how->sequences[s];
        const int64_t keys = random_between(random, 0, sequence->key_end);
        sequence->key_end = RANDOM_OF(random, keys, keys, sequence->key_end);
        if (how->form_q == FOVEA_FORM_PACKED) {
            sequence->row_end = random_between(random, 0, sequence->row_end);
        }
    }
}

static storage draw_storage(const problem_spec *spec, int64_t form) {
    storage how = storage_of(spec);
    how.form_q = forms[form].q;
    how.form_kv = forms[form].kv;
    if (form > 0) {
        test_random random = test_random_seeded(spec->seed ^ 0x57);
        const int64_t any = random_between(&random, 1, 40);
        how.page_size = how.form_kv == FOVEA_FORM_PAGED ? RANDOM_OF(&random, 1, 16, 64, any, any, any) : 0;
        how.around = random_between(&random, 0, 3);
        cut_sequences(&how, &random);
    }
    return how;
}

variant variant_sized(int32_t index, int64_t number, uint32_t inputs, int64_t len_q, int64_t len_kv) {
    const int64_t form = number < DENSE_VARIANTS ? 0 : 1 + (number - DENSE_VARIANTS) / TYPES;
    const bool packed = forms[form].q == FOVEA_FORM_PACKED;
    variant self;
    /* One thread: who computes changes no bit (test_threads.c), and OpenMP's wait for each other when many suites run
     * at the same time. */
    self.spec =
        on_case(PROBLEM(.seed = test_seed() + (uint64_t)number, .batch = form > 0 ? 3 : 2, .heads_q = 4, .heads_kv = 2,
                        .len_q = len_q, .len_kv = len_kv, .head_dim = 24, .head_dim_v = 17,
                        .type_q = types[number % TYPES].q, .type_kv = types[number % TYPES].kv, .query_range = 3,
                        .outputs = FOVEA_OUTPUT_LSE, .inputs = packed ? 0 : inputs, .bias_forbids = 0.1, .threads = 1),
                index);
    self.how = draw_storage(&self.spec, form);
    return self;
}

variant variant_at(int32_t index, int64_t number, uint32_t inputs) {
    /* Forms other than the dense one take the shapes in turn, from one case and one seed to the next. */
    const int64_t turn = (int64_t)(test_seed() % SHAPES) + number + index;
    const int64_t shape = number < DENSE_VARIANTS ? number / TYPES : turn % SHAPES;
    return variant_sized(index, number, inputs, shapes[shape].len_q, shapes[shape].len_kv);
}

bool has_terms(const variant *at) {
    return (at->spec.inputs & (FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS)) != 0;
}

/* --- Comparison --- */

double relation_tolerance(const problem *self) {
    const int64_t lanes = self->spec.len_q * self->spec.heads_q / self->spec.heads_kv;
    return self->has_pairs && lanes > FV_MAX_ROWS ? 0x1p-6 : 1e-5;
}

static void compare_numbers(const relation *self, const char *name, const int64_t other[3], double wanted,
                            double actual, double allowed) {
    static const char *const names[] = {"dense", "packed", "paged"};
    const bool same = actual == wanted && signbit(actual) == signbit(wanted);
    if (same || (allowed > 0 && (actual == wanted || fabs(actual - wanted) <= allowed))) {
        return;
    }
    problem_fail(self->two, "%s[%lld, %lld, %lld] is %.9g instead of %.9g; queries %s, keys %s, pages of %lld", name,
                 (long long)other[0], (long long)other[1], (long long)other[2], actual, wanted,
                 names[self->how->form_q], names[self->how->form_kv], (long long)self->how->page_size);
}

void compare_row(const relation *self, const int64_t at[3], const int64_t other[3], double shift) {
    for (int64_t d = 0; d < self->one->spec.head_dim_v; d++) {
        compare_numbers(self, "out", other, tensor_get(&self->one->out, at[0], at[1], at[2], d),
                        tensor_get(&self->two->out, other[0], other[1], other[2], d), self->allowed);
    }
    compare_numbers(self, "lse", other, tensor_get(&self->one->lse, at[0], at[1], at[2], 0) + shift,
                    tensor_get(&self->two->lse, other[0], other[1], other[2], 0), self->allowed > 0 ? 1e-5 : 0);
}

void compare_rows(const relation *self, double shift) {
    for (int64_t s = 0; s < self->how->count; s++) {
        const stored_sequence *sequence = &self->how->sequences[s];
        for (int64_t h = 0; h < self->one->spec.heads_q; h++) {
            for (int64_t i = sequence->row_begin; i < sequence->row_end; i++) {
                const int64_t at[3] = {sequence->entry, h, i};
                compare_row(self, at, at, shift);
            }
        }
    }
}

/* --- Contents --- */

void copy_row(const tensor *from, const tensor *to, const int64_t source[3], const int64_t target[3]) {
    tensor_copy((tensor_run){to, target[0], target[1], target[2], 0},
                (tensor_run){from, source[0], source[1], source[2], 0}, from->size[3]);
}

void copy_key_of_head(const problem *from, const problem *to, const int64_t source[3], const int64_t target[3]) {
    copy_row(&from->k, &to->k, source, target);
    copy_row(&from->v, &to->v, source, target);
    if (from->spec.type_kv == FOVEA_INT8) {
        copy_row(&from->k_scales, &to->k_scales, source, target);
        copy_row(&from->v_scales, &to->v_scales, source, target);
    }
}

/* A column of mask or bias, if there is one. */
static void copy_column(const tensor *from, const tensor *to, int64_t b, int64_t from_key, int64_t to_key) {
    for (int64_t n = 0; n < from->size[1] * from->size[2]; n++) {
        const int64_t h = n / from->size[2], i = n % from->size[2];
        tensor_copy((tensor_run){to, b, h, i, to_key}, (tensor_run){from, b, h, i, from_key}, 1);
    }
}

void copy_key(const problem *from, const problem *to, int64_t b, int64_t from_key, int64_t to_key) {
    for (int64_t h = 0; h < from->spec.heads_kv; h++) {
        copy_key_of_head(from, to, (int64_t[]){b, h, from_key}, (int64_t[]){b, h, to_key});
    }
    copy_column(&from->mask, &to->mask, b, from_key, to_key);
    copy_column(&from->bias, &to->bias, b, from_key, to_key);
}

void copy_queries(const problem *from, const problem *to) {
    for (int64_t n = 0; n < from->spec.batch * from->spec.heads_q * from->spec.len_q; n++) {
        const int64_t i = n % from->spec.len_q, h = n / from->spec.len_q % from->spec.heads_q;
        const int64_t at[3] = {n / from->spec.len_q / from->spec.heads_q, h, i};
        copy_row(&from->q, &to->q, at, at);
    }
}

problem *duplicate_of(const problem *from, const problem_spec *spec) {
    problem *self = problem_create_blank(spec, 0);
    const tensor *const sources[] = {&from->q,        &from->k,    &from->v,   &from->k_scales,
                                     &from->v_scales, &from->mask, &from->bias};
    const tensor *const targets[] = {&self->q,        &self->k,    &self->v,   &self->k_scales,
                                     &self->v_scales, &self->mask, &self->bias};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (sources[i]->memory.size > 0) {
            memcpy(targets[i]->memory.data, sources[i]->memory.data, sources[i]->memory.size);
        }
    }
    return self;
}

void destroy_both(problem *one, problem *two) {
    problem_destroy(one);
    problem_destroy(two);
}
