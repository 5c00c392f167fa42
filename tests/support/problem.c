#include "problem.h"

#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends.h"
#include "narrow.h"

/* --- The inputs of a problem --- */

static void create_index(tensor *self, const problem_spec *spec, int64_t count) {
    const size_t element = spec->type_index == FOVEA_INDEX_INT64 ? 8 : 4;
    *self = tensor_create(count, 1, 1, 1, element, LAYOUT_BHSD, spec->side);
}

static bool has_key_lengths(const problem_spec *spec) {
    return (spec->inputs & FOVEA_INPUT_KEY_LENGTHS) || spec->form_kv == FOVEA_FORM_PAGED;
}

/* Cuts `total` tokens into sequences, some of them empty, perhaps with tokens of none before and behind them. */
static void cut(tensor *offsets, const problem_spec *spec, int64_t total, test_random *random) {
    create_index(offsets, spec, spec->batch + 1);
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

static void create_offsets(problem *self) {
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

static void create_indices(problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
    if (has_key_lengths(spec)) {
        create_index(&self->key_lengths, spec, spec->batch);
        for (int64_t b = 0; b < spec->batch; b++) {
            const int64_t most = key_capacity(self, b), any = random_between(random, 0, most);
            tensor_set_index(&self->key_lengths, b, 0, RANDOM_OF(random, 0, most, any, any, any, any));
        }
    }
    if (spec->inputs & FOVEA_INPUT_FIRST_KEYS) {
        create_index(&self->first_keys, spec, spec->batch);
        for (int64_t b = 0; b < spec->batch; b++) {
            const int64_t most = key_capacity(self, b), any = random_between(random, 0, most);
            tensor_set_index(&self->first_keys, b, 0, RANDOM_OF(random, 0, most, any, any / 4, any / 4, any / 8));
        }
    }
    if (spec->diagonal == FOVEA_DIAGONAL_OFFSETS) {
        create_index(&self->query_offsets, spec, spec->batch);
        for (int64_t b = 0; b < spec->batch; b++) {
            tensor_set_index(&self->query_offsets, b, 0, spec->query_offset + random_between(random, -3, 3) * (b > 0));
        }
    }
}

/* Keys of entry b: its length, or all there is room for. */
static int64_t length_of(const problem *self, int64_t b) {
    return has_key_lengths(&self->spec) ? tensor_get_index(&self->key_lengths, b, 0) : key_capacity(self, b);
}

static int64_t pages_of(const problem *self, int64_t b) {
    return (length_of(self, b) + self->spec.page_size - 1) / self->spec.page_size;
}

/* A table of pages in random order; sequences share some. Entries of pages that hold no key are no pages at all. */
static void create_block_table(problem *self) {
    const problem_spec *spec = &self->spec;
    const int64_t max_pages = spec->len_kv / spec->page_size;
    test_random random = test_random_seeded(spec->seed ^ 0xb7);
    self->block_table =
        (tensor){.element = spec->type_index == FOVEA_INDEX_INT64 ? 8 : 4, .size = {spec->batch, 1, 1, max_pages}};
    tensor_set_strides(&self->block_table, spec->side == GUARD_AFTER ? LAYOUT_BHSD : LAYOUT_REVERSED);
    tensor_allocate(&self->block_table, spec->side, false);
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

static void clear_strides(tensor *self, int32_t axes) {
    for (int axis = 0; axis < 4; axis++) {
        if (axes & (1 << axis)) {
            self->strides[axis] = 0;
        }
    }
}

static tensor create_terms(const problem_spec *spec, size_t element, int32_t broadcast) {
    tensor self = {.element = element, .size = {spec->batch, spec->heads_q, spec->len_q, spec->len_kv}};
    tensor_set_strides(&self, spec->side == GUARD_AFTER ? LAYOUT_BHSD : LAYOUT_PADDED);
    clear_strides(&self, broadcast);
    tensor_allocate(&self, spec->side, false);
    return self;
}

/* What a tile of positions does: the same for all of them, whatever else is drawn. */
typedef enum tile_kind { TILE_ORDINARY, TILE_ALLOWS, TILE_FORBIDS } tile_kind;

static tile_kind kind_of_tile(const problem_spec *spec, int32_t edge, int64_t b, int64_t h, int64_t i, int64_t j) {
    if (edge == 0) {
        return TILE_ORDINARY;
    }
    test_random random =
        test_random_seeded(spec->seed + (uint64_t)(((b * 31 + h) * 1009 + i / edge) * 1009 + j / edge));
    return (tile_kind)RANDOM_OF(&random, TILE_ORDINARY, TILE_ALLOWS, TILE_FORBIDS, TILE_FORBIDS, TILE_FORBIDS);
}

/* Rows that allow all, nothing, or keys at random; runs of keys that whole rows forbid. Any non-zero byte allows. */
static void create_mask(problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
    enum { RUN = 48 };
    self->mask = create_terms(spec, 1, spec->mask_broadcast);
    double density = 0;
    FOR_EACH(&self->mask, b, h, i, j) {
        if (j % RUN == 0) {
            const double kinds[] = {0, 1, spec->mask_density};
            density = kinds[random_chance(random, 0.2) ? 0 : random_chance(random, 0.3) ? 1 : 2];
        }
        const tile_kind tile = kind_of_tile(spec, spec->mask_tile, b, h, i, j);
        const bool drawn = random_chance(random, density);
        const bool allows = tile == TILE_ORDINARY ? drawn : tile == TILE_ALLOWS;
        *(uint8_t *)tensor_element(&self->mask, b, h, i, j) = allows ? (uint8_t)RANDOM_OF(random, 1, 2, 128, 255) : 0;
    }
}

static void create_bias(problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
    self->bias = create_terms(spec, tensor_type_size(spec->type_bias), spec->bias_broadcast);
    self->bias.type = spec->type_bias;
    bool forbids_row = false;
    FOR_EACH(&self->bias, b, h, i, j) {
        if (j == 0) {
            forbids_row = spec->bias_forbids > 0 && random_chance(random, 0.1);
        }
        const tile_kind tile = kind_of_tile(spec, spec->bias_tile, b, h, i, j);
        const bool drawn = forbids_row || random_chance(random, spec->bias_forbids);
        const bool forbids = tile == TILE_ORDINARY ? drawn : tile == TILE_FORBIDS;
        tensor_put(&self->bias, b, h, i, j, forbids ? -INFINITY : random_float(random, -2, 2));
    }
}

/* Where key j of entry b lies: indices of the first axis and of the axis of rows. */
typedef struct key_place {
    int64_t outer, row;
} key_place;

static key_place place_of_key(const problem *self, int64_t b, int64_t j) {
    switch (self->spec.form_kv) {
    case FOVEA_FORM_PACKED:
        return (key_place){0, tensor_get_index(&self->cu_seqlens_kv, b, 0) + j};
    case FOVEA_FORM_PAGED:
        return (key_place){tensor_get_index(&self->block_table, b, j / self->spec.page_size), j % self->spec.page_size};
    case FOVEA_FORM_DENSE:
        break;
    }
    return (key_place){b, j};
}

/* Which rows hold a key, [outer][row]; indices of axes that are broadcast are all the same row. */
static bool *rows_in_use(const problem *self, const tensor *rows) {
    const int64_t *size = rows->size;
    bool *used = calloc((size_t)(size[0] * size[2]) + 1, sizeof *used);
    ck_assert_ptr_nonnull(used);
    for (int64_t b = 0; b < self->spec.batch; b++) {
        for (int64_t j = 0; j < length_of(self, b); j++) {
            const key_place place = place_of_key(self, b, j);
            for (int64_t outer = 0; outer < size[0]; outer++) {
                used[outer * size[2] + place.row] |= outer == place.outer || rows->strides[0] == 0;
            }
        }
    }
    for (int64_t i = 0; rows->strides[2] == 0 && i < size[0] * size[2]; i++) {
        used[i] = true;
    }
    return used;
}

static void forbid_row(const tensor *rows, tensor_layout layout, int64_t outer, int64_t h, int64_t row) {
    for (int64_t d = 0; d < rows->size[3]; d++) {
        tensor_put(rows, outer, h, row, d, rows->type == FOVEA_INT8 ? -128 : NAN);
    }
    if (layout == LAYOUT_ROW_A_PAGE) {
        const size_t page_of_row = (size_t)rows->strides[2] * rows->element;
        const unsigned char *end = tensor_element(rows, outer, h, row, rows->size[3]);
        guarded_forbid(&rows->memory, (size_t)(end - (unsigned char *)rows->memory.data) - page_of_row, page_of_row);
    }
}

/* Rows that hold no key hold NaN; with a row a page, they cannot be read at all. */
static void forbid_rest(const problem *self, const tensor *rows, tensor_layout layout) {
    if (tensor_is_empty(rows)) {
        return;
    }
    bool *used = rows_in_use(self, rows);
    for (int64_t i = 0; i < rows->size[0] * rows->size[2]; i++) {
        for (int64_t h = 0; !used[i] && h < rows->size[1]; h++) {
            forbid_row(rows, layout, i / rows->size[2], h, i % rows->size[2]);
        }
    }
    free(used);
}

static void strew(const tensor *self, test_random *random, int32_t count) {
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (int32_t i = 0; i < count && !tensor_is_empty(self); i++) {
        const int64_t a = random_between(random, 0, self->size[0] - 1),
                      b = random_between(random, 0, self->size[1] - 1);
        const int64_t c = random_between(random, 0, self->size[2] - 1),
                      d = random_between(random, 0, self->size[3] - 1);
        tensor_put(self, a, b, c, d, values[random_between(random, 0, 2)]);
    }
}

/* q, k and v as views of one buffer with the axes (batch, rows, heads of all three, columns). */
static void create_fused(problem *self) {
    const problem_spec *spec = &self->spec;
    const int64_t heads = spec->heads_q + 2 * spec->heads_kv;
    tensor whole =
        tensor_of_type(spec->type_q, spec->batch, heads, spec->len_q, spec->head_dim, LAYOUT_BSHD, spec->side);
    self->q = self->k = self->v = whole;
    self->k.memory = self->v.memory = (guarded){0};
    self->q.size[1] = spec->heads_q;
    self->k.size[1] = self->v.size[1] = spec->heads_kv;
    if (!tensor_is_empty(&whole)) {
        self->k.origin = tensor_element(&whole, 0, spec->heads_q, 0, 0);
        self->v.origin = tensor_element(&whole, 0, spec->heads_q + spec->heads_kv, 0, 0);
    }
}

/* Sizes of the axes that depend on the forms. */
static int64_t outer_q(const problem_spec *spec) {
    return spec->form_q == FOVEA_FORM_PACKED ? 1 : spec->batch;
}

static int64_t outer_kv(const problem *self) {
    const fovea_form form = self->spec.form_kv;
    return form == FOVEA_FORM_PAGED ? self->pages : form == FOVEA_FORM_PACKED ? 1 : self->spec.batch;
}

static int64_t rows_kv(const problem_spec *spec) {
    return spec->form_kv == FOVEA_FORM_PAGED ? spec->page_size : spec->len_kv;
}

static void create_qkv(problem *self) {
    const problem_spec *s = &self->spec;
    const int64_t outer = outer_kv(self), rows = rows_kv(s);
    self->q = tensor_of_type(s->type_q, outer_q(s), s->heads_q, s->len_q, s->head_dim, s->layout_q, s->side);
    self->k = tensor_of_type(s->type_kv, outer, s->heads_kv, rows, s->head_dim, s->layout_k, s->side);
    self->v = tensor_of_type(s->type_kv, outer, s->heads_kv, rows, s->head_dim_v, s->layout_v, s->side);
}

/* Scales of rows that give dequantised numbers in [-range, range]. */
static tensor create_scales(const tensor *rows, guard_side side, tensor_layout layout, float range,
                            test_random *random) {
    tensor self = tensor_of_type(FOVEA_F32, rows->size[0], rows->size[1], rows->size[2], 1, layout, side);
    tensor_fill_unwritten(&self);
    FOR_EACH(&self, b, h, j, one) {
        tensor_put(&self, b, h, j, one, random_float(random, 0.25f, 1) * range / 127);
    }
    return self;
}

/* Keys and values: of int8 the elements take their whole range, and the scales the rest. */
static void fill_rows(const problem_spec *spec, tensor *rows, tensor *scales, tensor_layout layout, float range,
                      test_random *random) {
    tensor_fill_random(rows, random, rows->type == FOVEA_INT8 ? 127 : range);
    if (rows->type == FOVEA_INT8) {
        *scales = create_scales(rows, spec->side, layout, range, random);
    }
}

/* What of the rows can hold a NaN. */
static const tensor *poisonable(const tensor *rows, const tensor *scales) {
    return rows->type == FOVEA_INT8 ? scales : rows;
}

static void make_read_only(const tensor *self, tensor_layout layout) {
    /* A row a page: the forbidden pages must stay so. */
    if (self->memory.pages && layout != LAYOUT_ROW_A_PAGE) {
        guarded_make_read_only(&self->memory);
    }
}

static void create_inputs(problem *self) {
    const problem_spec *spec = &self->spec;
    test_random random = test_random_seeded(spec->seed);
    create_offsets(self);
    create_indices(self, &random);
    if (spec->form_kv == FOVEA_FORM_PAGED) {
        create_block_table(self);
    }
    if (spec->fused_qkv) {
        create_fused(self);
    } else {
        create_qkv(self);
    }
    tensor_fill_unwritten(&self->q);
    tensor_fill_unwritten(&self->k);
    tensor_fill_unwritten(&self->v);
    tensor_fill_random(&self->q, &random, spec->query_range);
    fill_rows(spec, &self->k, &self->k_scales, spec->layout_k, 1, &random);
    fill_rows(spec, &self->v, &self->v_scales, spec->layout_v, spec->value_range, &random);
    if (spec->inputs & FOVEA_INPUT_MASK) {
        create_mask(self, &random);
    }
    if (spec->inputs & FOVEA_INPUT_BIAS) {
        create_bias(self, &random);
    }
    if (spec->inputs & FOVEA_INPUT_ALIBI) {
        self->alibi = tensor_create(spec->batch, 1, 1, spec->heads_q, sizeof(float),
                                    spec->slopes_shared ? LAYOUT_BROADCAST_BATCH : LAYOUT_BHSD, spec->side);
        tensor_fill_random(&self->alibi, &random, spec->slope_range);
    }
    if (spec->inputs & FOVEA_INPUT_SINKS) {
        self->sinks = tensor_create(1, 1, 1, spec->heads_q, sizeof(float), LAYOUT_BHSD, spec->side);
        tensor_fill_random(&self->sinks, &random, spec->sink_range);
    }
    if (spec->hostile > 0) {
        strew(poisonable(&self->k, &self->k_scales), &random, spec->hostile);
        strew(poisonable(&self->v, &self->v_scales), &random, spec->hostile);
        strew(&self->q, &random, 1);
        strew(&self->bias, &random, spec->inputs & FOVEA_INPUT_BIAS ? 1 : 0);
        strew(&self->sinks, &random, spec->inputs & FOVEA_INPUT_SINKS && spec->hostile % 2 ? 1 : 0);
    }
    forbid_rest(self, &self->k, spec->layout_k);
    forbid_rest(self, &self->v, spec->layout_v);
    forbid_rest(self, &self->k_scales, spec->layout_k);
    forbid_rest(self, &self->v_scales, spec->layout_v);
    tensor_layout layouts[] = {spec->layout_q, spec->layout_k, spec->layout_v, spec->layout_k,
                               spec->layout_v, LAYOUT_BHSD,    LAYOUT_BHSD};
    const tensor *inputs[] = {&self->q, &self->k, &self->v, &self->k_scales, &self->v_scales, &self->mask, &self->bias};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        make_read_only(inputs[i], layouts[i]);
    }
}

static void create_outputs(problem *self) {
    const problem_spec *s = &self->spec;
    const size_t element = sizeof(float);
    self->out = tensor_of_type(s->type_out, outer_q(s), s->heads_q, s->len_q, s->head_dim_v, s->layout_out, s->side);
    if (s->outputs & FOVEA_OUTPUT_LSE) {
        self->lse = tensor_create(outer_q(s), s->heads_q, s->len_q, 1, element, s->layout_out, s->side);
    }
    if (s->weights != FOVEA_WEIGHTS_NONE) {
        const int64_t heads = s->weights == FOVEA_WEIGHTS_MEAN_PROBABILITIES ? 1 : s->heads_q;
        self->weights = tensor_create(s->batch, heads, s->len_q, s->len_kv, element, s->layout_out, s->side);
    }
}

static void fill_desc(problem *self) {
    const problem_spec *spec = &self->spec;
    self->desc = (fovea_attention_desc){
        .struct_size = sizeof self->desc,
        .batch = spec->batch,
        .heads_q = spec->heads_q,
        .heads_kv = spec->heads_kv,
        .len_q = spec->len_q + spec->spare_q,
        .len_kv = spec->len_kv + spec->spare_kv,
        .head_dim = spec->head_dim,
        .head_dim_v = spec->head_dim_v,
        .type_q = spec->type_q,
        .type_kv = spec->type_kv,
        .type_out = spec->type_out,
        .type_bias = spec->type_bias,
        .type_index = spec->type_index,
        .scale = spec->scale,
        .has_scale = spec->has_scale,
        .softcap = spec->softcap,
        .diagonal = spec->diagonal,
        .causal = spec->causal,
        .form_q = spec->form_q,
        .form_kv = spec->form_kv,
        .page_size = spec->page_size,
        .window_left = spec->window_left,
        .window_right = spec->window_right,
        .has_window_left = spec->has_window_left,
        .has_window_right = spec->has_window_right,
        .inputs = spec->inputs,
        .outputs = spec->outputs,
        .weights = spec->weights,
        .exp = spec->exp,
        .arithmetic = spec->arithmetic,
        .isa_cap = spec->isa,
        .threads = spec->threads,
    };
}

static void copy_strides(int64_t *to, const tensor *from, int axes) {
    for (int axis = 0; axis < axes; axis++) {
        to[axis] = from->strides[axis];
    }
}

static void fill_args(problem *self) {
    fovea_attention_args *args = &self->args;
    *args = (fovea_attention_args){
        .struct_size = sizeof *args,
        .len_q = self->spec.len_q,
        .len_kv = self->spec.len_kv,
        .q = self->q.origin,
        .k = self->k.origin,
        .v = self->v.origin,
        .out = self->out.origin,
        .mask = self->mask.origin,
        .bias = self->bias.origin,
        .key_lengths = self->key_lengths.origin,
        .first_keys = self->first_keys.origin,
        .query_offsets = self->query_offsets.origin,
        .cu_seqlens_q = self->cu_seqlens_q.origin,
        .cu_seqlens_kv = self->cu_seqlens_kv.origin,
        .block_table = self->block_table.origin,
        .block_table_strides = {self->block_table.strides[0], self->block_table.strides[3]},
        .pages = self->pages,
        .alibi_slopes = self->alibi.origin,
        .alibi_strides = {self->alibi.strides[0], self->alibi.strides[3]},
        .sinks = self->sinks.origin,
        .k_scales = self->k_scales.origin,
        .v_scales = self->v_scales.origin,
        .lse = self->lse.origin,
        .weights = self->weights.origin,
    };
    copy_strides(args->q_strides, &self->q, 4);
    copy_strides(args->k_strides, &self->k, 4);
    copy_strides(args->v_strides, &self->v, 4);
    copy_strides(args->out_strides, &self->out, 4);
    copy_strides(args->mask_strides, &self->mask, 4);
    copy_strides(args->bias_strides, &self->bias, 4);
    copy_strides(args->k_scale_strides, &self->k_scales, 3);
    copy_strides(args->v_scale_strides, &self->v_scales, 3);
    copy_strides(args->lse_strides, &self->lse, 3);
    copy_strides(args->weights_strides, &self->weights, 4);
}

/* --- Failures that name the problem --- */

enum { DESCRIPTION_SIZE = 2000 };

typedef struct text {
    char chars[DESCRIPTION_SIZE];
    size_t length;
} text;

static void append(text *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(text *self, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(self->chars + self->length, DESCRIPTION_SIZE - self->length, format, arguments);
    va_end(arguments);
    self->length += length > 0 ? (size_t)length : 0;
    if (self->length >= DESCRIPTION_SIZE) {
        self->length = DESCRIPTION_SIZE - 1;
    }
}

static text describe(const problem_spec *spec) {
    const problem_spec defaults = {PROBLEM_DEFAULTS};
    text self = {0};
    append(&self, "PROBLEM(.seed = 0x%llx", (unsigned long long)spec->seed);
#define INTEGER(name)                \
    if (spec->name != defaults.name) \
    append(&self, ", ." #name " = %lld", (long long)spec->name)
#define REAL_NUMBER(name)            \
    if (spec->name != defaults.name) \
    append(&self, ", ." #name " = %.9g", (double)spec->name)
    INTEGER(batch);
    INTEGER(heads_q);
    INTEGER(heads_kv);
    INTEGER(len_q);
    INTEGER(len_kv);
    INTEGER(head_dim);
    INTEGER(head_dim_v);
    INTEGER(spare_q);
    INTEGER(spare_kv);
    REAL_NUMBER(query_range);
    REAL_NUMBER(value_range);
    REAL_NUMBER(scale);
    INTEGER(has_scale);
    REAL_NUMBER(softcap);
    INTEGER(diagonal);
    INTEGER(query_offset);
    INTEGER(causal);
    INTEGER(has_window_left);
    INTEGER(has_window_right);
    INTEGER(window_left);
    INTEGER(window_right);
    INTEGER(type_index);
    INTEGER(form_q);
    INTEGER(form_kv);
    INTEGER(page_size);
    INTEGER(cut_alike);
    INTEGER(type_q);
    INTEGER(type_kv);
    INTEGER(type_out);
    INTEGER(type_bias);
    INTEGER(inputs);
    INTEGER(outputs);
    INTEGER(weights);
    REAL_NUMBER(mask_density);
    REAL_NUMBER(bias_forbids);
    INTEGER(mask_broadcast);
    INTEGER(bias_broadcast);
    INTEGER(mask_tile);
    INTEGER(bias_tile);
    REAL_NUMBER(slope_range);
    REAL_NUMBER(sink_range);
    INTEGER(slopes_shared);
    INTEGER(hostile);
    INTEGER(layout_q);
    INTEGER(layout_k);
    INTEGER(layout_v);
    INTEGER(layout_out);
    INTEGER(fused_qkv);
    INTEGER(side);
    INTEGER(form);
    INTEGER(isa);
    INTEGER(exp);
    INTEGER(arithmetic);
    INTEGER(threads);
    INTEGER(executor);
    INTEGER(concurrency);
    INTEGER(row_step);
    REAL_NUMBER(slack);
#undef INTEGER
#undef REAL_NUMBER
    append(&self, ")\n");
    return self;
}

void problem_fail(const problem *self, const char *format, ...) {
    char reason[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    const text description = describe(&self->spec);
    ck_abort_msg("%s\n%s", reason, description.chars);
    abort(); /* not reached; ck_abort_msg is not declared noreturn everywhere */
}

/* The problem that is running, for the handler of a fault. */
static text running;
static struct sigaction previous_handler;

const char *problem_running(void) {
    return running.chars;
}

static void on_fault(int signal_number) {
    if (running.length > 0 && write(STDERR_FILENO, running.chars, running.length) < 0) {
        _exit(1);
    }
    /* Returning repeats the fault under whoever handled it before: Check, or a sanitizer. */
    sigaction(signal_number, &previous_handler, NULL);
}

static void watch_faults(void) {
    static bool watching;
    if (!watching) {
        struct sigaction action = {.sa_handler = on_fault};
        sigaction(SIGSEGV, &action, &previous_handler);
        watching = true;
    }
}

/* --- Life of a problem --- */

problem *problem_create(const problem_spec *spec) {
    problem *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    self->spec = *spec;
    create_inputs(self);
    create_outputs(self);
    fill_desc(self);
    fill_args(self);
    self->has_pairs = problem_has_pairs(spec);
    test_executor_init(&self->executor, spec->executor, spec->concurrency, spec->seed);
    problem_reset_outputs(self);
    return self;
}

void problem_destroy(problem *self) {
    tensor *const all[] = {&self->q,
                           &self->k,
                           &self->v,
                           &self->out,
                           &self->mask,
                           &self->bias,
                           &self->lse,
                           &self->weights,
                           &self->key_lengths,
                           &self->first_keys,
                           &self->query_offsets,
                           &self->alibi,
                           &self->sinks,
                           &self->k_scales,
                           &self->v_scales,
                           &self->cu_seqlens_q,
                           &self->cu_seqlens_kv,
                           &self->block_table};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        guarded_destroy(&all[i]->memory);
    }
    free(self);
}

void problem_reset_outputs(problem *self) {
    tensor_fill_unwritten(&self->out);
    tensor_fill_unwritten(&self->lse);
    tensor_fill_unwritten(&self->weights);
}

void problem_open_inputs(problem *self) {
    const tensor *const inputs[] = {&self->q,        &self->k,    &self->v,   &self->k_scales,
                                    &self->v_scales, &self->mask, &self->bias};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (inputs[i]->memory.pages) {
            guarded_make_writable(&inputs[i]->memory);
        }
    }
}

static fovea_status execute(problem *self, const fovea_plan *plan) {
    const fovea_executor *executor = test_executor_get(&self->executor);
    if (self->spec.form != CALL_WORKSPACE) {
        return fovea_execute(plan, &self->args, executor);
    }
    fovea_attention_args args = self->args;
    args.workspace_size = fovea_plan_workspace_size(plan, self->spec.concurrency);
    /* Ends exactly at a forbidden page, or begins one byte after one. */
    const size_t shift = self->spec.side == GUARD_AFTER ? 0 : 1;
    guarded workspace = guarded_create(args.workspace_size + shift, 1, self->spec.side);
    args.workspace = (unsigned char *)workspace.data + shift;
    /* What an earlier call may have left there: floats of this pattern are NaN. */
    memset(args.workspace, 0xff, args.workspace_size);
    const fovea_status status = fovea_execute(plan, &args, executor);
    if (!guarded_intact(&workspace)) {
        problem_fail(self, "wrote outside the workspace");
    }
    guarded_destroy(&workspace);
    return status;
}

static void begin_call(const problem *self) {
    watch_faults();
    running = describe(&self->spec);
}

static void end_call(const problem *self) {
    running = (text){0};
    if (self->executor.nested) {
        problem_fail(self, "parallel_for was entered twice at the same time");
    }
    if (self->executor.environment_changed) {
        problem_fail(self, "a worker's floating-point modes were left changed");
    }
}

fovea_status problem_execute(problem *self, const fovea_plan *plan) {
    begin_call(self);
    const fovea_status status = execute(self, plan);
    end_call(self);
    return status;
}

fovea_status problem_run(problem *self) {
    if (self->spec.form != CALL_ONCE) {
        fovea_plan *plan = NULL;
        begin_call(self);
        fovea_status status = fovea_plan_create(&self->desc, &plan);
        if (status == FOVEA_OK) {
            status = problem_execute(self, plan);
        }
        fovea_plan_destroy(plan);
        end_call(self);
        return status;
    }
    begin_call(self);
    const fovea_status status = fovea_attention(&self->desc, &self->args, test_executor_get(&self->executor));
    end_call(self);
    return status;
}

/* --- Comparing --- */

static double rounded_to(fovea_type type, double x) {
    return type == FOVEA_F32 ? x : narrow_value(narrow_of(type), narrow_nearest(narrow_of(type), x));
}

/* Results of narrow types are within tolerance before they are rounded, and rounded once. */
static bool meets(fovea_type type, double actual, double value, expectation kind, double tolerance) {
    switch (kind) {
    case EXPECT_VALUE:
        return actual == value ||
               (actual >= rounded_to(type, value - tolerance) && actual <= rounded_to(type, value + tolerance));
    case EXPECT_EXACTLY:
        return actual == value;
    case EXPECT_NAN:
        return isnan(actual);
    case EXPECT_VALUE_OR_NAN:
        return isnan(actual) || actual == value;
    case EXPECT_NOT_FINITE:
        return !isfinite(actual);
    case EXPECT_ANYTHING:
    case EXPECT_UNTOUCHED:
        return true;
    }
    return false;
}

static void compare_elements(const problem *self, const char *name, const tensor *actual, const expected *wanted,
                             const oracle *truth, double tolerance) {
    static const char *const kinds[] = {"", " exactly", " (NaN)", " or NaN", " (not finite)", "", ""};
    int64_t index = 0;
    FOR_EACH(actual, a, b, c, d) {
        const bool untouched = wanted->kind[index] == EXPECT_UNTOUCHED;
        if (tensor_is_unwritten(actual, tensor_element(actual, a, b, c, d)) != untouched) {
            problem_fail(self, "%s[%lld, %lld, %lld, %lld] was %swritten", name, (long long)a, (long long)b,
                         (long long)c, (long long)d, untouched ? "" : "not ");
        }
        const expectation kind = (expectation)wanted->kind[index];
        const double value = wanted->value[index], element = tensor_get(actual, a, b, c, d);
        if (oracle_has_row(truth, &self->args, c) && !meets(actual->type, element, value, kind, tolerance)) {
            problem_fail(self,
                         "%s[%lld, %lld, %lld, %lld] = %.9g, expected %.9g%s; error %.3g, tolerance %.3g "
                         "(size %.3g, largest |v| %.3g, naive error %.3g)",
                         name, (long long)a, (long long)b, (long long)c, (long long)d, element, value, kinds[kind],
                         fabs(element - value), tolerance, truth->size, truth->max_v, oracle_naive_error(wanted));
        }
        index++;
    }
}

/* Everything between the elements, and around them, must be as it was. */
static void compare_gaps(const problem *self, const char *name, const tensor *output) {
    if (!output->memory.pages) {
        return;
    }
    if (!guarded_intact(&output->memory)) {
        problem_fail(self, "wrote before or after %s", name);
    }
    const size_t count = output->memory.size / output->element;
    const unsigned char *memory = output->memory.data;
    bool *belongs = calloc(count > 0 ? count : 1, sizeof *belongs);
    ck_assert_ptr_nonnull(belongs);
    FOR_EACH(output, a, b, c, d) {
        const unsigned char *element = tensor_element(output, a, b, c, d);
        belongs[(size_t)(element - memory) / output->element] = true;
    }
    for (size_t i = 0; i < count; i++) {
        if (!belongs[i] && !tensor_is_unwritten(output, memory + i * output->element)) {
            problem_fail(self, "wrote between the elements of %s", name);
        }
    }
    free(belongs);
}

bool problem_has_pairs(const problem_spec *spec) {
    problem probe = {.spec = *spec};
    fovea_plan *plan = NULL;
    char description[600] = "";
    fill_desc(&probe);
    if (fovea_plan_create(&probe.desc, &plan) == FOVEA_OK) {
        fovea_plan_describe(plan, description, sizeof description);
    }
    fovea_plan_destroy(plan);
    return strstr(description, "bf16 pairs") != NULL;
}

/* Few query rows are computed by the row kernels, in f32. */
static bool uses_pairs(const problem *self) {
    const problem_spec *spec = &self->spec;
    return spec->heads_kv > 0 && spec->len_q * (spec->heads_q / spec->heads_kv) > FV_MAX_ROWS && self->has_pairs;
}

/* Half a unit in the last of bf16's eight places, relative to the number. */
static const double bf16_rounding = 0x1p-8;

/* What scores may be off because queries and keys were rounded: each product by two roundings. */
static double error_of_scores(const problem *self, const oracle *truth) {
    const bool rounded = self->spec.type_q != FOVEA_BF16 || self->spec.type_kv != FOVEA_BF16;
    return rounded && uses_pairs(self) ? 2 * bf16_rounding * truth->size : 0;
}

double problem_out_tolerance(const problem *self, const oracle *truth) {
    const double of_scores = error_of_scores(self, truth);
    double relative = 0;
    if (uses_pairs(self)) {
        /* Probabilities, values where they have to be, and what the scores' errors make of probabilities. */
        relative = bf16_rounding + (of_scores > 0 ? bf16_rounding : 0) + fmin(2, expm1(2 * of_scores));
    }
    return oracle_out_tolerance(truth) + relative * truth->max_v;
}

double problem_lse_tolerance(const problem *self, const oracle *truth) {
    return oracle_lse_tolerance(truth) + error_of_scores(self, truth);
}

void problem_compare_with(const problem *self, const oracle *truth) {
    const double slack = (double)self->spec.slack;
    compare_elements(self, "out", &self->out, &truth->out, truth, slack * problem_out_tolerance(self, truth));
    compare_gaps(self, "out", &self->out);
    if (self->spec.outputs & FOVEA_OUTPUT_LSE) {
        compare_elements(self, "lse", &self->lse, &truth->lse, truth, slack * problem_lse_tolerance(self, truth));
        compare_gaps(self, "lse", &self->lse);
    }
    if (self->spec.weights != FOVEA_WEIGHTS_NONE) {
        compare_elements(self, "weights", &self->weights, &truth->weights, truth,
                         slack * oracle_weights_tolerance(truth, self->spec.weights));
        compare_gaps(self, "weights", &self->weights);
    }
}

void problem_compare(const problem *self) {
    oracle truth = oracle_create(&self->desc, &self->args, self->spec.row_step);
    problem_compare_with(self, &truth);
    oracle_destroy(&truth);
}

void problem_run_ok(problem *self) {
    const fovea_status status = problem_run(self);
    if (status != FOVEA_OK) {
        problem_fail(self, "%s: %s", fovea_status_string(status), fovea_last_reason());
    }
}

void problem_check(const problem_spec *spec) {
    problem *self = problem_create(spec);
    problem_run_ok(self);
    problem_compare(self);
    problem_destroy(self);
}

/* --- Bitwise comparison --- */

static unsigned char *append_elements(unsigned char *to, const tensor *from) {
    FOR_EACH(from, a, b, c, d) {
        memcpy(to, tensor_element(from, a, b, c, d), from->element);
        to += from->element;
    }
    return to;
}

static size_t bytes_of(const tensor *self) {
    return (size_t)(self->size[0] * self->size[1] * self->size[2] * self->size[3]) * self->element;
}

outcome problem_outcome(const problem *self) {
    outcome result = {.size = bytes_of(&self->out) + bytes_of(&self->lse) + bytes_of(&self->weights)};
    result.bytes = malloc(result.size + 1);
    ck_assert_ptr_nonnull(result.bytes);
    append_elements(append_elements(append_elements(result.bytes, &self->out), &self->lse), &self->weights);
    return result;
}

bool outcome_equal(const outcome *a, const outcome *b) {
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

void outcome_destroy(outcome *self) {
    free(self->bytes);
    *self = (outcome){0};
}

outcome problem_solve(const problem_spec *spec) {
    problem *self = problem_create(spec);
    problem_run_ok(self);
    const outcome result = problem_outcome(self);
    problem_destroy(self);
    return result;
}

/* --- Random problems --- */

problem_spec on_case(problem_spec spec, int32_t index) {
    const backend_case at = backend_case_at(index);
    spec.isa = at.backend->isa;
    spec.exp = at.exp;
    return spec;
}

/* Sizes near the edges of vectors, tiles, blocks and splits. */
static int64_t random_length(test_random *random, int64_t largest) {
    const int64_t edge = RANDOM_OF(random, 8, 16, 24, 32, 48, 64, 128, 192, 256, 384, 512, 768, 1024);
    if (random_chance(random, 0.1) && edge + 1 <= largest) {
        return edge + random_between(random, -1, 1);
    }
    return random_between(random, random_chance(random, 0.05) ? 0 : 1, largest < 80 ? largest : 80);
}

static int64_t random_head_dim(test_random *random) {
    const int64_t any = random_between(random, 1, 80);
    return RANDOM_OF(random, any, any, any, any, any, any, 8, 16, 32, 64, 96, 128, 256);
}

static uint32_t random_inputs(test_random *random) {
    uint32_t inputs = 0;
    for (uint32_t bit = FOVEA_INPUT_MASK; bit <= FOVEA_INPUT_SINKS; bit <<= 1) {
        if (random_chance(random, 0.25)) {
            inputs |= bit;
        }
    }
    return inputs;
}

static fovea_weights random_weights(test_random *random) {
    const fovea_weights weights =
        (fovea_weights)random_between(random, FOVEA_WEIGHTS_PROBABILITIES, FOVEA_WEIGHTS_MEAN_PROBABILITIES);
    return random_chance(random, 0.25) ? weights : FOVEA_WEIGHTS_NONE;
}

static void randomise_sizes(problem_spec *spec, test_random *random, int64_t largest) {
    const int64_t group = RANDOM_OF(random, 1, 1, 1, 2, 3, 4, 5, 8, 16);
    spec->batch = RANDOM_OF(random, 1, 1, 2, 3) * !random_chance(random, 0.01);
    spec->heads_kv = RANDOM_OF(random, 1, 1, 2, 3);
    spec->heads_q = group * spec->heads_kv;
    spec->len_kv = random_length(random, largest);
    spec->len_q = random_chance(random, 0.4) ? random_between(random, 1, 4) : random_length(random, largest / group);
    spec->head_dim = random_head_dim(random);
    spec->head_dim_v = random_chance(random, 0.6) ? spec->head_dim : random_head_dim(random);
    spec->spare_q = random_chance(random, 0.3) ? random_between(random, 0, 500) : 0;
    spec->spare_kv = random_chance(random, 0.3) ? random_between(random, 0, 5000) : 0;
}

/* Halves sizes until the oracle needs a few milliseconds. */
static void bound_work(problem_spec *spec) {
    enum { MOST = 2000000 };
    int64_t *const sizes[] = {&spec->batch, &spec->heads_kv, &spec->len_q};
    const int64_t group = spec->heads_q / spec->heads_kv;
    for (int i = 0;; i = (i + 1) % 3) {
        const int64_t row = spec->len_kv * (spec->head_dim + spec->head_dim_v);
        if (spec->batch * spec->heads_kv * group * spec->len_q * row <= MOST ||
            (spec->batch <= 1 && spec->heads_kv <= 1 && spec->len_q <= 1)) {
            break;
        }
        *sizes[i] = (*sizes[i] + 1) / 2;
    }
    spec->heads_q = group * spec->heads_kv;
}

static void randomise_scores(problem_spec *spec, test_random *random) {
    spec->query_range = (float)RANDOM_OF(random, 1, 1, 1, 8, 40);
    spec->value_range = (float)RANDOM_OF(random, 1, 1, 1, 1000);
    spec->has_scale = random_chance(random, 0.3);
    spec->scale = random_chance(random, 0.1) ? 0.0f : random_float(random, -0.5f, 0.5f);
    spec->softcap = random_chance(random, 0.2) ? random_float(random, 0.5f, 30.0f) : 0.0f;
    spec->diagonal = (fovea_diagonal)random_between(random, 0, 2);
    spec->query_offset = random_between(random, -spec->len_q, spec->len_kv);
    spec->causal = random_chance(random, 0.4);
    spec->has_window_left = random_chance(random, 0.2);
    spec->has_window_right = random_chance(random, 0.2);
    spec->window_left = random_between(random, 0, spec->len_kv);
    spec->window_right = random_between(random, 0, spec->len_kv);
    spec->inputs = random_inputs(random);
    spec->bias_forbids = random_chance(random, 0.5) ? 0.2 : 0;
    spec->mask_density = random_chance(random, 0.5) ? 0.7 : 0.05;
    spec->mask_broadcast = (int32_t)random_between(random, 0, 15);
    spec->bias_broadcast = (int32_t)random_between(random, 0, 15);
    spec->mask_tile = (int32_t)RANDOM_OF(random, 0, 0, 8, 16, 32, 64);
    spec->bias_tile = (int32_t)RANDOM_OF(random, 0, 0, 0, 16, 32, 64);
    spec->slope_range = 0.01f * (float)RANDOM_OF(random, 1, 25, 25, 400);
    spec->sink_range = (float)RANDOM_OF(random, 2, 2, 40);
    spec->slopes_shared = random_chance(random, 0.5);
    spec->hostile = random_chance(random, 0.2) ? (int32_t)random_between(random, 1, 4) : 0;
}

static tensor_layout random_input_layout(test_random *random, int64_t len) {
    const tensor_layout layout = (tensor_layout)random_between(random, 0, LAYOUT_COUNT - 1);
    return layout == LAYOUT_ROW_A_PAGE && len > 200 ? LAYOUT_PADDED : layout;
}

static void randomise_memory(problem_spec *spec, test_random *random) {
    spec->layout_q = random_input_layout(random, spec->len_q);
    spec->layout_k = random_input_layout(random, spec->len_kv);
    spec->layout_v = random_input_layout(random, spec->len_kv);
    spec->layout_out = (tensor_layout)random_between(random, LAYOUT_BHSD, LAYOUT_REVERSED);
    if (random_chance(random, 0.1)) {
        spec->fused_qkv = 1;
        spec->len_kv = spec->len_q;
        spec->head_dim_v = spec->head_dim;
        spec->layout_q = spec->layout_k = spec->layout_v = LAYOUT_BSHD;
    }
    spec->side = random_chance(random, 0.5) ? GUARD_AFTER : GUARD_BEFORE;
}

/* f32 alone, or with one of the 16-bit types, which do not mix. */
static void randomise_types(problem_spec *spec, test_random *random) {
    const int64_t narrow = RANDOM_OF(random, FOVEA_F32, FOVEA_F16, FOVEA_BF16);
    spec->type_q = (fovea_type)RANDOM_OF(random, FOVEA_F32, narrow);
    spec->type_kv = (fovea_type)RANDOM_OF(random, FOVEA_F32, narrow, narrow, FOVEA_INT8);
    spec->type_out = (fovea_type)RANDOM_OF(random, FOVEA_F32, spec->type_q);
    spec->type_bias = (fovea_type)RANDOM_OF(random, FOVEA_F32, narrow);
    if (spec->fused_qkv) {
        spec->type_kv = spec->type_q;
    }
}

/* Masks, bias and weights have no packed form. */
static void randomise_forms(problem_spec *spec, test_random *random) {
    spec->form_q = (fovea_form)RANDOM_OF(random, FOVEA_FORM_DENSE, FOVEA_FORM_DENSE, FOVEA_FORM_PACKED);
    spec->form_kv =
        (fovea_form)RANDOM_OF(random, FOVEA_FORM_DENSE, FOVEA_FORM_DENSE, FOVEA_FORM_PACKED, FOVEA_FORM_PAGED);
    if (spec->form_kv == FOVEA_FORM_PAGED) {
        const int64_t any = random_between(random, 1, 40), size = RANDOM_OF(random, 1, 2, 16, 16, 64, 256, any, any);
        spec->page_size = size;
        spec->len_kv = (spec->len_kv + size - 1) / size * size;
        spec->spare_kv = spec->spare_kv / size * size;
    }
    if (spec->form_q == FOVEA_FORM_PACKED || spec->form_kv == FOVEA_FORM_PACKED) {
        spec->inputs &= ~(uint32_t)(FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS);
        spec->weights = FOVEA_WEIGHTS_NONE;
        spec->cut_alike = random_chance(random, 0.5);
        spec->batch = spec->batch > 0 ? random_between(random, 1, 6) : 0;
    }
}

problem_spec problem_random(test_random *random, int64_t largest, fovea_isa isa, fovea_exp exp) {
    problem_spec spec = PROBLEM(.seed = random_bits(random), .isa = isa, .exp = exp);
    randomise_sizes(&spec, random, largest);
    bound_work(&spec);
    randomise_scores(&spec, random);
    randomise_memory(&spec, random);
    randomise_types(&spec, random);
    spec.type_index = random_chance(random, 0.5) ? FOVEA_INDEX_INT64 : FOVEA_INDEX_INT32;
    spec.outputs = random_chance(random, 0.5) ? FOVEA_OUTPUT_LSE : 0;
    spec.weights = random_weights(random);
    if (!spec.fused_qkv) {
        randomise_forms(&spec, random);
    }
    spec.form = (call_form)random_between(random, CALL_ONCE, CALL_WORKSPACE);
    spec.threads = (int32_t)RANDOM_OF(random, 0, 1, 2);
    /* Computed by the backends that have it. */
    spec.arithmetic = FOVEA_ARITHMETIC_BF16;
    if (!problem_has_pairs(&spec) || random_chance(random, 0.5)) {
        spec.arithmetic = FOVEA_ARITHMETIC_DEFAULT;
    }
    return spec;
}
