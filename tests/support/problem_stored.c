#include "problem_stored.h"

#include <check.h>
#include <math.h>

#include "problem_parts.h"

enum { UNUSED_PAGES = 3, MOST_PAGES = 4096 };

storage storage_of(const problem_spec *dense) {
    storage self = {.count = dense->batch, .seed = dense->seed};
    for (int64_t b = 0; b < dense->batch; b++) {
        self.sequences[b] = (stored_sequence){.entry = b, .row_end = dense->len_q, .key_end = dense->len_kv};
    }
    return self;
}

/* --- Sizes --- */

static int64_t rows_of(const storage *how, int64_t s) {
    return how->sequences[s].row_end - how->sequences[s].row_begin;
}

/* The first key that is stored, and the first behind those, as the sequence numbers them. */
static int64_t first_key_of(const storage *how, int64_t s) {
    return how->drops_first_keys ? 0 : how->sequences[s].key_begin;
}

static int64_t end_key_of(const storage *how, int64_t s) {
    return first_key_of(how, s) + how->sequences[s].key_end - how->sequences[s].key_begin;
}

static int64_t pages_of(const storage *how, int64_t s) {
    return (end_key_of(how, s) + how->page_size - 1) / how->page_size;
}

static int64_t all_pages(const storage *how) {
    if (how->form_kv != FOVEA_FORM_PAGED) {
        return 0;
    }
    int64_t pages = UNUSED_PAGES;
    for (int64_t s = 0; s < how->count; s++) {
        pages += pages_of(how, s);
    }
    return pages;
}

static int64_t max64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static problem_spec spec_of(const problem *dense, const storage *how) {
    problem_spec spec = dense->spec;
    test_random random = test_random_seeded(how->seed);
    tensor_layout *const layouts[] = {&spec.layout_q, &spec.layout_k, &spec.layout_v, &spec.layout_out};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        *layouts[i] = (tensor_layout)RANDOM_OF(&random, LAYOUT_BHSD, LAYOUT_BSHD, LAYOUT_PADDED, LAYOUT_REVERSED);
    }
    spec.form_q = how->form_q;
    spec.form_kv = how->form_kv;
    spec.batch = how->count;
    int64_t rows = 0, most_rows = 0, keys = 0, most_keys = 0;
    bool alike = true;
    for (int64_t s = 0; s < how->count; s++) {
        rows += rows_of(how, s);
        most_rows = max64(most_rows, rows_of(how, s));
        keys += end_key_of(how, s) + how->room;
        most_keys = max64(most_keys, end_key_of(how, s) + how->room);
        alike = alike && end_key_of(how, s) == end_key_of(how, 0);
        spec.inputs |= first_key_of(how, s) > 0 ? FOVEA_INPUT_FIRST_KEYS : 0;
    }
    spec.len_q = how->form_q == FOVEA_FORM_PACKED ? rows + 2 * how->around : most_rows;
    spec.len_kv = how->form_kv == FOVEA_FORM_PACKED ? keys + 2 * how->around : most_keys;
    if (how->form_kv == FOVEA_FORM_PAGED) {
        spec.page_size = how->page_size;
        spec.len_kv = (most_keys + how->page_size - 1) / how->page_size * how->page_size;
    } else if (how->room > 0 || (how->form_kv == FOVEA_FORM_DENSE && !alike)) {
        spec.inputs |= FOVEA_INPUT_KEY_LENGTHS;
    }
    return spec;
}

/* --- Indices --- */

/* Pages in random order, none twice. Entries of pages that hold no key are no pages at all. */
static void write_block_table(const problem *self, const storage *how) {
    int64_t order[MOST_PAGES], next = 0;
    test_random random = test_random_seeded(how->seed ^ 0xb7);
    ck_assert_int_le(self->pages, MOST_PAGES);
    for (int64_t i = 0; i < self->pages; i++) {
        const int64_t at = random_between(&random, 0, i);
        order[i] = order[at];
        order[at] = i;
    }
    for (int64_t s = 0; s < how->count; s++) {
        for (int64_t page = 0; page < self->block_table.size[3]; page++) {
            const int64_t none = RANDOM_OF(&random, -1, self->pages, INT32_MAX, INT32_MIN);
            tensor_set_index(&self->block_table, s, page, page < pages_of(how, s) ? order[next++] : none);
        }
    }
}

/* Of the indices that the form has. */
static void write_index(const tensor *indices, int64_t at, int64_t value) {
    if (indices->origin) {
        tensor_set_index(indices, at, 0, value);
    }
}

static void write_indices(const problem *self, const storage *how) {
    int64_t row = how->around, key = how->around;
    write_index(&self->cu_seqlens_q, 0, row);
    write_index(&self->cu_seqlens_kv, 0, key);
    for (int64_t s = 0; s < how->count; s++) {
        row += rows_of(how, s);
        key += end_key_of(how, s) + how->room;
        write_index(&self->cu_seqlens_q, s + 1, row);
        write_index(&self->cu_seqlens_kv, s + 1, key);
        write_index(&self->key_lengths, s, end_key_of(how, s));
        write_index(&self->first_keys, s, first_key_of(how, s));
    }
    if (how->form_kv == FOVEA_FORM_PAGED) {
        write_block_table(self, how);
    }
}

/* --- Contents --- */

/* What no call may look at: one such number spoils its row. */
static float garbage_at(int64_t index, bool clean) {
    static const float garbage[] = {NAN, INFINITY, -INFINITY, 3e38f};
    return clean ? 1 : garbage[index % 4];
}

static void spoil_rows(const tensor *rows, bool clean) {
    for (int64_t i = 0; i < rows->size[0] * rows->size[1] * rows->size[2]; i++) {
        const int64_t row = i % rows->size[2], h = i / rows->size[2] % rows->size[1];
        tensor_put(rows, i / rows->size[2] / rows->size[1], h, row, 0,
                   rows->type == FOVEA_INT8 ? 127 : garbage_at(i, clean));
    }
}

/* Positions of keys that lengths and first keys alone forbid: the mask allows them. */
static void spoil_terms(const problem *self, const storage *how) {
    for (int64_t n = 0; n < how->count * self->spec.heads_q * self->spec.len_q; n++) {
        const int64_t i = n % self->spec.len_q, h = n / self->spec.len_q % self->spec.heads_q;
        const int64_t s = n / self->spec.len_q / self->spec.heads_q;
        for (int64_t j = 0; j < self->spec.len_kv; j++) {
            if (j == first_key_of(how, s)) {
                j = end_key_of(how, s);
            }
            if (j < self->mask.size[3]) {
                *(uint8_t *)tensor_element(&self->mask, s, h, i, j) = 1;
            }
            if (j < self->bias.size[3]) {
                tensor_put(&self->bias, s, h, i, j, garbage_at(i + j, how->clean));
            }
        }
    }
}

static void copy_keys(const problem *self, const tensor *to, const tensor *from, const storage *how) {
    for (int64_t s = 0; s < how->count; s++) {
        const stored_sequence *sequence = &how->sequences[s];
        for (int64_t j = sequence->key_begin; j < sequence->key_end; j++) {
            const token_place place = problem_place_of_key(self, s, first_key_of(how, s) + j - sequence->key_begin);
            for (int64_t h = 0; h < from->size[1]; h++) {
                tensor_copy((tensor_run){to, place.outer, h, place.row, 0},
                            (tensor_run){from, sequence->entry, h, j, 0}, from->size[3]);
            }
        }
    }
}

/* Mask or bias. */
static void copy_terms(const tensor *to, const tensor *from, const storage *how) {
    for (int64_t s = 0; s < how->count; s++) {
        const stored_sequence *sequence = &how->sequences[s];
        for (int64_t n = 0; n < rows_of(how, s) * from->size[1]; n++) {
            const int64_t h = n % from->size[1], i = n / from->size[1];
            tensor_copy((tensor_run){to, s, h, i, first_key_of(how, s)},
                        (tensor_run){from, sequence->entry, h, sequence->row_begin + i, sequence->key_begin},
                        sequence->key_end - sequence->key_begin);
        }
    }
}

/* Rows of queries to where they are stored, or of results back. */
static void copy_rows(const problem *self, const tensor *stored, const tensor *dense, const storage *how, bool back) {
    for (int64_t s = 0; s < how->count; s++) {
        const stored_sequence *sequence = &how->sequences[s];
        for (int64_t n = 0; n < rows_of(how, s) * dense->size[1]; n++) {
            const int64_t h = n % dense->size[1], i = n / dense->size[1];
            const token_place place = problem_place_of_row(self, s, i);
            const tensor_run there = {stored, place.outer, h, place.row, 0};
            const tensor_run here = {dense, sequence->entry, h, sequence->row_begin + i, 0};
            tensor_copy(back ? here : there, back ? there : here, dense->size[3]);
        }
    }
}

static problem *create(const problem *dense, const storage *how) {
    const problem_spec spec = spec_of(dense, how);
    problem *self = problem_create_blank(&spec, all_pages(how));
    write_indices(self, how);
    const tensor *const rows[] = {&self->q, &self->k, &self->v, &self->k_scales, &self->v_scales};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        spoil_rows(rows[i], how->clean);
    }
    if (spec.inputs & (FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS)) {
        spoil_terms(self, how);
    }
    copy_rows(self, &self->q, &dense->q, how, false);
    copy_keys(self, &self->k, &dense->k, how);
    copy_keys(self, &self->v, &dense->v, how);
    copy_keys(self, &self->k_scales, &dense->k_scales, how);
    copy_keys(self, &self->v_scales, &dense->v_scales, how);
    if (spec.inputs & FOVEA_INPUT_MASK) {
        copy_terms(&self->mask, &dense->mask, how);
    }
    if (spec.inputs & FOVEA_INPUT_BIAS) {
        copy_terms(&self->bias, &dense->bias, how);
    }
    return self;
}

/* What was not written is no number either. */
static void expect_numbers(const problem *self, const storage *how) {
    for (int64_t s = 0; s < how->count; s++) {
        for (int64_t n = 0; n < rows_of(how, s) * self->spec.heads_q; n++) {
            const int64_t h = n % self->spec.heads_q;
            const token_place place = problem_place_of_row(self, s, n / self->spec.heads_q);
            /* -inf where no key is. */
            const double lse = tensor_get(&self->lse, place.outer, h, place.row, 0);
            bool are_numbers = lse < INFINITY;
            for (int64_t d = 0; d < self->spec.head_dim_v; d++) {
                are_numbers = are_numbers && isfinite(tensor_get(&self->out, place.outer, h, place.row, d));
            }
            if (!are_numbers) {
                problem_fail(self, "row %lld of head %lld of sequence %lld is no number",
                             (long long)(n / self->spec.heads_q), (long long)h, (long long)s);
            }
        }
    }
}

void stored_run(const problem *from, const storage *how, problem *to) {
    problem *self = create(from, how);
    problem_run_ok(self);
    expect_numbers(self, how);
    copy_rows(self, &self->out, &to->out, how, true);
    copy_rows(self, &self->lse, &to->lse, how, true);
    problem_destroy(self);
}
