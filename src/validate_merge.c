#include "src/validate.h"

#include <inttypes.h>

#include "src/status.h"
#include "src/validate_internal.h"

static fovea_status check_sizes(const fovea_merge_args *args) {
    const struct {
        const char *name;
        int64_t value;
        int64_t least;
    } sizes[] = {
        {"parts", args->parts, 1}, {"batch", args->batch, 0},           {"heads", args->heads, 0},
        {"len", args->len, 0},     {"head_dim_v", args->head_dim_v, 0}, {"threads", args->threads, 0},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].value < sizes[i].least)
            return fv_fail(FOVEA_INVALID, "%s (%" PRId64 ") is less than %" PRId64, sizes[i].name, sizes[i].value,
                           sizes[i].least);
    fovea_status status = fv_check_bytes("parts", "parts", sizeof(float *), 1, &args->parts);
    if (status != FOVEA_OK)
        return status;
    const int64_t out[] = {args->batch, args->heads, args->len, args->head_dim_v};
    return fv_check_bytes("out", "batch * heads * len * head_dim_v", sizeof(float), 4, out);
}

/* The tensors of a merge: outputs with a row of values, log-sum-exps without. */
static fv_operand rows_of_values(const fovea_merge_args *args, const char *name, const float *data,
                                 const int64_t *strides) {
    return (fv_operand){name,   data, sizeof(float), 4, 1, {args->batch, args->heads, args->len, args->head_dim_v},
                        strides};
}

static fv_operand rows(const fovea_merge_args *args, const char *name, const float *data, const int64_t *strides) {
    return (fv_operand){name, data, sizeof(float), 3, 0, {args->batch, args->heads, args->len}, strides};
}

fovea_status fv_validate_merge(const fovea_merge_args *args) {
    static const int64_t one_stride[] = {1};
    fovea_status status = fv_check_struct("args", args, sizeof *args);
    if (status == FOVEA_OK)
        status = check_sizes(args);
    if (status != FOVEA_OK || args->batch == 0 || args->heads == 0 || args->len == 0)
        return status;

    fv_footprint footprint;
    footprint.status = FOVEA_OK;
    footprint.reads = 0;
    footprint.writes = 0;
    const fv_operand out = rows_of_values(args, "out", args->out, args->out_strides);
    fv_writes(&footprint, &out);
    if (args->lse != NULL) {
        const fv_operand lse = rows(args, "lse", args->lse, args->lse_strides);
        fv_writes(&footprint, &lse);
    }
    /* The lists of pointers are read while the results are written. */
    const int64_t pointer = sizeof(float *);
    if (args->head_dim_v > 0)
        fv_reads(&footprint, &(fv_operand){"part_out", args->part_out, pointer, 1, 1, {args->parts}, one_stride});
    fv_reads(&footprint, &(fv_operand){"part_lse", args->part_lse, pointer, 1, 1, {args->parts}, one_stride});
    status = fv_check_disjoint(&footprint);

    for (int64_t part = 0; part < args->parts && status == FOVEA_OK; part++) {
        footprint.reads = 0;
        if (args->head_dim_v > 0) {
            const fv_operand part_out = rows_of_values(args, "part_out", args->part_out[part], args->part_out_strides);
            fv_reads(&footprint, &part_out);
        }
        const fv_operand part_lse = rows(args, "part_lse", args->part_lse[part], args->part_lse_strides);
        fv_reads(&footprint, &part_lse);
        if (fv_check_disjoint(&footprint) != FOVEA_OK)
            status = fv_fail(footprint.status, "part %" PRId64 ": %s", part, fovea_last_reason());
    }
    return status;
}
