#include "src/validate.h"

#include <inttypes.h>

#include "src/status.h"
#include "src/validate_internal.h"

static fovea_status check_choices(const fovea_rope_args *args) {
    if ((uint32_t)args->type > FOVEA_BF16)
        return fv_fail(FOVEA_INVALID, "type (%" PRId32 ") is neither f32 nor f16 nor bf16", (int32_t)args->type);
    if ((uint32_t)args->type_index > FOVEA_INDEX_INT64)
        return fv_fail(FOVEA_INVALID, "type_index (%" PRId32 ") is no value of its enum", (int32_t)args->type_index);
    if ((uint32_t)args->form > FOVEA_FORM_PACKED)
        return fv_fail(FOVEA_INVALID, "form (%" PRId32 ") is neither dense nor packed", (int32_t)args->form);
    if (args->form == FOVEA_FORM_PACKED && args->lengths != NULL)
        return fv_fail(FOVEA_INVALID, "lengths is given, but form does not announce it");
    if (args->form == FOVEA_FORM_DENSE && args->cu_seqlens != NULL)
        return fv_fail(FOVEA_INVALID, "cu_seqlens is given, but form does not announce it");
    return FOVEA_OK;
}

static fovea_status check_sizes(const fovea_rope_args *args) {
    const struct {
        const char *name;
        int64_t value;
    } sizes[] = {
        {"batch", args->batch}, {"heads_q", args->heads_q},   {"heads_kv", args->heads_kv},
        {"len", args->len},     {"head_dim", args->head_dim}, {"threads", args->threads},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].value < 0)
            return fv_fail(FOVEA_INVALID, "%s (%" PRId64 ") is negative", sizes[i].name, sizes[i].value);
    const int64_t outer = args->form == FOVEA_FORM_PACKED ? 1 : args->batch;
    const int64_t queries[] = {outer, args->heads_q, args->len, args->head_dim};
    const int64_t keys[] = {outer, args->heads_kv, args->len, args->head_dim};
    const int64_t offsets[] = {args->batch, 2};
    fovea_status status = fv_check_bytes("q", "batch * heads_q * len * head_dim", sizeof(float), 4, queries);
    if (status == FOVEA_OK)
        status = fv_check_bytes("k", "batch * heads_kv * len * head_dim", sizeof(float), 4, keys);
    return status == FOVEA_OK ? fv_check_bytes("batch", "batch", sizeof(int64_t), 2, offsets) : status;
}

/* True if a result takes the place of its input, index by index. */
static int32_t is_in_place(const fv_operand *from, const fv_operand *to) {
    if (from->data != to->data)
        return 0;
    for (int32_t axis = 0; axis < from->axes; axis++)
        if (from->sizes[axis] > 1 && from->strides[axis] != to->strides[axis])
            return 0;
    return 1;
}

static void gather_tensor(fv_footprint *f, const fv_operand *from, const fv_operand *to) {
    fv_writes(f, to);
    if (!is_in_place(from, to))
        fv_reads(f, from);
}

static void gather(const fovea_rope_args *args, const fv_tokens *tokens, fv_footprint *f) {
    static const int64_t one_stride[] = {1};
    const int64_t outer = args->form == FOVEA_FORM_DENSE ? args->batch : 1;
    const int64_t bytes = fv_type_bytes(args->type), index_bytes = fv_index_bytes(args->type_index);
    const int64_t len = args->len, dim = args->head_dim;
    const fv_operand q = {"q", args->q, bytes, 4, 1, {outer, args->heads_q, len, dim}, args->q_strides};
    const fv_operand k = {"k", args->k, bytes, 4, 1, {outer, args->heads_kv, len, dim}, args->k_strides};
    const fv_operand q_out = {"q_out", args->q_out, bytes, 4, 1, {outer, args->heads_q, len, dim}, args->q_out_strides};
    const fv_operand k_out = {
        "k_out", args->k_out, bytes, 4, 1, {outer, args->heads_kv, len, dim}, args->k_out_strides};
    gather_tensor(f, &q, &q_out);
    gather_tensor(f, &k, &k_out);
    if (args->lengths != NULL)
        fv_reads(f, &(fv_operand){"lengths", args->lengths, index_bytes, 1, 1, {args->batch}, one_stride});
    if (args->form == FOVEA_FORM_PACKED)
        fv_reads(f, &(fv_operand){"cu_seqlens", args->cu_seqlens, index_bytes, 1, 1, {args->batch + 1}, one_stride});
    if (args->first_positions != NULL)
        fv_reads(f,
                 &(fv_operand){"first_positions", args->first_positions, index_bytes, 1, 1, {args->batch}, one_stride});
    fv_rotation_reads(f, args->rotation, tokens, dim);
}

fovea_status fv_validate_rope(const fovea_rope_args *args) {
    fovea_status status = fv_check_struct("args", args, sizeof *args);
    if (status == FOVEA_OK)
        status = check_choices(args);
    if (status == FOVEA_OK)
        status = check_sizes(args);
    if (status == FOVEA_OK)
        status = fv_check_rotation(args->rotation, args->head_dim);
    if (status == FOVEA_OK && args->rotation->positions != NULL && args->first_positions != NULL)
        return fv_fail(FOVEA_INVALID, "first_positions is given beside rotation.positions");
    if (status != FOVEA_OK || args->batch == 0 || args->len == 0)
        return status;

    const fv_tokens tokens = fv_rope_tokens(args);
    fv_footprint footprint;
    footprint.status = FOVEA_OK;
    footprint.reads = 0;
    footprint.writes = 0;
    gather(args, &tokens, &footprint);
    status = fv_check_disjoint(&footprint);
    if (status == FOVEA_OK)
        status = fv_check_tokens("cu_seqlens", "lengths", &tokens);
    return status == FOVEA_OK ? fv_check_angles(args->rotation, &tokens, args->first_positions, args->head_dim)
                              : status;
}
