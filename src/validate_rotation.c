#include "src/validate_internal.h"

#include <inttypes.h>
#include <math.h>

#include "src/index.h"
#include "src/rotation.h"
#include "src/status.h"

static fovea_status check_layout(const fovea_rotation *rotation, int64_t head_dim) {
    if ((uint32_t)rotation->layout > FOVEA_ROPE_INTERLEAVED)
        return fv_fail(FOVEA_INVALID, "rotation.layout (%" PRId32 ") is no value of its enum",
                       (int32_t)rotation->layout);
    if (rotation->rotary_dim < 0 || rotation->rotary_dim > head_dim)
        return fv_fail(FOVEA_INVALID, "rotation.rotary_dim (%" PRId64 ") is not in 0 ... head_dim (%" PRId64 ")",
                       rotation->rotary_dim, head_dim);
    if (fv_rotary_dim(rotation, head_dim) % 2 != 0)
        return fv_fail(FOVEA_INVALID, "%s (%" PRId64 ") is odd: elements are turned in pairs",
                       rotation->rotary_dim > 0 ? "rotation.rotary_dim" : "head_dim",
                       fv_rotary_dim(rotation, head_dim));
    return FOVEA_OK;
}

static fovea_status check_computed(const fovea_rotation *rotation) {
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"base", rotation->base},
        {"position_scale", rotation->position_scale},
        {"amplitude", rotation->amplitude},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!isfinite(numbers[i].value))
            return fv_fail(FOVEA_INVALID, "rotation.%s (%g) is not finite", numbers[i].name, numbers[i].value);
    if (rotation->base < 0)
        return fv_fail(FOVEA_INVALID, "rotation.base (%g) is negative", rotation->base);
    if (rotation->inverse_frequencies != NULL && rotation->base > 0)
        return fv_fail(FOVEA_INVALID, "rotation.base (%g) is given beside rotation.inverse_frequencies",
                       rotation->base);
    if (rotation->table_rows != 0)
        return fv_fail(FOVEA_INVALID, "rotation.table_rows (%" PRId64 ") is given without rotation.cosines",
                       rotation->table_rows);
    return FOVEA_OK;
}

static fovea_status check_tables(const fovea_rotation *rotation) {
    if (rotation->cosines == NULL || rotation->sines == NULL)
        return fv_fail(FOVEA_INVALID, "rotation.%s is NULL, but rotation.%s is not",
                       rotation->cosines == NULL ? "cosines" : "sines",
                       rotation->cosines == NULL ? "sines" : "cosines");
    if ((uint32_t)rotation->type_table > FOVEA_BF16)
        return fv_fail(FOVEA_INVALID, "rotation.type_table (%" PRId32 ") is neither f32 nor f16 nor bf16",
                       (int32_t)rotation->type_table);
    if (rotation->table_rows < 0)
        return fv_fail(FOVEA_INVALID, "rotation.table_rows (%" PRId64 ") is negative", rotation->table_rows);
    if (rotation->base != 0 || rotation->position_scale != 0 || rotation->amplitude != 0 ||
        rotation->inverse_frequencies != NULL)
        return fv_fail(FOVEA_INVALID, "rotation.cosines is given beside base, inverse_frequencies, position_scale or "
                                      "amplitude, which only computed angles have");
    return FOVEA_OK;
}

fovea_status fv_check_rotation(const fovea_rotation *rotation, int64_t head_dim) {
    fovea_status status = fv_check_struct("rotation", rotation, sizeof *rotation);
    if (status == FOVEA_OK)
        status = check_layout(rotation, head_dim);
    if (status == FOVEA_OK && (uint32_t)rotation->type_positions > FOVEA_INDEX_INT64)
        return fv_fail(FOVEA_INVALID, "rotation.type_positions (%" PRId32 ") is no value of its enum",
                       (int32_t)rotation->type_positions);
    if (status != FOVEA_OK)
        return status;
    return rotation->cosines == NULL && rotation->sines == NULL ? check_computed(rotation) : check_tables(rotation);
}

void fv_rotation_reads(fv_footprint *f, const fovea_rotation *rotation, const fv_tokens *tokens, int64_t head_dim) {
    static const int64_t one_stride[] = {1};
    const int64_t pairs = fv_rotary_dim(rotation, head_dim) / 2;
    const int64_t bytes = fv_type_bytes(rotation->type_table);
    const int64_t outer = tokens->form == FOVEA_FORM_DENSE ? tokens->batch : 1;
    const fv_operand cosines = {
        "rotation.cosines",     rotation->cosines, bytes, 3, 1, {tokens->batch, rotation->table_rows, pairs},
        rotation->table_strides};
    const fv_operand sines = {
        "rotation.sines",       rotation->sines, bytes, 3, 1, {tokens->batch, rotation->table_rows, pairs},
        rotation->table_strides};
    const fv_operand frequencies = {
        "rotation.inverse_frequencies", rotation->inverse_frequencies, sizeof(double), 1, 1, {pairs}, one_stride};
    const fv_operand positions = {
        "rotation.positions", rotation->positions,       fv_index_bytes(rotation->type_positions), 2, 0,
        {outer, tokens->len}, rotation->position_strides};
    if (rotation->cosines != NULL) {
        fv_reads(f, &cosines);
        fv_reads(f, &sines);
    }
    if (rotation->inverse_frequencies != NULL)
        fv_reads(f, &frequencies);
    if (rotation->positions != NULL)
        fv_reads(f, &positions);
}

static fovea_status check_frequencies(const fovea_rotation *rotation, int64_t pairs) {
    for (int64_t i = 0; i < pairs; i++)
        if (!isfinite(rotation->inverse_frequencies[i]))
            return fv_fail(FOVEA_INVALID, "rotation.inverse_frequencies[%" PRId64 "] (%g) is not finite", i,
                           rotation->inverse_frequencies[i]);
    return FOVEA_OK;
}

static fovea_status check_positions(const fovea_rotation *rotation, const fv_tokens *tokens) {
    fv_token token;
    for (int64_t i = 0; i < fv_token_places(tokens); i++) {
        if (!fv_token_at(tokens, i, &token))
            continue;
        const int64_t position = fv_token_position(rotation, tokens->form, &token, 0);
        if (position < 0 || position >= rotation->table_rows)
            return fv_fail(FOVEA_INVALID,
                           "rotation.positions: %" PRId64 " (entry %" PRId64 ", token %" PRId64
                           ") is not in 0 ... table_rows - 1 (%" PRId64 ")",
                           position, token.batch, token.index, rotation->table_rows - 1);
    }
    return FOVEA_OK;
}

static fovea_status check_own_positions(const fovea_rotation *rotation, const fv_tokens *tokens, const void *first,
                                        fovea_index_type type) {
    for (int64_t b = 0; b < tokens->batch; b++) {
        const int64_t begin = first ? fv_index_at(first, type, b) : 0, count = fv_token_count(tokens, b);
        if (count > 0 && (begin < 0 || begin > rotation->table_rows || count > rotation->table_rows - begin))
            return fv_fail(FOVEA_INVALID,
                           "first_positions[%" PRId64 "] (%" PRId64 ") and %" PRId64
                           " tokens exceed rotation.table_rows (%" PRId64 ")",
                           b, begin, count, rotation->table_rows);
    }
    return FOVEA_OK;
}

fovea_status fv_check_angles(const fovea_rotation *rotation, const fv_tokens *tokens, const void *first_positions,
                             int64_t head_dim) {
    if (rotation->inverse_frequencies != NULL)
        return check_frequencies(rotation, fv_rotary_dim(rotation, head_dim) / 2);
    if (rotation->cosines == NULL)
        return FOVEA_OK;
    return rotation->positions != NULL ? check_positions(rotation, tokens)
                                       : check_own_positions(rotation, tokens, first_positions, tokens->type_index);
}
