#include "src/validate.h"

#include <inttypes.h>

#include "src/status.h"
#include "src/validate_internal.h"

/* What the shared keys have no place in. */
static fovea_status check_supported(const fovea_attention_desc *desc) {
    if (desc->has_window_left || desc->has_window_right)
        return fv_fail(FOVEA_UNSUPPORTED, "has_window_left, has_window_right: there are no windows over a prefix");
    if (desc->inputs & FOVEA_INPUT_ALIBI)
        return fv_fail(FOVEA_UNSUPPORTED, "inputs: there is no ALiBi over a prefix");
    if (desc->weights != FOVEA_WEIGHTS_NONE)
        return fv_fail(FOVEA_UNSUPPORTED, "weights: there are no attention weights over a prefix");
    return FOVEA_OK;
}

static fovea_status check_sizes(const fovea_attention_desc *desc, const fovea_prefix_args *prefix) {
    if (prefix->len < 0)
        return fv_fail(FOVEA_INVALID, "prefix.len (%" PRId64 ") is negative", prefix->len);
    const int32_t has_scales = desc->type_kv == FOVEA_INT8;
    if (!has_scales && (prefix->k_scales != NULL || prefix->v_scales != NULL))
        return fv_fail(FOVEA_INVALID, "prefix.k_scales or prefix.v_scales is given, but desc.type_kv is not int8");
    fovea_status status = fv_check_bytes("prefix.k", "heads_kv * len * head_dim", 4, 3,
                                         (const int64_t[]){desc->heads_kv, prefix->len, desc->head_dim});
    if (status == FOVEA_OK)
        status = fv_check_bytes("prefix.v", "heads_kv * len * head_dim_v", 4, 3,
                                (const int64_t[]){desc->heads_kv, prefix->len, desc->head_dim_v});
    return status;
}

/* The prefix must not share memory with what is written; everything else was checked. */
static fovea_status check_memory(const fovea_attention_desc *desc, const fovea_attention_args *args,
                                 const fovea_prefix_args *prefix) {
    const int64_t outer = desc->form_q == FOVEA_FORM_PACKED ? 1 : desc->batch;
    const int64_t heads = desc->heads_kv, len = prefix->len, bytes = fv_type_bytes(desc->type_kv);
    const fv_operand out = {"out",
                            args->out,
                            fv_type_bytes(desc->type_out),
                            4,
                            1,
                            {outer, desc->heads_q, args->len_q, desc->head_dim_v},
                            args->out_strides};
    const fv_operand k = {"prefix.k", prefix->k, bytes, 3, 1, {heads, len, desc->head_dim}, prefix->k_strides};
    const fv_operand v = {"prefix.v", prefix->v, bytes, 3, 1, {heads, len, desc->head_dim_v}, prefix->v_strides};
    fv_footprint footprint;
    footprint.status = FOVEA_OK;
    footprint.reads = 0;
    footprint.writes = 0;
    fv_writes(&footprint, &out);
    if (desc->outputs & FOVEA_OUTPUT_LSE)
        fv_writes(&footprint,
                  &(fv_operand){"lse", args->lse, 4, 3, 0, {outer, desc->heads_q, args->len_q}, args->lse_strides});
    fv_reads(&footprint, &k);
    fv_reads(&footprint, &v);
    if (desc->type_kv == FOVEA_INT8) {
        fv_reads(&footprint,
                 &(fv_operand){"prefix.k_scales", prefix->k_scales, 4, 2, 0, {heads, len}, prefix->k_scale_strides});
        fv_reads(&footprint,
                 &(fv_operand){"prefix.v_scales", prefix->v_scales, 4, 2, 0, {heads, len}, prefix->v_scale_strides});
    }
    return fv_check_disjoint(&footprint);
}

fovea_status fv_validate_prefix(const fovea_attention_desc *desc, const fovea_attention_args *args,
                                const fovea_prefix_args *prefix) {
    fovea_status status = fv_check_struct("prefix", prefix, sizeof *prefix);
    if (status == FOVEA_OK)
        status = check_sizes(desc, prefix);
    if (status == FOVEA_OK && args->workspace != NULL)
        status = fv_fail(FOVEA_INVALID, "workspace is given, but memory is taken from the allocator");
    if (status == FOVEA_OK)
        status = check_supported(desc);
    if (status != FOVEA_OK || desc->batch == 0 || desc->heads_q == 0 || args->len_q == 0)
        return status;
    return check_memory(desc, args, prefix);
}
