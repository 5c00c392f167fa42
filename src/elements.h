/* Elements of the caller's tensors: of their stored type in memory, f32 in the computation. */
#ifndef FOVEA_SRC_ELEMENTS_H
#define FOVEA_SRC_ELEMENTS_H

#include <stdint.h>

#include "arch/kernel.h"
#include "fovea/types.h"

/* Bytes of an element. */
static inline int64_t fv_type_bytes(fovea_type type) {
    return type == FOVEA_F32 ? 4 : type == FOVEA_INT8 ? 1 : 2;
}

/* The element `index` elements behind the one at `base`, to read and to write. */
static inline const void *fv_element(const void *base, fovea_type type, int64_t index) {
    return (const char *)base + index * fv_type_bytes(type);
}

static inline void *fv_element_out(void *base, fovea_type type, int64_t index) {
    return (char *)base + index * fv_type_bytes(type);
}

/* `count` elements as f32, those of int8 multiplied by `scale`. */
void fv_widen(const fv_convert_kernels *kernels, fovea_type type, const void *from, float scale, int64_t count,
              float *to);

/* `count` elements of a type that is not int8 as bf16, rounded to nearest. */
void fv_to_bf16(const fv_convert_kernels *kernels, fovea_type type, const void *from, int64_t count, uint16_t *to);

/* `count` f32 numbers as elements of a type that is not int8, rounded to nearest. */
void fv_narrow(const fv_convert_kernels *kernels, fovea_type type, const float *from, int64_t count, void *to);

#endif
