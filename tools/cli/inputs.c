#include "inputs.h"

#include <inttypes.h>
#include <stdlib.h>

cli_status input_load(const char *path, unsigned accepted, npy_array *array) {
    npy_error error;
    npy_status status = npy_load(path, array, &error);
    if (status == NPY_OUT_OF_MEMORY)
        return cli_fail(CLI_FAILED, "%s: out of memory", path);
    if (status != NPY_OK)
        return cli_fail(CLI_BAD_INPUT, "%s: %s", path, error.text);
    if (accepted & 1u << array->header.type)
        return CLI_OK;
    npy_free(array);
    /* Files that may be one type are common; the lowest of several is the natural one. */
    return cli_fail(CLI_BAD_INPUT, "%s: holds %s where %s is needed", path, npy_type_name(array->header.type),
                    npy_type_name((npy_type)__builtin_ctz(accepted)));
}

cli_status input_load_indices(const char *path, int64_t count, npy_array *array) {
    cli_status status = input_load(path, 1u << NPY_I32 | 1u << NPY_I64, array);
    if (status != CLI_OK)
        return status;
    if (array->header.rank != 1 || array->header.count != count) {
        npy_free(array);
        return cli_fail(CLI_BAD_INPUT, "%s: needs one number for each of %" PRId64 " batch entries", path, count);
    }
    if (array->header.type == NPY_I64)
        return CLI_OK;
    const int32_t *narrow = array->data;
    int64_t *wide = malloc(count > 0 ? (size_t)count * sizeof *wide : 1);
    if (!wide) {
        npy_free(array);
        return cli_fail_memory();
    }
    for (int64_t i = 0; i < count; i++)
        wide[i] = narrow[i];
    free(array->data);
    array->data = wide;
    array->header.type = NPY_I64;
    return CLI_OK;
}
