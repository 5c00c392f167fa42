/* Rotary position embeddings (RoPE) of queries and keys.
 *
 * The first rotary_dim elements of a row stand in pairs; pair i of a token at position t is turned by an angle:
 *
 *     angle = t * position_scale * inverse_frequency[i]          inverse_frequency[i] = base^(-2 i / rotary_dim), or
 * given x'    = x cos(angle) - y sin(angle) y'    = y cos(angle) + x sin(angle)                        cosine and sine
 * times amplitude
 *
 * The elements behind them stay as they are. Source: Su, Lu, Pan, Murtadha, Wen and Liu, "RoFormer: Enhanced
 * Transformer with Rotary Position Embedding", 2021; the variants of models differ in pairs, frequencies and positions
 * only:
 *
 *   Llama, Qwen, GPT-NeoX     FOVEA_ROPE_HALF_SPLIT, base
 *   GPT-J, GLM, Cohere        FOVEA_ROPE_INTERLEAVED
 *   GPT-NeoX, Phi, partial    rotary_dim < head_dim
 *   linear scaling by f       position_scale = 1 / f
 *   dynamic NTK               base
 *   Llama 3, LongRoPE         inverse_frequencies
 *   YaRN                      inverse_frequencies, amplitude (the attention factor)
 *   M-RoPE (several axes)     cosines and sines of each token
 *   the inverse rotation      position_scale = -1
 *
 * Accuracy. Angles are computed in double precision: a cosine or sine that was computed here is off by at most 3.1e-8
 * times the amplitude at positions up to 1,000,000 (2.98e-8 is its rounding to f32), and further on by 1e-15 times the
 * angle more; by 7e-15 times the angle where frequencies are computed from a base, which is up to 1,000,000 then.
 * (Models whose reference code computes the angle in f32 are off by up to 0.06 there; tables reproduce that to the
 * bit.) Elements are turned in f32 and rounded once to their type.
 *
 * ONNX RotaryEmbedding (opset 23): X is q (heads_kv = 0; strides tell the four-dimensional form from the
 * three-dimensional one with num_heads), cos_cache and sin_cache are cosines and sines, interleaved is the layout,
 * rotary_embedding_dim is rotary_dim, 0 included. With position_ids (B, S): those are `positions`, and the tables'
 * first stride is 0. Without: the tables are (B, S, rotary_dim / 2), table_rows is S, and there are no positions, so
 * that token i takes row i. ONNX's types are one for X and tables; here they are independent. */
#ifndef FOVEA_ROPE_H
#define FOVEA_ROPE_H

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "export.h"
#include "isa.h"
#include "status.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which elements make a pair. */
typedef enum fovea_rope_layout {
    /* i and rotary_dim / 2 + i. */
    FOVEA_ROPE_HALF_SPLIT = 0,
    /* 2 i and 2 i + 1. */
    FOVEA_ROPE_INTERLEAVED = 1
} fovea_rope_layout;

/* By which angles rows are turned. */
typedef struct fovea_rotation {
    /* sizeof(fovea_rotation). */
    size_t struct_size;
    fovea_rope_layout layout;
    /* Elements that are turned: even, 0 ... head_dim. 0: all, and head_dim is even. */
    int64_t rotary_dim;

    /* Computed angles. The base, > 0 and finite; 0: 10000. */
    double base;
    /* (rotary_dim / 2) inverse frequencies, any finite numbers; f32 ones may be widened. NULL: from the base. If given,
     * base is 0. */
    const double *inverse_frequencies;
    /* Factors of positions and of cosines and sines, finite; 0: 1. */
    double position_scale;
    double amplitude;

    /* Angles from tables instead: cosines and sines (batch, table_rows, rotary_dim / 2), f32, f16 or bf16, of one set
     * of strides, in elements; the last is 1, others may be 0 or negative. A token takes the row of its position. The
     * fields above, from base on, are then 0. Both NULL: computed angles, and table_rows is 0. */
    const void *cosines;
    const void *sines;
    fovea_type type_table;
    int64_t table_rows;
    int64_t table_strides[3];

    /* Positions of tokens, laid out as the tokens are: dense form (batch, tokens), packed form (total), where the first
     * stride is not looked at; strides in elements, any. With tables 0 ... table_rows - 1, else any number. NULL: the
     * call's own positions. */
    const void *positions;
    int64_t position_strides[2];
    fovea_index_type type_positions;
} fovea_rotation;

typedef struct fovea_rope_args {
    /* sizeof(fovea_rope_args). */
    size_t struct_size;

    /* Sizes, in elements, each >= 0. Tensors of 0 heads are not there: their pointers are not looked at. */
    int64_t batch;
    int64_t heads_q;
    int64_t heads_kv;
    /* Tokens: of each entry at most (dense form), of all entries together (packed form). */
    int64_t len;
    int64_t head_dim;

    /* Type of q, k and the results: f32, f16 or bf16. */
    fovea_type type;
    /* Type of lengths, first_positions and cumulative offsets. */
    fovea_index_type type_index;
    /* Dense or packed. */
    fovea_form form;

    /* Queries (batch, heads_q, len, head_dim) and where their rotation goes; the same for keys with heads_kv. Strides
     * (batch, head, token, element) in elements, the last 1; negative ones are legal, and 0 in what is read only.
     * Packed form: (total, heads, head_dim), the first stride is not looked at. A result may be its own input (equal
     * pointers and strides); else it shares no element with anything. */
    const void *q;
    int64_t q_strides[4];
    void *q_out;
    int64_t q_out_strides[4];
    const void *k;
    int64_t k_strides[4];
    void *k_out;
    int64_t k_out_strides[4];

    /* Dense form: (batch) tokens of each entry, 0 ... len; those behind are neither read nor written. NULL: len for
     * all. Packed form: NULL. */
    const void *lengths;
    /* Packed form: (batch + 1) ascending offsets of the entries' first token, 0 ... len. Else NULL. */
    const void *cu_seqlens;
    /* (batch) the position of an entry's first token, the next ones follow; any number. NULL: 0. With
     * rotation.positions: NULL. */
    const void *first_positions;

    /* Not NULL; borrowed. */
    const fovea_rotation *rotation;

    /* The best backend that may be used; FOVEA_ISA_AUTO for no cap. */
    fovea_isa isa_cap;
    /* Threads at most: 0 for the executor's; 1 never enters OpenMP. */
    int32_t threads;
} fovea_rope_args;

/* Turns queries and keys. Thread-safe for different results.
 *   args      not NULL; borrowed.
 *   executor  NULL for OpenMP; borrowed.
 * FOVEA_INVALID, FOVEA_UNSUPPORTED (isa_cap names a backend that is not built in). Nothing is written unless the result
 * is FOVEA_OK. Allocates nothing. Results are bitwise the same for any number of threads, any executor and any batch
 * around a sequence, on one backend. Floating-point environment and fork: as fovea_execute. */
FOVEA_API fovea_status fovea_rope(const fovea_rope_args *args, const fovea_executor *executor);

#ifdef __cplusplus
}
#endif
#endif
