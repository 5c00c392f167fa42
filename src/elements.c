#include "src/elements.h"

#include <string.h>

void fv_widen(const fv_convert_kernels *kernels, fovea_type type, const void *from, float scale, int64_t count,
              float *to) {
    switch (type) {
    case FOVEA_F32:
        memcpy(to, from, (size_t)count * sizeof(float));
        break;
    case FOVEA_F16:
        kernels->widen_f16(from, count, to);
        break;
    case FOVEA_BF16:
        kernels->widen_bf16(from, count, to);
        break;
    case FOVEA_INT8:
        kernels->widen_int8(from, count, scale, to);
        break;
    }
}

void fv_narrow(const fv_convert_kernels *kernels, fovea_type type, const float *from, int64_t count, void *to) {
    switch (type) {
    case FOVEA_F32:
        memcpy(to, from, (size_t)count * sizeof(float));
        break;
    case FOVEA_F16:
        kernels->narrow_f16(from, count, to);
        break;
    case FOVEA_BF16:
        kernels->narrow_bf16(from, count, to);
        break;
    case FOVEA_INT8:
        break;
    }
}

void fv_to_bf16(const fv_convert_kernels *kernels, fovea_type type, const void *from, int64_t count, uint16_t *to) {
    enum { AT_ONCE = 256 };
    float wide[AT_ONCE];
    if (type == FOVEA_F32) {
        kernels->narrow_bf16(from, count, to);
        return;
    }
    if (type == FOVEA_BF16) {
        memcpy(to, from, (size_t)count * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < count; i += AT_ONCE) {
        const int64_t some = count - i < AT_ONCE ? count - i : AT_ONCE;
        fv_widen(kernels, type, fv_element(from, type, i), 1.0f, some, wide);
        kernels->narrow_bf16(wide, some, to + i);
    }
}
