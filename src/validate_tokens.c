#include "src/validate_internal.h"

#include <inttypes.h>

#include "src/index.h"
#include "src/status.h"

fovea_status fv_check_offsets(const char *name, const void *offsets, fovea_index_type type, int64_t batch,
                              int64_t total) {
    int64_t previous = 0;
    for (int64_t b = 0; b <= batch; b++) {
        int64_t offset = fv_index_at(offsets, type, b);
        if (offset < previous)
            return fv_fail(FOVEA_INVALID, "%s[%" PRId64 "] (%" PRId64 ") is less than %" PRId64 ", the one before it",
                           name, b, offset, previous);
        if (offset > total)
            return fv_fail(FOVEA_INVALID, "%s[%" PRId64 "] (%" PRId64 ") is more than the %" PRId64 " tokens there are",
                           name, b, offset, total);
        previous = offset;
    }
    return FOVEA_OK;
}

fovea_status fv_check_tokens(const char *offsets, const char *lengths, const fv_tokens *tokens) {
    if (tokens->form == FOVEA_FORM_PACKED)
        return fv_check_offsets(offsets, tokens->cu_seqlens, tokens->type_index, tokens->batch, tokens->len);
    for (int64_t b = 0; b < tokens->batch; b++) {
        int64_t length = fv_token_count(tokens, b);
        if (length < 0 || length > tokens->len)
            return fv_fail(FOVEA_INVALID, "%s[%" PRId64 "] (%" PRId64 ") is not in 0 ... %" PRId64, lengths, b, length,
                           tokens->len);
    }
    return FOVEA_OK;
}
