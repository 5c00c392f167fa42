#include "src/validate_internal.h"

#include <string.h>

#include "src/status.h"

/* No version of any struct comes near it: an uninitialised struct_size is caught before its tail is read. */
enum { LARGEST_STRUCT = 4096 };

/* In bytes. */
#define LARGEST_TENSOR (PTRDIFF_MAX < FV_MAX_SPAN ? PTRDIFF_MAX : FV_MAX_SPAN)

fovea_status fv_check_struct(const char *name, const void *object, size_t known) {
    if (object == NULL)
        return fv_fail(FOVEA_INVALID, "%s is NULL", name);
    size_t size;
    memcpy(&size, object, sizeof size);
    if (size == known)
        return FOVEA_OK;
    if (size < known || size > LARGEST_STRUCT)
        return fv_fail(FOVEA_INVALID, "%s.struct_size (%zu) is not the size of the struct, which is %zu", name, size,
                       known);
    const unsigned char *bytes = object;
    for (size_t i = known; i < size; i++)
        if (bytes[i] != 0)
            return fv_fail(FOVEA_INVALID,
                           "%s.struct_size (%zu): this version knows %zu bytes, and byte %zu is not zero", name, size,
                           known, i);
    return FOVEA_OK;
}

fovea_status fv_check_bytes(const char *name, const char *product, int64_t element, int32_t axes,
                            const int64_t *sizes) {
    int64_t bytes = element;
    for (int32_t axis = 0; axis < axes; axis++)
        if (__builtin_mul_overflow(bytes, sizes[axis] > 0 ? sizes[axis] : 1, &bytes) || bytes > LARGEST_TENSOR)
            return fv_fail(FOVEA_INVALID, "%s: %s overflows when counted in bytes", name, product);
    return FOVEA_OK;
}
