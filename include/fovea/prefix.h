/* Attention of a batch whose sequences begin with the same keys: a system prompt, a document, the beams of a search.
 *
 * Every query attends to the shared keys and to its own sequence's, exactly as if the shared ones had been copied in
 * front of each sequence. They are read once for the queries of all sequences, though, instead of once for each
 * sequence, and the two partial results are merged by their log-sum-exps:
 *
 *     out = attention(q, [shared keys, own keys])          for every query of every sequence
 *
 * Method: Hydragen (Juravsky et al., 2024), cascade inference (FlashInfer, 2024). */
#ifndef FOVEA_PREFIX_H
#define FOVEA_PREFIX_H

#include "attention.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The shared keys and values, of desc.type_kv; borrowed. Strides are in elements, and as those of other inputs. */
typedef struct fovea_prefix_args {
    /* sizeof(fovea_prefix_args). */
    size_t struct_size;
    /* Shared keys, >= 0. */
    int64_t len;
    /* Keys (heads_kv, len, head_dim) and values (heads_kv, len, head_dim_v); the last axis is contiguous. NULL only if
     * there are none. */
    const void *k;
    int64_t k_strides[3];
    const void *v;
    int64_t v_strides[3];
    /* int8: scales (heads_kv, len), f32. Else NULL. */
    const float *k_scales;
    int64_t k_scale_strides[2];
    const float *v_scales;
    int64_t v_scale_strides[2];
} fovea_prefix_args;

/* Computes. Thread-safe for different outputs.
 *
 *   desc      Not NULL; borrowed. Describes attention to the sequences' own keys, of any form: causality, masks, bias,
 *             lengths and first keys speak of these alone. Scale, softcap and sinks hold for the whole. Every query
 *             sees all shared keys.
 *
 *   args      Not NULL; borrowed. As for fovea_execute, but without a workspace, which is FOVEA_INVALID: memory for two
 *             partial results in f32 is taken from desc.allocator and given back.
 *
 *   prefix    Not NULL; borrowed.
 *
 *   executor  NULL for OpenMP; borrowed.
 *
 * Returns FOVEA_INVALID, FOVEA_OUT_OF_MEMORY, and FOVEA_UNSUPPORTED also for windows and ALiBi, in which the shared
 * keys would have places, and for attention weights.
 *
 * Results are bitwise the same for any number of threads and any executor, and, where they are finite, for any batch
 * around a sequence. They agree with those of one call over copied keys to tolerance, not in their bits. */
FOVEA_API fovea_status fovea_attention_prefix(const fovea_attention_desc *desc, const fovea_attention_args *args,
                                              const fovea_prefix_args *prefix, const fovea_executor *executor);

#ifdef __cplusplus
}
#endif
#endif
