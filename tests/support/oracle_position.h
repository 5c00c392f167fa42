/* A row of the oracle's problem: where it stands, and what it may see. */
#ifndef FOVEA_TESTS_ORACLE_POSITION_H
#define FOVEA_TESTS_ORACLE_POSITION_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"

/* One query row: batch entry b, query head h, row i, with the entry's own lengths and its diagonal. */
typedef struct row_position {
    const fovea_attention_desc *desc;
    const fovea_attention_args *args;
    int64_t b, h, i;
    /* Where the row lies in the tensor of queries. */
    int64_t outer, token;
    int64_t len_q, len_kv, first_key;
    int64_t diagonal;
    float scale;
    /* Per key of the sequence. */
    const bool *allowed;
} row_position;

/* The position of the row at (outer, h, token) of the tensor of queries; its len_q is 0 if it belongs to no sequence.
 */
static inline row_position place_row(const fovea_attention_desc *desc, const fovea_attention_args *args, int64_t outer,
                                     int64_t h, int64_t token) {
    row_position at = {.desc = desc, .args = args, .h = h, .outer = outer, .token = token};
    if (desc->form_q != FOVEA_FORM_PACKED) {
        at.b = outer;
        at.i = token;
        at.len_q = args->len_q;
        return at;
    }
    for (int64_t b = 0; b < desc->batch; b++) {
        const int64_t begin = oracle_index(args->cu_seqlens_q, desc->type_index, b);
        const int64_t end = oracle_index(args->cu_seqlens_q, desc->type_index, b + 1);
        if (begin <= token && token < end) {
            at.b = b;
            at.i = token - begin;
            at.len_q = end - begin;
        }
    }
    return at;
}

/* Fills in the rest of a row's position. */
static inline void place_keys(row_position *at) {
    const fovea_attention_desc *desc = at->desc;
    const fovea_attention_args *args = at->args;
    at->len_kv = args->len_kv;
    if (desc->inputs & FOVEA_INPUT_KEY_LENGTHS) {
        at->len_kv = oracle_index(args->key_lengths, desc->type_index, at->b);
    }
    if (desc->inputs & FOVEA_INPUT_FIRST_KEYS) {
        at->first_key = oracle_index(args->first_keys, desc->type_index, at->b);
    }
    switch (desc->diagonal) {
    case FOVEA_DIAGONAL_BOTTOM_RIGHT:
        at->diagonal = at->i + at->len_kv - at->len_q;
        break;
    case FOVEA_DIAGONAL_TOP_LEFT:
        at->diagonal = at->i;
        break;
    case FOVEA_DIAGONAL_OFFSETS:
        at->diagonal = at->i + oracle_index(args->query_offsets, desc->type_index, at->b);
        break;
    }
    at->scale = desc->has_scale ? desc->scale : (float)(1.0 / sqrt((double)desc->head_dim));
}

static inline int64_t offset_of(const int64_t strides[4], int64_t a, int64_t b, int64_t c, int64_t d) {
    return a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3];
}

static inline const float *q_row(const row_position *at) {
    return (const float *)at->args->q + offset_of(at->args->q_strides, at->outer, at->h, at->token, 0);
}

static inline int64_t head_kv(const row_position *at) {
    return at->h / (at->desc->heads_q / at->desc->heads_kv);
}

static inline const float *k_row(const row_position *at, int64_t j) {
    return (const float *)at->args->k + offset_of(at->args->k_strides, at->b, head_kv(at), j, 0);
}

static inline const float *v_row(const row_position *at, int64_t j) {
    return (const float *)at->args->v + offset_of(at->args->v_strides, at->b, head_kv(at), j, 0);
}

static inline float alibi_slope(const row_position *at) {
    return at->args->alibi_slopes[at->b * at->args->alibi_strides[0] + at->h * at->args->alibi_strides[1]];
}

/* -inf without one, which changes nothing. */
static inline float sink_of(const row_position *at) {
    return at->desc->inputs & FOVEA_INPUT_SINKS ? at->args->sinks[at->h] : -INFINITY;
}

static inline int64_t distance(const row_position *at, int64_t j) {
    return at->diagonal > j ? at->diagonal - j : j - at->diagonal;
}

static inline float bias_term(const row_position *at, int64_t j) {
    return ((const float *)at->args->bias)[offset_of(at->args->bias_strides, at->b, at->h, at->i, j)];
}

static inline bool is_allowed(const row_position *at, int64_t j) {
    const fovea_attention_desc *desc = at->desc;
    if (j < at->first_key || j >= at->len_kv) {
        return false;
    }
    if (desc->causal && j > at->diagonal) {
        return false;
    }
    if (desc->has_window_left && at->diagonal - j > desc->window_left) {
        return false;
    }
    if (desc->has_window_right && j - at->diagonal > desc->window_right) {
        return false;
    }
    if ((desc->inputs & FOVEA_INPUT_MASK) &&
        !at->args->mask[offset_of(at->args->mask_strides, at->b, at->h, at->i, j)]) {
        return false;
    }
    return !(desc->inputs & FOVEA_INPUT_BIAS) || bias_term(at, j) != -INFINITY;
}

#endif
