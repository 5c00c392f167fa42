#include "fill.h"

#include <string.h>

/* A uniform distribution over +-sqrt(3) has variance 1. */
static const float width = 1.7320508f;

const float bench_int8_scale = 1.7320508f / 127.0f;

size_t bench_type_size(fovea_type type) {
    switch (type) {
    case FOVEA_F32:
        return 4;
    case FOVEA_F16:
    case FOVEA_BF16:
        return 2;
    case FOVEA_INT8:
        return 1;
    }
    return 0;
}

static uint32_t next(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static float uniform(uint32_t *state) {
    return ((float)next(state) * (1.0f / 8388608.0f) - 1.0f) * width;
}

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Cuts the mantissa and moves the exponent's bias; data needs neither rounding nor subnormal numbers. */
static uint16_t half_of(float x) {
    const uint32_t bits = bits_of(x);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const int32_t exponent = (int32_t)(bits >> 23 & 0xffu) - 127 + 15;
    if (exponent <= 0)
        return (uint16_t)sign;
    return (uint16_t)(sign | (uint32_t)exponent << 10 | (bits >> 13 & 0x3ffu));
}

void bench_fill(void *to, fovea_type type, size_t count, uint32_t seed) {
    uint32_t state = seed;
    for (size_t i = 0; i < count; i++) {
        switch (type) {
        case FOVEA_F32:
            ((float *)to)[i] = uniform(&state);
            break;
        case FOVEA_F16:
            ((uint16_t *)to)[i] = half_of(uniform(&state));
            break;
        case FOVEA_BF16:
            ((uint16_t *)to)[i] = (uint16_t)(bits_of(uniform(&state)) >> 16);
            break;
        case FOVEA_INT8:
            ((int8_t *)to)[i] = (int8_t)((int32_t)(next(&state) % 255u) - 127);
            break;
        }
    }
}

void bench_fill_mask(uint8_t *to, size_t count, uint32_t seed) {
    uint32_t state = seed;
    for (size_t i = 0; i < count; i++)
        to[i] = next(&state) % 8u != 0;
}

void bench_fill_order(int32_t *to, int32_t count, uint32_t seed) {
    uint32_t state = seed;
    for (int32_t i = 0; i < count; i++) {
        const int32_t at = (int32_t)(next(&state) % (uint32_t)(i + 1));
        to[i] = to[at];
        to[at] = i;
    }
}
