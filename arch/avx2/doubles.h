/* The vocabulary of the rotary family on AVX2: vectors of doubles, and of neighbouring floats. Include vec.h first. */
#ifndef FOVEA_ARCH_AVX2_DOUBLES_H
#define FOVEA_ARCH_AVX2_DOUBLES_H

#define V_DOUBLES 4

typedef __m256d vd;

static inline vd vd_load(const double *p) {
    return _mm256_loadu_pd(p);
}

static inline void vd_store(double *p, vd x) {
    _mm256_storeu_pd(p, x);
}

static inline vd vd_set(double x) {
    return _mm256_set1_pd(x);
}

static inline vd vd_mul(vd a, vd b) {
    return _mm256_mul_pd(a, b);
}

/* V_DOUBLES floats, rounded. */
static inline void vd_store_f32(float *p, vd x) {
    _mm_storeu_ps(p, _mm256_cvtpd_ps(x));
}

static inline vd vd_sleef_exp2(vd x) {
    return Sleef_exp2d4_u10avx2(x);
}

static inline void vd_sleef_sincos(vd x, vd *sine, vd *cosine) {
    Sleef___m256d_2 both = Sleef_sincosd4_u35avx2(x);
    *sine = both.x;
    *cosine = both.y;
}

/* V_LANES / 2 floats, each in two neighbouring lanes. */
static inline vf v_load_twice(const float *p) {
    __m256 half = _mm256_castps128_ps256(_mm_loadu_ps(p));
    return _mm256_permutevar8x32_ps(half, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

/* p[0], p[1], p[0], ... */
static inline vf v_alternating(const float *p) {
    return _mm256_setr_ps(p[0], p[1], p[0], p[1], p[0], p[1], p[0], p[1]);
}

static inline vf v_swap_neighbours(vf x) {
    return _mm256_permute_ps(x, 0xB1);
}

#endif
