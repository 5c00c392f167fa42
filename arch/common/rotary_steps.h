/* The rotary family over a backend's vector vocabulary. Include vec.h and doubles.h first. Each function is a member of
 * fv_rotary_kernels (arch/kernel.h says what it does). The last few elements of a row go through a copy of a whole
 * vector, so that they come out as the others do. */
#ifndef FOVEA_ARCH_COMMON_ROTARY_STEPS_H
#define FOVEA_ARCH_COMMON_ROTARY_STEPS_H

#include <string.h>

#include "arch/kernel.h"

#define PAIRS_OF_VECTOR (V_LANES / 2)

static void frequencies(double slope, int64_t first, int64_t count, double *to) {
    for (int64_t i = 0; i < count; i += V_DOUBLES) {
        double exponents[V_DOUBLES], powers[V_DOUBLES];
        for (int32_t lane = 0; lane < V_DOUBLES; lane++)
            exponents[lane] = slope * (double)(first + i + lane);
        vd_store(powers, vd_sleef_exp2(vd_load(exponents)));
        int64_t some = count - i < V_DOUBLES ? count - i : V_DOUBLES;
        memcpy(to + i, powers, (size_t)some * sizeof(double));
    }
}

static void angles(double position, const double *by, int64_t count, double amplitude, float *cosines, float *sines) {
    vd at = vd_set(position), factor = vd_set(amplitude), sine, cosine;
    int64_t i = 0;
    for (; i + V_DOUBLES <= count; i += V_DOUBLES) {
        vd_sleef_sincos(vd_mul(at, vd_load(by + i)), &sine, &cosine);
        vd_store_f32(cosines + i, vd_mul(cosine, factor));
        vd_store_f32(sines + i, vd_mul(sine, factor));
    }
    if (i == count)
        return;
    double rest[V_DOUBLES] = {0};
    float cosines_of_rest[V_DOUBLES], sines_of_rest[V_DOUBLES];
    memcpy(rest, by + i, (size_t)(count - i) * sizeof *by);
    vd_sleef_sincos(vd_mul(at, vd_load(rest)), &sine, &cosine);
    vd_store_f32(cosines_of_rest, vd_mul(cosine, factor));
    vd_store_f32(sines_of_rest, vd_mul(sine, factor));
    memcpy(cosines + i, cosines_of_rest, (size_t)(count - i) * sizeof *cosines);
    memcpy(sines + i, sines_of_rest, (size_t)(count - i) * sizeof *sines);
}

/* Both elements of V_LANES pairs. */
static inline void turn(vf *first, vf *second, vf cosine, vf sine) {
    vf x = *first, y = *second;
    *first = v_fma(x, cosine, v_mul(y, v_mul(sine, v_set(-1.0f))));
    *second = v_fma(y, cosine, v_mul(x, sine));
}

static void rotate_halves(const float *first, const float *second, const float *cosines, const float *sines,
                          int64_t count, float *first_out, float *second_out) {
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES) {
        vf x = v_load(first + i), y = v_load(second + i);
        turn(&x, &y, v_load(cosines + i), v_load(sines + i));
        v_store(first_out + i, x);
        v_store(second_out + i, y);
    }
    if (i < count) {
        vf x = v_load_f32_part(first + i, count - i), y = v_load_f32_part(second + i, count - i);
        turn(&x, &y, v_load_f32_part(cosines + i, count - i), v_load_f32_part(sines + i, count - i));
        v_store_f32_part(first_out + i, count - i, x);
        v_store_f32_part(second_out + i, count - i, y);
    }
}

/* A vector of neighbours: each times the cosine, and times the sine in the other's place, negative in the first's. */
static inline vf turned_pairs(vf pairs, const float *cosines, const float *sines) {
    static const float signs[2] = {-1.0f, 1.0f};
    vf sine = v_mul(v_load_twice(sines), v_alternating(signs));
    return v_fma(pairs, v_load_twice(cosines), v_mul(v_swap_neighbours(pairs), sine));
}

static void rotate_pairs(const float *pairs, const float *cosines, const float *sines, int64_t count, float *out) {
    int64_t i = 0;
    for (; i + PAIRS_OF_VECTOR <= count; i += PAIRS_OF_VECTOR)
        v_store(out + 2 * i, turned_pairs(v_load(pairs + 2 * i), cosines + i, sines + i));
    if (i == count)
        return;
    float rest[V_LANES] = {0}, cosines_of_rest[PAIRS_OF_VECTOR] = {0}, sines_of_rest[PAIRS_OF_VECTOR] = {0};
    memcpy(rest, pairs + 2 * i, (size_t)(count - i) * 2 * sizeof *pairs);
    memcpy(cosines_of_rest, cosines + i, (size_t)(count - i) * sizeof *cosines);
    memcpy(sines_of_rest, sines + i, (size_t)(count - i) * sizeof *sines);
    v_store(rest, turned_pairs(v_load(rest), cosines_of_rest, sines_of_rest));
    memcpy(out + 2 * i, rest, (size_t)(count - i) * 2 * sizeof *out);
}

/* The initialisers of fv_rotary_kernels. */
#define ROTARY_FAMILY \
    .frequencies = frequencies, .angles = angles, .rotate_halves = rotate_halves, .rotate_pairs = rotate_pairs

#endif
