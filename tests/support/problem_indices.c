#include "problem_parts.h"

#include <check.h>
#include <stdlib.h>

static void create_index(tensor *self, const problem_spec *spec, int64_t count) {
    const size_t element = spec->type_index == FOVEA_INDEX_INT64 ? 8 : 4;
    *self = tensor_create(count, 1, 1, 1, element, LAYOUT_BHSD, spec->side);
}

static bool has_key_lengths(const problem_spec *spec) {
    return (spec->inputs & FOVEA_INPUT_KEY_LENGTHS) || spec->form_kv == FOVEA_FORM_PAGED;
}

/* Cuts `total` tokens into sequences, some of them empty, perhaps with tokens of none before and behind them. */
static void cut(const tensor *offsets, const problem_spec *spec, int64_t total, test_random *random) {
    int64_t first = random_chance(random, 0.2) ? random_between(random, 0, total) : 0;
    const int64_t last = random_chance(random, 0.2) ? random_between(random, first, total) : total;
    for (int64_t b = 0; b < spec->batch; b++) {
        const int64_t even = first + (last - first) / (spec->batch - b);
        const int64_t any = random_between(random, first, last);
        tensor_set_index(offsets, b, 0, first);
        first = RANDOM_OF(random, first, even, even, any);
    }
    tensor_set_index(offsets, spec->batch, 0, last);
}

/* Keys that an entry has room for. */
static int64_t key_capacity(const problem *self, int64_t b) {
    if (self->spec.form_kv != FOVEA_FORM_PACKED) {
        return self->spec.len_kv;
    }
    return tensor_get_index(&self->cu_seqlens_kv, b + 1, 0) - tensor_get_index(&self->cu_seqlens_kv, b, 0);
}

static void draw_offsets(const problem *self) {
    const problem_spec *spec = &self->spec;
    test_random random = test_random_seeded(spec->seed ^ 0xc5);
    if (spec->form_q == FOVEA_FORM_PACKED) {
        cut(&self->cu_seqlens_q, spec, spec->len_q, &random);
    }
    if (spec->form_kv == FOVEA_FORM_PACKED) {
        if (spec->cut_alike) {
            random = test_random_seeded(spec->seed ^ 0xc5);
        }
        cut(&self->cu_seqlens_kv, spec, spec->len_kv, &random);
    }
}

static void draw_indices(const problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
    if (has_key_lengths(spec)) {
        for (int64_t b = 0; b < spec->batch; b++) {
            const int64_t most = key_capacity(self, b), any = random_between(random, 0, most);
            tensor_set_index(&self->key_lengths, b, 0, RANDOM_OF(random, 0, most, any, any, any, any));
        }
    }
    if (spec->inputs & FOVEA_INPUT_FIRST_KEYS) {
        for (int64_t b = 0; b < spec->batch; b++) {
            const int64_t most = key_capacity(self, b), any = random_between(random, 0, most);
            tensor_set_index(&self->first_keys, b, 0, RANDOM_OF(random, 0, most, any, any / 4, any / 4, any / 8));
        }
    }
    if (spec->diagonal == FOVEA_DIAGONAL_OFFSETS) {
        for (int64_t b = 0; b < spec->batch; b++) {
            tensor_set_index(&self->query_offsets, b, 0, spec->query_offset + random_between(random, -3, 3) * (b > 0));
        }
    }
}

int64_t problem_length_of(const problem *self, int64_t b) {
    return has_key_lengths(&self->spec) ? tensor_get_index(&self->key_lengths, b, 0) : key_capacity(self, b);
}

static int64_t pages_of(const problem *self, int64_t b) {
    return (problem_length_of(self, b) + self->spec.page_size - 1) / self->spec.page_size;
}

/* A table of pages in random order; sequences share some. Entries of pages that hold no key are no pages at all. */
static void draw_block_table(problem *self) {
    const problem_spec *spec = &self->spec;
    const int64_t max_pages = spec->len_kv / spec->page_size;
    test_random random = test_random_seeded(spec->seed ^ 0xb7);
    self->pages = random_between(&random, 0, 2);
    for (int64_t b = 0; b < spec->batch; b++) {
        self->pages += pages_of(self, b);
    }
    int64_t *order = calloc((size_t)self->pages + 1, sizeof *order);
    ck_assert_ptr_nonnull(order);
    for (int64_t i = 0; i < self->pages; i++) {
        const int64_t at = random_between(&random, 0, i);
        order[i] = order[at];
        order[at] = i;
    }
    int64_t next = 0;
    for (int64_t b = 0; b < spec->batch; b++) {
        for (int64_t page = 0; page < max_pages; page++) {
            const bool shared = b > 0 && page < pages_of(self, b - 1) && random_chance(&random, 0.3);
            const int64_t none = RANDOM_OF(&random, -1, self->pages, INT32_MAX, INT32_MIN);
            const int64_t own = page < pages_of(self, b) ? order[next++] : none;
            tensor_set_index(&self->block_table, b, page,
                             shared && own != none ? tensor_get_index(&self->block_table, b - 1, page) : own);
        }
    }
    free(order);
}

token_place problem_place_of_row(const problem *self, int64_t b, int64_t i) {
    if (self->spec.form_q == FOVEA_FORM_PACKED) {
        return (token_place){0, tensor_get_index(&self->cu_seqlens_q, b, 0) + i};
    }
    return (token_place){b, i};
}

token_place problem_place_of_key(const problem *self, int64_t b, int64_t j) {
    switch (self->spec.form_kv) {
    case FOVEA_FORM_PACKED:
        return (token_place){0, tensor_get_index(&self->cu_seqlens_kv, b, 0) + j};
    case FOVEA_FORM_PAGED:
        return (token_place){tensor_get_index(&self->block_table, b, j / self->spec.page_size),
                             j % self->spec.page_size};
    case FOVEA_FORM_DENSE:
        break;
    }
    return (token_place){b, j};
}

void problem_allocate_indices(problem *self) {
    const problem_spec *spec = &self->spec;
    if (spec->form_q == FOVEA_FORM_PACKED) {
        create_index(&self->cu_seqlens_q, spec, spec->batch + 1);
    }
    if (spec->form_kv == FOVEA_FORM_PACKED) {
        create_index(&self->cu_seqlens_kv, spec, spec->batch + 1);
    }
    if (has_key_lengths(spec)) {
        create_index(&self->key_lengths, spec, spec->batch);
    }
    if (spec->inputs & FOVEA_INPUT_FIRST_KEYS) {
        create_index(&self->first_keys, spec, spec->batch);
    }
    if (spec->diagonal == FOVEA_DIAGONAL_OFFSETS) {
        create_index(&self->query_offsets, spec, spec->batch);
    }
    if (spec->form_kv == FOVEA_FORM_PAGED) {
        self->block_table = (tensor){.element = spec->type_index == FOVEA_INDEX_INT64 ? 8 : 4,
                                     .size = {spec->batch, 1, 1, spec->len_kv / spec->page_size}};
        tensor_set_strides(&self->block_table, spec->side == GUARD_AFTER ? LAYOUT_BHSD : LAYOUT_REVERSED);
        tensor_allocate(&self->block_table, spec->side, false);
    }
}

void problem_draw_indices(problem *self, test_random *random) {
    draw_offsets(self);
    draw_indices(self, random);
    if (self->spec.form_kv == FOVEA_FORM_PAGED) {
        draw_block_table(self);
    }
}
