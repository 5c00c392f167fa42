/* The vocabulary of the rotary family on NEON: vectors of doubles, and of neighbouring floats. Include vec.h first. */
#ifndef FOVEA_ARCH_NEON_DOUBLES_H
#define FOVEA_ARCH_NEON_DOUBLES_H

#define V_DOUBLES 2

typedef float64x2_t vd;

static inline vd vd_load(const double *p) {
    return vld1q_f64(p);
}

static inline void vd_store(double *p, vd x) {
    vst1q_f64(p, x);
}

static inline vd vd_set(double x) {
    return vdupq_n_f64(x);
}

static inline vd vd_mul(vd a, vd b) {
    return vmulq_f64(a, b);
}

/* V_DOUBLES floats, rounded. */
static inline void vd_store_f32(float *p, vd x) {
    vst1_f32(p, vcvt_f32_f64(x));
}

static inline vd vd_sleef_exp2(vd x) {
    return Sleef_exp2d2_u10advsimd(x);
}

static inline void vd_sleef_sincos(vd x, vd *sine, vd *cosine) {
    Sleef_float64x2_t_2 both = Sleef_sincosd2_u35advsimd(x);
    *sine = both.x;
    *cosine = both.y;
}

/* V_LANES / 2 floats, each in two neighbouring lanes. */
static inline vf v_load_twice(const float *p) {
    float32x2_t half = vld1_f32(p);
    return vcombine_f32(vdup_lane_f32(half, 0), vdup_lane_f32(half, 1));
}

/* p[0], p[1], p[0], p[1]. */
static inline vf v_alternating(const float *p) {
    float32x2_t half = vld1_f32(p);
    return vcombine_f32(half, half);
}

static inline vf v_swap_neighbours(vf x) {
    return vrev64q_f32(x);
}

#endif
