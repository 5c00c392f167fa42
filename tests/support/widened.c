#include "widened.h"

#include <check.h>
#include <stdlib.h>

#include "narrow.h"
#include "oracle.h"

/* A (batch, heads, rows, columns) tensor of any type; scales are those of int8. */
typedef struct source {
    fovea_type type;
    const void *data;
    int64_t size[4];
    const int64_t *strides;
    const float *scales;
    const int64_t *scale_strides;
} source;

static float element_of(const source *from, int64_t b, int64_t h, int64_t i, int64_t d) {
    const int64_t *strides = from->strides;
    const int64_t at = b * strides[0] + h * strides[1] + i * strides[2] + d * strides[3];
    if (from->type == FOVEA_INT8) {
        const int64_t *steps = from->scale_strides;
        return (float)((const int8_t *)from->data)[at] * from->scales[b * steps[0] + h * steps[1] + i * steps[2]];
    }
    if (from->type == FOVEA_F32) {
        return ((const float *)from->data)[at];
    }
    return (float)narrow_value(narrow_of(from->type), ((const uint16_t *)from->data)[at]);
}

static int64_t index_at(const widened *self, const void *list, int64_t at) {
    return oracle_index(list, self->desc.type_index, at);
}

/* Keys that entry b may read. */
static int64_t keys_of(const widened *self, int64_t b) {
    const fovea_attention_args *args = &self->args;
    if (args->key_lengths) {
        return index_at(self, args->key_lengths, b);
    }
    if (self->desc.form_kv == FOVEA_FORM_PACKED) {
        return index_at(self, args->cu_seqlens_kv, b + 1) - index_at(self, args->cu_seqlens_kv, b);
    }
    return args->len_kv;
}

/* Element d of row i of entry b, found as the form of keys and values says. */
static float element_of_key(const widened *self, const source *from, int64_t b, int64_t h, int64_t j, int64_t d) {
    const fovea_attention_args *args = &self->args;
    if (self->desc.form_kv == FOVEA_FORM_PACKED) {
        return element_of(from, 0, h, index_at(self, args->cu_seqlens_kv, b) + j, d);
    }
    if (self->desc.form_kv == FOVEA_FORM_PAGED) {
        const int64_t size = self->desc.page_size, *strides = args->block_table_strides;
        const int64_t page = index_at(self, args->block_table, b * strides[0] + j / size * strides[1]);
        return element_of(from, page, h, j % size, d);
    }
    return element_of(from, b, h, j, d);
}

/* A contiguous copy in f32, and its strides. Of keys: those that may be read, in the dense form. */
static float *widen(const widened *self, const source *from, int keys, int64_t *strides) {
    const int64_t *size = from->size;
    const int64_t count = size[0] * size[1] * size[2] * size[3];
    float *copy = calloc(count > 0 ? (size_t)count : 1, sizeof *copy);
    ck_assert_ptr_nonnull(copy);
    for (int64_t b = 0; b < size[0]; b++) {
        const int64_t readable = keys ? keys_of(self, b) : size[2];
        for (int64_t row = 0; row < size[1] * size[2]; row++) {
            const int64_t h = row / size[2], i = row % size[2];
            for (int64_t d = 0; i < readable && d < size[3]; d++) {
                copy[(b * size[1] * size[2] + row) * size[3] + d] =
                    keys ? element_of_key(self, from, b, h, i, d) : element_of(from, b, h, i, d);
            }
        }
    }
    strides[3] = 1;
    for (int axis = 2; axis >= 0; axis--) {
        strides[axis] = strides[axis + 1] * size[axis + 1];
    }
    return copy;
}

/* The lengths that packed sequences have by themselves. */
static void *lengths_of(const widened *self) {
    void *lengths = calloc((size_t)self->desc.batch + 1, sizeof(int64_t));
    ck_assert_ptr_nonnull(lengths);
    for (int64_t b = 0; b < self->desc.batch; b++) {
        if (self->desc.type_index == FOVEA_INDEX_INT64) {
            ((int64_t *)lengths)[b] = keys_of(self, b);
        } else {
            ((int32_t *)lengths)[b] = (int32_t)keys_of(self, b);
        }
    }
    return lengths;
}

static void widen_keys(widened *self) {
    const fovea_attention_desc *desc = &self->desc;
    const fovea_attention_args args = self->args;
    const int64_t batch = desc->batch, heads = desc->heads_kv, len = args.len_kv;
    const source k = {desc->type_kv,  args.k,        {batch, heads, len, desc->head_dim},
                      args.k_strides, args.k_scales, args.k_scale_strides};
    const source v = {desc->type_kv,  args.v,        {batch, heads, len, desc->head_dim_v},
                      args.v_strides, args.v_scales, args.v_scale_strides};
    self->k = widen(self, &k, 1, self->args.k_strides);
    self->v = widen(self, &v, 1, self->args.v_strides);
    if (desc->form_kv != FOVEA_FORM_DENSE) {
        self->lengths = lengths_of(self);
        self->args.key_lengths = self->lengths;
        self->desc.inputs |= FOVEA_INPUT_KEY_LENGTHS;
        self->desc.form_kv = FOVEA_FORM_DENSE;
    }
    self->args.k = self->k;
    self->args.v = self->v;
    self->desc.type_kv = FOVEA_F32;
}

widened widened_create(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    widened self = {.desc = *desc, .args = *args};
    const int64_t batch = desc->batch;
    if (desc->type_q != FOVEA_F32) {
        const int64_t outer = desc->form_q == FOVEA_FORM_PACKED ? 1 : batch;
        const source q = {desc->type_q,    args->q, {outer, desc->heads_q, args->len_q, desc->head_dim},
                          args->q_strides, NULL,    NULL};
        self.args.q = self.q = widen(&self, &q, 0, self.args.q_strides);
        self.desc.type_q = FOVEA_F32;
    }
    if (desc->type_kv != FOVEA_F32 || desc->form_kv != FOVEA_FORM_DENSE) {
        widen_keys(&self);
    }
    if ((desc->inputs & FOVEA_INPUT_BIAS) && desc->type_bias != FOVEA_F32) {
        const source bias = {desc->type_bias,    args->bias, {batch, desc->heads_q, args->len_q, args->len_kv},
                             args->bias_strides, NULL,       NULL};
        self.args.bias = self.bias = widen(&self, &bias, 0, self.args.bias_strides);
        self.desc.type_bias = FOVEA_F32;
    }
    return self;
}

void widened_destroy(widened *self) {
    free(self->q);
    free(self->k);
    free(self->v);
    free(self->bias);
    free(self->lengths);
}
