/* Merging partial attention results.
 *
 * Attention of the same queries over disjoint sets of keys gives partial pairs (output, log-sum-exp). They combine to
 * the exact attention over the union:
 *
 *     lse    = log(sum_n exp(lse[n]))
 *     out    = sum_n exp(lse[n] - lse) * out[n]
 *
 * An empty part (log-sum-exp -inf) is neutral, whatever its output holds; all parts empty give output 0 and log-sum-exp
 * -inf. A sink belongs into exactly one part. Parts are added in the order given, so the result is reproducible.
 * Source: Flash-Decoding (Dao, Haziza, Massa and Sizov, 2023); cascade inference (FlashInfer, 2024). */
#ifndef FOVEA_MERGE_H
#define FOVEA_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "export.h"
#include "status.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_merge_args {
    /* sizeof(fovea_merge_args). */
    size_t struct_size;
    /* Number of parts, >= 1. */
    int64_t parts;
    /* Sizes, >= 0: outputs are (batch, heads, len, head_dim_v), log-sum-exps (batch, heads, len). */
    int64_t batch;
    int64_t heads;
    int64_t len;
    int64_t head_dim_v;

    /* (parts) pointers to the partial outputs, f32, all with the strides below (in elements; last axis contiguous). */
    const float *const *part_out;
    int64_t part_out_strides[4];
    /* (parts) pointers to their log-sum-exps, f32, natural logarithm. */
    const float *const *part_lse;
    int64_t part_lse_strides[3];

    /* The merged output, f32. Shares no element with any input. */
    float *out;
    int64_t out_strides[4];
    /* The merged log-sum-exp, f32, or NULL if not wanted. */
    float *lse;
    int64_t lse_strides[3];

    /* Threads at most: 0 for the executor's. */
    int32_t threads;
} fovea_merge_args;

/* Merges. args not NULL; executor NULL for OpenMP; both borrowed. FOVEA_INVALID. Allocates nothing. */
FOVEA_API fovea_status fovea_merge(const fovea_merge_args *args, const fovea_executor *executor);

#ifdef __cplusplus
}
#endif
#endif
