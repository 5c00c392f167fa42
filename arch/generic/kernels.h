/* The two families of the portable backend, and the scalar exponentials they share. */
#ifndef FOVEA_ARCH_GENERIC_KERNELS_H
#define FOVEA_ARCH_GENERIC_KERNELS_H

#include <math.h>
#include <sleef.h>
#include <string.h>

#include "arch/common/exp2_poly.h"
#include "arch/kernel.h"

extern const fv_backend fv_backend_generic;
extern const fv_panel_kernels fv_generic_panel;
extern const fv_row_kernels fv_generic_row;
extern const fv_row_reads fv_generic_f32_reads;
extern const fv_row_reads fv_generic_f16_reads;
extern const fv_row_reads fv_generic_bf16_reads;
extern const fv_row_reads fv_generic_int8_reads;
extern const fv_convert_kernels fv_generic_convert;
extern const fv_rotary_kernels fv_generic_rotary;

#define FV_LOG_2 0.693147180559945309f

/* 2^x by the polynomial of exp2_poly.h: x = n + f with |f| <= 1/2, 2^n by exponent bits. */
static inline float fv_exp2_fused(float x) {
    float n = nearbyintf(x);
    float f = x - n;
    float p = FV_EXP2_C5;
    p = p * f + FV_EXP2_C4;
    p = p * f + FV_EXP2_C3;
    p = p * f + FV_EXP2_C2;
    p = p * f + FV_EXP2_C1;
    p = p * f + 1.0f;
    int32_t bits;
    memcpy(&bits, &p, sizeof bits);
    bits += (int32_t)n * (1 << 23);
    memcpy(&p, &bits, sizeof p);
    return p;
}

/* 2^x as the contract asks for it: exactly 0 below 2^least, NaN kept. */
static inline float fv_exp2(float x, float least, fv_exp exp) {
    if (x < least)
        return 0.0f;
    if (exp != FV_EXP_FUSED || !(x < 127.5f))
        return Sleef_exp2f1_u35purec(x);
    return fv_exp2_fused(x);
}

static inline float fv_probability(float s, float shift, float least, fv_exp exp, int32_t mark_forbidden) {
    if (mark_forbidden && s == -INFINITY)
        return -0.0f;
    return fv_exp2(s - shift, least, exp);
}

static inline float fv_alibi(float s, float slope, float diagonal, int32_t key) {
    return s - slope * fabsf(diagonal - (float)key);
}

static inline float fv_add_term(float s, float term) {
    return term == -INFINITY ? -INFINITY : s + term;
}

#endif
