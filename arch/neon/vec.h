/* The vector vocabulary of arch/common on ARMv8.0-A Advanced SIMD: 4 lanes, 32 registers. */
#ifndef FOVEA_ARCH_NEON_VEC_H
#define FOVEA_ARCH_NEON_VEC_H

#if !defined(__aarch64__) || !defined(__ARM_NEON)
#error "arch/neon needs AArch64"
#endif

#include <arm_neon.h>
#include <math.h>
#include <sleef.h>
#include <stdint.h>

#define V_LANES 4

typedef float32x4_t vf;
/* All bits of a lane set or clear. */
typedef uint32x4_t vmask;

static inline vf v_load(const float *p) {
    return vld1q_f32(p);
}

/* A vector in memory that shares it with floats. */
typedef float v_memory __attribute__((vector_size(16), aligned(4), may_alias));

/* The same for an accumulator: its own load, for the load pipes idle where a copy would take a vector pipe's time. */
static inline __attribute__((always_inline)) vf v_load_own(const float *p) {
    vf x;
    __asm__ volatile("ldr %q0, %1" : "=w"(x) : "m"(*(const v_memory *)(const void *)p));
    return x;
}

static inline void v_store(float *p, vf x) {
    vst1q_f32(p, x);
}

static inline vf v_set(float x) {
    return vdupq_n_f32(x);
}

static inline vf v_broadcast(const float *p) {
    return vld1q_dup_f32(p);
}

/* 1, 2 or 4 consecutive elements of a row of keys or values, and one of them as a factor of v_accumulate. They are held
 * in a register, for FMLA takes one lane of a register as a factor for all. */
typedef float32x4_t velements;
typedef struct {
    velements row;
    int i;
} velement;

/* `count` is a literal at every use. */
static inline __attribute__((always_inline)) velements v_elements(const float *p, const int count) {
    switch (count) {
    case 1:
        return vcombine_f32((float32x2_t){*p}, vdup_n_f32(0.0f));
    case 2:
        return vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
    default:
        return vld1q_f32(p);
    }
}

static inline __attribute__((always_inline)) velement v_element(velements row, const int i) {
    return (velement){row, i};
}

static inline vf v_add(vf a, vf b) {
    return vaddq_f32(a, b);
}

static inline vf v_sub(vf a, vf b) {
    return vsubq_f32(a, b);
}

static inline vf v_mul(vf a, vf b) {
    return vmulq_f32(a, b);
}

/* The sum acc + x, in acc's own register and in this place: put off by the compiler, it would need another for x. */
static inline __attribute__((always_inline)) vf v_increased(vf acc, vf x) {
    __asm__("fadd %0.4s, %0.4s, %1.4s" : "+w"(acc) : "w"(x));
    return acc;
}

/* A constant as the addend of v_fma, which FMLA overwrites: loaded for each use, for the reason of v_load_own. The
 * statement names no memory, since compilers take one that does to read every array, and then store those that they
 * hold in registers. */
#define v_addend(C)                                                             \
    __extension__({                                                             \
        static const vf v_everywhere = {C, C, C, C};                            \
        vf v_fresh;                                                             \
        __asm__ volatile("ldr %q0, [%1]" : "=w"(v_fresh) : "r"(&v_everywhere)); \
        v_fresh;                                                                \
    })

/* a * b + c, rounded once. */
static inline vf v_fma(vf a, vf b, vf c) {
    return vfmaq_f32(c, a, b);
}

/* acc += a * b, rounded once. The form that takes a lane as a factor is spelt out, since some compilers copy the lane
 * to a register of its own instead. */
static inline __attribute__((always_inline)) void v_accumulate(vf *acc, velement a, vf b) {
#define LANE(I) __asm__("fmla %0.4s, %1.4s, %2.s[" #I "]" : "+w"(*acc) : "w"(b), "w"(a.row))
    switch (a.i) {
    case 0:
        LANE(0);
        break;
    case 1:
        LANE(1);
        break;
    case 2:
        LANE(2);
        break;
    default:
        LANE(3);
    }
#undef LANE
}

/* The larger one; b where a is NaN. b is a number. */
static inline vf v_max(vf a, vf b) {
    return vmaxnmq_f32(a, b);
}

/* The smaller one; b where a is NaN. */
static inline vf v_min(vf a, vf b) {
    return vminnmq_f32(a, b);
}

static inline vmask v_equal(vf a, vf b) {
    return vceqq_f32(a, b);
}

/* Not a < b: true for NaN. */
static inline vmask v_not_less(vf a, vf b) {
    return vmvnq_u32(vcltq_f32(a, b));
}

/* Whether any lane is less than a number. */
static inline int32_t v_any_less(vf x, float than) {
    return vmaxvq_u32(vcltq_f32(x, vdupq_n_f32(than))) != 0;
}

/* Lanes whose begin <= key < end. */
static inline vmask v_in_range(int32_t key, const int32_t *begin, const int32_t *end) {
    int32x4_t k = vdupq_n_s32(key);
    return vandq_u32(vcleq_s32(vld1q_s32(begin), k), vcgtq_s32(vld1q_s32(end), k));
}

static inline vf v_select(vmask which, vf yes, vf no) {
    return vbslq_f32(which, yes, no);
}

/* x where the mask is set, else +0. */
static inline vf v_keep(vmask which, vf x) {
    return vreinterpretq_f32_u32(vandq_u32(which, vreinterpretq_u32_f32(x)));
}

/* Lanes that hold -0.0 exactly; a NaN may carry that sign too. */
static inline vmask v_is_negative_zero(vf x) {
    return vceqq_s32(vreinterpretq_s32_f32(x), vdupq_n_s32(INT32_MIN));
}

/* The float whose bits are those of x shifted left by 23. */
static inline vf v_shift_to_exponent(vf x) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(x), 23));
}

static inline vf v_sleef_exp2(vf x) {
    return Sleef_exp2f4_u35advsimd(x);
}

static inline vf v_sleef_log2(vf x) {
    return Sleef_log2f4_u10advsimd(x);
}

/* Sums of all lanes and the largest lane (NaN passed over if another lane is a number), in a fixed order. */
static inline float v_sum(vf x) {
    return vaddvq_f32(x);
}

static inline float v_largest(vf x) {
    return vmaxnmvq_f32(x);
}

/* Lane j of result = sum of the lanes of x[j]. */
static inline vf v_sum_each(const vf x[V_LANES]) {
    return vpaddq_f32(vpaddq_f32(x[0], x[1]), vpaddq_f32(x[2], x[3]));
}

/* x becomes its transpose: lane i of x[j] was lane j of x[i]. */
static inline void v_transpose(vf x[V_LANES]) {
    vf even_low = vzip1q_f32(x[0], x[2]), even_high = vzip2q_f32(x[0], x[2]);
    vf odd_low = vzip1q_f32(x[1], x[3]), odd_high = vzip2q_f32(x[1], x[3]);
    x[0] = vzip1q_f32(even_low, odd_low);
    x[1] = vzip2q_f32(even_low, odd_low);
    x[2] = vzip1q_f32(even_high, odd_high);
    x[3] = vzip2q_f32(even_high, odd_high);
}

#endif
