/* Lengths, positions, offsets and page numbers, which are of one of two types. */
#ifndef FOVEA_SRC_INDEX_H
#define FOVEA_SRC_INDEX_H

#include <stdint.h>

#include "fovea/types.h"

static inline int64_t fv_index_at(const void *values, fovea_index_type type, int64_t i) {
    return type == FOVEA_INDEX_INT32 ? ((const int32_t *)values)[i] : ((const int64_t *)values)[i];
}

/* The address of element i. */
static inline const void *fv_index_address(const void *values, fovea_index_type type, int64_t i) {
    return (const char *)values + i * (int64_t)(type == FOVEA_INDEX_INT32 ? sizeof(int32_t) : sizeof(int64_t));
}

#endif
