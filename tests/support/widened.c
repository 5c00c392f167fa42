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

/* Rows of entry b that may be read. */
static int64_t readable(const widened *self, const source *from, int64_t b, int keys) {
    if (keys && (self->desc.inputs & FOVEA_INPUT_KEY_LENGTHS)) {
        return oracle_index(self->args.key_lengths, self->desc.type_index, b);
    }
    return from->size[2];
}

/* A contiguous copy in f32, and its strides. */
static float *widen(const widened *self, const source *from, int keys, int64_t *strides) {
    const int64_t *size = from->size;
    const int64_t count = size[0] * size[1] * size[2] * size[3];
    float *copy = calloc(count > 0 ? (size_t)count : 1, sizeof *copy);
    ck_assert_ptr_nonnull(copy);
    for (int64_t b = 0; b < size[0]; b++) {
        for (int64_t row = 0; row < size[1] * size[2]; row++) {
            const int64_t h = row / size[2], i = row % size[2];
            for (int64_t d = 0; i < readable(self, from, b, keys) && d < size[3]; d++) {
                copy[(b * size[1] * size[2] + row) * size[3] + d] = element_of(from, b, h, i, d);
            }
        }
    }
    strides[3] = 1;
    for (int axis = 2; axis >= 0; axis--) {
        strides[axis] = strides[axis + 1] * size[axis + 1];
    }
    return copy;
}

widened widened_create(const fovea_attention_desc *desc, const fovea_attention_args *args) {
    widened self = {.desc = *desc, .args = *args};
    const int64_t batch = desc->batch, heads_kv = desc->heads_kv;
    if (desc->type_q != FOVEA_F32) {
        const source q = {desc->type_q,    args->q, {batch, desc->heads_q, args->len_q, desc->head_dim},
                          args->q_strides, NULL,    NULL};
        self.args.q = self.q = widen(&self, &q, 0, self.args.q_strides);
        self.desc.type_q = FOVEA_F32;
    }
    if (desc->type_kv != FOVEA_F32) {
        const source k = {desc->type_kv,   args->k,        {batch, heads_kv, args->len_kv, desc->head_dim},
                          args->k_strides, args->k_scales, args->k_scale_strides};
        const source v = {desc->type_kv,   args->v,        {batch, heads_kv, args->len_kv, desc->head_dim_v},
                          args->v_strides, args->v_scales, args->v_scale_strides};
        self.args.k = self.k = widen(&self, &k, 1, self.args.k_strides);
        self.args.v = self.v = widen(&self, &v, 1, self.args.v_strides);
        self.desc.type_kv = FOVEA_F32;
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
}
