/* The conversion family over a backend's vector vocabulary. Include vec.h and elements.h first. Each function is a
 * member of fv_convert_kernels (arch/kernel.h says what it does). */
#ifndef FOVEA_ARCH_COMMON_CONVERT_STEPS_H
#define FOVEA_ARCH_COMMON_CONVERT_STEPS_H

#include <string.h>

#include "arch/kernel.h"

/* A function that takes a row from one type to another. */
#define FV_CONVERSION(function, from_name, from_type, to_name, to_type)                                  \
    static void function(const from_type *from, int64_t count, to_type *to) {                            \
        int64_t i = 0;                                                                                   \
        for (; i + V_LANES <= count; i += V_LANES)                                                       \
            v_store_##to_name(to + i, v_load_##from_name(from + i));                                     \
        if (i < count)                                                                                   \
            v_store_##to_name##_part(to + i, count - i, v_load_##from_name##_part(from + i, count - i)); \
    }

FV_CONVERSION(widen_f16, f16, uint16_t, f32, float)
FV_CONVERSION(widen_bf16, bf16, uint16_t, f32, float)
FV_CONVERSION(narrow_f16, f32, float, f16, uint16_t)
FV_CONVERSION(narrow_bf16, f32, float, bf16, uint16_t)

static void widen_int8(const int8_t *from, int64_t count, float scale, float *to) {
    vf factor = v_set(scale);
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        v_store(to + i, v_mul(v_load_int8(from + i), factor));
    if (i < count)
        v_store_f32_part(to + i, count - i, v_mul(v_load_int8_part(from + i, count - i), factor));
}

/* The largest magnitude of a row so far, and a 0 that NaN and infinities spoil. */
typedef struct seen {
    vf largest;
    vf zero;
} seen;

static inline void see(seen *m, vf x) {
    m->largest = v_max(v_absolute(x), m->largest);
    m->zero = v_fma(x, v_set(0.0f), m->zero);
}

static float magnitude_of(const float *from, int64_t count) {
    seen m = {v_set(0.0f), v_set(0.0f)};
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        see(&m, v_load_f32(from + i));
    if (i < count)
        see(&m, v_load_f32_part(from + i, count - i));
    float largest[V_LANES], zero[V_LANES];
    v_store(largest, m.largest);
    v_store(zero, m.zero);
    for (int32_t lane = 1; lane < V_LANES; lane++) {
        largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
        zero[0] += zero[lane];
    }
    return zero[0] == 0.0f ? largest[0] : zero[0];
}

/* Where the scale is subnormal, and so rounded coarsely, quotients may leave the range. */
static inline vf quantised(vf x, vf scale) {
    return v_max(v_divide(x, scale), v_set(-127.0f));
}

static void narrow_int8(const float *from, int64_t count, float scale, int8_t *to) {
    if (!(scale > 0.0f)) {
        memset(to, 0, (size_t)count);
        return;
    }
    vf divisor = v_set(scale);
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        v_store_int8(to + i, quantised(v_load_f32(from + i), divisor));
    if (i < count)
        v_store_int8_part(to + i, count - i, quantised(v_load_f32_part(from + i, count - i), divisor));
}

/* The initialisers of fv_convert_kernels. */
#define CONVERT_FAMILY                                                                                    \
    .widen_f16 = widen_f16, .widen_bf16 = widen_bf16, .widen_int8 = widen_int8, .narrow_f16 = narrow_f16, \
    .narrow_bf16 = narrow_bf16, .magnitude = magnitude_of, .narrow_int8 = narrow_int8

#endif
