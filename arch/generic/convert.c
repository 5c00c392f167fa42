/* Conversion family in portable C, on the bits of the numbers. */
#include "arch/generic/kernels.h"

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x / 2^shift to nearest, ties to even; 0 < shift < 32. */
static uint32_t shift_and_round(uint32_t x, uint32_t shift) {
    uint32_t odd = x >> shift & 1;
    return (x + (UINT32_C(1) << (shift - 1)) - 1 + odd) >> shift;
}

/* Bit patterns of f32: infinity, 2^16 (beyond f16), 2^-14 (f16's smallest normal number), and the part of the exponent
 * that f16 has not. */
enum { INFINITE = 0x7f800000, BEYOND_F16 = 0x47800000, NORMAL_F16 = 0x38800000, EXPONENT_EXCESS = 0x38000000 };

static float widened_f16(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    if (magnitude < 0x0400) {
        float subnormal = (float)magnitude * 0x1p-24f;
        return float_of(sign | bits_of(subnormal));
    }
    if (magnitude > 0x7c00)
        return float_of(sign | INFINITE | 0x400000 | magnitude << 13);
    return float_of(sign | (magnitude == 0x7c00 ? INFINITE : (magnitude << 13) + EXPONENT_EXCESS));
}

static uint16_t narrowed_f16(float x) {
    uint32_t sign = bits_of(x) >> 16 & 0x8000, magnitude = bits_of(x) & 0x7fffffff;
    if (magnitude > INFINITE)
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    if (magnitude >= BEYOND_F16)
        return (uint16_t)(sign | 0x7c00);
    if (magnitude >= NORMAL_F16)
        return (uint16_t)(sign | shift_and_round(magnitude - EXPONENT_EXCESS, 13));
    /* Multiples of 2^-24; anything below half of it is 0. */
    uint32_t exponent = magnitude >> 23, significand = (magnitude & 0x7fffff) | 0x800000;
    return (uint16_t)(sign | (exponent < 102 ? 0 : shift_and_round(significand, 126 - exponent)));
}

static uint16_t narrowed_bf16(float x) {
    uint32_t bits = bits_of(x);
    if ((bits & 0x7fffffff) > INFINITE)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)shift_and_round(bits, 16);
}

static void widen_f16(const uint16_t *from, int64_t count, float *to) {
    for (int64_t i = 0; i < count; i++)
        to[i] = widened_f16(from[i]);
}

static void widen_bf16(const uint16_t *from, int64_t count, float *to) {
    for (int64_t i = 0; i < count; i++)
        to[i] = float_of((uint32_t)from[i] << 16);
}

static void widen_int8(const int8_t *from, int64_t count, float scale, float *to) {
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)from[i] * scale;
}

static void narrow_f16(const float *from, int64_t count, uint16_t *to) {
    for (int64_t i = 0; i < count; i++)
        to[i] = narrowed_f16(from[i]);
}

static void narrow_bf16(const float *from, int64_t count, uint16_t *to) {
    for (int64_t i = 0; i < count; i++)
        to[i] = narrowed_bf16(from[i]);
}

static float magnitude_of(const float *from, int64_t count) {
    float largest = 0.0f;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(from[i]))
            return NAN;
        largest = fmaxf(largest, fabsf(from[i]));
    }
    return largest;
}

/* Where the scale is subnormal, and so rounded coarsely, quotients may leave the range. */
static int8_t quantised(float x, float scale) {
    float whole = rintf(x / scale);
    return (int8_t)(whole > 127.0f ? 127.0f : whole < -127.0f ? -127.0f : whole);
}

static void narrow_int8(const float *from, int64_t count, float scale, int8_t *to) {
    for (int64_t i = 0; i < count; i++)
        to[i] = scale > 0.0f ? quantised(from[i], scale) : 0;
}

const fv_convert_kernels fv_generic_convert = {
    .widen_f16 = widen_f16,
    .widen_bf16 = widen_bf16,
    .widen_int8 = widen_int8,
    .narrow_f16 = narrow_f16,
    .narrow_bf16 = narrow_bf16,
    .magnitude = magnitude_of,
    .narrow_int8 = narrow_int8,
};
