/* Rotary family in portable C. */
#include "arch/generic/kernels.h"

static void frequencies(double slope, int64_t first, int64_t count, double *to) {
    for (int64_t i = 0; i < count; i++)
        to[i] = exp2(slope * (double)(first + i));
}

static void angles(double position, const double *by, int64_t count, double amplitude, float *cosines, float *sines) {
    for (int64_t i = 0; i < count; i++) {
        cosines[i] = (float)(amplitude * cos(position * by[i]));
        sines[i] = (float)(amplitude * sin(position * by[i]));
    }
}

static void turn(float x, float y, float cosine, float sine, float *x_out, float *y_out) {
    *x_out = x * cosine - y * sine;
    *y_out = y * cosine + x * sine;
}

static void rotate_halves(const float *first, const float *second, const float *cosines, const float *sines,
                          int64_t count, float *first_out, float *second_out) {
    for (int64_t i = 0; i < count; i++)
        turn(first[i], second[i], cosines[i], sines[i], &first_out[i], &second_out[i]);
}

static void rotate_pairs(const float *pairs, const float *cosines, const float *sines, int64_t count, float *out) {
    for (int64_t i = 0; i < count; i++)
        turn(pairs[2 * i], pairs[2 * i + 1], cosines[i], sines[i], &out[2 * i], &out[2 * i + 1]);
}

const fv_rotary_kernels fv_generic_rotary = {
    .frequencies = frequencies,
    .angles = angles,
    .rotate_halves = rotate_halves,
    .rotate_pairs = rotate_pairs,
};
