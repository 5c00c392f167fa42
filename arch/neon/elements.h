/* Loads and stores of the vector vocabulary for elements of every stored type: V_LANES of them, or the last few of a
 * row. Conversions between f16 and f32 belong to ARMv8.0. Include vec.h first. */
#ifndef FOVEA_ARCH_NEON_ELEMENTS_H
#define FOVEA_ARCH_NEON_ELEMENTS_H

#include "arch/common/f32.h"
#include "arch/common/padded.h"

static inline vf v_load_f16(const uint16_t *p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

static inline void v_store_f16(uint16_t *p, vf x) {
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x)));
}

static inline vf v_load_bf16(const uint16_t *p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}

/* Rounding adds just under half of the last place that remains, and one more if that place is odd. */
static inline void v_store_bf16(uint16_t *p, vf x) {
    uint32x4_t bits = vreinterpretq_u32_f32(x);
    uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), odd);
    uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    vst1_u16(p, vshrn_n_u32(vbslq_u32(vceqq_f32(x, x), rounded, quiet), 16));
}

static inline vf v_load_int8(const int8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    int16x8_t words = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(words)));
}

/* Rounds to nearest, ties to even; beyond the type's ends its ends. */
static inline void v_store_int8(int8_t *p, vf x) {
    int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(x));
    int32_t four = vget_lane_s32(vreinterpret_s32_s8(vqmovn_s16(vcombine_s16(words, words))), 0);
    memcpy(p, &four, sizeof four);
}

FV_PADDED(f32, float)
FV_PADDED(f16, uint16_t)
FV_PADDED(bf16, uint16_t)
FV_PADDED(int8, int8_t)

/* Lanes whose byte is not 0. */
static inline vmask v_true_bytes(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    uint32x4_t wide = vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)))));
    return vtstq_u32(wide, wide);
}

FV_PADDED_TRUE_BYTES

static inline vf v_absolute(vf x) {
    return vabsq_f32(x);
}

static inline vf v_divide(vf a, vf b) {
    return vdivq_f32(a, b);
}

#endif
