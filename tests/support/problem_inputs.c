#include "problem_parts.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

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
static void draw_mask(const problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
    enum { RUN = 48 };
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

static void draw_bias(const problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
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

/* Which rows hold a key, [outer][row]; indices of axes that are broadcast are all the same row. */
static bool *rows_in_use(const problem *self, const tensor *rows) {
    const int64_t *size = rows->size;
    bool *used = calloc((size_t)(size[0] * size[2]) + 1, sizeof *used);
    ck_assert_ptr_nonnull(used);
    for (int64_t b = 0; b < self->spec.batch; b++) {
        for (int64_t j = 0; j < problem_length_of(self, b); j++) {
            const token_place place = problem_place_of_key(self, b, j);
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
    self->q = tensor_of_type(s->type_q, problem_outer_q(s), s->heads_q, s->len_q, s->head_dim, s->layout_q, s->side);
    self->k = tensor_of_type(s->type_kv, outer, s->heads_kv, rows, s->head_dim, s->layout_k, s->side);
    self->v = tensor_of_type(s->type_kv, outer, s->heads_kv, rows, s->head_dim_v, s->layout_v, s->side);
}

static tensor create_scales(const problem_spec *spec, const tensor *rows, tensor_layout layout) {
    if (rows->type != FOVEA_INT8) {
        return (tensor){0};
    }
    return tensor_of_type(FOVEA_F32, rows->size[0], rows->size[1], rows->size[2], 1, layout, spec->side);
}

/* Keys and values: of int8 the elements take their whole range, and the scales give dequantised numbers in [-range,
 * range]. */
static void draw_rows(const tensor *rows, const tensor *scales, float range, test_random *random) {
    tensor_fill_unwritten(scales);
    tensor_fill_random(rows, random, rows->type == FOVEA_INT8 ? 127 : range);
    FOR_EACH(scales, b, h, j, one) {
        tensor_put(scales, b, h, j, one, random_float(random, 0.25f, 1) * range / 127);
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

void problem_allocate_inputs(problem *self) {
    const problem_spec *spec = &self->spec;
    if (spec->fused_qkv) {
        create_fused(self);
    } else {
        create_qkv(self);
    }
    self->k_scales = create_scales(spec, &self->k, spec->layout_k);
    self->v_scales = create_scales(spec, &self->v, spec->layout_v);
    if (spec->inputs & FOVEA_INPUT_MASK) {
        self->mask = create_terms(spec, 1, spec->mask_broadcast);
    }
    if (spec->inputs & FOVEA_INPUT_BIAS) {
        self->bias = create_terms(spec, tensor_type_size(spec->type_bias), spec->bias_broadcast);
        self->bias.type = spec->type_bias;
    }
    if (spec->inputs & FOVEA_INPUT_ALIBI) {
        self->alibi = tensor_create(spec->batch, 1, 1, spec->heads_q, sizeof(float),
                                    spec->slopes_shared ? LAYOUT_BROADCAST_BATCH : LAYOUT_BHSD, spec->side);
    }
    if (spec->inputs & FOVEA_INPUT_SINKS) {
        self->sinks = tensor_create(1, 1, 1, spec->heads_q, sizeof(float), LAYOUT_BHSD, spec->side);
    }
}

static void draw_hostile(const problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
    strew(poisonable(&self->k, &self->k_scales), random, spec->hostile);
    strew(poisonable(&self->v, &self->v_scales), random, spec->hostile);
    strew(&self->q, random, 1);
    strew(&self->bias, random, spec->inputs & FOVEA_INPUT_BIAS ? 1 : 0);
    strew(&self->sinks, random, spec->inputs & FOVEA_INPUT_SINKS && spec->hostile % 2 ? 1 : 0);
}

static void forbid_and_protect(const problem *self) {
    const problem_spec *spec = &self->spec;
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

void problem_draw_inputs(problem *self, test_random *random) {
    const problem_spec *spec = &self->spec;
    tensor_fill_unwritten(&self->q);
    tensor_fill_unwritten(&self->k);
    tensor_fill_unwritten(&self->v);
    tensor_fill_random(&self->q, random, spec->query_range);
    draw_rows(&self->k, &self->k_scales, 1, random);
    draw_rows(&self->v, &self->v_scales, spec->value_range, random);
    draw_mask(self, random);
    draw_bias(self, random);
    tensor_fill_random(&self->alibi, random, spec->slope_range);
    tensor_fill_random(&self->sinks, random, spec->sink_range);
    if (spec->hostile > 0) {
        draw_hostile(self, random);
    }
    forbid_and_protect(self);
}
