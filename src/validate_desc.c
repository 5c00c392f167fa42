#include "src/validate.h"

#include <inttypes.h>
#include <math.h>

#include "src/status.h"
#include "src/validate_internal.h"

enum {
    KNOWN_INPUTS = FOVEA_INPUT_MASK | FOVEA_INPUT_BIAS | FOVEA_INPUT_KEY_LENGTHS | FOVEA_INPUT_FIRST_KEYS |
                   FOVEA_INPUT_ALIBI | FOVEA_INPUT_SINKS,
    KNOWN_OUTPUTS = FOVEA_OUTPUT_LSE
};

/* Every other check relies on known values. */
static fovea_status check_choices(const fovea_attention_desc *desc) {
    /* Whatever type the compiler gives an enum, a negative value becomes a large one. */
    const struct {
        const char *name;
        uint32_t value;
        uint32_t largest;
    } choices[] = {
        {"type_q", (uint32_t)desc->type_q, FOVEA_INT8},
        {"type_kv", (uint32_t)desc->type_kv, FOVEA_INT8},
        {"type_out", (uint32_t)desc->type_out, FOVEA_INT8},
        {"type_bias", (uint32_t)desc->type_bias, FOVEA_INT8},
        {"type_index", (uint32_t)desc->type_index, FOVEA_INDEX_INT64},
        {"diagonal", (uint32_t)desc->diagonal, FOVEA_DIAGONAL_OFFSETS},
        {"form_q", (uint32_t)desc->form_q, FOVEA_FORM_PAGED},
        {"form_kv", (uint32_t)desc->form_kv, FOVEA_FORM_PAGED},
        {"weights", (uint32_t)desc->weights, FOVEA_WEIGHTS_MEAN_PROBABILITIES},
        {"exp", (uint32_t)desc->exp, FOVEA_EXP_FUSED},
        {"arithmetic", (uint32_t)desc->arithmetic, FOVEA_ARITHMETIC_BF16},
        {"isa_cap", (uint32_t)desc->isa_cap, FOVEA_ISA_AVX512VNNI},
    };
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (choices[i].value > choices[i].largest)
            return fv_fail(FOVEA_INVALID, "%s (%" PRId32 ") is no value of its enum", choices[i].name,
                           (int32_t)choices[i].value);
    if ((desc->inputs & ~(uint32_t)KNOWN_INPUTS) != 0)
        return fv_fail(FOVEA_INVALID, "inputs (0x%" PRIx32 ") has an unknown bit", desc->inputs);
    if ((desc->outputs & ~(uint32_t)KNOWN_OUTPUTS) != 0)
        return fv_fail(FOVEA_INVALID, "outputs (0x%" PRIx32 ") has an unknown bit", desc->outputs);
    return FOVEA_OK;
}

static fovea_status check_sizes(const fovea_attention_desc *desc) {
    const struct {
        const char *name;
        int64_t value;
        int64_t least;
    } sizes[] = {
        {"batch", desc->batch, 0},           {"heads_q", desc->heads_q, 0},     {"heads_kv", desc->heads_kv, 0},
        {"len_q", desc->len_q, 0},           {"len_kv", desc->len_kv, 0},       {"head_dim", desc->head_dim, 1},
        {"head_dim_v", desc->head_dim_v, 1}, {"page_size", desc->page_size, 0}, {"threads", desc->threads, 0},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].value < sizes[i].least)
            return fv_fail(FOVEA_INVALID, "%s (%" PRId64 ") is less than %" PRId64, sizes[i].name, sizes[i].value,
                           sizes[i].least);
    if (desc->heads_kv == 0 ? desc->heads_q != 0 : desc->heads_q % desc->heads_kv != 0)
        return fv_fail(FOVEA_INVALID, "heads_q (%" PRId64 ") is not a multiple of heads_kv (%" PRId64 ")",
                       desc->heads_q, desc->heads_kv);
    return FOVEA_OK;
}

static int32_t is_float(fovea_type type) {
    return type != FOVEA_INT8;
}

static int32_t mixes_16_bit_types(fovea_type a, fovea_type b) {
    return (a == FOVEA_F16 && b == FOVEA_BF16) || (a == FOVEA_BF16 && b == FOVEA_F16);
}

static fovea_status check_types(const fovea_attention_desc *desc) {
    if (!is_float(desc->type_q))
        return fv_fail(FOVEA_INVALID, "type_q is int8, which only keys and values may be");
    if (!is_float(desc->type_bias))
        return fv_fail(FOVEA_INVALID, "type_bias is int8, which only keys and values may be");
    if (desc->type_out != FOVEA_F32 && desc->type_out != desc->type_q)
        return fv_fail(FOVEA_INVALID, "type_out is neither f32 nor type_q");
    if (mixes_16_bit_types(desc->type_q, desc->type_kv))
        return fv_fail(FOVEA_INVALID, "type_kv and type_q mix f16 and bf16");
    if ((desc->inputs & FOVEA_INPUT_BIAS) &&
        (mixes_16_bit_types(desc->type_bias, desc->type_q) || mixes_16_bit_types(desc->type_bias, desc->type_kv)))
        return fv_fail(FOVEA_INVALID, "type_bias mixes f16 and bf16 with type_q or type_kv");
    return FOVEA_OK;
}

static fovea_status check_scores(const fovea_attention_desc *desc) {
    if (desc->has_scale && !isfinite(desc->scale))
        return fv_fail(FOVEA_INVALID, "scale (%g) is not finite", (double)desc->scale);
    if (!isfinite(desc->softcap) || desc->softcap < 0)
        return fv_fail(FOVEA_INVALID, "softcap (%g) is negative or not finite", (double)desc->softcap);
    if (desc->has_window_left && desc->window_left < 0)
        return fv_fail(FOVEA_INVALID, "window_left (%" PRId64 ") is negative", desc->window_left);
    if (desc->has_window_right && desc->window_right < 0)
        return fv_fail(FOVEA_INVALID, "window_right (%" PRId64 ") is negative", desc->window_right);
    return FOVEA_OK;
}

static fovea_status check_forms(const fovea_attention_desc *desc) {
    if (desc->form_q == FOVEA_FORM_PAGED)
        return fv_fail(FOVEA_INVALID, "form_q is paged, which only keys and values may be");
    if (desc->form_kv != FOVEA_FORM_PAGED && desc->page_size != 0)
        return fv_fail(FOVEA_INVALID, "page_size (%" PRId64 ") is given, but form_kv is not paged", desc->page_size);
    if (desc->form_kv == FOVEA_FORM_PAGED && (desc->page_size == 0 || desc->len_kv % desc->page_size != 0))
        return fv_fail(FOVEA_INVALID, "len_kv (%" PRId64 ") is no multiple of page_size (%" PRId64 ")", desc->len_kv,
                       desc->page_size);
    return FOVEA_OK;
}

static fovea_status check_overflow(const fovea_attention_desc *desc) {
    /* The lengths of the packed form are sums over the batch. */
    const int64_t batch_q = desc->form_q == FOVEA_FORM_PACKED ? 1 : desc->batch;
    const int64_t batch_kv = desc->form_kv == FOVEA_FORM_PACKED ? 1 : desc->batch;
    const int64_t bias_bytes = desc->inputs & FOVEA_INPUT_BIAS ? fv_type_bytes(desc->type_bias) : 0;
    const int64_t weight_bytes = desc->weights != FOVEA_WEIGHTS_NONE ? 4 : 0;
    const int64_t mask_bytes = desc->inputs & FOVEA_INPUT_MASK ? 1 : 0;
    /* Rows have room for f32 whatever the type: log-sum-exps, scales and partial results are. */
    const struct {
        const char *name;
        const char *product;
        int64_t element;
        int64_t sizes[4];
    } tensors[] = {
        {"q", "batch * heads_q * len_q * head_dim", 4, {batch_q, desc->heads_q, desc->len_q, desc->head_dim}},
        {"out", "batch * heads_q * len_q * head_dim_v", 4, {batch_q, desc->heads_q, desc->len_q, desc->head_dim_v}},
        {"k", "batch * heads_kv * len_kv * head_dim", 4, {batch_kv, desc->heads_kv, desc->len_kv, desc->head_dim}},
        {"v", "batch * heads_kv * len_kv * head_dim_v", 4, {batch_kv, desc->heads_kv, desc->len_kv, desc->head_dim_v}},
        {"batch", "batch", 8, {desc->batch, 1, 1, 1}},
        {"mask", "batch * heads_q * len_q * len_kv", mask_bytes, {batch_q, desc->heads_q, desc->len_q, desc->len_kv}},
        {"bias", "batch * heads_q * len_q * len_kv", bias_bytes, {batch_q, desc->heads_q, desc->len_q, desc->len_kv}},
        {"weights",
         "batch * heads_q * len_q * len_kv",
         weight_bytes,
         {batch_q, desc->heads_q, desc->len_q, desc->len_kv}},
    };
    fovea_status status = FOVEA_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0] && status == FOVEA_OK; i++)
        if (tensors[i].element != 0)
            status = fv_check_bytes(tensors[i].name, tensors[i].product, tensors[i].element, 4, tensors[i].sizes);
    return status;
}

fovea_status fv_validate_desc(const fovea_attention_desc *desc, fovea_attention_desc *out) {
    fovea_status status = fv_check_struct("desc", desc, sizeof *desc);
    if (status != FOVEA_OK)
        return status;
    /* Invalid is judged before unsupported. */
    static fovea_status (*const checks[])(const fovea_attention_desc *) = {
        check_choices, check_sizes, check_types, check_scores, check_forms, check_overflow, fv_check_supported,
    };
    status = fv_check_allocator(desc->allocator);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && status == FOVEA_OK; i++)
        status = checks[i](desc);
    if (status != FOVEA_OK)
        return status;
    *out = *desc;
    out->struct_size = sizeof *out;
    if (!desc->has_scale) {
        out->scale = (float)(1.0 / sqrt((double)desc->head_dim));
        out->has_scale = 1;
    }
    return FOVEA_OK;
}
