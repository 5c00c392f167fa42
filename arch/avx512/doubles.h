/* The vocabulary of the rotary family on AVX-512: vectors of doubles, and of neighbouring floats. Include vec.h first.
 */
#ifndef FOVEA_ARCH_AVX512_DOUBLES_H
#define FOVEA_ARCH_AVX512_DOUBLES_H

#define V_DOUBLES 8

typedef __m512d vd;

static inline vd vd_load(const double *p) {
    return _mm512_loadu_pd(p);
}

static inline void vd_store(double *p, vd x) {
    _mm512_storeu_pd(p, x);
}

static inline vd vd_set(double x) {
    return _mm512_set1_pd(x);
}

static inline vd vd_mul(vd a, vd b) {
    return _mm512_mul_pd(a, b);
}

/* V_DOUBLES floats, rounded. */
static inline void vd_store_f32(float *p, vd x) {
    _mm256_storeu_ps(p, _mm512_cvtpd_ps(x));
}

static inline vd vd_sleef_exp2(vd x) {
    return Sleef_exp2d8_u10avx512f(x);
}

static inline void vd_sleef_sincos(vd x, vd *sine, vd *cosine) {
    Sleef___m512d_2 both = Sleef_sincosd8_u35avx512f(x);
    *sine = both.x;
    *cosine = both.y;
}

/* V_LANES / 2 floats, each in two neighbouring lanes. */
static inline vf v_load_twice(const float *p) {
    __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
}

/* p[0], p[1], p[0], ... */
static inline vf v_alternating(const float *p) {
    return _mm512_setr4_ps(p[0], p[1], p[0], p[1]);
}

static inline vf v_swap_neighbours(vf x) {
    return _mm512_permute_ps(x, 0xB1);
}

#endif
